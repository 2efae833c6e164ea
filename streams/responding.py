"""Closes the loop: what came back of contacts, as facts of the customer, beside what was decided. A part of `customer`."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from aggregates.wire import CustomerEvent
from projections.contacts import responses
from streams.parts import Heard, Moment
from streams.record import Effect


class Responding:
    """Keeps each receipt with the contact that it answers."""

    name = "responses"

    async def ready(self, moment: Moment) -> None:
        """Nothing is kept in memory."""

    def wants(self, partition: int, event: CustomerEvent) -> bool:
        del partition
        return event.type in responses.TYPES

    async def decided(self, moment: Moment, event: CustomerEvent) -> list[Effect]:
        del moment, event
        return []

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

    async def pulse(self, moment: Moment) -> list[Effect]:
        del moment
        return []

    def restless(self, partition: int) -> bool:
        del partition
        return False

    def committed(self, partition: int) -> None:
        """Nothing is cached."""

    def forget(self, partition: int) -> None:
        """Nothing is remembered."""
