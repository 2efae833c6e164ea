"""Tells every partition of `customer-events` what is in force for everybody: rules, the contact policy, quantiles.

What is to be told is a row, written in the transaction of its decision (`projections.declared.table.announce`). One process at a time
publishes rows in their order, a copy into each partition, and marks them when the log has acknowledged. Who dies in between tells some
again: listeners go by the number of the decision. Reading order: Broadcasting, copies.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from functools import lru_cache
from itertools import count
from typing import Any
from uuid import UUID

import psycopg
import structlog
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from aggregates.log import Entry, Log, NotAcknowledged
from aggregates.partition import partition_of
from streams.record import Connection
from streams.words import DECIDER, told

LOCK = 0x42524F41  # "BROA"
EVERY = 0.2
"""Seconds between two looks: whoever publishes a rule waits for it."""

AT_ONCE = 50

log = structlog.get_logger()


class Broadcasting:
    """One of the processes that could tell; `run` until cancelled."""

    name = "broadcasting"

    def __init__(self, pool: AsyncConnectionPool[Connection], publisher: Log, topic: str, partitions: Callable[[], Awaitable[int]]) -> None:
        self._pool, self._publisher, self._topic, self._partitions = pool, publisher, topic, partitions

    async def run(self) -> None:
        """Tell whatever there is to tell, for as long as the process lives; what is away comes back."""
        while True:
            try:
                while await self.forward():
                    pass
            except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout, NotAcknowledged, OSError) as error:
                log.warning("broadcasting_waits", error=type(error).__name__)
            await asyncio.sleep(EVERY)

    async def forward(self) -> bool:
        """Tell the next rows; False when there is none, or another process tells."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT number, id, type, data, at FROM streams.broadcasts WHERE told IS NULL ORDER BY number LIMIT %s", (AT_ONCE,)
            )
            if not await cursor.fetchall():
                return False
            cursor = await connection.execute("SELECT pg_try_advisory_xact_lock(%s)", (LOCK,))
            row = await cursor.fetchone()
            if not row or not row[0]:
                return False
            cursor = await connection.execute(  # again, behind the lock
                "SELECT number, id, type, data, at FROM streams.broadcasts WHERE told IS NULL ORDER BY number LIMIT %s", (AT_ONCE,)
            )
            rows = await cursor.fetchall()
            partitions = await self._partitions()
            for number, id_, type_, data, at in rows:
                await self._publisher.publish(self._topic, copies(id_, type_, data, at, partitions))
                await connection.execute("UPDATE streams.broadcasts SET told = now() WHERE number = %s", (number,))
        return bool(rows)


def copies(id_: UUID, type_: str, data: Mapping[str, Any], at: datetime, partitions: int) -> list[Entry]:
    """The record, once for every partition."""
    made = [told(DECIDER, type_, "", id_, data, at, key) for key in keys(partitions)]
    return [(one.key, one.value, one.headers) for one in made]


@lru_cache(8)
def keys(partitions: int) -> tuple[str, ...]:
    """For each partition a key that leads there."""
    found: dict[int, str] = {}
    for number in count():
        key = f"yekta:{number}"
        found.setdefault(partition_of(key.encode(), partitions), key)
        if len(found) == partitions:
            return tuple(found[partition] for partition in range(partitions))
    raise AssertionError("there is a key for every partition")
