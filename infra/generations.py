"""Makes the schemas that read models live in: `read_<n>`, one of which is in force.

A rebuild fills the next one beside the live one and switches in one transaction. Reading order: create, ensure, switch,
`_tell_owners`, `_bring_home`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection, sql

import projections
from projections import generation
from projections.value import table as values

Connection = AsyncConnection[tuple[Any, ...]]

ROOM = Path(projections.__file__).parent


def tables() -> list[Path]:
    """The SQL of every read model, one file a folder of `projections`."""
    return sorted(ROOM.glob("*/tables.sql"))


async def create(connection: Connection, schema: str) -> None:
    """Make an empty set of read models."""
    await connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
    for file in tables():
        await connection.execute(file.read_text().replace("{schema}", schema).encode())
    await generation.mark(connection, schema)


async def drop(connection: Connection, schema: str) -> None:
    """Remove a set of read models."""
    await connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema)))


async def ensure(connection: Connection) -> None:
    """After migrating: the schema in force exists."""
    async with connection.transaction():
        schema = await generation.live(connection)
        cursor = await connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (schema,))
        if await cursor.fetchone() is None:
            await create(connection, schema)


async def switch(connection: Connection, number: int, home: Callable[[UUID], int]) -> None:
    """Put another generation in force; the caller holds the live positions. `home`: the partition of a customer."""
    schema = f"read_{number}"
    await _tell_owners(connection, await generation.live(connection), schema, home)
    await _bring_home(connection, schema, home)
    await values.complete(connection, schema, home)
    await connection.execute("UPDATE streams.generation SET number = %s", (number,))
    await connection.execute("SELECT pg_notify('yekta_changed', 'generation')")


async def _tell_owners(connection: Connection, before: str, after: str, home: Callable[[UUID], int]) -> None:
    """Whose rows still were another's before has them now, and nobody hands them over any more: rules, segments, scores and values are to
    hear of them all the same. What was folded of long histories is in the new read models already."""
    await connection.execute("DELETE FROM streams.chores WHERE NOT whole")
    cursor = await connection.execute(
        f"SELECT DISTINCT i.customer_id FROM identity.moved m JOIN {before}.timeline t USING (customer_id)"
        " JOIN identity.identifiers i ON i.identifier = t.decider WHERE i.customer_id <> t.customer_id"
    )
    owners = [row[0] for row in await cursor.fetchall()]
    await connection.execute(
        "INSERT INTO streams.chores (partition, customer_id, chore, schema, whole, asked_offset, asked_at)"
        " SELECT partition, customer_id, 'refold', %s, true, 0, now() FROM unnest(%s::smallint[], %s::uuid[]) AS o(partition, customer_id)"
        " ON CONFLICT (partition, customer_id, chore)"
        " DO UPDATE SET schema = excluded.schema, whole = true, after_at = NULL, state = NULL, parts = NULL",
        (after, [home(owner) for owner in owners], owners),
    )


async def _bring_home(connection: Connection, schema: str, home: Callable[[UUID], int]) -> None:
    """Views that were folded last from a record of another's partition are their own partition's again: it goes through its customers."""
    cursor = await connection.execute(
        f"SELECT customer_id, log_partition FROM {schema}.view WHERE customer_id IN (SELECT owner FROM identity.moves)"
    )
    strayed = [(customer, at) for customer, partition in await cursor.fetchall() if (at := home(customer)) != partition]
    await connection.execute(
        f"UPDATE {schema}.view v SET log_partition = o.partition, log_offset = 0"
        " FROM unnest(%s::uuid[], %s::smallint[]) AS o(customer_id, partition) WHERE v.customer_id = o.customer_id",
        ([customer for customer, _ in strayed], [at for _, at in strayed]),
    )
