"""Signals after a place, in the order in which they were given: each partition has one writer, so its numbers only grow.

A signal that is withdrawn comes again, with a new number. Reading order: ends, newest, since.
"""

from collections.abc import Mapping
from typing import Any

from psycopg import AsyncConnection

from projections.triggers.table import Given

Connection = AsyncConnection[tuple[Any, ...]]


async def ends(connection: Connection) -> dict[int, int]:
    """The last number of each partition."""
    cursor = await connection.execute("SELECT partition, max(seq) FROM signals.given GROUP BY partition")
    return dict(await cursor.fetchall())


async def newest(connection: Connection) -> int:
    """The last number that was ever given, also of what has been erased since."""
    cursor = await connection.execute("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM signals.given_seq_seq")
    row = await cursor.fetchone()
    assert row is not None  # noqa: S101 - a sequence is one row
    return int(row[0])


async def since(connection: Connection, after: Mapping[int, int], limit: int) -> list[tuple[int, int, Given]]:
    """The next signals of all partitions, with their partition and number."""
    cursor = await connection.execute(
        f"SELECT g.partition, g.seq, {', '.join(f'g.{name}' for name in Given._fields)} FROM signals.given g"
        " LEFT JOIN unnest(%s::int[], %s::bigint[]) seen (partition, seq) ON seen.partition = g.partition"
        " WHERE g.seq > %s AND g.seq > COALESCE(seen.seq, 0) ORDER BY g.seq LIMIT %s",
        (list(after), list(after.values()), 0, limit),
    )
    return [(partition, seq, Given(*row)) for partition, seq, *row in await cursor.fetchall()]
