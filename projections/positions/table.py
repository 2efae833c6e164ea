"""The positions table. A position moves in the transaction of the effects it stands for, and only for the owner that knows where it stood.

Reading order: Assigned, assigned, move, reached.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

PAUSE = 0x50415553  # "PAUS"
"""The advisory lock that whoever must see both hops at rest holds; resolving waits for it, doors do not."""

CHANNEL = "yekta_changed"
"""One NOTIFY a batch: `processor partition`."""

Connection = AsyncConnection[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Assigned:
    """Where a partition stands when a worker gets it."""

    next_offset: int
    deaths: int  # assignments at this very position without progress, this one included
    tries: int  # how often the record at this very position was tried alone, and never answered


async def assigned(connection: Connection, processor: str, partition: int, topic: str, topic_id: str, end: int) -> Assigned | str:
    """Read where to begin, and count the attempt unless the log, which ends at `end`, has nothing new.

    A sentence when the topic is not the one that the position was taken in.
    """
    await connection.execute(
        "INSERT INTO streams.positions (processor, partition, topic, topic_id, next_offset) VALUES (%s, %s, %s, %s, 0)"
        " ON CONFLICT DO NOTHING",
        (processor, partition, topic, topic_id),
    )
    cursor = await connection.execute(
        "UPDATE streams.positions SET deaths = CASE WHEN next_offset < %s THEN LEAST(deaths + 1, 1000) ELSE 0 END, halted = ''"
        " WHERE processor = %s AND partition = %s"
        " RETURNING next_offset, deaths, CASE WHEN trying = next_offset THEN tries ELSE 0 END, topic_id",
        (end, processor, partition),
    )
    row = await cursor.fetchone()
    assert row is not None  # noqa: S101 - inserted above
    if row[3] != topic_id:
        return (
            f"Topic {topic} was made anew (id {topic_id}, the database knows {row[3]}): what the database holds is not in this log."
            " Restore the topic, or rebuild into an empty database."
        )
    return Assigned(row[0], row[1], row[2])


async def move(
    connection: Connection,
    processor: str,
    partition: int,
    *,
    before: int,
    after: int,
    written: int,
    published: Mapping[int, int] | None = None,
    newest: datetime | None = None,
) -> bool:
    """Move the position from `before` to `after`; False when another owner moved it meanwhile: then nothing may be written."""
    cursor = await connection.execute(
        "UPDATE streams.positions SET next_offset = %s, written = %s, published = published || %s,"
        " deaths = 0, trying = NULL, tries = 0, progress_at = now(),"
        " newest = COALESCE(%s, newest) WHERE processor = %s AND partition = %s AND next_offset = %s",
        (after, written, Jsonb(dict(published or {})), newest, processor, partition, before),
    )
    if cursor.rowcount != 1:
        return False
    await connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, f"{processor} {partition}"))
    return True


async def may_go_on(connection: Connection) -> bool:
    """Whether nobody asks for rest; holds off who asks until this transaction ends."""
    cursor = await connection.execute("SELECT pg_try_advisory_xact_lock_shared(%s)", (PAUSE,))
    row = await cursor.fetchone()
    return row is not None and bool(row[0])


async def at_rest(connection: Connection) -> bool:
    """Whether, while `PAUSE` is held, nothing is on its way between the hops any more."""
    cursor = await connection.execute("SELECT bool_and(written = next_offset) FROM streams.positions WHERE processor = 'resolve'")
    row = await cursor.fetchone()
    return row is not None and row[0] is not False and await reached(connection, {})


async def try_alone(connection: Connection, processor: str, partition: int, offset: int) -> None:
    """Remember that this record is tried by itself, so that if it kills the process it is known for it."""
    await connection.execute(
        "UPDATE streams.positions SET tries = CASE WHEN trying = %(offset)s THEN tries ELSE 0 END + 1, trying = %(offset)s"
        " WHERE processor = %(processor)s AND partition = %(partition)s",
        {"offset": offset, "processor": processor, "partition": partition},
    )


async def halt(connection: Connection, processor: str, partition: int, why: str) -> None:
    """Say why a partition stands still; `yekta status` shows it."""
    await connection.execute(
        "UPDATE streams.positions SET halted = %s WHERE processor = %s AND partition = %s", (why, processor, partition)
    )


async def halted(connection: Connection, processor: str) -> str:
    """Why a partition of the processor stands still; empty when none does."""
    cursor = await connection.execute("SELECT halted FROM streams.positions WHERE processor = %s AND halted <> '' LIMIT 1", (processor,))
    row = await cursor.fetchone()
    return str(row[0]) if row else ""


async def positions(connection: Connection, processor: str) -> dict[int, int]:
    """The next offset of every partition that the processor ever got."""
    cursor = await connection.execute("SELECT partition, next_offset FROM streams.positions WHERE processor = %s", (processor,))
    return dict(await cursor.fetchall())


async def reached(connection: Connection, position: Mapping[int, int]) -> bool:
    """Whether everything in `touchpoints` before `position` is in the views: both hops, the outbox and long moves included.

    Resolving has passed the position and what it published is acknowledged; folding has passed all that was published until then.
    An empty position asks for all that was resolved so far.
    """
    cursor = await connection.execute(
        "SELECT partition, next_offset, published FROM streams.positions WHERE processor = 'resolve'",
    )
    resolved = {partition: (offset, published) for partition, offset, published in await cursor.fetchall()}
    if any(resolved.get(partition, (0,))[0] < offset for partition, offset in position.items()):
        return False
    wanted: dict[int, int] = {}
    for partition, (_, published) in resolved.items():
        if partition in position or not position:
            for target, end in published.items():
                wanted[int(target)] = max(wanted.get(int(target), 0), end)
    cursor = await connection.execute("SELECT partition, next_offset, published FROM streams.positions WHERE processor = 'customer'")
    folded = {}
    for partition, offset, published in await cursor.fetchall():
        folded[partition] = offset
        for target, end in published.items():  # what one customer's partition sent to another's
            wanted[int(target)] = max(wanted.get(int(target), 0), end)
    return all(folded.get(partition, 0) >= end for partition, end in wanted.items()) and await quiet(connection)


async def quiet(connection: Connection, partitions: Sequence[int] | None = None) -> bool:
    """Whether nothing is on its way between customers: the outbox and the chores are empty."""
    cursor = await connection.execute(
        "SELECT NOT EXISTS (SELECT 1 FROM streams.outbox WHERE %s::int[] IS NULL OR partition = ANY(%s::int[]))"
        " AND NOT EXISTS (SELECT 1 FROM streams.chores WHERE %s::int[] IS NULL OR partition = ANY(%s::int[]))",
        (partitions, partitions, partitions, partitions),
    )
    row = await cursor.fetchone()
    return row is not None and bool(row[0])
