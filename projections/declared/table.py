"""The SQL of what is declared: how each version stands, for people; and the statement by which every partition hears of it.

Reading order: kept, announce, listed, one, begun, in_force.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from aggregates.declaration import OPEN, Declaration, Event, Paused, Resumed, Retired, State

Connection = AsyncConnection[tuple[Any, ...]]

Statement = tuple[str, Sequence[Any]]


class Row(NamedTuple):
    """A version as it stands."""

    name: str
    version: int
    state: State
    text: str
    by: str
    at: datetime
    number: int
    written_by: str
    approved_by: str


_ALL = ", ".join(Row._fields)
_KEEP = f"""
INSERT INTO signals.declared (kind, {_ALL}) VALUES (%s, {", ".join(["%s"] * len(Row._fields))})
ON CONFLICT (kind, name, version) DO UPDATE SET state = excluded.state, text = excluded.text, by = excluded.by, at = excluded.at,
number = excluded.number, written_by = excluded.written_by, approved_by = excluded.approved_by
"""


def kept(declaration: Declaration) -> list[Statement]:
    """The statements that bring the rows to what is decided."""
    statements: list[Statement] = [
        (
            "DELETE FROM signals.declared WHERE kind = %s AND name = %s AND state = ANY(%s)",
            (declaration.kind, declaration.name, list(OPEN)),
        )
    ]
    for one in declaration.versions:
        row = Row(declaration.name, one.version, one.state, one.text, one.by, one.at, declaration.number, one.written_by, one.approved_by)
        statements.append((_KEEP, (declaration.kind, *row)))
    return statements


def announce(id_: UUID, type_: str, data: Mapping[str, Any]) -> Statement:
    """The statement that goes with a decision, so that every partition of `customer-events` hears of it."""
    return "INSERT INTO streams.broadcasts (id, type, data) VALUES (%s, %s, %s)", (id_, type_, Jsonb(dict(data)))


def stopped(declaration: Declaration, event: Event) -> Statement:
    """The statement by which nothing of a paused rule goes out that waits to be sent, and all of it once the rule is resumed."""
    scope = f"rule:{declaration.name}"
    if isinstance(event, Paused):
        return "INSERT INTO contacts.pauses (scope, since, by) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING", (scope, event.at, event.by)
    if isinstance(event, Resumed | Retired):
        return "DELETE FROM contacts.pauses WHERE scope = %s", (scope,)
    return "SELECT 1", ()


async def listed(connection: Connection, kind: str) -> dict[str, list[Row]]:
    """All versions by name, the newest first."""
    cursor = await connection.execute(f"SELECT {_ALL} FROM signals.declared WHERE kind = %s ORDER BY name, version DESC", (kind,))
    found: dict[str, list[Row]] = {}
    for row in await cursor.fetchall():
        found.setdefault(row[0], []).append(Row(*row))
    return found


async def one(connection: Connection, kind: str, name: str) -> list[Row]:
    """All versions of one, the newest first."""
    cursor = await connection.execute(
        f"SELECT {_ALL} FROM signals.declared WHERE kind = %s AND name = %s ORDER BY version DESC", (kind, name)
    )
    return [Row(*row) for row in await cursor.fetchall()]


async def begun(connection: Connection, kind: str) -> dict[tuple[str, int], datetime]:
    """Since when each version is heard by the partitions, as it was told them: the order of rules is by this, then by name."""
    cursor = await connection.execute(
        "SELECT name, version, min(since) FROM streams.in_force WHERE kind = %s GROUP BY name, version", (kind,)
    )
    return {(name, version): since for name, version, since in await cursor.fetchall()}


async def in_force(connection: Connection, kind: str, name: str, number: int) -> bool | None:
    """Whether every partition that is worked on has heard of this decision; None: nobody works."""
    cursor = await connection.execute(
        "SELECT bool_and(EXISTS (SELECT 1 FROM streams.in_force f WHERE f.partition = p.partition AND f.kind = %s"
        " AND f.name = %s AND f.number >= %s)) FROM streams.positions p WHERE p.processor = 'customer'",
        (kind, name, number),
    )
    row = await cursor.fetchone()
    return row[0] if row else None
