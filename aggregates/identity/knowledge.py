"""What is known when identity decides: who owns what, what links no more, and what a person keeps apart.

It is learned from facts in any order: each carries a number, and of two about the same thing the higher holds.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from aggregates.identifier import Token
from aggregates.wire import Identity, Wall


@dataclass(slots=True)
class Owned:
    """A customer as far as identity knows him: when he was founded and what he owns."""

    founded: int
    tokens: set[Token] = field(default_factory=set)


@dataclass(slots=True)
class Walls:
    """Which identifiers a person keeps apart: those on one side of a wall are never one customer's with those on the other."""

    sides: dict[Token, dict[int, int]] = field(default_factory=dict)  # token -> wall -> side, 0 or 1
    lifted: set[int] = field(default_factory=set)

    def build(self, wall: Wall) -> None:
        """Keep these apart."""
        for side, tokens in enumerate((wall.one, wall.other)):
            for token in tokens:
                self.sides.setdefault(token, {})[wall.number] = side

    def between(self, tokens: Iterable[Token]) -> set[int]:
        """The walls that stand between some of these identifiers."""
        met: dict[int, int] = {}
        crossed = set()
        for token in tokens:
            for wall, side in self.sides.get(token, {}).items():
                if met.setdefault(wall, side) != side:
                    crossed.add(wall)
        return crossed - self.lifted


@dataclass(slots=True)
class Knowledge:
    """What is known when a touchpoint is attributed. `learn` brings it up to date between two of one batch."""

    owners: dict[Token, UUID] = field(default_factory=dict)
    customers: dict[UUID, Owned] = field(default_factory=dict)
    detached: set[Token] = field(default_factory=set)
    number: int = 0  # the identity_seq given last
    learned: dict[Token, int] = field(default_factory=dict)  # the number of the fact that gave an identifier its owner
    walls: Walls = field(default_factory=Walls)
    first: dict[Token, UUID] = field(default_factory=dict)  # who owned an identifier first, where it moved and that is known

    def learn(self, customer: UUID, change: Identity) -> None:
        """Make what an attribution changed known to the next. Facts may be learned in any order: of two the higher number holds."""
        if change.founded:
            self._customer(customer).founded = change.founded
        for link in change.links:
            if link.number > self.learned.get(link.token, 0):
                before = self.owners.get(link.token)
                if before is not None:
                    self.customers[before].tokens.discard(link.token)
                    self.first.setdefault(link.token, before)
                self.learned[link.token] = link.number
                if link.owner:
                    self.owners[link.token] = owner = UUID(link.owner)
                    self._customer(owner).tokens.add(link.token)
                else:
                    self.owners.pop(link.token, None)
                    self.detached.discard(link.token)
            self.number = max(self.number, link.number)
        for wall in change.walls:
            self.walls.build(wall)
            self.number = max(self.number, wall.number)
        self.walls.lifted.update(change.lifted)
        self.detached.update(change.detached)
        self.number = max(self.number, change.founded)

    def _customer(self, customer: UUID) -> Owned:
        """He may be met before the fact that founded him."""
        return self.customers.setdefault(customer, Owned(0))
