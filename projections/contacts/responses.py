"""What came back of contacts, and what a rule brought against its hold-out. Reading order: note, of_customers, identifiers, Arms, arms."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection

from aggregates.fact import Fact
from aggregates.identifier import Token
from projections.contacts import fold, naming
from projections.contacts.naming import Name
from projections.identity import table as identity
from projections.rows import uuids
from projections.view.values import word

Connection = AsyncConnection[tuple[Any, ...]]

TYPES = frozenset({"contact.delivered", "contact.opened", "contact.clicked", "contact.answered", "contact.refused"})
NAMING = TYPES | {fold.CONTACTED}
"""What may name a contact of ours, and by it whom it is about."""

LONGEST = timedelta(days=30)
"""A receipt that names no contact is of the latest within this time."""


class Response(NamedTuple):
    """One answer to one contact."""

    signal: UUID
    type: str
    at: datetime
    channel: str | None
    rule: str | None
    contact: str | None


class Arms(NamedTuple):
    """Of those who were approached and of those who were kept out for comparison: how many, and how many of them did it in time."""

    contacted: int
    contacted_did: int
    held_out: int
    held_out_did: int
    waiting: int  # of either: their time is not over yet, so they are not among those above


async def identifiers(connection: Connection, names: Collection[Name]) -> dict[Name, list[Token]]:
    """By the name of a contact the identifiers of whom it was decided about, whoever he turned out to be since; nobody's are not told."""
    contacts = {name: signal for name in names if (signal := name.signal)}
    contacts |= {name: signals[0] for name, signals in (await naming.contacts(connection, names)).items()}
    if not contacts:
        return {}
    cursor = await connection.execute(
        "SELECT DISTINCT ON (signal) signal, customer_id FROM contacts.decisions WHERE signal = ANY(%s) ORDER BY signal, at DESC",
        (uuids(set(contacts.values())),),
    )
    whose: dict[UUID, UUID] = dict(await cursor.fetchall())
    owned = await _owned(connection, set(whose.values()))
    for contact, customer in whose.items():
        if customer not in owned and (heir := await identity.successor(connection, customer)):
            owned |= await _owned(connection, {heir})
            whose[contact] = heir
    return {name: owned[whose[contact]] for name, contact in contacts.items() if whose.get(contact) in owned}


async def _owned(connection: Connection, customers: Collection[UUID]) -> dict[UUID, list[Token]]:
    cursor = await connection.execute(
        "SELECT customer_id, array_agg(identifier) FROM identity.identifiers WHERE customer_id = ANY(%s) GROUP BY customer_id",
        (uuids(customers),),
    )
    return dict(await cursor.fetchall())


async def note(connection: Connection, customer: UUID, fact: Fact) -> None:
    """Keep a receipt with the contact that it names, else the customer's latest by its channel; one that answers nothing is passed over."""
    channel = word(fact.data, "channel", 64).strip().lower() or None
    name = naming.name_in(fact.data)
    await connection.execute(
        "INSERT INTO contacts.responses (customer_id, signal, type, at, event_id, channel)"
        " SELECT %(customer)s, d.signal, %(type)s, %(at)s, %(event)s, d.channel FROM contacts.decisions d"
        " WHERE d.customer_id = %(customer)s AND d.outcome = 'sent'"
        " AND CASE WHEN %(name)s::text IS NOT NULL THEN d.signal = %(signal)s OR d.signal IN (SELECT n.signal FROM contacts.names n"
        "     WHERE n.name = %(name)s AND (%(channel)s::text IS NULL OR n.channel = %(channel)s))"
        "     ELSE d.at BETWEEN %(at)s - %(longest)s AND %(at)s AND (%(channel)s::text IS NULL OR d.channel = %(channel)s) END"
        " ORDER BY d.at DESC LIMIT 1 ON CONFLICT DO NOTHING",
        {
            "customer": customer,
            "type": fact.type,
            "at": fact.at,
            "event": fact.event_id,
            "name": name and name.said,
            "signal": name and name.signal,
            "channel": channel,
            "longest": LONGEST,
        },
    )


async def of_customers(connection: Connection, customers: Sequence[UUID], limit: int) -> list[Response]:
    """What a customer answered to what, the latest first."""
    cursor = await connection.execute(
        "SELECT r.signal, r.type, r.at, r.channel, d.rule, d.contact FROM contacts.responses r"
        " LEFT JOIN contacts.decisions d ON d.customer_id = r.customer_id AND d.signal = r.signal"
        " WHERE r.customer_id = ANY(%s) ORDER BY r.at DESC, r.event_id LIMIT %s",
        (list(customers), limit),
    )
    return [Response(*row) for row in await cursor.fetchall()]


async def arms(connection: Connection, schema: str, rule: str, goal: str, within: timedelta, now: datetime) -> Arms:
    """Who did `goal` within this time after the decision; only of decisions after which the time is over.

    A customer counts once, with his first decision of the rule: draws of the same version are the same each time.
    """
    cursor = await connection.execute(
        "WITH first AS (SELECT DISTINCT ON (customer_id) customer_id, outcome, at FROM contacts.decisions"
        "   WHERE rule = %(rule)s"
        "   AND (outcome = 'sent' OR (outcome = 'silent' AND reason = 'holdout')) ORDER BY customer_id, at),"
        " told AS (SELECT outcome, EXISTS (SELECT 1 FROM"
        f"   {schema}.timeline t WHERE t.customer_id = first.customer_id AND t.type = %(goal)s AND t.at > first.at"
        "    AND t.at <= first.at + %(within)s) did FROM first WHERE at <= %(now)s - %(within)s)"
        " SELECT count(*) FILTER (WHERE outcome = 'sent'), count(*) FILTER (WHERE outcome = 'sent' AND did),"
        " count(*) FILTER (WHERE outcome = 'silent'), count(*) FILTER (WHERE outcome = 'silent' AND did),"
        " (SELECT count(*) FROM first WHERE at > %(now)s - %(within)s) FROM told",
        {"rule": rule, "goal": goal, "within": within, "now": now},
    )
    row = await cursor.fetchone()
    assert row is not None  # noqa: S101 - it counts
    return Arms(*row)
