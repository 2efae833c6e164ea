"""The SQL of contacts: the customer's row that everybody locks, what was made, every decision. Reading order: lock_all, made_of, write.

Whoever decides holds the lock until his transaction ends, so no cap can be passed by two at once.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row

from aggregates.contact_policy import reading
from aggregates.contact_policy.candidate import Outcome
from aggregates.contact_policy.policy import DEFAULT, Policy
from projections.contacts import belonging, spending
from projections.contacts.want import Want, decode, encode
from projections.identity import table as identity
from projections.rows import Columns, bring, uuids

Connection = AsyncConnection[tuple[Any, ...]]

MOST = 2_000
LATEST = 20
"""Versions of the policy that are looked at for when quiet hours changed: nothing is held for as long as more of them take."""

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
_TYPES = {"customer_id": "uuid", "signal": "uuid", "version": "int4", "requested": "bool", "want": "bytea"} | dict.fromkeys(
    ("at", "until", "occurred", "wanted"), "timestamptz"
)
_DECIDED = Columns("decided_stage", {column: _TYPES.get(column, "text") for column in (*Decision._fields, "want")})


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


class PolicyRow(NamedTuple):
    """A version of the policy."""

    version: int
    at: datetime
    by: str
    text: str


async def hours_changed(connection: Connection, version: int) -> datetime | None:
    """When a version of the policy was published, if quiet hours are other ones since; else None."""
    found = {row.version: row for one in (version, version - 1) for row in await policies(connection, 1, one)}
    if version not in found:
        return None
    before = found[version - 1].text if version - 1 in found else None
    return found[version].at if other_hours(before, found[version].text) else None


def other_hours(before: str | None, after: str) -> bool:
    """Whether quiet hours are other ones by this text than by the one before, if there was any."""
    return _hours(after) != (None if before is None else _hours(before))


@lru_cache(LATEST)
def _hours(text: str) -> tuple[object, ...] | None:
    policy = reading.read(text).policy
    return None if policy is None or policy.quiet is None else (policy.quiet, policy.zone, "quiet" in policy.ignores)


async def hours_since(connection: Connection) -> datetime | None:
    """Since when quiet hours are as the policy in force has them; None: none was ever published."""
    since: PolicyRow | None = None
    for row in await policies(connection, LATEST):
        if since is not None and other_hours(row.text, since.text):
            break
        since = row
    return None if since is None else since.at


async def policies(connection: Connection, limit: int, version: int | None = None) -> list[PolicyRow]:
    """The versions of the policy, the newest first; or the one that is asked for."""
    cursor = await connection.execute(
        "SELECT version, at, by, text FROM contacts.policy WHERE %s::int IS NULL OR version = %s ORDER BY version DESC LIMIT %s",
        (version, version, limit),
    )
    return [PolicyRow(*row) for row in await cursor.fetchall()]


async def salt(connection: Connection) -> str:
    """By which hold-outs are drawn."""
    cursor = await connection.execute("SELECT salt FROM contacts.salt")
    row = await cursor.fetchone()
    assert row is not None  # noqa: S101 - the migration inserted it
    return str(row[0])


async def lock(connection: Connection, customer: UUID) -> Policy:
    """Wait until nobody else decides about this customer; the policy that binds him."""
    return await lock_all(connection, [customer])


async def lock_all(connection: Connection, customers: Collection[UUID]) -> Policy:
    """Wait until nobody else decides about these customers; and put under each what was of those who are he.

    Where a budget binds, until nobody else decides about anybody: always first, so that no two wait for each other. For the same reason
    customers are locked in the order of their ids. Answers the policy by which it was locked.
    """
    _, policy = await in_force(connection)
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
    since = await hours_since(connection) if not all(over for _, _, over, _ in rows) else None
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


async def one(connection: Connection, customer: UUID, signal: UUID) -> Decision | None:
    """What was decided about a signal or a request."""
    cursor = connection.cursor(row_factory=class_row(Decision))
    await cursor.execute(f"SELECT {_ALL} FROM contacts.decisions WHERE customer_id = %s AND signal = %s", (customer, signal))
    return await cursor.fetchone()


async def about(connection: Connection, contact: UUID) -> Decision | None:
    """What was decided about a contact, of whomever it is."""
    cursor = connection.cursor(row_factory=class_row(Decision))
    await cursor.execute(f"SELECT {_ALL} FROM contacts.decisions WHERE signal = %s ORDER BY at DESC LIMIT 1", (contact,))
    return await cursor.fetchone()


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


class Latest(NamedTuple):
    """With what somebody was last to be approached, and what was decided."""

    contact: str
    purpose: str
    channel: str | None
    outcome: str
    reason: str | None


async def latest(connection: Connection, customer: UUID, since: datetime, but: str, unless: Collection[str]) -> Latest | None:
    """The latest decision about a contact of his; none for the purpose `but`, unless it goes by one of those channels."""
    cursor = await connection.execute(
        "SELECT contact, purpose, channel, outcome, reason FROM contacts.decisions"
        " WHERE customer_id = %s AND at > %s AND (purpose <> %s OR channel = ANY(%s)) ORDER BY seq DESC LIMIT 1",
        (customer, since, but, list(unless)),
    )
    row = await cursor.fetchone()
    return Latest(*row) if row else None


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


async def recent(
    connection: Connection, now: datetime, span: timedelta, rule: str | None = None
) -> tuple[list[Share], dict[str, datetime]]:
    """The same of each rule in the time until now, or until its last candidate where he came before that: a source may replay its own time,
    and a rule may rest. And when he came, of the rules of which it is so."""
    where, values = _conditions(rule=rule)
    cursor = await connection.execute(f"SELECT rule, max(at) FROM contacts.decisions WHERE {where} GROUP BY rule", values)
    lasts: dict[str, datetime] = dict(await cursor.fetchall())
    resting = {name: last for name, last in lasts.items() if last < now - span}
    of_each = connection.cursor(row_factory=class_row(Share))
    await of_each.execute(
        "SELECT rule, version, outcome, channel, reason, count(*) AS candidates"
        " FROM contacts.decisions JOIN unnest(%s::text[], %s::timestamptz[]) AS began (rule, since) USING (rule) WHERE at >= since"
        " GROUP BY rule, version, outcome, channel, reason ORDER BY rule, version, candidates DESC",
        (list(lasts), [resting.get(name, now) - span for name in lasts]),
    )
    return await of_each.fetchall(), resting


def _conditions(
    *, customers: Sequence[UUID] | None = None, rule: str | None = None, outcome: str | None = None, reason: str | None = None
) -> tuple[str, list[Any]]:
    known = {
        "rule = %s": rule,
        "outcome = %s": outcome,
        "reason = %s": reason,
    }
    asked = {condition: value for condition, value in known.items() if value is not None}
    where, values = ["true", *asked], list[Any](asked.values())
    if customers is not None:
        where.append("(customer_id = ANY(%s) AND was IS NULL OR was = ANY(%s))")
        values += [list(customers), list(customers)]
    return " AND ".join(where), values
