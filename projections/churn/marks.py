"""The SQL of marks: what was made of the first facts of a long history, at some places of it. Reading order: before, void, add, forget."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection

from projections.rows import uuids
from projections.spans import surplus

Connection = AsyncConnection[tuple[Any, ...]]


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
        await connection.execute(
            "DELETE FROM churn.marks m USING unnest(%s::uuid[], %s::timestamptz[]) AS g(customer_id, at)"
            " WHERE m.customer_id = g.customer_id AND m.at >= g.at",
            (uuids(since), list(since.values())),
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
    gone_at = [at for at in known if at not in spans]
    await connection.execute("DELETE FROM churn.marks WHERE customer_id = %s AND at = ANY(%s::timestamptz[])", (customer, gone_at))
    await connection.execute(
        "UPDATE churn.marks m SET span = g.span FROM unnest(%s::timestamptz[], %s::int[]) AS g(at, span)"
        " WHERE m.customer_id = %s AND m.at = g.at",
        ([at for at in spans if at in known], [span for at, span in kept if at in known], customer),
    )
    new = [(at, span, made[at]) for at, span in kept if at not in known]
    await connection.execute(
        "INSERT INTO churn.marks (customer_id, at, span, made) SELECT %s, * FROM unnest(%s::timestamptz[], %s::int[], %s::bytea[])",
        (customer, [at for at, _, _ in new], [span for _, span, _ in new], [what for _, _, what in new]),
    )


async def forget(connection: Connection, customers: Iterable[UUID]) -> None:
    """Rows of these came or went: nothing that was made of them holds."""
    await connection.execute("DELETE FROM churn.marks WHERE customer_id = ANY(%s::uuid[])", (uuids(customers),))
