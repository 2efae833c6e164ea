"""Ends what an erasure began: takes what is kept beside the rows, and destroys the keys once nothing is on its way.

The decision is `resolve`'s, the rows are taken by the customer's partition; from then on nobody is shown him. What is left is done here,
step by step, each of which may be done again: who dies in between is followed by another who finds what is left. Of all processes one does
it. A key serves others too (one subject for a day), so the order is: ask everybody who seals to stop, wait until all have and what they had
sealed is in the timelines, wrap anew what others had sealed, destroy. Reading order: Erasing.forward, _round, _destroy.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol
from uuid import UUID

import psycopg
import structlog
from cryptography.exceptions import InvalidTag
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from aggregates.log import NotAcknowledged
from aggregates.naming import names
from aggregates.sealing import KeyDestroyed
from projections import generation
from projections.erasure import keys as doomed
from projections.erasure import scrubbing
from projections.erasure.scrubbing import Letter
from streams.points import Point, passed
from streams.record import Connection, Keys

LOCK = 0x464F5247  # "FORG"
EVERY = 0.5
LETTERS = 500
LET_GO = 0.1
"""Seconds between two looks at who still holds a key."""

log = structlog.get_logger()


class Letting(Keys, Protocol):
    """Keys that can be let go of."""

    def rewrap(self, number: int, sealed: bytes, context: bytes) -> bytes | None:
        """What the key had sealed, so that it can be read without it; None: it cannot be opened."""
        ...

    async def heed(self, connection: Connection) -> None:
        """Seal with no key that is to be destroyed, open with none that was."""
        ...


class Heeding:
    """Keeps a process's keys as erasures want them; `run` until cancelled."""

    name = "heeding"

    def __init__(self, pool: AsyncConnectionPool[Connection], keys: Letting) -> None:
        self._pool, self._keys = pool, keys

    async def run(self) -> None:
        """Look twice a second, for as long as the process lives."""
        while True:
            try:
                async with self._pool.connection() as connection:
                    await self._keys.heed(connection)
            except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout, OSError) as error:
                log.warning("heeding_waits", error=type(error).__name__)
            await asyncio.sleep(EVERY)


class Erasing:
    """One of the processes that could; `run` until cancelled. `settled` returns when all that was accepted until now is folded."""

    name = "erasing"

    def __init__(self, dsn: str, keys: Letting, settled: Callable[[], Awaitable[None]], *, rest: float, at: Point = passed) -> None:
        self._dsn, self._keys, self._settled, self._rest, self._at = dsn, keys, settled, rest, at

    async def run(self) -> None:
        """End whatever is to be ended, for as long as the process lives; what is away comes back."""
        while True:
            try:
                async with await AsyncConnection.connect(self._dsn, autocommit=True, application_name="yekta-erasing") as connection:
                    while True:
                        await self.forward(connection)
                        await asyncio.sleep(EVERY)
            except (psycopg.OperationalError, psycopg.InterfaceError, NotAcknowledged, OSError) as error:
                log.warning("erasing_waits", error=type(error).__name__)
                await asyncio.sleep(EVERY)

    async def forward(self, connection: Connection) -> bool:
        """End what there is; False when there is nothing, or another process does. The connection commits by itself."""
        if not await _open(connection):
            return False
        row = await (await connection.execute("SELECT pg_try_advisory_lock(%s)", (LOCK,))).fetchone()
        if not row or not row[0]:
            return False
        try:
            while erasures := await _open(connection):
                await self._round(connection, erasures)
        finally:
            await connection.execute("SELECT pg_advisory_unlock(%s)", (LOCK,))
        return True

    async def _round(self, connection: Connection, erasures: Sequence[UUID]) -> None:
        """All that is done together for several."""
        await self._settled()  # his rows are taken, and nothing of him is on its way
        for erasure in erasures:
            await self._scrub(connection, erasure)
        await self._at("erasing.scrubbed")
        await doomed.ask(connection)
        await self._at("erasing.asked")
        while not await doomed.let_go(connection, self._rest):  # noqa: ASYNC110 - they are other processes
            await asyncio.sleep(LET_GO)
        await self._settled()  # what others had sealed with his keys is in their timelines
        for erasure in erasures:
            await self._destroy(connection, erasure)
            await self._at("erasing.destroyed")

    async def _scrub(self, connection: Connection, erasure: UUID) -> None:
        async with connection.transaction():
            await scrubbing.scrub(connection, erasure)
            await doomed.copies(connection, erasure)
            await doomed.reasons(connection, await generation.live(connection), erasure)
            tokens = await scrubbing.tokens_of(connection, erasure)
            events = await scrubbing.events_of(connection, erasure)
            async for letters in scrubbing.letters(connection, erasure, LETTERS):
                await self._keys.fetch(connection, {letter.seal for letter in letters})
                his = [letter for letter in letters if letter.event in events or names(self._opened(letter), tokens, self._keys.token)]
                if his:
                    await scrubbing.empty_letters(connection, erasure, his)

    def _opened(self, letter: Letter) -> bytes:
        try:
            return self._keys.unseal(letter.seal, letter.sealed, str(letter.id).encode())
        except (KeyDestroyed, InvalidTag):
            return b""

    async def _destroy(self, connection: Connection, erasure: UUID) -> None:
        """At once: what others had sealed is kept, the keys are gone, and the erasure is done unless something came in between."""
        async with connection.transaction():
            numbers = await doomed.doomed(connection, erasure)
            others = await doomed.of_others(connection, await generation.live(connection), numbers) if numbers else []
            await self._keys.fetch(connection, {one.number for one in others})
            kept = [one._replace(sealed=wrapped) for one in others if (wrapped := self._keys.rewrap(*_of(one))) is not None]
            await doomed.destroy(connection, erasure, numbers, kept)
            await scrubbing.scrub(connection, erasure)
            await connection.execute(
                "UPDATE identity.erasures SET done_at = COALESCE(done_at, now()) WHERE id = %s"
                " AND NOT EXISTS (SELECT 1 FROM secrets.doomed d WHERE d.erasure = id)",
                (erasure,),
            )
            await connection.execute("SELECT pg_notify('yekta_changed', 'erased')")
        log.info("erased", erasure=str(erasure), keys=len(numbers), kept=len(kept))


def _of(one: doomed.Sealed) -> tuple[int, bytes, bytes]:
    return one.number, one.sealed, one.context


async def _open(connection: Connection) -> list[UUID]:
    """Erasures that are not done, and those to which something came afterwards."""
    cursor = await connection.execute(
        "SELECT id FROM identity.erasures WHERE done_at IS NULL UNION SELECT erasure FROM secrets.doomed ORDER BY 1"
    )
    return [row[0] for row in await cursor.fetchall()]
