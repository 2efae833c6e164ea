"""Which set of read models is in force: a rebuild fills the next one beside live traffic, then switches.

Reading order: live, called, outdated, mark.
"""

from typing import Any

from psycopg import AsyncConnection, sql

NUMBER = "SELECT number FROM streams.generation"
"""The number of the set in force, for statements that ask for more."""

FOLDS = 1
"""Raised when read models are to say something else of the same facts: a set that was made before then wants to be rebuilt."""


async def live(connection: AsyncConnection[Any]) -> str:
    """The schema in force."""
    row = await (await connection.execute(NUMBER)).fetchone()
    return called(row[0] if row else None)


def called(number: int | None) -> str:
    """The schema of a set; without a number of the first."""
    return f"read_{number or 1}"


async def outdated(connection: AsyncConnection[Any], schema: str) -> bool:
    """Whether a set was made by a release whose folds said something else; all have a mark but those from before there was any."""
    cursor = await connection.execute("SELECT obj_description(to_regnamespace(%s), 'pg_namespace')", (schema,))
    row = await cursor.fetchone()
    return row is not None and row[0] != _mark()


async def mark(connection: AsyncConnection[Any], schema: str) -> None:
    """A set is made by the folds of this release."""
    await connection.execute(sql.SQL("COMMENT ON SCHEMA {} IS {}").format(sql.Identifier(schema), sql.Literal(_mark())))


def _mark() -> str:
    return f"folds {FOLDS}"
