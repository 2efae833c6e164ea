"""Keeps the timers of customers: whichever part wants one sets it here, and it is let go here when its time has come.

A part of `customer` itself, and the last of them: it hears nothing. Reading order: Ticking.set, pulse, restless.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from aggregates.wire import CustomerEvent
from projections.positions import table as positions
from projections.triggers import table
from projections.triggers.table import Place, Timer
from streams import timers
from streams.parts import Heard, Moment
from streams.record import Effect

RETRY = 0.1
"""Seconds after which timers that could not go yet are tried again."""

LONGEST = 10.0
"""The same, at last, of timers of sources that replay their own time: it may be over for good."""


@dataclass(slots=True)
class _Known:
    """What is remembered of a partition."""

    due: datetime | None  # the earliest timer by our clock
    replayed: bool  # whether sources that replay their own time may have timers
    again: float = 0.0  # not before is it looked at again
    wait: float = RETRY  # after how long it is looked again how far replayed time is, though nothing comes
    look: float = 0.0  # and when
    changed: bool = True  # whether timers came or went since: more of them may go though the now of those sources stands still


class Ticking:
    """The part. `clock`: seconds that only go forward; `now`: our time, by which timers are due."""

    name = "timers"

    def __init__(self, clock: Callable[[], float], now: Callable[[], datetime]) -> None:
        self._clock, self._now = clock, now
        self._known: dict[int, _Known] = {}

    async def set(self, moment: Moment, wanted: Mapping[Place, Timer | None]) -> None:
        """When these are due next; None: nothing is. Stands or falls with the transaction."""
        if not wanted:
            return
        await table.set_timers(moment.connection, moment.partition, wanted)
        known = self._known[moment.partition]
        known.changed = True
        for timer in wanted.values():
            if timer is not None and timer.clock:
                known.replayed = True
            elif timer is not None and (known.due is None or timer.at < known.due):
                known.due = timer.at

    async def hasten(self, moment: Moment, purpose: str, at: datetime) -> None:
        """What waits in this partition for a purpose, by our clock, is due at a time, if it was not before."""
        if await table.hasten(moment.connection, moment.partition, purpose, at):
            known = self._known[moment.partition]
            known.changed, known.due = True, at if known.due is None else min(known.due, at)

    async def ready(self, moment: Moment) -> None:
        """Look once which timers there are."""
        if moment.partition not in self._known:
            self._known[moment.partition] = _Known(*await timers.waiting(moment.connection, moment.partition))

    def wants(self, partition: int, event: CustomerEvent) -> bool:
        return False

    async def decided(self, moment: Moment, event: CustomerEvent) -> list[Effect]:
        return []

    async def told(self, moment: Moment, heard: Sequence[Heard]) -> list[Effect]:
        return []

    async def refolded(self, moment: Moment, customers: Mapping[UUID, Any]) -> list[Effect]:
        return []

    async def pulse(self, moment: Moment) -> list[Effect]:
        """Let the timers go whose time has come."""
        known = self._known[moment.partition]
        looks = known.replayed and (moment.fresh or known.changed or self._clock() >= known.look)
        if not self._is_due(known) and not looks:
            return []
        known.again = self._clock() + RETRY
        if looks:
            known.wait = RETRY if moment.fresh or known.changed else min(2.0 * known.wait, LONGEST)
            known.look = self._clock() + known.wait
        if not await positions.may_go_on(moment.connection):
            return []
        known.changed = False
        found = await timers.due(moment.connection, moment.partition, moment.end)
        if found or known.replayed:
            known.due, known.replayed = await timers.waiting(moment.connection, moment.partition)
        return [timers.word_of(one) for one in found]

    def restless(self, partition: int) -> bool:
        """Whether a timer is due by our clock, or it is to be looked how far replayed time is."""
        known = self._known.get(partition)
        return known is None or self._is_due(known) or (known.replayed and self._clock() >= known.look)

    def _is_due(self, known: _Known) -> bool:
        return known.due is not None and known.due < self._now() and self._clock() >= known.again

    def committed(self, partition: int) -> None:
        """What is remembered is only when to look."""

    def forget(self, partition: int) -> None:
        self._known.pop(partition, None)
