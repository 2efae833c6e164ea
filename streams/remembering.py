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

History = tuple[list[Fact], list[str]]
"""A customer's facts in order, and the identifiers that decided whose each is; where none did, it is whose the one before is."""


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
            yield str(owner), self._opened(some)

    async def one(self, moment: Moment, customer: str) -> History:
        """One customer's, however many rows they are."""
        facts: list[Fact] = []
        deciders: list[str] = []
        async for records in timeline.history(moment.connection, moment.schema, uuid_of(customer)):
            events = [event for event in map(customer_event_decoder.decode, records) if self._wants(moment.partition, event)]
            await self._keys.fetch(moment.connection, {event.yektaseal for event in events if event.yektaseal > 0})
            some, theirs = self._opened(events)
            facts += some
            deciders += theirs
        return facts, deciders

    def _opened(self, events: Sequence[CustomerEvent]) -> History:
        """These events, whose keys are in memory, and who decided whose they are."""
        return [opened(event, self._keys) for event in events], [event.yektadecider for event in events]


def last_of(deciders: Sequence[str], before: str = "") -> str:
    """Who decided whose the last of some facts is; `before`: of those before them."""
    return next((decider for decider in reversed(deciders) if decider), before)
