"""The SQL of what contacts cost: counted by day, campaign and channel for as long as the policy has a budget.

Whoever decides holds one lock for all customers until his transaction ends, taken before any customer's row, so that a budget cannot be
passed by two at once. Reading order: lock, spent, day, count.
"""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from psycopg import AsyncConnection

from aggregates.contact_policy.budget import Spent, nothing
from aggregates.contact_policy.policy import Policy

Connection = AsyncConnection[tuple[Any, ...]]

LOCK = 4_520_001
"""Of PostgreSQL's advisory locks."""


async def lock(connection: Connection, policy: Policy) -> None:
    """Wait until nobody else decides about anybody, where a budget binds them all."""
    if policy.budget is not None:
        await connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))


async def spent(connection: Connection, policy: Policy, at: datetime) -> Spent:
    """What was spent in the period that it is: also by whoever is further in it, for partitions of the log may be days apart."""
    budget = policy.budget
    if budget is None:
        return nothing
    cursor = await connection.execute(
        "SELECT campaign, channel, sum(contacts)::bigint FROM contacts.spending WHERE day >= %s AND day < %s GROUP BY campaign, channel",
        budget.days(at, policy.zone),
    )
    paid: dict[str, int] = {}
    for campaign, channel, contacts in await cursor.fetchall():
        place = campaign if budget.per == "campaign" else ""
        paid[place] = paid.get(place, 0) + budget.cost({channel: contacts})
    return lambda campaign: paid.get(campaign if budget.per == "campaign" else "", 0)


def day(policy: Policy, at: datetime) -> date | None:
    """Of which day a contact is that is made now; None: there is no budget, and nothing is counted."""
    return None if policy.budget is None else at.astimezone(ZoneInfo(policy.zone)).date()


async def count(connection: Connection, contacts: Collection[tuple[date, str, str]], by: int = 1) -> None:
    """These were made (on which day, campaign, channel), or with -1 were not after all."""
    if not contacts:
        return
    async with connection.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO contacts.spending AS s (day, campaign, channel, contacts) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (day, campaign, channel) DO UPDATE SET contacts = s.contacts + excluded.contacts",
            [(*contact, by) for contact in contacts],
        )
