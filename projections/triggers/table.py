"""The SQL of rules: states of customers, signals given and withdrawn, timers. Written only by the owner of the customer's partition.

Reading order: load, save, marks, mark, history, give, withdraw, set_timers; then what people read, `page`.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection

from projections.rows import Columns, bring, texts, uuids
from projections.triggers.marks import Marks, decode, encode
from projections.triggers.state import Signal

Connection = AsyncConnection[tuple[Any, ...]]

Place = tuple[UUID, str, int]
"""Whose, which rule, which version."""

NOTICE = "yekta_signals"
"""One NOTIFY a transaction in which signals were given or withdrawn: of several that say the same PostgreSQL sends one."""

_STATE = Columns("rule_stage", {"customer_id": "uuid", "rule": "text", "version": "int4", "partition": "int2", "state": "bytea"})

_GIVEN = "seq, id, rule, version, customer_id, source, cause, occurred_at, recorded_at, late, withdrawn, quiet"


CLOCK = "clock || CASE WHEN source = '' THEN '' ELSE ':' || source END"
"""The clock of a timer as it is named outside: empty is ours, `event:SOURCE` that of a source that replays its own time."""


class Timer(NamedTuple):
    """When something is due, by which clock, and whether anybody may be told of it."""

    at: datetime
    clock: str = ""
    quiet: str = ""


class Given(NamedTuple):
    """A signal as it stands."""

    seq: int
    id: UUID
    rule: str
    version: int
    customer_id: UUID
    source: str
    cause: str
    occurred_at: datetime
    recorded_at: datetime
    late: bool
    withdrawn: bool
    quiet: str


async def load(connection: Connection, customers: Iterable[UUID]) -> list[tuple[UUID, str, int, bytes]]:
    """All states of these customers."""
    cursor = await connection.execute(
        "SELECT customer_id, rule, version, state FROM streams.rule_states WHERE customer_id = ANY(%s::uuid[])",
        (uuids(customers),),
        binary=True,
    )
    return await cursor.fetchall()


async def save(connection: Connection, partition: int, states: Iterable[tuple[Place, bytes]]) -> None:
    """Keep these states, each of another place."""
    rows = [(customer, rule, version, partition, state) for (customer, rule, version), state in states]
    if not rows:
        return
    brought = await bring(connection, _STATE, rows)
    await connection.execute(
        f"INSERT INTO streams.rule_states ({_STATE.all}) SELECT {_STATE.all} FROM {brought.source}"
        " ON CONFLICT (customer_id, rule, version) DO UPDATE SET state = excluded.state, partition = excluded.partition",
        brought.values,
    )


async def drop(connection: Connection, customers: Iterable[UUID]) -> None:
    """Forget states and timers of these customers' rules."""
    await connection.execute(
        "WITH states AS (DELETE FROM streams.rule_states WHERE customer_id = ANY(%(gone)s::uuid[])),"
        " marks AS (DELETE FROM streams.rule_marks WHERE customer_id = ANY(%(gone)s::uuid[]))"
        " DELETE FROM streams.timers WHERE customer_id = ANY(%(gone)s::uuid[]) AND rule NOT LIKE ' %%'",
        {"gone": uuids(customers)},
    )


async def marks(connection: Connection, places: Collection[Place]) -> dict[Place, Marks]:
    """The marks of these rules of customers, where there are some."""
    cursor = await connection.execute(
        "SELECT m.customer_id, m.rule, m.version, m.marks FROM streams.rule_marks m"
        " JOIN unnest(%s::uuid[], %s::text[], %s::int[]) AS g(customer_id, rule, version) USING (customer_id, rule, version)",
        (uuids([place[0] for place in places]), texts([place[1] for place in places]), [place[2] for place in places]),
        binary=True,
    )
    return {(customer, rule, version): decode(some) for customer, rule, version, some in await cursor.fetchall()}


async def mark(connection: Connection, partition: int, places: Mapping[Place, Marks]) -> None:
    """Keep these marks, and no others of these rules of customers."""
    await connection.execute(
        "INSERT INTO streams.rule_marks (customer_id, rule, version, partition, marks)"
        " SELECT customer_id, rule, version, %s, marks FROM unnest(%s::uuid[], %s::text[], %s::int[], %s::bytea[])"
        " AS g(customer_id, rule, version, marks) ON CONFLICT (customer_id, rule, version)"
        " DO UPDATE SET marks = excluded.marks, partition = excluded.partition",
        (
            partition,
            uuids([place[0] for place in places]),
            texts([place[1] for place in places]),
            [place[2] for place in places],
            [encode(some) for some in places.values()],
        ),
    )


async def waiting(connection: Connection, customers: Iterable[UUID], prefix: str) -> dict[Place, Timer]:
    """The timers of these customers whose purpose begins so, that have not been heard yet."""
    cursor = await connection.execute(
        f"SELECT customer_id, rule, version, at, {CLOCK}, quiet FROM streams.timers WHERE customer_id = ANY(%s::uuid[]) AND rule LIKE %s",
        (uuids(customers), f"{prefix}%"),
        binary=True,
    )
    return {(customer, rule, version): Timer(*timer) for customer, rule, version, *timer in await cursor.fetchall()}


