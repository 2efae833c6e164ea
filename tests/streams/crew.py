"""Workers as the runner makes them, over a log in memory and a real PostgreSQL: they can be killed at any point, and go on as zombies."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

from aiokafka import TopicPartition
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from streams.lane import Lane
from streams.points import Point, passed
from streams.record import Bury, Connection, Processor, Publication
from streams.runner import Runner
from tests.streams.memory import Consumer, Memory

TOPIC_ID = "the-topic-of-the-test"


def letter(bury: Bury, topic: str) -> Publication:
    """A dead letter, as plain as can be."""
    return Publication(
        "dead-letters", bury.record.key or b"", f"{bury.reason} {topic}-{bury.record.partition}-{bury.record.offset}".encode()
    )


class Connections:
    """Lends connections as a pool does. Whoever is killed in a transaction takes his connection with him; the others' are used again."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._free: list[Connection] = []
        self._lent: set[Connection] = set()
        self._opening: set[asyncio.Task[Connection]] = set()
        self._over = False

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection in a transaction."""
        lent = self._free.pop() if self._free else await self._opened()
        self._lent.add(lent)
        try:
            async with lent.transaction():
                yield lent
        except asyncio.CancelledError:
            await lent.close()
            raise
        finally:
            self._lent.discard(lent)
            if not lent.closed:
                self._free.append(lent)

    async def _opened(self) -> Connection:
        """One more. It is opened to the end also when who asked is killed meanwhile: for one that is half open PostgreSQL waits a minute,
        and lets no database be dropped until then."""
        if self._over:
            raise asyncio.CancelledError  # of a test that ended while somebody was still dying
        opening = asyncio.create_task(AsyncConnection.connect(self._dsn, application_name="yekta-tests"))
        self._opening.add(opening)
        opened = await asyncio.shield(opening)
        self._opening.remove(opening)
        return opened

    async def close(self) -> None:
        """Close all of them: what was given back, what nobody was left to take, and what somebody still dies with."""
        self._over = True
        while self._opening:
            await (await self._opening.pop()).close()
        while self._free:
            await self._free.pop().close()
        for lent in list(self._lent):
            await lent.close()


@dataclass(slots=True)
class Worker:
    """One process: its processors' runners, which die together."""

    memory: Memory
    pool: Connections
    processors: list[Processor]
    at: Point = passed
    most: int = 2000
    topic_id: str = TOPIC_ID
    runners: dict[str, Runner] = field(default_factory=dict)
    dead: bool = False
    assigning: asyncio.Task[None] | None = None
    leaving: list[Lane] = field(default_factory=list)

    def __post_init__(self) -> None:
        for processor in self.processors:
            self.runners[processor.name] = Runner(
                processor,
                consumer=Consumer(self.memory, self.most),
                publisher=self.memory,
                pool=cast("AsyncConnectionPool[Connection]", self.pool),
                prefix="",
                topic_id=self.topic_id,
                dead_letter=letter,
                at=self.at,
            )

    async def own(self, processor: str, partitions: Iterable[int]) -> None:
        """Be assigned these partitions too. Who has them until now is not told."""
        runner = self.runners[processor]
        new = [TopicPartition(runner.topic, partition) for partition in partitions if partition not in runner.lanes]
        if not self.dead:
            self.assigning = asyncio.create_task(runner.on_partitions_assigned(new))
            await asyncio.wait([self.assigning])

    async def own_all(self) -> None:
        """Be assigned everything."""
        for name in self.runners:
            await self.own(name, self.memory.numbers)

    async def let_go(self, processor: str) -> None:
        """Hear that all partitions are taken away."""
        runner = self.runners[processor]
        self.leaving += runner.lanes.values()
        await runner.on_partitions_revoked(())

    async def leave(self) -> None:
        """End in order."""
        for name in self.runners:
            await self.let_go(name)

    async def die(self) -> None:
        """As by kill -9: whatever was under way is never ended, and PostgreSQL rolls it back."""
        self.dead = True
        lanes = [*self.leaving, *(lane for runner in self.runners.values() for lane in runner.lanes.values())]
        tasks = [task for task in (*(lane.task for lane in lanes), self.assigning) if task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def failures(self) -> list[BaseException]:
        """What lanes died of by themselves."""
        tasks = [task for runner in self.runners.values() for lane in runner.lanes.values() if (task := lane.task)]
        return [error for task in tasks if task.done() and not task.cancelled() and (error := task.exception())]


class Gate:
    """A point at which whoever comes waits until the gate is opened; the first times he may pass, and while `when` says no."""

    def __init__(self, point: str, after: int = 0, when: Callable[[], Awaitable[bool]] | None = None) -> None:
        self.point, self.after, self.when = point, after, when
        self.reached, self.opened = asyncio.Event(), asyncio.Event()

    async def wait(self) -> None:
        """Until somebody waits here."""
        async with asyncio.timeout(60):
            await self.reached.wait()

    async def __call__(self, point: str) -> None:
        if point == self.point and not self.opened.is_set() and (self.when is None or await self.when()):
            self.after -= 1
            if self.after < 0:
                self.reached.set()
                await self.opened.wait()


def gates(*gates: Gate) -> Point:
    """Several of them on one way."""

    async def at(point: str) -> None:
        for gate in gates:
            await gate(point)

    return at


async def until(condition: Callable[[], Awaitable[bool]], *, within: float = 30.0, unless: Callable[[], object] = lambda: None) -> None:
    """Wait for a condition; fail when it does not come, or when `unless` says why it never will."""
    async with asyncio.timeout(within):
        while not await condition():
            if why := unless():
                raise AssertionError(why)
            await asyncio.sleep(0.005)
