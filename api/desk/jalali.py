"""Tells the day of the Persian calendar: dates are readable in the HTML itself, before and without any script.

The arithmetic 33-year rule, with which browsers' own calendar agrees until 1501 (2122); a test compares.
"""

from datetime import date
from typing import NamedTuple

_EPOCH = 226_895
"""The ordinal of the day before which the calendar begins, 1 Farvardin of the year 1."""


class Jalali(NamedTuple):
    """A day of the Persian calendar."""

    year: int
    month: int
    day: int


def of(day: date) -> Jalali:
    """The Persian day of a Gregorian one."""
    elapsed = day.toordinal() - _EPOCH
    year = 1 + (33 * elapsed + 3) // 12053
    day_of_year = elapsed - (365 * (year - 1) + (8 * year + 21) // 33)
    month = day_of_year // 31 if day_of_year < 216 else (day_of_year - 6) // 30
    first = month * 31 if month <= 6 else month * 30 + 6
    return Jalali(year, month + 1, day_of_year - first + 1)
