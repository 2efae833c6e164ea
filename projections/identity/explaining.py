"""Reads why a customer is one: his identifiers, the facts that named them together, what people decided, and how he came to be.

Reading order: identifiers, Met, met, decisions, history, meetings.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection

from aggregates.identifier import Token
from aggregates.identity.graph import Meeting

Connection = AsyncConnection[tuple[Any, ...]]


class Held(NamedTuple):
    """An identifier of a customer."""

    token: Token
    detached: bool
    first: UUID  # who owned it first


class Met(NamedTuple):
    """Identifiers that events of one customer named together, and the first of these events."""

    who: tuple[Token, ...]
    decider: Token
    event: UUID
    type: str
    source: str
    at: datetime
    recorded: datetime
    times: int


class Decided(NamedTuple):
    """What a person decided about these identifiers."""

    event: UUID
    decision: str
    at: datetime
    by: str
    tokens: tuple[Token, ...]
    go: tuple[Token, ...]
    moved: int


class Step(NamedTuple):
    """Identifiers that came to a customer or left him by one event."""

    event: UUID
    number: int
    owner: UUID
    before: UUID
    tokens: tuple[Token, ...]


async def identifiers(connection: Connection, customer: UUID) -> list[Held]:
    """All that a customer owns."""
    cursor = await connection.execute(
        "SELECT i.identifier, i.detached, COALESCE((SELECT m.before FROM identity.moves m WHERE m.identifier = i.identifier"
        " ORDER BY m.number LIMIT 1), i.customer_id) FROM identity.identifiers i WHERE i.customer_id = %s ORDER BY i.identifier",
        (customer,),
    )
    return [Held(Token(row[0]), row[1], row[2]) for row in await cursor.fetchall()]


async def met(connection: Connection, schema: str, customer: UUID) -> list[Met]:
    """The facts of his history by the identifiers they name, in the order in which the first of each was received."""
    cursor = await connection.execute(
        "WITH told AS (SELECT event_id, type, source, at, recorded, decider,"
        f" convert_from(record, 'UTF8')::json ->> 'yektawho' AS who FROM {schema}.timeline WHERE customer_id = %s)"
        " SELECT f.who, f.decider, f.event_id, f.type, f.source, f.at, f.recorded, c.times FROM (SELECT DISTINCT ON (who, decider) *"
        " FROM told WHERE who <> '' ORDER BY who, decider, recorded, event_id) f"
        " JOIN (SELECT who, decider, count(*) AS times FROM told GROUP BY who, decider) c USING (who, decider)"
        " ORDER BY f.recorded, f.event_id",
        (customer,),
    )
    return [Met(tuple(map(Token, row[0].split())), Token(row[1]), *row[2:]) for row in await cursor.fetchall()]


async def decisions(connection: Connection, tokens: Collection[Token]) -> list[Decided]:
    """What people decided about some of these identifiers, in order."""
    cursor = await connection.execute(
        "SELECT event_id, decision, at, by_key, tokens, go, moved FROM identity.decisions WHERE tokens && %s::text[] ORDER BY number",
        (list(tokens),),
    )
    return [
        Decided(event, decision, at, by, tuple(named), tuple(go), moved)
        for event, decision, at, by, named, go, moved in await cursor.fetchall()
    ]


async def history(connection: Connection, customer: UUID) -> list[Step]:
    """The identifiers that ever came to him from others, or left him, event by event."""
    cursor = await connection.execute(
        "SELECT event_id, min(number), owner, before, array_agg(identifier ORDER BY identifier) FROM identity.moves"
        " WHERE owner = %(customer)s OR before = %(customer)s GROUP BY event_id, owner, before ORDER BY 2",
        {"customer": customer},
    )
    return [Step(event, number, owner, before, tuple(tokens)) for event, number, owner, before, tokens in await cursor.fetchall()]


async def founded(connection: Connection, customer: UUID) -> UUID | None:
    """The event that founded him."""
    cursor = await connection.execute("SELECT event_id FROM identity.customers WHERE customer_id = %s", (customer,))
    row = await cursor.fetchone()
    return row[0] if row else None


class Told(NamedTuple):
    """When and by whom an event was told."""

    type: str
    source: str
    at: datetime
    recorded: datetime


async def told(connection: Connection, schema: str, events: Iterable[UUID]) -> Mapping[UUID, Told]:
    """These events, under whomever they are now."""
    cursor = await connection.execute(
        "SELECT t.event_id, t.type, t.source, t.at, t.recorded FROM identity.receipts r"
        " LEFT JOIN identity.identifiers i ON i.identifier = r.decider"
        f" JOIN {schema}.timeline t ON t.event_id = r.event_id"
        " AND t.customer_id = COALESCE(i.customer_id, r.customer_id, '00000000-0000-0000-0000-000000000000')"
        " WHERE r.event_id = ANY(%s)",
        (list(events),),
    )
    return {row[0]: Told(*row[1:]) for row in await cursor.fetchall()}


def meetings(known: Sequence[Met], decided: Sequence[Decided]) -> list[Meeting]:
    """All that ties identifiers together, in the order in which it was told: events, and merges that people decided."""
    tied = [(one.recorded, Meeting(one.event, one.who)) for one in known]
    tied += [(one.at, Meeting(one.event, one.tokens)) for one in decided if one.decision == "merge"]
    return [meeting for _, meeting in sorted(tied, key=lambda one: (one[0], one[1].event))]


class Share(NamedTuple):
    """How many events of a type an identifier decided, and when the first and the last happened."""

    decider: Token
    type: str
    events: int
    first: datetime
    last: datetime


async def shares(connection: Connection, schema: str, customer: UUID) -> list[Share]:
    """A customer's events by what decided them."""
    cursor = await connection.execute(
        f"SELECT decider, type, count(*), min(at), max(at) FROM {schema}.timeline WHERE customer_id = %s"
        " GROUP BY decider, type ORDER BY 3 DESC, 2, 1",
        (customer,),
    )
    return [Share(*row) for row in await cursor.fetchall()]


async def newest(
    connection: Connection, schema: str, customer: UUID, deciders: Collection[Token], limit: int
) -> list[tuple[UUID, str, str, datetime]]:
    """The newest events that these identifiers decided: id, type, source, time."""
    cursor = await connection.execute(
        f"SELECT event_id, type, source, at FROM {schema}.timeline WHERE customer_id = %s AND decider = ANY(%s)"
        " ORDER BY at DESC, event_id DESC LIMIT %s",
        (customer, list(deciders), limit),
    )
    return [(row[0], row[1], row[2], row[3]) for row in await cursor.fetchall()]
