"""The view's SQL: states out and in, by the batch. What search needs to know is written in the same breath.

A state is written only by the owner of the customer's partition, in the transaction that moves its position.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from aggregates.identity.publishing import TraitRule
from projections.positions import replaying
from projections.rows import Columns, Connection, bring, uuids
from projections.search import table as search
from projections.search.terms import hash_of, terms_of
from projections.view import glance, reading
from projections.view.answer import View
from projections.view.precedence import NO_RULES, believed, rules_of
from projections.view.state import State, decode, encode
from projections.view.traits import name_of
from projections.view.windows import Windows, count

Saved = tuple[UUID, State, int, int]
"""A customer, his state, and where in the log its last change stands: partition and offset."""

_COLUMNS = ("customer_id", "state", "name", "last_seen", "events", "wall", "terms", "log_partition", "log_offset")
_TYPES = ("uuid", "bytea", "text", "timestamptz", "int8", "bool", "bytea", "int2", "int8")
_STAGE = Columns("view_stage", dict(zip(_COLUMNS, _TYPES, strict=True)))
_ALL = _STAGE.all
_NEW = ", ".join(f"{column} = excluded.{column}" for column in _COLUMNS[1:])


class Looked(NamedTuple):
    """What is to be read of a customer."""

    state: State
    windows: Windows
    at: datetime  # the customer's now: ours, or that of the sources that replay their own time
    log_partition: int
    log_offset: int
    moving: bool
    rules: Sequence[TraitRule] = NO_RULES  # whom to believe of his traits

    def view(self, customer: UUID, position: str = "") -> View:
        """The view of him now."""
        return reading.read(customer, self.state, self.windows, self.at, position=position, moving=self.moving, rules=self.rules)


Besides = tuple[str, Mapping[str, Any]]
"""What a statement carries out as well: a `WITH` before it, and its further parameters."""

NOTHING: Besides = ("", {})


async def look(connection: Connection, schema: str, customer: UUID, now: datetime, besides: Besides = NOTHING) -> Looked | None:
    """A customer's state, and his windows at his now. `now` is ours; it counts for customers that live in our time.

    One statement for most. Whoever needs more gets it in further ones: each can be planned once for all customers, where a statement that
    answers everybody would be planned anew each time, at thrice the cost. PostgreSQL does so on connections that are told to.
    """
    with_, further = besides
    cursor = await connection.execute(with_ + glance.statement(schema), {**glance.parameters(customer, now), **further}, binary=True)
    rows = await cursor.fetchall()
    if not rows:
        return None
    state = decode(rows[0][0])
    at = await his_now(connection, state, now)
    windows = glance.told([row[5:] for row in rows]) if at == now else None
    if windows is None:
        windows = await count(connection, schema, customer, at)
    partition, offset, moving, document = rows[0][1:5]
    return Looked(state, windows, at, partition, offset, moving, rules_of(document))


async def rules(connection: Connection) -> Sequence[TraitRule]:
    """Whom to believe of traits, by the rule set published last."""
    row = await (await connection.execute(f"SELECT ({glance.RULES})")).fetchone()
    return rules_of(row[0] if row else None)


async def find(connection: Connection, schema: str, query: str, limit: int = 20, after: search.Place | None = None) -> list[search.Found]:
    """Customers by what an agent types, each called as his page calls him."""
    found = await search.search(connection, schema, query, limit, after)
    believing = await rules(connection) if found else NO_RULES
    if not believing:
        return found
    states = await load(connection, schema, [one.customer_id for one in found])
    return [one._replace(name=name_of(believed(states[one.customer_id].traits, believing)).display) for one in found]


async def his_now(connection: Connection, state: State, now: datetime) -> datetime:
    """A customer's now: ours, or that of the sources that replay their own time, the latest that they sent of anybody.

    Not the time of his last event while there is another: where that was not believed it is ours, and would end his windows.
    """
    if state.wall:
        return now
    return await replaying.latest(connection) or (state.last.at if state.last else now)


async def load(connection: Connection, schema: str, customers: Iterable[UUID]) -> dict[UUID, State]:
    """The states of those of these customers that have one."""
    cursor = await connection.execute(
        f"SELECT customer_id, state FROM unnest(%s::uuid[]) AS wanted(customer_id) JOIN {schema}.view USING (customer_id)",
        (uuids(customers),),
        binary=True,
    )
    return {customer: decode(state) for customer, state in await cursor.fetchall()}


async def save(connection: Connection, schema: str, rows: Sequence[Saved]) -> None:
    """Write states, each customer once; they are no longer on the move. Terms of search are written only where they changed.

    What changed is found by a sub-select for each row: of a join the planner, who cannot know how few rows were staged, makes a scan of
    all views once there are many.
    """
    if not rows:
        return
    brought = await bring(connection, _STAGE, [_row(*one) for one in rows])
    cursor = await connection.execute(
        f"""
        WITH told AS (
            SELECT {_ALL} FROM {brought.source}
        ), changed AS (
            SELECT customer_id, known IS NULL AS new
            FROM (SELECT customer_id, terms, (SELECT v.terms FROM {schema}.view v WHERE v.customer_id = s.customer_id) AS known
                  FROM told s OFFSET 0) s
            WHERE terms IS DISTINCT FROM known
        ), saved AS (
            INSERT INTO {schema}.view ({_ALL}) SELECT {_ALL} FROM told
            ON CONFLICT (customer_id) DO UPDATE SET {_NEW}, moving = false
        )
        SELECT customer_id, new FROM changed
        """,
        brought.values,
    )
    changed: dict[UUID, bool] = dict(await cursor.fetchall())
    terms = {customer: terms_of(state) for customer, state, _, _ in rows if customer in changed}
    await search.write(connection, schema, terms, unknown={customer for customer, new in changed.items() if new})


def _row(customer: UUID, state: State, partition: int, offset: int) -> tuple[Any, ...]:
    last = state.last.at if state.last else None
    name = name_of(state.traits).display.replace("\0", "")[:200]
    return (customer, encode(state), name, last, state.events, state.wall, hash_of(state), partition, offset)


async def flag(connection: Connection, schema: str, customer: UUID) -> None:
    """Say that a customer's history is on the move: what his view shows is not all, or not only, his."""
    await connection.execute(f"UPDATE {schema}.view SET moving = true WHERE customer_id = %s", (customer,))


async def delete(connection: Connection, schema: str, customers: Iterable[UUID]) -> None:
    """Forget customers who have no events any more."""
    gone = list(customers)
    if not gone:
        return
    await connection.execute(f"DELETE FROM {schema}.view WHERE customer_id = ANY(%s)", (gone,))
    await search.write(connection, schema, dict.fromkeys(gone, frozenset()))
