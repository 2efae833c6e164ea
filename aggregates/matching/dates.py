"""Reads a day however it is written, Jalali included, so that two spellings of a birthday are one and a swapped day and month shows.

A number of eight digits is a day only where it can be one. Two-digit years are left alone: nobody can say which century is meant.
"""

import re
from functools import lru_cache

_COMPACT = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})(?:[0-9]{6})?", re.ASCII)
_YEAR_FIRST = re.compile(r"([0-9]{4})[-/. ]([0-9]{1,2})[-/. ]([0-9]{1,2})(?:[ t].*)?", re.ASCII)
_YEAR_LAST = re.compile(r"([0-9]{1,2})[-/. ]([0-9]{1,2})[-/. ]([0-9]{4})(?:[ t].*)?", re.ASCII)
_NAMED = re.compile(r"(?:([0-9]{1,2})[-/. ,]+)?([a-z]{3})[a-z]*[-/. ,]+(?:([0-9]{1,2})(?:st|nd|rd|th)?[-/. ,]+)?([0-9]{4})", re.ASCII)
_NAMES = "jan feb mar apr may jun jul aug sep oct nov dec"
_JALALI = "فروردین اردیبهشت خرداد تیر مرداد شهریور مهر ابان اذر دی بهمن اسفند"
_MONTHS = {name: n for names in (_NAMES, _JALALI) for n, name in enumerate(names.split(), 1)} | {"امرداد": 5}
_PERSIAN = re.compile(r"([0-9]{1,2})[-/. ،]*([^\W\d_]+)(?: ماه)?[-/. ،]*(?:سال )?([0-9]{4})")


@lru_cache(maxsize=65_536)
def date(text: str) -> str:
    """Year, month and day as eight digits; empty for what is no day. Of two small numbers the first is the day."""
    if found := _COMPACT.fullmatch(text) or _YEAR_FIRST.fullmatch(text):
        year, month, day = map(int, found.groups())
    elif found := _YEAR_LAST.fullmatch(text):
        day, month, year = map(int, found.groups())
    elif found := _NAMED.fullmatch(text):
        year, month, day = int(found[4]), _MONTHS.get(found[2], 0), int(found[1] or found[3] or 0)
    elif (found := _PERSIAN.fullmatch(text)) and found[2] in _MONTHS:
        year, month, day = int(found[3]), _MONTHS[found[2]], int(found[1])
    else:
        return ""
    if month > 12 >= day:
        day, month = month, day
    plausible = (1850 <= year <= 2150 or 1250 <= year <= 1450) and 1 <= month <= 12 and 1 <= day <= 31
    return f"{year:04d}{month:02d}{day:02d}" if plausible else ""
