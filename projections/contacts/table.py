"""The SQL of contacts: the customer's row that everybody locks, what was made, every decision. Reading order: lock, made, write.

Whoever decides holds the lock until his transaction ends, so no cap can be passed by two at once.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row

from aggregates.contact_policy import reading
from aggregates.contact_policy.candidate import Outcome
from aggregates.contact_policy.policy import DEFAULT, Policy
from projections.contacts import spending
from projections.contacts.want import Want, decode, encode

Connection = AsyncConnection[tuple[Any, ...]]

MOST = 2_000

_read: dict[str, Policy] = {}


class Decision(NamedTuple):
    """A candidate and its outcome, as it stands."""

    customer_id: UUID
    signal: UUID
    rule: str
    version: int
    contact: str
    purpose: str
    outcome: str
    channel: str | None
    at: datetime
    until: datetime | None
    reason: str | None
    occurred: datetime
    wanted: datetime
    requested: bool


_ALL = ", ".join(Decision._fields)


async def in_force(connection: Connection) -> tuple[int, Policy]:
    """The policy that binds now and its version; 0: none was published, consent alone binds."""
    cursor = await connection.execute("SELECT version, text FROM contacts.policy ORDER BY version DESC LIMIT 1")
    row = await cursor.fetchone()
    if row is None:
        return 0, DEFAULT
    version, text = row
    policy = _read.get(text)
    if policy is None:
        policy = reading.read(text).policy
        if policy is None:
            raise ValueError(f"version {version} of the contact policy, which was published, cannot be read")
        _read.clear()
        _read[text] = policy
    return version, policy


async def salt(connection: Connection) -> str:
    """By which hold-outs are drawn."""
    cursor = await connection.execute("SELECT salt FROM contacts.salt")
    row = await cursor.fetchone()
    assert row is not None  # noqa: S101 - the migration inserted it
    return str(row[0])


async def lock(connection: Connection, customer: UUID) -> None:
    """Wait until nobody else decides about this customer; and put under him what was of those who are he.

    Where a budget binds, until nobody else decides about anybody: always first, so that no two wait for each other.
    """
    await spending.lock(connection, (await in_force(connection))[1])
    await connection.execute("INSERT INTO contacts.customers (customer_id) VALUES (%s) ON CONFLICT DO NOTHING", (customer,))
    await connection.execute("SELECT FROM contacts.customers WHERE customer_id = %s FOR UPDATE", (customer,))
    others = [other for other in await merged(connection, customer) if other != customer]
    if not others:
        return
    await connection.execute(
        "UPDATE contacts.made m SET customer_id = %(into)s WHERE customer_id = ANY(%(others)s)"
        " AND NOT EXISTS (SELECT 1 FROM contacts.made n WHERE n.customer_id = %(into)s AND n.id = m.id)",
        {"into": customer, "others": others},
    )
    await connection.execute(
        "UPDATE contacts.decisions m SET customer_id = %(into)s WHERE customer_id = ANY(%(others)s)"
        " AND NOT EXISTS (SELECT 1 FROM contacts.decisions n WHERE n.customer_id = %(into)s AND n.signal = m.signal)",
        {"into": customer, "others": others},
    )


async def merged(connection: Connection, customer: UUID) -> list[UUID]:
    """The customer, and all that became one with him and own nothing any more."""
    cursor = await connection.execute(
        "WITH RECURSIVE same (id) AS (SELECT %s::uuid UNION SELECT m.before FROM identity.moves m JOIN same ON m.owner = same.id"
        " WHERE NOT EXISTS (SELECT 1 FROM identity.identifiers i WHERE i.customer_id = m.before)) SELECT id FROM same",
        (customer,),
    )
    return [row[0] for row in await cursor.fetchall()]


async def waits(connection: Connection, customer: UUID) -> bool:
    """Whether anything is held of him, or was decided about one who became one with him: else there is nothing to decide again."""
    cursor = await connection.execute(
        "WITH RECURSIVE same (id) AS (SELECT %(customer)s::uuid UNION SELECT m.before FROM identity.moves m JOIN same ON m.owner = same.id)"
        " SELECT EXISTS (SELECT FROM contacts.decisions WHERE customer_id = %(customer)s AND outcome = 'held' AND NOT requested)"
        " OR EXISTS (SELECT FROM same JOIN contacts.customers c ON c.customer_id = same.id WHERE same.id <> %(customer)s)",
        {"customer": customer},
    )
    row = await cursor.fetchone()
    return bool(row and row[0])


async def made(connection: Connection, customer: UUID) -> list[tuple[datetime, str, UUID]]:
    """When, by which channel and for what he was approached by us or whom we allowed to, the latest first."""
    cursor = await connection.execute(
        "SELECT at, channel, id FROM contacts.made WHERE customer_id = %s ORDER BY at DESC LIMIT %s", (customer, MOST)
    )
    return [(at, channel, id_) for at, channel, id_ in await cursor.fetchall()]


async def held(connection: Connection, customer: UUID, now: datetime) -> list[Want]:
    """What is held of this customer and whose time has come."""
    cursor = await connection.execute(
        "SELECT want FROM contacts.decisions WHERE customer_id = %s AND outcome = 'held' AND NOT requested AND until <= %s"
        " ORDER BY wanted, signal",
        (customer, now),
    )
    return [decode(row[0]) for row in await cursor.fetchall()]


async def next_time(connection: Connection, customer: UUID) -> datetime | None:
    """When the next of what is held is to be decided again."""
    cursor = await connection.execute(
        "SELECT min(until) FROM contacts.decisions WHERE customer_id = %s AND outcome = 'held' AND NOT requested", (customer,)
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def approached(connection: Connection, customer: UUID, rules: Iterable[str]) -> list[tuple[str, UUID, datetime]]:
    """For which signals of these rules he was approached: rule, signal, when it occurred."""
    cursor = await connection.execute(
        "SELECT rule, signal, occurred FROM contacts.decisions WHERE customer_id = %s AND rule = ANY(%s) AND outcome = 'sent'"
        " AND NOT requested",
        (customer, list(rules)),
    )
    return [(rule, signal, occurred) for rule, signal, occurred in await cursor.fetchall()]


async def write(connection: Connection, customer: UUID, decided: Sequence[tuple[Want, Outcome]], *, requested: bool = False) -> None:
    """Keep outcomes, and reserve what is to be sent."""
    async with connection.cursor() as cursor:
        await cursor.executemany(
            f"INSERT INTO contacts.decisions ({_ALL}, want) VALUES ({', '.join(['%s'] * (len(Decision._fields) + 1))})"
            " ON CONFLICT (customer_id, signal) DO UPDATE SET outcome = excluded.outcome, channel = excluded.channel, at = excluded.at,"
            " until = excluded.until, reason = excluded.reason, want = excluded.want",
            [
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
                for want, outcome in decided
            ],
        )
        await cursor.executemany(
            "INSERT INTO contacts.made (customer_id, id, at, channel) VALUES (%s, %s, %s, %s)",
            [(customer, outcome.candidate.signal, outcome.at, outcome.channel) for _, outcome in decided if outcome.result == "sent"],
        )


async def one(connection: Connection, customer: UUID, signal: UUID) -> Decision | None:
    """What was decided about a signal or a request."""
    cursor = connection.cursor(row_factory=class_row(Decision))
    await cursor.execute(f"SELECT {_ALL} FROM contacts.decisions WHERE customer_id = %s AND signal = %s", (customer, signal))
    return await cursor.fetchone()


async def of(connection: Connection, customer: UUID, signals: Sequence[UUID]) -> dict[UUID, tuple[str, Want]]:
    """How these stand: outcome and what was wanted."""
    cursor = await connection.execute(
        "SELECT signal, outcome, want FROM contacts.decisions WHERE customer_id = %s AND signal = ANY(%s)", (customer, list(signals))
    )
    return {signal: (outcome, decode(want)) for signal, outcome, want in await cursor.fetchall()}


async def silence(connection: Connection, customer: UUID, signal: UUID, at: datetime, reason: str) -> None:
    """What was to be sent is not after all: it counts no more, and says why."""
    await connection.execute(
        "UPDATE contacts.decisions SET outcome = 'silent', at = %s, until = NULL, channel = NULL, reason = %s"
        " WHERE customer_id = %s AND signal = %s",
        (at, reason, customer, signal),
    )
    await connection.execute("DELETE FROM contacts.made WHERE customer_id = %s AND id = %s", (customer, signal))


async def page(
    connection: Connection,
    limit: int,
    *,
    before: tuple[datetime, UUID] | None = None,
    customers: Sequence[UUID] | None = None,
    rule: str | None = None,
    outcome: str | None = None,
    reason: str | None = None,
) -> list[Decision]:
    """Decisions, the latest first."""
    where, values = _conditions(customers=customers, rule=rule, outcome=outcome, reason=reason)
    if before is not None:
        where += " AND (at, signal) < (%s, %s)"
        values += before
    cursor = connection.cursor(row_factory=class_row(Decision))
    await cursor.execute(f"SELECT {_ALL} FROM contacts.decisions WHERE {where} ORDER BY at DESC, signal DESC LIMIT %s", (*values, limit))
    return await cursor.fetchall()


class Share(NamedTuple):
    """How many candidates came to this."""

    rule: str
    version: int
    outcome: str
    channel: str | None
    reason: str | None
    candidates: int


async def funnel(connection: Connection, *, rule: str | None = None, since: datetime | None = None) -> list[Share]:
    """What became of all candidates, by rule, outcome and reason."""
    where, values = _conditions(rule=rule)
    if since is not None:
        where += " AND at >= %s"
        values.append(since)
    cursor = connection.cursor(row_factory=class_row(Share))
    await cursor.execute(
        "SELECT rule, version, outcome, channel, reason, count(*) AS candidates FROM contacts.decisions"
        f" WHERE {where} GROUP BY rule, version, outcome, channel, reason ORDER BY rule, version, candidates DESC",
        values,
    )
    return await cursor.fetchall()


def _conditions(
    *, customers: Sequence[UUID] | None = None, rule: str | None = None, outcome: str | None = None, reason: str | None = None
) -> tuple[str, list[Any]]:
    known = {
        "customer_id = ANY(%s)": None if customers is None else list(customers),
        "rule = %s": rule,
        "outcome = %s": outcome,
        "reason = %s": reason,
    }
    asked = {condition: value for condition, value in known.items() if value is not None}
    return " AND ".join(["true", *asked]), list(asked.values())
