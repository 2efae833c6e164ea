"""How long a ring takes to fill an agent's desk, and what a desk costs that is open: many are open while events flow at half load.

A ring is measured from its POST until the whole page of the caller is here: the call told over the desk's stream, the pop-up's redirect and
the page, whose first HTML has who it is, what is open and what to know. Painting it is the browser's. Reading order: Desks, measure.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from html import unescape
from itertools import cycle, islice

import msgspec
import psutil

from infra.bench.client import Connection, check, get, percentile, post
from infra.bench.living import Living
from infra.bench.reading import Latency, latency
from infra.bench.visible import sending
from infra.bench.workload import SITE, Mix
from infra.engines.ports import LOOPBACK
from infra.errors import Refusal

EXTENSION = "bench"
CALLERS = 20
WITHIN = 30.0
LARGEST = 4 * 1024 * 1024
"""Bytes of one line of a stream: a changed region is told in one."""


@dataclass(frozen=True, slots=True)
class Desks:
    """What was measured with so many desks open."""

    open: int
    load: float  # events a second meanwhile
    ring: Latency
    ring_p95: float  # milliseconds, like all below
    page: Latency
    page_p95: float
    page_bytes: int  # the largest
    kilobytes: float  # of the API's memory, a desk


async def measure(here: Living, mix: Mix, rate: float, desks: int, times: int, nth: int) -> Desks:
    """Open the desks, let events flow, ring and read. `nth` tells this time's callers from those of the last."""
    phones = [f"+98990{nth:03}{1000 + number}" for number in range(CALLERS)]  # none of them is in the workload
    line = await Connection.open(here.api.port)
    for phone in phones:
        await _made_known(here, line, phone)
    process = psutil.Process(here.api.process.pid)
    before = process.memory_info().rss
    rings: asyncio.Queue[str] = asyncio.Queue()
    async with _open(here, desks, rings):
        kilobytes = max(0.0, process.memory_info().rss - before) / 1024 / desks
        flowing = asyncio.create_task(sending(here, mix, rate, times * 0.3))
        try:
            pages, largest = await _pages(here, line, times)
            taken = [await _ring(here, phone, f"{nth}-{number}", rings) for number, phone in enumerate(islice(cycle(phones), times))]
            load = await flowing
        finally:
            flowing.cancel()
            with suppress(asyncio.CancelledError):
                await flowing
    line.close()
    return Desks(
        desks, load, latency(taken), percentile(taken, 95) * 1000, latency(pages), percentile(pages, 95) * 1000, largest, kilobytes
    )


JSON = "application/cloudevents+json"


async def _made_known(here: Living, line: Connection, phone: str) -> None:
    """Tell who calls from the number, and wait until it can be read: what flowed before may still be on its way."""
    answer = await line.ask(post("/v1/events", _event("profile.reported", phone, f"known-{phone}"), JSON, here.api.write_key))
    check(answer)
    path = f"/v1/customers/by/phone/%2B{phone[1:]}?after={answer.headers[b'yekta-position'].decode()}"
    async with asyncio.timeout(WITHIN * 4):
        while (found := await line.ask(get(path, here.api.staff_token))).status == 504:
            pass
    check(found)


async def _pages(here: Living, line: Connection, times: int) -> tuple[list[float], int]:
    """Customers' pages, one after the other."""
    taken, largest = [], 0
    for customer in islice(cycle(here.customers), times):
        begin = time.perf_counter()
        answer = await line.ask(get(f"/customers/{customer}", here.api.staff_token))
        taken.append(time.perf_counter() - begin)
        check(answer)
        largest = max(largest, len(answer.body))
    return taken, largest


async def _ring(here: Living, phone: str, call: str, rings: asyncio.Queue[str]) -> float:
    """One ring, from its POST until the caller's page is here."""
    line = await Connection.open(here.api.port)  # of its own: the server hangs up one that was idle while a ring was on its way
    begin = time.perf_counter()
    check(await line.ask(post("/v1/events", _event("call.ringing", phone, call), JSON, here.api.write_key)))
    async with asyncio.timeout(WITHIN):
        while not (pop := await rings.get()).endswith(f"={call}"):
            pass
    answer = await line.ask(get(pop, here.api.staff_token))
    if answer.status != 303:
        raise Refusal(f"A ring led to an answer {answer.status} instead of a customer: {_title(answer.body)}")
    check(await line.ask(get(answer.headers[b"location"].decode(), here.api.staff_token)))
    taken = time.perf_counter() - begin
    line.close()
    return taken


@asynccontextmanager
async def _open(here: Living, desks: int, rings: asyncio.Queue[str]) -> AsyncIterator[None]:
    """One desk that waits for calls, and customers' pages at the others; all are live before anything is measured."""
    line = await Connection.open(here.api.port)
    streams = {customer: await _stream(here, line, customer) for customer in islice(here.customers, desks - 1)}
    line.close()
    addresses = ["/live?extension=" + EXTENSION, *islice(cycle(streams.values()), desks - 1)]
    ready: asyncio.Queue[str] = asyncio.Queue()
    tasks = [asyncio.create_task(_listen(here, address, ready, rings)) for address in addresses]
    try:
        async with asyncio.timeout(WITHIN * 2):
            for _ in tasks:
                if why := await ready.get():
                    raise Refusal(f"A desk was not opened: {why}")
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def _stream(here: Living, line: Connection, customer: str) -> str:
    """Where a customer's page hears what comes after it was made: from its beginning it would be told all his history."""
    answer = await line.ask(get(f"/customers/{customer}", here.api.staff_token))
    check(answer)
    return unescape(answer.body.partition(b'data-stream="')[2].partition(b'"')[0].decode())


async def _listen(here: Living, address: str, ready: asyncio.Queue[str], rings: asyncio.Queue[str]) -> None:
    """Read a stream as a browser does, for as long as it is open; the addresses that rings lead to are put into the queue."""
    reader, writer = await asyncio.open_connection(LOOPBACK, here.api.port, limit=LARGEST)
    writer.write(get(address, here.api.staff_token))
    try:
        status, told, live = await reader.readline(), b"", False
        if b" 200 " not in status:
            ready.put_nowait((status + (await reader.read(2_000))).decode(errors="replace"))
        async for line in reader:
            if line.startswith(b"event: "):
                told = line[7:].strip()
                if told == b"beat" and not live:
                    live = True
                    ready.put_nowait("")
            elif told == b"call" and line.startswith(b"data: "):
                rings.put_nowait(str(msgspec.json.decode(line[6:])["pop"]))
    finally:
        writer.close()


def _title(page: bytes) -> str:
    return page.partition(b"<title>")[2].partition(b"</title>")[0].decode(errors="replace")


def _event(type_: str, phone: str, id_: str) -> bytes:
    data: dict[str, object] = {"who": {"phone": phone}}
    if type_ == "call.ringing":
        data |= {"call_id": id_, "extension": EXTENSION, "number": phone, "direction": "inbound"}
    else:
        data |= {"traits": {"name": f"Caller {phone[-4:]}"}}
    return msgspec.json.encode({"specversion": "1.0", "id": id_, "source": SITE, "type": type_, "data": data})


def summary(samples: Sequence[Desks]) -> str:
    """What the table says beside the numbers."""
    pages = max(one.page_p95 for one in samples)
    return f"p95 {pages:.0f} ms, target ≤ 60 ms; the largest has {max(one.page_bytes for one in samples) / 1000:.0f} kB, target < 50 kB"
