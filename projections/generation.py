"""Which set of read models is in force: a rebuild fills the next one beside live traffic, then switches."""

from typing import Any

from psycopg import AsyncConnection

NUMBER = "SELECT number FROM streams.generation"
"""The number of the set in force, for statements that ask for more."""


async def live(connection: AsyncConnection[Any]) -> str:
    """The schema in force."""
    row = await (await connection.execute(NUMBER)).fetchone()
    return called(row[0] if row else None)


def called(number: int | None) -> str:
    """The schema of a set; without a number of the first."""
    return f"read_{number or 1}"
