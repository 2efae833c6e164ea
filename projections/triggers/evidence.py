"""What a rule remembers of a fact: when it was, which parts of the rule it speaks of, and a value where one is asked.

Reading order: Evidence, write, Kept.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct

Stamp = tuple[datetime, str, str]
"""`(at, id, source)`: facts count in this order. The id is the one that the source gave, so that a person can check it."""


class Word(Struct, frozen=True, array_like=True, gc=False):
    """A customer's word on a purpose."""

    purpose: str
    given: bool
    until: datetime | None
    channels: tuple[str, ...]


class Evidence(Struct, frozen=True, array_like=True, gc=False):
    """A fact as one rule sees it."""

    at: datetime
    id: str
    source: str
    event: UUID
    roles: int  # which patterns of the rule it matches, one bit each
    backfill: bool = False
    value: float | Word | None = None  # a score, a word of consent
    simulated: bool = False

    @property
    def stamp(self) -> Stamp:
        """Its place among the customer's facts."""
        return self.at, self.id, self.source


_encoder = msgspec.msgpack.Encoder(order="deterministic", uuid_format="bytes")
_decoder = msgspec.msgpack.Decoder(tuple[Evidence, ...])


def write(fact: Evidence) -> bytes:
    """A fact as it is kept."""
    return _encoder.encode(fact)


class Kept(Struct, frozen=True, gc=False):
    """Facts in their order, as bytes: they are written down with every fact that comes, and only a late one looks at them."""

    count: int = 0
    written: bytes = b""

    @classmethod
    def of(cls, facts: Iterable[Evidence]) -> "Kept":
        """These facts."""
        written = [write(fact) for fact in facts]
        return cls(len(written), b"".join(written))

    def followed_by(self, written: bytes) -> "Kept":
        """These facts and one more."""
        return Kept(self.count + 1, self.written + written)

    def with_inserted(self, written: bytes, following: Iterable[Evidence]) -> "Kept":
        """These facts and one more, before the last of them that are `following`."""
        after = Kept.of(following).written
        place = len(self.written) - len(after)
        return Kept(self.count + 1, self.written[:place] + written + after)

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Evidence]:
        return iter(_decoder.decode(b"\xdd" + self.count.to_bytes(4, "big") + self.written))  # an array of so many
