"""Lets the doors of one installation hold a source's rate together: each tells the others, once a second, what it took.

A source may overdraw its rate by what the doors take in a second; then all of them make it wait. While PostgreSQL is away each door counts
for itself. Reading order: Sharing.
"""

import asyncio
from uuid import UUID, uuid4

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from api.limits import Limits
from api.ports import Pool

EVERY = 1.0
GONE = "1 hour"
"""A door that has told nothing for so long has ended."""

log = structlog.get_logger(__name__)


class Sharing:
    """One door's part in it."""

    def __init__(self, limits: Limits, pool: Pool) -> None:
        self._limits, self._pool, self._door = limits, pool, uuid4()
        self._told: dict[str, int] = {}
        self._heard: dict[tuple[str, UUID], int] = {}

    async def run(self) -> None:
        """Tell and hear, until cancelled."""
        while True:
            await asyncio.sleep(EVERY)
            try:
                await self.once()
            except (psycopg.Error, PoolTimeout) as error:
                log.warning("rates_not_shared", error=type(error).__name__)

    async def once(self) -> None:
        """Tell what was taken since the last time, and charge what others took of the same sources."""
        taken = dict(self._limits.taken)
        if not taken:
            return
        news = {name: events for name, events in taken.items() if events != self._told.get(name)}
        async with self._pool.connection() as connection:
            if news:
                await connection.execute(
                    "INSERT INTO sources.taken (source, door, events) SELECT s, %s, e FROM unnest(%s::text[], %s::bigint[]) n (s, e)"
                    " ON CONFLICT (source, door) DO UPDATE SET events = excluded.events, at = now()",
                    (self._door, list(news), list(news.values())),
                )
                await connection.execute("DELETE FROM sources.taken WHERE at < now() - %s::interval", (GONE,))
            cursor = await connection.execute(
                "SELECT source, door, events, at > now() - interval '1 minute' FROM sources.taken WHERE source = ANY(%s) AND door <> %s",
                (list(taken), self._door),
            )
            rows = await cursor.fetchall()
        self._told |= news
        for name, door, events, lately in rows:
            before = self._heard.get((name, door), 0 if lately else events)
            self._heard[name, door] = events
            self._limits.others(name, max(0, events - before))
