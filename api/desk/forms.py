"""Reads the desk's forms: small, each field once, dates as people write them. Reading order: form, day, due."""

import re
from datetime import date, datetime, time, timedelta
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

from fastapi import Request

from aggregates import jalali
from aggregates.normal import persian
from api.problem import Problem

LONGEST = 32_768

_DATE = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[ T](\d{1,2}):(\d{2}))?")
PERSIAN = 1700
"""A year below it is of the Persian calendar."""

END = time(17)
"""A promise for a day is for before its end."""


async def form(request: Request, longest: int = LONGEST) -> dict[str, str]:
    """The fields of a form of ours: small, and each once."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > longest:
            raise Problem(413, "too_large", "No form of the desk is so long.")
    fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    return {name: values[0].replace("\0", "") for name, values in fields.items()}  # nobody writes NUL, and PostgreSQL cannot hold it


def due(text: str, zone: ZoneInfo) -> datetime | None:
    """A day, Persian or Gregorian, in any digits, perhaps with an hour. Raises a 422 problem for what is none."""
    plain = persian.plain(text)
    if not plain:
        return None
    found = _DATE.fullmatch(plain)
    try:
        if found is None:
            raise ValueError(plain)
        year, month, number = (int(part) for part in found.groups()[:3])
        at = time(int(found[4]), int(found[5])) if found[4] else END
        return datetime.combine(day(year, month, number), at, zone)
    except ValueError as error:
        raise Problem(422, "no_date", "This is no date.", pointer="/due", mend="1405/09/05, 2026-11-26 14:00") from error


def day(year: int, month: int, number: int) -> date:
    """The Gregorian day of a date in either calendar. Raises ValueError for a day that there is not."""
    if year >= PERSIAN:
        return date(year, month, number)
    guess = date(year + 621, 3, 20) + timedelta(days=(month - 1) * 30 + min(month - 1, 6) + number - 1)
    for near in range(-3, 4):
        candidate = guess + timedelta(days=near)
        if jalali.of(candidate) == (year, month, number):
            return candidate
    raise ValueError(f"there is no {year}/{month}/{number}")
