"""How often workers ended because their Kafka client hung: who ends can be asked nothing any more. Reading order: add, counted."""

from collections.abc import Sequence
from typing import Any

from psycopg import AsyncConnection

from projections.rows import Connection


async def add(connection: Connection, places: Sequence[tuple[str, int]]) -> None:
    """One more time for each of these."""
    await connection.cursor().executemany(
        "INSERT INTO streams.stalls AS known (processor, partition) VALUES (%s, %s)"
        " ON CONFLICT (processor, partition) DO UPDATE SET times = known.times + 1, last_at = now()",
        places,
    )


async def counted(connection: AsyncConnection[tuple[Any, ...]]) -> dict[tuple[str, int], int]:
    """How often, by processor and partition."""
    cursor = await connection.execute("SELECT processor, partition, times FROM streams.stalls")
    return {(processor, partition): times for processor, partition, times in await cursor.fetchall()}
