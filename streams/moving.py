"""Moves histories between customers and folds them anew, in pieces that a partition hardly notices.

A merge or a split moves identifiers; the rows follow their deciders. The partition of the customer that lost them puts the rows under their
present owners (`hand_over`) and sends word; the partition of the one that got them folds him anew (`refold`), and with his view all that
the parts keep of him. What does not fit into one piece goes on behind a cursor in `streams.chores`, one piece a transaction, the view
flagged meanwhile. Reading order: hand_over, refold, go_on.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from projections.erasure import table as erasure
from projections.timeline import table as timeline
from projections.view import table as views
from projections.view.fold import finish
from streams.parts import Refolded
from streams.record import Connection, Effect
from streams.retelling import Retelling, Retold
from streams.words import RECEIVED, word

PIECE = 2000

Drop = Callable[[int, Iterable[UUID]], None]
"""Told of customers of a partition who are folded anew: what is cached of them no longer holds."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Where and when the log asked for it: the same word read again asks for the same."""

    offset: int
    at: datetime
    since: Mapping[UUID, datetime] = field(default_factory=dict)  # by customer: when the fact was received that moved his rows

    def since_of(self, customers: Iterable[UUID]) -> datetime:
        """Since when the rows of these are whose they are now."""
        return max((self.since[customer] for customer in customers if customer in self.since), default=self.at)


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a refold has come: all up to and with this time. `whole`: the parts hear it too."""

    whole: bool
    at: datetime | None = None
    retold: Retold | None = None


class Moving:
    """Without effects (a rebuild) all is done at once: nobody else writes there."""

    def __init__(self, retelling: Retelling, drop: Drop, *, effects: bool, piece: int = PIECE) -> None:
        self._retelling, self._drop, self._effects, self._piece = retelling, drop, effects, piece
        self._none: set[int] = set()  # partitions that are known to have nothing left over
        self._refolded: dict[int, dict[UUID, Refolded]] = {}

    def may_have(self, partition: int) -> bool:
        """Whether work may be left over in the partition."""
        return partition not in self._none

    def forget(self, partition: int) -> None:
        """What is known of a partition's work no longer holds."""
        self._none.discard(partition)
        self._refolded.pop(partition, None)

    def forget_all(self) -> None:
        """Other read models are in force: whoever put them there may have left work."""
        self._none.clear()

    def refolded(self, partition: int) -> Mapping[UUID, Refolded]:
        """Who was folded anew to the end since this was asked last; not who only got his view."""
        return self._refolded.pop(partition, {})

    async def hand_over(
        self, connection: Connection, schema: str, partition: int, customers: Sequence[UUID], asked: Asked
    ) -> tuple[list[Effect], list[UUID]]:
        """Word came about these customers: put what is not theirs under its owners, take what is erased.

        Answers what these are told, and whom to fold anew.
        """
        effects: list[Effect] = []
        whose = dict.fromkeys(customers)
        while True:
            owners, moved = await self._hand_over(connection, schema, customers)
            taken = await erasure.take(connection, schema, customers, self._piece, effects=self._effects)  # last: what did not go is found
            moved = max(moved, taken)
            if self._effects:
                cause = f"{partition} {asked.offset}"
                effects += [word(RECEIVED, str(owner), cause, asked.since_of(former)) for owner, former in owners.items()]
                if moved == self._piece:
                    for customer in customers:
                        await self._chore(connection, schema, partition, customer, "hand_over", Cursor(whole=True), asked)
                    return effects, []
            else:
                whose |= dict.fromkeys(owners)
            if moved < self._piece:
                return effects, list(whose)

    async def go_on(self, connection: Connection, schema: str, partition: int) -> list[Effect] | None:
        """One piece of the oldest chore of the partition; None when there is none."""
        cursor = await connection.execute(
            "SELECT customer_id, chore, asked_offset, asked_at, whole, after_at, state, parts, schema"
            " FROM streams.chores WHERE partition = %s ORDER BY asked_offset, customer_id, chore LIMIT 1",
            (partition,),
        )
        row = await cursor.fetchone()
        if row is None:
            self._none.add(partition)
            return None
        customer, chore, offset, asked_at, whole, at, view, parts, begun_in = row
        asked = Asked(offset, asked_at)
        await connection.execute(
            "DELETE FROM streams.chores WHERE partition = %s AND customer_id = %s AND chore = %s", (partition, customer, chore)
        )
        if chore == "hand_over":
            effects, whose = await self.hand_over(connection, schema, partition, (customer,), asked)
            await self.refold(connection, schema, partition, whose, asked)
            return effects
        so_far = Cursor(whole)
        if at is not None and begun_in == schema:
            retold = self._retelling.unpack(partition, view, parts, whole=whole)
            so_far = so_far if retold is None else Cursor(whole, at, retold)
        await self._refold_long(connection, schema, partition, customer, asked, so_far)
        return []

    async def busy(self, connection: Connection, partition: int) -> dict[UUID, datetime | None]:
        """The customers whose refold is under way and how far each has come: a fact beyond that will be met by it."""
        if not self._effects or partition in self._none:
            return {}
        cursor = await connection.execute("SELECT customer_id, chore, after_at FROM streams.chores WHERE partition = %s", (partition,))
        chores = await cursor.fetchall()
        if not chores:
            self._none.add(partition)  # also while events come without a pause, in which it would be found
        return {customer: at for customer, chore, at in chores if chore == "refold"}

    async def interrupted(self, connection: Connection, partition: int, customer: UUID, *, whole: bool = False) -> None:
        """A fact came in behind the cursor: the refold begins again. `whole`: also for the parts, if it was not for them already."""
        await connection.execute(
            "UPDATE streams.chores SET after_at = NULL, state = NULL, parts = NULL, whole = whole OR %s"
            " WHERE partition = %s AND customer_id = %s AND chore = 'refold'",
            (whole, partition, customer),
        )

    async def _hand_over(self, connection: Connection, schema: str, customers: Sequence[UUID]) -> tuple[dict[UUID, Collection[UUID]], int]:
        """Put up to a piece of rows under the present owners of their deciders; who got some, from whom, and how many rows went.

        What is an erased customer's does not go with his identifier to whoever has it now. That is asked with the same statement, for
        an erasure may be done at any moment.
        """
        columns = timeline.COLUMNS
        cursor = await connection.execute(
            f"""
            WITH gone AS MATERIALIZED (
                SELECT t.customer_id, t.event_id, i.customer_id AS owner
                FROM {schema}.timeline t JOIN identity.identifiers i ON i.identifier = t.decider
                WHERE t.customer_id = ANY(%(customers)s) AND i.customer_id <> t.customer_id AND NOT EXISTS ({erasure.OF_ROW})
                LIMIT %(piece)s
            ), taken AS (
                DELETE FROM {schema}.timeline t USING gone WHERE t.customer_id = gone.customer_id AND t.event_id = gone.event_id
                RETURNING gone.owner, gone.customer_id AS former, {", ".join(f"t.{column}" for column in columns)}
            ), put AS (
                INSERT INTO {schema}.timeline (customer_id, {", ".join(columns)}) SELECT owner, {", ".join(columns)} FROM taken
                ON CONFLICT DO NOTHING
            )
            SELECT owner, array_agg(DISTINCT former), count(*) FROM taken GROUP BY owner ORDER BY owner
            """,
            {"customers": list(customers), "piece": self._piece},
        )
        rows = await cursor.fetchall()
        return {owner: former for owner, former, _ in rows}, sum(count for _, _, count in rows)

    async def refold(
        self, connection: Connection, schema: str, partition: int, customers: Sequence[UUID], asked: Asked, *, whole: bool = True
    ) -> None:
        """Fold these customers' rows from the beginning: all at once, unless together they are more than a piece; then one by one,
        between batches. `whole`: not for the view alone."""
        self._drop(partition, customers)
        under_way = await self.busy(connection, partition)
        for customer in under_way.keys() & customers:  # what came to him is met when it begins again, in its own transactions
            await self.interrupted(connection, partition, customer, whole=whole)
        customers = [customer for customer in customers if customer not in under_way]
        if not customers:
            return
        histories: dict[UUID, list[bytes]] = {customer: [] for customer in customers}
        rows = await timeline.pieces(connection, schema, customers, self._piece + 1)
        if len(rows) > self._piece:
            for customer in customers:
                if self._effects:
                    await self._later(connection, schema, partition, customer, asked, Cursor(whole))
                else:
                    await self._refold_long(connection, schema, partition, customer, asked, Cursor(whole))
            return
        for customer, record in rows:
            histories[customer].append(record)
        begun = [(self._retelling.begin(partition, whole=whole), records) for records in histories.values()]
        retold = dict(zip(customers, await self._retelling.go_on(connection, partition, begun), strict=True))
        folded = [(customer, finish(retold[customer].view)) for customer, records in histories.items() if records]
        await views.save(connection, schema, [(customer, state, partition, asked.offset) for customer, state in folded])
        await views.delete(connection, schema, [customer for customer, records in histories.items() if not records])
        self._done(partition, retold, asked, whole=whole)

    async def _refold_long(self, connection: Connection, schema: str, partition: int, customer: UUID, asked: Asked, cursor: Cursor) -> None:
        """Fold one customer's rows, from where the cursor left off; a piece a transaction while live."""
        self._drop(partition, (customer,))
        retold, at = cursor.retold or self._retelling.begin(partition, whole=cursor.whole), cursor.at
        while True:
            rows = await timeline.piece(connection, schema, customer, at, self._piece)
            (retold,) = await self._retelling.go_on(connection, partition, [(retold, [row.record for row in rows])])
            at = rows[-1].at if rows else at
            if len(rows) < self._piece:
                break
            if self._effects:
                await self._later(connection, schema, partition, customer, asked, Cursor(cursor.whole, at, retold))
                return
        if at is not None:
            await views.save(connection, schema, [(customer, finish(retold.view), partition, asked.offset)])
        else:
            await views.delete(connection, schema, [customer])
        self._done(partition, {customer: retold}, asked, whole=cursor.whole)

    def _done(self, partition: int, retold: Mapping[UUID, Retold], asked: Asked, *, whole: bool) -> None:
        """These are folded."""
        if whole:
            done = {customer: Refolded(one.parts, asked.since_of((customer,))) for customer, one in retold.items()}
            self._refolded.setdefault(partition, {}).update(done)

    async def _later(self, connection: Connection, schema: str, partition: int, customer: UUID, asked: Asked, cursor: Cursor) -> None:
        """His refold goes on from here in a transaction of its own."""
        await self._chore(connection, schema, partition, customer, "refold", cursor, asked)
        await views.flag(connection, schema, customer)

    async def _chore(
        self, connection: Connection, schema: str, partition: int, customer: UUID, chore: str, cursor: Cursor, asked: Asked
    ) -> None:
        self._none.discard(partition)
        view, parts = (None, None) if cursor.retold is None else self._retelling.pack(cursor.retold)
        since = asked.since_of((customer,))
        await connection.execute(
            "INSERT INTO streams.chores (partition, customer_id, chore, schema, whole, after_at, state, parts, asked_offset, asked_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (partition, customer_id, chore)"
            " DO UPDATE SET schema = excluded.schema, whole = excluded.whole, after_at = excluded.after_at, state = excluded.state,"
            " parts = excluded.parts",
            (partition, customer, chore, schema, cursor.whole, cursor.at, view, parts, asked.offset, since),
        )
