"""The SQL of webhooks: how each stands, as its decisions left it. Reading order: kept, every, one, listening."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from psycopg import AsyncConnection

from aggregates.webhook import Webhook

Connection = AsyncConnection[tuple[Any, ...]]

_KEEP = """
INSERT INTO contacts.webhooks (id, version, url, types, enabled, created, state) VALUES (%s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (id) DO UPDATE SET version = excluded.version, enabled = excluded.enabled, state = excluded.state
"""

_webhook = msgspec.json.Decoder(Webhook)


def kept(webhook: Webhook) -> tuple[str, Sequence[Any]]:
    """The statement that brings the row to what is decided."""
    enabled = webhook.disabled is None and webhook.deleted is None
    state = msgspec.json.encode(webhook).decode()
    return _KEEP, (webhook.id, webhook.version, webhook.url, list(webhook.types), enabled, webhook.created, state)


async def every(connection: Connection, limit: int | None = None) -> list[Webhook]:
    """Those that were not deleted, the oldest first."""
    cursor = await connection.execute(
        "SELECT state::text FROM contacts.webhooks WHERE state ->> 'deleted' IS NULL ORDER BY created, id LIMIT %s", (limit,)
    )
    return [_webhook.decode(state) for (state,) in await cursor.fetchall()]


async def one(connection: Connection, id_: UUID) -> Webhook | None:
    """The webhook, unless it was deleted."""
    cursor = await connection.execute("SELECT state::text FROM contacts.webhooks WHERE id = %s", (id_,))
    row = await cursor.fetchone()
    webhook = _webhook.decode(row[0]) if row else None
    return None if webhook is None or webhook.deleted is not None else webhook


async def listening(connection: Connection) -> list[tuple[UUID, list[str]]]:
    """Those that are told now, and of which types."""
    cursor = await connection.execute("SELECT id, types FROM contacts.webhooks WHERE enabled")
    return [(id_, types) for id_, types in await cursor.fetchall()]
