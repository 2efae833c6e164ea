"""Reads the days and times that people write into lists: Jalali or Gregorian, with Persian or Latin digits, with or without a time.

A year from 1200 to 1500 is Jalali, one from 1900 to 2200 is Gregorian. What could be two days is refused, never guessed.
"""

import re
from datetime import date, datetime, time, timedelta
from typing import Literal

from aggregates import jalali
from aggregates.moment import zone_of
from aggregates.normal.persian import fold, plain
from aggregates.refusal import Refused

Order = Literal["", "day_first", "month_first"]

MONTHS = {
    fold(name): number
    for number, names in enumerate(
        (
            ("فروردین", "farvardin"),
            ("اردیبهشت", "ordibehesht"),
            ("خرداد", "khordad"),
            ("تیر", "tir"),
            ("مرداد", "امرداد", "mordad"),
            ("شهریور", "shahrivar"),
            ("مهر", "mehr"),
            ("آبان", "aban"),
            ("آذر", "azar"),
            ("دی", "dey"),
            ("بهمن", "bahman"),
            ("اسفند", "esfand"),
        ),
        1,
    )
    for name in names
}
GREGORIAN = {
    name: number
    for number, names in enumerate(
        (
            ("january", "jan", "ژانویه"),
            ("february", "feb", "فوریه"),
            ("march", "mar", "مارس"),
            ("april", "apr", "آوریل"),
            ("may", "مه", "می"),
            ("june", "jun", "ژوئن"),
            ("july", "jul", "ژوئیه", "جولای"),
            ("august", "aug", "اوت", "آگوست"),
            ("september", "sep", "sept", "سپتامبر"),
            ("october", "oct", "اکتبر"),
            ("november", "nov", "نوامبر"),
            ("december", "dec", "دسامبر"),
        ),
        1,
    )
    for name in map(fold, names)
}
NOON = {"am": 0, "pm": 12, "قظ": 0, "بظ": 12, "صبح": 0, "ظهر": 12, "عصر": 12, "بعدازظهر": 12}
"""The halves of a day of twice twelve hours, without dots and spaces."""

SHEETS = date(1899, 12, 30)
"""The day from which Excel counts days: a cell that lost its format is such a number, with the time of day behind the point."""

MEND = "write it like 1404/08/30, 1404/08/30 14:05 or 2025-11-21"

_NUMBERS = re.compile(r"^(\d{1,4})\s*[/\-.]\s*(\d{1,2})\s*[/\-.]\s*(\d{1,4})$", re.ASCII)
_NAMED = re.compile(r"^(?:\D+\s+)?(\d{1,2})[\s/-]+([^\W\d]+)[\s/-]+(?:ماه\s+)?(\d{4})$")
_WEEKDAY = re.compile(
    r"^(?:(?:یک|دو|سه|چهار|پنج)?\s?شنبه|جمعه|(?:mon|tues|wednes|thurs|fri|satur|sun)day|mon|tue|wed|thu|fri|sat|sun)[,،.]?\s+",
    re.IGNORECASE,
)
_MONTH_FIRST = re.compile(r"^([^\W\d]+)\s+(\d{1,2})\s+(\d{4})$")
_SERIAL = re.compile(r"^([2-7]\d{4})(?:\.(\d+))?$", re.ASCII)
_BETWEEN = re.compile(r"(?<=\d)T(?=\d)|\sساعت\s|[،,]|\s-\s")
_GLUED = re.compile(r"(\d)([ap]\.?m\b)", re.IGNORECASE)
_EXACT = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d", re.ASCII)
_CLOCK = re.compile(r"^(\d{1,2}):(\d{2})(?::(\d{2})(?:[.]\d+)?)?$", re.ASCII)
_PACKED = re.compile(r"^(1[234]\d\d|19\d\d|20\d\d)(\d\d)(\d\d)$", re.ASCII)


def moment(text: str, zone: str, pointer: str, order: Order = "", clock: str = "") -> str:
    """The moment as RFC 3339; a day alone is its beginning in the zone. Raises `Refused`."""
    written = plain(text)
    if ("T" in written or _EXACT.match(written)) and (exact := _rfc3339(written)) is not None:
        return (exact if exact.tzinfo else exact.replace(tzinfo=zone_of(zone, pointer))).isoformat()
    day_text, clock_text = _parts(written)
    day = _day(day_text, pointer, order)
    at = _time(_parts(plain(clock))[1], pointer) if clock else _of_sheet(day_text) or _time(clock_text, pointer)
    return datetime.combine(day, at, zone_of(zone, pointer)).isoformat()


