"""What is known of a customer when a contact is decided, read from his timeline: so that it is right whoever he turns out to be.

Candidates are rare, and consent, calls and requests are few among a customer's events. Reading order: known.
"""

from collections.abc import Collection, Container
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import msgspec
from psycopg import AsyncConnection

from aggregates.fact import Fact, fact_of
from aggregates.sealing import KeyDestroyed, Sealer, open_sealed
from aggregates.wire import customer_event_decoder
from projections.contacts import fold
from projections.contacts.fold import NOTHING, Known
from projections.timeline.row import EVENT_CLOCK

Connection = AsyncConnection[tuple[Any, ...]]

TYPES = sorted(fold.TYPES)


class Keys(Sealer, Protocol):
    """A sealer whose keys can be brought into memory."""

    async def fetch(self, connection: Connection, numbers: Collection[int]) -> None:
        """Hold the data keys with these numbers."""
        ...


async def known(
    connection: Connection, schema: str, keys: Keys, customer: UUID, now: datetime, reserved: Container[str] = frozenset()
) -> Known:
    """What his facts say as far as they were known at `now`; of sources that replay their own time, as far as they had happened.

    Contacts that were `reserved` are counted as such, and not again when somebody says that he made them.
    """
    cursor = await connection.execute(
        f"SELECT record FROM {schema}.timeline WHERE customer_id = %s AND type = ANY(%s)"
        " AND CASE WHEN flags & %s <> 0 THEN at ELSE recorded END <= %s ORDER BY at, event_id",
        (customer, TYPES, EVENT_CLOCK, now),
    )
    events = [customer_event_decoder.decode(record) for (record,) in await cursor.fetchall()]
    telling = [event for event in events if event.type in fold.TELLING]
    if telling:
        await keys.fetch(connection, [event.yektaseal for event in telling])
    found = NOTHING
    for event in events:
        if event.type == fold.CONTACTED and str(msgspec.json.decode(event.data).get("signal")) in reserved:
            continue
        found = fold.evolve(found, _opened(event, keys) if event.type in fold.TELLING else fact_of(event, None))
    return found


def _opened(event: Any, keys: Keys) -> Fact:
    try:
        return fact_of(event, open_sealed(event, keys))
    except KeyDestroyed:
        return fact_of(event, None)
