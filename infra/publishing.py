"""Appends to Kafka: what arrives while a batch is on its way makes the next one, so no request waits for a timer.

aiokafka's `send` costs a coroutine and a future a record. Here a request costs one future a partition: its records are appended to the
partition's open batch, and each partition has one batch in flight. A producer that failed for good (a fenced or broken sequence), or that
says nothing of a batch for longer than it takes to ask again, is replaced. Reading order: Publisher, _Lane.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaTimeoutError
from aiokafka.producer.message_accumulator import BatchBuilder

from aggregates.log import Entry, NotAcknowledged
from aggregates.partition import partition_of
from infra.topic_ids import UNANSWERED, NoAnswerError, ask
from streams.points import Point, passed

BATCH_BYTES = 2 << 20
REQUEST_BYTES = 12 << 20
REQUEST_SECONDS = 30
SILENT = REQUEST_SECONDS + 15.0
"""Seconds after which a batch that nothing is said of is given up, and its producer with it: after a kill of the broker one stood still and
never asked again. What it may still write comes twice then, as after any retry, and dies at its receipt."""

ANSWER = 3.0  # seconds in which Kafka says where topics end
WAITING_BYTES = 64 << 20
"""What may wait for acknowledgement before more is refused: a door must not grow while Kafka is away."""

log = structlog.get_logger(__name__)
_partition = lru_cache(200_000)(partition_of)

Ends = asyncio.Future[int | Exception]
"""The offset after a request's records in one batch, or why there is none; never an exception, for nobody may be waiting any more."""


@dataclass(slots=True)
class _Open:
    """A batch that is still growing, and the requests that wait for its end."""

    builder: BatchBuilder
    size: int = 0
    waiters: list[tuple[Ends, int]] = field(default_factory=list)


class Publisher:
    """The adapter of `aggregates.log.Log`."""

    def __init__(self, options: Mapping[str, Any], *, timeout: float = 10.0, name: str = "log", at: Point = passed) -> None:
        self._name, self._at = name, at
        self._options = options
        self._timeout = timeout
        self._producer: AIOKafkaProducer | None = None
        self._lanes: dict[tuple[str, int], _Lane] = {}
        self._counts: dict[str, int] = {}
        self._connecting: asyncio.Task[None] | None = None
        self._consumer: AIOKafkaConsumer | None = None
        self._ending: asyncio.Task[None] | None = None
        self.waiting = 0  # bytes

    async def start(self) -> None:
        """Connect; when Kafka is not there yet, go on trying in the background and refuse until then."""
        self._connecting = asyncio.create_task(self._connect())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5):
                await asyncio.shield(self._connecting)

    async def stop(self) -> None:
        """Let what is on its way arrive, for a while, then close."""
        if self._connecting is not None:
            self._connecting.cancel()
        for lane in self._lanes.values():
            await lane.stop()
        if self._consumer is not None:
            await self._consumer.stop()
        if self._producer is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(5):
                    await self._producer.stop()

    async def reachable(self) -> bool:
        """Whether a broker answers now."""
        try:
            await ask(self._options, within=2)
        except NoAnswerError:
            return False
        return self._producer is not None

    async def ends(self, topics: Sequence[str]) -> Mapping[tuple[str, int], int]:
        """The offset after the last record of every partition of these topics."""
        consumer = self._consumer
        try:
            async with asyncio.timeout(ANSWER):
                if consumer is None:
                    consumer = AIOKafkaConsumer(**self._options, client_id="yekta-api", enable_auto_commit=False)
                    try:
                        await consumer.start()
                    except BaseException:
                        await consumer.stop()
                        raise
                    self._consumer = consumer
                partitions = [
                    TopicPartition(topic, number) for topic in topics for number in await self._producer_or_raise().partitions_for(topic)
                ]
                found = await consumer.end_offsets(partitions)
        except UNANSWERED as error:
            if self._consumer is consumer:  # else somebody who asked at the same time has replaced it
                self._forget_consumer()
            raise NotAcknowledged("Kafka does not say where its topics end.") from error
        return {(place.topic, place.partition): end for place, end in found.items()}

    def _forget_consumer(self) -> None:
        """The next question goes through a new one: one that says nothing may hang for good, and so may its end."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            self._ending = asyncio.create_task(_end(consumer))

    def _producer_or_raise(self) -> AIOKafkaProducer:
        if self._producer is None:
            raise NotAcknowledged("Kafka is not reachable.")
        return self._producer

    async def publish(self, topic: str, records: Sequence[Entry]) -> Mapping[int, int]:
        """The offsets after the records, once every in-sync replica has them. Raises NotAcknowledged."""
        if not records:
            return {}
        producer = self._producer_or_raise()
        if self.waiting > WAITING_BYTES:
            raise NotAcknowledged("Too much is waiting for Kafka.")
        count = self._counts.get(topic) or await self._partitions(producer, topic)
        placed: dict[int, list[Entry]] = {}
        for record in records:
            placed.setdefault(_partition(record[0], count), []).append(record)
        futures = [
            (partition, future) for partition, some in placed.items() for future in self._lane(topic, partition).append(producer, some)
        ]
        await self._at(f"{self._name}.sent")
        await asyncio.wait([future for _, future in futures], timeout=self._timeout)
        ends = _ends(futures)
        await self._at(f"{self._name}.acknowledged")
        return ends

    def _lane(self, topic: str, partition: int) -> "_Lane":
        lane = self._lanes.get((topic, partition))
        if lane is None:
            lane = self._lanes[topic, partition] = _Lane(self, topic, partition)
        return lane

    async def _partitions(self, producer: AIOKafkaProducer, topic: str) -> int:
        try:
            async with asyncio.timeout(self._timeout):
                partitions = await producer.partitions_for(topic)
        except UNANSWERED as error:
            raise NotAcknowledged(f"Topic {topic} is not to be found.") from error
        self._counts[topic] = len(partitions)
        return len(partitions)

    async def _connect(self) -> None:
        wait = 0.25
        while True:
            producer = AIOKafkaProducer(
                **self._options,
                client_id="yekta-api",
                enable_idempotence=True,
                acks="all",
                linger_ms=0,
                max_batch_size=BATCH_BYTES,
                max_request_size=REQUEST_BYTES,
                request_timeout_ms=REQUEST_SECONDS * 1000,
            )
            try:
                await producer.start()
            except UNANSWERED as error:
                log.warning("kafka_unreachable", error=type(error).__name__)
                await producer.stop()
                await asyncio.sleep(wait)
                wait = min(wait * 2, 2.0)
                continue
            except asyncio.CancelledError:
                await producer.stop()
                raise
            self._producer = producer
            return

    def replace(self, broken: AIOKafkaProducer, error: Exception) -> None:
        """Go on with a new producer: this one's sequence is broken and it would refuse everything from now on."""
        if self._producer is not broken:
            return
        log.error("producer_replaced", error=type(error).__name__)
        self._producer = None
        self._connecting = asyncio.create_task(self._exchange(broken, self._connect))

    @staticmethod
    async def _exchange(broken: AIOKafkaProducer, connect: Callable[[], Awaitable[None]]) -> None:
        with contextlib.suppress(Exception):
            async with asyncio.timeout(5):
                await broken.stop()
        await connect()


