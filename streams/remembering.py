"""Reads customers' facts from their timelines, in order, for a part that folds them anew.

Reading order: History, Histories.several, one.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from uuid import UUID

from aggregates.fact import Fact
from aggregates.wire import CustomerEvent, customer_event_decoder
from projections.timeline import table as timeline
from projections.timeline.row import uuid_of
from streams.parts import Moment, opened
from streams.record import Keys

ROWS = 20_000
"""What is read at once."""

History = tuple[list[Fact], str]
"""A customer's facts in order, and the identifier that decided whose the last is."""


class Histories:
    """`wants`: which events of a partition are folded."""

    def __init__(self, keys: Keys, wants: Callable[[int, CustomerEvent], bool]) -> None:
        self._keys, self._wants = keys, wants

    async def several(self, moment: Moment, customers: Sequence[str]) -> AsyncIterator[tuple[str, History]]:
        """Those of some customers, one after the other; read together where they are not too many rows."""
        rows = await timeline.pieces(moment.connection, moment.schema, [uuid_of(customer) for customer in customers], ROWS + 1)
        if len(rows) > ROWS:
            for customer in customers:
                yield customer, await self.one(moment, customer)
            return
        events: dict[UUID, list[CustomerEvent]] = {uuid_of(customer): [] for customer in customers}
        for owner, record in rows:
            event = customer_event_decoder.decode(record)
            if self._wants(moment.partition, event):
                events[owner].append(event)
        await self._keys.fetch(moment.connection, {event.yektaseal for some in events.values() for event in some if event.yektaseal > 0})
        for owner, some in events.items():
            yield str(owner), self._opened(some, "")

    async def one(self, moment: Moment, customer: str) -> History:
        """One customer's, however many rows they are."""
        facts: list[Fact] = []
        decider = ""
        async for records in timeline.history(moment.connection, moment.schema, uuid_of(customer)):
            events = [event for event in map(customer_event_decoder.decode, records) if self._wants(moment.partition, event)]
            await self._keys.fetch(moment.connection, {event.yektaseal for event in events if event.yektaseal > 0})
            some, decider = self._opened(events, decider)
            facts += some
        return facts, decider

    def _opened(self, events: Sequence[CustomerEvent], decider: str) -> History:
        """These events, whose keys are in memory, and who decided whose they are; `decider` of those before."""
        decider = next((event.yektadecider for event in reversed(events) if event.yektadecider), decider)
        return [opened(event, self._keys) for event in events], decider
