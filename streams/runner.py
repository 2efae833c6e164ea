"""Runs one processor over the partitions that its consumer group gives to this process, a lane for each."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from aiokafka import ConsumerRebalanceListener, TopicPartition
from psycopg_pool import AsyncConnectionPool

from aggregates.log import Log
from streams.lane import DeadLetter, Lane
from streams.points import Point, passed
from streams.record import Connection, Processor
from streams.stillness import Mark

MAX_RECORDS = 2000


class Runner(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is untyped
    """Runs one processor over the partitions that its consumer group gives to this process."""

    def __init__(
        self,
        processor: Processor,
        *,
        consumer: Any,
        reader: Callable[[TopicPartition], Any] | None = None,
        publisher: Log,
        pool: AsyncConnectionPool[Connection],
        prefix: str,
        topic_id: str,
        dead_letter: DeadLetter,
        lets_go: bool = False,
        max_records: int = MAX_RECORDS,
        pause: float = 0.0,
        at: Point = passed,
    ) -> None:
        self.processor, self.consumer, self.reader, self.publisher, self.pool = processor, consumer, reader, publisher, pool
        self.prefix, self.topic_id, self.dead_letter, self.max_records = prefix, topic_id, dead_letter, max_records
        self.topic, self.lets_go, self.pause, self.at = prefix + processor.topic, lets_go, pause, at
        self.lanes: dict[int, Lane] = {}
        self._leaving = 0  # times that lanes are being let go just now
        self._failed: asyncio.Future[None] | None = None

    @property
    def name(self) -> str:
        """What runs here."""
        return self.processor.name

    async def run(self) -> None:
        """Run until cancelled. An unexpected error of any partition is raised here, and must end the process."""
        self._failed = asyncio.get_running_loop().create_future()
        self.consumer.subscribe([self.topic], listener=self)
        await self.consumer.start()
        try:
            await self._failed
        finally:
            await self.on_partitions_revoked(())
            await self.consumer.stop()

    async def on_partitions_revoked(self, revoked: Sequence[TopicPartition]) -> None:
        """Let what is under way end, then let go."""
        del revoked  # groups are eager: all of them
        lanes, self.lanes = self.lanes, {}
        self._leaving += 1
        try:
            for lane in lanes.values():
                lane.stop()
            await asyncio.gather(*(lane.task for lane in lanes.values() if lane.task), return_exceptions=True)
        finally:
            self._leaving -= 1

    async def let_go(self) -> None:
        """End what is under way in all partitions: this process is about to end."""
        await self.on_partitions_revoked(())

    async def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        """Begin where PostgreSQL says, whatever Kafka remembers."""
        if self.reader is not None:  # each lane reads by itself, and this consumer is for the group alone
            for tp in assigned:
                self.consumer.seek(tp, 0)  # or it would ask the group, which knows nothing
            self.consumer.pause(*assigned)
        for tp in assigned:
            lane = Lane(self, tp)
            self.lanes[tp.partition] = lane
            lane.task = asyncio.create_task(lane.live(), name=f"{self.processor.name}-{tp.partition}")
            lane.task.add_done_callback(self._ended)
        await asyncio.gather(*(lane.ready.wait() for lane in self.lanes.values()))

    def waiting(self) -> dict[int, Mark] | None:
        """Where it waits for Kafka, and for nothing else; None when it has no partition, and no batch of one that it had is under way."""
        if not self.lanes:
            return {} if self._leaving else None
        return {partition: Mark(lane.tenure, lane.settled) for partition, lane in self.lanes.items() if lane.asks}

    def _ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None and self._failed is not None and not self._failed.done():
            self._failed.set_exception(error)
