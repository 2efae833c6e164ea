"""Reads a request's query parameters: each is what it should be, or a problem points at it."""

import unicodedata
from datetime import UTC, datetime

from fastapi import Request

from api.problem import invalid

LARGEST = 200
DEFAULT = 50
NARROWING = ("after", "as_of", "known_at", "since", "until", "channel", "type")
"""What some routes know, and of which nobody wants that others pass it over."""

INSTEAD = {
    "as_of": "Send until: only what was before that time.",
    "known_at": "Leave it out: `recorded` of each event says since when it was known.",
}
"""What to send where events are listed, and not what they came to."""

UNWRITABLE = frozenset({"Cc", "Cs"})
"""Categories of characters that nobody writes. Marks of direction and the half-space of Persian do not show, and are written."""


def heeded(request: Request) -> None:
    """Raises a 422 problem where something would be read and is asked for as another route has it: whoever sent it takes all for a part, or
    what was before for what is now."""
    sent = [name for name in NARROWING if name in request.query_params]
    extra = getattr(request.scope.get("route"), "openapi_extra", None) or {}
    if not sent or request.method not in {"GET", "HEAD"} or "422" not in extra.get("responses", {}):
        return
    known = {one["name"] for one in extra.get("parameters", ()) if one["in"] == "query"}
    for name in sent:
        if name not in known:
            instead = INSTEAD.get(name, "Leave it out.") if "until" in known else "Leave it out."
            raise invalid(f"/query/{name}", f"This address does not know {name}: the answer would be as if it were not there.", instead)


def limit(request: Request) -> int:
    """How many items are wanted."""
    text = request.query_params.get("limit")
    if text is None:
        return DEFAULT
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text[:9]) <= LARGEST:
        raise invalid("/query/limit", f"The limit is a number from 1 to {LARGEST}.")
    return int(text)


def whole(request: Request, name: str) -> int | None:
    """A number from 1, or None when it is absent."""
    value = request.query_params.get(name)
    if value is None:
        return None
    if not value.isascii() or not value.isdecimal() or not 1 <= int(value[:10]) <= 2**31 - 1:
        raise invalid(f"/query/{name}", "This is no number.")
    return int(value)


def text(request: Request, name: str, longest: int = 512) -> str | None:
    """A text, or None when it is absent."""
    value = request.query_params.get(name)
    if value is not None and (len(value) > longest or any(unicodedata.category(c) in UNWRITABLE for c in value)):
        raise invalid(f"/query/{name}", f"This is no text of at most {longest} printable characters.")
    return value


def words(request: Request, name: str, longest: int) -> tuple[str, bool]:
    """What somebody typed to search for, as far as it can be shown again, and whether there is more or other in it than can be read."""
    typed = " ".join(request.query_params.get(name, "").split())  # a tab comes along with what is copied out of a table
    shown = "".join(c for c in typed[:longest] if unicodedata.category(c) not in UNWRITABLE)
    return shown, shown != typed


def choice(request: Request, name: str, choices: tuple[str, ...]) -> str | None:
    """One of several words, or None when it is absent."""
    value = request.query_params.get(name)
    if value is not None and value not in choices:
        raise invalid(f"/query/{name}", f"This is none of {', '.join(choices)}.")
    return value


def time(request: Request, name: str) -> datetime | None:
    """A point in time, or None when it is absent."""
    value = request.query_params.get(name)
    if value is None:
        return None
    try:
        # A + that was not escaped arrives as a space; nothing else in a time is one before the offset.
        at = datetime.fromisoformat(value.replace(" ", "+") if "T" in value else value)
    except ValueError as error:
        raise invalid(f"/query/{name}", "This is no time as RFC 3339 has it.", "Write 2026-05-01T10:00:00+03:30.") from error
    in_utc(at, f"/query/{name}")
    return at


def in_utc(at: datetime, pointer: str) -> datetime:
    """A time that was sent, as UTC has it. Raises a 422 problem for one without an offset, or that no calendar has there."""
    if at.tzinfo is None:
        raise invalid(pointer, "The time has no offset.", "Write 2026-05-01T10:00:00+03:30, or Z for UTC.")
    try:
        return at.astimezone(UTC)
    except OverflowError as error:
        raise invalid(pointer, "It is before the year 1 or after 9999 in UTC.", "Write 2026-05-01T10:00:00+03:30.") from error
