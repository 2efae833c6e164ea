"""The SQL of accounts and households. Reading order: Account, Member, page, one, members, Named, join, at_one_address."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection

Connection = AsyncConnection[tuple[Any, ...]]

CROWD = 12
"""More customers at one address are no household, but an office or a shop."""


OPEN = "INSERT INTO identity.accounts (account_id, kind, name, reference, parent, at) VALUES (%s, %s, %s, %s, %s, %s)"
JOIN = (
    "INSERT INTO identity.members (account_id, identifier, role, since, by_key) VALUES (%s, %s, %s, %s, %s)"
    " ON CONFLICT (account_id, identifier) DO UPDATE SET role = excluded.role"
)
LEAVE = (
    "DELETE FROM identity.members m USING identity.identifiers i"
    " WHERE m.account_id = %s AND i.identifier = m.identifier AND i.customer_id = %s"
)
"""What goes with a decision about an account, in its transaction."""


class Account(NamedTuple):
    """An account of a company, or a household."""

    id: UUID
    kind: str
    name: str
    reference: str | None
    parent: UUID | None
    at: datetime
    members: int


class Named(NamedTuple):
    """An account as a channel names it."""

    id: UUID  # under which it is opened, if no other has its reference
    reference: str
    name: str
    at: datetime


class Member(NamedTuple):
    """Somebody of an account, as he is now."""

    account: UUID
    customer: UUID
    identifier: str
    role: str
    since: datetime
    by: str


_ACCOUNT = (
    "SELECT a.account_id, a.kind, a.name, a.reference, a.parent, a.at, (SELECT count(DISTINCT i.customer_id) FROM identity.members m"
    " JOIN identity.identifiers i USING (identifier) WHERE m.account_id = a.account_id) FROM identity.accounts a"
)


async def page(
    connection: Connection, limit: int, *, kind: str | None = None, words: str | None = None, after: tuple[datetime, UUID] | None = None
) -> list[Account]:
    """Accounts that are not closed, the newest first."""
    conditions, values = ["a.closed_at IS NULL"], list[Any]()
    for condition, value in (("a.kind = %s", kind), ("strpos(lower(a.name), lower(%s)) > 0", words)):
        if value:
            conditions.append(condition)
            values.append(value)
    if after:
        conditions.append("(a.at, a.account_id) < (%s, %s)")
        values += after
    cursor = await connection.execute(
        f"{_ACCOUNT} WHERE {' AND '.join(conditions)} ORDER BY a.at DESC, a.account_id DESC LIMIT %s", (*values, limit)
    )
    return [Account(*row) for row in await cursor.fetchall()]


async def one(connection: Connection, id_: UUID) -> Account | None:
    """An account that is not closed."""
    row = await (await connection.execute(f"{_ACCOUNT} WHERE a.account_id = %s AND a.closed_at IS NULL", (id_,))).fetchone()
    return Account(*row) if row else None


async def taken(connection: Connection, reference: str) -> bool:
    """Whether an account has this reference."""
    return await (await connection.execute("SELECT 1 FROM identity.accounts WHERE reference = %s", (reference,))).fetchone() is not None


async def below(connection: Connection, id_: UUID) -> list[Account]:
    """The accounts whose parent it is."""
    cursor = await connection.execute(f"{_ACCOUNT} WHERE a.parent = %s AND a.closed_at IS NULL ORDER BY a.name", (id_,))
    return [Account(*row) for row in await cursor.fetchall()]


async def tree(connection: Connection, id_: UUID) -> list[UUID]:
    """The account and all below it."""
    cursor = await connection.execute(
        "WITH RECURSIVE down AS (SELECT %s::uuid AS id UNION SELECT a.account_id FROM identity.accounts a JOIN down ON a.parent = down.id"
        " WHERE a.closed_at IS NULL) SELECT id FROM down",
        (id_,),
    )
    return [row[0] for row in await cursor.fetchall()]


async def members(connection: Connection, accounts: Sequence[UUID]) -> list[Member]:
    """Who belongs to these accounts now, each once an account and role."""
    cursor = await connection.execute(
        "SELECT DISTINCT ON (m.account_id, i.customer_id, m.role) m.account_id, i.customer_id, m.identifier, m.role, m.since, m.by_key"
        " FROM identity.members m JOIN identity.identifiers i USING (identifier) WHERE m.account_id = ANY(%s)"
        " ORDER BY m.account_id, i.customer_id, m.role, m.since",
        (list(accounts),),
    )
    return [Member(*row) for row in await cursor.fetchall()]


async def join(connection: Connection, account: Named, identifier: str, role: str, since: datetime, by: str) -> None:
    """Whoever has this identifier belongs to the account that a channel named, which is opened if none has its reference. Twice is once."""
    await connection.execute(f"{OPEN} ON CONFLICT DO NOTHING", (account.id, "account", account.name, account.reference, None, account.at))
    await connection.execute(
        "INSERT INTO identity.members (account_id, identifier, role, since, by_key)"
        " SELECT account_id, %s, %s, %s, %s FROM identity.accounts WHERE reference = %s ON CONFLICT DO NOTHING",
        (identifier, role, since, by, account.reference),
    )


async def of_customer(connection: Connection, customer: UUID) -> list[tuple[UUID, str, str, str]]:
    """The accounts of a customer: id, kind, name, role."""
    cursor = await connection.execute(
        "SELECT DISTINCT a.account_id, a.kind, a.name, m.role FROM identity.identifiers i JOIN identity.members m USING (identifier)"
        " JOIN identity.accounts a USING (account_id) WHERE i.customer_id = %s AND a.closed_at IS NULL ORDER BY a.name",
        (customer,),
    )
    return [(row[0], row[1], row[2], row[3]) for row in await cursor.fetchall()]


async def household_of(connection: Connection, customer: UUID) -> tuple[bytes, list[UUID]] | None:
    """Who told the same address as this customer, himself among them; None: nobody, or a crowd."""
    cursor = await connection.execute(
        "SELECT key, array_agg(customer_id ORDER BY customer_id) FROM identity.addresses"
        " WHERE key IN (SELECT key FROM identity.addresses WHERE customer_id = %s) GROUP BY key HAVING count(*) BETWEEN 2 AND %s",
        (customer, CROWD),
    )
    row = await cursor.fetchone()
    return (row[0], row[1]) if row else None


async def at_one_address(connection: Connection, limit: int) -> list[tuple[bytes, list[UUID]]]:
    """Customers who told the same address, a few each."""
    cursor = await connection.execute(
        "SELECT key, array_agg(customer_id ORDER BY customer_id) FROM identity.addresses GROUP BY key"
        " HAVING count(*) BETWEEN 2 AND %s ORDER BY count(*) DESC, key LIMIT %s",
        (CROWD, limit),
    )
    return [(row[0], row[1]) for row in await cursor.fetchall()]


async def lives_at(connection: Connection, keys: dict[UUID, bytes | None]) -> None:
    """From now on these customers live there."""
    await connection.execute("DELETE FROM identity.addresses WHERE customer_id = ANY(%s)", (list(keys),))
    found = [(key, customer) for customer, key in keys.items() if key is not None]
    await connection.execute(
        "INSERT INTO identity.addresses SELECT * FROM unnest(%s::bytea[], %s::uuid[]) ON CONFLICT DO NOTHING",
        ([key for key, _ in found], [customer for _, customer in found]),
    )
