"""What many timers cost: a million that wait cost the folding hop nothing; of a hundred thousand that are due at once nothing live starves.

The burst is real: so many customers cancelled an order, the rule misses a new one, and all their timers are due at the same time. They are
held at the start line by a lock on the row that says how far timers may go. Reading order: pending, Burst, burst.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import psycopg

from infra import database, waiting
from infra.bench import marketing, workers
from infra.bench.children import until
from infra.bench.feed import Feed, append
from infra.bench.ground import World, touchpoints
from infra.bench.living import Living
from infra.bench.visible import Seen, in_view, probing, sending
from infra.bench.workload import SITE, Mix
from projections.positions import table as positions

RULE = {
    "rule": "bench-burst",
    "when": {"after": "sales.order_cancelled", "absent": "sales.order_placed", "for": "1d"},
    "do": {"notify": "team:bench"},
}
RULES = 10
"""So many are in force while a million timers wait, some of which set timers of their own."""

TENTHS = 10
LOOK = 0.25
DUE_IN = timedelta(seconds=2)
STRIDE = 0.5
"""Seconds of load between two looks at whether the burst is over."""

SHARE = 0.25
"""Of the load that the installation keeps up with: what goes on arriving meanwhile."""


async def pending(world: World, timers: int) -> None:
    """Have so many timers wait in the world, none of which is due while it is measured."""
    async with await database.connect(world.endpoints.dsn) as connection:
        await connection.execute(
            "INSERT INTO streams.timers (customer_id, rule, version, partition, at)"
            " SELECT gen_random_uuid(), 'bench-pending', 1, number %% %s, now() + interval '1 day' + number * interval '1 second'"
            " FROM generate_series(1, %s) number",
            (world.partitions, timers),
        )
        await connection.commit()
    async with await database.connect(world.endpoints.dsn, autocommit=True) as connection:
        await connection.execute("VACUUM ANALYZE streams.timers")
        with suppress(psycopg.errors.InsufficientPrivilege):
            await connection.execute("CHECKPOINT")  # or a million rows are written to disk while something else is measured


@dataclass(frozen=True, slots=True)
class Burst:
    """How timers that were due at once went, and how long live events took meanwhile."""

    timers: int
    seconds: float
    tenths: Sequence[float]  # the share of the timers that went in each tenth of the time
    live: Seen


async def burst(here: Living, mix: Mix, timers: int, capacity: float) -> Burst:
    """Make so many timers due, let them go, and post and look meanwhile."""
    await marketing.publish(here.api, RULE)
    async with workers.watching(here.world) as connection:
        async with _held(here.world):
            await append(here.world, await (await Feed.of(here.world, _Cancelled())).take(timers))
            target = await waiting.ends(here.world.endpoints, touchpoints(here.world))
            await until("all is in the views", lambda: positions.reached(connection, target), here.workers)
        begin = time.perf_counter()
        gone = [(0.0, 0)]

        async def drain() -> None:
            while gone[-1][1] < timers:
                await asyncio.sleep(LOOK)
                cursor = await connection.execute("SELECT count(*) FROM signals.given WHERE rule = %s", (RULE["rule"],))
                row = await cursor.fetchone()
                gone.append((time.perf_counter() - begin, int(row[0]) if row else 0))

        async def load() -> float:
            rates = [await sending(here, mix, capacity * SHARE, STRIDE)]
            while not draining.done():
                rates.append(await sending(here, mix, capacity * SHARE, STRIDE))
            return sum(rates) / len(rates)

        draining = asyncio.create_task(drain())
        live = await probing(here, load(), "burst", in_view)
        await draining
    return Burst(timers, gone[-1][0], tenths(gone), live)


def tenths(gone: Sequence[tuple[float, int]]) -> list[float]:
    """The share that went in each tenth of the time; between two looks as if evenly."""
    end, most = gone[-1]

    def by(at: float) -> float:
        for (before, few), (after, many) in pairwise(gone):
            if after >= at:
                return few + (many - few) * (at - before) / (after - before)
        return most

    at = [by(end * tenth / TENTHS) / most for tenth in range(TENTHS + 1)]
    return [after - before for before, after in pairwise(at)]


@asynccontextmanager
async def _held(world: World) -> AsyncIterator[None]:
    """No timer goes."""
    async with await database.connect(world.endpoints.dsn, name="yekta-bench") as connection:
        await connection.execute("SELECT FROM streams.released FOR UPDATE")
        yield


class _Cancelled:
    """Customers who each cancelled an order at the same time: a moment from now, after the rule was published, a new one is missed."""

    def __init__(self) -> None:
        self._at = datetime.now(UTC) - timedelta(days=1) + DUE_IN
        self._number = 0

    def take(self, count: int) -> list[dict[str, Any]]:
        """The next so many."""
        return [self._next() for _ in range(count)]

    def _next(self) -> dict[str, Any]:
        self._number += 1
        id_ = f"burst-{self._number}"
        data = {"who": {"customer_number": id_}, "order_id": id_}
        at = self._at.isoformat()
        return {"specversion": "1.0", "id": id_, "source": SITE, "type": "sales.order_cancelled", "time": at, "data": data}
