"""Reads the times of a log in whatever way it writes them: ISO 8601, epochs, days alone, the day or the month first, Jalali. Pure.

How a whole column is written settles what one cell leaves open: whether 03/04 is of March, and whether a number counts days or seconds.
Reading order: Writing, Column, moment.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import NamedTuple

from aggregates.normal.persian import plain
from aggregates.refusal import Refused
from aggregates.rows import dates
from aggregates.rows.dates import Order

FIRST = datetime(1970, 1, 1, tzinfo=UTC)

DAYS_BELOW = 100_000.0
"""Numbers of a column that are all below this count days: as seconds they would all be of one day in 1970."""

SHEETS_FROM = 30_000.0
SHEETS = datetime(1899, 12, 30, tzinfo=UTC)
"""A column of days that goes so far counts from there, as spreadsheets do: since 1970 it would be of 2052 and later."""

YEARLESS = 10
"""Different numbers that all look like a month and a day, for that to be no chance."""

UNITS = ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3))
"""From which size on a number counts nanoseconds, microseconds or milliseconds since 1970; smaller ones count seconds."""

_NUMBER = re.compile(r"[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?", re.ASCII)
_MONTH_AND_DAY = re.compile(r"(?:0?[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])", re.ASCII)
_PACKED = re.compile(r"(?:19|20|1[34])\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[0-2]\d[0-5]\d[0-5]\d)?", re.ASCII)
_TWO_NUMBERS = re.compile(r"\D*(\d{1,2})[/.-](\d{1,2})[/.-](?:\d{4}|\d\d)(?!\d)", re.ASCII)
_SHORT_YEAR = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d\d)(?!\d)", re.ASCII)
_HALF_DAY = re.compile(r"(\d{1,2})(:\d\d)?(:\d\d(?:\.\d+)?)?\s*([ap])\.?m\.?$", re.ASCII | re.IGNORECASE)
_ZONE = re.compile(r"\s*(?:(?:UTC|GMT)?([+-]\d\d:?\d\d)|UTC|GMT|Z)(?:\s*\([^()]*\))?$", re.ASCII)
_NAMED = re.compile(
    r"^(?:[A-Za-z]{3,9},?\s+)?(?:(\d{1,2})[\s/-]*([A-Za-z]{3})[A-Za-z]*[,.]?[\s/-]*(\d{4}|\d\d)(?!\d)"
    r"|([A-Za-z]{3})[A-Za-z]*\.?\s+(\d{1,2}),?[\s-]+(\d{4}))(.*)$",
    re.ASCII,
)
"""Also as SAS and web servers write it: 03JAN2023:10:15:00, 03/Jan/2023:10:15:00."""

_POINTS = re.compile(r"(?<=\d[ T])(\d{1,2})\.(\d\d)(?:\.(\d\d(?:\.\d+)?))?(?![\d.])", re.ASCII)
"""A time of day as Oracle, and people of many countries, write it: 10-OCT-00 01.55.36.000000 PM, 10.10.2000 13.55."""

_HYPHEN = re.compile(r"(\d{4}-\d\d-\d\d)-(?=\d\d\.\d\d\.\d\d(?!\d))", re.ASCII)
"""A day as DB2 writes it before its time: 2000-10-10-13.55.36.000000."""

_OFFSETS = (
    "EST-05:00 EDT-04:00 CDT-05:00 MST-07:00 MDT-06:00 PST-08:00 PDT-07:00 WET+00:00 WEST+01:00 CET+01:00 CEST+02:00 EET+02:00 EEST+03:00"
    " MSK+03:00 IRST+03:30 IRDT+04:30 SGT+08:00 HKT+08:00 JST+09:00 KST+09:00 AEST+10:00 AEDT+11:00 NZST+12:00 NZDT+13:00"
)
_PLACES = {said[:-6]: said[-6:] for said in _OFFSETS.split()}
"""Offsets by their letters, without those that several countries use: CST is of Chicago and of Shanghai, IST of three, BST of two."""

_PLACE = re.compile(rf"\s*\b({'|'.join(_PLACES)})$", re.ASCII)
_YEARLESS_PLACE = re.compile(rf"(\d\d:\d\d:\d\d) ({'|'.join(_PLACES)}) (?=\d{{4}}$)", re.ASCII)
"""Where the `date` of Unix has it, before the year."""

_YEAR_LAST = re.compile(r"([A-Za-z]{3} [A-Za-z]{3} +\d{1,2} \d\d:\d\d:\d\d) (UTC|GMT|[+-]\d{4}) (\d{4})", re.ASCII)
"""Also as the `date` of Unix and many an API write it: Tue Oct 10 13:55:36 +0000 2000."""

_FINER = re.compile(r"(:\d\d\.\d{6})\d+")
"""Parts of a second that are finer than a microsecond."""

_MONTHS = {name: n for n, name in enumerate(("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1)}


class Writing(NamedTuple):
    """How a column writes what one cell leaves open."""

    order: Order = "day_first"
    days: bool = False  # its numbers count days
    since: datetime = FIRST  # from when on they do


@dataclass(slots=True)
class Column:
    """What was seen of a column of times: what tells how it is written."""

    numbers: bool = False
    largest: float = 0.0  # of its numbers
    first: int = 0
    second: int = 0  # the largest of the two numbers before a year
    yearless: set[int] | None = field(default_factory=set)  # its numbers, as long as all are a month and a day

    def see(self, cell: object) -> None:
        """One cell more."""
        if cell is None or isinstance(cell, (date, bool)):
            return
        text = str(cell).strip()
        if _NUMBER.fullmatch(text):
            number = float(text)
            self.numbers, self.largest = True, max(self.largest, abs(number))
            if self.yearless is not None and number not in self.yearless:
                self.yearless = {*self.yearless, int(number)} if _MONTH_AND_DAY.fullmatch(text) else None
        elif two := _TWO_NUMBERS.match(plain(text)):
            self.first, self.second = max(self.first, int(two[1])), max(self.second, int(two[2]))

    @property
    def lacks_year(self) -> bool:
        """Whether its numbers are like 0829 for the 29th of August: of those that count days, hardly three in ten look so."""
        return len(self.yearless or ()) >= YEARLESS and max(self.yearless or ()) // 100 > min(self.yearless or ()) // 100

    def writing(self, beside: "Column | None" = None) -> Writing:
        """How it is written. Where all its days could be months too, a column of the same table may tell; else the day is the first."""
        pairs = [(self.first, self.second)] + ([(max(self.first, beside.first), max(self.second, beside.second))] if beside else [])
        order: Order = "month_first" if any(first <= 12 < second for first, second in pairs) else "day_first"
        return Writing(order, self.numbers and self.largest < DAYS_BELOW, SHEETS if SHEETS_FROM <= self.largest < DAYS_BELOW else FIRST)


def counts(text: str) -> bool:
    """Whether a text is a number, which counts from a day on."""
    return _NUMBER.fullmatch(text) is not None


def moment(cell: object, writing: Writing) -> datetime:
    """The time of a cell, in UTC; what has no offset is of UTC. Raises ValueError."""
    if isinstance(cell, datetime):
        found = cell
    elif isinstance(cell, date):
        found = datetime(cell.year, cell.month, cell.day)  # noqa: DTZ001 - a day of UTC, like all without an offset
    elif isinstance(cell, (int, float)):
        return _of_number(repr(cell), writing)
    else:
        text = str(cell).strip()
        if _NUMBER.fullmatch(text):
            return _of_number(text, writing)
        try:
            pointed = "." in text and ":" not in text  # of 13.55 ISO makes fifty-five hundredths of a second
            found = _written(text, writing.order) if pointed else datetime.fromisoformat(text)
        except ValueError:
            found = _written(text, writing.order)
        if 1200 <= found.year <= 1500:
            found = _written(text, writing.order)
    try:
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except OverflowError:
        raise ValueError(cell) from None


def _of_number(text: str, writing: Writing) -> datetime:
    """A number: of days, 20240131 as a day, 20240131103000 as a time, else since 1970."""
    whole = text.removesuffix(".0")
    if writing.days:
        return writing.since + timedelta(days=float(text))
    if _PACKED.fullmatch(whole):
        return _written(whole[:8], writing.order).replace(tzinfo=UTC) + _clock(whole[8:])
    number = float(text)
    unit = next((unit for size, unit in UNITS if abs(number) >= size), 1.0)
    try:
        return FIRST + timedelta(seconds=number / unit)
    except OverflowError:
        raise ValueError(text) from None


def _clock(digits: str) -> timedelta:
    return timedelta(hours=int(digits[:2]), minutes=int(digits[2:4]), seconds=int(digits[4:])) if digits else timedelta()


def _year(digits: str) -> int:
    """A year, of two digits from 1970 on."""
    year = int(digits)
    return year if len(digits) > 2 else year + (1900 if year >= 70 else 2000)


@lru_cache(maxsize=65_536)
def _written(text: str, order: Order) -> datetime:
    """A time as people and other programs write it. Raises ValueError."""
    written = _YEARLESS_PLACE.sub(lambda it: f"{it[1]} {_PLACES[it[2]].replace(':', '')} ", plain(text).strip("[]"))
    pointed = _POINTS.sub(lambda it: ":".join(filter(None, it.groups())), _HYPHEN.sub(r"\1 ", written))
    written, offset = _FINER.sub(r"\1", _PLACE.sub(lambda it: _PLACES[it[1]] if ":" in it.string else it[0], pointed)), ""
    if last := _YEAR_LAST.fullmatch(written):
        written = f"{last[1]} {last[3]} {last[2]}"
    if (zone := _ZONE.search(written)) and ":" in written[: zone.start()]:
        written, offset = written[: zone.start()], zone[1] or "+00:00"
    if named := _NAMED.match(written):
        month = _MONTHS.get((named[2] or named[4]).lower())
        if month is None:
            return parsedate_to_datetime(text)
        clock = f" {named[7][1:]}" if named[7].startswith(":") else named[7]
        written = f"{_year(named[3] or named[6])}-{month:02d}-{int(named[1] or named[5]):02d}{clock}"
    elif short := _SHORT_YEAR.match(written):
        written = f"{short[1]}/{short[3]}/{_year(short[4])}{written[short.end() :]}"
    if half := _HALF_DAY.search(written):
        hour = int(half[1]) % 12 + (12 if half[4].lower() == "p" else 0)
        written = f"{written[: half.start()]}{hour:02d}{half[2] or ':00'}{half[3] or ''}"
    try:
        found = datetime.fromisoformat(dates.moment(written, "UTC", "", order))
    except Refused as refused:
        raise ValueError(str(refused)) from None
    return found.replace(tzinfo=datetime.fromisoformat(f"2000-01-01T00:00{offset}").tzinfo) if offset else found
