"""The SQL of contacts: the customer's row that everybody locks, what was made, every decision. Reading order: lock_all, made_of, write.

Whoever decides holds the lock until his transaction ends, so no cap can be passed by two at once.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection

from aggregates.contact_policy.candidate import Outcome
from aggregates.contact_policy.policy import Policy
from projections.contacts import belonging, policies, spending
from projections.contacts.decisions import Decision
from projections.contacts.want import Want, decode, encode
from projections.identity import table as identity
from projections.rows import Columns, bring, uuids

Connection = AsyncConnection[tuple[Any, ...]]

MOST = 2_000
_TYPES = {"customer_id": "uuid", "signal": "uuid", "version": "int4", "requested": "bool", "want": "bytea"} | dict.fromkeys(
    ("at", "until", "occurred", "wanted"), "timestamptz"
)
_DECIDED = Columns("decided_stage", {column: _TYPES.get(column, "text") for column in (*Decision._fields, "want")})


async def lock(connection: Connection, customer: UUID) -> Policy:
    """Wait until nobody else decides about this customer; the policy that binds him."""
    return await lock_all(connection, [customer])


async def lock_all(connection: Connection, customers: Collection[UUID]) -> Policy:
    """Wait until nobody else decides about these customers; and put under each what was of those who are he.

    Where a budget binds, until nobody else decides about anybody: always first, so that no two wait for each other. For the same reason
    customers are locked in the order of their ids. Answers the policy by which it was locked.
    """
    _, policy = await policies.in_force(connection)
    await spending.lock(connection, policy)
    wanted = uuids(sorted(customers))
    await connection.execute("INSERT INTO contacts.customers (customer_id) SELECT unnest(%s::uuid[]) ON CONFLICT DO NOTHING", (wanted,))
    await connection.execute(
        "SELECT FROM contacts.customers WHERE customer_id = ANY(%s::uuid[]) ORDER BY customer_id FOR UPDATE", (wanted,)
    )
    await belonging.settle(connection, customers)
    return policy


async def waiting(connection: Connection, customers: Collection[UUID]) -> set[UUID]:
    """Of whom anything is held, or was decided about one who became one with him, or is under one with whom he was one.

    Of the others nothing is to be decided again.
    """
    cursor = await connection.execute(
        "WITH RECURSIVE asked (id) AS (SELECT unnest(%s::uuid[])), same (customer, id) AS (SELECT id, id FROM asked"
        " UNION SELECT same.customer, m.before FROM same, LATERAL (SELECT before FROM identity.moves WHERE owner = same.id OFFSET 0) m)"
        " SELECT asked.id FROM asked, LATERAL (SELECT FROM contacts.decisions WHERE customer_id = asked.id AND outcome = 'held'"
        " AND NOT requested LIMIT 1) held"
        " UNION SELECT same.customer FROM same, LATERAL (SELECT FROM contacts.customers WHERE customer_id = same.id LIMIT 1) other"
        " WHERE same.id <> same.customer"
        " UNION SELECT asked.id FROM asked WHERE EXISTS (SELECT FROM contacts.decisions WHERE was = asked.id)",
        (uuids(customers),),
    )
    return {row[0] for row in await cursor.fetchall()}


async def made(connection: Connection, customer: UUID) -> list[tuple[datetime, str, UUID]]:
    """When, by which channel and for what he was approached by us or whom we allowed to, the latest first."""
    return (await made_of(connection, [customer])).get(customer, [])


async def made_of(connection: Connection, customers: Collection[UUID]) -> dict[UUID, list[tuple[datetime, str, UUID]]]:
    """The same of several."""
    cursor = await connection.execute(
        "SELECT asked.id, m.at, m.channel, m.id FROM unnest(%s::uuid[]) AS asked(id), LATERAL"
        " (SELECT at, channel, id FROM contacts.made WHERE customer_id = asked.id ORDER BY at DESC LIMIT %s) m",
        (uuids(customers), MOST),
    )
    found: dict[UUID, list[tuple[datetime, str, UUID]]] = {}
    for customer, at, channel, id_ in await cursor.fetchall():
        found.setdefault(customer, []).append((at, channel, id_))
    return found


async def held(connection: Connection, moments: Mapping[UUID, datetime]) -> dict[UUID, list[Want]]:
    """What is held of each of these customers and whose time has come at a moment.

    By our own clock that is also what was held for other quiet hours than those of the latest policy, which says how long.
    """
    cursor = await connection.execute(
        "SELECT asked.id, d.want, d.until <= asked.at, d.at FROM unnest(%s::uuid[], %s::timestamptz[]) AS asked(id, at), LATERAL"
        " (SELECT want, until, at, wanted, signal FROM contacts.decisions WHERE customer_id = asked.id AND outcome = 'held'"
        " AND NOT requested AND (until <= asked.at OR reason = 'quiet') ORDER BY wanted, signal) d",
        (uuids(moments), list(moments.values())),
    )
    rows = await cursor.fetchall()
    since = await policies.hours_since(connection) if not all(over for _, _, over, _ in rows) else None
    found: dict[UUID, list[Want]] = {}
    for customer, blob, over, at in rows:
        want = decode(blob)
        if over or (since is not None and at < since and not want.clock):
            found.setdefault(customer, []).append(want)
    return found


async def next_times(connection: Connection, customers: Collection[UUID]) -> dict[UUID, datetime]:
    """When the next of what is held of each of these is to be decided again; whoever is not here, of him nothing is."""
    cursor = await connection.execute(
        "SELECT asked.id, d.until FROM unnest(%s::uuid[]) AS asked(id), LATERAL"
        " (SELECT until FROM contacts.decisions WHERE customer_id = asked.id AND outcome = 'held' AND NOT requested"
        " ORDER BY until LIMIT 1) d",
        (uuids(customers),),
    )
    return dict(await cursor.fetchall())


async def approached(connection: Connection, rules: Mapping[UUID, Collection[str]]) -> dict[UUID, list[tuple[str, UUID, datetime]]]:
    """For which signals of its rules each of these customers was approached: rule, signal, when it occurred."""
    asked = [(customer, rule) for customer, some in rules.items() for rule in some]
    cursor = await connection.execute(
        "SELECT asked.id, asked.rule, d.signal, d.occurred FROM unnest(%s::uuid[], %s::text[]) AS asked(id, rule), LATERAL"
        " (SELECT signal, occurred FROM contacts.decisions WHERE customer_id = asked.id AND rule = asked.rule AND outcome = 'sent'"
        " AND NOT requested OFFSET 0) d",
        (uuids([customer for customer, _ in asked]), [rule for _, rule in asked]),
    )
    found: dict[UUID, list[tuple[str, UUID, datetime]]] = {}
    for customer, rule, signal, occurred in await cursor.fetchall():
        found.setdefault(customer, []).append((rule, signal, occurred))
    return found


async def won(connection: Connection, moments: Mapping[UUID, datetime]) -> dict[UUID, str]:
    """The rule by which each of these is approached already because of what a moment brought."""
    if not moments:
        return {}
    cursor = await connection.execute(
        "SELECT asked.id, d.rule FROM unnest(%s::uuid[], %s::timestamptz[]) AS asked(id, at), LATERAL"
        " (SELECT rule FROM contacts.decisions WHERE customer_id = asked.id AND outcome = 'sent' AND NOT requested AND wanted = asked.at"
        " AND at >= asked.at ORDER BY at DESC, signal LIMIT 1) d",
        (uuids(moments), list(moments.values())),
    )
    return dict(await cursor.fetchall())


async def write(connection: Connection, decided: Sequence[tuple[UUID, Want, Outcome]], *, requested: bool = False) -> None:
    """Keep outcomes, and reserve what is to be sent."""
    if not decided:
        return
    rows = [
        (
            customer,
            outcome.candidate.signal,
            outcome.candidate.rule,
            outcome.candidate.version,
            want.contact,
            outcome.candidate.purpose,
            outcome.result,
            outcome.channel or None,
            outcome.at,
            outcome.until,
            outcome.reason or None,
            outcome.candidate.occurred,
            outcome.candidate.wanted,
            requested,
            encode(want),
        )
        for customer, want, outcome in decided
    ]
    brought = await bring(connection, _DECIDED, rows)
    await connection.execute(
        f"WITH decided AS (SELECT {_DECIDED.all} FROM {brought.source}),"
        " made AS (INSERT INTO contacts.made (customer_id, id, at, channel)"
        " SELECT customer_id, signal, at, channel FROM decided WHERE outcome = 'sent')"
        f" INSERT INTO contacts.decisions ({_DECIDED.all}) SELECT {_DECIDED.all} FROM decided"
        " ON CONFLICT (customer_id, signal) DO UPDATE SET outcome = excluded.outcome, channel = excluded.channel, at = excluded.at,"
        " until = excluded.until, reason = excluded.reason, want = excluded.want, untold = false",
        brought.values,
    )


async def lock_request(connection: Connection, id_: UUID) -> None:
    """Wait until nobody else decides about this request, of whichever customer: before anything else is locked."""
    await connection.execute("SELECT pg_advisory_xact_lock(%s)", (id_.int >> 65,))


async def requested(connection: Connection, id_: UUID) -> Want | None:
    """What another system asked for under this id, of whoever has it now."""
    cursor = await connection.execute("SELECT customer_id, want FROM contacts.decisions WHERE signal = %s AND requested", (id_,))
    row = await cursor.fetchone()
    if row is None:
        return None
    want = decode(row[1])
    return replace(want, candidate=replace(want.candidate, customer=row[0]))


async def of(connection: Connection, customer: UUID, signals: Sequence[UUID]) -> dict[UUID, tuple[str, Want]]:
    """How these stand: outcome and what was wanted."""
    found = await of_all(connection, [(customer, signal) for signal in signals])
    return {signal: stands for (_, signal), stands in found.items()}


async def of_all(connection: Connection, signals: Sequence[tuple[UUID, UUID]]) -> dict[tuple[UUID, UUID], tuple[str, Want]]:
    """The same, of signals of several customers."""
    cursor = await connection.execute(
        "SELECT d.customer_id, d.signal, d.outcome, d.want FROM unnest(%s::uuid[], %s::uuid[]) AS asked(customer, signal), LATERAL"
        " (SELECT * FROM contacts.decisions WHERE customer_id = asked.customer AND signal = asked.signal OFFSET 0) d",
        (uuids([customer for customer, _ in signals]), uuids([signal for _, signal in signals])),
    )
    return {(customer, signal): (outcome, decode(want)) for customer, signal, outcome, want in await cursor.fetchall()}


async def silence(connection: Connection, customer: UUID, signal: UUID, at: datetime, reason: str) -> None:
    """What was to be sent is not after all: it counts no more, says why, and is to be told; of a request nobody is."""
    await connection.execute(
        "UPDATE contacts.decisions SET outcome = 'silent', at = %s, until = NULL, channel = NULL, reason = %s, untold = NOT requested"
        " WHERE customer_id = %s AND signal = %s",
        (at, reason, customer, signal),
    )
    await connection.execute("DELETE FROM contacts.made WHERE customer_id = %s AND id = %s", (customer, signal))


async def reach(connection: Connection, customer: UUID, signal: UUID) -> None:
    """It went out, or somebody got it to do: whatever is asked about it later, it was a contact. Of a request nobody tells."""
    statement = (
        "UPDATE contacts.decisions SET reached = COALESCE(reached, now()) WHERE customer_id = %s AND signal = %s AND outcome = 'sent'"
    )
    found = await connection.execute(statement, (customer, signal))
    if not found.rowcount and (owner := await identity.successor(connection, customer)):
        await connection.execute(statement, (owner, signal))


async def reached(connection: Connection, customer: UUID, signal: UUID) -> bool:
    """Whether it went out."""
    cursor = await connection.execute(
        "SELECT reached IS NOT NULL FROM contacts.decisions WHERE customer_id = %s AND signal = %s", (customer, signal)
    )
    row = await cursor.fetchone()
    return bool(row and row[0])


class Untold(NamedTuple):
    """What became silent as it was to leave, and is not yet told."""

    customer: UUID
    signal: UUID
    at: datetime
    reason: str
    want: Want


async def untold(connection: Connection, limit: int) -> list[Untold]:
    """These, the oldest first."""
    cursor = await connection.execute(
        "SELECT customer_id, signal, at, COALESCE(reason, ''), want FROM contacts.decisions WHERE untold ORDER BY at LIMIT %s", (limit,)
    )
    return [Untold(customer, signal, at, reason, decode(want)) for customer, signal, at, reason, want in await cursor.fetchall()]


async def told(connection: Connection, silences: Sequence[Untold]) -> None:
    """The log has them; what was decided anew meanwhile is told by whoever decided."""
    await connection.execute(
        "UPDATE contacts.decisions d SET untold = false FROM unnest(%s::uuid[], %s::uuid[], %s::timestamptz[]) AS s (customer, signal, at)"
        " WHERE d.customer_id = s.customer AND d.signal = s.signal AND d.at = s.at",
        ([one.customer for one in silences], [one.signal for one in silences], [one.at for one in silences]),
    )
