"""What the processors of one process share: pool, keys, publisher, and a consumer for each. Reading order: Parts.

Who hosts them is another module's: a worker has them under Faust, whose import takes as long as all of ours.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import partial
from time import monotonic
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from aggregates import dead_letter
from aggregates.identity import DEFAULT_RULES
from aggregates.log import NotAcknowledged
from aggregates.refusal import Refusal as Why
from aggregates.source import Source
from aggregates.touchpoint import derive
from infra import access, database, waiting
from infra.crashing import crash_points
from infra.decisions import DecisionStore
from infra.delivery.outgoing import Outgoing
from infra.endpoints import Endpoints
from infra.engines.kafka import LARGEST_MESSAGE
from infra.errors import Refusal
from infra.master_key import master_key
from infra.publishing import Publisher
from infra.sealing import KeyRing, check_master_key
from infra.settings import Settings
from infra.topics import create_topics, lets_go
from infra.watching import Asking, Watched, Watching
from projections.positions import stalls
from streams.accounts import Belonging
from streams.arrivals import Arrivals
from streams.broadcasting import Broadcasting
from streams.calls import Calls
from streams.contacting import Deciding
from streams.customer import Customer
from streams.cutting import Cutting
from streams.duplicates import Changed, Comparing
from streams.erasing import Erasing, Heeding
from streams.escalating import Escalating
from streams.estimating import Estimating
from streams.inbox import Inbox
from streams.learn import Learn
from streams.letters import Letters
from streams.parts import Part
from streams.reader import Reader
from streams.record import Bury, Connection, Processor, Publication
from streams.relay import Relay
from streams.resolve import Resolve
from streams.responding import Responding
from streams.ruling import Ruling
from streams.runner import Runner
from streams.scoring import Scoring
from streams.segmenting import Segmenting
from streams.telling import TELLERS
from streams.ticking import Ticking
from streams.timers import Releasing
from streams.triggering import Triggering
from streams.valuing import Fitting, Valuing

NEVER_MS = 2**31 - 1
POLL_MS = 1_000  # after which a partition that nobody writes to is asked for again
POOL = 12
PATIENCE = 60.0
"""After so many seconds in which a worker does nothing in a transaction (its machine is gone, or frozen) the partition is another's."""

HOPS = frozenset({"resolve", "customer"})
"""What somebody waits for: each partition is read by itself (`streams/reader`), and what each tells goes by a producer of its own, for one
sends its next request to a broker only when the last was answered."""

RESTS: Mapping[str, float] = {"arrivals": 1.0, "learn": 0.25, "calls": 0.1}
"""Seconds between two batches of a partition, of processors that nobody waits for so shortly; a first record is taken at once."""

BLOCK = 2_000


