"""Remembers what this process accepted last, for the moments until the read models know it.

Which events, so that a sender who asks at once hears "accepted" and not "unknown"; and up to where in the log at what time, by which it
shows that the views stand still. Nothing depends on it: after a restart the read models answer alone.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from itertools import islice

HELD = 50_000
NOTED = timedelta(seconds=1)


class Recent:
    """The latest acceptances."""

    def __init__(self) -> None:
        self._events: dict[str, None] = {}
        self._ends: deque[tuple[datetime, dict[int, int]]] = deque()

    def accept(self, events: Iterable[str]) -> None:
        """These events are in the log."""
        self._events.update(dict.fromkeys(events))
        if len(self._events) > HELD:
            for old in list(islice(self._events, len(self._events) - HELD)):
                del self._events[old]

    def accepted(self, event: str) -> bool:
        """Whether this process put the event into the log, not long ago."""
        return event in self._events

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
