"""Both hops on real engines, in this process: runners with consumers of their own, and a door without HTTP."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from random import Random
from typing import Any
from uuid import UUID

from aggregates.identity import DEFAULT_RULES
from aggregates.sealing import seal
from infra import database, waiting
from infra.parts import Parts
from streams.customer import Customer
from streams.record import Processor
from streams.resolve import Resolve
from tests.conftest import World
from tests.streams.people import events, touchpoint


class House:
    """One world with its processors."""

    def __init__(self, world: World, parts: Parts) -> None:
        self.world, self.parts = world, parts
        self.sent: set[UUID] = set()

    async def send(self, id_: str, type_: str = "something.happened", minute: float | None = 0, **data: Any) -> UUID:
        """An event is accepted: acknowledged by Kafka."""
        event = touchpoint(id_, type_, data, minute)
        key, value = seal(event, self.parts.keys)
        await self.parts.publisher.publish(self.world.topics.touchpoints, [(key, value, ())])
        self.sent.add(event.event_id)
        return event.event_id

    async def send_some(self, random: Random, prefix: str, people: int, count: int) -> None:
        """What happens to some people."""
        for id_, type_, data, minute in events(random, prefix, people, count):
            await self.send(id_, type_, minute, **data)

    async def visible(self) -> None:
        """Wait until all that was sent is in the views."""
        await waiting.wait(self.world.settings, within=60)

    async def ask(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """What PostgreSQL knows; what it is told stays."""
        async with await database.connect(self.world.dsn, autocommit=True) as connection:
            cursor = await connection.execute(query.encode(), values or None)
            return await cursor.fetchall() if cursor.description else []


@asynccontextmanager
async def house(world: World, processors: Callable[[Parts], Sequence[Processor]]) -> AsyncIterator[House]:
    """Its processors run until the end of the block."""
    parts = Parts(world.settings, world.endpoints, "tests")
    await parts.open()
    running = [asyncio.create_task(parts.runner(processor).run()) for processor in processors(parts)]
    try:
        yield House(world, parts)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await parts.stack.aclose()


def hops(piece: int) -> Callable[[Parts], Sequence[Processor]]:
    """Both hops, moving histories in pieces of this many rows, and the readers of everything that `yekta wait` waits for."""

    def make(parts: Parts) -> Sequence[Processor]:
        others = [processor() for processor in parts.processors() if processor().name in ("inbox", "letters")]
        return [Resolve(DEFAULT_RULES, parts.keys), Customer(parts.keys, piece=piece), *others]

    return make
