"""The SQL of customer value. Customers are written by the owner of their partition only.

Reading order: Valued, load, save, models, costs, called_off, contracts, completed, complete, terms, following, swept.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from aggregates.fact import Fact, fact_of
from aggregates.value import Costs
from aggregates.wire import customer_event_decoder
from projections.rows import Columns, Connection, bring, uuids
from projections.timeline.row import NOBODY, SIMULATED
from projections.value import fold
from projections.value.contracts import TYPES
from projections.value.given import SCORE, Terms
from projections.value.state import State, decode, encode
from projections.value.worth import Models

_ALL = "customer_id, state, replayed, decider, told"
_STAGE = Columns(
    "value_stage",
    {"customer_id": "uuid", "partition": "int2", "replayed": "bool", "state": "bytea", "told": "float8", "decider": "text"},
)


class Valued(NamedTuple):
    """A customer."""

    state: State
    replayed: bool
    decider: str = ""  # the identifier that decided whose the latest fact is
    told: float | None = None  # the value that was given last, as a score


async def load(connection: Connection, customers: Iterable[UUID]) -> dict[str, Valued]:
    """What is kept of these customers."""
    cursor = await connection.execute(
        f"SELECT {_ALL} FROM unnest(%s::uuid[]) AS wanted(customer_id) JOIN value.states USING (customer_id)",
        (uuids(customers),),
        binary=True,
    )
    return _valued(await cursor.fetchall())


def _valued(rows: Iterable[tuple[Any, ...]]) -> dict[str, Valued]:
    return {str(customer): Valued(decode(state), *others) for customer, state, *others in rows}


async def save(connection: Connection, partition: int, valued: Mapping[str, Valued]) -> None:
    """Write customers down, and count that it was done."""
    if not valued:
        return
    rows = [(UUID(customer), partition, one.replayed, encode(one.state), one.told, one.decider) for customer, one in valued.items()]
    brought = await bring(connection, _STAGE, rows)
    counts = Counter(one.replayed for one in valued.values())
    await connection.execute(
        f"WITH saved AS (INSERT INTO value.states ({_STAGE.all}) SELECT {_STAGE.all} FROM {brought.source}"
        " ON CONFLICT (customer_id) DO UPDATE SET partition = excluded.partition, replayed = excluded.replayed,"
        " state = excluded.state, told = excluded.told, decider = excluded.decider)"
        " INSERT INTO value.changes AS c SELECT %s, * FROM unnest(%s::bool[], %s::int8[]) ON CONFLICT (partition, replayed)"
        " DO UPDATE SET changes = c.changes + excluded.changes",
        (*brought.values, partition, list(counts), list(counts.values())),
    )


async def forget(connection: Connection, customers: Iterable[UUID]) -> None:
    """These have no facts any more."""
    await connection.execute("DELETE FROM value.states WHERE customer_id = ANY(%s::uuid[])", (uuids(customers),))


async def changes(connection: Connection) -> dict[bool, tuple[int, int | None]]:
    """How often customers were written down, and how often that was when the models were fitted last; by whether time is replayed."""
    cursor = await connection.execute(
        "SELECT replayed, sum(changes)::bigint,"
        " (SELECT m.changes FROM value.models m WHERE m.replayed = c.replayed ORDER BY number DESC LIMIT 1)"
        " FROM value.changes c GROUP BY replayed"
    )
    return {replayed: (now, then) for replayed, now, then in await cursor.fetchall()}


async def models(connection: Connection, *, replayed: bool) -> Models | None:
    """The models fitted last; None before there were any."""
    cursor = await connection.execute("SELECT number, body FROM value.models WHERE replayed = %s ORDER BY number DESC LIMIT 1", (replayed,))
    row = await cursor.fetchone()
    return None if row is None else msgspec.structs.replace(msgspec.convert(row[1], Models), number=row[0])


async def keep(connection: Connection, found: Models, *, replayed: bool, at: datetime, counted: int) -> None:
    """Put models in force."""
    await connection.execute(
        "INSERT INTO value.models (replayed, at, changes, body) VALUES (%s, %s, %s, %s)",
        (replayed, at, counted, Jsonb(msgspec.to_builtins(found))),
    )


def published(found: Costs, by: str) -> tuple[str, Sequence[Any]]:
    """The statement that goes with the decision to publish costs."""
    return "INSERT INTO value.costs (version, body, by) VALUES (%s, %s, %s)", (found.version, Jsonb(msgspec.to_builtins(found)), by)


async def costs(connection: Connection) -> Costs:
    """The costs in force."""
    cursor = await connection.execute("SELECT version, body FROM value.costs ORDER BY version DESC LIMIT 1")
    row = await cursor.fetchone()
    return Costs() if row is None else msgspec.convert(row[1] | {"version": row[0]}, Costs, strict=False)


async def states(connection: Connection, *, replayed: bool, most: int) -> AsyncIterator[State]:
    """The states of a sample of customers: their ids are hashes, so any range of them is one."""
    cursor = await connection.execute(
        "SELECT state FROM value.states WHERE replayed = %s ORDER BY customer_id LIMIT %s", (replayed, most), binary=True
    )
    for (state,) in await cursor.fetchall():
        yield decode(state)


async def called_off(connection: Connection, schema: str, customers: Iterable[UUID]) -> dict[str, dict[str, str]]:
    """What these placed and called off since, by customer and currency: the timeline knows an order by its number.

    It begins with what was called off, which is little: thousands of orders that stand are not compared with anything.
    """
    cursor = await connection.execute(
        f"WITH off AS MATERIALIZED (SELECT customer_id, ref, max(at) AS at FROM {schema}.timeline"
        "  WHERE customer_id = ANY(%s::uuid[]) AND type = 'sales.order_cancelled' GROUP BY 1, 2)"
        f" SELECT p.customer_id::text, p.currency, sum(p.amount)::text FROM off"
        f" JOIN {schema}.timeline p ON p.customer_id = off.customer_id AND p.ref = off.ref AND p.at <= off.at"
        " WHERE p.type = 'sales.order_placed' AND p.currency IS NOT NULL GROUP BY 1, 2",
        (uuids(customers),),
    )
    found: dict[str, dict[str, str]] = {}
    for customer, currency, amount in await cursor.fetchall():
        found.setdefault(customer, {})[currency] = amount
    return found


async def contracts(connection: Connection, schema: str, customers: Iterable[UUID]) -> dict[str, list[Fact]]:
    """All facts about the contracts of these, in order: for states from before contracts were valued."""
    cursor = await connection.execute(
        f"SELECT customer_id::text, record FROM {schema}.timeline"
        " WHERE customer_id = ANY(%s::uuid[]) AND type = ANY(%s) AND flags & %s = 0 ORDER BY at, event_id",
        (uuids(customers), sorted(TYPES), SIMULATED),
        binary=True,
    )
    found: dict[str, list[Fact]] = {}
    for customer, record in await cursor.fetchall():
        found.setdefault(customer, []).append(fact_of(customer_event_decoder.decode(record)))
    return found


def completed(one: Valued, facts: Sequence[Fact]) -> Valued:
    """A customer from before contracts were valued, with all facts about his."""
    return one._replace(state=fold.completed(one.state, facts), replayed=one.replayed and all(fact.clock == "event" for fact in facts))


async def complete(connection: Connection, schema: str, home: Callable[[UUID], int]) -> None:
    """Whoever has contracts is written down with them: of some nothing was, or less, before contracts were valued."""
    cursor = await connection.execute(
        f"SELECT customer_id FROM {schema}.timeline WHERE type = ANY(%s) AND flags & %s = 0 AND customer_id <> %s GROUP BY 1",
        (sorted(TYPES), SIMULATED, NOBODY),
    )
    having = [row[0] for row in await cursor.fetchall()]
    for start in range(0, len(having), 1_000):
        some = having[start : start + 1_000]
        known = await load(connection, some)
        less = [one for one in some if str(one) not in known or not known[str(one)].state.whole]
        told = await contracts(connection, schema, less)
        by_home: dict[int, dict[str, Valued]] = {}
        for one in less:
            before = known.get(str(one), Valued(State(), True))
            by_home.setdefault(home(one), {})[str(one)] = completed(before, told.get(str(one), []))
        for partition, valued in by_home.items():
            await save(connection, partition, valued)


async def terms(connection: Connection) -> Terms:
    """What values are computed by now."""
    return Terms(await costs(connection), {replayed: await models(connection, replayed=replayed) for replayed in (False, True)})


async def asked(connection: Connection) -> bool:
    """Whether a rule or a segment in force asks for the value as a score."""
    cursor = await connection.execute(
        "SELECT EXISTS (SELECT 1 FROM streams.in_force WHERE state IN ('published', 'paused')"
        " AND text ~ ('(percentile|score)\\W+' || %s || '\\M'))",
        (SCORE,),
    )
    row = await cursor.fetchone()
    return bool(row and row[0])


async def following(connection: Connection, partition: int, after: UUID, limit: int) -> dict[str, Valued]:
    """The next customers of a partition, in the order of their ids."""
    cursor = await connection.execute(
        f"SELECT {_ALL} FROM value.states WHERE partition = %s AND customer_id > %s ORDER BY customer_id LIMIT %s",
        (partition, after, limit),
        binary=True,
    )
    return _valued(await cursor.fetchall())


class Sweep(NamedTuple):
    """By which terms everybody of a partition is given his value anew, and how far that has come."""

    terms: str
    begun: datetime
    after: UUID | None  # None: all were


async def sweep(connection: Connection, partition: int) -> Sweep | None:
    """The last one of a partition."""
    cursor = await connection.execute("SELECT terms, begun, after FROM value.sweeps WHERE partition = %s", (partition,))
    row = await cursor.fetchone()
    return None if row is None else Sweep(*row)


async def swept(connection: Connection, partition: int, one: Sweep) -> None:
    """It has come so far."""
    await connection.execute(
        "INSERT INTO value.sweeps (partition, terms, begun, after) VALUES (%s, %s, %s, %s) ON CONFLICT (partition)"
        " DO UPDATE SET terms = excluded.terms, begun = excluded.begun, after = excluded.after",
        (partition, *one),
    )
