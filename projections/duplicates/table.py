"""The SQL of possible duplicates. Reading order: due, changed, compared, look_up, partners, holders, propose; Pair, page."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from psycopg import AsyncConnection

from projections.rows import uuids

Connection = AsyncConnection[tuple[Any, ...]]

COUNTED = 4096
"""Further than this nothing is counted: a value that so many have is common."""


async def due(connection: Connection, customers: Iterable[UUID]) -> None:
    """These customers changed."""
    await connection.execute(
        "INSERT INTO identity.due (customer_id) SELECT DISTINCT unnest(%s::uuid[]) ORDER BY 1"
        " ON CONFLICT (customer_id) DO UPDATE SET number = excluded.number",
        (list(customers),),
    )


async def changed(connection: Connection, limit: int) -> dict[UUID, int]:
    """Some of the changed customers, and the number of their last change. Nothing is locked: customers go on changing."""
    cursor = await connection.execute("SELECT customer_id, number FROM identity.due LIMIT %s", (limit,))
    return dict(await cursor.fetchall())


async def compared(connection: Connection, changes: Mapping[UUID, int]) -> None:
    """These are due no more, but for those who changed again meanwhile."""
    await connection.execute(
        "DELETE FROM identity.due d USING unnest(%s::uuid[], %s::bigint[]) AS c(customer_id, number)"
        " WHERE d.customer_id = c.customer_id AND d.number = c.number",
        (list(changes), list(changes.values())),
    )


async def look_up(connection: Connection, keys: Mapping[UUID, Iterable[bytes]]) -> None:
    """From now on these customers are found by these keys and no others, and no pair of theirs waits any more."""
    await connection.execute("DELETE FROM identity.blocks WHERE customer_id = ANY(%s)", (list(keys),))
    await connection.execute("DELETE FROM identity.duplicates WHERE one = ANY(%(them)s) OR other = ANY(%(them)s)", {"them": list(keys)})
    rows = [(key, customer) for customer, mine in keys.items() for key in mine]
    await connection.execute(
        "INSERT INTO identity.blocks SELECT * FROM unnest(%s::bytea[], %s::uuid[]) ON CONFLICT DO NOTHING",
        ([key for key, _ in rows], [customer for _, customer in rows]),
    )


async def partners(connection: Connection, keys: Mapping[UUID, Sequence[bytes]], largest: int, most: int) -> list[tuple[UUID, UUID]]:
    """Who shares a key with one of these, those who share most first; keys that more than `largest` share are passed over."""
    rows = [(key, customer) for customer, mine in keys.items() for key in mine]
    cursor = await connection.execute(
        "WITH asked AS (SELECT * FROM unnest(%s::bytea[], %s::uuid[]) AS a(key, customer)),"
        " small AS (SELECT k.key FROM (SELECT DISTINCT key FROM asked) k WHERE"
        " (SELECT count(*) FROM (SELECT 1 FROM identity.blocks b WHERE b.key = k.key LIMIT %s) l) <= %s)"
        " SELECT LEAST(a.customer, b.customer_id), GREATEST(a.customer, b.customer_id), count(*) FROM asked a JOIN small USING (key)"
        " JOIN identity.blocks b ON b.key = a.key AND b.customer_id <> a.customer GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT %s",
        ([key for key, _ in rows], [customer for _, customer in rows], largest + 1, largest, most),
    )
    return [(row[0], row[1]) for row in await cursor.fetchall()]


async def holders(connection: Connection, keys: Sequence[bytes]) -> dict[bytes, int]:
    """How many customers have each of these keys, as far as is counted."""
    cursor = await connection.execute(
        "SELECT k.key, (SELECT count(*) FROM (SELECT 1 FROM identity.blocks b WHERE b.key = k.key LIMIT %s) l)"
        " FROM (SELECT DISTINCT unnest(%s::bytea[]) AS key) k",
        (COUNTED, list(keys)),
    )
    return {row[0]: row[1] for row in await cursor.fetchall()}


async def propose(connection: Connection, pairs: Sequence[tuple[UUID, UUID, float, Any]]) -> None:
    """These pairs wait for a person."""
    if not pairs:
        return
    ones, others, probabilities, evidence = zip(*pairs, strict=True)
    await connection.execute(
        "INSERT INTO identity.duplicates (one, other, probability, evidence)"
        " SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::float8[], %s::jsonb[])"
        " ON CONFLICT (one, other) DO UPDATE SET probability = excluded.probability, evidence = excluded.evidence",
        (uuids(ones), uuids(others), list(probabilities), [msgspec.json.encode(one).decode() for one in evidence]),
    )


async def taught(connection: Connection, limit: int = 2000) -> list[tuple[dict[str, int], bool]]:
    """What people decided on proposed pairs, the newest first: how each field agreed, and whether they were one."""
    cursor = await connection.execute(
        "SELECT evidence, decision = 'merge' FROM identity.decisions WHERE evidence IS NOT NULL ORDER BY number DESC LIMIT %s", (limit,)
    )
    return [(row[0], row[1]) for row in await cursor.fetchall()]


class Pair(NamedTuple):
    """Two customers that may be one person."""

    one: UUID
    other: UUID
    probability: float
    evidence: list[dict[str, Any]]
    found_at: datetime


_OPEN = """
    FROM identity.duplicates d
    WHERE EXISTS (SELECT 1 FROM identity.identifiers i WHERE i.customer_id = d.one)
    AND EXISTS (SELECT 1 FROM identity.identifiers i WHERE i.customer_id = d.other)
    AND NOT EXISTS (
        SELECT 1 FROM identity.identifiers i JOIN identity.walls w ON w.identifier = i.identifier
        JOIN identity.walls v ON v.wall = w.wall AND v.side <> w.side JOIN identity.identifiers j ON j.identifier = v.identifier
        WHERE i.customer_id = d.one AND j.customer_id = d.other)
"""
"""Those that nobody decided about: neither is another by now, and nobody keeps them apart."""


async def page(connection: Connection, limit: int, after: tuple[float, UUID, UUID] | None = None) -> list[Pair]:
    """Pairs that wait, the most probable first."""
    place = " AND (-d.probability, d.one, d.other) > (%s, %s, %s)" if after else ""
    values = (-after[0], after[1], after[2]) if after else ()
    cursor = await connection.execute(
        f"SELECT d.one, d.other, d.probability, d.evidence, d.found_at {_OPEN}{place} ORDER BY -d.probability, d.one, d.other LIMIT %s",
        (*values, limit),
    )
    return [Pair(*row) for row in await cursor.fetchall()]


async def one(connection: Connection, a: UUID, b: UUID) -> Pair | None:
    """A pair that waits."""
    cursor = await connection.execute(
        f"SELECT d.one, d.other, d.probability, d.evidence, d.found_at {_OPEN} AND d.one = %s AND d.other = %s", (min(a, b), max(a, b))
    )
    row = await cursor.fetchone()
    return Pair(*row) if row else None


async def answered(connection: Connection, pair: Pair) -> None:
    """Somebody decided about the pair."""
    await connection.execute("DELETE FROM identity.duplicates WHERE one = %s AND other = %s", (pair.one, pair.other))


async def waiting(connection: Connection) -> int:
    """How many pairs wait, up to a thousand."""
    cursor = await connection.execute(f"SELECT count(*) FROM (SELECT 1 {_OPEN} LIMIT 1000) l")
    row = await cursor.fetchone()
    return int(row[0]) if row else 0
