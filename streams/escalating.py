"""Acts when time alone changes a service request: what was promised is broken, what is late goes up. One process at a time does it.

Each finding is a decision like any other, made on the newest state; who comes too late finds nothing to decide. Reading order: Escalating.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
import structlog
from psycopg import AsyncConnection

from aggregates.decision import Decisions, Overtaken
from aggregates.service_request.deciding import overdue
from aggregates.service_request.recording import record_of
from aggregates.service_request.request import evolve
from projections.service import table
from streams.record import Connection

LOCK = 0x45534341  # "ESCA"
LOOK = 2.0
AT_ONCE = 100

log = structlog.get_logger()


class Escalating:
    """One of the processes that could; `run` until cancelled."""

    name = "escalating"

    def __init__(self, decisions: Decisions, sealer: Any, *, dsn: str, clock: Callable[[], datetime]) -> None:
        self._decisions, self._sealer, self._dsn, self._clock = decisions, sealer, dsn, clock

    async def run(self) -> None:
        """Look every two seconds, for as long as the process lives; what is away comes back."""
        while True:
            try:
                async with await AsyncConnection.connect(self._dsn, autocommit=True, application_name="yekta-escalating") as connection:
                    await self._look(connection)
            except psycopg.OperationalError as error:
                log.warning("escalating_waits", error=type(error).__name__)
                await asyncio.sleep(LOOK)

    async def _look(self, connection: Connection) -> None:
        while True:
            row = await (await connection.execute("SELECT pg_try_advisory_lock(%s)", (LOCK,))).fetchone()
            if row and row[0]:
                while await self.act(connection):
                    pass
            await asyncio.sleep(LOOK)

    async def act(self, connection: Connection) -> int:
        """Decide about everything that is late now; how many requests that were."""
        late: Sequence[UUID] = await table.late(connection, self._clock(), AT_ONCE)
        for id_ in late:
            await self._decide(connection, id_)
        return len(late)

    async def _decide(self, connection: Connection, id_: UUID) -> None:
        row = await table.load(connection, id_)
        if row is None:
            return  # its customer was erased in this very moment
        events = overdue(row.request, self._clock())
        now = row.request
        for event in events:
            now = evolve(now, event)
        decisions, changed = record_of(self._sealer, [(row.request, now, events)])
        also = [table.put(request, decider) for request, decider in changed]
        try:
            if decisions:
                await self._decisions.record(decisions, [*also, table.TOLD])
        except Overtaken:
            return  # somebody acted: the next look finds what is left to do
