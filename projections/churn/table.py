"""The SQL of churn: definitions and their champions, customers in and out by the batch, scores as they are given.

Customers are written by the owner of their partition only. Reading order: InForce, in_force, load, save, due, passed.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from aggregates.churn import Definition
from projections.churn.kept import Kept
from projections.churn.state import decode, encode
from projections.rows import Columns, Connection, bring, uuids
from projections.timeline.row import uuid_of


class InForce(NamedTuple):
    """A definition that customers are scored by."""

    id: int
    definition: Definition
    stands: str
    champion: int | None
    learnt: int
    past: bool  # still on its way through the log of the past


class Given(NamedTuple):
    """A score, as it was given."""

    customer: UUID
    definition: int
    at: datetime
    score: float
    snapshot: int
    silent: bool
    parts: bytes


Key = tuple[str, int]
"""Customer and definition."""

Unsound = Callable[[bytes, bytes, bytes, str], str]
"""Why a snapshot of these learners, sums, checksum and arithmetic is not loaded; empty where it is."""

_COLUMNS = ("customer_id", "definition", "partition", "replayed", "due", "state", "decider", "score", "given", "told")
_TYPES = ("uuid", "int2", "int2", "bool", "int4", "bytea", "text", "float4", "float4", "float4")
_STAGE = Columns("churn_stage", dict(zip(_COLUMNS, _TYPES, strict=True)))
_ALL = _STAGE.all
_NEW = ", ".join(f"{column} = excluded.{column}" for column in _COLUMNS[2:])

_GIVEN_TYPES = ("uuid", "int2", "timestamptz", "float4", "int8", "bool", "bytea")
_GIVEN = Columns("given_stage", dict(zip(("customer_id", *Given._fields[1:]), _GIVEN_TYPES, strict=True)))


_DECLARED = """
INSERT INTO churn.definitions (name, version, stands, body, by) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (name, version) DO UPDATE SET stands = excluded.stands
"""


def declared(name: str, version: int, stands: str, body: Mapping[str, Any], by: str) -> tuple[str, Sequence[Any]]:
    """The statement that brings the row of a definition to what is decided."""
    return _DECLARED, (name, version, stands, Jsonb(dict(body)), by)


async def in_force(connection: Connection) -> list[InForce]:
    """The definitions that customers are scored by, the oldest first."""
    cursor = await connection.execute(
        "SELECT id, body || jsonb_build_object('name', name, 'version', version), stands, champion, learnt, past"
        " FROM churn.definitions WHERE stands <> 'retired' ORDER BY id"
    )
    return [
        InForce(id_, msgspec.convert(body, Definition, strict=False), stands, champion, learnt, past)
        for id_, body, stands, champion, learnt, past in await cursor.fetchall()
    ]


async def load(connection: Connection, customers: Iterable[UUID]) -> dict[Key, Kept]:
    """What is kept of these customers."""
    cursor = await connection.execute(
        "SELECT customer_id, definition, state, due, replayed, decider, score, given, told"
        " FROM unnest(%s::uuid[]) AS wanted(customer_id) JOIN churn.states USING (customer_id)",
        (uuids(customers),),
        binary=True,
    )
    return {(str(customer), definition): Kept(decode(state), *rest) for customer, definition, state, *rest in await cursor.fetchall()}


async def save(connection: Connection, partition: int, kept: Mapping[Key, Kept], given: Sequence[Given] = ()) -> None:
    """Write customers down, and the scores that are given, in the transaction that gives them; in one statement where there are both."""
    rows = [
        (uuid_of(customer), definition, partition, one.replayed, one.due, encode(one.state), one.decider, one.score, one.given, one.told)
        for (customer, definition), one in kept.items()
    ]
    statements: list[str] = []
    values: list[str] = []
    if given:
        brought = await bring(connection, _GIVEN, given)
        statements.append(f"INSERT INTO churn.given ({_GIVEN.all}) SELECT {_GIVEN.all} FROM {brought.source}")
        values += brought.values
    if rows:
        brought = await bring(connection, _STAGE, rows)
        statements.append(
            f"INSERT INTO churn.states ({_ALL}) SELECT {_ALL} FROM {brought.source}"
            f" ON CONFLICT (customer_id, definition) DO UPDATE SET {_NEW}"
        )
        values += brought.values
    if statements:
        *first, last = statements
        await connection.execute("".join(f"WITH first AS ({statement}) " for statement in first) + last, values)


async def forget(connection: Connection, gone: Sequence[Key]) -> None:
    """Of these nothing is kept any more."""
    await connection.execute(
        "DELETE FROM churn.states s USING unnest(%s::uuid[], %s::int2[]) AS g(customer_id, definition)"
        " WHERE s.customer_id = g.customer_id AND s.definition = g.definition",
        ([customer for customer, _ in gone], [definition for _, definition in gone]),
    )


async def due(connection: Connection, partition: int, *, replayed: bool, day: int, limit: int) -> dict[Key, Kept]:
    """The customers of a partition who are to be looked at by the beginning of a day; those who wait longest first."""
    cursor = await connection.execute(
        "SELECT customer_id, definition, state, due, replayed, decider, score, given, told FROM churn.states"
        " WHERE partition = %s AND replayed = %s AND due <= %s ORDER BY due LIMIT %s",
        (partition, replayed, day, limit),
        binary=True,
    )
    return {(str(customer), definition): Kept(decode(state), *rest) for customer, definition, state, *rest in await cursor.fetchall()}


async def rescoring(connection: Connection, partition: int) -> dict[int, tuple[int, UUID | None]]:
    """By which champion a partition's customers were scored anew, and up to which customer; None: all of them. By definition."""
    cursor = await connection.execute("SELECT definition, champion, after FROM churn.rescored WHERE partition = %s", (partition,))
    return {definition: (champion, after) for definition, champion, after in await cursor.fetchall()}