async def history(
    connection: Connection,
    schema: str,
    customer: UUID,
    types: Iterable[str],
    partition: int,
    before: int | None,
    since: datetime | None = None,
) -> list[bytes]:
    """A customer's records of these types from a time on, without what this partition's log has from an offset on."""
    cursor = await connection.execute(
        f"SELECT record FROM {schema}.timeline WHERE customer_id = %s AND type = ANY(%s)"
        " AND NOT (log_partition = %s AND log_offset >= COALESCE(%s, 9223372036854775807))"
        " AND at >= COALESCE(%s::timestamptz, '-infinity') ORDER BY at, event_id",
        (customer, list(types), partition, before, since),
        binary=True,
    )
    return [row[0] for row in await cursor.fetchall()]


async def histories(
    connection: Connection, schema: str, customers: Iterable[UUID], types: Iterable[str], partition: int
) -> list[tuple[UUID, int | None, bytes]]:
    """Records of several customers of these types: whose, and where this partition's log has it."""
    cursor = await connection.execute(
        "SELECT asked.id, CASE WHEN his.log_partition = %s THEN his.log_offset END, his.record"
        " FROM unnest(%s::uuid[]) AS asked(id), LATERAL"
        f" (SELECT log_partition, log_offset, record FROM {schema}.timeline WHERE customer_id = asked.id AND type = ANY(%s)"
        " ORDER BY at, event_id) his",
        (partition, uuids(customers), list(types)),
        binary=True,
    )
    return await cursor.fetchall()


async def give(connection: Connection, partition: int, signals: Sequence[tuple[UUID, Signal]]) -> set[UUID]:
    """Keep signals of customers; which of them are new, or were withdrawn until now."""
    cursor = await connection.execute(
        f"""
        INSERT INTO signals.given AS g
            (id, rule, version, customer_id, source, cause, event, occurred_at, recorded_at, late, quiet, partition)
        SELECT * FROM unnest(%s::uuid[], %s::text[], %s::int[], %s::uuid[], %s::text[], %s::text[], %s::uuid[], %s::timestamptz[],
                             %s::timestamptz[], %s::boolean[], %s::text[], %s::smallint[])
        ON CONFLICT (id) DO UPDATE SET withdrawn = false, customer_id = excluded.customer_id WHERE g.withdrawn
        RETURNING id, pg_notify('{NOTICE}', '')
        """,
        (
            uuids([signal.id for _, signal in signals]),
            texts([signal.rule for _, signal in signals]),
            [signal.version for _, signal in signals],
            uuids([customer for customer, _ in signals]),
            texts([signal.source for _, signal in signals]),
            texts([signal.cause for _, signal in signals]),
            uuids([signal.event for _, signal in signals]),
            [signal.occurred_at for _, signal in signals],
            [signal.recorded_at for _, signal in signals],
            [signal.late for _, signal in signals],
            texts([signal.quiet for _, signal in signals]),
            [partition] * len(signals),
        ),
    )
    return {row[0] for row in await cursor.fetchall()}


async def withdraw(connection: Connection, signals: Collection[tuple[UUID, UUID]]) -> list[Given]:
    """These, by customer and id, were said too soon. Answers those that stood until now.

    What went to another customer with the fact that is its cause, perhaps a moment ago, is no longer this one's to withdraw.
    """
    cursor = await connection.execute(
        "UPDATE signals.given g SET withdrawn = true, seq = DEFAULT FROM unnest(%s::uuid[], %s::uuid[]) AS w(whose, signal)"
        f" WHERE id = signal AND customer_id = whose AND NOT withdrawn RETURNING {_GIVEN}, pg_notify('{NOTICE}', '')",
        (uuids([customer for customer, _ in signals]), uuids([id_ for _, id_ in signals])),
    )
    return [Given(*row[:-1]) for row in await cursor.fetchall()]


async def standing(connection: Connection, schema: str, customer: UUID) -> dict[tuple[str, int], dict[UUID, UUID]]:
    """The signals that stand of a customer, by rule and version: cause and id. Those whose cause came to him come with it."""
    await connection.execute(
        f"UPDATE signals.given g SET customer_id = %s FROM {schema}.timeline t"
        " WHERE t.customer_id = %s AND g.event = t.event_id AND g.customer_id <> %s",
        (customer, customer, customer),
    )
    cursor = await connection.execute(
        "SELECT rule, version, event, id FROM signals.given WHERE customer_id = %s AND NOT withdrawn", (customer,)
    )
    found: dict[tuple[str, int], dict[UUID, UUID]] = {}
    for rule, version, event, id_ in await cursor.fetchall():
        found.setdefault((rule, version), {})[event] = id_
    return found


