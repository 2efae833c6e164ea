"""What outlives a crash: both topics and the tables, and the locks that end with whoever holds them."""

from collections import defaultdict
from collections.abc import Generator, Hashable
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from aggregates.identifier import Token
from aggregates.identity import Knowledge
from aggregates.partition import partition_of
from aggregates.touchpoint import derive

PARTITIONS = 3
NOBODY = UUID(int=0)


class Touch(NamedTuple):
    """A record of `touchpoints`."""

    event: str
    body: str
    who: tuple[Token, ...]


Place = tuple[int, int]
"""Partition and offset of a record."""


class Told(NamedTuple):
    """A record of `customer-events`: an event, or a word (`moved`, `received`) where there is none."""

    customer: UUID
    event: str = ""
    decider: Token = Token("")
    word: str = ""


class Receipt(NamedTuple):
    """What became of a touchpoint, and the one record of it that is published."""

    place: Place
    body: str
    customer: UUID
    decider: Token
    losers: tuple[UUID, ...]


class Chore(NamedTuple):
    """Long work: `hand_over`, or `refold` with how far it came and what it folded until there."""

    asked: int
    after: str = ""
    folded: tuple[str, ...] = ()


@dataclass(slots=True)
class Position:
    """Of one processor in one partition."""

    next: int = 0
    tenure: int = 0


class Lock(NamedTuple):
    """Go on when this is held; it is held until `DONE`."""

    name: Hashable


DONE = Lock("done")
"""The transaction has ended, whichever way: its locks are free."""


class Displaced(Exception):
    """The partition has another owner."""


Steps = Generator[Lock | None, None, None]
"""What a process does; at every yield anything may happen, its death included."""


@dataclass(slots=True)
class Store:
    """Kafka and PostgreSQL."""

    touchpoints: list[list[Touch]] = field(default_factory=lambda: [[] for _ in range(PARTITIONS)])
    customer_events: list[list[Told]] = field(default_factory=lambda: [[] for _ in range(PARTITIONS)])
    letters: list[Touch] = field(default_factory=list)
    known: Knowledge = field(default_factory=Knowledge)
    moved: set[UUID] = field(default_factory=set)
    receipts: dict[str, Receipt] = field(default_factory=dict)
    positions: dict[tuple[str, int], Position] = field(default_factory=lambda: defaultdict(Position))
    timeline: dict[UUID, dict[str, Token]] = field(default_factory=lambda: defaultdict(dict))
    views: dict[UUID, tuple[str, ...]] = field(default_factory=dict)
    kept: dict[UUID, tuple[str, ...]] = field(default_factory=dict)  # what a part has made of a customer's facts
    outbox: list[list[Told]] = field(default_factory=lambda: [[] for _ in range(PARTITIONS)])
    chores: dict[tuple[int, UUID, str], Chore] = field(default_factory=dict)

    def publish(self, told: Told) -> None:
        """Append to the partition of the customer, or of the event that is nobody's."""
        key = str(told.customer) if told.customer != NOBODY else str(derive("event", told.event))
        self.customer_events[partition_of(key.encode(), PARTITIONS)].append(told)

    def owner(self, customer: UUID, decider: Token) -> UUID:
        """To whom a row of this customer belongs now."""
        return self.known.owners.get(decider, customer)
