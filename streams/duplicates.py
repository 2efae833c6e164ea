"""Keeps possible duplicates up as customers change: marks who changed, then compares the changed few with those who share a key.

Marking is a part of the customer's transaction and costs a row; comparing is slow work beside it, one process at a time.
Reading order: Changed, Comparing, compare.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from time import monotonic
from typing import Any
from uuid import UUID

import psycopg
import structlog
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from aggregates.identity import Rules
from aggregates.matching import customers as matching
from aggregates.matching.weights import Weights
from aggregates.sealing import Sealer
from aggregates.wire import CustomerEvent
from projections import generation
from projections.accounts import table as accounts
from projections.duplicates import table
from projections.duplicates import weights as learned
from projections.duplicates.record import record
from projections.identity import ruling
from projections.view import table as views
from projections.view.state import State
from projections.view.traits import TELLING
from streams.parts import Forgetful, Heard, Moment
from streams.record import Connection, Effect

LOCK = 0x4455_504C  # "DUPL"
EVERY = 1.0
AT_ONCE = 50
MOST = 5_000
RESTS = 10.0
"""So much longer than it works it rests: customers' facts come first, and they are folded in the same process. With 4 and two workers it
had a third of a core under load, and one event in a hundred took half as long again to be seen."""


log = structlog.get_logger()


class Changed(Forgetful):
    """The part that marks whose names and the like changed."""

    name = "duplicates"

    def wants(self, partition: int, event: CustomerEvent) -> bool:
        """What tells traits."""
        return event.type in TELLING

    async def told(self, moment: Moment, heard: Sequence[Heard]) -> list[Effect]:
        """Traits were told of these."""
        await self._mark(moment, [UUID(one.customer) for one in heard if one.customer])
        return []

    async def refolded(self, moment: Moment, customers: Mapping[UUID, Any]) -> list[Effect]:
        """Rows came to these, or went."""
        await self._mark(moment, list(customers))
        return []

    async def _mark(self, moment: Moment, customers: Sequence[UUID]) -> None:
        if customers:
            await table.due(moment.connection, customers)


class Comparing:
    """One of the processes that could compare; `run` until cancelled."""

    name = "comparing"

    def __init__(self, pool: AsyncConnectionPool[Connection], sealer: Sealer) -> None:
        self._pool, self._sealer = pool, sealer

    async def run(self) -> None:
        """Compare whoever changed, for as long as the process lives; what is away comes back."""
        while True:
            done, begin = 0, monotonic()
            try:
                done = await self.forward()
            except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout, OSError) as error:
                log.warning("comparing_waits", error=type(error).__name__)
            await asyncio.sleep(RESTS * (monotonic() - begin) if done else EVERY)

    async def forward(self) -> int:
        """Compare some of those who changed; how many."""
        async with self._pool.connection() as connection:
            row = await (await connection.execute("SELECT pg_try_advisory_xact_lock(%s)", (LOCK,))).fetchone()
            if not row or not row[0]:
                return 0
            changed = await table.changed(connection, AT_ONCE)
            if changed:
                await compare(connection, self._sealer, list(changed))
                await table.compared(connection, changed)
            return len(changed)


async def compare(connection: Connection, sealer: Sealer, changed: Sequence[UUID]) -> None:
    """Look these up anew, and propose whom they may be one with. What only computes does so in a thread: the lanes go on."""
    schema = await generation.live(connection)
    states = await views.load(connection, schema, changed)
    rules = await ruling.in_force(connection, sealer)
    mine, keys, counted, homes = await asyncio.to_thread(looked_up, states, changed, sealer, rules)
    await table.look_up(connection, {id_: [*keys[id_], *counted.get(id_, ())] for id_ in changed})
    await accounts.lives_at(connection, homes)
    pairs = await table.partners(connection, keys, matching.LARGEST, MOST)
    if not pairs:
        return
    states = await views.load(connection, schema, {id_ for pair in pairs for id_ in pair} - mine.keys())
    all_ = mine | await asyncio.to_thread(lambda: {id_: record(state, rules) for id_, state in states.items()})
    digests = await asyncio.to_thread(hashed, all_.values(), sealer)
    holders = await table.holders(connection, list(digests.values()))
    weights = await learned.in_force(connection)
    found = await asyncio.to_thread(_proposals, all_, pairs, lambda value: holders.get(digests.get(value, b""), 1), weights)
    await table.propose(connection, found)


LookedUp = tuple[dict[UUID, matching.Record], dict[UUID, list[bytes]], dict[UUID, list[bytes]], dict[UUID, bytes | None]]


def looked_up(states: Mapping[UUID, State], changed: Sequence[UUID], sealer: Sealer, rules: Rules) -> LookedUp:
    """What is compared of these customers, by what they are looked up and counted, and where they live."""
    mine = {id_: record(state, rules) for id_, state in states.items()}
    keys = {id_: [sealer.digest("block", key.encode()) for key in matching.keys(mine[id_])] if id_ in mine else [] for id_ in changed}
    counted = {id_: [sealer.digest("block", value.encode()) for value in matching.values(one)] for id_, one in mine.items()}
    homes = {id_: matching.address(mine[id_]) if id_ in mine else "" for id_ in changed}
    return mine, keys, counted, {id_: sealer.digest("block", f"@{home}".encode()) if home else None for id_, home in homes.items()}


def hashed(records: Iterable[matching.Record], sealer: Sealer) -> dict[str, bytes]:
    """All values of these records, as customers are counted by them."""
    values = {value for one in records for value in matching.values(one)}
    return {value: sealer.digest("block", value.encode()) for value in values}


def _proposals(
    records: Mapping[UUID, matching.Record], pairs: Sequence[tuple[UUID, UUID]], holders: Callable[[str], int], weights: Weights
) -> list[tuple[UUID, UUID, float, list[dict[str, Any]]]]:
    """Those of these pairs that a person is to look at."""
    pairs = [pair for pair in pairs if pair[0] in records and pair[1] in records]
    found = matching.judged(records, pairs, holders, weights)
    return [
        (one.one, one.other, one.probability, [part._asdict() for part in one.evidence])
        for one in found
        if one.probability >= matching.PROPOSED
    ]
