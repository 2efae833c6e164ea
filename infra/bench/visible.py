"""How long it takes from posting an event until it is in the view, while others send at a steady rate.

Each probe is the first event of a new customer, the slowest kind, and asks for his view with `after=` its own position.
Half load is half of what the whole installation keeps up with, door included: it is found first, by posting without a pause.
Reading order: Seen, capacity, visible, probing.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import msgspec

from infra import waiting
from infra.bench import workers
from infra.bench.children import until
from infra.bench.client import Answer, Connection, check, get, post
from infra.bench.feed import JSON, Events, bodies
from infra.bench.ground import touchpoints
from infra.bench.living import Living
from infra.bench.reading import Latency, latency
from infra.bench.workload import SITE, Mix
from infra.errors import Refusal
from projections.positions import table as positions

BATCH = 20
EVENT = "application/cloudevents+json"
LINES = 16
PROBERS = 4
BREATH = 0.02
"""Seconds between two probes of one prober."""

LEAST = 10
"""Probes of each prober, however short the load is."""

FEWEST = 4
"""Requests of a load, however short it is."""


@dataclass(frozen=True, slots=True)
class Seen:
    """How long it took, and under how many events a second."""

    latency: Latency
    load: float


async def capacity(here: Living, mix: Mix, events: int) -> float:
    """Events a second, from the first POST until the last event is in a view, when every line posts as soon as it was answered."""
    requests = iter([post("/v1/events", body, JSON, here.api.write_key) for body in bodies(mix, events // BATCH, BATCH)])

    async def one() -> None:
        line = await Connection.open(here.api.port)
        for request in requests:
            check(await line.ask(request))
        line.close()

    begin = time.perf_counter()
    async with asyncio.TaskGroup() as lines:
        for _ in range(LINES):
            lines.create_task(one())
    target = await waiting.ends(here.world.endpoints, touchpoints(here.world))
    async with workers.watching(here.world) as connection:
        await until("all is in the views", lambda: positions.reached(connection, target), here.workers)
    return events // BATCH * BATCH / (time.perf_counter() - begin)


async def visible(here: Living, mix: Events, rate: float, seconds: float, nth: int) -> Seen:
    """Probe while events arrive at this rate for so many seconds. `nth` tells this time's customers from those of the last."""
    return await probing(here, sending(here, mix, rate, seconds), f"{nth}", in_view)


Probe = Callable[[Living, Connection, str], Awaitable[None]]
"""Posts an event of somebody new, told by his device, and waits until that can be seen."""


async def probing(here: Living, load: Coroutine[Any, Any, float], who: str, probe: Probe) -> Seen:
    """Probe while a load lasts, which answers its rate; `who` tells the devices from those of other times."""
    under_way = asyncio.create_task(load)
    probes = [asyncio.create_task(_probe(here, under_way, f"probe-{who}-{number}", probe)) for number in range(PROBERS)]
    try:
        taken = await asyncio.gather(*probes)
        return Seen(latency([one for some in taken for one in some]), await under_way)
    finally:
        for task in (under_way, *probes):
            task.cancel()
        await asyncio.wait([under_way, *probes])


async def sending(here: Living, mix: Events, rate: float, seconds: float) -> float:
    """Let events arrive at this rate for so many seconds; return the rate that was reached."""
    requests = [post("/v1/events", body, JSON, here.api.write_key) for body in bodies(mix, max(FEWEST, int(rate * seconds / BATCH)), BATCH)]
    return await _send(here.api.port, requests, rate)


async def _send(port: int, requests: list[bytes], rate: float) -> float:
    """Send each request at its time, whatever became of those before; return the rate that was reached."""
    lines: asyncio.Queue[Connection] = asyncio.Queue()
    for _ in range(LINES):
        lines.put_nowait(await Connection.open(port))

    async def one(line: Connection, request: bytes) -> None:
        check(await line.ask(request))
        lines.put_nowait(line)

    begin = time.perf_counter()
    async with asyncio.TaskGroup() as under_way:
        for number, request in enumerate(requests):
            await asyncio.sleep(max(0.0, begin + number * BATCH / rate - time.perf_counter()))
            under_way.create_task(one(await lines.get(), request))
    reached = min(rate, len(requests) * BATCH / (time.perf_counter() - begin))  # the last request has no pause after it
    while not lines.empty():
        lines.get_nowait().close()
    return reached


async def _probe(here: Living, load: asyncio.Task[float], who: str, probe: Probe) -> list[float]:
    """New customers, one after the other, as long as the load lasts; how long each took to be seen."""
    line = await Connection.open(here.api.port)
    taken: list[float] = []
    while not load.done() or len(taken) < LEAST:
        begin = time.perf_counter()
        await probe(here, line, f"{who}-{len(taken)}")
        taken.append(time.perf_counter() - begin)
        await asyncio.sleep(BREATH)
    line.close()
    return taken


async def in_view(here: Living, line: Connection, device: str) -> None:
    """Until it is in the view."""
    accepted = await line.ask(post("/v1/events", page_view(device), EVENT, here.api.write_key))
    check(accepted)
    check(await line.ask(get(f"/v1/customers/by/device/{device}?after={_position(accepted)}", here.api.staff_token)))


def _position(answer: Answer) -> str:
    position = answer.headers.get(b"yekta-position")
    if position is None:
        raise Refusal("The door gave no position.")
    return quote(position.decode())


def page_view(device: str, page: str = "price") -> bytes:
    """Somebody looks at a page."""
    data = {"who": {"device": device}, "url": f"{SITE}/{page}", "title": page, "page": page}
    return msgspec.json.encode({"specversion": "1.0", "id": device, "source": SITE, "type": "web.page_viewed", "data": data})
