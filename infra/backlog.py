"""Reads a topic up to offsets that were captured, in no group and committing nothing. Reading order: backlog."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from infra.endpoints import Endpoints
from infra.engines.kafka import LARGEST_MESSAGE

FROM_THE_BEGINNING: Mapping[int, int] = MappingProxyType({})

Some = tuple[int, list[Any]]
"""A partition, and its next records."""


@asynccontextmanager
async def backlog(
    here: Endpoints, topic: str, target: Mapping[int, int], begin: Mapping[int, int] = FROM_THE_BEGINNING, *, most: int = 10_000
) -> AsyncIterator[AsyncIterator[Some]]:
    """The records of each partition from `begin` on and before `target`, both offsets by partition; `most` at once, in order."""
    left = {TopicPartition(topic, partition): end for partition, end in target.items() if begin.get(partition, 0) < end}
    if not left:
        yield _before(None, left, most)
        return
    consumer = AIOKafkaConsumer(**here.kafka_client_kwargs, enable_auto_commit=False, max_partition_fetch_bytes=LARGEST_MESSAGE)
    try:
        await consumer.start()
        consumer.assign(list(left))
        for place in left:
            consumer.seek(place, begin.get(place.partition, 0))
        yield _before(consumer, left, most)
    finally:
        await consumer.stop()


async def _before(consumer: Any, left: dict[TopicPartition, int], most: int) -> AsyncIterator[Some]:
    while left:
        for place, records in (await consumer.getmany(timeout_ms=1000, max_records=most)).items():
            end = left[place]
            if records[-1].offset + 1 >= end:
                del left[place]
                consumer.pause(place)
            if before := [record for record in records if record.offset < end]:
                yield place.partition, before
