"""Which set of read models is in force: a rebuild fills the next one beside live traffic, then switches."""

from typing import Any

from psycopg import AsyncConnection


async def live(connection: AsyncConnection[Any]) -> str:
    """The schema in force."""
    row = await (await connection.execute("SELECT number FROM streams.generation")).fetchone()
    return f"read_{row[0] if row else 1}"
