"""Remembers what this process accepted last, for the moments until the read models know it.

Which events, so that a sender who asks at once hears "accepted" and not "unknown"; and up to where in the log at what time, by which it
shows that the views stand still. Nothing depends on it: after a restart the read models answer alone.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

HELD = 25_000
"""So many events, and as many before them, are remembered."""

NOTED = timedelta(seconds=1)


class Recent:
    """The latest acceptances."""

    def __init__(self) -> None:
        self._events: set[int] = set()
        self._before: set[int] = set()
        self._ends: deque[tuple[datetime, dict[int, int]]] = deque()

    def accept(self, events: Iterable[UUID]) -> None:
        """These events are in the log."""
        self._events.update([event.int for event in events])
        if len(self._events) > HELD:
            self._before, self._events = self._events, set()

    def accepted(self, event: UUID) -> bool:
        """Whether this process put the event into the log, not long ago."""
        return event.int in self._events or event.int in self._before

    def note(self, ends: Mapping[int, int], at: datetime) -> None:
        """The log reaches to these offsets now; one note a second is kept."""
        if self._ends and at - self._ends[-1][0] < NOTED:
            last = self._ends[-1][1]
            last |= {partition: max(end, last.get(partition, 0)) for partition, end in ends.items()}
        else:
            self._ends.append((at, dict(ends)))

    def outstanding(self, at: datetime, resolved: Mapping[int, int]) -> datetime | None:
        """Since when something that was accepted is not resolved; None when all of it is."""
        while self._ends and all(resolved.get(partition, 0) >= end for partition, end in self._ends[0][1].items()):
            self._ends.popleft()
        return self._ends[0][0] if self._ends and at >= self._ends[0][0] else None
