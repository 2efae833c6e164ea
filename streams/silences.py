"""Tells `signals` of contacts that became silent as they were to leave: that was outside their customers' transactions, whose outbox
tells of all else.

The decision itself remembers that it is untold until Kafka has the record; who dies in between tells it again under the same id, and one
process at a time tells. Reading order: Silences.
"""

import asyncio
from dataclasses import replace

import psycopg
import structlog
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from aggregates.contact_policy.candidate import Outcome
from aggregates.log import Log, NotAcknowledged
from projections.contacts import table
from projections.contacts.table import Untold
from streams.contacting import said
from streams.record import Connection, Publication

LOCK = 0x53494C45  # "SILE"
AT_ONCE = 200
EVERY = 1.0

log = structlog.get_logger()


class Silences:
    """One of the processes that could tell; `run` until cancelled."""

    def __init__(self, pool: AsyncConnectionPool[Connection], publisher: Log, prefix: str) -> None:
        self._pool, self._publisher, self._prefix = pool, publisher, prefix

    async def run(self) -> None:
        """Tell for as long as the process lives."""
        while True:
            try:
                while await self.tell() == AT_ONCE:
                    pass
            except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout, NotAcknowledged) as passing:
                log.warning("silences wait", reason=type(passing).__name__)
            await asyncio.sleep(EVERY)

    async def tell(self) -> int:
        """Tell what is untold, if nobody else does; how much it was."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute("SELECT pg_try_advisory_xact_lock(%s)", (LOCK,))
            if await cursor.fetchone() != (True,):
                return 0
            found = await table.untold(connection, AT_ONCE)
            if found:
                records = [_record(one) for one in found]
                await self._publisher.publish(self._prefix + records[0].topic, [(one.key, one.value, one.headers) for one in records])
                await table.told(connection, found)
            return len(found)


def _record(silence: Untold) -> Publication:
    candidate = replace(silence.want.candidate, customer=silence.customer)
    return said(silence.want, Outcome(candidate, "silent", silence.at, reason=silence.reason))