async def went(connection: Connection, schema: str, heir: UUID, signals: Iterable[UUID]) -> set[UUID]:
    """Those whose cause is among another customer's rows now: he says whether they stand."""
    cursor = await connection.execute(
        f"SELECT g.id FROM signals.given g JOIN {schema}.timeline t ON t.customer_id = %s AND t.event_id = g.event"
        " WHERE g.id = ANY(%s::uuid[])",
        (heir, uuids(signals)),
    )
    return {row[0] for row in await cursor.fetchall()}


async def given_once(connection: Connection, signals: Iterable[UUID]) -> set[UUID]:
    """Those that were given, to whomever, whether they stand or not."""
    cursor = await connection.execute("SELECT id FROM signals.given WHERE id = ANY(%s::uuid[])", (uuids(signals),))
    return {row[0] for row in await cursor.fetchall()}


async def told_since(connection: Connection, schema: str, customer: UUID, signals: Sequence[Signal], since: datetime) -> set[UUID]:
    """Those of a customer's signals that were given once, or whose cause a door received after a time."""
    cursor = await connection.execute(
        "SELECT s.id FROM unnest(%s::uuid[], %s::uuid[]) AS s(id, event) WHERE EXISTS (SELECT 1 FROM signals.given g WHERE g.id = s.id)"
        f" OR EXISTS (SELECT 1 FROM {schema}.timeline t WHERE t.customer_id = %s AND t.event_id = s.event AND t.recorded >= %s)",
        (uuids([one.id for one in signals]), uuids([one.event for one in signals]), customer, since),
    )
    return {row[0] for row in await cursor.fetchall()}


async def set_timers(connection: Connection, partition: int, timers: Mapping[Place, Timer | None]) -> None:
    """When these are due next; None: nothing is. One that stands so already, told or not, stays.

    Of one by the time of a source that replays its own it is noted which other sources are past it already: they tell nothing of it.
    """
    gone = [place for place, timer in timers.items() if timer is None]
    if gone:
        await connection.execute(
            "DELETE FROM streams.timers t USING unnest(%s::uuid[], %s::text[], %s::int[]) AS g(customer_id, rule, version)"
            " WHERE t.customer_id = g.customer_id AND t.rule = g.rule AND t.version = g.version",
            (uuids([c for c, _, _ in gone]), texts([r for _, r, _ in gone]), [v for _, _, v in gone]),
        )
    wanted = [(place, timer) for place, timer in timers.items() if timer is not None]
    if wanted:
        await connection.execute(
            """
            INSERT INTO streams.timers (customer_id, rule, version, partition, at, clock, quiet, source, beyond)
            SELECT customer_id, rule, version, %(partition)s, at, clock, quiet, source,
                ARRAY(SELECT c.source FROM streams.source_clocks c
                      WHERE c.partition = %(partition)s AND wanted.source NOT IN ('', c.source) AND wanted.at < c.now)
            FROM unnest(%(customers)s::uuid[], %(rules)s::text[], %(versions)s::int[], %(at)s::timestamptz[], %(clocks)s::text[],
                        %(quiet)s::text[], %(sources)s::text[]) AS wanted(customer_id, rule, version, at, clock, quiet, source)
            ON CONFLICT (customer_id, rule, version)
            DO UPDATE SET partition = excluded.partition, at = excluded.at, clock = excluded.clock, quiet = excluded.quiet,
                source = excluded.source, beyond = excluded.beyond, told = false
            """,
            {
                "partition": partition,
                "customers": uuids([place[0] for place, _ in wanted]),
                "rules": texts([place[1] for place, _ in wanted]),
                "versions": [place[2] for place, _ in wanted],
                "at": [timer.at for _, timer in wanted],
                "clocks": texts([timer.clock.partition(":")[0] for _, timer in wanted]),
                "quiet": texts([timer.quiet for _, timer in wanted]),
                "sources": texts([timer.clock.partition(":")[2] for _, timer in wanted]),
            },
        )


async def hasten(connection: Connection, partition: int, purpose: str, at: datetime) -> bool:
    """Timers of a purpose that go by our clock are due at a time, if they were not before; whether there are any."""
    cursor = await connection.execute(
        "UPDATE streams.timers SET at = %s WHERE partition = %s AND clock = '' AND NOT told AND at > %s AND rule = %s",
        (at, partition, at, purpose),
    )
    return cursor.rowcount > 0


async def page(
    connection: Connection,
    limit: int,
    *,
    before: tuple[datetime, UUID] | None = None,
    customer: UUID | None = None,
    rule: str | None = None,
    since: datetime | None = None,
) -> list[Given]:
    """Signals, the newest first."""
    conditions, values = ["true"], list[Any]()
    for condition, value in (("customer_id = %s", customer), ("rule = %s", rule), ("recorded_at >= %s", since)):
        if value is not None:
            conditions.append(condition)
            values.append(value)
    if before is not None:
        conditions.append("(recorded_at, id) < (%s, %s)")
        values += before
    cursor = await connection.execute(
        f"SELECT {_GIVEN} FROM signals.given WHERE {' AND '.join(conditions)} ORDER BY recorded_at DESC, id DESC LIMIT %s", (*values, limit)
    )
    return [Given(*row) for row in await cursor.fetchall()]
