"""Makes the schemas that read models live in: `read_<n>`, one of which is in force.

A rebuild fills the next one beside the live one and switches in one transaction. Reading order: create, ensure, switch.
"""

from pathlib import Path
from typing import Any

from psycopg import AsyncConnection, sql

import projections
from projections import generation

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


async def switch(connection: Connection, number: int) -> None:
    """Put another generation in force; the caller holds the live positions."""
    await connection.execute("UPDATE streams.generation SET number = %s", (number,))
    await connection.execute("SELECT pg_notify('yekta_changed', 'generation')")
