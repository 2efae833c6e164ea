"""Folds the log again, apart from the live tables: to compare (`yekta verify`) or to replace them (`yekta rebuild`).

Both use the customer processor itself, without effects and in a schema of its own; what differs from live is that every row is put at once
under the present owner of its decider. Reading order: Refold, verify, rebuild.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import msgspec
import psycopg
from psycopg import AsyncConnection

from aggregates.partition import partition_of
from aggregates.sealing import KeyMissing
from aggregates.wire import touchpoint_decoder
from infra import database, differing, generations
from infra.backlog import backlog
from infra.endpoints import Endpoints, endpoints
from infra.errors import Refusal
from infra.master_key import master_key
from infra.sealing import KeyRing, check_master_key
from infra.settings import Settings
from infra.waiting import Progress, ends
from projections import generation
from projections.positions import table as positions
from streams.customer import Customer
from streams.record import Batch, Halt

Connection = AsyncConnection[tuple[Any, ...]]
OnProgress = Callable[[Progress], None]
REST_WITHIN = 60.0
SHOWN = 20
_LOCKS = {"verify": 0x56455246, "rebuild": 0x5245424C}  # "VERF", "REBL": the advisory locks of whoever is at it


@dataclass(frozen=True, slots=True)
class Verdict:
    """What verifying found."""

    customers: int
    events: int
    touchpoints: int
    hash: str  # one over all customers: the same in every run over the same log
    different: tuple[str, ...]  # customers whose view or timeline is not what the log says; the first ones
    differing: int
    missing: tuple[str, ...]  # event ids in `touchpoints` without a receipt or a row; the first ones
    how: Mapping[str, tuple[str, ...]]  # in what each of the different ones differs
    outdated: bool  # whether live was folded by another release

    @property
    def equal(self) -> bool:
        """Whether live is what the log says."""
        return not self.differing and not self.missing


class Refold:
    """The customer events, folded into a schema of its own as far as asked."""

    def __init__(self, settings: Settings, here: Endpoints, pool: database.Pool, keys: KeyRing, schema: str) -> None:
        self._here, self._pool, self._schema = here, pool, schema
        self._topic = settings.kafka.prefix + "customer-events"
        self._step = Customer(keys, schema)
        self.at: dict[int, int] = {}

    async def up_to(self, target: Mapping[int, int], on_progress: OnProgress = lambda _: None) -> None:
        """Go on until every partition has reached its target, never past it."""
        total = sum(target.values())
        async with backlog(self._here, self._topic, target, self.at, most=2000) as some:
            async for partition, records in some:
                await self._apply(partition, records)
                on_progress(Progress(sum(self.at.values()), total))

    async def _apply(self, partition: int, records: list[Any]) -> None:
        batch = Batch(partition, records)
        try:
            async with self._pool.connection() as connection:
                await self._step.apply(connection, batch)
        except (Halt, KeyMissing) as halt:
            raise Refusal(str(halt)) from halt
        self._step.committed(batch)
        self.at[partition] = batch.end


async def verify(settings: Settings, on_progress: OnProgress = lambda _: None) -> Verdict:
    """Fold the log apart, then, with both hops at rest for a moment, compare customer by customer."""
    async with _alone(settings, "verify"), _apart(settings, "verify") as (here, pool, refold, schema):
        await refold.up_to(await _live_positions(pool), on_progress)
        async with _at_rest(here) as connection:
            live = await positions.positions(connection, "customer")
            await refold.up_to(live, on_progress)
            against = await generation.live(connection)
            different = await differing.different(connection, against, schema)
            how = {customer: await differing.how(connection, against, schema, customer) for customer in different[:SHOWN]}
            missing, touchpoints = await _missing(connection, here, settings.kafka.prefix + "touchpoints", against)
            customers, events, sum_ = await differing.sums(connection, schema)
            outdated = await generation.outdated(connection, against)
    return Verdict(customers, events, touchpoints, sum_, tuple(how), len(different), tuple(missing[:SHOWN]), how, outdated)


async def rebuild(settings: Settings, on_progress: OnProgress = lambda _: None) -> int:
    """Fill the next generation beside live traffic and put it in force; returns its number. The last one is kept until the next time."""
    async with _alone(settings, "rebuild"):
        return await _rebuild(settings, on_progress)


async def _rebuild(settings: Settings, on_progress: OnProgress) -> int:
    here = endpoints(settings)
    async with await database.connect(here.dsn, autocommit=True) as connection:
        cursor = await connection.execute("SELECT number FROM streams.generation")
        row = await cursor.fetchone()
    number = (int(str(row[0])) if row else 1) + 1
    partitions = len(await ends(here, settings.kafka.prefix + "customer-events"))
    async with _apart(settings, f"read_{number}", keep=True) as (here, pool, refold, _):
        target = await _live_positions(pool)
        while True:
            await refold.up_to(target, on_progress)
            target = await _live_positions(pool)
            if sum(target.values()) - sum(refold.at.values()) < 20_000:
                break
        async with pool.connection() as connection:
            # Live folding waits here; what it has folded meanwhile is a moment's work. Nor does anybody begin with a partition that had
            # none until now: of its records neither he, who would fold them into the read models of before, nor this would tell the others.
            await connection.execute("LOCK TABLE streams.positions IN SHARE ROW EXCLUSIVE MODE")
            await refold.up_to(await positions.positions(connection, "customer"), on_progress)
            await generations.switch(connection, number, lambda customer: partition_of(str(customer).encode(), partitions))
        async with pool.connection() as connection:
            await generations.drop(connection, f"read_{number - 2}")
    return number


@asynccontextmanager
async def _alone(settings: Settings, what: str) -> AsyncIterator[None]:
    """One at a time: each begins by dropping what another may have left of the schema that it fills, or by now has put in force."""
    async with await database.connect(endpoints(settings).dsn, name=f"yekta-{what}", autocommit=True) as connection:
        await connection.execute("SET lock_timeout = '1s'")  # the session of one that has ended keeps its lock for a moment
        try:
            await connection.execute("SELECT pg_advisory_lock(%s)", (_LOCKS[what],))
        except psycopg.errors.LockNotAvailable:
            raise Refusal(f"Another `yekta {what}` is at work.", "Wait until it ends, or stop it.") from None
        yield  # the lock goes with the connection, which PostgreSQL may have ended meanwhile


@asynccontextmanager
async def _apart(settings: Settings, schema: str, *, keep: bool = False) -> AsyncIterator[tuple[Endpoints, database.Pool, Refold, str]]:
    """A schema of its own to fold into; dropped at the end, unless all went well and it is to be kept."""
    here, master = endpoints(settings), master_key(settings)
    async with database.open_pool(here.dsn, name=f"yekta-{schema}", largest=4) as pool:
        async with pool.connection() as connection:
            await check_master_key(connection, master)
            await generations.drop(connection, schema)
            await generations.create(connection, schema)
        try:
            yield here, pool, Refold(settings, here, pool, KeyRing(master), schema), schema
        except BaseException:
            keep = False
            raise
        finally:
            if not keep:
                async with pool.connection() as connection:
                    await generations.drop(connection, schema)


@asynccontextmanager
async def _at_rest(here: Endpoints) -> AsyncIterator[Connection]:
    """Hold resolving back until folding has caught up; the doors go on accepting. What is written meanwhile stays as it is."""
    async with await database.connect(here.dsn, name="yekta-verify", autocommit=True) as connection:
        await connection.execute("SELECT pg_advisory_lock(%s)", (positions.PAUSE,))
        try:
            await _rest(connection)
            yield connection
        finally:
            await connection.execute("SELECT pg_advisory_unlock(%s)", (positions.PAUSE,))


async def _rest(connection: Connection) -> None:
    try:
        async with asyncio.timeout(REST_WITHIN):
            while not await positions.at_rest(connection):  # noqa: ASYNC110 - nobody can say when: the workers wait too
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise Refusal("The workers did not come to rest.", "Do they run? `yekta status` shows what lags and why.") from None


async def _live_positions(pool: database.Pool) -> dict[int, int]:
    async with pool.connection() as connection:
        return await positions.positions(connection, "customer")


async def _missing(connection: Connection, here: Endpoints, topic: str, live: str) -> tuple[list[str], int]:
    """Touchpoints in the log that have neither receipt and row in the timeline, nor a dead letter, and were not erased."""
    at = await positions.positions(connection, "resolve")
    await connection.execute('CREATE TEMPORARY TABLE IF NOT EXISTS witnessed (event_id uuid, partition int, "offset" bigint)')
    await connection.execute("TRUNCATE witnessed")
    target = {partition: min(end, at.get(partition, 0)) for partition, end in (await ends(here, topic)).items()}
    async with backlog(here, topic, target) as some:
        async for partition, records in some:
            async with connection.cursor() as cursor, cursor.copy("COPY witnessed FROM STDIN") as copy:
                for record in records:
                    if event := _event_of(record.value):
                        await copy.write_row((event, partition, record.offset))
    cursor = await connection.execute(
        f"""
        SELECT DISTINCT w.event_id::text FROM witnessed w LEFT JOIN identity.receipts r USING (event_id)
        LEFT JOIN {live}.timeline t ON t.event_id = w.event_id
        WHERE (r.event_id IS NULL OR t.event_id IS NULL)
        AND NOT EXISTS (SELECT 1 FROM identity.erased_events e WHERE e.event_id = w.event_id)
        AND NOT EXISTS (SELECT 1 FROM letters.letters l WHERE l.topic = %s AND l.partition = w.partition AND l."offset" = w."offset")
        """,
        (topic,),
    )
    return [row[0] for row in await cursor.fetchall()], sum(target.values())


def _event_of(value: bytes | None) -> str:
    """The event id of a record; none where it is no touchpoint: that is a dead letter."""
    try:
        return touchpoint_decoder.decode(value or b"").yektaevent
    except msgspec.MsgspecError:
        return ""
