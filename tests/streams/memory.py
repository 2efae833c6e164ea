"""The log in memory: what Kafka is to the runner, without Kafka.

Topics, a publisher whose answers may be lost, and consumers whose partitions the test decides about.
Partition numbers begin at `base`, so that many histories can share one database without ever meeting.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import NodeNotReadyError, OffsetOutOfRangeError

from aggregates.log import Entry, NotAcknowledged
from aggregates.partition import partition_of

PARTITIONS = 3
BEGINNING_MS = 1_767_225_600_000


@dataclass(frozen=True, slots=True)
class Kept:
    """A record as aiokafka would hand it over."""

    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()


@dataclass(slots=True)
class Memory:
    """All topics of one history."""

    random: Random
    base: int = 0
    partitions: int = PARTITIONS
    faults: float = 0.0  # how often an append is refused, or kept but not acknowledged, or a fetch fails
    topics: dict[str, dict[int, list[Kept]]] = field(default_factory=dict)
    now: int = BEGINNING_MS
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def place(self, key: bytes) -> int:
        """The partition of a key."""
        return self.base + partition_of(key, self.partitions)

    @property
    def numbers(self) -> range:
        """The partitions there are."""
        return range(self.base, self.base + self.partitions)

    def records(self, topic: str, partition: int) -> list[Kept]:
        """What is kept of one partition."""
        return self.topics.setdefault(topic, {}).setdefault(partition, [])

    def all(self, topic: str) -> list[Kept]:
        """What is kept of a topic."""
        return [record for partition in self.numbers for record in self.records(topic, partition)]

    def append(self, topic: str, key: bytes, value: bytes | None, headers: Sequence[tuple[str, bytes]] = (), at: int | None = None) -> Kept:
        """Keep a record, in the partition of its key unless told where."""
        partition = self.place(key) if at is None else self.base + at
        records = self.records(topic, partition)
        self.now += 1
        kept = Kept(partition, len(records), self.now, key, value, tuple(headers))
        records.append(kept)
        self._news.set()
        self._news = asyncio.Event()
        return kept

    def ends(self, topic: str) -> dict[int, int]:
        """The end of every partition."""
        return {partition: len(self.records(topic, partition)) for partition in self.numbers}

    def trouble(self) -> bool:
        """Whether something goes wrong now."""
        return self.random.random() < self.faults

    async def publish(self, topic: str, records: Sequence[Entry]) -> Mapping[int, int]:
        """As `aggregates.log.Log`."""
        await asyncio.sleep(0)
        if self.trouble():
            raise NotAcknowledged("refused")
        ends: dict[int, int] = {}
        for key, value, headers in records:
            if self.trouble():
                raise NotAcknowledged("some of it is kept, and nobody says so")
            kept = self.append(topic, key, value, headers)
            ends[kept.partition] = kept.offset + 1
        await asyncio.sleep(0)
        if self.trouble():
            raise NotAcknowledged("all of it is kept, and nobody says so")
        return ends

    async def wait(self, seconds: float) -> None:
        """Until something is appended, or the time is over."""
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return


class Consumer:
    """As much of an aiokafka consumer as the runner needs; the test says who owns what by calling the runner's listener."""

    def __init__(self, memory: Memory, most: int = 2000) -> None:
        self.memory, self.most = memory, most
        self.at: dict[TopicPartition, int] = {}

    def subscribe(self, topics: Sequence[str], listener: Any) -> None:
        """Nothing is assigned by itself."""

    async def start(self) -> None:
        """Nothing is to be connected to."""

    async def stop(self) -> None:
        """Nothing was connected to."""

    async def end_offsets(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        if self.memory.trouble():
            raise NodeNotReadyError
        return {tp: len(self.memory.records(tp.topic, tp.partition)) for tp in partitions}

    async def beginning_offsets(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        if self.memory.trouble():
            raise NodeNotReadyError
        return {tp: records[0].offset if (records := self.memory.records(tp.topic, tp.partition)) else 0 for tp in partitions}

    async def offsets_for_times(self, times: Mapping[TopicPartition, int]) -> dict[TopicPartition, Kept | None]:
        return {
            tp: next((record for record in self.memory.records(tp.topic, tp.partition) if record.timestamp >= at), None)
            for tp, at in times.items()
        }

    def seek(self, tp: TopicPartition, offset: int) -> None:
        self.at[tp] = offset

    async def position(self, tp: TopicPartition) -> int:
        return self.at[tp]

    async def getmany(self, tp: TopicPartition, *, timeout_ms: int, max_records: int) -> dict[TopicPartition, list[Kept]]:
        if self.memory.trouble():
            raise NodeNotReadyError
        records = self.memory.records(tp.topic, tp.partition)
        if self.at[tp] >= len(records) and timeout_ms:
            await self.memory.wait(timeout_ms / 1000)
        await asyncio.sleep(0)
        at = self.at[tp]
        if records and at < records[0].offset:
            raise OffsetOutOfRangeError({tp: at})
        found = records[at : at + min(max_records, self.memory.random.randint(1, self.most))]
        self.at[tp] = at + len(found)
        return {tp: found} if found else {}
