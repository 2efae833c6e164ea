"""Writes an event's content in one way, so that a retry can be told from another event, and finds what no store could keep.

Fixed for ever in docs/encodings.md. Reading order: canonical, suspicious, unusable, text_of.
"""

import math
import re
from collections.abc import Callable, Iterator
from itertools import takewhile
from typing import Any

import msgspec

from aggregates.refusal import Reason, Refused, pointer_to

LARGEST = 1_048_576
"""Bytes of an event's canonical body."""

DEEPEST = 64
"""Objects and lists within each other, `data` being the first."""

LOWEST, HIGHEST = -(2**63), 2**63 - 1

_encoder = msgspec.json.Encoder(order="sorted")
_ALIKE = bytes.maketrans(b"123456789[", b"000000000{")
_LONG_NUMBER = b"0" * 19

_TEXT_MEND = "leave NUL characters and halves of surrogate pairs out"
_NUMBER_MEND = "send numbers that a double or a 64-bit integer can hold; write longer ones as text"

_NAME = re.compile(r"(?!(?:\D*\d){5})[A-Za-z_$][\w$./~-]{0,63}", re.ASCII)

Path = tuple[Any, ...]  # (the container's path, the member), and () for the value itself


def canonical(type_: str, time: str, data: dict[str, Any]) -> bytes:
    """The body that tells whether a retry is the same event: JSON of type, time as sent ("" when absent) and data, members sorted."""
    return _encoder.encode((type_, time, data))


def usable(type_: str, time: str, data: dict[str, Any]) -> bytes:
    """The canonical body, of what every store and program behind the door can hold. Raises `Refused`."""
    try:
        body = canonical(type_, time, data)
    except (UnicodeEncodeError, RecursionError, OverflowError, ValueError, TypeError):
        check(data, "/data")
        raise Refused("wrong_type", "/data", "it is not JSON", "send JSON") from None
    if len(body) > LARGEST:
        raise Refused("too_large", "/data", f"an event is at most {LARGEST} bytes", "send less, or several events")
    if suspicious(body):
        check(data, "/data")
    return body


def suspicious(body: bytes) -> bool:
    """Whether the body may hold something unusable: cheap, and right when it says no.

    A number that is not finite was encoded as null, a NUL character as its escape, and whatever is beyond 64 bits has 19 digits.
    """
    alike = body.translate(_ALIKE)
    return (b"\\" in body and b"\\u0000" in body) or b"null" in body or _LONG_NUMBER in alike or alike.count(b"{") > DEEPEST


def is_name(member: Any) -> bool:
    """Whether a member has a name as programs give them, or is one of a list. Others may be somebody's number or name, by which a map is
    keyed, and pointers travel in the clear."""
    return isinstance(member, int) or _NAME.fullmatch(member) is not None


def check(value: Any, pointer: str, shown: Callable[[Any], bool] = is_name) -> None:
    """Raises `Refused` for the first thing in a JSON value that no store could keep. `pointer` is where the value stands; it goes on from
    there as long as members may be `shown`."""

    def at(path: Path) -> str:
        return pointer + pointer_to(*takewhile(shown, parts(path)))

    for path, one, depth in walk(value):
        if one is None or one is True or one is False:
            continue
        if isinstance(one, dict | list) and depth > DEEPEST:
            raise Refused("too_deep", pointer, f"it has more than {DEEPEST} levels", "send it flatter")
        if isinstance(one, str) and unusable(one):
            raise unusable_at(at(path), "unusable_text", "there is a character in it that is none")
        if isinstance(one, dict) and any(unusable(name) for name in one):
            raise unusable_at(at(path), "unusable_text", "the name of a member has a character in it that is none")
        if isinstance(one, float) and not math.isfinite(one):
            raise unusable_at(at(path), "unusable_number", "it is not a finite number")
        if isinstance(one, int) and not LOWEST <= one <= HIGHEST:
            raise unusable_at(at(path), "unusable_number", "it is beyond 64 bits")


def unusable_at(pointer: str, reason: Reason, detail: str) -> Refused:
    """The refusal of one value, which stands at `pointer` or within what does."""
    return Refused(reason, pointer, detail, _TEXT_MEND if reason == "unusable_text" else _NUMBER_MEND)


def walk(value: Any) -> Iterator[tuple[Path, Any, int]]:
    """Every value in a JSON value with its path and level, containers before what they hold, without recursion."""
    left: list[tuple[Path, Any, int]] = [((), value, 1)]
    while left:
        path, one, depth = left.pop()
        yield path, one, depth
        if isinstance(one, dict):
            left.extend(((path, name), inner, depth + 1) for name, inner in reversed(one.items()))
        elif isinstance(one, list):
            left.extend(((path, index), one[index], depth + 1) for index in reversed(range(len(one))))


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


def text_of(value: Any) -> str | None:
    """A value that is a text which can be kept, else None."""
    return value if isinstance(value, str) and not unusable(value) else None
