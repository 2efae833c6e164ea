"""How long it takes from posting an event until a webhook has received the signal that it gives, while others send at a steady rate.

A rule looks at every page view of the load and gives a signal for each probe's; the receiver is a small HTTP server in this process, so its
work and that of posting are in what is measured. Reading order: Receiver, listening, received.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import msgspec

from infra.bench import marketing
from infra.bench.client import Connection, check, post
from infra.bench.living import Living
from infra.bench.visible import EVENT, Seen, page_view, probing, sending
from infra.bench.workload import Mix
from infra.engines.ports import LOOPBACK
from infra.errors import Refusal

PAGE = "bench-probe"
RULE = {
    "rule": "bench-probe",
    "when": {"count": "web.page_viewed", "where": {"page": PAGE}, "at_least": 1, "within": "1h"},
    "do": {"notify": "team:bench"},
}
WITHIN = 60.0
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class _Signal(msgspec.Struct):
    cause: dict[str, str]


class _Body(msgspec.Struct):
    data: _Signal


@dataclass(slots=True)
class Receiver:
    """A webhook's other end. Who waits for a signal is told by the id of the event that gave it."""

    waiting: dict[str, asyncio.Event] = field(default_factory=dict)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take posts on a connection until it is closed."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if line)
                body = await reader.readexactly(int(fields[b"content-length"]))
                writer.write(ANSWER)
                if waits := self.waiting.get(msgspec.json.decode(body, type=_Body).data.cause["id"]):
                    waits.set()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def probe(self, here: Living, line: Connection, device: str) -> None:
        """Until the webhook has it."""
        heard = self.waiting[device] = asyncio.Event()
        check(await line.ask(post("/v1/events", page_view(device, PAGE), EVENT, here.api.write_key)))
        try:
            async with asyncio.timeout(WITHIN):
                await heard.wait()
        except TimeoutError:
            raise Refusal(f"No webhook was told of {device} within {WITHIN:.0f} s.") from None
        finally:
            del self.waiting[device]


@asynccontextmanager
async def listening(here: Living) -> AsyncIterator[Receiver]:
    """The rule is in force, and a webhook hears of it."""
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, LOOPBACK, 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        made = await marketing.ask(here.api, "/v1/webhooks", {"url": f"http://{LOOPBACK}:{port}/", "types": ["signal.fired"]})
        await marketing.publish(here.api, RULE)
        yield receiver
        await marketing.delete(here.api, f"/v1/webhooks/{made['id']}")


async def received(here: Living, receiver: Receiver, mix: Mix, rate: float, seconds: float, nth: int) -> Seen:
    """Probe while events arrive at this rate for so many seconds."""
    return await probing(here, sending(here, mix, rate, seconds), f"webhook-{nth}", receiver.probe)
