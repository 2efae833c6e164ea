"""A file of events that is one JSON array, where most have one object a line. Reading order: begins, items."""

from typing import Protocol

import msgspec

from aggregates.cloudevents import BOM

BEGINNING = 1 << 10  # bytes that show whether a file is an array


class Peeked(Protocol):
    """A file of bytes whose next ones can be seen before they are read."""

    def peek(self, size: int = 0, /) -> bytes: ...
    def read(self, size: int | None = -1, /) -> bytes: ...


def begins(file: Peeked) -> bool:
    """Whether what comes next is an array."""
    return file.peek(BEGINNING)[:BEGINNING].removeprefix(BOM).lstrip()[:1] == b"["


def items(file: Peeked) -> list[msgspec.Raw]:
    """What stands in the array that the rest of a file is; held whole. Raises MsgspecError, RecursionError or UnicodeDecodeError."""
    return msgspec.json.decode(file.read().removeprefix(BOM), type=list[msgspec.Raw])
