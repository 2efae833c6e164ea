"""What did happen of rules in a range, to compare a dry run with. Reading order: signals, sent, counted."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

Connection = AsyncConnection[tuple[Any, ...]]


async def signals(connection: Connection, rules: Sequence[str], since: datetime, until: datetime) -> set[tuple[str, UUID, str]]:
    """Rule, customer and cause of the signals that stand, whatever their version."""
    cursor = await connection.execute(
        "SELECT rule, customer_id, cause FROM signals.given"
        " WHERE rule = ANY(%s) AND NOT withdrawn AND recorded_at >= %s AND recorded_at < %s",
        (list(rules), since, until),
    )
    return {(rule, customer, cause) for rule, customer, cause in await cursor.fetchall()}


async def sent(connection: Connection, rules: Sequence[str], since: datetime, until: datetime) -> dict[str, int]:
    """How many contacts of each rule went out."""
    cursor = await connection.execute(
        "SELECT rule, count(*) FROM contacts.decisions WHERE rule = ANY(%s) AND outcome = 'sent' AND at >= %s AND at < %s GROUP BY rule",
        (list(rules), since, until),
    )
    return dict(await cursor.fetchall())


async def counted(connection: Connection, since: datetime) -> dict[str, int]:
    """How many signals of each rule stand since a time."""
    cursor = await connection.execute(
        "SELECT rule, count(*) FROM signals.given WHERE NOT withdrawn AND recorded_at >= %s GROUP BY rule", (since,)
    )
    return dict(await cursor.fetchall())
