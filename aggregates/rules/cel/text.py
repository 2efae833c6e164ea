"""Reads CEL's literals: texts with their escapes, numbers, and the times and durations that functions take as texts."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal

from aggregates.moment import read_moment
from aggregates.refusal import Refused
from aggregates.rules.cel.values import Unusable

_ESCAPE = re.compile(r"\\(?:([abfnrtv\"'`?\\])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2}))")
_SIMPLE = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_DURATION = re.compile(r"([-+]?)((?:[0-9]+(?:\.[0-9]+)?(?:h|ms|m|s|us|ns))+)\Z", re.ASCII)
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(h|ms|m|s|us|ns)")
_SECONDS = {"h": Decimal(3600), "m": Decimal(60), "s": Decimal(1), "ms": Decimal("1e-3"), "us": Decimal("1e-6"), "ns": Decimal("1e-9")}


def literal_text(token: str) -> str:
    """The text that a string literal means."""
    raw = token[0] in "rR"
    body = token[1:] if raw else token
    quotes = 3 if body[:3] in {'"""', "'''"} and len(body) >= 6 else 1
    body = body[quotes:-quotes]
    return body if raw else _ESCAPE.sub(_unescaped, body)


def _unescaped(found: re.Match[str]) -> str:
    simple, *codes, octal = found.groups()
    if simple:
        return _SIMPLE.get(simple, simple)
    code = int(octal, 8) if octal else int(next(code for code in codes if code), 16)
    return chr(code) if code < 0x110000 and not 0xD800 <= code < 0xE000 else "\ufffd"


def literal_whole(token: str) -> int:
    """The number of an integer literal; CEL's unsigned numbers are numbers like all others."""
    digits = token.rstrip("uU").lower()
    return int(digits, 16) if "0x" in digits else int(digits)


def moment_of(text: str) -> datetime:
    """The time of `timestamp("2026-11-22T10:00:00Z")`."""
    try:
        return read_moment(text, "UTC", "")
    except Refused:
        raise Unusable("this is no time") from None


def duration_of(text: str) -> timedelta:
    """The duration of `duration("1h30m")`."""
    found = _DURATION.match(text)
    if not found:
        raise Unusable("this is no duration")
    seconds = sum((Decimal(amount) * _SECONDS[unit] for amount, unit in _PART.findall(found[2])), Decimal())
    try:
        return timedelta(microseconds=int(seconds * 1_000_000)) * (-1 if found[1] == "-" else 1)
    except OverflowError:
        raise Unusable("this duration is too long") from None


def written(moment: datetime) -> str:
    """A time as text."""
    return there(moment, UTC).isoformat().replace("+00:00", "Z")


def there(moment: datetime, zone: tzinfo) -> datetime:
    """The same time on the clock of a zone."""
    try:
        return moment.astimezone(zone)
    except OverflowError:  # in the last hours of the year 9999, which stand for "never" where dates cannot be empty
        raise Unusable("no calendar goes so far") from None
