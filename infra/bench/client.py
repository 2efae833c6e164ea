"""The load generator: a handful of connections over loopback that each post a body, wait for the answer, and post the next.

Every server is asked by this same client, which costs little itself: requests are built before the clock runs. Reading order: Connection,
Answers, load.
"""

import asyncio
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from infra.engines.ports import LOOPBACK
from infra.errors import Refusal

ANSWER_WITHIN = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered."""

    status: int
    headers: Mapping[bytes, bytes]  # names in lower case
    body: bytes


class Connection(asyncio.Protocol):
    """A connection to a server: one request at a time. It is made anew when the server hung up meanwhile, as on who was quiet for long."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._transport: asyncio.Transport | None = None
        self._got = b""
        self._waiter: asyncio.Future[Answer] | None = None

    @classmethod
    async def open(cls, port: int) -> "Connection":
        """Connect to a server on loopback."""
        connection = cls(port)
        await connection._connect()
        return connection

    @property
    def lost(self) -> bool:
        """Whether the server hung up."""
        return self._transport is None or self._transport.is_closing()

    async def ask(self, request: bytes) -> Answer:
        """Send the request and return the answer."""
        if self.lost:
            await self._connect()
        assert self._transport is not None  # noqa: S101 - it is connected
        self._waiter = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._waiter

    async def _connect(self) -> None:
        self._got = b""
        await asyncio.get_running_loop().create_connection(lambda: self, LOOPBACK, self._port)

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # of uvloop, which has the methods and not the class

    def data_received(self, data: bytes) -> None:
        self._got += data
        head, found, rest = self._got.partition(b"\r\n\r\n")
        if not found:
            return
        lines = head.split(b"\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines[1:])}
        length = int(headers.get(b"content-length", b"0"))
        if len(rest) < length:
            return
        self._got = rest[length:]
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(Answer(int(lines[0].split(b" ")[1]), headers, rest[:length]))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(exc or ConnectionResetError("the server hung up"))


def post(path: str, body: bytes, content_type: str, key: str = "") -> bytes:
    """A POST, as bytes to send."""
    return request("POST", path, f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n", key) + body


def get(path: str, key: str = "") -> bytes:
    """A GET, as bytes to send."""
    return request("GET", path, key=key)


def request(method: str, path: str, headers: str = "", key: str = "") -> bytes:
    """The head of a request, as bytes to send."""
    authorization = f"Authorization: Bearer {key}\r\n" if key else ""
    return f"{method} {path} HTTP/1.1\r\nHost: bench\r\n{authorization}{headers}\r\n".encode()


@dataclass(slots=True)
class Answers:
    """What a load was answered."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)  # of each request, in seconds


async def load(port: int, requests: Iterable[bytes], connections: int) -> Answers:
    """Send all requests over so many connections, each as soon as its last answer is there. Raises Refusal at any answer but 200."""
    left = deque(requests)
    answers = Answers()
    lines = [await Connection.open(port) for _ in range(connections)]

    async def work(line: Connection) -> None:
        while left:
            request = left.popleft()
            begin = time.perf_counter()
            answer = await line.ask(request)
            answers.latencies.append(time.perf_counter() - begin)
            check(answer)

    begin = time.perf_counter()
    try:
        async with asyncio.timeout(ANSWER_WITHIN * 10):
            await asyncio.gather(*(work(line) for line in lines))
    finally:
        for line in lines:
            line.close()
    answers.seconds = time.perf_counter() - begin
    return answers


def check(answer: Answer) -> None:
    """Raise Refusal when a server refused what it was to take: it was faster than it should be."""
    if answer.status != 200 or b'"rejected"' in answer.body:
        raise Refusal(f"A measured request was answered {answer.status}: {answer.body[:300].decode(errors='replace')}")


def percentile(values: Sequence[float], share: float) -> float:
    """The value that so many of a hundred do not exceed (nearest rank)."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, max(0, -(-len(ranked) * int(share) // 100) - 1))]
