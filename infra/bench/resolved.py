"""A backlog that is resolved once and folded often: its database and its log are copied into the world of each measurement that folds.

What is copied keeps its partitions and its offsets, so the positions in the database are right in the copy also. Reading order: Resolved.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aggregates.log import Entry
from infra import database, waiting
from infra.backlog import backlog
from infra.bench.feed import append
from infra.bench.ground import Ground, World, customer_events, touchpoints


@dataclass(frozen=True, slots=True)
class Resolved:
    """A world in which everything is resolved and nothing is folded, and what its log holds."""

    world: World
    touchpoints: Sequence[Entry]
    events: Sequence[Entry]

    @classmethod
    async def of(cls, world: World, records: Sequence[Entry]) -> "Resolved":
        """Such a world, into which these records were put. Nobody may work in it while it is copied."""
        topic = customer_events(world)
        async with backlog(world.endpoints, topic, await waiting.ends(world.endpoints, topic)) as some:
            events = [(record.key, record.value, list(record.headers)) async for _, found in some for record in found]
        return cls(world, records, events)

    @asynccontextmanager
    async def copy(self, ground: Ground) -> AsyncIterator[World]:
        """Another world like it; resolving may go on there."""
        async with ground.world(like=self.world) as world:
            await append(world, self.touchpoints)
            await append(world, self.events, customer_events(world))
            async with await database.connect(world.endpoints.dsn) as connection:
                topic = touchpoints(world)
                await connection.execute(
                    "UPDATE streams.positions SET topic = %s, topic_id = %s WHERE processor = 'resolve'", (topic, world.topic_ids[topic])
                )
                await connection.commit()
            yield world
