"""One random history of both hops: what is sent, who owns which partition, who dies when.

The seed decides everything but the timing of PostgreSQL. Reading order: History.play, _happen, _at, _bury, _share, _finish, _check.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any
from uuid import UUID

from aggregates.identity import DEFAULT_RULES
from aggregates.sealing import seal
from infra.sealing import KeyRing
from streams.customer import Customer
from streams.record import Connection, Processor
from streams.resolve import Resolve
from tests.streams import truth
from tests.streams.crew import Connections, Worker, until
from tests.streams.keys import MASTER
from tests.streams.memory import PARTITIONS, Memory
from tests.streams.people import Sealed, events, touchpoint

HOPS = ("resolve", "customer")


def processors(piece: int) -> list[Processor]:
    """Both hops of a process, with keys of their own; histories move in pieces of this many rows."""
    keys = KeyRing(MASTER)
    return [Resolve(DEFAULT_RULES, keys), Customer(keys, piece=piece)]


class History:
    """What happens, and what must come of it."""

    def __init__(self, number: int, seed: int, pool: Connections, keys: KeyRing) -> None:
        self.random, self.pool, self.keys = Random(seed), pool, keys
        self.name = f"h{number}"
        self.memory = Memory(self.random, base=number * PARTITIONS, faults=self.random.choice((0.0, 0.0, 0.03)))
        self.people, self.count = self.random.choice((1, 2, 4)), self.random.choice((5, 20, 40))
        self.piece, self.most = self.random.choice((1, 2, 5, 5000)), self.random.choice((1, 3, 10))
        self.danger, self.laziness = self.random.choice((0.0, 0.02, 0.06)), self.random.choice((0.0, 0.1, 0.3))
        self.sent: dict[UUID, Callable[[int], Sealed]] = {}
        self.workers: list[Worker] = []
        self.deaths = 0
        self._dying: asyncio.Queue[Worker] = asyncio.Queue()
        self._doomed: list[Worker] = []  # they hang at a point and do nothing any more but hold their locks
        self._sharing = asyncio.Lock()
        self._shares: list[asyncio.Task[None]] = []

    def __repr__(self) -> str:
        return f"{self.count} events of {self.people} people, pieces of {self.piece}, batches of {self.most}, {self.deaths} deaths"

    async def play(self) -> None:
        """Send everything while the workers are killed and their partitions change hands; then let one worker end it, and check."""
        self._hire()
        self._hire()
        undertaker = asyncio.create_task(self._bury())
        await self._share()
        await self._happen()
        self.danger = 0.0
        while self._shares:
            await self._shares.pop()
        undertaker.cancel()
        for worker in self.workers:
            await worker.die() if worker in self._doomed or self.random.random() < 0.5 else await worker.leave()
        await self._finish()

    async def _happen(self) -> None:
        for id_, type_, data, minute in events(self.random, self.name, self.people, self.count):
            accept = partial(self._accept, id_, type_, data, minute)
            self.sent[touchpoint(id_, type_, data, minute).event_id] = accept
            self.memory.append("touchpoints", *accept(0))
            while self.random.random() < 0.25:  # a client sends again what it sent before, perhaps with another partitioner
                again = self.random.choice(list(self.sent.values()))
                self.memory.append("touchpoints", *again(self.random.randrange(1, 10)), at=self.random.randrange(PARTITIONS))
            match self.random.randrange(12):
                case 0 | 11:
                    self._shares.append(asyncio.create_task(self._share()))
                case 1:
                    self._dying.put_nowait(self.random.choice(self.workers))
                case 2 | 3 | 4:
                    pass
                case _:
                    await asyncio.sleep(self.random.random() * 0.01)

    def _accept(self, id_: str, type_: str, data: dict[str, Any], minute: float | None, times: int) -> Sealed:
        """What a door makes of an event that was sent so many times before."""
        return seal(touchpoint(id_, type_, data, minute, times=times), self.keys)

    async def _at(self, worker: Worker) -> None:
        """A lane passes a point: it may dawdle, or its whole worker dies there."""
        if self.random.random() < self.danger:
            self._doomed.append(worker)
            self._dying.put_nowait(worker)
            await asyncio.Event().wait()
        await asyncio.sleep(self.random.random() * 0.03 if self.random.random() < self.laziness else 0)

    def _processors(self) -> list[Processor]:
        return processors(self.piece)

    def _hire(self) -> None:
        worker = Worker(self.memory, self.pool, self._processors(), most=self.most)
        for runner in worker.runners.values():
            runner.at = lambda _: self._at(worker)
        self.workers.append(worker)

    async def _bury(self) -> None:
        """End who is to die; another takes the place."""
        while True:
            worker = await self._dying.get()
            if worker.dead:
                continue
            await worker.die()
            self.deaths += 1
            self.workers.remove(worker)
            self._hire()
            self._shares.append(asyncio.create_task(self._share()))

    async def _share(self) -> None:
        """Give every partition to somebody. Whoever had it may not hear of it, and goes on as a zombie until the next time."""
        async with self._sharing:
            for hop in HOPS:
                for worker in list(self.workers):
                    if self.random.random() < 0.3:
                        await worker.let_go(hop)
                owners = {partition: self.random.choice(self.workers) for partition in self.memory.numbers}
                for worker in list(self.workers):
                    await worker.own(hop, [partition for partition, owner in owners.items() if owner is worker])

    async def _finish(self) -> None:
        """A last worker, in peace, does what is left; then what came out is looked at."""
        self.memory.faults = 0.0
        last = Worker(self.memory, self.pool, self._processors(), most=self.most)
        await last.own_all()
        async with self.pool.connection() as connection:

            async def done() -> bool:
                async with connection.transaction():
                    return await self._settled(connection)

            await until(done, unless=lambda: last.failures)
            await last.leave()
            await self._check(connection)
        assert not self.memory.all("dead-letters")

    async def _settled(self, connection: Connection) -> bool:
        """Whether nothing is left to do."""
        return await truth.settled(connection, self.memory)

    async def _check(self, connection: Connection) -> None:
        """Raise an AssertionError that says what is not as it must be."""
        await truth.check(connection, self.memory, self.sent, self.keys)
        assert await truth.clusters(connection, self.sent) == truth.connected(self.memory)
