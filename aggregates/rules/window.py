"""Says which facts count together: those of the last while, or those of one calendar period. Reading order: Rolling, Calendar.

`holds(fact, at)` asks, for a fact that is not after `at`, whether it is in the window at `at`. Once it is not, it never is again.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from aggregates import jalali

Period = Literal["day", "week", "month", "jalali_month"]
PERIODS: tuple[Period, ...] = get_args(Period)


@dataclass(frozen=True, slots=True)
class Rolling:
    """The window (at - within, at]: a fact exactly that old is out."""

    within: timedelta

    def holds(self, fact: datetime, at: datetime) -> bool:
        """Whether the fact is in the window."""
        return at - fact < self.within

    def ends(self, fact: datetime, at: datetime) -> datetime:
        """When a fact that is in the window at a time leaves it."""
        return fact + self.within


@dataclass(frozen=True, slots=True)
class Calendar:
    """The calendar period, in a time zone, that `at` lies in, up to `at`."""

    period: Period
    zone: str

    def holds(self, fact: datetime, at: datetime) -> bool:
        """Whether the fact is in the same period."""
        start = _bounds(self.period, self.zone, at.astimezone(_zone(self.zone)).date())[0]
        return start <= fact

    def ends(self, fact: datetime, at: datetime) -> datetime:
        """When the period that a time lies in is over."""
        return _bounds(self.period, self.zone, at.astimezone(_zone(self.zone)).date())[1]


Window = Rolling | Calendar


def days_of(period: Period, day: date) -> tuple[date, date]:
    """The first day of the period that a day lies in, and of the next. A week begins on Saturday, as the calendar of the desk does."""
    match period:
        case "day":
            return day, day + timedelta(days=1)
        case "week":
            first = day - timedelta(days=(day.weekday() + 2) % 7)
            return first, first + timedelta(days=7)
        case "month":
            first = day.replace(day=1)
            return first, (first + timedelta(days=31)).replace(day=1)
        case "jalali_month":
            return jalali.month_of(day)


@lru_cache(maxsize=65_536)
def _bounds(period: Period, zone: str, day: date) -> tuple[datetime, datetime]:
    first, after = (datetime(edge.year, edge.month, edge.day, tzinfo=_zone(zone)).astimezone(UTC) for edge in days_of(period, day))
    return first, after


@lru_cache(maxsize=256)
def _zone(zone: str) -> ZoneInfo:
    return ZoneInfo(zone)
