"""One immutable event from a channel, as a door understood it, and the two judgements every reader must share: its id and its time.

Reading order: Touchpoint, event_id, effective_time.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from aggregates.identifier import Identifier

NAMESPACE = UUID("6f1c1d3e-7a35-5d0e-9a53-7d1f3c6b2a10")
"""The uuid5 namespace of every id that Yekta derives. Fixed for ever: docs/encodings.md has its test vectors."""

_SPACE = NAMESPACE.bytes
_MARKS = 0x5000_8000_0000_0000_0000
"""The version and the variant that a uuid5 says of itself, and below what is free beside them."""
_FREE = ~0xF000_C000_0000_0000_0000

SKEW = timedelta(minutes=5)
"""How far ahead of the door's clock a source's clock may run before its time is not believed."""

EPOCH = datetime(1970, 1, 2, tzinfo=UTC)
"""Nothing a channel system witnessed is older; a clock that says so was never set."""

OF_ITS_TIME = timedelta(days=366)
"""How much later a log may have recorded a time before EPOCH and be a log of that time, whose times are as good as any."""


class Touchpoint(msgspec.Struct, frozen=True, gc=False):
    """What a door hands to sealing: everything in the clear, checked and normalised."""

    event_id: UUID
    key: str  # the name of the source that the write key belongs to
    source: str  # the CloudEvents source attribute
    id: str  # the CloudEvents id attribute
    type: str  # `<channel>.<past tense>`
    version: int  # of the type's contract; 0 where no contract is known
    occurred: datetime  # as the source says, aware, UTC
    recorded: datetime  # when the door received it, aware, UTC
    subject: str  # what the source's own order runs by
    who: tuple[Identifier, ...]  # normalised and trusted; what identity may use
    data: Mapping[str, Any]  # fields that the contract knows and that are not personal
    personal: Mapping[str, Any]  # `who` as given, personal fields, and all that the contract does not know
    body: bytes  # canonical bytes, the same for every retry of the same event; see docs/encodings.md
    attributes: Mapping[str, Any]  # further CloudEvents attributes, kept as they came
    simulated: bool = False
    backfill: bool = False
    clock: str = ""  # "event" when the source's time is replayed and has its own now


def derive(*parts: str) -> UUID:
    """A uuid5 (RFC 9562, section 5.5) over the parts joined by U+001F: the same cause always has the same id."""
    digest = hashlib.sha1(_SPACE + "\x1f".join(parts).encode(), usedforsecurity=False).digest()
    marked = int.from_bytes(digest[:16]) & _FREE | _MARKS
    return msgspec.convert(marked.to_bytes(16), UUID)  # in a quarter of the time of UUID(bytes=…)


def event_id(key: str, source: str, id_: str) -> UUID:
    """The event's id everywhere inside: no source can take another's, because the write key's source is part of it."""
    return derive("event", key, source, id_)


def effective_time(occurred: datetime, recorded: datetime) -> tuple[datetime, str]:
    """The time that orders, folds and windows go by, and the flag that says why it is not the source's own.

    A time that the door could not have seen yet ("future") or that no source can have witnessed ("past") is kept as it was said and
    counts as the time of arrival, so that one wrong clock can neither win every trait for ever nor fall out of every window.
    """
    if occurred - recorded > SKEW:
        return recorded, "future"
    if occurred < EPOCH and recorded - occurred > OF_ITS_TIME:
        return recorded, "past"
    return occurred, ""


def channel_of(type_: str) -> str:
    """The channel of a type: what stands before its first dot; a type without a dot is its own channel."""
    return type_.partition(".")[0]
