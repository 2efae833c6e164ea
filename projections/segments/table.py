"""The SQL of segments: who is in, since when, and how it came. Written by the owner of the customer's partition.

Reading order: load, save, judged, end, forget, last, put, then what people read: counts, members, history.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection

from projections.rows import uuids

Connection = AsyncConnection[tuple[Any, ...]]

Place = tuple[UUID, str, int]
"""Whose, which segment, which version."""


class Change(NamedTuple):
    """A customer came into a segment, or left it."""

    segment: str
    version: int
    customer: UUID
    change: str
    at: datetime


class Count(NamedTuple):
    """How many are in a segment, and how many came and went in the last day, week and month."""

    segment: str
    members: int
    entered: tuple[int, int, int]
    left: tuple[int, int, int]


async def load(connection: Connection, customers: Iterable[UUID]) -> list[tuple[UUID, str, int, bytes, bool]]:
    """States of these customers, and whether they are in."""
    cursor = await connection.execute(
        "SELECT s.customer_id, s.segment, s.version, s.state, s.inside FROM streams.segment_states s WHERE customer_id = ANY(%s::uuid[])",
        (uuids(customers),),
        binary=True,
    )
    return [(customer, segment, version, state, inside) for customer, segment, version, state, inside in await cursor.fetchall()]


async def save(connection: Connection, partition: int, states: Mapping[Place, tuple[bytes, bool]]) -> None:
    """Keep these states."""
    if states:
        await connection.execute(
            "INSERT INTO streams.segment_states (customer_id, segment, version, partition, state, inside)"
            " SELECT * FROM unnest(%s::uuid[], %s::text[], %s::int[], %s::smallint[], %s::bytea[], %s::boolean[])"
            " ON CONFLICT (customer_id, segment, version) DO UPDATE SET state = excluded.state, inside = excluded.inside,"
            " partition = excluded.partition",
            (
                [place[0] for place in states],
                [place[1] for place in states],
                [place[2] for place in states],
                [partition] * len(states),
                [state for state, _ in states.values()],
                [inside for _, inside in states.values()],
            ),
        )


async def judged(connection: Connection, partition: int, segment: str, after: UUID, most: int) -> list[UUID]:
    """The next customers of a partition of whom the segment keeps anything."""
    cursor = await connection.execute(
        "SELECT customer_id FROM streams.segment_states WHERE segment = %s AND partition = %s AND customer_id > %s"
        " ORDER BY customer_id LIMIT %s",
        (segment, partition, after, most),
    )
    return [row[0] for row in await cursor.fetchall()]


async def drop(connection: Connection, customers: Sequence[UUID]) -> None:
    """Forget these customers' states and timers."""
    await connection.execute("DELETE FROM streams.segment_states WHERE customer_id = ANY(%s)", (list(customers),))
    await connection.execute("DELETE FROM streams.timers WHERE customer_id = ANY(%s) AND rule LIKE ' segment %%'", (list(customers),))


async def end(connection: Connection, schema: str, partition: int, segment: str) -> None:
    """The segment is over: nobody is in it any more."""
    await connection.execute(
        f"DELETE FROM signals.members m USING {schema}.view v"
        " WHERE m.segment = %s AND v.customer_id = m.customer_id AND v.log_partition = %s",
        (segment, partition),
    )
    await forget(connection, partition, segment)


async def forget(connection: Connection, partition: int, segment: str) -> None:
    """Nothing is known of anybody in the partition, but who is in."""
    await connection.execute("DELETE FROM streams.segment_states WHERE segment = %s AND partition = %s", (segment, partition))
    await connection.execute("DELETE FROM streams.timers WHERE partition = %s AND rule = %s", (partition, f" segment {segment}"))


async def members_of(connection: Connection, customer: UUID) -> set[str]:
    """The segments that a customer is in."""
    cursor = await connection.execute("SELECT segment FROM signals.members WHERE customer_id = %s", (customer,))
    return {row[0] for row in await cursor.fetchall()}


async def last(connection: Connection, customers: Iterable[UUID]) -> dict[tuple[UUID, str], datetime]:
    """When these customers came into segments last, or left them."""
    cursor = await connection.execute(
        "SELECT customer_id, segment, max(at) FROM signals.changes WHERE customer_id = ANY(%s::uuid[]) GROUP BY 1, 2", (uuids(customers),)
    )
    return {(customer, segment): at for customer, segment, at in await cursor.fetchall()}


async def put(connection: Connection, changes: Sequence[Change]) -> None:
    """Let them in and out, in this order."""
    for change in changes:
        if change.change == "entered":
            await connection.execute(
                "INSERT INTO signals.members (segment, customer_id, since, version) VALUES (%s, %s, %s, %s)"
                " ON CONFLICT (segment, customer_id) DO UPDATE SET version = excluded.version",
                (change.segment, change.customer, change.at, change.version),
            )
        else:
            await connection.execute(
                "DELETE FROM signals.members WHERE segment = %s AND customer_id = %s", (change.segment, change.customer)
            )
        await connection.execute(
            "INSERT INTO signals.changes (segment, customer_id, change, at) VALUES (%s, %s, %s, %s)",
            (change.segment, change.customer, change.change, change.at),
        )


async def counts(connection: Connection, now: datetime, segment: str | None = None) -> dict[str, Count]:
    """How many are in each segment, and how many came and went in the last 1, 7 and 30 days."""
    cursor = await connection.execute(
        "SELECT segment, count(*) FROM signals.members WHERE segment = COALESCE(%s, segment) GROUP BY segment", (segment,)
    )
    members: dict[str, int] = dict(await cursor.fetchall())
    spans = ", ".join(
        f"count(*) FILTER (WHERE change = '{change}' AND at > %(now)s - interval '{days} days')"
        for change in ("entered", "left")
        for days in (1, 7, 30)
    )
    cursor = await connection.execute(
        f"SELECT segment, {spans} FROM signals.changes WHERE segment = COALESCE(%(segment)s, segment)"
        " AND at > %(now)s - interval '30 days' GROUP BY segment",
        {"now": now, "segment": segment},
    )
    moved = {row[0]: (row[1:4], row[4:7]) for row in await cursor.fetchall()}
    none = (0, 0, 0)
    return {name: Count(name, members.get(name, 0), *moved.get(name, (none, none))) for name in {*members, *moved}}


async def members(
    connection: Connection, segment: str, limit: int, after: tuple[datetime, UUID] | None = None
) -> list[tuple[UUID, datetime]]:
    """Who is in, the latest first."""
    place, values = ("", ()) if after is None else (" AND (since, customer_id) < (%s, %s)", after)
    cursor = await connection.execute(
        f"SELECT customer_id, since FROM signals.members WHERE segment = %s{place} ORDER BY since DESC, customer_id DESC LIMIT %s",
        (segment, *values, limit),
    )
    return [(customer, since) for customer, since in await cursor.fetchall()]


async def history(connection: Connection, segment: str, since: datetime, zone: str) -> list[tuple[datetime, int, int]]:
    """Per day how many came and how many left."""
    cursor = await connection.execute(
        "SELECT date_trunc('day', at, %s) AS day, count(*) FILTER (WHERE change = 'entered'), count(*) FILTER (WHERE change = 'left')"
        " FROM signals.changes WHERE segment = %s AND at >= %s GROUP BY day ORDER BY day",
        (zone, segment, since),
    )
    return [(day, entered, left) for day, entered, left in await cursor.fetchall()]
