"""A bad line between a client and the server: it answers 500 twice, hangs up after it passed a request on, and then says 429 once.

The third is the worst: the server has the request, and the client is never told. Reading order: FATES, Flaky.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

FATES = ("500", "500", "hang up", "429")
HOP = {"host", "connection", "content-length", "transfer-encoding", "keep-alive", "accept-encoding"}


@dataclass
class Flaky:
    """The line, and what it saw."""

    upstream: str
    url: str = ""
    left: list[str] = field(default_factory=lambda: list(FATES))
    asked: list[str] = field(default_factory=list)
    statuses: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request a connection: it is closed after the answer."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            method, target, _ = head[0].split(" ", 2)
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
            body = await self._body(reader, headers)
            fate = self.left.pop(0) if method == "POST" and self.left else "pass"
            if method == "POST":
                self.asked.append(target)
                self.statuses.append(fate)
            writer.write(await self._answer(fate, method, target, headers, body))
            await writer.drain()
        writer.close()

    async def _answer(self, fate: str, method: str, target: str, headers: dict[str, str], body: bytes) -> bytes:
        if fate == "500":
            return b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        if fate == "429":
            return b"HTTP/1.1 429 Slowly\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        kept = {name: value for name, value in headers.items() if name not in HOP}
        async with httpx.AsyncClient(timeout=30) as client:
            answer = await client.request(method, self.upstream + target, content=body, headers=kept)
        if fate == "hang up":
            return b""
        passed = "".join(f"{name}: {value}\r\n" for name, value in answer.headers.items() if name not in HOP)
        start = f"HTTP/1.1 {answer.status_code} {answer.reason_phrase}\r\n{passed}Content-Length: {len(answer.content)}\r\n"
        return f"{start}Connection: close\r\n\r\n".encode() + answer.content

    @staticmethod
    async def _body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding") == "chunked":
            parts = []
            while size := int((await reader.readline()).strip(), 16):
                parts.append(await reader.readexactly(size))
                await reader.readline()
            await reader.readline()
            return b"".join(parts)
        return await reader.readexactly(int(headers.get("content-length", "0")))


@asynccontextmanager
async def flaky(upstream: str) -> AsyncIterator[Flaky]:
    """A bad line to this address, on a port of its own."""
    line = Flaky(upstream)
    server = await asyncio.start_server(line.serve, "127.0.0.1", 0)
    line.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield line
    finally:
        server.close()
