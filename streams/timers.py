"""Lets timers go when their time has come: as facts in `customer-events`, only when nothing that arrived before is still on its way.

`Releasing` says how far that is: it notes the time and where `touchpoints` ends, waits until the first hop is through to there, and writes
down the time and where `customer-events` then ends. `due` is asked by the owner of a partition, in his transaction: the timers before that
time, if the partition itself has come so far. A partition that stands still delays only its own timers, a first hop that stands still
delays all: nobody knows whose the facts are that wait there. Of sources that replay their own time it says up to which time of theirs all
that they sent is in the views: partitions of the log may be months of it apart. Reading order: Releasing, due, word_of.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from time import monotonic
from typing import NamedTuple
from uuid import UUID

import msgspec
import psycopg
import structlog
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from aggregates.log import NotAcknowledged
from aggregates.touchpoint import derive
from projections.positions import table as positions
from projections.positions.waiting import Wait, advance
from projections.triggers import table
from streams.recalling import NEVER
from streams.record import Connection, Publication
from streams.words import CLOCK, told

EVERY = 0.15
"""Seconds between two looks at whether anything is due."""

AT_ONCE = 100
"""Timers of a partition in one transaction: a burst drains evenly, and a live event waits behind no more than these."""

SETTLES = 1.0
"""Seconds that what a source sent at once has to be accepted, in whatever order its requests are answered, once a time of it was heard;
what was accepted by then is waited for however long it takes."""

DUE = "timer.due"

HELD = " contacts"
"""The timer of contacts that are held until a time."""

log = structlog.get_logger()


class Timer(msgspec.Struct, frozen=True):
    """What a timer's record says."""

    rule: str
    version: int
    at: datetime
    clock: str = ""
    quiet: str = ""


decoder = msgspec.json.Decoder(Timer)


class Due(NamedTuple):
    """A timer whose time has come."""

    customer: UUID
    timer: Timer


class Unsettled(NamedTuple):
    """The replayed time of a partition of which something may still be on its way: after `settled`, up to and with `told`."""

    settled: datetime
    told: datetime

    def has(self, at: datetime) -> bool:
        """Whether a moment is in it."""
        return self.settled < at <= self.told


class Noted(NamedTuple):
    """How far sources that replay their own time were, when that was, and what was sent until then."""

    at: datetime
    since: float
    sent: Wait | None = None