async def rescored(connection: Connection, partition: int, definition: int, champion: int, after: UUID | None) -> None:
    """They were, up to this customer."""
    await connection.execute(
        "INSERT INTO churn.rescored VALUES (%s, %s, %s, %s) ON CONFLICT (definition, partition)"
        " DO UPDATE SET champion = excluded.champion, after = excluded.after",
        (definition, partition, champion, after),
    )


async def following(connection: Connection, partition: int, definition: int, after: UUID, limit: int) -> dict[Key, Kept]:
    """A definition's next customers of a partition, in the order of their ids."""
    cursor = await connection.execute(
        "SELECT customer_id, definition, state, due, replayed, decider, score, given, told FROM churn.states"
        " WHERE customer_id > %s AND definition = %s AND partition = %s ORDER BY customer_id LIMIT %s",
        (after, definition, partition, limit),
        binary=True,
    )
    return {(str(customer), definition): Kept(decode(state), *rest) for customer, definition, state, *rest in await cursor.fetchall()}


async def past(connection: Connection, partition: int, definition: int) -> tuple[UUID | None, bool]:
    """The last customer of a partition whose past a definition has gone through, and whether all were."""
    cursor = await connection.execute("SELECT after FROM churn.past WHERE definition = %s AND partition = %s", (definition, partition))
    row = await cursor.fetchone()
    return (None, False) if row is None else (row[0], row[0] is None)


async def went_past(connection: Connection, partition: int, definition: int, after: UUID | None) -> None:
    """It has, up to this customer; None: all."""
    await connection.execute(
        "INSERT INTO churn.past VALUES (%s, %s, %s) ON CONFLICT (definition, partition) DO UPDATE SET after = excluded.after",
        (definition, partition, after),
    )


async def customers_after(connection: Connection, schema: str, partition: int, after: UUID | None, limit: int) -> list[UUID]:
    """A partition's next customers, in the order of their ids."""
    cursor = await connection.execute(
        f"SELECT customer_id FROM {schema}.view WHERE customer_id > %s AND log_partition = %s ORDER BY customer_id LIMIT %s",
        (after or UUID(int=0), partition, limit),
        binary=True,
    )
    return [row[0] for row in await cursor.fetchall()]


async def passed(connection: Connection, partition: int) -> dict[bool, int]:
    """Up to which day a partition has told all it knew: in our time (False) and in that of replayed sources (True)."""
    cursor = await connection.execute("SELECT replayed, day FROM churn.passed WHERE partition = %s", (partition,))
    return dict(await cursor.fetchall())


async def pass_on(connection: Connection, partition: int, *, replayed: bool, day: int) -> None:
    """It has told all before this day."""
    await connection.execute(
        "INSERT INTO churn.passed (partition, replayed, day) VALUES (%s, %s, %s)"
        " ON CONFLICT (partition, replayed) DO UPDATE SET day = GREATEST(churn.passed.day, excluded.day)",
        (partition, replayed, day),
    )


async def sums(connection: Connection, number: int) -> tuple[bytes, bytes, bytes, str, int] | None:
    """A snapshot: learners, sums, checksum, what it was made with, and the labels that it learnt."""
    cursor = await connection.execute(
        "SELECT learners, sums, checksum, made_with, learnt FROM churn.snapshots WHERE number = %s", (number,), binary=True
    )
    row = await cursor.fetchone()
    return None if row is None else (row[0], row[1], row[2], row[3], row[4])
