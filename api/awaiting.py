"""Waits for what was sent until it is in the views: one look a change for all who wait in this process, not one each.

Under load something changes every few milliseconds, and each look is a query. Reading order: Awaiting.reached, _look, _ask.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from uuid import UUID

from psycopg_pool import AsyncConnectionPool

from api.changes import Changes
from projections.identity.table import Alone
from projections.identity.table import alone as standing
from projections.positions.waiting import Wait, together
from projections.rows import Connection

LOOK = 0.25
"""How often to look although nothing was heard: a notification may be lost."""

BREATH = 0.015
"""Between two looks: a busy log notifies some hundred times a second."""

LONGER = 0.1
"""Where all have waited long, one looks less often: the breath becomes this part of the time that the last to come has waited."""

DOUBT = 0.3
"""After so long one event that is waited for by itself may be one that never comes to anybody: its position is asked for as well."""


@dataclass(eq=False, slots=True)
class _One:
    """Who waits, and for what."""

    wait: Wait
    alone: UUID | None
    begin: float
    doubt: float  # seconds after which it doubts that its one event comes
    over: asyncio.Event = field(default_factory=asyncio.Event)
    error: Exception | None = None


class Awaiting:
    """All who wait in one process."""

    def __init__(self, pool: AsyncConnectionPool[Connection], changes: Changes, schema: Callable[[], Awaitable[str]]) -> None:
        self._pool, self._changes, self._schema = pool, changes, schema
        self._ones: set[_One] = set()
        self._looking: asyncio.Task[None] | None = None

    async def reached(self, at: dict[int, int], alone: UUID | None, within: float) -> bool:
        """Whether everything up to the position is in the views, now or within so many seconds.

        One event `alone` that moved nothing is there when its row is: what others sent beside it need not be waited for.
        """
        one = _One(Wait(at), alone, self._now(), min(DOUBT, within))
        self._ones.add(one)  # before the first look, which is its own: what changes after that look is seen by those of all
        try:
            await self._ask([one])
            if not one.over.is_set():
                if self._looking is None or self._looking.done():
                    self._looking = asyncio.create_task(self._look())
                async with asyncio.timeout(within - (self._now() - one.begin)):
                    await one.over.wait()
        except TimeoutError:
            return False
        finally:
            self._ones.discard(one)
        if one.error is not None:
            raise one.error
        return True

    async def _look(self) -> None:
        while waiting := [one for one in self._ones if not one.over.is_set()]:
            version = self._changes.version
            try:
                await self._ask(waiting)
            except Exception as error:  # noqa: BLE001 - whoever waits raises it
                for one in waiting:
                    one.error = error
                    one.over.set()
            now = self._now()
            await asyncio.sleep(max(BREATH, LONGER * min(now - one.begin for one in waiting)))
            await self._changes.changed(version, LOOK)

    async def _ask(self, waiting: Collection[_One]) -> None:
        """Look for all of them at once; it is over for those whose events are there."""
        schema = await self._schema()  # before a connection is held: it may need one itself
        now = self._now()
        async with self._pool.connection() as connection:
            events = {one.alone for one in waiting if one.alone is not None}
            stands = await standing(connection, schema, events) if events else {}
            there, asking = list[_One](), list[_One]()
            for one in waiting:
                known = Alone.MOVES if one.alone is None else stands[one.alone]
                if known is Alone.THERE:
                    there.append(one)
                elif known is Alone.MOVES or now - one.begin >= one.doubt:
                    asking.append(one)
            further = await together(connection, [one.wait for one in asking]) if asking else []
        for one, wait in zip(asking, further, strict=True):
            one.wait = wait
            if wait.done:
                there.append(one)
        for one in there:
            one.over.set()

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
