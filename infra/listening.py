"""Hears PostgreSQL's notifications on one connection a process, however many wait, and says so when it may have missed some.

Reading order: Listener, hear, subscribe.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Set

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
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self._task: asyncio.Task[None] | None = None
        self.connected = False

    def on(self, channel: str, handler: Callable[[], Awaitable[None]]) -> None:
        """Call `handler` at once when connected, at each notification of the channel and after every silence."""
        self._handlers[channel] = handler

    def topic(self, channel: str) -> "Channel":
        """The channel as a stream of changes."""
        self._waiting.setdefault(channel, set())
        return Channel(self, self._waiting[channel])

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
                log.warning("notifications_lost", error=type(error).__name__)
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
            while True:
                heard = {note.channel async for note in connection.notifies(timeout=SILENCE, stop_after=1)}
                if not heard:
                    await connection.execute("SELECT 1")  # a dead connection is silent too
                await self._tell(heard or self._channels)

    @property
    def _channels(self) -> set[str]:
        return self._handlers.keys() | self._waiting.keys()

    async def _tell(self, channels: Set[str]) -> None:
        for channel in channels:
            if handler := self._handlers.get(channel):
                await handler()
        self._wake(channels)

    def _wake(self, channels: Set[str]) -> None:
        for channel in channels:
            for event in self._waiting.get(channel, ()):
                event.set()


class Channel:
    """The adapter of `api.ports.Changes`."""

    def __init__(self, listener: Listener, waiting: set[asyncio.Event]) -> None:
        self._listener = listener
        self._waiting = waiting

    async def subscribe(self) -> AsyncIterator[bool]:
        """Yield whenever something may have changed: True while connected, False while news is being missed."""
        event = asyncio.Event()
        event.set()
        self._waiting.add(event)
        try:
            while True:
                await event.wait()
                event.clear()
                yield self._listener.connected
        finally:
            self._waiting.discard(event)
