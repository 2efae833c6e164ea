"""Reads the identity tables, which only `resolve` writes.

Reading order: owner, owners, founded, successors, owns, Fate, fates, bodies, alone.
"""

from collections.abc import Iterable
from enum import Enum
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection

from aggregates.identifier import Token
from aggregates.wire import Identity, identity_decoder
from projections.rows import uuids

Connection = AsyncConnection[tuple[Any, ...]]


async def owner(connection: Connection, token: Token) -> UUID | None:
    """Whose the identifier is now: of one that was forgotten, whoever came with it since."""
    return (await owners(connection, [token])).get(token)


async def owners(connection: Connection, tokens: Iterable[Token]) -> dict[Token, UUID]:
    """The same of several; those that are nobody's are left out."""
    cursor = await connection.execute(
        "SELECT t.token, i.customer_id FROM unnest(%s::text[]) AS t (token) JOIN identity.identifiers i ON i.identifier = COALESCE("
        "(SELECT s.identifier || '~' || s.epoch FROM identity.seen s WHERE s.identifier = t.token AND s.epoch > 0), t.token)",
        (list(tokens),),
    )
    return dict(await cursor.fetchall())


async def founded(connection: Connection, customers: Iterable[UUID]) -> dict[UUID, int]:
    """In which order customers were founded; of those who were, for some are nobody's any more."""
    cursor = await connection.execute("SELECT customer_id, founded FROM identity.customers WHERE customer_id = ANY(%s)", (list(customers),))
    return dict(await cursor.fetchall())


async def successor(connection: Connection, customer: UUID) -> UUID | None:
    """Who a customer that owns nothing any more became: the present owner of most of what was his, of equals the one founded first."""
    return (await successors(connection, [customer])).get(customer)


async def successors(connection: Connection, customers: Iterable[UUID]) -> dict[UUID, UUID]:
    """The same of several; who became nobody is not among them."""
    cursor = await connection.execute(
        "SELECT asked.id, heir.customer_id FROM unnest(%s::uuid[]) AS asked(id), LATERAL"
        " (SELECT i.customer_id FROM identity.moves m JOIN identity.identifiers i ON i.identifier = m.identifier"
        " LEFT JOIN identity.customers c ON c.customer_id = i.customer_id"
        " WHERE m.before = asked.id AND i.customer_id <> asked.id"
        " AND NOT EXISTS (SELECT 1 FROM identity.identifiers o WHERE o.customer_id = asked.id)"
        " GROUP BY i.customer_id, c.founded ORDER BY count(DISTINCT i.identifier) DESC, c.founded NULLS LAST LIMIT 1) heir",
        (uuids(customers),),
    )
    return dict(await cursor.fetchall())


async def owns(connection: Connection, customer: UUID) -> bool:
    """Whether any identifier is this customer's: he may have no events, when those that name it were decided by another's."""
    cursor = await connection.execute("SELECT EXISTS (SELECT 1 FROM identity.identifiers WHERE customer_id = %s)", (customer,))
    row = await cursor.fetchone()
    return bool(row and row[0])


class Fate(NamedTuple):
    """What became of an event that the log has."""

    event_id: UUID
    customer_id: UUID | None  # None: it named no identifier
    decider: str
    visible: bool  # its row is in the timeline of whoever it belongs to now
    erased: bool  # with its customer


async def fates(connection: Connection, schema: str, events: Iterable[UUID]) -> list[Fate]:
    """The fates of those of these events that were resolved; the customer is the present one."""
    cursor = await connection.execute(
        "SELECT r.event_id, COALESCE(i.customer_id, r.customer_id), r.decider,"
        f" EXISTS (SELECT 1 FROM {schema}.timeline t WHERE t.event_id = r.event_id"
        " AND t.customer_id IN (COALESCE(i.customer_id, r.customer_id, '00000000-0000-0000-0000-000000000000'), r.customer_id)),"
        " EXISTS (SELECT 1 FROM identity.erased_events e WHERE e.event_id = r.event_id)"
        " FROM identity.receipts r LEFT JOIN identity.identifiers i ON i.identifier = r.decider AND r.customer_id IS NOT NULL"
        " WHERE r.event_id = ANY(%s)",
        (list(events),),
    )
    return [Fate(*row) for row in await cursor.fetchall()]


async def bodies(connection: Connection, events: Iterable[UUID]) -> dict[UUID, str]:
    """The keyed hash of the content of those of these events that were resolved."""
    cursor = await connection.execute("SELECT event_id, body FROM identity.receipts WHERE event_id = ANY(%s)", (list(events),))
    return dict(await cursor.fetchall())


class Alone(Enum):
    """How one event stands that is waited for by itself."""

    THERE = "there"  # it is folded where it belongs
    COMES = "comes"  # it is not, or nobody has said yet whose it is
    MOVES = "moves"  # it, or what became of its customer, goes from one to another: the positions of both hops say when that is over


async def alone(connection: Connection, schema: str, events: Iterable[UUID]) -> dict[UUID, Alone]:
    """How these events stand. Of one that became a dead letter on its way, or is nobody's, it says for ever that it comes."""
    stands = dict.fromkeys(events, Alone.COMES)
    cursor = await connection.execute(
        "SELECT r.event_id, r.identity, t.event_id IS NOT NULL,"
        " EXISTS (SELECT 1 FROM identity.moved m WHERE m.customer_id = r.customer_id)"
        " OR EXISTS (SELECT 1 FROM streams.chores c WHERE c.customer_id = r.customer_id) FROM identity.receipts r"
        f" LEFT JOIN {schema}.timeline t ON t.customer_id = r.customer_id AND t.event_id = r.event_id WHERE r.event_id = ANY(%s)",
        (list(stands),),
    )
    for event, identity, there, moving in await cursor.fetchall():
        changed = identity_decoder.decode(identity) if identity else Identity()
        if moving or changed.walls or changed.lifted or any(link.before for link in changed.links):
            stands[event] = Alone.MOVES
        elif there:
            stands[event] = Alone.THERE
    return stands
