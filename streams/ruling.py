"""Tells every partition of `touchpoints` which rules of identity were published; `resolve` is under them from there on.

What is to be told is a row, written in the transaction of its decision. Telling it twice is telling it once: the record has the same id,
and a version that is not newer is ignored. Reading order: Ruling, copies.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

import msgspec
import psycopg
import structlog
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from aggregates.identity import Rules, publishing
from aggregates.log import Entry, Log, NotAcknowledged
from aggregates.sealing import Sealer, seal
from streams.broadcasting import keys
from streams.record import Connection

LOCK = 0x5255_4C45  # "RULE"
EVERY = 0.3

log = structlog.get_logger()


class Ruling:
    """One of the processes that could tell; `run` until cancelled."""

    name = "ruling"

    def __init__(
        self,
        pool: AsyncConnectionPool[Connection],
        publisher: Log,
        topic: str,
        partitions: Callable[[], Awaitable[int]],
        sealer: Sealer,
    ) -> None:
        self._pool, self._publisher, self._topic, self._partitions, self._sealer = pool, publisher, topic, partitions, sealer

    async def run(self) -> None:
        """Tell whatever there is to tell, for as long as the process lives; what is away comes back."""
        while True:
            try:
                await self.forward()
            except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout, NotAcknowledged, OSError) as error:
                log.warning("ruling_waits", error=type(error).__name__)
            await asyncio.sleep(EVERY)

    async def forward(self) -> int:
        """Tell what was not told yet, version by version; how many."""
        waiting = "SELECT version, document::text, at FROM identity.rule_sets WHERE NOT broadcast ORDER BY version"
        async with self._pool.connection() as connection:
            if not await (await connection.execute(waiting.encode())).fetchall():
                return 0
            row = await (await connection.execute("SELECT pg_try_advisory_xact_lock(%s)", (LOCK,))).fetchone()
            if not row or not row[0]:
                return 0
            rows = await (await connection.execute(waiting.encode())).fetchall()
            partitions = await self._partitions() if rows else 0
            for version, document, at in rows:
                rules = publishing.rules_of(msgspec.json.decode(document, type=publishing.Document), version, self._sealer.token)
                await self._publisher.publish(self._topic, copies(rules, at, partitions, self._sealer))
                await connection.execute("UPDATE identity.rule_sets SET broadcast = true WHERE version = %s", (version,))
        return len(rows)


def copies(rules: Rules, at: datetime, partitions: int, sealer: Sealer) -> list[Entry]:
    """The record, once for every partition."""
    _, value = seal(publishing.touchpoint(rules, at), sealer)
    return [(key.encode(), value, ()) for key in keys(partitions)]
