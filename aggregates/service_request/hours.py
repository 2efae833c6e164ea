"""Counts time as a desk counts it: only while it is open. Saturday to Wednesday 8 to 17, Thursday 8 to 13, never on public holidays.

Holidays of Iran follow the moon and decrees; a library that is kept up knows them. Pure: the same arguments, the same answer.
Reading order: Hours, add, between.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

LONGEST = 400
"""After so many days without an open hour nobody will open any more."""

Span = tuple[time, time]
DAY: Span = (time(8), time(17))
SHORT: Span = (time(8), time(13))


@dataclass(frozen=True, slots=True)
class Hours:
    """When a desk is open: by weekday (Monday is 0), but for the holidays of a country."""

    zone: str = "Asia/Tehran"
    country: str = "IR"
    week: tuple[tuple[int, Span], ...] = ((5, DAY), (6, DAY), (0, DAY), (1, DAY), (2, DAY), (3, SHORT))
    always: bool = False  # day and night, for what is urgent


def add(start: datetime, seconds: float, hours: Hours) -> datetime:
    """The moment at which so many open seconds have passed since `start`."""
    if hours.always:
        return start + timedelta(seconds=seconds)
    left = timedelta(seconds=seconds)
    for opens, closes in _open(start, hours):
        passed = closes - opens
        if passed >= left:
            return (opens + left).astimezone(start.tzinfo)
        left -= passed
    raise ValueError("the desk is never open")


def between(start: datetime, end: datetime, hours: Hours) -> float:
    """The open seconds from `start` to `end`; below zero when `end` is earlier."""
    if end < start:
        return -between(end, start, hours)
    if hours.always:
        return (end - start).total_seconds()
    total = timedelta()
    for opens, closes in _open(start, hours):
        if opens >= end:
            break
        total += min(closes, end) - opens
    return total.total_seconds()


def _open(start: datetime, hours: Hours) -> Iterator[tuple[datetime, datetime]]:
    """The open spans from `start` on."""
    zone = ZoneInfo(hours.zone)
    here = start.astimezone(zone)
    week = dict(hours.week)
    for number in range(LONGEST):
        day = here.date() + timedelta(days=number)
        span = week.get(day.weekday())
        if span is None or day in _holidays(hours.country, day.year):
            continue
        opens, closes = (datetime.combine(day, at, zone) for at in span)
        if closes > here:
            yield max(opens, here), closes


@cache
def _holidays(country: str, year: int) -> frozenset[date]:
    import holidays  # 60 ms of a core, for the calendars of all religions: only who counts a desk's time waits for them

    return frozenset(holidays.country_holidays(country, years=year))
