"""Publishes many records at once and knows where each ended up: batches built per partition, one acknowledgement each."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from aggregates.partition import partition_of
from streams.record import Publication

KEYS = 200_000


class Publisher:
    """A thin coat over aiokafka's idempotent producer with `acks=all`; raises its KafkaError when something is not acknowledged."""

    def __init__(self, producer: Any, prefix: str) -> None:
        self._producer = producer
        self._prefix = prefix
        self._partitions: dict[bytes, int] = {}
        self._counts: dict[str, int] = {}
        self._lanes: defaultdict[tuple[str, int], asyncio.Lock] = defaultdict(asyncio.Lock)

    async def publish(self, publications: Iterable[Publication]) -> dict[str, dict[int, int]]:
        """Send all, in order per key; returns per topic and partition the offset after the last one acknowledged."""
        lanes: defaultdict[tuple[str, int], list[Publication]] = defaultdict(list)
        for publication in publications:
            lanes[publication.topic, await self._partition(publication)].append(publication)
        ends = await asyncio.gather(*(self._lane(topic, partition, rows) for (topic, partition), rows in lanes.items()))
        reached: dict[str, dict[int, int]] = {}
        for (topic, partition), end in zip(lanes, ends, strict=True):
            reached.setdefault(topic, {})[partition] = end
        return reached

    async def _partition(self, publication: Publication) -> int:
        topic = publication.topic
        if topic not in self._counts:
            self._counts[topic] = len(await self._producer.partitions_for(self._prefix + topic))
        known = self._partitions.get(publication.key)
        if known is None:
            if len(self._partitions) >= KEYS:
                self._partitions.clear()
            known = self._partitions[publication.key] = partition_of(publication.key, 1 << 31)
        return known % self._counts[topic]

    async def _lane(self, topic: str, partition: int, rows: list[Publication]) -> int:
        """One partition's records, in order: several batches when one is full."""
        async with self._lanes[topic, partition]:
            return await self._send(topic, partition, rows)

    async def _send(self, topic: str, partition: int, rows: list[Publication]) -> int:
        end, batch, filled = 0, self._producer.create_batch(), 0
        for row in rows:
            while batch.append(key=row.key, value=row.value, timestamp=None, headers=row.headers) is None:
                end = await self._flush(batch, topic, partition, filled)
                batch, filled = self._producer.create_batch(), 0
            filled += 1
        return max(end, await self._flush(batch, topic, partition, filled))

    async def _flush(self, batch: Any, topic: str, partition: int, filled: int) -> int:
        batch.close()
        future = await self._producer.send_batch(batch, self._prefix + topic, partition=partition)
        metadata = await future
        return int(metadata.offset) + filled
