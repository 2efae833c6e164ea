"""Follows what is appended to topics from now on, for a live page: one consumer of its own, in no group, that commits nothing."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer

from aggregates.log import NotAcknowledged
from api.ports import Appended, Following
from infra.topic_ids import UNANSWERED

WAIT_MS = 1000


class Follower:
    """The adapter of `api.ports.Follow`."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = options
        self._ending: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def __call__(self, topics: Sequence[str]) -> AsyncIterator[Following]:
        """What is appended after this moment. Raises NotAcknowledged when Kafka is not there."""
        consumer = AIOKafkaConsumer(
            *topics,
            **self._options,
            client_id="yekta-follower",
            enable_auto_commit=False,
            auto_offset_reset="latest",
            fetch_max_wait_ms=250,
        )
        starting = asyncio.create_task(consumer.start())
        try:
            try:
                await asyncio.shield(starting)
                places = consumer.assignment()
                await consumer.seek_to_end(*places)
                for place in places:
                    await consumer.position(place)  # from here on, also when nothing is asked for a while
            except UNANSWERED as error:
                raise NotAcknowledged("Kafka is not reachable.") from error
            yield _Records(consumer).next
        finally:
            # Who closes the page cancels this too, whatever is awaited: a consumer that began to start is started, and then stopped.
            ending = asyncio.create_task(_end(consumer, starting))
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)
            await asyncio.shield(ending)


async def _end(consumer: AIOKafkaConsumer, starting: asyncio.Task[None]) -> None:
    await asyncio.wait([starting])
    await consumer.stop()


class _Records:
    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer

    async def next(self) -> list[Appended]:
        try:
            some = await self._consumer.getmany(timeout_ms=WAIT_MS)
        except UNANSWERED as error:
            raise NotAcknowledged("Kafka is not reachable.") from error
        return [Appended(place.topic, record.value or b"", record.headers) for place, records in some.items() for record in records]
