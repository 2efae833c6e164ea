"""Where every processor stands, to be compared with the ends of the topics: how far it is behind."""

from datetime import datetime
from typing import Any, NamedTuple

from psycopg import AsyncConnection

Connection = AsyncConnection[tuple[Any, ...]]


class Place(NamedTuple):
    """One processor in one partition of its topic."""

    processor: str
    partition: int
    topic: str
    next_offset: int
    newest: datetime | None  # recorded time of the newest record handled
    let_go: int  # records that the topic's retention took before they were read
    halted: bool  # it stands still until a person has helped


async def places(connection: Connection) -> list[Place]:
    """All of them."""
    cursor = await connection.execute(
        "SELECT processor, partition, topic, next_offset, newest, let_go, halted <> '' FROM streams.positions ORDER BY 1, 2"
    )
    return [Place(*row) for row in await cursor.fetchall()]
