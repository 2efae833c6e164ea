"""Sends what is due, each lane on its own: a slow or dead receiver costs the others nothing, and nothing is lost while it is away.

A lane is what must not wait for others: one webhook, the SMS gateway, the mail server. Each has few tries under way and a pace, which all
workers keep together; one that failed several times in a row is tried with one delivery now and then.
Reading order: Attempt, Sender.run, _round, _one, pause_after.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Literal, Protocol

import psycopg
import structlog
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from projections.contacts import reserving
from projections.contacts import table as contacts
from projections.deliveries import table
from projections.deliveries.table import Pace, Taken
from projections.identity import table as identity
from streams.record import Connection

AT_ONCE = 16
"""Tries under way in one lane."""

RETRIES = (5.0, 30.0, 120.0, 600.0, 1_800.0, 3_600.0, 7_200.0, 14_400.0, 28_800.0, 43_200.0, 86_400.0, 86_400.0)
"""Seconds between tries: three days in all."""

JITTER = 0.2
TROUBLE = 3
LONGEST_REST = 60.0
IDLE, SOON, PACED = 1.0, 0.02, 0.05
KEPT = table.LEASE / 3
"""Seconds between two words of a sender that a try goes on."""

PASSING = (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout)
"""The database is away: what was taken is left to its lease."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of one try."""

    result: Literal["sent", "again", "failed", "silent", "later", "gone"]
    status: int | None = None
    error: str = ""
    after: float | None = None  # seconds: as the receiver asks, or until it may go out


class Adapter(Protocol):
    """Brings one delivery to its receiver. Whatever goes wrong is told, not raised."""

    async def __call__(self, taken: Taken) -> Attempt: ...


class Sender:
    """Polls for what is due and hands it to the adapter of its lane, for as long as it runs."""

    def __init__(
        self,
        pool: AsyncConnectionPool[Connection],
        adapters: Mapping[str, Adapter],
        gone: Callable[[Taken, str], Awaitable[None]],
        *,
        pace: Pace,
        random: Random,
        clock: Callable[[], float],
    ) -> None:
        self._pool, self._adapters, self._gone = pool, adapters, gone
        self._pace, self._random, self._clock = pace, random, clock
        self._under_way: dict[str, int] = {}
        self._busy = float("-inf")  # when something was sent last: more may wait for its pace
        self._tasks: set[asyncio.Task[None]] = set()
        self._news = asyncio.Event()

    def wake(self) -> None:
        """Something may be due now."""
        self._news.set()

    async def run(self) -> None:
        """Send until cancelled; what is under way then is left to its lease."""
        try:
            while True:
                self._news.clear()
                try:
                    busy = await self._round()
                except PASSING as passing:
                    log.warning("sender waits", reason=type(passing).__name__)
                    busy = 0
                await self._rest(SOON if busy else PACED if self._clock() - self._busy < IDLE else IDLE)
        finally:
            for task in self._tasks:
                task.cancel()
            if self._tasks:
                await asyncio.wait(self._tasks)

    async def _rest(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return

    async def _round(self) -> int:
        room = {lane: AT_ONCE - busy for lane, busy in self._under_way.items()}
        async with self._pool.connection() as connection:
            taken = await table.claim(connection, room, AT_ONCE, pace=self._pace)
        for one in taken:
            self._begin(one)
        if taken:
            self._busy = self._clock()
        return len(taken)

    def _begin(self, taken: Taken) -> None:
        self._under_way[taken.lane] = self._under_way.get(taken.lane, 0) + 1
        task = asyncio.create_task(self._one(taken))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _one(self, taken: Taken) -> None:
        try:
            adapter = self._adapters.get(taken.lane.partition(":")[0])
            if adapter is None:
                attempt = Attempt("failed", error=f"nothing is set up that would send by {taken.lane}")
            else:
                keeping = asyncio.create_task(self._keep(taken))
                try:
                    attempt = await adapter(taken)
                except PASSING:
                    raise
                except Exception as unexpected:
                    log.exception("a try failed in a way that nobody thought of", lane=taken.lane)
                    attempt = Attempt("again", error=f"it could not be sent: {type(unexpected).__name__}")
                finally:
                    keeping.cancel()
            await self._note(taken, attempt)
        except PASSING as passing:
            log.warning("a try is left to its lease", reason=type(passing).__name__)
        finally:
            self._under_way[taken.lane] -= 1
            if not self._under_way[taken.lane]:
                del self._under_way[taken.lane]
            self._news.set()

    async def _keep(self, taken: Taken) -> None:
        """Hold what was taken while the try lasts: a mail server may take its time for each word, and another sender would send too."""
        while True:
            await asyncio.sleep(KEPT)
            with contextlib.suppress(*PASSING):
                async with self._pool.connection() as connection:
                    await table.keep(connection, taken)

    async def _note(self, taken: Taken, attempt: Attempt) -> None:
        """Write what came of it, and how the lane fares."""
        async with self._pool.connection() as connection:
            match attempt.result:
                case "sent" | "silent":
                    if attempt.result == "sent" and taken.channel and taken.customer_id and taken.signal:
                        await contacts.reach(connection, taken.customer_id, taken.signal)
                    await table.finish(connection, taken, attempt.result, status=attempt.status, error=attempt.error)
                    if attempt.result == "sent":
                        await table.fared(connection, taken.lane, 0)
                case "later":
                    await table.later(connection, taken, attempt.after or 1.0, error=attempt.error, counts=False)
                case "failed":
                    await table.finish(connection, taken, "failed", status=attempt.status, error=attempt.error)
                case "gone":
                    await table.later(connection, taken, 1.0, status=attempt.status, error=attempt.error)
                case "again":
                    pause = pause_after(taken.attempts, attempt.after, self._random)
                    if pause is None:
                        await _give_up(connection, taken)
                        await table.finish(connection, taken, "failed", status=attempt.status, error=attempt.error)
                    else:
                        await table.later(connection, taken, pause, status=attempt.status, error=attempt.error)
                    failures = taken.failures + 1
                    await table.fared(connection, taken.lane, failures, rest=rest_after(failures, attempt.after, self._random))
        if attempt.result == "gone":
            await self._gone(taken, attempt.error)


async def _give_up(connection: Connection, taken: Taken) -> None:
    """A contact that was tried for days was none: it takes no place of another."""
    if taken.channel and taken.customer_id and taken.signal:
        customer = await identity.successor(connection, taken.customer_id) or taken.customer_id
        cursor = await connection.execute("SELECT now()")
        row = await cursor.fetchone()
        assert row is not None  # noqa: S101 - it selects from nothing
        await reserving.give_up(connection, customer, taken.signal, taken.channel, row[0])


def pause_after(attempts: int, asked: float | None, random: Random) -> float | None:
    """How long to wait after so many tries; None: it was tried for days. A receiver that asks for more time gets it."""
    if attempts > len(RETRIES):
        return None
    pause = RETRIES[attempts - 1] * (1 + JITTER * (2 * random.random() - 1))
    return max(pause, asked) if asked is not None else pause


def rest_after(failures: int, asked: float | None, random: Random) -> float:
    """How long a lane rests after so many failures in a row: not at all after the first, at most a minute, or as long as was asked for."""
    if asked is not None:
        return asked
    if failures < TROUBLE:
        return 0.0
    return min(LONGEST_REST, float(2 ** min(failures - TROUBLE, 10))) * (1 + JITTER * (2 * random.random() - 1))
