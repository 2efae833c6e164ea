"""The SQL of marks: what was made of the first facts of a long history, at some places of it. Reading order: before, void, add, forget."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from projections.rows import Columns, Connection, bring, uuids
from projections.spans import surplus

_PLACES = Columns("places", {"customer_id": "uuid", "at": "timestamptz"})
_SPANS = Columns("spans", {"customer_id": "uuid", "at": "timestamptz", "span": "int4"})
_MARKS = Columns("marks_stage", {"customer_id": "uuid", "at": "timestamptz", "span": "int4", "made": "bytea"})


class Mark(NamedTuple):
    """A place in a history, and what was made of all up to it."""

    at: datetime  # of the last fact in it
    made: bytes


async def before(connection: Connection, customer: UUID, at: datetime) -> Mark | None:
    """The last mark of a customer that is older than a fact."""
    cursor = await connection.execute(
        "SELECT at, made FROM churn.marks WHERE customer_id = %s AND at < %s ORDER BY at DESC LIMIT 1", (customer, at), binary=True
    )
    row = await cursor.fetchone()
    return None if row is None else Mark(*row)


async def void(connection: Connection, since: Mapping[UUID, datetime]) -> None:
    """To these customers something came that happened then: later marks know nothing of it."""
    if since:
        brought = await bring(connection, _PLACES, list(since.items()))
        await connection.execute(
            f"DELETE FROM churn.marks m USING {brought.source} WHERE m.customer_id = places.customer_id AND m.at >= places.at",
            brought.values,
        )


async def add(connection: Connection, customer: UUID, marks: Sequence[Mark]) -> None:
    """Put marks behind those that a customer has; where there are too many, some go."""
    if not marks:
        return
    cursor = await connection.execute("SELECT at, span FROM churn.marks WHERE customer_id = %s ORDER BY at", (customer,))
    known: dict[datetime, int] = dict(await cursor.fetchall())
    kept = list(known.items())
    for mark in marks:
        kept.append((mark.at, 1))
        while (gone := surplus([span for _, span in kept])) is not None:
            kept[gone + 1] = (kept[gone + 1][0], 2 * kept[gone][1])
            del kept[gone]
    made, spans = {mark.at: mark.made for mark in marks}, dict(kept)
    fallen = [at for at in known if at not in spans]
    if fallen:
        brought = await bring(connection, _PLACES, [(customer, at) for at in fallen])
        await connection.execute(
            f"DELETE FROM churn.marks m USING {brought.source} WHERE m.customer_id = places.customer_id AND m.at = places.at",
            brought.values,
        )
    moved = [(customer, at, span) for at, span in kept if at in known and span != known[at]]
    if moved:
        brought = await bring(connection, _SPANS, moved)
        await connection.execute(
            f"UPDATE churn.marks m SET span = spans.span FROM {brought.source} WHERE m.customer_id = spans.customer_id AND m.at = spans.at",
            brought.values,
        )
    brought = await bring(connection, _MARKS, [(customer, at, span, made[at]) for at, span in kept if at not in known])
    await connection.execute(f"INSERT INTO churn.marks ({_MARKS.all}) SELECT {_MARKS.all} FROM {brought.source}", brought.values)


async def forget(connection: Connection, customers: Iterable[UUID]) -> None:
    """Rows of these came or went: nothing that was made of them holds."""
    await connection.execute("DELETE FROM churn.marks WHERE customer_id = ANY(%s::uuid[])", (uuids(customers),))
