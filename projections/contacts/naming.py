"""The SQL of the names by which gateways know contacts: the number that one was told, and what it calls the message itself.

A gateway may begin its numbers anew, so a name may be of several contacts. Reading order: Name, give, contacts.
"""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection

from projections.contacts.fold import named
from projections.rows import texts
from projections.view.values import word

Connection = AsyncConnection[tuple[Any, ...]]


class Name(NamedTuple):
    """What a receipt says of which contact it is."""

    said: str
    channel: str  # empty: it does not say

    @property
    def signal(self) -> UUID | None:
        """The contact, if it is named as ours are."""
        try:
            return UUID(self.said)
        except ValueError:
            return None


def name_in(data: Mapping[str, Any]) -> Name | None:
    """The contact that a receipt names, if it names any."""
    said = named(data)
    return Name(said, word(data, "channel", 64).strip().lower()) if said else None


async def give(connection: Connection, channel: str, name: str, signal: UUID, customer: UUID) -> None:
    """A gateway knows a contact by this name, from now on."""
    said = named({"signal": name})
    if said:
        await connection.execute(
            "INSERT INTO contacts.names (name, channel, signal, customer_id) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (name, channel, signal) DO UPDATE SET at = now(), customer_id = excluded.customer_id",
            (said, channel, signal, customer),
        )


async def contacts(connection: Connection, names: Collection[Name]) -> dict[Name, list[UUID]]:
    """The contacts that gateways know by these names, of each name the latest first."""
    cursor = await connection.execute(
        "SELECT asked.name, asked.channel, n.signal FROM unnest(%s::text[], %s::text[]) AS asked(name, channel), LATERAL"
        " (SELECT signal, at FROM contacts.names WHERE name = asked.name AND asked.channel IN ('', channel) OFFSET 0) n ORDER BY n.at DESC",
        (texts([name.said for name in names]), texts([name.channel for name in names])),
    )
    found: dict[Name, list[UUID]] = {}
    for said, channel, signal in await cursor.fetchall():
        found.setdefault(Name(said, channel), []).append(signal)
    return found
