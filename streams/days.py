"""Knows which day has begun, in our time and in that of replayed sources: up to it the silent are looked at. Reading order: Days."""

import math
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from time import monotonic

from aggregates.churn import DAY
from aggregates.log import NotAcknowledged
from projections.positions import replaying
from projections.positions import table as positions
from streams import timers
from streams.parts import Moment

GRACE = timedelta(hours=1)
"""After so much of a day has passed, what is still on its way from the day before is late."""

MARGIN = timedelta(days=14)
"""How far replayed sources may be apart in their own time while they replay: many do so at once."""

REST = 2.0
"""Seconds for which the time of replayed sources must stand still before a partition follows it to the end."""


class Days:
    """`ends`: where `touchpoints` ends, by partition."""

    def __init__(self, clock: Callable[[], datetime], ends: Callable[[], Awaitable[Mapping[int, int]]]) -> None:
        self._clock, self._ends = clock, ends
        self._still: tuple[datetime | None, float] = (None, 0.0)  # the time of replayed sources, and since when it stands

    async def begun(self, moment: Moment, passed: Mapping[bool, int]) -> dict[bool, int]:
        """The day that has begun in our time (False), and in that of replayed sources (True) as far as all that they sent is in the views.
        `passed`: what was told of before."""
        days = {False: math.floor((self._clock() - GRACE).timestamp() / DAY)}
        latest = await replaying.latest(moment.connection)
        if latest is not None:
            now = monotonic()
            if self._still[0] != latest:
                self._still = (latest, now)
            rests = not moment.fresh and now - self._still[1] >= REST
            sent = await timers.replayed(moment.connection)
            if sent is not None:
                days[True] = math.floor((sent - MARGIN).timestamp() / DAY)
            end = math.floor(latest.timestamp() / DAY)
            if rests and end > passed.get(True, -1) and await self._at_rest(moment):
                days[True] = end
        return days

    async def _at_rest(self, moment: Moment) -> bool:
        """Whether nothing at all is on its way to the views."""
        try:
            ends = await self._ends()
        except NotAcknowledged:
            return False
        return await positions.reached(moment.connection, ends)
