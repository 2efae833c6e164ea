"""Tells live pages that their customer changed: one query a change for all of them, not one each.

Reading order: Watching, watch, Mark, alike.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from psycopg_pool import PoolTimeout

from aggregates.log import NotAcknowledged
from api.ports import Dependencies
from projections.alike import Alike
from projections.calls import table as calls
from projections.calls.table import Call
from projections.positions import table as positions
from projections.timeline import since
from projections.timeline.since import Edition

PATIENCE = timedelta(seconds=3)
"""After so long between an acceptance and its resolving a page is told that what it shows is old."""

LOOK = 1.0
"""How often to look although nothing was heard."""

AT_ONCE = 2
"""So many live pages are read at a time: when all change at once, who asks for a page does not wait behind them."""

QUIET = 0.02
"""The shortest time between two looks: a busy log notifies a hundred times a second."""

PACE = 0.5
"""The same between two looks at signals: nobody reads so fast."""


@dataclass(eq=False, slots=True)
class Mark:
    """One live page: of whom, and what is known to have changed."""

    customer: UUID | None  # None: a desk that waits for a call
    extension: str = ""  # whose calls it is told of
    signals: bool = False  # whether it shows signals
    calls: dict[tuple[str, str], Call] = field(default_factory=dict)  # of which it is to be told
    told: dict[tuple[str, str], str] = field(default_factory=dict)  # the stage of each that it was told
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    stirred: int = 0  # which change of a page its last one was
    edition: Edition | None = None
    shown: Edition | None = None  # which one the page has
    stale: datetime | None = None  # since when what it shows is old


class Watching:
    """The live pages of one process. It looks while there are any."""

    def __init__(self, dependencies: Dependencies) -> None:
        self._dependencies = dependencies
        self._marks: set[Mark] = set()
        self._tasks: dict[Callable[[], Coroutine[Any, Any, None]], asyncio.Task[None]] = {}
        self.turns = asyncio.Semaphore(AT_ONCE)
        self._stirred = 0
        self._alike, self._alike_since = Alike(), 0

    @asynccontextmanager
    async def watch(
        self, customer: UUID | None, extension: str = "", *, signals: bool = False, has: Edition | None = None
    ) -> AsyncIterator[Mark]:
        """A mark whose event is set whenever the customer's view changed, or became stale or fresh, or a call at the extension went on.

        With `signals` also when some were given or withdrawn. Of a page that `has` an edition already only what comes after it is a change.
        """
        mark = Mark(customer, extension, signals, edition=has)
        self._marks.add(mark)
        for work in (self._look, self._follow, *((self._hear,) if signals else ())):
            if work not in self._tasks or self._tasks[work].done():
                self._tasks[work] = asyncio.create_task(work())
        try:
            yield mark
        finally:
            self._marks.discard(mark)

    def stir(self, mark: Mark) -> None:
        """Have the page of this mark read again."""
        self._stirred += 1
        mark.stirred = self._stirred
        mark.changed.set()

    def alike(self, mark: Mark) -> Alike:
        """What is the same on all pages, read no earlier than the page of this mark changed: those that wait for their turns share it."""
        if self._alike_since < mark.stirred:
            self._alike, self._alike_since = Alike(), self._stirred
        return self._alike

    async def _hear(self) -> None:
        """Wake the pages that show signals when some were given or withdrawn, and as they open."""
        signalled, woken, version = self._dependencies.signalled, set[Mark](), -1
        while marks := {mark for mark in self._marks if mark.signals}:
            before, version = version, await signalled.changed(version, PACE)
            for mark in marks if version != before else marks - woken:
                self.stir(mark)
            woken = marks
            await asyncio.sleep(PACE)

    async def _follow(self) -> None:
        """Note how long the log is: what other doors accepted, or this one before it began anew, is waited for as well."""
        dependencies = self._dependencies
        while self._marks:
            with suppress(NotAcknowledged):
                ends = await dependencies.log.ends([dependencies.topics.touchpoints])
                dependencies.recent.note({partition: end for (_, partition), end in ends.items()}, dependencies.clock())
            await asyncio.sleep(LOOK)

    async def _look(self) -> None:
        changes = self._dependencies.changes
        version = -1
        while self._marks:
            version = await changes.changed(version, LOOK)
            try:
                stale = None if await self._marked() else self._dependencies.clock()
            except (psycopg.OperationalError, PoolTimeout):
                stale = self._dependencies.clock()
            for mark in list(self._marks):
                self._judge(mark, stale)
            await asyncio.sleep(QUIET)

    async def _marked(self) -> bool:
        """Set the marks of those who changed; whether changes are heard at all."""
        dependencies = self._dependencies
        schema = await dependencies.schema()
        async with dependencies.pool.connection() as connection:
            if extensions := {mark.extension for mark in self._marks if mark.extension}:
                self._called(await calls.news(connection, extensions))  # a ring is told before anything else is asked
            editions = await since.editions(connection, schema, {mark.customer for mark in self._marks if mark.customer})
            resolved = await positions.positions(connection, "resolve")
        for mark in self._marks:
            edition = editions.get(mark.customer) if mark.customer else None
            if edition != mark.edition:
                mark.edition = edition
                self.stir(mark)
        now = dependencies.clock()
        waiting = dependencies.recent.outstanding(now, resolved)
        return dependencies.changes.connected and (waiting is None or now - waiting < PATIENCE)

    def _called(self, news: Sequence[Call]) -> None:
        for mark in self._marks:
            for call in news:
                name = (call.key, call.call_id)
                if call.extension == mark.extension and mark.told.get(name) != call.stage:
                    mark.told[name] = call.stage
                    mark.calls[name] = call
                    self.stir(mark)

    def _judge(self, mark: Mark, stale: datetime | None) -> None:
        if (mark.stale is None) != (stale is None):
            mark.stale = stale
            self.stir(mark)
