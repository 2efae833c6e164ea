"""The log of decisions as people read it: what was decided about whom, what became of all candidates. Reading order: page, funnel."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row

Connection = AsyncConnection[tuple[Any, ...]]


class Decision(NamedTuple):
    """A candidate and its outcome, as it stands."""

    customer_id: UUID
    signal: UUID
    rule: str
    version: int
    contact: str
    purpose: str
    outcome: str
    channel: str | None
    at: datetime
    until: datetime | None
    reason: str | None
    occurred: datetime
    wanted: datetime
    requested: bool


_ALL = ", ".join(Decision._fields)


async def one(connection: Connection, customer: UUID, signal: UUID) -> Decision | None:
    """What was decided about a signal or a request."""
    cursor = connection.cursor(row_factory=class_row(Decision))
    await cursor.execute(f"SELECT {_ALL} FROM contacts.decisions WHERE customer_id = %s AND signal = %s", (customer, signal))
    return await cursor.fetchone()


async def about(connection: Connection, contact: UUID) -> Decision | None:
    """What was decided about a contact, of whomever it is."""
    cursor = connection.cursor(row_factory=class_row(Decision))
    await cursor.execute(f"SELECT {_ALL} FROM contacts.decisions WHERE signal = %s ORDER BY at DESC LIMIT 1", (contact,))
    return await cursor.fetchone()


async def page(
    connection: Connection,
    limit: int,
    *,
    before: tuple[datetime, UUID] | None = None,
    customers: Sequence[UUID] | None = None,
    rule: str | None = None,
    outcome: str | None = None,
    reason: str | None = None,
) -> list[Decision]:
    """Decisions, the latest first."""
    where, values = _conditions(customers=customers, rule=rule, outcome=outcome, reason=reason)
    if before is not None:
        where += " AND (at, signal) < (%s, %s)"
        values += before
    cursor = connection.cursor(row_factory=class_row(Decision))
    await cursor.execute(f"SELECT {_ALL} FROM contacts.decisions WHERE {where} ORDER BY at DESC, signal DESC LIMIT %s", (*values, limit))
    return await cursor.fetchall()


class Latest(NamedTuple):
    """With what somebody was last to be approached, and what was decided."""

    contact: str
    purpose: str
    channel: str | None
    outcome: str
    reason: str | None


async def latest(connection: Connection, customer: UUID, since: datetime, but: str, unless: Collection[str]) -> Latest | None:
    """The latest decision about a contact of his; none for the purpose `but`, unless it goes by one of those channels."""
    cursor = await connection.execute(
        "SELECT contact, purpose, channel, outcome, reason FROM contacts.decisions"
        " WHERE customer_id = %s AND at > %s AND (purpose <> %s OR channel = ANY(%s)) ORDER BY seq DESC LIMIT 1",
        (customer, since, but, list(unless)),
    )
    row = await cursor.fetchone()
    return Latest(*row) if row else None


class Share(NamedTuple):
    """How many candidates came to this."""

    rule: str
    version: int
    outcome: str
    channel: str | None
    reason: str | None
    candidates: int


async def funnel(connection: Connection, *, rule: str | None = None, since: datetime | None = None) -> list[Share]:
    """What became of all candidates, by rule, outcome and reason."""
    where, values = _conditions(rule=rule)
    if since is not None:
        where += " AND at >= %s"
        values.append(since)
    cursor = connection.cursor(row_factory=class_row(Share))
    await cursor.execute(
        "SELECT rule, version, outcome, channel, reason, count(*) AS candidates FROM contacts.decisions"
        f" WHERE {where} GROUP BY rule, version, outcome, channel, reason ORDER BY rule, version, candidates DESC",
        values,
    )
    return await cursor.fetchall()


async def recent(
    connection: Connection, now: datetime, span: timedelta, rule: str | None = None
) -> tuple[list[Share], dict[str, datetime]]:
    """The same of each rule in the time until now, or until its last candidate where he came before that: a source may replay its own time,
    and a rule may rest. And when he came, of the rules of which it is so."""
    where, values = _conditions(rule=rule)
    cursor = await connection.execute(f"SELECT rule, max(at) FROM contacts.decisions WHERE {where} GROUP BY rule", values)
    lasts: dict[str, datetime] = dict(await cursor.fetchall())
    resting = {name: last for name, last in lasts.items() if last < now - span}
    of_each = connection.cursor(row_factory=class_row(Share))
    await of_each.execute(
        "SELECT rule, version, outcome, channel, reason, count(*) AS candidates"
        " FROM contacts.decisions JOIN unnest(%s::text[], %s::timestamptz[]) AS began (rule, since) USING (rule) WHERE at >= since"
        " GROUP BY rule, version, outcome, channel, reason ORDER BY rule, version, candidates DESC",
        (list(lasts), [resting.get(name, now) - span for name in lasts]),
    )
    return await of_each.fetchall(), resting


def _conditions(
    *, customers: Sequence[UUID] | None = None, rule: str | None = None, outcome: str | None = None, reason: str | None = None
) -> tuple[str, list[Any]]:
    known = {
        "rule = %s": rule,
        "outcome = %s": outcome,
        "reason = %s": reason,
    }
    asked = {condition: value for condition, value in known.items() if value is not None}
    where, values = ["true", *asked], list[Any](asked.values())
    if customers is not None:
        where.append("(customer_id = ANY(%s) AND was IS NULL OR was = ANY(%s))")
        values += [list(customers), list(customers)]
    return " AND ".join(where), values
