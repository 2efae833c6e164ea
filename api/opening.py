"""Opens events for whoever may read them: fetches the data keys of a page at once, and leaves closed what was erased."""

from collections.abc import Sequence
from typing import Any

import msgspec

from aggregates.fact import Fact, fact_of
from aggregates.sealing import KeyDestroyed, open_sealed
from aggregates.wire import CustomerEvent, customer_event_decoder
from api.ports import Connection, Secrets
from projections.view import fold
from projections.view.state import State


class Opened(msgspec.Struct, frozen=True):
    """An event with what is personal in it, or the word that this was erased."""

    event: CustomerEvent
    fact: Fact
    erased: bool

    @property
    def data(self) -> dict[str, Any]:
        """What the channel sent, as the newest version of its contract has it."""
        return self.fact.data


async def opened(connection: Connection, secrets: Secrets, records: Sequence[bytes], *, personal: bool = True) -> list[Opened]:
    """The events of these records, opened; without `personal` as anybody sees them who reads the log."""
    events = [customer_event_decoder.decode(record) for record in records]
    if not personal:
        return [Opened(event, fact_of(event), erased=False) for event in events]
    await secrets.fetch(connection, {event.yektaseal for event in events})
    return [_open(event, secrets) for event in events]


async def folded(connection: Connection, secrets: Secrets, state: State, records: Sequence[bytes]) -> State:
    """Go on folding a history; only what the fold must see is opened."""
    events = [customer_event_decoder.decode(record) for record in records]
    opening = fold.openings(state, events)
    await secrets.fetch(connection, {event.yektaseal for event, opens in zip(events, opening, strict=True) if opens})
    for event, opens in zip(events, opening, strict=True):
        state = fold.evolve(state, _open(event, secrets).fact if opens else fact_of(event))
    return state


def _open(event: CustomerEvent, secrets: Secrets) -> Opened:
    try:
        return Opened(event, fact_of(event, open_sealed(event, secrets)), erased=False)
    except KeyDestroyed:
        return Opened(event, fact_of(event), erased=True)
