"""Ends a worker whose Kafka client hangs: its partitions would stand still, and nobody would know (docs/decisions/0018).

What is asked of Kafka is asked by clients made for it, within a time limit. Reading order: Watching.look, Asking.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import for_code

from streams.stillness import OUTSIDE, Mark, Place, Watch, lacking, looked, overdue

EVERY = 15.0  # seconds between two looks
ANSWER = 10.0  # seconds that Kafka has for the answers of one look
PARTING = 5.0  # seconds for what is under way elsewhere in the process, before it ends

log = structlog.get_logger()


class Stalled(Exception):
    """Kafka has something for this process, and this process does not get it."""


@dataclass(frozen=True, slots=True)
class Watched:
    """One who reads a topic as a member of a group."""

    name: str
    group: str
    member: str  # its client's id: the group knows it by that
    topic: str
    waiting: Callable[[], Mapping[int, Mark] | None]  # partitions in which it waits for Kafka alone; None: it has none, and rests
    let_go: Callable[[], Awaitable[None]] | None = None


class Answering(Protocol):
    """Who knows what Kafka has; both raise or never return when it is not there."""

    async def kept(self, places: Collection[TopicPartition]) -> Mapping[TopicPartition, range]:
        """The offsets that are there for readers of committed records."""
        ...

    async def members(self, groups: Collection[str]) -> Mapping[str, Collection[str]]:
        """The ids of the clients in each group."""
        ...


Tell = Callable[[Sequence[tuple[str, int]]], Awaitable[None]]
"""Keeps it where it is seen when this process is gone: the names of who hung, each with a partition or OUTSIDE."""


class Watching:
    """Looks at all who read in this process; raises `Stalled` when one of them hangs."""

    name = "watching"

    def __init__(self, readers: Sequence[Watched], kafka: Answering, tell: Tell, *, patience: float, clock: Callable[[], float]) -> None:
        self._readers, self._kafka, self._tell, self._patience, self._clock = readers, kafka, tell, patience, clock
        self._every = min(EVERY, patience / 4)
        self._watch = Watch(clock())

    async def run(self) -> None:
        """Look until cancelled, or until somebody hangs."""
        while True:
            await asyncio.sleep(self._every)
            await self.look()

    async def look(self) -> None:
        """Look once. Raises Stalled."""
        at = self._clock()
        self._watch = looked(self._watch, at, await self._lacking(), every=self._every)
        if places := overdue(self._watch, self._patience):
            said = [name if partition == OUTSIDE else f"{name}-{partition}" for name, partition in places]
            log.critical("kafka_client_hangs", stalled=said, settled=[self._watch.since[place][0].settled for place in places])
            await self._part(places)
            raise Stalled(f"Nothing comes of {', '.join(said)}, and there is something.")

    async def _lacking(self) -> Mapping[Place, Mark] | None:
        """Who lacks what is there; None when Kafka does not say what is."""
        waits = [(reader, reader.waiting()) for reader in self._readers]
        outside = [reader for reader, marks in waits if marks is None]
        waiting = {(reader.name, partition): mark for reader, marks in waits for partition, mark in (marks or {}).items()}
        places = {(reader.name, partition): TopicPartition(reader.topic, partition) for reader, marks in waits for partition in marks or ()}
        asking = asyncio.create_task(self._ask(set(places.values()), [reader.group for reader in outside]))
        await asyncio.wait([asking], timeout=ANSWER)
        if not asking.done():
            asking.cancel()  # nor is it waited for: what hangs may do so in being cancelled too
            return None
        if error := asking.exception():  # whatever it is, of who could not ask nobody has to die
            log.warning("watch_without_an_answer", error=type(error).__name__)
            return None
        kept, members = asking.result()
        strangers = {(reader.name, OUTSIDE): Mark() for reader in outside if reader.member not in members[reader.group]}
        return lacking(waiting, {place: kept[tp] for place, tp in places.items()}) | strangers

    async def _ask(
        self, places: Collection[TopicPartition], outside: Collection[str]
    ) -> tuple[Mapping[TopicPartition, range], Mapping[str, Collection[str]]]:
        return await self._kafka.kept(places) if places else {}, await self._kafka.members(outside) if outside else {}

    async def _part(self, places: Sequence[Place]) -> None:
        """Tell of it, and let the others end what they have under way: no death is counted where nobody died of a record."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PARTING):
                letting_go = (reader.let_go() for reader in self._readers if reader.let_go)
                await asyncio.gather(self._tell(places), *letting_go, return_exceptions=True)


class Asking:
    """The adapter of `Answering`: a new client for each question, for one that is kept may hang as well."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = options

    async def kept(self, places: Collection[TopicPartition]) -> Mapping[TopicPartition, range]:
        """The offsets that are there for readers of committed records."""
        consumer = AIOKafkaConsumer(**self._options, enable_auto_commit=False, isolation_level="read_committed")
        try:
            await consumer.start()
            begin, end = await consumer.beginning_offsets(list(places)), await consumer.end_offsets(list(places))
            return {place: range(begin[place], end[place]) for place in places}
        finally:
            await consumer.stop()

    async def members(self, groups: Collection[str]) -> Mapping[str, Collection[str]]:
        """The ids of the clients in each group."""
        admin = AIOKafkaAdminClient(**self._options)
        try:
            await admin.start()
            answers = await admin.describe_consumer_groups(list(groups))
        finally:
            await admin.close()
        found: dict[str, Collection[str]] = {}
        for answer in answers:
            for error, group, _, _, _, members, *_ in answer.groups:
                if error:
                    raise for_code(error)(group)
                found[group] = {client for _, client, *_ in members}
        return found
