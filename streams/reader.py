"""A consumer of one partition that fetches when records are wanted, where aiokafka's own has fetched the next ones long before.

aiokafka asks for more as soon as some are taken. Under a steady load that is just after a batch has begun: what it gets then is what came
during the batch before, and it is taken when this one ends, so every record waits for a whole batch besides the one that it is in. And a
consumer of several partitions asks for all in one request: who has taken all of his waits until the others have taken theirs, or for a poll
of somebody to whom nobody writes. Here a batch that was small is followed by a fetch that begins when it has ended, and brings what came
meanwhile; after a large one the next is fetched beside it, for then there is a backlog, and it is throughput that counts.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

SMALL = 500
"""Records; of fewer, waiting for the next fetch costs less than the records would wait."""

CLOSING = 5.0
"""Seconds that closing may take; then the connections are left behind."""


class Reader(AIOKafkaConsumer):  # type: ignore[misc]  # aiokafka is untyped
    """A consumer without a group, of the one partition that it is sent to."""

    async def stop(self) -> None:
        """Close its connections."""
        with suppress(KafkaError, OSError, TimeoutError):
            async with asyncio.timeout(CLOSING):
                await super().stop()

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Go on there. Nothing is fetched before the first time."""
        if partition not in self.assignment():
            self.assign([partition])
        super().seek(partition, offset)

    async def getmany(self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None) -> dict[TopicPartition, Any]:
        """As aiokafka's."""
        self.resume(*partitions)
        batches: dict[TopicPartition, Any] = await super().getmany(*partitions, timeout_ms=timeout_ms, max_records=max_records)
        if 0 < sum(map(len, batches.values())) < min(SMALL, max_records or SMALL):
            self.pause(*partitions)
        return batches


async def started(make: Callable[[TopicPartition], Any], tp: TopicPartition) -> Any:
    """A consumer that is connected; one that could not connect leaves nothing behind. Raises KafkaError."""
    consumer = make(tp)
    try:
        await consumer.start()
    except BaseException:
        await consumer.stop()
        raise
    return consumer
