"""What people are to do for a contact: calls that agents pull, offers for whoever speaks with the customer.

Whether it may still be done is asked in `handing`. Reading order: Task, put, free, take, end.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row

Connection = AsyncConnection[tuple[Any, ...]]

CALL = "call"
CHANNELS = (CALL, "agent_offer", "partner_visit", "in_app")
"""Channels that people serve, or our own pages: nothing is sent."""

STALE = "1 hour"
"""After so long a task that was taken and not ended may be taken by another."""


class Task(NamedTuple):
    """One thing to do."""

    id: UUID
    customer_id: UUID
    channel: str
    rule: str
    contact: str
    purpose: str
    signal: UUID
    created: datetime
    state: str
    taken_by: str
    taken_at: datetime | None
    outcome: str
    note: str
    ended: datetime | None


_ALL = ", ".join(Task._fields)

_FREE = f"(state = 'open' OR (state = 'taken' AND (taken_by = %(by)s OR taken_at < now() - interval '{STALE}')))"
"""What somebody may take: nobody has it, or he has, or whoever has said nothing of it for so long."""

SILENT = "silent"
"""The outcome of a task that must not be done any more; its note says why."""


async def put(connection: Connection, id_: UUID, customer: UUID, channel: str, rule: str, contact: str, purpose: str, signal: UUID) -> None:
    """Have it done; putting it twice is once."""
    await connection.execute(
        "INSERT INTO contacts.tasks (id, customer_id, channel, rule, contact, purpose, signal) VALUES (%s, %s, %s, %s, %s, %s, %s)"
        " ON CONFLICT DO NOTHING",
        (id_, customer, channel, rule, contact, purpose, signal),
    )


async def page(
    connection: Connection,
    limit: int,
    channel: str,
    *,
    states: Sequence[str],
    after: tuple[datetime, UUID] | None = None,
) -> list[Task]:
    """The tasks of a channel in some states, the oldest first."""
    cursor = connection.cursor(row_factory=class_row(Task))
    await cursor.execute(
        f"SELECT {_ALL} FROM contacts.tasks WHERE channel = %s AND state = ANY(%s)"
        " AND (%s::timestamptz IS NULL OR (created, id) > (%s, %s)) ORDER BY created, id LIMIT %s",
        (channel, list(states), *((None, None, None) if after is None else (after[0], *after)), limit),
    )
    return await cursor.fetchall()


async def taken(connection: Connection, by: str, channel: str) -> list[Task]:
    """What somebody has to do, the oldest first."""
    cursor = connection.cursor(row_factory=class_row(Task))
    await cursor.execute(
        f"SELECT {_ALL} FROM contacts.tasks WHERE channel = %s AND state = 'taken' AND taken_by = %s ORDER BY created, id", (channel, by)
    )
    return await cursor.fetchall()


async def open_of(connection: Connection, customers: Sequence[UUID], limit: int = 20) -> list[Task]:
    """What is still to be done for a customer, the newest first."""
    cursor = connection.cursor(row_factory=class_row(Task))
    await cursor.execute(
        f"SELECT {_ALL} FROM contacts.tasks WHERE customer_id = ANY(%s) AND state <> 'done' ORDER BY created DESC, id LIMIT %s",
        (list(customers), limit),
    )
    return await cursor.fetchall()


async def free(connection: Connection, by: str, channel: str, passed: Sequence[UUID] = ()) -> Task | None:
    """The task that waits longest of those that somebody may take now; without those that he passed."""
    cursor = connection.cursor(row_factory=class_row(Task))
    await cursor.execute(
        f"SELECT {_ALL} FROM contacts.tasks t WHERE channel = %(channel)s AND {_FREE} AND id <> ALL(%(passed)s::uuid[])"
        " AND (state = 'taken' AND taken_by = %(by)s OR due <= now() AND NOT EXISTS (SELECT FROM contacts.pauses p"
        " WHERE p.scope IN ('everything', 'channel:' || t.channel, 'rule:' || t.rule)))"
        " ORDER BY state = 'taken' AND taken_by <> %(by)s, created, id LIMIT 1",
        {"by": by, "channel": channel, "passed": list(passed)},
    )
    return await cursor.fetchone()


async def may_take(connection: Connection, id_: UUID, by: str) -> bool:
    """Whether nobody else has it."""
    cursor = await connection.execute(f"SELECT FROM contacts.tasks WHERE id = %(id)s AND {_FREE}", {"id": id_, "by": by})
    return await cursor.fetchone() is not None


async def take(connection: Connection, id_: UUID, by: str) -> Task | None:
    """Give somebody this task. Of two who want it one gets it."""
    cursor = connection.cursor(row_factory=class_row(Task))
    await cursor.execute(
        f"UPDATE contacts.tasks SET state = 'taken', taken_by = %(by)s, taken_at = now() WHERE id = %(id)s AND {_FREE} RETURNING {_ALL}",
        {"id": id_, "by": by},
    )
    return await cursor.fetchone()


async def wait(connection: Connection, id_: UUID, seconds: float) -> None:
    """Let nobody who asks for any have it, for so long."""
    await connection.execute("UPDATE contacts.tasks SET due = now() + make_interval(secs => %s) WHERE id = %s", (seconds, id_))


def hurried() -> tuple[str, Sequence[Any]]:
    """The statement by which whoever asks for any task is given those again that had to wait, if they may be done now."""
    return "UPDATE contacts.tasks SET due = '-infinity' WHERE state = 'open' AND due > now()", ()


async def close(connection: Connection, id_: UUID, reason: str, by: str = "") -> Task | None:
    """It must not be done any more; None when another has it, or it is done."""
    cursor = connection.cursor(row_factory=class_row(Task))
    await cursor.execute(
        f"UPDATE contacts.tasks SET state = 'done', outcome = %(outcome)s, note = %(reason)s, ended = now() WHERE id = %(id)s AND {_FREE}"
        f" RETURNING {_ALL}",
        {"outcome": SILENT, "reason": reason, "id": id_, "by": by},
    )
    return await cursor.fetchone()


async def one(connection: Connection, id_: UUID) -> Task | None:
    """One task."""
    cursor = connection.cursor(row_factory=class_row(Task))
    await cursor.execute(f"SELECT {_ALL} FROM contacts.tasks WHERE id = %s", (id_,))
    return await cursor.fetchone()


async def end(connection: Connection, id_: UUID, by: str, outcome: str, note: str) -> Task | None:
    """It is done with this outcome; None when another has it, or it is done."""
    cursor = connection.cursor(row_factory=class_row(Task))
    await cursor.execute(
        "UPDATE contacts.tasks SET state = 'done', outcome = %s, note = %s, ended = now(), taken_by = %s"
        f" WHERE id = %s AND (state = 'open' OR (state = 'taken' AND taken_by = %s)) RETURNING {_ALL}",
        (outcome, note, by, id_, by),
    )
    return await cursor.fetchone()
