"""What a rule remembers of a fact: when it was, which parts of the rule it speaks of, and a value where one is asked."""

from datetime import datetime
from uuid import UUID

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
