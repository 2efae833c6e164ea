"""When a message happened, by a clock that may be wrong: clients say when they sent it, and we know when it came.

Reading order: said, sent_at, ahead, corrected.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import msgspec

from aggregates.refusal import Refused

ABSENT = frozenset({"", "undefined", "null"})
MILLISECONDS, MICROSECONDS, NANOSECONDS = 10**11, 10**14, 10**17
"""An epoch above this is of milliseconds, and so on: in seconds it would be the year 5138."""

NONE = timedelta()


def said(message: dict[str, Any]) -> str | None:
    """The time in a message as text; None when it has none. A number is an epoch, of seconds or milliseconds."""
    value = message.get("timestamp") or message.get("originalTimestamp")
    if value is None:
        return None
    if type(value) is str:
        if value[4:5] == "-" and value[-1] != " ":  # as nearly all write it
            return value
        text = value.strip()
        return None if text in ABSENT else _epoch(int(text)) if text.isascii() and text.isdigit() and len(text) >= 9 else text
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Refused("wrong_time", "/timestamp", "it is neither text nor a number", 'write it like "2026-11-22T06:30:00Z"')
    return _epoch(value)


def _epoch(value: float) -> str:
    size = abs(value)
    unit = 1 if size <= MILLISECONDS else 10**3 if size <= MICROSECONDS else 10**6 if size <= NANOSECONDS else 10**9
    try:
        return datetime.fromtimestamp(value / unit, UTC).isoformat()
    except (OverflowError, ValueError, OSError):
        raise Refused("wrong_time", "/timestamp", "it is no time", 'write it like "2026-11-22T06:30:00Z"') from None


def sent_at(around: Mapping[str, Any]) -> str:
    """When a message or a batch says it was sent, as text; empty when it does not say, or says what is no time."""
    value = around.get("sentAt") or around.get("sent_at")
    if type(value) is str:
        return value if _moment(value) is not None else ""
    if not isinstance(value, int | float):
        return ""
    try:
        return _epoch(value)
    except Refused:
        return ""


def ahead(sent: str, received: datetime) -> timedelta:
    """By how much the client's clock was ahead of ours when it sent, the time on the way included; nothing when it does not say."""
    moment = _moment(sent) if sent else None
    return NONE if moment is None else moment - received


@lru_cache(maxsize=256)
def _moment(text: str) -> datetime | None:
    try:
        moment = msgspec.convert(text, datetime)
        return moment.astimezone(UTC) if moment.tzinfo is not None else None
    except (msgspec.ValidationError, UnicodeEncodeError, OverflowError):
        return None


def corrected(occurred: datetime, by: timedelta) -> datetime:
    """The time on our clock; as it was said where that is no time."""
    if not by:
        return occurred
    try:
        return occurred - by
    except OverflowError:
        return occurred
