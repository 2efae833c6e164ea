"""Whose each event is, by the rules of identity that hold live, and who turns out to be somebody known. Reading order: People.whose."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from aggregates.contact_policy.candidate import Candidate
from aggregates.identifier import Token
from aggregates.identity import DEFAULT_RULES, Knowledge, attribute
from infra.evaluation.rules.events import Arrived
from projections.contacts.fold import NOTHING, Known
from projections.triggers.evidence import Evidence
from projections.triggers.state import Block, Signal, State


@dataclass(slots=True)
class Run:
    """One rule of one customer: its state, and what the timeline and the table of signals hold of it live."""

    state: State
    past: list[Block] = field(default_factory=list)  # the facts that the state does not keep
    standing: dict[UUID, UUID] = field(default_factory=dict)  # signals that stand, with the event that is their cause

    @property
    def facts(self) -> Iterator[Evidence]:
        """All its facts, in order."""
        for block in self.past:
            yield from block.facts
        yield from self.state.kept


@dataclass(slots=True)
class Waiting:
    """A candidate that is to be decided, and from when on."""

    candidate: Candidate
    signal: Signal
    rule: int
    due: datetime


@dataclass(slots=True)
class Person:
    """A customer, or who was taken for one."""

    id: UUID
    known: Known = NOTHING
    runs: dict[int, Run] = field(default_factory=dict)
    waiting: dict[UUID, Waiting] = field(default_factory=dict)
    approached: dict[int, list[tuple[UUID, datetime]]] = field(default_factory=dict)  # by rule: signals that led to a contact
    into: "Person | None" = None

    @property
    def present(self) -> "Person":
        """Who it is now."""
        person = self
        while person.into is not None:
            person = person.into
        return person


class People:
    """Everybody met so far."""

    def __init__(self) -> None:
        self._known = Knowledge()
        self.by_id: dict[UUID, Person] = {}
        self.owners: dict[Token, Person] = {}  # who an identifier was given to; he may have been united with another since

    def whose(self, arrived: Arrived) -> tuple[Person | None, tuple[Person, ...]]:
        """The customer of an event, None for nobody's, and those who turn out to be him and are to be united with him."""
        owner = self._settled(arrived.tokens)
        if owner is not None or not arrived.tokens:
            return owner, ()
        found = attribute(self._known, arrived.event, arrived.tokens, DEFAULT_RULES)
        if found.customer is None:
            return None, ()
        self._known.learn(found.customer, found.change)
        for link in found.change.links:
            self.owners[link.token] = self._person(UUID(link.owner))
        return self._person(found.customer), tuple(self._person(loser) for loser in found.losers)

    def known(self, token: Token) -> UUID | None:
        """The customer that an identifier belongs to."""
        owner = self.owners.get(token)
        return owner.present.id if owner else None

    def of(self, customer: UUID) -> Person:
        """A customer by his id."""
        return self._person(customer).present

    @property
    def everybody(self) -> list[Person]:
        """Each customer once."""
        return [person for person in self.by_id.values() if person.into is None]

    def _settled(self, tokens: Sequence[Token]) -> Person | None:
        """The one owner of all these identifiers: nearly every event names only what is known."""
        owner: Person | None = None
        for token in tokens:
            person = self.owners.get(token)
            if person is None or (owner is not None and person.present is not owner):
                return None
            owner = person.present
        return owner

    def _person(self, customer: UUID) -> Person:
        person = self.by_id.get(customer)
        if person is None:
            person = self.by_id[customer] = Person(customer)
        return person
