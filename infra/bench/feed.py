"""Turns the workload into what is measured with: records of `touchpoints` as a door would have appended them, or bodies to post to a door.

Reading order: Feed, prepare, append, bodies.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec

from aggregates.log import Entry
from aggregates.reading import read
from aggregates.sealing import seal
from aggregates.source import Source
from aggregates.touchpoint import Touchpoint
from infra import database
from infra.bench.ground import Ground, World, touchpoints
from infra.bench.workload import Mix
from infra.errors import Refusal
from infra.master_key import master_key
from infra.publishing import Publisher
from infra.sealing import KeyRing, check_master_key

SOURCE = Source("bench")
CHUNK = 2_000
"""So many events at a time; each may need a data key of its own, so that many are leased before."""

JSON = "application/cloudevents-batch+json"


class Events(Protocol):
    """Where events come from."""

    def take(self, count: int) -> list[dict[str, Any]]:
        """The next so many."""
        ...


class Feed:
    """Seals the events of a mix with data keys of one database."""

    def __init__(self, dsn: str, keys: KeyRing, mix: Events) -> None:
        self._dsn, self._keys, self._mix = dsn, keys, mix
        self._recorded = datetime.now(UTC)

    @classmethod
    async def of(cls, world: World, mix: Events) -> "Feed":
        """A feed whose data keys the world's database knows."""
        master = master_key(world.settings)
        async with await database.connect(world.endpoints.dsn) as connection:
            await check_master_key(connection, master)
        return cls(world.endpoints.dsn, KeyRing(master, CHUNK), mix)

    async def take(self, count: int) -> list[Entry]:
        """The next so many events as records."""
        records: list[Entry] = []
        async with database.open_pool(self._dsn, name="yekta-bench") as pool:
            while len(records) < count:
                some = min(CHUNK, count - len(records))
                while self._keys.free < some:
                    await self._keys.lease(pool)
                records += [self._record(event) for event in self._mix.take(some)]
        return records

    def _record(self, event: dict[str, object]) -> Entry:
        touchpoint = read(event, SOURCE, self._recorded)
        if not isinstance(touchpoint, Touchpoint):
            raise Refusal(f"An event of the workload is refused: {touchpoint.detail}.")
        return (*seal(touchpoint, self._keys), [])


@dataclass(frozen=True, slots=True)
class Prepared:
    """A database to copy, and the records that its data keys open."""

    world: World
    records: Sequence[Entry]


@asynccontextmanager
async def prepare(ground: Ground, mix: Mix, count: int) -> AsyncIterator[Prepared]:
    """So many records of the mix, and the database that worlds for them are copied from."""
    async with ground.world() as world:
        yield Prepared(world, await (await Feed.of(world, mix)).take(count))


async def append(world: World, records: Sequence[Entry], topic: str = "") -> None:
    """Put the records into the world's `touchpoints`, or into another topic."""
    publisher = Publisher(world.endpoints.kafka_client_kwargs, timeout=60)
    await publisher.start()
    try:
        for begin in range(0, len(records), CHUNK):
            await publisher.publish(topic or touchpoints(world), records[begin : begin + CHUNK])
    finally:
        await publisher.stop()


def bodies(mix: Events, requests: int, size: int) -> list[bytes]:
    """The bodies of so many requests with so many events each."""
    return [msgspec.json.encode(mix.take(size)) for _ in range(requests)]
