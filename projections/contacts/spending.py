"""The SQL of what contacts cost: counted by day, campaign and channel for as long as the policy has a budget.

Whoever decides holds one lock for all customers until his transaction ends, taken before any customer's row, so that a budget cannot be
passed by two at once. Reading order: lock, spent, count.
"""

from collections.abc import Iterable
from datetime import datetime
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
    """What was spent in the period that it is."""
    budget = policy.budget
    if budget is None:
        return nothing
    cursor = await connection.execute(
        "SELECT campaign, channel, sum(contacts)::bigint FROM contacts.spending WHERE day >= %s AND day <= %s GROUP BY campaign, channel",
        (budget.begins(at, policy.zone), at.astimezone(ZoneInfo(policy.zone)).date()),
    )
    paid: dict[str, int] = {}
    for campaign, channel, contacts in await cursor.fetchall():
        place = campaign if budget.per == "campaign" else ""
        paid[place] = paid.get(place, 0) + budget.cost({channel: contacts})
    return lambda campaign: paid.get(campaign if budget.per == "campaign" else "", 0)


async def count(connection: Connection, policy: Policy, contacts: Iterable[tuple[datetime, str, str]], by: int = 1) -> None:
    """These were made (when, campaign, channel), or with -1 were not after all."""
    if policy.budget is None:
        return
    zone = ZoneInfo(policy.zone)
    async with connection.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO contacts.spending AS s (day, campaign, channel, contacts) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (day, campaign, channel) DO UPDATE SET contacts = s.contacts + excluded.contacts",
            [(at.astimezone(zone).date(), campaign, channel, by) for at, campaign, channel in contacts],
        )
