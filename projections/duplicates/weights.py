"""The SQL of what agreements say: when it is learned again, from whom, and the versions. Reading order: due, some, newest, in_force, keep,
sweep."""

from typing import Any, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection

from aggregates.decision import Also
from aggregates.matching import customers as matching
from aggregates.matching import published
from aggregates.matching.published import Learned
from aggregates.matching.weights import Weights
from projections.duplicates import table

Connection = AsyncConnection[tuple[Any, ...]]

FEWEST = 100
"""Customers from whom something is learned."""

GROWN = 1.5
"""So many times as many customers as the weights were learned of, and they are learned again."""

COUNTED = 5_000
"""Of so many customers as are wanted at least about this many are counted, and the others taken to be as many: ids are hashes."""

CALM = 200
"""Customers who changed and were not compared yet: while there are more, it is not known by what they are found."""


class Due(NamedTuple):
    """Weights are to be learned."""

    version: int
    customers: int


async def due(connection: Connection) -> Due | None:
    """The version that is to be learned now; none while the newest is of about as many customers, and of this month."""
    cursor = await connection.execute(
        "WITH newest AS (SELECT version, customers, at FROM identity.weights ORDER BY version DESC LIMIT 1)"
        " SELECT (SELECT count(*) FROM (SELECT 1 FROM identity.due LIMIT %s) l), (SELECT version FROM newest),"
        " (SELECT customers FROM newest), (SELECT at < now() - interval '30 days' FROM newest)",
        (CALM + 1,),
    )
    row = await cursor.fetchone()
    assert row is not None  # noqa: S101 - an aggregate has a row
    waiting, version, learned_of, old = row
    if waiting > CALM:
        return None
    least = FEWEST if version is None or old else max(FEWEST, int(GROWN * learned_of))
    share = min(1.0, COUNTED / least)
    cursor = await connection.execute(
        "SELECT count(*) FROM (SELECT DISTINCT customer_id FROM identity.blocks WHERE customer_id <= %s) l",
        (UUID(int=min(int(share * (1 << 128)), (1 << 128) - 1)),),
    )
    row = await cursor.fetchone()
    customers = round(row[0] / share) if row else 0
    return Due((version or 0) + 1, customers) if customers >= least else None


async def some(connection: Connection, after: UUID | None, limit: int) -> list[UUID]:
    """The next customers who are looked up by something. Ids are hashes, so whoever comes first is anybody."""
    cursor = await connection.execute(
        "SELECT DISTINCT customer_id FROM identity.blocks WHERE customer_id > %s ORDER BY 1 LIMIT %s", (after or UUID(int=0), limit)
    )
    return [row[0] for row in await cursor.fetchall()]


async def newest(connection: Connection) -> Learned | None:
    """The weights that hold; none before any were learned."""
    cursor = await connection.execute("SELECT document::text FROM identity.weights ORDER BY version DESC LIMIT 1")
    row = await cursor.fetchone()
    return published.decoder.decode(row[0]) if row else None


async def in_force(connection: Connection) -> Weights:
    """The weights that were learned last, or the first beliefs, after what people decided."""
    told = await newest(connection)
    first = published.weights_of(told) if told else None
    return matching.taught(await table.taught(connection), matching.begin() if first is None else first)


def keep(told: Learned) -> list[Also]:
    """What goes with the decision: the version."""
    document = published.decision(told).state.decode()
    statement = "INSERT INTO identity.weights (version, customers, document, at) VALUES (%s, %s, %s, %s)"
    return [(statement, (told.version, told.customers, document, told.at))]


async def sweep(connection: Connection, limit: int) -> int:
    """Have the next of those be compared anew who were compared by older weights; how many. Few at a time: whoever changes comes first."""
    cursor = await connection.execute(
        "SELECT version, swept FROM identity.weights WHERE NOT over AND version = (SELECT max(version) FROM identity.weights)"
        " AND (SELECT count(*) FROM (SELECT 1 FROM identity.due LIMIT %(calm)s) l) < %(calm)s",
        {"calm": CALM},
    )
    row = await cursor.fetchone()
    if row is None:
        return 0
    version, swept = row
    them = await some(connection, swept, limit)
    await table.due(connection, them)
    await connection.execute(
        "UPDATE identity.weights SET swept = coalesce(%s, swept), over = %s WHERE version = %s",
        (them[-1] if them else None, len(them) < limit, version),
    )
    return len(them)
