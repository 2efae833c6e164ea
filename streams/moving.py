"""Moves histories between customers and folds them anew, in pieces that a partition hardly notices.

A merge or a split moves identifiers; the rows follow their deciders. The partition of the customer that lost them puts the rows under their
present owners (`hand_over`) and sends word; the partition of the one that got them folds him anew (`refold`). What does not fit into
one piece goes on behind a cursor in `streams.chores`, one piece a transaction, the view flagged meanwhile.
Reading order: move, go_on, hand_over, refold.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from projections.timeline import table as timeline
from projections.view import table as views
from projections.view.fold import begin, finish
from projections.view.state import State, decode, encode
from streams.record import Connection, Effect
from streams.words import RECEIVED, word

PIECE = 5000

Refold = Callable[[Connection, Sequence[tuple[State, Sequence[bytes]]]], Awaitable[list[State]]]
"""Folds on: for each customer a state and his next records, in the order of effective time."""

Drop = Callable[[int, Iterable[UUID]], None]
"""Told of customers of a partition who are folded anew: what is cached of them no longer holds."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Where and when the log asked for it: the same word read again asks for the same."""

    offset: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a refold has come."""

    at: datetime | None = None
    event: UUID | None = None
    state: State | None = None


class Moving:
    """Without effects (a rebuild) all is done at once: nobody else writes there."""

    def __init__(self, fold: Refold, drop: Drop, *, effects: bool, piece: int = PIECE) -> None:
        self._fold, self._drop, self._effects, self._piece = fold, drop, effects, piece
        self._none: set[int] = set()  # partitions that are known to have nothing left over
        self._refolded: dict[int, dict[UUID, None]] = {}

    def may_have(self, partition: int) -> bool:
        """Whether work may be left over in the partition."""
        return partition not in self._none

    def forget(self, partition: int) -> None:
        """What is known of a partition's work no longer holds."""
        self._none.discard(partition)

    def refolded(self, partition: int) -> list[UUID]:
        """Who was folded anew to the end since this was asked last."""
        return list(self._refolded.pop(partition, ()))

    async def move(self, connection: Connection, schema: str, partition: int, customers: Sequence[UUID], asked: Asked) -> list[Effect]:
        """Word came about these customers: hand over what is not theirs, fold the rest anew."""
        effects: list[Effect] = []
        while True:
            owners, moved = await self._hand_over(connection, schema, customers)
            if self._effects:
                effects += [word(RECEIVED, str(owner), f"{partition} {asked.offset}", asked.at) for owner in owners]
                if moved == self._piece:
                    for customer in customers:
                        await self._chore(connection, schema, partition, customer, "hand_over", Cursor(), asked)
                    return effects
            else:
                await self.refold(connection, schema, partition, owners, asked)
            if moved < self._piece:
                break
        await self.refold(connection, schema, partition, customers, asked)
        return effects

    async def go_on(self, connection: Connection, schema: str, partition: int) -> list[Effect] | None:
        """One piece of the oldest chore of the partition; None when there is none."""
        cursor = await connection.execute(
            "SELECT customer_id, chore, asked_offset, asked_at, after_at, after_event, state, schema"
            " FROM streams.chores WHERE partition = %s ORDER BY asked_offset, customer_id, chore LIMIT 1",
            (partition,),
        )
        row = await cursor.fetchone()
        if row is None:
            self._none.add(partition)
            return None
        customer, chore, offset, asked_at, at, event, state, begun_in = row
        asked = Asked(offset, asked_at)
        await connection.execute(
            "DELETE FROM streams.chores WHERE partition = %s AND customer_id = %s AND chore = %s", (partition, customer, chore)
        )
        if chore == "hand_over":
            return await self.move(connection, schema, partition, (customer,), asked)
        so_far = Cursor(at, event, decode(state)) if state is not None and begun_in == schema else Cursor()
        await self._refold_long(connection, schema, partition, customer, asked, so_far)
        return []

    async def busy(self, connection: Connection, partition: int) -> dict[UUID, tuple[datetime, UUID] | None]:
        """The customers whose refold is under way and how far each has come: a fact beyond that will be met by it."""
        if not self._effects or partition in self._none:
            return {}
        cursor = await connection.execute(
            "SELECT customer_id, after_at, after_event FROM streams.chores WHERE partition = %s AND chore = 'refold'", (partition,)
        )
        return {customer: (at, event) if at else None for customer, at, event in await cursor.fetchall()}

    async def interrupted(self, connection: Connection, partition: int, customer: UUID) -> None:
        """A fact came in behind the cursor: the refold begins again."""
        await connection.execute(
            "UPDATE streams.chores SET after_at = NULL, after_event = NULL, state = NULL"
            " WHERE partition = %s AND customer_id = %s AND chore = 'refold'",
            (partition, customer),
        )

    async def _hand_over(self, connection: Connection, schema: str, customers: Sequence[UUID]) -> tuple[list[UUID], int]:
        """Put up to a piece of rows under the present owners of their deciders; who got some, and how many rows went."""
        columns = timeline.COLUMNS
        cursor = await connection.execute(
            f"""
            WITH gone AS MATERIALIZED (
                SELECT t.customer_id, t.event_id, i.customer_id AS owner
                FROM {schema}.timeline t JOIN identity.identifiers i ON i.identifier = t.decider
                WHERE t.customer_id = ANY(%(customers)s) AND i.customer_id <> t.customer_id LIMIT %(piece)s
            ), taken AS (
                DELETE FROM {schema}.timeline t USING gone WHERE t.customer_id = gone.customer_id AND t.event_id = gone.event_id
                RETURNING gone.owner, {", ".join(f"t.{column}" for column in columns)}
            ), put AS (
                INSERT INTO {schema}.timeline (customer_id, {", ".join(columns)}) SELECT owner, {", ".join(columns)} FROM taken
                ON CONFLICT DO NOTHING
            )
            SELECT owner, count(*) FROM taken GROUP BY owner ORDER BY owner
            """,
            {"customers": list(customers), "piece": self._piece},
        )
        rows = await cursor.fetchall()
        return [row[0] for row in rows], sum(row[1] for row in rows)

    async def refold(self, connection: Connection, schema: str, partition: int, customers: Sequence[UUID], asked: Asked) -> None:
        """Fold these customers' rows from the beginning: all at once, unless together they are more than a piece."""
        self._drop(partition, customers)
        under_way = await self.busy(connection, partition)
        for customer in under_way.keys() & customers:  # what came to him is met when it begins again, in its own transactions
            await self.interrupted(connection, partition, customer)
        customers = [customer for customer in customers if customer not in under_way]
        if not customers:
            return
        histories: dict[UUID, list[bytes]] = {customer: [] for customer in customers}
        rows = await timeline.pieces(connection, schema, customers, self._piece + 1)
        if len(rows) > self._piece:
            for customer in customers:
                await self._refold_long(connection, schema, partition, customer, asked, Cursor())
            return
        for customer, record in rows:
            histories[customer].append(record)
        states = await self._fold(connection, [(begin(), records) for records in histories.values()])
        folded = [(customer, finish(state)) for customer, state in zip(histories, states, strict=True) if histories[customer]]
        await views.save(connection, schema, [(customer, state, partition, asked.offset) for customer, state in folded])
        await views.delete(connection, schema, [customer for customer, records in histories.items() if not records])
        await self._done(connection, partition, customers)

    async def _refold_long(self, connection: Connection, schema: str, partition: int, customer: UUID, asked: Asked, cursor: Cursor) -> None:
        """Fold one customer's rows, from where the cursor left off; a piece a transaction while live."""
        self._drop(partition, (customer,))
        state = cursor.state or begin()
        any_rows = cursor.at is not None
        while True:
            rows = await timeline.piece(connection, schema, customer, cursor.at, cursor.event, self._piece)
            (state,) = await self._fold(connection, [(state, [row.record for row in rows])])
            any_rows = any_rows or bool(rows)
            if len(rows) < self._piece:
                break
            cursor = Cursor(rows[-1].at, rows[-1].event_id, state)
            if self._effects:
                await self._chore(connection, schema, partition, customer, "refold", cursor, asked)
                await views.flag(connection, schema, customer)
                return
        if any_rows:
            await views.save(connection, schema, [(customer, finish(state), partition, asked.offset)])
        else:
            await views.delete(connection, schema, [customer])
        await self._done(connection, partition, (customer,))

    async def _done(self, connection: Connection, partition: int, customers: Sequence[UUID]) -> None:
        """These are folded: a refold of theirs that was under way would go on with rows they no longer have."""
        self._refolded.setdefault(partition, {}).update(dict.fromkeys(customers))
        if self._effects and partition not in self._none:
            await connection.execute(
                "DELETE FROM streams.chores WHERE partition = %s AND customer_id = ANY(%s) AND chore = 'refold'",
                (partition, list(customers)),
            )

    async def _chore(
        self, connection: Connection, schema: str, partition: int, customer: UUID, chore: str, cursor: Cursor, asked: Asked
    ) -> None:
        self._none.discard(partition)
        await connection.execute(
            "INSERT INTO streams.chores (partition, customer_id, chore, schema, after_at, after_event, state, asked_offset, asked_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (partition, customer_id, chore)"
            " DO UPDATE SET schema = excluded.schema, after_at = excluded.after_at, after_event = excluded.after_event,"
            " state = excluded.state",
            (
                partition,
                customer,
                chore,
                schema,
                cursor.at,
                cursor.event,
                encode(cursor.state) if cursor.state is not None else None,
                asked.offset,
                asked.at,
            ),
        )
