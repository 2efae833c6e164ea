"""Publishes what a percentile of a score means: quantiles of what customers were given last, once a day where anything asks for them.

Of all processes one does. What is published is a fact in every partition's log, so that a replay has the same meaning at the same place.
Reading order: Cutting, cut.
"""

import asyncio

import psycopg
import structlog
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from aggregates.touchpoint import derive
from projections.declared.table import announce
from streams.in_force import QUANTILE
from streams.record import Connection

LOCK = 0x43555421  # "CUT!"
LOOK = 20.0
"""Seconds between two looks at whether a new rule or segment asks, or a day is over."""

PERCENTILES = tuple(range(1, 100))

_DUE = """
    SELECT d.id, d.name FROM churn.definitions d
    WHERE d.stands = 'in_force'
      AND EXISTS (SELECT 1 FROM streams.in_force f
                  WHERE f.state IN ('published', 'paused') AND f.text ~ ('percentile\\W+' || d.name || '\\M'))
      AND NOT EXISTS (SELECT 1 FROM streams.broadcasts b
                      WHERE b.type = %s AND b.data ->> 'of' = d.name AND b.at > now() - interval '1 day')
"""

_CUTS = """
    SELECT now()::text, percentile_disc(%s::float8[]) WITHIN GROUP (ORDER BY round(told::numeric, 6))
    FROM churn.states WHERE definition = %s AND told IS NOT NULL AND NOT replayed
"""

log = structlog.get_logger()


class Cutting:
    """One of the processes that could; `run` until cancelled."""

    name = "cutting"

    def __init__(self, pool: AsyncConnectionPool[Connection]) -> None:
        self._pool = pool

    async def run(self) -> None:
        """Go on for as long as the process lives."""
        while True:
            try:
                async with self._pool.connection() as connection:
                    await cut(connection)
            except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout) as error:
                log.warning("cutting_waits", error=type(error).__name__)
            await asyncio.sleep(LOOK)


async def cut(connection: Connection) -> None:
    """Publish the quantiles that are asked for and were not published for a day."""
    cursor = await connection.execute("SELECT pg_try_advisory_xact_lock(%s)", (LOCK,))
    row = await cursor.fetchone()
    if row is None or not row[0]:
        return
    cursor = await connection.execute(_DUE, (QUANTILE,))
    for definition, name in await cursor.fetchall():
        cursor = await connection.execute(_CUTS, ([percentile / 100 for percentile in PERCENTILES], definition))
        found = await cursor.fetchone()
        if found is None or found[1] is None:
            continue  # nobody was given a score yet
        at, cuts = found
        data = {"of": name, "cuts": {str(percentile): float(cut) for percentile, cut in zip(PERCENTILES, cuts, strict=True)}}
        await connection.execute(*announce(derive(QUANTILE, name, at), QUANTILE, data))
