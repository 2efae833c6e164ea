"""What rules ask of whoever decides about contacts, and what they are answered. Reading order: Want, Settled, Contacting, Nobody."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from aggregates.contact_policy.candidate import Outcome
from aggregates.wire import CustomerEvent
from projections.contacts.want import Want
from streams.record import Connection, Publication

__all__ = ["Contacting", "Nobody", "Objection", "Settled", "Want"]


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of the wants of one customer at one moment."""

    outcomes: tuple[Outcome, ...] = ()
    publications: tuple[Publication, ...] = ()
    until: datetime | None = None  # when the next of all that are held of this customer is to be decided again; None: none is held


Objection = Callable[[Want], str]
"""What the rule has against a contact that was held; empty: nothing."""


class Contacting(Protocol):
    """Decides in the customer's transaction, under the lock on his contacts."""

    async def settle(
        self, connection: Connection, schema: str, customer: UUID, fresh: Sequence[Want], now: datetime, objection: Objection
    ) -> Settled:
        """Decide about these, and about those that are held and whose time has come."""
        ...

    async def withdraw(self, connection: Connection, customer: UUID, signals: Sequence[UUID], now: datetime) -> Sequence[Publication]:
        """These signals do not stand any more."""
        ...

    async def control(self, connection: Connection, event: CustomerEvent) -> None:
        """A decision about everybody that may be the policy."""
        ...


class Nobody:
    """Nobody is approached."""

    async def settle(
        self, connection: Connection, schema: str, customer: UUID, fresh: Sequence[Want], now: datetime, objection: Objection
    ) -> Settled:
        return Settled()

    async def withdraw(self, connection: Connection, customer: UUID, signals: Sequence[UUID], now: datetime) -> Sequence[Publication]:
        return ()

    async def control(self, connection: Connection, event: CustomerEvent) -> None:
        return None
