"""One partition's life with a worker: take a batch, move the position, apply, commit, publish, and on trouble do the right thing.

A processor knows nothing of what happens here, and nothing happens here that a processor would know. Reading order: Lane.live, _begin,
_batch, _alone, _persist.

What can go wrong, and what follows:
* a passing fault (a connection, a broker): the same batch again, after a pause; the partition waits, the others go on;
* bad content that PostgreSQL refuses (SQLSTATE 22 or 23): the batch again one record at a time, the culprit dead-lettered; what a
  processor itself cannot understand it returns as `Bury`, and the batch goes on;
* another worker owns the partition now: nothing was written; stop, and leave it to him;
* `Halt`, or a data key that was lost: the partition stands still and says why;
* records gone before they were read: a `Halt` where the topic is kept for ever; else what is left goes on, and says how many were lost;
* two deaths at one position: one record at a time, remembered before it is tried; the one of which the process then ends three times more
  is dead-lettered. Where nobody can say of what it died it takes twenty: an operator's kill -9 must not be taken for a poisonous record;
* anything else ends the process: its supervisor starts it again, and the two deaths above are counted.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol, TypeVar

import psycopg
import structlog
from aiokafka import TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from aggregates.log import Entry, Log, NotAcknowledged
from aggregates.sealing import KeyMissing
from projections.positions import table as positions
from streams import outbox
from streams.claiming import check_log, claim
from streams.points import Point
from streams.reader import started
from streams.record import Batch, Bury, Connection, Effect, Halt, Processor, Publication, Record, Shorter

IDLE_MS = 500
SOON_MS = 5  # what came during a batch is fetched when it has ended, and is here by then: it is taken before that is written
DEATHS = 2  # at one position, after which records are tried one at a time
ALONE = 200  # records that are tried one at a time before whole batches are dared again
DEADLY = 20  # deaths while one record was tried alone, after which it is taken for the cause
FAILED = 6  # deaths for which one counts besides whose own exception tells that the record was the cause
PAUSES = (0.05, 0.2, 0.5, 1.0, 2.0)
PASSING = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.IdleInTransactionSessionTimeout,  # we stood still for so long that PostgreSQL let the next owner in
    PoolTimeout,
    KafkaError,
    NotAcknowledged,
    OSError,
    TimeoutError,
)

DeadLetter = Callable[[Bury, str], Publication]
"""(what and why, the full name of the topic it was in) -> its dead letter."""

Done = TypeVar("Done")

log = structlog.get_logger()


class Paused(Exception):
    """Somebody must see both hops at rest for a moment."""


class Displaced(Exception):
    """The partition was given to another owner."""


class Surroundings(Protocol):
    """What all lanes of a runner share."""

    processor: Processor
    consumer: Any
    reader: Callable[[TopicPartition], Any] | None  # a consumer for a partition alone, not started
    publisher: Log
    pool: AsyncConnectionPool[Connection]
    prefix: str
    topic_id: str
    dead_letter: DeadLetter
    lets_go: bool  # the topic keeps its records for some days only
    max_records: int
    pause: float
    at: Point


class Lane:
    """One partition's life with this worker, from assignment to revocation."""

    def __init__(self, runner: Surroundings, tp: TopicPartition) -> None:
        self.runner, self.tp, self.partition = runner, tp, int(tp.partition)
        self.processor = runner.processor
        self.consumer = runner.consumer
        self.task: asyncio.Task[None] | None = None
        self.ready = asyncio.Event()
        self.stopping = False
        self.free = False  # it waits, and has nothing under way: it may be called away
        self.asks = False  # it waits for the consumer, and for nothing else
        self.tenure = 0  # by which PostgreSQL tells this owner of the partition from those before it
        self.stored = 0  # the position as PostgreSQL has it
        self.written = 0  # what an owner before had in PostgreSQL, but perhaps not published
        self.settled = 0  # everything before it is done, acknowledgements included
        self.published: dict[int, int] = {}  # acknowledged, not yet written beside the position
        self.sent: tuple[int, int] | None = None  # the outbox rows (from, to) that were acknowledged and may go
        self.careful = False
        self.counted = False  # as a death at the position, until the position moves or the lane ends alive
        self.tried = False  # the record at the position, alone
        self.log = log.bind(processor=self.processor.name, partition=self.partition)

    def stop(self) -> None:
        """Let what is under way end. Who only waits is called away: during a rebalance the consumer gives no records and never returns."""
        self.stopping = True
        if self.free and self.task:
            self.task.cancel()

    async def live(self) -> None:
        try:
            while not self.stopping:
                try:
                    await self._open()
                    await self._begin()
                    await self._work()
                except Displaced:
                    # Another owner, or our own commit whose answer was lost: what PostgreSQL says now is right either way.
                    self.log.info("displaced, reading the position again")
                    await asyncio.sleep(PAUSES[1])
        except (Halt, KeyMissing) as halt:
            await self._halt(str(halt), shorter=isinstance(halt, Shorter))
        except asyncio.CancelledError:
            if not self.stopping:
                raise
        except Exception:
            await self._blame()
            raise
        finally:
            self.ready.set()
            self.processor.forget(self.partition)
            if self.consumer is not self.runner.consumer:
                await self.consumer.stop()
        if self.counted:
            await self._live_on()

    async def _work(self) -> None:
        while not self.stopping:
            records = await self._take(wait_ms=self._patience())
            if records:
                await self._insist(records)
                await self._rest()
            elif not self._calm():
                await self._persist(self._settle)
            elif self.processor.has_chores(self.partition):
                await self._chores()

    async def _rest(self) -> None:
        """Let records gather, where a transaction for each few of them would cost others more than it tells anybody."""
        if self.runner.pause and not self.stopping:
            with self._waiting():
                await asyncio.sleep(self.runner.pause)

    @contextmanager
    def _waiting(self, *, asks: bool = False) -> Iterator[None]:
        """Nothing is under way: who is told to stop does not wait for records, nor for a broker that is away."""
        self.free, self.asks = True, asks
        try:
            yield
        finally:
            self.free = self.asks = False

    def _patience(self) -> int:
        """How long to wait for records, in milliseconds: not at all, or not for long, while there is something else to do."""
        if self.processor.has_chores(self.partition):
            return 0
        return IDLE_MS if self._calm() else SOON_MS if self.runner.reader is not None else 0

    def _calm(self) -> bool:
        """Whether PostgreSQL knows all that is done."""
        return self.settled == self.stored and self.sent is None

    async def _open(self) -> None:
        """Get a consumer for this partition alone, where the runner has such."""
        if self.runner.reader is not None and self.consumer is self.runner.consumer:
            with self._waiting(asks=True):
                self.consumer = await self._persist(partial(started, self.runner.reader, self.tp))

    async def _begin(self) -> None:
        self.processor.forget(self.partition)
        with self._waiting(asks=True):
            end = (await self._persist(lambda: self.consumer.end_offsets([self.tp])))[self.tp]
            beginning = (await self._persist(lambda: self.consumer.beginning_offsets([self.tp])))[self.tp] if self.runner.lets_go else 0
        pool, name, topic_id = self.runner.pool, self.processor.name, self.runner.topic_id
        with self._waiting():
            state = await self._persist(lambda: claim(pool, name, self.tp, topic_id, end=end, beginning=beginning, attempt=not self.tenure))
        if state.let_go:
            self.log.critical("records were let go unread", count=state.let_go, going_on_at=state.next_offset)
        self.tenure, self.written = state.tenure, state.written
        self.stored = self.settled = state.next_offset
        self.published, self.sent = {}, None
        self.counted = state.deaths > 0
        await self._at("assigned")
        await self._persist(lambda: check_log(pool, self.consumer, name, self.tp, state, end))
        self.consumer.seek(self.tp, self.stored)
        self.ready.set()
        self.careful = state.deaths > DEATHS or state.tries > 0
        if state.tries >= DEADLY and self.written <= self.stored:  # what PostgreSQL has taken kills nobody: the worker died after it
            await self._bury_killer()
        if self.processor.durable_outbox:
            await self._persist(self._drain)

    async def _take(self, wait_ms: int) -> Sequence[Record]:
        consumer, most = self.consumer, self.runner.max_records
        try:
            with self._waiting(asks=True):
                batches: Mapping[Any, Sequence[Record]] = await consumer.getmany(
                    self.tp, timeout_ms=wait_ms, max_records=min(ALONE, most) if self.careful else most
                )
                if self.tp not in batches:  # what ends a transaction, or was taken back with it, has an offset and is no record
                    self.settled = max(self.settled, await consumer.position(self.tp))
        except IllegalStateError:
            return ()  # it is another's by now
        except NoOffsetForPartitionError:
            consumer.seek(self.tp, self.settled)  # fetching began before the seek of the assignment
            return ()
        except OffsetOutOfRangeError as gone:
            if self.runner.lets_go:
                await self._persist(self._settle)
                raise Displaced from gone
            raise Halt(f"Offset {self.settled} of {self.tp.topic}-{self.partition} is no longer in the log. Restore the topic.") from gone
        except KafkaError as error:
            if not error.retriable:
                raise
            with self._waiting(asks=True):
                await asyncio.sleep(PAUSES[1])
            return ()
        return batches.get(self.tp, ())

    async def _insist(self, records: Sequence[Record]) -> None:
        """These records, until they are done or the partition is gone."""
        if self.settled < self.written < records[-1].offset + 1:  # what an owner before had written goes first, even while others rest
            careful = self.careful
            await self._insist([record for record in records if record.offset < self.written])
            self.careful = careful  # it kills nobody: who died, died of what follows
            records = [record for record in records if record.offset >= self.written]
        if self.careful:
            await self._alone(records)
            self.careful = False
            return
        try:
            await self._go(Batch(self.partition, records))
        except (psycopg.DataError, psycopg.IntegrityError) as bad:
            self.processor.forget(self.partition)
            self.log.warning("bad content in a batch, going one by one", reason=_name(bad))
            await self._alone(records, remember=False)

    async def _alone(self, records: Sequence[Record], *, remember: bool = True) -> None:
        """One record at a time; the one that cannot be processed becomes a dead letter."""
        for record in records:
            if remember:
                if not self._calm():
                    await self._persist(self._settle)  # a death is counted where the position stands
                await self._persist(partial(self._try, record))
            try:
                await self._go(Batch(self.partition, (record,)))
            except (psycopg.DataError, psycopg.IntegrityError) as bad:
                await self._bury(Bury(record, "not_storable", f"PostgreSQL cannot store it ({bad.sqlstate})"))

    async def _go(self, batch: Batch) -> None:
        """This batch; while somebody asks for rest, what is done is settled and the batch waits."""
        while True:
            try:
                await self._persist(partial(self._batch, batch))
                return
            except Paused:
                if not self._calm():
                    await self._persist(self._settle)
                if self.stopping:
                    raise Displaced from None
                await asyncio.sleep(PAUSES[0])

    async def _try(self, record: Record) -> None:
        async with self.runner.pool.connection() as connection:
            await positions.try_alone(connection, self.processor.name, self.partition, record.offset)
        self.tried = True

    async def _bury_killer(self) -> None:
        while not self.stopping:
            records = await self._take(wait_ms=500)
            if records:
                await self._bury(Bury(records[0], "kills_worker", "the worker died whenever it processed this record"))
                self.consumer.seek(self.tp, self.settled)
                return

    async def _bury(self, bury: Bury) -> None:
        """Publish the dead letter, then pass the record."""
        self.processor.forget(self.partition)
        await self._publish(self._publications([bury]), None)
        self.settled = bury.record.offset + 1
        await self._persist(self._settle)

    def _publications(self, effects: Sequence[Effect]) -> list[Publication]:
        """Effects as records to publish; what is buried becomes a dead letter."""
        return [self._letter(effect) if isinstance(effect, Bury) else effect for effect in effects]

    def _letter(self, bury: Bury) -> Publication:
        self.log.error("dead letter", offset=bury.record.offset, reason=bury.reason)
        return self.runner.dead_letter(bury, self.tp.topic)

    async def _batch(self, batch: Batch) -> None:
        """The heart: one transaction for effects and position; then what must be told is published."""
        durable = self.processor.durable_outbox
        end = batch.end if durable else self.settled
        await self._at("taken")
        async with self.runner.pool.connection() as connection:
            newest = datetime.fromtimestamp(batch.records[-1].timestamp / 1000, UTC)
            await self._move(connection, end, batch.end, newest, unless_paused=not durable and batch.end > self.written)
            publications = self._publications(await self.processor.apply(connection, batch))
            if durable and publications:
                await outbox.post(connection, self.processor.name, self.partition, batch.records[0].offset, publications)
            await self._at("written")
        self._remember(end)
        if durable:
            self.settled = end
        self.processor.committed(batch)
        await self._at("committed")
        await self._publish(publications, batch.records[0].offset if durable else None)
        self.settled = batch.end
        await self._at("published")

    def _remember(self, end: int) -> None:
        """PostgreSQL knows of everything up to `end`, and of what was published and sent."""
        if end > self.stored:
            self.counted = self.tried = False
        self.stored, self.published, self.sent = end, {}, None

    async def _publish(self, publications: Sequence[Publication], outbox: int | None) -> None:
        """Each topic's at the same time: an acknowledgement takes as long as some statements, and the partition waits for all."""
        if not publications:
            return
        by_topic: dict[str, list[Entry]] = {}
        for p in publications:
            by_topic.setdefault(p.topic, []).append((p.key, p.value, p.headers))
        publish = self.runner.publisher.publish
        outcomes = await asyncio.gather(
            *(self._persist(partial(publish, self.runner.prefix + topic, entries)) for topic, entries in by_topic.items()),
            return_exceptions=True,  # all are waited for, whatever came of one
        )
        for topic, ends in zip(by_topic, outcomes, strict=True):
            if isinstance(ends, BaseException):
                raise ends
            if topic == "customer-events":
                self.published |= ends
        if outbox is not None:
            self.sent = (outbox, outbox)

    async def _move(
        self, connection: Connection, end: int, written: int, newest: datetime | None = None, *, unless_paused: bool = False
    ) -> None:
        """The first statements of every transaction, in one way to the server: who comes late changes nothing."""
        async with connection.pipeline():
            going_on = await positions.going_on(connection) if unless_paused else None
            moved = await positions.move(
                connection,
                self.processor.name,
                self.partition,
                before=self.stored,
                after=end,
                tenure=self.tenure,
                written=written,
                published=self.published,
                newest=newest,
            )
            if self.sent is not None:
                await outbox.clear(connection, self.processor.name, self.partition, *self.sent)
        if going_on is not None and await going_on.fetchone() != (True,):
            raise Paused
        if moved.rowcount != 1:
            raise Displaced

    async def _settle(self) -> None:
        """Write down what is done and acknowledged, so that who waits for it goes on."""
        end = self.settled
        async with self.runner.pool.connection() as connection:
            await self._move(connection, end, end)
        self._remember(end)

    async def _drain(self) -> None:
        """Publish what the last owner left in the outbox, before anything new."""
        async with self.runner.pool.connection() as connection:
            rows = await outbox.left(connection, self.processor.name, self.partition)
        if rows:
            await self._publish([publication for _, publication in rows], None)
            self.sent = (rows[0][0], rows[-1][0])
            await self._settle()

    async def _chores(self) -> None:
        """One piece of long work, between two batches."""
        publications = await self._persist(self._chore)
        await self._at("chore_committed")
        if publications:
            await self._publish(publications, outbox.CHORES)
            await self._at("chore_published")
            await self._persist(self._settle)

    async def _chore(self) -> Sequence[Publication]:
        async with self.runner.pool.connection() as connection:
            await self._move(connection, self.stored, self.stored)
            publications = self._publications(await self.processor.chore(connection, self.partition) or ())
            if publications:
                await outbox.post(connection, self.processor.name, self.partition, outbox.CHORES, publications)
            await self._at("chore_written")
        return publications

    async def _persist(self, work: Callable[[], Awaitable[Done]]) -> Done:
        """Do it until no passing fault comes between."""
        pause = 0
        while True:
            try:
                return await work()
            except PASSING as passing:
                self.processor.forget(self.partition)
                self.log.warning("waiting", reason=_name(passing))
                if self.stopping:
                    raise Displaced from passing
                await asyncio.sleep(PAUSES[min(pause, len(PAUSES) - 1)])
                pause += 1

    async def _at(self, point: str) -> None:
        await self.runner.at(f"{self.processor.name}.{point}")

    async def _live_on(self) -> None:
        """The partition goes to another, and nobody died: what was counted against its record is taken back, if PostgreSQL is there."""
        with suppress(*PASSING):
            async with self.runner.pool.connection() as connection:
                await positions.alive(connection, self.processor.name, self.partition, self.tenure, tried=self.tried)

    async def _blame(self) -> None:
        """The process ends of an error of its own: if it had a record alone in its hands, that one is to blame."""
        if self.tried:
            with suppress(*PASSING):
                async with self.runner.pool.connection() as connection:
                    await positions.blame(connection, self.processor.name, self.partition, self.tenure, FAILED)

    async def _halt(self, why: str, *, shorter: bool) -> None:
        self.log.error("halted", why=why)

        async def write() -> None:
            async with self.runner.pool.connection() as connection:
                await positions.halt(connection, self.processor.name, self.partition, why, shorter=shorter)

        await self._persist(write)


def _name(error: BaseException) -> str:
    """What an error is, without what it was about: messages of databases quote the data."""
    return type(error).__name__
