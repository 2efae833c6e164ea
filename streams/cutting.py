"""Publishes what a percentile of a score means: quantiles of what customers were given last, once a day where anything asks for them.

Of all processes one does. What is published is a fact in every partition's log, so that a replay has the same meaning at the same place.
Reading order: Cutting, cut.
"""

import asyncio
from typing import Any

import psycopg
import structlog
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from aggregates.touchpoint import derive
from projections.declared.table import announce
from projections.value.given import SCORE as VALUE
from streams.in_force import QUANTILE
from streams.record import Connection

LOCK = 0x43555421  # "CUT!"
LOOK = 20.0
"""Seconds between two looks at whether a new rule or segment asks, or a day is over."""

PERCENTILES = tuple(range(1, 100))
_PLACES = [percentile / 100 for percentile in PERCENTILES]

_ASKED = """
    EXISTS (SELECT 1 FROM streams.in_force f WHERE f.state IN ('published', 'paused') AND f.text ~ ('percentile\\W+' || {name} || '\\M'))
    AND NOT EXISTS (SELECT 1 FROM streams.broadcasts b
                    WHERE b.type = %(type)s AND b.data ->> 'of' = {name} AND b.at > now() - interval '1 day')
"""

_DUE = f"SELECT d.id, d.name FROM churn.definitions d WHERE d.stands = 'in_force' AND {_ASKED.format(name='d.name')}"

_CUTS = """
    SELECT now()::text, percentile_disc(%s::float8[]) WITHIN GROUP (ORDER BY round(told::numeric, 6))
    FROM churn.states WHERE definition = %s AND told IS NOT NULL AND NOT replayed
"""

_VALUE_DUE = f"""
    SELECT {_ASKED.format(name="%(value)s")}
    AND NOT EXISTS (SELECT 1 FROM value.changes c LEFT JOIN value.sweeps s USING (partition)
                    WHERE s.partition IS NULL OR s.after IS NOT NULL)
"""
"""Values are given where somebody asks; a quantile waits until everybody has his."""

_VALUE_CUTS = """
    SELECT now()::text, percentile_disc(%s::float8[]) WITHIN GROUP (ORDER BY told) FROM value.states WHERE told IS NOT NULL
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
    cursor = await connection.execute(_DUE, {"type": QUANTILE})
    for definition, name in await cursor.fetchall():
        await _publish(connection, name, await connection.execute(_CUTS, (_PLACES, definition)))
    cursor = await connection.execute(_VALUE_DUE, {"type": QUANTILE, "value": VALUE})
    row = await cursor.fetchone()
    if row and row[0]:
        await _publish(connection, VALUE, await connection.execute(_VALUE_CUTS, (_PLACES,)))


async def _publish(connection: Connection, name: str, found: psycopg.AsyncCursor[tuple[Any, ...]]) -> None:
    row = await found.fetchone()
    if row is None or row[1] is None:
        return  # nobody was given a score yet
    at, cuts = row
    data = {"of": name, "cuts": {str(percentile): float(cut) for percentile, cut in zip(PERCENTILES, cuts, strict=True)}}
    await connection.execute(*announce(derive(QUANTILE, name, at), QUANTILE, data))
