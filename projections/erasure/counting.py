"""Counts what an erasure would take, for whoever is about to ask for one. Reading order: Count, count."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection

from aggregates.identifier import Token
from projections.erasure.scrubbing import OF_CUSTOMER
from projections.erasure.table import led_to

Connection = AsyncConnection[tuple[Any, ...]]


class Count(NamedTuple):
    """How much it is."""

    events: int  # and decisions of people about who he is
    keys: int
    rows: Mapping[str, int]  # by table, where there are any


async def count(connection: Connection, schema: str, customer: UUID, tokens: Sequence[Token]) -> Count:
    """What is kept of a customer now, and of those who became one with him.

    Dead letters are sealed, and are looked through when it is done.
    """
    cursor = await connection.execute(
        f"SELECT count(*), count(DISTINCT seal) FILTER (WHERE seal > 0) FROM {schema}.timeline WHERE customer_id = %s", (customer,)
    )
    events, keys = await cursor.fetchone() or (0, 0)
    his = list(tokens)
    ids = [customer, *await led_to(connection, customer, his)]
    events += await _one(connection, "SELECT count(*) FROM identity.decisions WHERE tokens && %s", his)
    rows = {}
    for table in OF_CUSTOMER:
        rows[table] = await _one(connection, f"SELECT count(*) FROM {table} WHERE customer_id = ANY(%s)", ids)
    rows["service.requests"] = await _one(connection, "SELECT count(*) FROM service.requests WHERE decider = ANY(%s)", his)
    rows["service.calls"] = await _one(connection, "SELECT count(*) FROM service.calls WHERE who && %s", his)
    rows["identity.members"] = await _one(connection, "SELECT count(*) FROM identity.members WHERE identifier = ANY(%s)", his)
    return Count(events, keys, {table: number for table, number in rows.items() if number})


async def _one(connection: Connection, statement: str, value: object) -> int:
    row = await (await connection.execute(statement, (value,))).fetchone()
    return int(row[0]) if row else 0
