"""What `resolve` reads before it decides, and writes down after it: the only SQL that changes who is who. Under the identity lock.

Reading order: begin, knowledge, Change, write.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg.types.json import Jsonb

from aggregates.identifier import Token
from aggregates.identity import Erase, Knowledge, Merge, Owned, Said, Split
from aggregates.wire import Identity, Wall
from projections.erasure import table as erasure
from projections.rows import Connection, Cursor, texts, uuids


class Begun(NamedTuple):
    """What was asked for first, in one way to the server. It is read when the pipeline has ended."""

    number: Cursor
    owners: Cursor


async def begin(connection: Connection, wanted: Iterable[Token], named_by_people: Iterable[Token] = ()) -> Begun:
    """Ask what nearly all need to be decided, within a pipeline."""
    return Begun(
        await connection.execute("SELECT last, EXISTS (SELECT 1 FROM identity.walls) FROM identity.numbers"),
        await connection.execute(
            _OF.format("SELECT customer_id FROM identity.identifiers WHERE identifier = ANY(%s::text[])"),
            (texts([*wanted, *named_by_people]),),
        ),
    )


async def knowledge(
    connection: Connection, begun: Begun, wanted: Iterable[Token], named_by_people: Iterable[Token] = (), customers: Iterable[UUID] = ()
) -> Knowledge:
    """All that identity knows of these identifiers and of their owners; of those that a person named also who owned them first; and of
    these customers."""
    number, walled = await begun.number.fetchone() or (0, True)
    known = Knowledge(number=int(number))
    await _learn(known, begun.owners)
    named = list(named_by_people)
    if named_customers := list(customers):
        await _owned_by(connection, known, named_customers)
    if named:
        cursor = await connection.execute(
            "SELECT DISTINCT ON (m.identifier) m.identifier, m.before, c.founded FROM identity.moves m"
            " JOIN identity.customers c ON c.customer_id = m.before WHERE m.identifier = ANY(%s)"
            " AND NOT EXISTS (SELECT 1 FROM identity.erased e WHERE e.customer_id = m.before)"  # nobody becomes who was erased
            " ORDER BY m.identifier, m.number",
            (named,),
        )
        first = await cursor.fetchall()
        await _owned_by(connection, known, [row[1] for row in first])
        for identifier, customer, founded in first:
            known.first[Token(identifier)] = customer
            known.customers.setdefault(customer, Owned(founded))
    if walled:
        await _walls(connection, known, [*known.owners, *wanted, *named])
    return known


_OF = (
    "SELECT i.identifier, i.customer_id, i.number, i.detached, c.founded"
    " FROM identity.identifiers i JOIN identity.customers c USING (customer_id) WHERE customer_id IN ({})"
)


async def _owned_by(connection: Connection, known: Knowledge, customers: list[UUID]) -> None:
    await _learn(known, await connection.execute(_OF.format("SELECT unnest(%s::uuid[])"), (uuids(customers),)))


async def _learn(known: Knowledge, cursor: Cursor) -> None:
    for identifier, customer, number, detached, founded in await cursor.fetchall():
        token = Token(identifier)
        known.owners[token], known.learned[token] = customer, number
        known.customers.setdefault(customer, Owned(founded)).tokens.add(token)
        if detached:
            known.detached.add(token)


async def _walls(connection: Connection, known: Knowledge, tokens: list[Token]) -> None:
    """Only sides are told: whether two identifiers stand on two sides of one wall needs no more."""
    cursor = await connection.execute(
        "SELECT identifier, wall, side FROM identity.walls WHERE identifier = ANY(%s::text[])", (texts(tokens),)
    )
    for identifier, wall, side in await cursor.fetchall():
        known.walls.sides.setdefault(Token(identifier), {})[wall] = side


class Change(NamedTuple):
    """What attributing one touchpoint changed, and when that was received."""

    event: UUID
    customer: UUID  # whom it founded, or whose it is
    change: Identity
    recorded: datetime
    decision: Said | None = None
    why: str = ""  # of an erasure, for its receipt


async def write(connection: Connection, known: Knowledge, changes: Sequence[Change]) -> None:
    """The changed identifiers, founded customers, moves, conflicts and decisions of a batch. An erasure is written by itself."""
    latest: dict[Token, tuple[UUID, int, UUID]] = {}
    gone: list[Token] = []
    founded: list[tuple[UUID, int, UUID]] = []
    moves: list[tuple[int, Token, UUID, UUID, UUID]] = []
    losers: set[UUID] = set()
    for event, customer, change, _, decision, why in changes:
        if change.founded:
            founded.append((customer, change.founded, event))
        if isinstance(decision, Erase):
            gone += [link.token for link in change.links]
            await erasure.begin(connection, event, decision, gone, known.number, why)
            losers |= {UUID(link.before) for link in change.links}
            continue
        for link in change.links:
            latest[link.token] = (UUID(link.owner), link.number, event)
            if link.before:
                moves.append((link.number, link.token, UUID(link.owner), UUID(link.before), event))
        if decision is not None:
            await _decided(connection, event, change, decision, known)
    detached = [token for one in changes for token in one.change.detached]
    await many(connection, "identity.customers (customer_id, founded, event_id)", "uuid[], bigint[], uuid[]", founded)
    await many(
        connection,
        "identity.identifiers (identifier, customer_id, number, event_id)",
        "text[], uuid[], bigint[], uuid[]",
        [(token, *fact) for token, fact in latest.items()],
        " ON CONFLICT (identifier) DO UPDATE"
        " SET customer_id = excluded.customer_id, number = excluded.number, event_id = excluded.event_id",
    )
    await many(
        connection, "identity.moves (number, identifier, owner, before, event_id)", "bigint[], text[], uuid[], uuid[], uuid[]", moves
    )
    losers |= {before for _, _, _, before, _ in moves}
    await many(connection, "identity.moved (customer_id)", "uuid[]", [(loser,) for loser in losers], " ON CONFLICT DO NOTHING")
    if gone:
        await connection.execute("DELETE FROM identity.identifiers WHERE identifier = ANY(%s)", (gone,))
    if detached:
        await connection.execute("UPDATE identity.identifiers SET detached = true WHERE identifier = ANY(%s)", (detached,))
    await connection.execute("UPDATE identity.numbers SET last = %(now)s WHERE last <> %(now)s", {"now": known.number})
    await _conflicts(connection, [change for change in changes if change.change.conflict])


async def _conflicts(connection: Connection, changes: Sequence[Change]) -> None:
    """What was not linked, and why: the same between the same identifiers is one conflict that came up again."""
    met: dict[object, tuple[UUID, UUID, str, str, int, datetime, datetime, UUID]] = {}
    for event, customer, change, recorded, _, _ in changes:
        key = (change.conflict, change.between) if change.between else event
        first = met.get(key, (event, customer, change.conflict, " ".join(change.between), 0, recorded, recorded, event))
        met[key] = (*first[:4], first[4] + 1, first[5], max(first[6], recorded), event)
    if met:
        await connection.execute(
            "INSERT INTO identity.conflicts AS c (event_id, customer_id, reason, between_tokens, times, first_at, last_at, last_event)"
            " SELECT event_id, customer_id, reason, string_to_array(tokens, ' '), times, first_at, last_at, last_event"
            " FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::bigint[], %s::timestamptz[], %s::timestamptz[], %s::uuid[])"
            " AS n(event_id, customer_id, reason, tokens, times, first_at, last_at, last_event)"
            " ON CONFLICT (reason, between_tokens) WHERE between_tokens <> '{}' DO UPDATE SET times = c.times + excluded.times,"
            " last_at = GREATEST(c.last_at, excluded.last_at), last_event = excluded.last_event",
            [list(column) for column in zip(*met.values(), strict=True)],
        )


async def _decided(connection: Connection, event: UUID, change: Identity, decision: Merge | Split, known: Knowledge) -> None:
    go = list(decision.go) if isinstance(decision, Split) else []
    await connection.execute(
        "INSERT INTO identity.decisions (event_id, number, decision, at, by_key, tokens, go, moved, evidence)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            event,
            known.number,
            "split" if isinstance(decision, Split) else "merge",
            decision.at,
            decision.by,
            list(decision.tokens),
            go,
            sum(1 for link in change.links if link.before),
            Jsonb(decision.evidence) if decision.evidence is not None else None,
        ),
    )
    for wall in change.walls:
        await build(connection, wall)
    if change.lifted:
        await connection.execute("DELETE FROM identity.walls WHERE wall = ANY(%s)", (list(change.lifted),))
    if decision.conflict:
        await connection.execute(
            "UPDATE identity.conflicts SET decided_by = %s WHERE event_id = %s AND decided_by IS NULL", (event, decision.conflict)
        )


async def build(connection: Connection, wall: Wall) -> None:
    """Write a wall down."""
    rows = [(token, wall.number, side) for side, tokens in enumerate((wall.one, wall.other)) for token in tokens]
    await many(connection, "identity.walls (identifier, wall, side)", "text[], bigint[], smallint[]", rows, " ON CONFLICT DO NOTHING")


async def count(connection: Connection, partition: int, fired: Sequence[str], at: datetime) -> None:
    """Add up how often rules kept something from being linked."""
    if fired:
        times = Counter(fired)
        await connection.execute(
            "INSERT INTO identity.fired AS f (partition, rule, times, last_at)"
            " SELECT %s, rule, times, %s FROM unnest(%s::text[], %s::bigint[]) AS u(rule, times)"
            " ON CONFLICT (partition, rule) DO UPDATE SET times = f.times + excluded.times,"
            " last_at = GREATEST(f.last_at, excluded.last_at)",
            (partition, at, list(times), list(times.values())),
        )


_ARRAYS: Mapping[str, Callable[[Any], Any]] = {"uuid[]": uuids, "text[]": texts}


async def many(connection: Connection, into: str, types: str, rows: Sequence[tuple[Any, ...]], conflict: str = "") -> None:
    """Insert rows as one statement with an array per column."""
    if rows:
        arrays = types.split(", ")
        statement = f"INSERT INTO {into} SELECT * FROM unnest({', '.join([f'%s::{type_}' for type_ in arrays])}){conflict}"
        columns = zip(arrays, zip(*rows, strict=True), strict=True)
        await connection.execute(statement, [_ARRAYS.get(type_, list)(column) for type_, column in columns])