def day(text: str, pointer: str, order: Order = "") -> str:
    """A day, as ISO 8601 has it: for what has no time, like a birthday. Raises `Refused`."""
    written = plain(text)
    if "T" in written and (exact := _rfc3339(written)) is not None:
        return exact.date().isoformat()
    return _day(_parts(written)[0], pointer, order).isoformat()


def _rfc3339(text: str) -> datetime | None:
    """A time as programs write it; a year of the Jalali calendar is no such time."""
    try:
        exact = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if 1200 <= exact.year <= 1500 else exact


def _parts(text: str) -> tuple[str, str]:
    """Day and time; some write the time first, some put a hyphen or the word ساعت between, some count twice twelve hours."""
    text = _BETWEEN.sub(" ", _WEEKDAY.sub("", _GLUED.sub(r"\1 \2", text))).replace("بعد از ظهر", "عصر").replace("قبل از ظهر", "صبح")
    words = text.split()
    halves = [half for word in words if (half := word.replace(".", "").lower()) in NOON]
    clocks = [word for word in words if ":" in word]
    day_words = [word for word in words if ":" not in word and word.replace(".", "").lower() not in NOON]
    return " ".join(day_words), " ".join([*clocks[:1], *halves[:1]]) if clocks else ""


def _day(text: str, pointer: str, order: Order) -> date:
    packed = _PACKED.match(text)
    if packed:
        return _made(int(packed[1]), int(packed[2]), int(packed[3]), pointer)
    serial = _SERIAL.match(text)
    if serial:
        return SHEETS + timedelta(days=int(serial[1]))
    named = _NAMED.match(text) or _MONTH_FIRST.match(text)
    if named:
        word, number = (named[2], named[1]) if named[1].isdecimal() else (named[1], named[2])
        month = (MONTHS if int(named[3]) <= 1500 else GREGORIAN).get(fold(word))  # the year says the calendar, and so must the name
        if month:
            return _made(int(named[3]), month, int(number), pointer)
    numbers = _NUMBERS.match(text)
    if numbers is None:
        raise Refused("wrong_time", pointer, "it is no date that can be read", MEND)
    first, second, third = (int(number) for number in numbers.groups())
    if len(numbers[1]) == 4:
        return _made(first, second, third, pointer)
    if len(numbers[3]) != 4:
        raise Refused("wrong_time", pointer, "its year is not written with four digits", MEND)
    if 1200 <= third <= 1500 or order == "day_first" or first > 12:
        return _made(third, second, first, pointer)
    if order == "month_first" or second > 12 or first == second:
        return _made(third, first, second, pointer)
    raise Refused(
        "wrong_time",
        pointer,
        "it could be two days: which number is the month is not sure",
        "say dates: day_first or month_first in the mapping",
    )


def _made(year: int, month: int, day: int, pointer: str) -> date:
    try:
        if 1200 <= year <= 1500:
            return gregorian(year, month, day)
        if 1900 <= year <= 2200:
            return date(year, month, day)
    except ValueError:
        raise Refused("wrong_time", pointer, "there is no such day in the calendar", MEND) from None
    raise Refused("wrong_time", pointer, "its year belongs to no calendar in use", MEND)


def gregorian(year: int, month: int, day: int) -> date:
    """The Gregorian day of a Jalali one. Raises ValueError when there is no such day."""
    if not (1 <= month <= 12 and 1 <= day <= 31):
        raise ValueError("no such day")
    passed = (month - 1) * 31 if month <= 7 else 186 + (month - 7) * 30
    first = 365 * (year - 1) + (8 * year + 21) // 33 + jalali.EPOCH
    found = date.fromordinal(first) + timedelta(days=passed + day - 1)
    if jalali.of(found) != (year, month, day):
        raise ValueError("no such day")
    return found


def _of_sheet(text: str) -> time | None:
    """The time of day in a number of Excel, to the second."""
    serial = _SERIAL.match(text)
    if serial is None or not serial[2]:
        return None
    seconds = min(round(float(f"0.{serial[2]}") * 86_400), 86_399)
    return time(seconds // 3600, seconds // 60 % 60, seconds % 60)


def _time(text: str, pointer: str) -> time:
    if not text:
        return time()
    clock, _, half = text.partition(" ")
    parts = _CLOCK.match(clock)
    if parts is None or int(parts[1]) > 23 or int(parts[2]) > 59 or int(parts[3] or 0) > 59:
        raise Refused("wrong_time", pointer, "its time of day cannot be read", MEND)
    hour = int(parts[1])
    if half and 1 <= hour <= 12:
        hour = hour % 12 + NOON[half.replace(".", "").lower()]
    return time(hour, int(parts[2]), int(parts[3] or 0))
