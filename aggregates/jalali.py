"""Tells where a day stands in the Persian calendar: for windows that are Jalali months, and for dates that are read in the HTML itself.

The arithmetic 33-year rule: years of 365 days, and eight leap years in 33. The calendar in use, and browsers, agree with it until 1501
(2122); a test compares.
"""

from datetime import date, timedelta
from typing import NamedTuple

EPOCH = 226_895
"""The ordinal of the day before which the calendar begins: 1 Farvardin of the year 1."""


class Jalali(NamedTuple):
    """A day of the Persian calendar."""

    year: int
    month: int
    day: int


def of(day: date) -> Jalali:
    """The Persian day of a Gregorian one."""
    elapsed = day.toordinal() - EPOCH
    year = 1 + (33 * elapsed + 3) // 12_053
    day_of_year = elapsed - (365 * (year - 1) + (8 * year + 21) // 33)
    month = day_of_year // 31 if day_of_year < 186 else (day_of_year - 6) // 30
    first = month * 31 if month <= 6 else month * 30 + 6
    return Jalali(year, month + 1, day_of_year - first + 1)


def month_of(day: date) -> tuple[date, date]:
    """The first day of the Jalali month that a day lies in, and that of the next month."""
    first = day - timedelta(days=of(day).day - 1)
    later = first + timedelta(days=29)  # no month is shorter than 29 days
    while of(later).day != 1:
        later += timedelta(days=1)
    return first, later
