"""Hears PostgreSQL's notifications on one connection a process, however many wait, and says so when it may have missed some.

Reading order: Listener, Channel.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Set

import psycopg
import structlog
from psycopg import sql

log = structlog.get_logger(__name__)

SILENCE = 30.0
"""After so long without news handlers are called all the same, in case a notification was lost."""


class Listener:
    """One connection that listens, comes back when it was cut, and wakes whoever waits on a channel."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._handlers: dict[str, Callable[[], Awaitable[None]]] = {}
        self._topics: dict[str, Channel] = {}
        self._task: asyncio.Task[None] | None = None
        self.connected = False
        self._told = ""  # why nothing is heard

    def on(self, channel: str, handler: Callable[[], Awaitable[None]]) -> None:
        """Call `handler` at once when connected, at each notification of the channel and after every silence."""
        self._handlers[channel] = handler

    def topic(self, channel: str) -> "Channel":
        """The channel as a stream of changes."""
        return self._topics.setdefault(channel, Channel(self))

    async def start(self) -> None:
        """Begin to listen; channels and handlers are named before."""
        self._task = asyncio.create_task(self._listen())

    async def stop(self) -> None:
        """Stop to listen."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _listen(self) -> None:
        while True:
            try:
                await self._hear()
            except (psycopg.Error, OSError) as error:
                if self._told != type(error).__name__:  # once: it may last for hours, and is tried twice a second
                    self._told = type(error).__name__
                    log.warning("notifications_lost", error=self._told)
            self.connected = False
            self._wake(self._channels)
            await asyncio.sleep(0.5)

    async def _hear(self) -> None:
        async with await psycopg.AsyncConnection.connect(
            self._dsn, autocommit=True, connect_timeout=5, application_name="yekta-listener"
        ) as connection:
            for channel in self._channels:
                await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
            self.connected = True
            await self._tell(self._channels)
            self._told = ""
            while True:
                heard = {note.channel async for note in connection.notifies(timeout=SILENCE, stop_after=1)}
                if not heard:
                    await connection.execute("SELECT 1")  # a dead connection is silent too
                await self._tell(heard or self._channels)

    @property
    def _channels(self) -> set[str]:
        return self._handlers.keys() | self._topics.keys()

    async def _tell(self, channels: Set[str]) -> None:
        for channel in channels:
            if handler := self._handlers.get(channel):
                await handler()
        self._wake(channels)

    def _wake(self, channels: Set[str]) -> None:
        for channel in channels:
            if topic := self._topics.get(channel):
                topic.wake()


class Channel:
    """The adapter of `api.ports.Changes`: a count of changes that can be waited on."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._waiting: set[asyncio.Future[None]] = set()
        self.version = 0

    @property
    def connected(self) -> bool:
        """Whether changes are heard now."""
        return self._listener.connected

    async def changed(self, since: int, within: float) -> int:
        """The version once it is above `since`, or as it is after `within` seconds."""
        if self.version <= since:
            waiter = asyncio.get_running_loop().create_future()
            self._waiting.add(waiter)
            try:
                await asyncio.wait([waiter], timeout=within)
            finally:
                self._waiting.discard(waiter)
        return self.version

    def wake(self) -> None:
        """Something may have changed."""
        self.version += 1
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)