class _Lane:
    """One partition's way to the broker: what is on its way, and what gathers meanwhile."""

    def __init__(self, publisher: Publisher, topic: str, partition: int) -> None:
        self._publisher = publisher
        self._topic = topic
        self._partition = partition
        self._gathering: deque[_Open] = deque()
        self._carrying: asyncio.Task[None] | None = None

    def append(self, producer: AIOKafkaProducer, records: Sequence[Entry]) -> list[Ends]:
        """Add records to the open batch, to as many as it takes; each future gives the offset after the records in one batch."""
        loop = asyncio.get_running_loop()
        futures = []
        batch = self._gathering[-1] if self._gathering else self._open(producer)
        size = 0
        for key, value, pairs in records:
            headers = pairs if isinstance(pairs, list) else list(pairs)  # the builder is compiled and takes nothing else
            if batch.builder.append(timestamp=None, key=key, value=value, headers=headers) is None:
                if size:
                    futures.append(self._await(loop, batch, size))
                batch, size = self._open(producer), 0
                batch.builder.append(timestamp=None, key=key, value=value, headers=headers)
            size += len(value)
        futures.append(self._await(loop, batch, size))
        if self._carrying is None or self._carrying.done():
            self._carrying = asyncio.create_task(self._carry(producer))
        return futures

    async def stop(self) -> None:
        """Let what was appended arrive, for a while."""
        if self._carrying is not None:
            await asyncio.wait([self._carrying], timeout=5)
            self._carrying.cancel()

    def _open(self, producer: AIOKafkaProducer) -> _Open:
        batch = _Open(producer.create_batch())
        self._gathering.append(batch)
        return batch

    def _await(self, loop: asyncio.AbstractEventLoop, batch: _Open, size: int) -> Ends:
        future: Ends = loop.create_future()
        batch.waiters.append((future, batch.builder.record_count()))
        batch.size += size
        self._publisher.waiting += size
        return future

    async def _carry(self, producer: AIOKafkaProducer) -> None:
        """Send what has gathered, one batch at a time, until nothing has."""
        while self._gathering:
            batch = self._gathering.popleft()
            batch.builder.close()
            outcome = await self._send(producer, batch)
            self._publisher.waiting -= batch.size
            for future, count in batch.waiters:
                if not future.done():
                    future.set_result(outcome if isinstance(outcome, Exception) else outcome + count)

    async def _send(self, producer: AIOKafkaProducer, batch: _Open) -> int | Exception:
        try:
            acknowledged = await producer.send_batch(batch.builder, self._topic, partition=self._partition)
            await asyncio.wait([acknowledged], timeout=SILENT)
            if not acknowledged.done():
                raise KafkaTimeoutError
            offset = int(acknowledged.result().offset)
        except (*UNANSWERED, AssertionError) as error:
            self._publisher.replace(producer, error)
            return NotAcknowledged(f"Kafka refused: {type(error).__name__}.")
        # A retry that the broker knew already comes back without its offset: it is written, but where nobody says.
        return offset if offset >= 0 else NotAcknowledged("Kafka acknowledged without an offset.")


async def _end(consumer: AIOKafkaConsumer) -> None:
    with contextlib.suppress(Exception):
        async with asyncio.timeout(5):
            await consumer.stop()


def _ends(futures: Sequence[tuple[int, Ends]]) -> Mapping[int, int]:
    ends: dict[int, int] = {}
    for partition, future in futures:
        if not future.done():
            raise NotAcknowledged("Kafka did not acknowledge in time.")
        outcome = future.result()
        if isinstance(outcome, Exception):
            raise outcome
        ends[partition] = max(ends.get(partition, 0), outcome)
    return ends
