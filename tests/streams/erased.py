"""Looks for what should be nowhere: in every column of every table of a database."""

from typing import Any

from psycopg import AsyncConnection


async def traces(connection: AsyncConnection[tuple[Any, ...]], mark: str) -> list[str]:
    """The tables in which a text is, in whatever column: as text, in JSON, or as bytes."""
    cursor = await connection.execute(
        "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg_toast%'"
        " ORDER BY 1"
    )
    found = []
    for (table,) in await cursor.fetchall():
        cursor = await connection.execute(
            f"SELECT 1 FROM {table} AS t WHERE t::text ILIKE %s OR t::text ILIKE %s LIMIT 1", (f"%{mark}%", f"%{mark.encode().hex()}%")
        )
        if await cursor.fetchone():
            found.append(table)
    return found