class Releasing:
    """One of the processes that say how far the first hop is; `run` until cancelled. `ends`: where `touchpoints` ends, by partition."""

    name = "releasing"

    def __init__(self, pool: AsyncConnectionPool[Connection], ends: Callable[[], Awaitable[Mapping[int, int]]]) -> None:
        self._pool, self._ends = pool, ends
        self._noted: Noted | None = None

    async def run(self) -> None:
        """Go on for as long as the process lives."""
        while True:
            try:
                await self.follow()
                await self.release()
            except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout, NotAcknowledged, OSError, TimeoutError) as error:
                log.warning("timers_wait", error=type(error).__name__)
            await asyncio.sleep(EVERY)

    async def release(self, within: float = 60.0) -> bool:
        """Say how far timers may go, if any is due; False when none is."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT clock_timestamp(), EXISTS (SELECT 1 FROM streams.timers WHERE NOT told AND clock = '' AND at < clock_timestamp())"
            )
            row = await cursor.fetchone()
        if row is None or not row[1]:
            return False
        ends = await self._ends()
        async with asyncio.timeout(within):
            while not await self._through(row[0], ends):  # noqa: ASYNC110 - another process moves the positions
                await asyncio.sleep(EVERY / 3)
        return True

    async def follow(self) -> None:
        """One step towards saying how far sources that replay their own time are: whatever they had sent by then is waited for."""
        noted = self._noted
        if noted is not None and noted.sent is None:
            if monotonic() - noted.since >= SETTLES:
                self._noted = noted._replace(sent=Wait(await self._ends()))
            return
        async with self._pool.connection() as connection:
            self._noted = await (_ahead(connection) if noted is None else _waited(connection, noted))

    async def _through(self, at: datetime, ends: Mapping[int, int]) -> bool:
        """Write it down, if the first hop has passed these ends and Kafka has acknowledged what it published."""
        async with self._pool.connection() as connection:
            resolved = await positions.positions(connection, "resolve")
            if any(resolved.get(partition, 0) < end for partition, end in ends.items()):
                return False
            cursor = await connection.execute("SELECT published FROM streams.positions WHERE processor IN ('resolve', 'customer')")
            wanted: dict[str, int] = {}
            for (published,) in await cursor.fetchall():
                for partition, end in published.items():
                    wanted[partition] = max(wanted.get(partition, 0), end)
            await connection.execute("UPDATE streams.released SET at = %s, ends = %s WHERE at < %s", (at, Jsonb(wanted), at))
        return True


async def _ahead(connection: Connection) -> Noted | None:
    """How far replayed time is, where that is further than was said."""
    cursor = await connection.execute("SELECT max(c.now) FROM streams.clocks c, streams.released r WHERE c.now > r.replayed")
    row = await cursor.fetchone()
    return None if row is None or row[0] is None else Noted(row[0], monotonic())


async def _waited(connection: Connection, noted: Noted) -> Noted | None:
    """Say so, if what was sent by then is in the views."""
    assert noted.sent is not None  # noqa: S101 - who waits, waits for something
    sent = await advance(connection, noted.sent)
    if not sent.done:
        return noted._replace(sent=sent)
    await connection.execute("UPDATE streams.released SET replayed = %s WHERE replayed < %s", (noted.at, noted.at))
    return None


async def replayed(connection: Connection) -> datetime | None:
    """Up to which time of sources that replay their own all that they sent is in the views; None: nothing is known of it."""
    cursor = await connection.execute("SELECT replayed FROM streams.released WHERE replayed > '-infinity'")
    row = await cursor.fetchone()
    return None if row is None else row[0]


async def unsettled(connection: Connection, partition: int) -> Unsettled | None:
    """What sources that replay their own time told this partition beyond what of all that they sent is in the views."""
    cursor = await connection.execute(
        "SELECT NULLIF(r.replayed, '-infinity'), c.now FROM streams.released r, streams.clocks c"
        " WHERE c.partition = %s AND r.replayed < c.now",
        (partition,),
    )
    row = await cursor.fetchone()
    return None if row is None else Unsettled(row[0] or NEVER, row[1])


async def due(connection: Connection, partition: int, position: int) -> list[Due]:
    """Timers of the partition that may go, marked as gone. `position`: everything before it is folded, by now or in this transaction."""
    cursor = await connection.execute(
        f"""
        UPDATE streams.timers t SET told = true
        FROM (
            (SELECT w.customer_id, w.rule, w.version FROM streams.timers w, streams.released r
             WHERE w.partition = %(partition)s AND w.clock = '' AND NOT w.told AND w.at < r.at
               AND COALESCE((r.ends ->> %(key)s)::bigint, 0) <= %(position)s
             ORDER BY w.at LIMIT %(limit)s)
            UNION ALL
            (SELECT w.customer_id, w.rule, w.version FROM streams.timers w
             WHERE w.partition = %(partition)s AND w.clock = 'event' AND NOT w.told
               AND w.at <= (SELECT LEAST(c.now, r.replayed) FROM streams.clocks c, streams.released r WHERE c.partition = %(partition)s)
               AND EXISTS (SELECT FROM streams.source_clocks c
                           WHERE c.partition = %(partition)s AND c.source <> ALL (w.beyond)
                           AND (w.at < c.now OR (w.at = c.now AND w.rule = %(held)s AND w.source IN ('', c.source))))
               AND NOT (w.rule = %(held)s AND EXISTS (SELECT FROM streams.timers o WHERE o.customer_id = w.customer_id
                           AND o.rule <> w.rule AND o.clock = w.clock AND o.at = w.at AND NOT o.told))
             ORDER BY w.at LIMIT %(limit)s)
        ) ripe
        WHERE t.customer_id = ripe.customer_id AND t.rule = ripe.rule AND t.version = ripe.version
        RETURNING t.customer_id, t.rule, t.version, t.at, {table.CLOCK}, t.quiet, CASE WHEN t.rule = %(held)s THEN
            (SELECT min(seq) FROM contacts.decisions d WHERE d.customer_id = t.customer_id AND d.outcome = 'held' AND NOT d.requested) END
        """,
        {"partition": partition, "key": str(partition), "position": position, "limit": AT_ONCE, "held": HELD},
    )
    rows = await cursor.fetchall()
    found = [Due(customer, Timer(*timer)) for customer, *timer, _ in rows]
    waits = {customer: since for customer, *_, since in rows if since is not None}  # who was held first gets what is left of a budget
    last = max(waits.values(), default=0) + 1
    found.sort(key=lambda one: (one.timer.at, waits.get(one.customer, last), one.customer, one.timer.rule == HELD, one.timer.rule))
    return found


async def waiting(connection: Connection, partition: int) -> tuple[datetime | None, bool]:
    """When the next timer of the partition is due that goes by our own clock, None: none is; and whether any goes by the time of sources
    that replay their own."""
    cursor = await connection.execute(
        "SELECT (SELECT min(at) FROM streams.timers WHERE partition = %(partition)s AND clock = '' AND NOT told),"
        " EXISTS (SELECT 1 FROM streams.timers WHERE partition = %(partition)s AND clock = 'event' AND NOT told)",
        {"partition": partition},
    )
    row = await cursor.fetchone()
    assert row is not None  # noqa: S101 - it selects from nothing
    return row[0], bool(row[1])


async def reached(connection: Connection, partition: int, source: str, replayed: datetime | None) -> datetime | None:
    """How far a source's own time was at most, when that of any was `replayed`: it may be one that replays an earlier time."""
    if replayed is None:
        return None
    cursor = await connection.execute("SELECT now FROM streams.source_clocks WHERE partition = %s AND source = %s", (partition, source))
    row = await cursor.fetchone()
    return replayed if row is None else min(replayed, row[0])


def word_of(one: Due) -> Publication:
    """The record; its id is the same whoever makes it, and however often."""
    customer, timer = str(one.customer), one.timer
    id_ = derive(DUE, customer, timer.rule, str(timer.version), timer.at.isoformat())
    return told(CLOCK, DUE, customer, id_, msgspec.to_builtins(timer), timer.at)