class Parts:
    """What the processors of one process share."""

    def __init__(self, settings: Settings, here: Endpoints, name: str) -> None:
        self.settings, self.here, self.name = settings, here, name
        self.master = master_key(settings)
        self.keys = KeyRing(self.master, BLOCK, derive("holder", name))
        publishing = partial(Publisher, here.kafka_client_kwargs, name="worker", at=crash_points())
        self.publisher, self.publishers = publishing(), {hop: publishing() for hop in HOPS}
        self.stack = AsyncExitStack()
        self.outgoing = Outgoing(settings, here.dsn, self.keys, self.publisher)
        self.topic_ids: dict[str, str] = {}
        self.partitions = 0
        self.watched: list[Watched] = []

    async def open(self) -> None:
        """Connect, and lease data keys for what the inbox and the dead letters seal."""
        async with AsyncExitStack() as opening:  # what is open already is closed when something is not there
            self.pool = await opening.enter_async_context(
                database.open_pool(self.here.dsn, name=self.name, largest=POOL, patience=PATIENCE)
            )
            async with self.pool.connection() as connection:
                await check_master_key(connection, self.master)
            await self.replenish()
            kafka = self.settings.kafka
            topics = await create_topics(
                self.here.kafka_client_kwargs, prefix=kafka.prefix, partitions=kafka.partitions, replication=kafka.replication
            )
            self.topic_ids = {name: topic.id for name, topic in topics.items()}
            self.partitions = topics[kafka.prefix + "customer-events"].partitions
            publishers = (self.publisher, *self.publishers.values())
            for publisher in publishers:
                opening.push_async_callback(publisher.stop)
            await asyncio.gather(*(publisher.start() for publisher in publishers))
            await self.outgoing.open(opening, self.name)
            self.stack = opening.pop_all()

    async def sender(self) -> Outgoing:
        """What sends all that goes out."""
        return self.outgoing

    async def replenish(self) -> None:
        """Lease data keys when half of them are used."""
        if self.keys.wants_lease():
            await self.keys.lease(self.pool)

    def processors(self) -> list[Callable[[], Processor]]:
        """What a worker runs."""
        return [
            lambda: Inbox(self.keys, self.replenish, _whose),
            lambda: Resolve(DEFAULT_RULES, self.keys),
            lambda: Customer(self.keys, parts=self.parts()),
            lambda: Learn(self.partitions, self.master.signing, _now),
            Letters,
            Calls,
            Arrivals,
        ]

    def parts(self) -> list[Part]:
        """What hears the facts that are folded, in the same transaction."""
        scoring = Scoring(self.keys, _now, self.master.signing, self.touchpoints_end)
        return [scoring, Valuing(self.keys, _now), Changed(), Belonging(), Responding(), *self.rules()]

    def rules(self) -> list[Part]:
        """What runs the published rules and segments; the timers come last."""
        ticking = Ticking(monotonic, _now)
        return [Triggering(self.keys, Deciding(self.keys), ticking), Segmenting(self.keys, ticking, _now), ticking]

    async def broadcasting(self) -> Broadcasting:
        """What tells every partition what is in force."""
        topic = self.settings.kafka.prefix + "customer-events"

        async def partitions() -> int:
            return len(await self.publisher.ends([topic]))

        return Broadcasting(self.pool, self.publisher, topic, partitions)

    async def ruling(self) -> Ruling:
        """What tells every partition by which rules identifiers make customers."""
        topic = self.settings.kafka.prefix + "touchpoints"

        async def partitions() -> int:
            return len(await self.publisher.ends([topic]))

        return Ruling(self.pool, self.publisher, topic, partitions, self.keys)

    async def fitting(self) -> Fitting:
        """What fits the models of customer value anew."""
        return Fitting(self.pool, _now)

    async def cutting(self) -> Cutting:
        """What publishes quantiles of scores."""
        return Cutting(self.pool)

    async def comparing(self) -> Comparing:
        """What compares customers who changed with those they may be one with; of all workers one does."""
        return Comparing(self.pool, self.keys)

    async def estimating(self) -> Estimating:
        """What learns by which weights they are compared; of all workers one does."""
        return Estimating(self.pool, self.keys, DecisionStore(self.here.dsn), _now)

    async def heeding(self) -> Heeding:
        """What stops this process from sealing with keys that are to be destroyed."""
        return Heeding(self.pool, self.keys)

    async def erasing(self) -> Erasing:
        """What ends erasures; of all workers one does."""

        async def settled() -> None:
            try:
                await waiting.wait(self.settings)
            except Refusal as halted:
                raise NotAcknowledged(str(halted)) from halted  # a partition stands still: until it goes on, so does this

        return Erasing(self.here.dsn, self.keys, settled, rest=self.settings.erasure_rest, at=crash_points())

    async def releasing(self) -> Releasing:
        """What says how far timers may go."""
        return Releasing(self.pool, self.touchpoints_end)

    async def touchpoints_end(self) -> dict[int, int]:
        """Where `touchpoints` ends, by partition."""
        topic = self.settings.kafka.prefix + "touchpoints"
        return {partition: end for (_, partition), end in (await self.publisher.ends([topic])).items()}

    async def escalating(self) -> Escalating:
        """What acts when service requests are late; of all workers one does."""
        return Escalating(DecisionStore(self.here.dsn), self.keys, dsn=self.here.dsn, clock=lambda: datetime.now(UTC))

    async def relay(self) -> Relay:
        """What tells the log of decisions; of all workers one does."""
        return Relay(
            TELLERS,
            self.keys,
            self.publisher,
            dsn=self.here.dsn,
            prefix=self.settings.kafka.prefix,
            zone=self.settings.zone,
            replenish=self.replenish,
            at=crash_points(),
        )

    def maker(self, processor: Callable[[], Processor]) -> Callable[[], Awaitable[Runner]]:
        """How the app makes a runner, once its loop runs."""

        async def make() -> Runner:
            return self.runner(processor())

        return make

    def watching(self, kafka: Asking, clock: Callable[[], float]) -> Watching:
        """What ends this process when one of its clients hangs."""

        async def tell(places: Sequence[tuple[str, int]]) -> None:
            async with self.pool.connection() as connection:
                await stalls.add(connection, places)

        return Watching(self.watched, kafka, tell, patience=self.settings.standstill, clock=clock)

    async def watch(self) -> Watching:
        """The same, as time goes by."""
        return self.watching(Asking(self.here.kafka_client_kwargs), monotonic)

    def runner(self, processor: Processor) -> Runner:
        """A runner with its own consumer group and a static membership under this worker's name."""
        prefix = self.settings.kafka.prefix
        group, client = f"{prefix}{processor.name}", f"yekta-{self.name}-{processor.name}"
        reading = dict[str, Any](
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed",  # what a producer took back was never said
            max_partition_fetch_bytes=LARGEST_MESSAGE,
            fetch_max_bytes=4 * LARGEST_MESSAGE,
            **self.here.kafka_client_kwargs,
        )
        consumer = AIOKafkaConsumer(
            group_id=group,
            group_instance_id=f"{self.name}-{processor.name}",
            client_id=client,
            session_timeout_ms=10_000,
            heartbeat_interval_ms=3_000,
            rebalance_timeout_ms=15_000,
            max_poll_interval_ms=NEVER_MS,
            **reading,
        )

        def reader(tp: TopicPartition) -> Reader:
            return Reader(client_id=f"{client}-{tp.partition}", fetch_max_wait_ms=POLL_MS, **reading)

        runner = Runner(
            processor,
            consumer=consumer,
            reader=reader if processor.name in HOPS else None,
            publisher=self.publishers.get(processor.name, self.publisher),
            pool=self.pool,
            prefix=prefix,
            topic_id=self.topic_ids[prefix + processor.topic],
            dead_letter=self.dead_letter,
            lets_go=lets_go(processor.topic),
            pause=RESTS.get(processor.name, 0.0),
            at=crash_points(),
        )
        self.watched.append(Watched(processor.name, group, client, runner.topic, runner.waiting, runner.let_go))
        return runner

    def dead_letter(self, bury: Bury, topic: str) -> Publication:
        """The dead letter of a record that a processor could not understand."""
        record = bury.record
        letter = dead_letter.bury(
            bury.raw if bury.raw is not None else record.value or b"",
            Why(bury.reason, bury.pointer, bury.detail, bury.mend),  # type: ignore[arg-type]  # processors have reasons of their own
            bury.source or topic,
            dead_letter.Place("", topic, record.partition, record.offset),
            datetime.fromtimestamp(record.timestamp / 1000, UTC),
            self.keys,
            bury.content_type,
            record.key or b"",
            bury.event,
        )
        key, value, headers = dead_letter.record(letter)
        return Publication("dead-letters", key, value, tuple(headers))


async def _whose(connection: Connection, keys: Collection[str]) -> Mapping[str, Source]:
    return await access.sources_of(connection, keys, _now())


def _now() -> datetime:
    return datetime.now(UTC)
