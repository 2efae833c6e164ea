"""Learns from customers, without labels, by which weights possible duplicates are judged, when there are many more of them than before.

Off the path of events: of all processes one does, where everybody who changed was compared, and what computes does so in a process of its
own. What was learned is a decision, a version; then everybody is compared by it, few at a time. Reading order: Estimating, seen.
"""

import asyncio
import os
import signal
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from datetime import datetime
from multiprocessing import get_context
from typing import NamedTuple
from uuid import UUID

import psycopg
import structlog
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from aggregates.decision import Decisions, Overtaken
from aggregates.matching import customers as matching
from aggregates.matching import published
from aggregates.matching.estimating import Seen, estimated
from aggregates.matching.weights import Weights
from aggregates.sealing import Sealer
from projections import generation
from projections.duplicates import table, weights
from projections.duplicates.record import record
from projections.identity import ruling
from projections.view import table as views
from streams.duplicates import LOCK, hashed, looked_up
from streams.ending import end_with
from streams.record import Connection

LOOK = 30.0
SWEPT = 500
CUSTOMERS, PAIRS = 4_000, 40_000
"""So many customers are looked at, with all whom they meet, or until so many pairs were met."""

AT_ONCE = 200

log = structlog.get_logger()


class Material(NamedTuple):
    """What is learned from, and how many customers have each value."""

    seen: Seen
    holders: dict[str, int]


class Estimating:
    """One of the processes that could learn; `run` until cancelled."""

    name = "estimating"

    def __init__(
        self,
        pool: AsyncConnectionPool[Connection],
        sealer: Sealer,
        decisions: Decisions,
        clock: Callable[[], datetime],
        learn: Callable[[Material], Weights | None] | None = None,
    ) -> None:
        self._pool, self._sealer, self._decisions, self._clock, self._learn = pool, sealer, decisions, clock, learn
        self._taught_nothing = 0  # so many customers did

    async def run(self) -> None:
        """Look whether there is more to learn from, for as long as the process lives; what is away comes back."""
        while True:
            done = False
            try:
                done = await self.forward()
            except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout, OSError, BrokenExecutor) as error:
                log.warning("estimating_waits", error=type(error).__name__)
            await asyncio.sleep(1.0 if done else LOOK)

    async def forward(self) -> bool:
        """Go on with what is to be compared anew, or learn; whether anything was done."""
        async with self._pool.connection() as connection:
            # the lock of those who compare: while it is held nobody's keys change
            row = await (await connection.execute("SELECT pg_try_advisory_xact_lock(%s)", (LOCK,))).fetchone()
            if not row or not row[0]:
                return False
            if await weights.sweep(connection, SWEPT):
                return True
            due = await weights.due(connection)
            if due is None or due.customers < weights.GROWN * self._taught_nothing:
                return False
            material = await seen(connection, self._sealer, due.customers)
        found = await self._learned(material)
        if found is None:
            self._taught_nothing = due.customers
            return False
        told = published.learned(found, material.seen, due.version, self._clock())
        try:
            await self._decisions.record([published.decision(told)], weights.keep(told))
        except Overtaken:
            return False
        log.info("weights_learned", version=told.version, customers=told.customers, pairs=told.pairs)
        return True

    async def _learned(self, material: Material) -> Weights | None:
        if self._learn is not None:
            return self._learn(material)
        with apart() as beside:
            return await asyncio.get_running_loop().run_in_executor(beside, learn, material)


def apart() -> ProcessPoolExecutor:
    """A process to compute in. It ends with this one, however this one ends: else it would wait for its next work for ever."""
    return ProcessPoolExecutor(1, get_context("spawn"), initializer=end_with, initargs=(os.getpid(), int(signal.SIGKILL)))


def learn(material: Material) -> Weights | None:
    """The weights that these teach."""
    return estimated(material.seen, lambda value: material.holders.get(value, 1))


async def seen(connection: Connection, sealer: Sealer, customers: int) -> Material:
    """Some customers and whom they meet by a key. Each pair has the same chance to be among them, however alike the two are."""
    schema, rules = await generation.live(connection), await ruling.in_force(connection, sealer)
    records: dict[UUID, matching.Record] = {}
    pairs: set[tuple[UUID, UUID]] = set()
    first, last = 0, None
    while first < CUSTOMERS and len(pairs) < PAIRS:
        them = await weights.some(connection, last, AT_ONCE)
        if not them:
            break
        first, last = first + len(them), them[-1]
        states = await views.load(connection, schema, them)
        mine, keys, _, _ = await asyncio.to_thread(looked_up, states, them, sealer, rules)
        records |= mine
        pairs.update(await table.partners(connection, keys, matching.LARGEST, PAIRS))
    others = {id_ for pair in pairs for id_ in pair} - records.keys()
    records |= {id_: record(state, rules) for id_, state in (await views.load(connection, schema, others)).items()}
    met = sorted(pair for pair in pairs if pair[0] in records and pair[1] in records)
    values = await asyncio.to_thread(hashed, records.values(), sealer)
    counted = await table.holders(connection, list(values.values()))
    part = 1.0 - (1.0 - min(first / max(customers, 1), 1.0)) ** 2
    return Material(Seen(records, met, customers, part), {value: counted.get(digest, 1) for value, digest in values.items()})
