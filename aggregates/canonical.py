"""Writes an event's content in one way, so that a retry can be told from another event, and finds what no store could keep.

Fixed for ever in docs/encodings.md. Reading order: canonical, suspicious, unusable.
"""

import math
from collections.abc import Iterator
from typing import Any

import msgspec

from aggregates.refusal import Refused, pointer_to

LARGEST = 1_048_576
"""Bytes of an event's canonical body."""

DEEPEST = 64
"""Objects and lists within each other, `data` being the first."""

LOWEST, HIGHEST = -(2**63), 2**63 - 1

_encoder = msgspec.json.Encoder(order="sorted")
_ZEROS = bytes.maketrans(b"123456789", b"000000000")
_LONG_NUMBER = b"0" * 19

_TEXT_MEND = "leave NUL characters and halves of surrogate pairs out"
_NUMBER_MEND = "send numbers that a double or a 64-bit integer can hold; write longer ones as text"

Path = tuple[Any, ...]  # (the container's path, the member), and () for the value itself


def canonical(type_: str, time: str, data: dict[str, Any]) -> bytes:
    """The body that tells whether a retry is the same event: JSON of type, time as sent ("" when absent) and data, members sorted."""
    return _encoder.encode((type_, time, data))


def usable(type_: str, time: str, data: dict[str, Any]) -> bytes:
    """The canonical body, of what every store and program behind the door can hold. Raises `Refused`."""
    try:
        body = canonical(type_, time, data)
    except (UnicodeEncodeError, RecursionError, OverflowError, ValueError, TypeError):
        check({"type": type_, "time": time, "data": data}, "")
        raise Refused("wrong_type", "/data", "it is not JSON", "send JSON") from None
    if len(body) > LARGEST:
        raise Refused("too_large", "/data", f"an event is at most {LARGEST} bytes", "send less, or several events")
    if suspicious(body):
        check({"type": type_, "time": time, "data": data}, "")
    return body


def suspicious(body: bytes) -> bool:
    """Whether the body may hold something unusable: cheap, and right when it says no.

    A number that is not finite was encoded as null, a NUL character as its escape, and whatever is beyond 64 bits has 19 digits.
    """
    return b"\\u0000" in body or b"null" in body or _LONG_NUMBER in body.translate(_ZEROS) or body.count(b"{") + body.count(b"[") > DEEPEST


def check(value: Any, pointer: str) -> None:
    """Raises `Refused` for the first thing in a JSON value that no store could keep; `pointer` is where the value stands."""
    for path, one in walk(value):
        place = pointer + pointer_to(*parts(path))
        if isinstance(one, str):
            if unusable(one):
                raise Refused("unusable_text", place, "there is a character in it that is none", _TEXT_MEND)
        elif isinstance(one, float):
            if not math.isfinite(one):
                raise Refused("unusable_number", place, "it is not a finite number", _NUMBER_MEND)
        elif isinstance(one, int):
            if not LOWEST <= one <= HIGHEST:
                raise Refused("unusable_number", place, "it is beyond 64 bits", _NUMBER_MEND)
        elif isinstance(one, dict):
            if any(unusable(name) for name in one):
                raise Refused("unusable_text", place, "the name of a member has a character in it that is none", _TEXT_MEND)
        elif isinstance(one, Deeper):
            raise Refused("too_deep", pointer, f"it has more than {DEEPEST} levels", "send it flatter")


class Deeper:
    """Stands for what lies deeper than is looked."""


def walk(value: Any) -> Iterator[tuple[Path, Any]]:
    """Every value in a JSON value, containers before what they hold, without recursion."""
    left: list[tuple[Path, Any, int]] = [((), value, 0)]
    while left:
        path, one, depth = left.pop()
        if depth > DEEPEST + 1:
            yield path, Deeper()
            return
        yield path, one
        if isinstance(one, dict):
            left.extend(((path, name), inner, depth + 1) for name, inner in one.items())
        elif isinstance(one, list):
            left.extend(((path, index), inner, depth + 1) for index, inner in enumerate(one))


def parts(path: Path) -> list[Any]:
    """The members on the way to a value, outermost first."""
    found = []
    while path:
        path, member = path
        found.append(member)
    return found[::-1]


def unusable(text: str) -> bool:
    """Whether PostgreSQL or UTF-8 cannot hold the text."""
    return "\0" in text or (not text.isascii() and any("\ud800" <= c <= "\udfff" for c in text))
