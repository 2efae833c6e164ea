"""Whose contacts are: of those who became one with a customer too, and his own again when a split makes two of them.

What was moved to another remembers whose it was. Only who holds the locks on the customers moves anything. Reading order: settle, merged.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection

from projections.rows import uuids

Connection = AsyncConnection[tuple[Any, ...]]

TABLES = {"made": "id", "decisions": "signal"}
"""What moves, and by what it is known beside the customer."""


class _Same(NamedTuple):
    others: Mapping[UUID, list[UUID]]  # who became one with each and owns nothing any more, but for whoever was erased
    astray: bool  # something of theirs is under another, or they have something of one who is himself again


async def settle(connection: Connection, customers: Collection[UUID]) -> None:
    """Put under each of these what is his."""
    same = await _same(connection, customers)
    if same.astray:
        await _give_back(connection, customers, same.others)
    for customer, others in same.others.items():
        await _put_under(connection, customer, others)


async def merged(connection: Connection, customer: UUID) -> list[UUID]:
    """The customer, and all that became one with him and own nothing any more."""
    return [customer, *(await _same(connection, [customer])).others.get(customer, ())]


async def _same(connection: Connection, customers: Collection[UUID]) -> _Same:
    cursor = await connection.execute(
        "WITH RECURSIVE same (customer, id) AS (SELECT asked, asked FROM unnest(%s::uuid[]) AS asked"
        " UNION SELECT same.customer, m.before FROM same, LATERAL (SELECT before FROM identity.moves WHERE owner = same.id AND NOT EXISTS"
        " (SELECT FROM identity.identifiers i WHERE i.customer_id = before)"
        " AND NOT EXISTS (SELECT FROM identity.erased e WHERE e.customer_id = before) OFFSET 0) m)"
        " SELECT customer, id FROM same WHERE customer <> id"
        " UNION ALL SELECT customer, NULL FROM same"
        " WHERE EXISTS (SELECT FROM contacts.decisions d WHERE d.was = same.id AND d.customer_id <> same.customer)"
        " UNION ALL SELECT customer, NULL FROM same WHERE customer = id AND EXISTS (SELECT FROM contacts.decisions d"
        " WHERE d.customer_id = id AND d.was IS NOT NULL AND d.was NOT IN (SELECT o.id FROM same o WHERE o.customer = same.customer))",
        (uuids(customers),),
    )
    others: dict[UUID, list[UUID]] = {}
    astray = False
    for customer, other in await cursor.fetchall():
        if other is None:
            astray = True
        else:
            others.setdefault(customer, []).append(other)
    return _Same(others, astray)


async def _give_back(connection: Connection, customers: Collection[UUID], others: Mapping[UUID, Sequence[UUID]]) -> None:
    """What is under one with whom its customer is not one any more is under its customer again. Rows are locked in one order by all."""
    pairs = [(customer, other) for customer, some in others.items() for other in some]
    for table, key in TABLES.items():
        await connection.execute(
            f"UPDATE contacts.{table} m SET customer_id = m.was, was = NULL"
            f" FROM (SELECT customer_id, {key} FROM contacts.{table} WHERE was IS NOT NULL AND (customer_id = ANY(%(these)s::uuid[])"
            f" OR was = ANY(%(all)s::uuid[])) ORDER BY {key}, customer_id FOR UPDATE) s"
            f" WHERE m.customer_id = s.customer_id AND m.{key} = s.{key}"
            " AND NOT EXISTS (SELECT FROM unnest(%(owners)s::uuid[], %(others)s::uuid[]) AS p (owner, other)"
            "  WHERE p.owner = m.customer_id AND p.other = m.was)"
            f" AND NOT EXISTS (SELECT FROM contacts.{table} n WHERE n.customer_id = m.was AND n.{key} = m.{key})",
            {
                "these": uuids(customers),
                "all": uuids([*customers, *(other for _, other in pairs)]),
                "owners": uuids([owner for owner, _ in pairs]),
                "others": uuids([other for _, other in pairs]),
            },
        )


async def _put_under(connection: Connection, customer: UUID, others: Sequence[UUID]) -> None:
    for table, key in TABLES.items():
        await connection.execute(
            f"UPDATE contacts.{table} m SET customer_id = %(into)s, was = COALESCE(was, customer_id) WHERE customer_id = ANY(%(others)s)"
            f" AND NOT EXISTS (SELECT FROM contacts.{table} n WHERE n.customer_id = %(into)s AND n.{key} = m.{key})",
            {"into": customer, "others": list(others)},
        )
