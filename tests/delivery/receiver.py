"""A receiver on loopback that does what the test says, and remembers what it was sent."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Post:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Receiver:
    """Answers each request with what `answers` says: status and further header lines."""

    port: int = 0
    posts: list[Post] = field(default_factory=list)
    answers: Callable[[Post], tuple[int, str]] = lambda _: (200, "")
    says: bytes = b""  # with each answer
    hang: bool = False  # take everything, answer nothing
    news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    async def until(self, count: int, seconds: float = 60.0) -> list[Post]:
        """Everything, once so much has come."""
        async with asyncio.timeout(seconds):
            while len(self.posts) < count:
                self.news.clear()
                await self.news.wait()
        return self.posts

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                headers: dict[str, str] = {}
                while (header := (await reader.readline()).decode().strip()) != "":
                    name, _, value = header.partition(": ")
                    headers[name.lower()] = value
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                post = Post(line.decode().split(" ")[1], headers, body)
                status, more = self.answers(post)
                self.posts.append(post)
                self.news.set()
                if self.hang:
                    await asyncio.Event().wait()
                writer.write(f"HTTP/1.1 {status} Told\r\ncontent-length: {len(self.says)}\r\n{more}\r\n".encode() + self.says)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def receiving(port: int = 0) -> AsyncIterator[Receiver]:
    """A receiver that listens."""
    receiver = Receiver()
    handlers: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        handlers.add(task)
        try:
            await receiver.serve(reader, writer)
        finally:
            handlers.discard(task)

    server = await asyncio.start_server(handle, "127.0.0.1", port)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        for task in list(handlers):
            task.cancel()
        await asyncio.gather(*handlers, return_exceptions=True)
