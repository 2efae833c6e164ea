"""What rules ask of whoever decides about contacts, and what they are answered.

A batch asks about all its customers together. Reading order: Want, Asked, Settled, Contacting, Nobody.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from aggregates.contact_policy.candidate import Outcome
from aggregates.wire import CustomerEvent
from projections.contacts.reserving import Asked
from projections.contacts.want import Want
from streams.record import Connection, Publication

__all__ = ["NOTHING", "Asked", "Contacting", "Nobody", "Settled", "Undone", "Want"]


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of the wants of one customer at one moment."""

    outcomes: tuple[Outcome, ...] = ()
    publications: tuple[Publication, ...] = ()
    until: datetime | None = None  # when the next of all that are held of this customer is to be decided again; None: none is held


NOTHING = Settled()


@dataclass(frozen=True, slots=True)
class Undone:
    """Signals of one customer that were withdrawn at a moment."""

    signals: Sequence[UUID]
    now: datetime


class Contacting(Protocol):
    """Decides in the customer's transaction, under the lock on his contacts."""

    async def settle(self, connection: Connection, schema: str, asked: Sequence[Asked]) -> Mapping[UUID, Settled]:
        """Decide about what these customers, each here once, are to get, and about what is held of them and whose time has come."""
        ...

    async def withdraw(self, connection: Connection, undone: Mapping[UUID, Undone]) -> Mapping[UUID, Sequence[Publication]]:
        """Signals of these customers do not stand any more."""
        ...

    async def scarce(self, connection: Connection) -> bool:
        """Whether what one customer gets is not there for another."""
        ...

    async def control(self, connection: Connection, event: CustomerEvent) -> datetime | None:
        """A decision about everybody that may be the policy. Answers as of when all that is held is to be decided again; None: it stays."""
        ...


class Nobody:
    """Nobody is approached."""

    async def settle(self, connection: Connection, schema: str, asked: Sequence[Asked]) -> Mapping[UUID, Settled]:
        return {}

    async def withdraw(self, connection: Connection, undone: Mapping[UUID, Undone]) -> Mapping[UUID, Sequence[Publication]]:
        return {}

    async def scarce(self, connection: Connection) -> bool:
        return False

    async def control(self, connection: Connection, event: CustomerEvent) -> datetime | None:
        return None
