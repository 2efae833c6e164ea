"""The timeline's SQL: rows in, each event once; histories out, in the order that folds go by.

Reading order: insert, history, piece, deciders, naming; what people turn the pages of is in `page`.
"""

from collections import Counter
from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from projections.rows import Columns, Connection, bring, texts, uuids
from projections.timeline.row import NOBODY, Row, row_of

__all__ = ["COLUMNS", "NOBODY", "Piece", "Row", "history", "insert", "naming", "piece", "pieces", "row_of"]

COLUMNS = Row._fields[1:]
"""All columns but the customer, whom a row may change."""

_ALL = ", ".join(Row._fields)
_TYPES = {"customer_id": "uuid", "event_id": "uuid", "amount": "numeric", "seal": "int8", "flags": "int2", "record": "bytea"} | {
    "at": "timestamptz",
    "occurred": "timestamptz",
    "recorded": "timestamptz",
    "log_partition": "int2",
    "log_offset": "int8",
}
_STAGE = Columns("timeline_stage", {column: _TYPES.get(column, "text") for column in Row._fields})


class Piece(NamedTuple):
    """A row as a fold reads it."""

    at: datetime
    event_id: UUID
    record: bytes


class Naming(NamedTuple):
    """A fact that names something by its number."""

    ref: str
    customer_id: UUID
    type: str
    at: datetime


SHARED = 50
"""Facts that name one order, call or lead, at most: a reference that more of them share is no number."""


async def insert(connection: Connection, schema: str, rows: Sequence[Row]) -> set[int]:
    """Put rows of one log partition in; the offsets of those that were not there yet. Only these may be folded."""
    if not rows:
        return set()
    brought = await bring(connection, _STAGE, rows)
    cursor = await connection.execute(
        f"INSERT INTO {schema}.timeline ({_ALL}) SELECT {_ALL} FROM {brought.source} ON CONFLICT DO NOTHING RETURNING log_offset",
        brought.values,
    )
    return {row[0] for row in await cursor.fetchall()}


async def piece(connection: Connection, schema: str, customer: UUID, after: datetime | None, limit: int) -> list[Piece]:
    """The next rows of a customer's history after a time; from its beginning without one. All rows of an instant come together, so there
    may be more than asked for."""
    later = "" if after is None else " AND at > %s"
    cursor = await connection.execute(
        f"SELECT at, event_id, record FROM (SELECT at, event_id, record FROM {schema}.timeline WHERE customer_id = %s{later}"
        " ORDER BY at FETCH FIRST %s ROWS WITH TIES) AS next ORDER BY at, event_id",
        (customer, limit) if after is None else (customer, after, limit),
        binary=True,
    )
    return [Piece(*row) for row in await cursor.fetchall()]


async def pieces(connection: Connection, schema: str, customers: Sequence[UUID], limit: int) -> list[tuple[UUID, bytes]]:
    """The histories of several customers, each in the order that folds go by: customer and record, at most `limit` in all.

    Asked for one customer at a time, within the statement: of an array PostgreSQL thinks, until the table was analysed, that it names half
    of all rows, and may read the whole timeline.
    """
    cursor = await connection.execute(
        "SELECT wanted.customer_id, his.record FROM unnest(%s::uuid[]) AS wanted(customer_id) CROSS JOIN LATERAL ("
        f"SELECT at, event_id, record FROM {schema}.timeline WHERE customer_id = wanted.customer_id ORDER BY at, event_id LIMIT %s) AS his"
        " ORDER BY wanted.customer_id, his.at, his.event_id LIMIT %s",
        (uuids(customers), limit, limit),
        binary=True,
    )
    return [(customer, record) for customer, record in await cursor.fetchall()]


async def deciders(connection: Connection, schema: str, customers: Collection[UUID]) -> dict[UUID, str]:
    """Of each of these customers the identifier that decided his latest row: what is told of him follows it. Who has no row is absent."""
    if not customers:
        return {}
    cursor = await connection.execute(
        "SELECT asked.id, his.decider FROM unnest(%s::uuid[]) AS asked(id), LATERAL"
        f" (SELECT decider FROM {schema}.timeline WHERE customer_id = asked.id AND decider <> ''"
        " ORDER BY at DESC, event_id DESC LIMIT 1) his",
        (uuids(customers),),
    )
    return dict(await cursor.fetchall())


async def naming(connection: Connection, schema: str, refs: Collection[str]) -> list[Naming]:
    """The facts that name these references, whoever's they are; of a reference that many facts share, none.

    Asked by the reference alone: with the customer beside it PostgreSQL may go through all that one customer has.
    """
    cursor = await connection.execute(
        "SELECT wanted.ref, his.customer_id, his.type, his.at FROM unnest(%s::text[]) AS wanted(ref) CROSS JOIN LATERAL ("
        f"SELECT customer_id, type, at FROM {schema}.timeline WHERE ref = wanted.ref LIMIT %s) AS his",
        (texts(refs), SHARED + 1),
        binary=True,
    )
    rows = [Naming(*row) for row in await cursor.fetchall()]
    counts = Counter(row.ref for row in rows)
    return [row for row in rows if counts[row.ref] <= SHARED]


async def history(
    connection: Connection,
    schema: str,
    customer: UUID,
    *,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
    chunk: int = 5000,
) -> AsyncIterator[list[bytes]]:
    """A customer's records in the order folds go by: what had happened by `as_of`, as far as it had been received by `known_at`."""
    bounded = "".join(condition for condition, value in ((" AND at <= %s", as_of), (" AND recorded <= %s", known_at)) if value is not None)
    bounds = tuple(value for value in (as_of, known_at) if value is not None)
    at: datetime | None = None
    event: UUID | None = None
    while True:
        further, place = ("", ()) if at is None else (" AND (at, event_id) > (%s, %s)", (at, event))
        cursor = await connection.execute(
            f"SELECT at, event_id, record FROM {schema}.timeline WHERE customer_id = %s{further}{bounded} ORDER BY at, event_id LIMIT %s",
            (customer, *place, *bounds, chunk),
            binary=True,
        )
        rows = [Piece(*row) for row in await cursor.fetchall()]
        if rows:
            yield [row.record for row in rows]
            at, event = rows[-1].at, rows[-1].event_id
        if len(rows) < chunk:
            return
