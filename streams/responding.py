"""Closes the loop: what came back of contacts, as facts of the customer, beside what was decided. A part of `customer`."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from aggregates.wire import CustomerEvent
from projections.contacts import responses
from streams.parts import Forgetful, Heard, Moment
from streams.record import Effect


class Responding(Forgetful):
    """Keeps each receipt with the contact that it answers."""

    name = "responses"

    def wants(self, partition: int, event: CustomerEvent) -> bool:
        del partition
        return event.type in responses.TYPES

    async def told(self, moment: Moment, heard: Sequence[Heard]) -> list[Effect]:
        for item in heard:
            fact = item.fact
            if fact is not None and not fact.simulated:
                await responses.note(moment.connection, UUID(item.customer), fact)
        return []

    async def refolded(self, moment: Moment, customers: Mapping[UUID, Any]) -> list[Effect]:
        """A response stays with its contact, whoever the customer turns out to be."""
        del moment, customers
        return []
