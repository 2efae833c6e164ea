"""The rule sets that were published, as SQL keeps them; the newest is what people decide under. Reading order: in_force, newest."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from psycopg import AsyncConnection

from aggregates.identity import DEFAULT_RULES, Rules
from aggregates.identity.publishing import Document, rules_of
from aggregates.sealing import Sealer

Connection = AsyncConnection[tuple[Any, ...]]


class Published(NamedTuple):
    """A published rule set."""

    version: int
    document: Document
    by: str
    at: datetime
    broadcast: bool


def published(version: int, document: Document, by: str, at: datetime) -> tuple[str, Sequence[Any]]:
    """The statement that goes with the decision to publish a rule set."""
    return (
        "INSERT INTO identity.rule_sets (version, document, by_key, at) VALUES (%s, %s, %s, %s)",
        (version, msgspec.json.encode(document).decode(), by, at),
    )


async def newest(connection: Connection) -> Published | None:
    """The rule set published last; None: the one that is built in."""
    cursor = await connection.execute(
        "SELECT version, document::text, by_key, at, broadcast FROM identity.rule_sets ORDER BY version DESC LIMIT 1"
    )
    row = await cursor.fetchone()
    return Published(row[0], msgspec.json.decode(row[1], type=Document), *row[2:]) if row else None


async def in_force(connection: Connection, sealer: Sealer) -> Rules:
    """The rules that people decide under."""
    published = await newest(connection)
    return rules_of(published.document, published.version, sealer.token) if published else DEFAULT_RULES


async def fired(connection: Connection) -> dict[str, tuple[int, datetime]]:
    """How often each rule kept something from being linked, and when it did last."""
    cursor = await connection.execute("SELECT rule, sum(times)::bigint, max(last_at) FROM identity.fired GROUP BY rule ORDER BY rule")
    return {row[0]: (row[1], row[2]) for row in await cursor.fetchall()}


async def everywhere(connection: Connection, version: int) -> bool:
    """Whether every partition that `resolve` reads is under this version."""
    cursor = await connection.execute(
        "SELECT count(*) = (SELECT count(*) FROM streams.positions WHERE processor = 'resolve') AND count(*) > 0"
        " FROM identity.rules_in_force WHERE version >= %s",
        (version,),
    )
    row = await cursor.fetchone()
    return row is not None and bool(row[0])
