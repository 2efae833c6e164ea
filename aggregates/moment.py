"""Reads the times that channel systems write: RFC 3339 with an offset, or a date alone, which is the start of that day in their zone."""

import re
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from aggregates.refusal import Refused

MEND = 'write it like "2026-11-22T10:00:00+03:30" or "2026-11-22T06:30:00Z"'

_FINER = re.compile(r"(\.[0-9]{6})[0-9]+")
"""A fraction that is rounded to microseconds."""


def known_zone(name: str) -> ZoneInfo | None:
    """The time zone of this name; None: there is none, or none that this installation knows."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # the last: a folder of zones, or a name longer than a file's
        return None


def zone_of(name: str, pointer: str) -> ZoneInfo:
    """The time zone that the time at this place is meant in. Raises `Refused`."""
    zone = known_zone(name)
    if zone is None:
        detail = "it has no offset, and the source's time zone is none that is known here"
        raise Refused("wrong_time", pointer, detail, f"{MEND}, or have an admin set the source's zone")
    return zone


def read_moment(text: str, zone: str, pointer: str) -> datetime:
    """The moment, in UTC. Raises `Refused`."""
    try:
        moment = msgspec.convert(text, datetime)
    except (msgspec.ValidationError, UnicodeEncodeError):
        moment = uncommon(text, zone, pointer)
    if moment.tzinfo is None:
        raise Refused("wrong_time", pointer, "it has no offset, so nobody knows when it was", MEND)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise Refused("wrong_time", pointer, "it is before the year 1 or after 9999 in UTC", MEND) from None


def uncommon(text: str, zone: str, pointer: str) -> datetime:
    """A date alone, or a leap second, which counts as the one before it."""
    if len(text) == 10:
        return day(text, zone, pointer)
    if text[16:19] == ":60":
        return read_moment(f"{text[:17]}59{text[19:]}", zone, pointer)
    cut = _FINER.sub(r"\1", text, count=1)
    if cut != text:
        read_moment(cut, zone, pointer)  # raises, unless it was only the rounding
        raise Refused("wrong_time", pointer, "rounded to microseconds it is after 9999", MEND)
    raise Refused("wrong_time", pointer, "it is not RFC 3339", MEND)


def day(text: str, zone: str, pointer: str) -> datetime:
    """The start of a day in a zone."""
    try:
        first = msgspec.convert(text, date)
    except (msgspec.ValidationError, UnicodeEncodeError):
        raise Refused("wrong_time", pointer, "it is no date of the Gregorian calendar", f"{MEND}, or a date alone") from None
    return datetime(first.year, first.month, first.day, tzinfo=zone_of(zone, pointer))


def of_data(text: str, zone: str, pointer: str) -> str:
    """A time in `data` as the log keeps it: as sent, but a date alone as the moment at which that day begins."""
    moment = read_moment(text, zone, pointer)
    if 1300 <= moment.year <= 1500:
        raise Refused("wrong_time", pointer, "it seems to be a date of the Jalali calendar", f"{MEND}, in the Gregorian calendar")
    return moment.astimezone(zone_of(zone, pointer)).isoformat() if len(text) == 10 else text
