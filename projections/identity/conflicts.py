"""Conflicts of identity that wait for a person: what evidence would have joined, and the rules did not. Reading order: Conflict, page."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection

Connection = AsyncConnection[tuple[Any, ...]]


class Conflict(NamedTuple):
    """Identifiers that were met together and are not one customer's."""

    id: UUID  # the event that brought it up first
    reason: str
    tokens: list[str]
    customers: list[UUID]  # whose they are now, in the order of the tokens; absent where nobody owns one
    times: int
    first_at: datetime
    last_at: datetime
    last_event: UUID
    decided_by: UUID | None
    decision: str | None  # merge or split


_SELECT = (
    "SELECT c.event_id, c.reason, c.between_tokens, ARRAY(SELECT i.customer_id FROM unnest(c.between_tokens) WITH ORDINALITY t(token, n)"
    " JOIN identity.identifiers i ON i.identifier = t.token ORDER BY t.n), c.times, c.first_at, c.last_at,"
    " COALESCE(c.last_event, c.event_id), c.decided_by, d.decision"
    " FROM identity.conflicts c LEFT JOIN identity.decisions d ON d.event_id = c.decided_by"
)


async def page(connection: Connection, limit: int, *, decided: bool = False, after: tuple[datetime, UUID] | None = None) -> list[Conflict]:
    """Conflicts, those met last first."""
    place = " AND (c.last_at, c.event_id) < (%s, %s)" if after else ""
    cursor = await connection.execute(
        f"{_SELECT} WHERE c.decided_by IS {'NOT ' if decided else ''}NULL{place} ORDER BY c.last_at DESC, c.event_id DESC LIMIT %s",
        (*(after or ()), limit),
    )
    return [Conflict(*row) for row in await cursor.fetchall()]


async def one(connection: Connection, id_: UUID) -> Conflict | None:
    """A conflict, decided or not."""
    cursor = await connection.execute(f"{_SELECT} WHERE c.event_id = %s", (id_,))
    row = await cursor.fetchone()
    return Conflict(*row) if row else None


async def waiting(connection: Connection) -> int:
    """How many wait."""
    row = await (await connection.execute("SELECT count(*) FROM identity.conflicts WHERE decided_by IS NULL")).fetchone()
    return int(row[0]) if row else 0
