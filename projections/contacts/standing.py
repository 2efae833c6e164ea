"""What is known of a customer when a contact is decided, read from his timeline: so that it is right whoever he turns out to be.

Candidates are rare, and consent, calls and requests are few among a customer's events. Reading order: known.
"""

from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import msgspec
from msgspec.structs import replace
from psycopg import AsyncConnection

from aggregates.fact import Fact, fact_of
from aggregates.sealing import KeyDestroyed, Sealer, open_sealed
from aggregates.wire import CustomerEvent, customer_event_decoder
from projections.contacts import fold, naming
from projections.contacts.fold import NOTHING, Known
from projections.rows import uuids
from projections.timeline.row import EVENT_CLOCK

Connection = AsyncConnection[tuple[Any, ...]]

TYPES = sorted(fold.TYPES)


class Keys(Sealer, Protocol):
    """A sealer whose keys can be brought into memory."""

    async def fetch(self, connection: Connection, numbers: Collection[int]) -> None:
        """Hold the data keys with these numbers."""
        ...


@dataclass(frozen=True, slots=True)
class Until:
    """As far as it is to be known. Contacts that were `reserved` are counted as such, and not again when they are said to be made."""

    now: datetime
    replayed: datetime  # how far the time is that sources replay
    reserved: Container[str] = frozenset()


async def known(connection: Connection, schema: str, keys: Keys, customers: Mapping[UUID, Until]) -> dict[UUID, Known]:
    """What the facts of each say, as far as they were known at a moment; of sources that replay their time, as far as they had happened."""
    cursor = await connection.execute(
        "SELECT wanted.id, his.record FROM unnest(%s::uuid[], %s::timestamptz[], %s::timestamptz[]) AS wanted(id, now, replayed), LATERAL"
        f" (SELECT record FROM {schema}.timeline WHERE customer_id = wanted.id AND type = ANY(%s)"
        " AND CASE WHEN flags & %s <> 0 THEN at <= wanted.replayed ELSE recorded <= wanted.now END ORDER BY at, event_id) his",
        (
            uuids(customers),
            [until.now for until in customers.values()],
            [until.replayed for until in customers.values()],
            TYPES,
            EVENT_CLOCK,
        ),
    )
    events = [(customer, customer_event_decoder.decode(record)) for customer, record in await cursor.fetchall()]
    telling = [event for _, event in events if event.type in fold.TELLING]
    if telling:
        await keys.fetch(connection, [event.yektaseal for event in telling])
    found = dict.fromkeys(customers, NOTHING)
    called = await _called(connection, events, customers)
    for customer, event in events:
        if event.type == fold.CONTACTED and str(msgspec.json.decode(event.data).get("signal")) in customers[customer].reserved:
            continue
        fact = _opened(event, keys) if event.type in fold.TELLING else fact_of(event, None)
        if (signal := called.get(event.yektaevent)) is not None:
            fact = replace(fact, data={**fact.data, "signal": str(signal)})
        found[customer] = fold.evolve(found[customer], fact)
    return found


async def _called(connection: Connection, events: Sequence[tuple[UUID, CustomerEvent]], customers: Mapping[UUID, Until]) -> dict[str, UUID]:
    """By event the contact of ours that an answer calls as its gateway does; where that has called several so, the latest of his."""
    names = {
        event.yektaevent: (name, customers[customer].reserved)
        for customer, event in events
        if event.type in fold.ANSWERS
        and (name := naming.name_in(msgspec.json.decode(event.data)))
        and name.said not in customers[customer].reserved
    }
    known = await naming.contacts(connection, {name for name, _ in names.values()}) if names else {}
    his = {event: [one for one in known.get(name, ()) if str(one) in reserved] for event, (name, reserved) in names.items()}
    return {event: signals[0] for event, signals in his.items() if signals}


def _opened(event: Any, keys: Keys) -> Fact:
    try:
        return fact_of(event, open_sealed(event, keys))
    except KeyDestroyed:
        return fact_of(event, None)
