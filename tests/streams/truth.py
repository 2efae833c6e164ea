"""What must have come out in the end, whatever happened on the way.

* Every acknowledged event is in the timeline once, under the present owner of its decider.
* Every view has the bytes of folding the customer's events in order.
* Nothing is on its way any more: no outbox, no chores, and positions at the ends of the topics.
* What was published says the same of identity as the tables do.
"""

from collections import Counter
from collections.abc import Iterable
from uuid import UUID

import msgspec

from aggregates.identity import Knowledge
from aggregates.touchpoint import derive
from aggregates.wire import CustomerEvent, customer_event_decoder, identity_decoder
from infra.sealing import KeyRing
from projections.positions import table as positions
from projections.timeline.row import NOBODY
from projections.view.fold import finish
from projections.view.state import encode
from streams.record import Connection
from streams.retelling import Retelling
from streams.words import MOVED, RECEIVED, is_spoken
from tests.streams.memory import Memory


async def settled(connection: Connection, memory: Memory) -> bool:
    """Whether all that is in the log was handled by both hops."""
    for processor, topic in (("resolve", "touchpoints"), ("customer", "customer-events")):
        if not await positions.passed(connection, processor, memory.ends(topic)):
            return False
    return await positions.reached(connection, memory.ends("touchpoints"))


async def check(connection: Connection, memory: Memory, events: Iterable[UUID], keys: KeyRing, schema: str = "read_1") -> None:
    """Raise an AssertionError that says what is not as it must be."""
    await check_rows(connection, memory, events, keys, schema)
    await _check_identity(connection, _told(memory))


async def check_rows(connection: Connection, memory: Memory, events: Iterable[UUID], keys: KeyRing, schema: str = "read_1") -> None:
    """The same of timeline and views alone."""
    expected = set(events)
    told = _told(memory)
    assert told.keys() == expected, f"published {len(told)} events, acknowledged {len(expected)}"
    owners = await _owners(connection, expected)
    rows = await _rows(connection, schema, expected)
    assert rows == Counter((owner, event) for event, owner in owners.items())
    await _check_views(connection, schema, told, owners, keys)


def _told(memory: Memory) -> dict[UUID, CustomerEvent]:
    """The customer events of the log, words apart. Copies differ in nothing but the customer: so it cannot matter which comes first."""
    told: dict[UUID, CustomerEvent] = {}
    for record in memory.all("customer-events"):
        event = customer_event_decoder.decode(record.value or b"")
        if event.type not in (MOVED, RECEIVED) and not is_spoken(event):
            first = told.setdefault(UUID(event.yektaevent), event)
            assert msgspec.structs.replace(event, subject=first.subject) == first, f"two copies of {event.yektaevent} differ"
    return told


async def _owners(connection: Connection, events: set[UUID]) -> dict[UUID, UUID]:
    """Under whom each event must be now: the owner of the identifier that its receipt says decided."""
    cursor = await connection.execute(
        "SELECT r.event_id, i.customer_id FROM identity.receipts r LEFT JOIN identity.identifiers i ON i.identifier = r.decider"
        " WHERE r.event_id = ANY(%s)",
        (list(events),),
    )
    owners = {event: owner or NOBODY for event, owner in await cursor.fetchall()}
    assert owners.keys() == events, "some events have no receipt"
    return owners


async def _rows(connection: Connection, schema: str, events: set[UUID]) -> Counter[tuple[UUID, UUID]]:
    cursor = await connection.execute(f"SELECT customer_id, event_id FROM {schema}.timeline WHERE event_id = ANY(%s)", (list(events),))
    return Counter(await cursor.fetchall())


async def _check_views(
    connection: Connection, schema: str, told: dict[UUID, CustomerEvent], owners: dict[UUID, UUID], keys: KeyRing
) -> None:
    histories: dict[UUID, list[UUID]] = {}
    for event, owner in owners.items():
        if owner != NOBODY:
            histories.setdefault(owner, []).append(event)
    cursor = await connection.execute("SELECT customer_id FROM identity.customers WHERE event_id = ANY(%s)", (list(told),))
    known = histories.keys() | {row[0] for row in await cursor.fetchall()}
    cursor = await connection.execute(
        f"SELECT customer_id, state, moving FROM {schema}.view WHERE customer_id = ANY(%s)", (list(known),), binary=True
    )
    views = {customer: (state, moving) for customer, state, moving in await cursor.fetchall()}
    assert views.keys() == histories.keys(), "the customers that have a view are not those that have events"
    retelling = Retelling(keys)
    for customer, history in histories.items():
        records = [msgspec.json.encode(told[event]) for event in await _in_order(connection, schema, customer)]
        assert len(records) == len(history)
        (retold,) = await retelling.go_on(connection, 0, [(retelling.begin(0, whole=False), records)])
        assert views[customer] == (encode(finish(retold.view)), False), f"the view of {customer} is not the fold of its events"


async def _in_order(connection: Connection, schema: str, customer: UUID) -> list[UUID]:
    cursor = await connection.execute(f"SELECT event_id FROM {schema}.timeline WHERE customer_id = %s ORDER BY at, event_id", (customer,))
    return [row[0] for row in await cursor.fetchall()]


async def _check_identity(connection: Connection, told: dict[UUID, CustomerEvent]) -> None:
    """The tables say what the published facts say, and nothing of these events is known that was not published."""
    known = Knowledge()
    for event in told.values():
        if event.yektaidentity:
            founded = derive("customer", event.yektaevent)  # not the subject: a copy that was forwarded has another
            known.learn(founded, identity_decoder.decode(event.yektaidentity))
    cursor = await connection.execute(
        "SELECT identifier, i.customer_id, detached FROM identity.identifiers i JOIN identity.customers c USING (customer_id)"
        " WHERE c.event_id = ANY(%s) OR i.event_id = ANY(%s)",
        (list(told), list(told)),
    )
    rows = await cursor.fetchall()
    assert {identifier: owner for identifier, owner, _ in rows} == known.owners
    assert {identifier for identifier, _, detached in rows if detached} == known.detached


async def clusters(connection: Connection, events: Iterable[UUID]) -> set[frozenset[str]]:
    """The tokens of each customer that these events founded."""
    cursor = await connection.execute(
        "SELECT array_agg(identifier) FROM identity.identifiers i JOIN identity.customers c USING (customer_id)"
        " WHERE c.event_id = ANY(%s) GROUP BY i.customer_id",
        (list(events),),
    )
    return {frozenset(row[0]) for row in await cursor.fetchall()}


def connected(memory: Memory) -> set[frozenset[str]]:
    """What was named together, and what hangs together by that."""
    groups: list[set[str]] = []
    for event in _told(memory).values():
        named = set(event.yektawho.split())
        touched = [group for group in groups if group & named]
        groups = [group for group in groups if not group & named] + [named.union(*touched)]
    return {frozenset(group) for group in groups if group}
