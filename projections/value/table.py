"""The SQL of customer value. Customers are written by the owner of their partition only.

Reading order: Valued, load, save, models, costs, histories.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from aggregates.value import Costs
from projections.timeline.table import Connection, stage, uuids, write
from projections.value.state import State, decode, encode
from projections.value.worth import Models


class Valued(NamedTuple):
    """A customer."""

    state: State
    replayed: bool


async def load(connection: Connection, customers: Iterable[UUID]) -> dict[str, Valued]:
    """What is kept of these customers."""
    cursor = await connection.execute(
        "SELECT customer_id, state, replayed FROM unnest(%s::uuid[]) AS wanted(customer_id) JOIN value.states USING (customer_id)",
        (uuids(customers),),
        binary=True,
    )
    return {str(customer): Valued(decode(state), replayed) for customer, state, replayed in await cursor.fetchall()}


async def save(connection: Connection, partition: int, valued: Mapping[str, Valued]) -> None:
    """Write customers down, and count that it was done."""
    if not valued:
        return
    await stage(connection, "value_stage", "customer_id uuid, partition int2, replayed bool, state bytea")
    async with connection.cursor() as cursor:
        async with cursor.copy("COPY value_stage FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(("uuid", "int2", "bool", "bytea"))
            for customer, one in valued.items():
                await write(copy, (UUID(customer), partition, one.replayed, encode(one.state)))
        await cursor.execute(
            "INSERT INTO value.states SELECT * FROM value_stage ON CONFLICT (customer_id)"
            " DO UPDATE SET partition = excluded.partition, replayed = excluded.replayed, state = excluded.state"
        )
        for replayed in (False, True):
            if count := sum(one.replayed is replayed for one in valued.values()):
                await cursor.execute(
                    "INSERT INTO value.changes AS c VALUES (%s, %s, %s) ON CONFLICT (partition, replayed)"
                    " DO UPDATE SET changes = c.changes + excluded.changes",
                    (partition, replayed, count),
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
