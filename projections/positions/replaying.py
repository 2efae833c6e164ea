"""How far sources are that replay their own time: the latest that they sent of anybody."""

from datetime import datetime
from typing import Any

from psycopg import AsyncConnection


async def latest(connection: AsyncConnection[tuple[Any, ...]]) -> datetime | None:
    """The latest time that one of them told and that is believed; None where none sends."""
    row = await (await connection.execute("SELECT max(now) FROM streams.clocks")).fetchone()
    return row[0] if row else None
