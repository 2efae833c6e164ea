"""The table of published mappings (infra/migrations/0751_mappings.sql). Reading order: Published, latest, all_latest, inserted."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import class_row

Connection = AsyncConnection[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Published:
    """One version of a mapping."""

    name: str
    version: int
    text: str
    published: datetime
    by: str


async def latest(connection: Connection, name: str) -> Published | None:
    """The version in force."""
    async with connection.cursor(row_factory=class_row(Published)) as cursor:
        await cursor.execute(
            "SELECT name, version, text, published, by FROM letters.mappings WHERE name = %s ORDER BY version DESC LIMIT 1", (name,)
        )
        return await cursor.fetchone()


async def all_latest(connection: Connection) -> list[Published]:
    """Every mapping in its version in force, by name."""
    async with connection.cursor(row_factory=class_row(Published)) as cursor:
        await cursor.execute(
            "SELECT DISTINCT ON (name) name, version, text, published, by FROM letters.mappings ORDER BY name, version DESC"
        )
        return await cursor.fetchall()


def inserted(one: Published) -> tuple[str, tuple[Any, ...]]:
    """The statement that adds a version, and its values: for the transaction of the decision."""
    return (
        "INSERT INTO letters.mappings (name, version, text, published, by) VALUES (%s, %s, %s, %s, %s)",
        (one.name, one.version, one.text, one.published, one.by),
    )
