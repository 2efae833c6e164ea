"""How long reading a view takes, against the least it could: the bare SELECT of its row, and a request over HTTP for nothing.

Reading order: Reads, read.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice

from psycopg import AsyncConnection

from infra.bench.client import Connection, check, get, percentile
from infra.bench.living import Living


@dataclass(frozen=True, slots=True)
class Latency:
    """How long some answers took, in milliseconds."""

    count: int
    p50: float
    p99: float


def latency(seconds: Sequence[float]) -> Latency:
    """Of answers that took so many seconds each."""
    return Latency(len(seconds), percentile(seconds, 50) * 1000, percentile(seconds, 99) * 1000)


@dataclass(frozen=True, slots=True)
class Reads:
    """The same customers, read in three ways."""

    view: Latency
    select: Latency
    nothing: Latency


async def read(here: Living, times: int) -> Reads:
    """A view through the API, the SELECT of its row and a request for nothing, one after the other, so many times."""
    views, selects, nothings = [], [], []
    ours, bare = await Connection.open(here.api.port), await Connection.open(here.bare.port)
    nothing = get("/nothing")
    async with await AsyncConnection.connect(here.world.endpoints.dsn, autocommit=True, prepare_threshold=1) as connection:
        for customer in islice(cycle(here.customers), times):
            views.append(await _timed(ours, get(f"/v1/customers/{customer}", here.api.staff_token)))
            begin = time.perf_counter()
            cursor = await connection.execute("SELECT * FROM read_1.view WHERE customer_id = %s", (customer,), binary=True)
            await cursor.fetchone()
            selects.append(time.perf_counter() - begin)
            nothings.append(await _timed(bare, nothing))
    ours.close()
    bare.close()
    return Reads(latency(views), latency(selects), latency(nothings))


async def _timed(line: Connection, request: bytes) -> float:
    begin = time.perf_counter()
    answer = await line.ask(request)
    taken = time.perf_counter() - begin
    check(answer)
    return taken
