"""Which data keys an erasure destroys, what others have sealed with them, and who still holds them.

Reading order: ask, let_go, Sealed, of_others, destroy.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from psycopg import AsyncConnection

from aggregates.sealing import raw
from aggregates.webhook import Webhook
from aggregates.wire import customer_event_decoder
from projections.timeline.row import NOBODY

Connection = AsyncConnection[tuple[Any, ...]]

SILENT = "30 seconds"
"""A ring that has not looked for so long is of a process that is gone, or that PostgreSQL cannot be reached from."""

_webhook = msgspec.json.Decoder(Webhook)


async def copies(connection: Connection, erasure: UUID) -> None:
    """What his events were sealed with when they were sent again is to be destroyed too."""
    await connection.execute(
        "INSERT INTO secrets.doomed (number, erasure) SELECT DISTINCT c.number, x.erasure FROM identity.erased_events x"
        " JOIN secrets.copies c USING (event_id) JOIN secrets.data_keys k USING (number)"
        " WHERE x.erasure = %s AND k.wrapped IS NOT NULL ON CONFLICT DO NOTHING",
        (erasure,),
    )


async def reasons(connection: Connection, schema: str, erasure: UUID) -> None:
    """Why people decided that he was one with somebody, or not, is personal: its key is to be destroyed. The decision stays."""
    await connection.execute(
        f"INSERT INTO secrets.doomed (number, erasure) SELECT DISTINCT t.seal, x.erasure FROM {schema}.timeline t"
        " JOIN identity.erased_events x USING (event_id) LEFT JOIN secrets.anew a"
        " ON a.number = t.seal AND a.context = convert_to(t.event_id::text, 'UTF8') JOIN secrets.data_keys k ON k.number = t.seal"
        " WHERE x.erasure = %s AND t.customer_id = %s AND (k.wrapped IS NOT NULL OR a.number IS NOT NULL) ON CONFLICT DO NOTHING",
        (erasure, NOBODY),
    )


async def ask(connection: Connection) -> None:
    """Whoever looks from here on is not to seal with any of them."""
    await connection.execute("UPDATE secrets.doomed SET asked = clock_timestamp() WHERE asked IS NULL")


async def let_go(connection: Connection, rest: float) -> bool:
    """Whether everybody who holds keys has looked since it was asked last, and `rest` seconds went by in which what was sealed arrives."""
    await connection.execute("DELETE FROM secrets.holders WHERE heard < now() - %s::interval", (SILENT,))
    cursor = await connection.execute(
        "SELECT COALESCE(max(d.asked) <= COALESCE((SELECT min(heard) FROM secrets.holders), now())"
        " AND max(d.asked) <= now() - make_interval(secs => %s), true) FROM secrets.doomed d",
        (rest,),
    )
    row = await cursor.fetchone()
    return bool(row and row[0])


async def doomed(connection: Connection, erasure: UUID) -> list[int]:
    """The keys that this erasure destroys."""
    cursor = await connection.execute("SELECT number FROM secrets.doomed WHERE erasure = %s AND asked IS NOT NULL", (erasure,))
    return [row[0] for row in await cursor.fetchall()]


class Sealed(NamedTuple):
    """Something of somebody else."""

    number: int
    context: bytes
    sealed: bytes


async def of_others(connection: Connection, schema: str, numbers: Sequence[int]) -> list[Sealed]:
    """All that is sealed with these keys and stays: events, dead letters, secrets of webhooks."""
    cursor = await connection.execute(
        f"SELECT record FROM {schema}.timeline t WHERE seal = ANY(%s)"
        " AND NOT EXISTS (SELECT 1 FROM identity.erased_events x WHERE x.event_id = t.event_id)",
        (list(numbers),),
    )
    events = [customer_event_decoder.decode(row[0]) for row in await cursor.fetchall()]
    found = [Sealed(event.yektaseal, event.yektaevent.encode(), raw(event.yektasealed)) for event in events]
    cursor = await connection.execute(
        "SELECT seal, id, sealed FROM letters.letters WHERE seal = ANY(%s) AND sealed <> ''", (list(numbers),)
    )
    found += [Sealed(seal, str(id_).encode(), sealed) for seal, id_, sealed in await cursor.fetchall()]
    cursor = await connection.execute("SELECT state::text FROM contacts.webhooks")
    for webhook in [_webhook.decode(row[0]) for row in await cursor.fetchall()]:
        found += [Sealed(secret.seal, webhook.id.bytes, secret.sealed) for secret in webhook.secrets if secret.seal in numbers]
    return found


async def destroy(connection: Connection, erasure: UUID, numbers: Sequence[int], kept: Iterable[Sealed]) -> None:
    """Destroy the keys; `kept` is what others had sealed with them, wrapped anew. What was wrapped anew of his goes too."""
    for one in kept:
        await connection.execute(
            "INSERT INTO secrets.anew (number, context, sealed) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
            (one.number, one.context, one.sealed),
        )
    await connection.execute(
        "DELETE FROM secrets.anew a USING identity.erased_events x"
        " WHERE x.erasure = %s AND a.number = ANY(%s) AND a.context = convert_to(x.event_id::text, 'UTF8')",
        (erasure, list(numbers)),
    )
    await connection.execute(
        "UPDATE secrets.data_keys SET wrapped = NULL, destroyed = now(), erasure = %s WHERE number = ANY(%s) AND wrapped IS NOT NULL",
        (erasure, list(numbers)),
    )
    await connection.execute("DELETE FROM secrets.doomed WHERE erasure = %s AND number = ANY(%s)", (erasure, list(numbers)))
