"""Keeps the one view of each customer: reads `customer-events`, writes timeline and view in the runner's transaction.

One writer per customer: the owner of the partition that his id hashes to. Rows are inserted first, and only those that were new are folded,
so no duplicate counts. A customer that ever lost an identifier is *marked*; his records are held against the present owner of their decider
and what is another's is forwarded. What is an erased customer's is in no timeline and heard by nobody. Reading order: Customer.apply,
`_at_home`, `_not_erased`, `_fold`; moving whole histories is in `moving`.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter
from types import MappingProxyType
from uuid import UUID

import msgspec

from aggregates.contracts import VersionUnknown
from aggregates.fact import Fact, fact_of
from aggregates.wire import CustomerEvent, customer_event_decoder
from projections import generation
from projections.erasure import table as erasure
from projections.erasure.table import Judged
from projections.rows import texts
from projections.timeline import table as timeline
from projections.timeline.row import uuid_of
from projections.view import table as views
from projections.view.fold import ORDERS, asks, evolve, initial, needs_history, openings
from projections.view.orders import Words
from projections.view.state import State
from streams import standing
from streams.caching import remember
from streams.moving import PIECE, Asked, Moving
from streams.parts import Moment, Part, Parts, Spoken, opening_of
from streams.record import Batch, Bury, Connection, Effect, Halt, Keys, Publication, Record, check
from streams.retelling import Retelling
from streams.words import ERASED, KEY, MOVED, RECEIVED, is_spoken, is_word

STATES = 50_000

_stamp = attrgetter("stamp")


@dataclass(frozen=True, slots=True)
class Arrived:
    """A customer event of the batch, and the customer it is folded into."""

    record: Record
    event: CustomerEvent
    customer: str  # id as text, "" nobody's: text hashes once, a UUID each time
    fact: Fact  # unopened


class Customer:
    """The processor. `schema` None: the live read models, with effects. A rebuild names its own schema and has none."""

    name = "customer"
    topic = "customer-events"
    durable_outbox = True

    def __init__(self, keys: Keys, schema: str | None = None, *, piece: int = PIECE, parts: Sequence[Part] = ()) -> None:
        self._keys = keys
        self._schema = schema
        self._parts = Parts(keys, parts)
        retelling = Retelling(keys, self._parts.folding)
        self._generation = ""
        self._states: dict[int, dict[str, State]] = {}  # by partition; in a rebuild all of them are one writer's
        self._learned: dict[int, dict[str, State]] = {}
        self._moving = Moving(retelling, self._drop, effects=schema is None, piece=piece)

    def forget(self, partition: int) -> None:
        self._states.pop(self._writer(partition), None)
        self._learned.pop(self._writer(partition), None)
        self._moving.forget(partition)
        self._parts.forget(partition)

    def committed(self, batch: Batch) -> None:
        writer = self._writer(batch.partition)
        states = self._states.setdefault(writer, {})
        remember(states, self._learned.pop(writer, {}), STATES)
        self._parts.committed(batch.partition)

    def _writer(self, partition: int) -> int:
        return partition if self._schema is None else 0

    async def apply(self, connection: Connection, batch: Batch) -> list[Effect]:
        with reading_what_is_known():
            return await self._apply(connection, batch)

    async def _apply(self, connection: Connection, batch: Batch) -> list[Effect]:
        arrived, words, spoken, effects = _decode(batch.records)
        stands = await standing.ask(connection, {item.customer for item in arrived}, {item.customer for item in spoken})
        schema = self._in_force(stands.schema)
        arrived, forwarded = await self._at_home(connection, arrived, stands.marked)
        if stands.erased:
            spoken = [item for item in spoken if not item.customer or uuid_of(item.customer) not in stands.erased]  # timers wake nobody
        learned: dict[str, State] = {}
        self._learned[self._writer(batch.partition)] = learned
        new = await _insert(connection, schema, batch.partition, arrived)
        whole: dict[int, Fact] = {}
        before = await self._fold(connection, schema, batch, new, learned, whole)
        if self._schema is None:
            await _set_clock(connection, batch.partition, new)
        whose: Sequence[UUID] = ()
        if words:
            told, whose = await self._moving.hand_over(connection, schema, batch.partition, list(words), _asked(batch, words))
            effects += told
        moment = Moment(connection, schema, batch.partition, batch.end, before, frozenset([i.event.yektaevent for i in new]))
        if self._parts:
            await self._parts.ready(moment)
            facts = [Spoken(at := item.record.offset, item.customer, item.event, whole.get(at, item.fact), at in whole) for item in new]
            effects += await self._parts.told(moment, facts, spoken)
        if self._schema is None:  # a timer that is set by these goes when a source comes past it after that
            await _set_clocks_of_sources(connection, batch.partition, new)
        if whose:  # after what was decided: it is told anew under the rules that are in force now
            await self._moving.refold(connection, schema, batch.partition, whose, _asked(batch, words))
        effects += await self._parts.end(moment, self._moving.refolded(batch.partition))
        return [*effects, *forwarded]

    def has_chores(self, partition: int) -> bool:
        return self._moving.may_have(partition) or self._parts.restless(partition)

    async def chore(self, connection: Connection, partition: int) -> list[Effect] | None:
        schema = self._in_force(await generation.live(connection))
        with reading_what_is_known():
            moment = Moment(connection, schema, partition, await _position(connection, partition))
            await self._parts.ready(moment)
            effects = await self._moving.go_on(connection, schema, partition) if self._moving.may_have(partition) else None
            refolded = self._moving.refolded(partition)
            if self._parts:
                effects = [*(effects or ()), *await self._parts.end(moment, refolded)]
            return effects

    def _drop(self, partition: int, customers: Iterable[UUID]) -> None:
        """What is cached of these customers no longer holds."""
        writer = self._writer(partition)
        cached, learned = self._states.get(writer, {}), self._learned.get(writer, {})
        for customer in map(str, customers):
            cached.pop(customer, None)
            learned.pop(customer, None)

    def _in_force(self, schema: str) -> str:
        """The read models that are written; `schema` are the live ones, as read behind the lock on the position: a rebuild that switched
        is seen at once."""
        if self._schema is not None:
            return self._schema
        if schema != self._generation:
            self._states.clear()
            self._moving.forget_all()
            self._generation = schema
        return schema

    async def _at_home(
        self, connection: Connection, arrived: list[Arrived], marked: Collection[str]
    ) -> tuple[list[Arrived], list[Publication]]:
        """Events of marked customers go to whom their decider belongs to now: forwarded live, put there at once in a rebuild."""
        if not marked:
            return arrived, []
        deciders = {item.event.yektadecider for item in arrived if item.customer in marked}
        cursor = await connection.execute(
            "SELECT identifier, customer_id::text FROM identity.identifiers WHERE identifier = ANY(%s::text[])", (texts(deciders),)
        )
        owners: dict[str, str] = dict(await cursor.fetchall())
        # Asked last: whoever has an identifier because its owner was erased is not taken for the present owner of what was his.
        arrived = await self._not_erased(connection, arrived, marked)
        home: list[Arrived] = []
        forwarded: list[Publication] = []
        for item in arrived:
            owner = owners.get(item.event.yektadecider, item.customer) if item.customer in marked else item.customer
            if owner == item.customer:
                home.append(item)
            elif self._schema is not None:
                home.append(Arrived(item.record, item.event, owner, item.fact))
            else:
                event = msgspec.structs.replace(item.event, subject=owner)
                forwarded.append(Publication("customer-events", owner.encode(), msgspec.json.encode(event)))
        return home, forwarded

    async def _not_erased(self, connection: Connection, arrived: list[Arrived], marked: Collection[str]) -> list[Arrived]:
        """What is not an erased customer's. His are remembered as such, and their keys destroyed; he lost identifiers, so he is marked."""
        judged = [
            Judged(item.event.yektaevent, item.customer, item.event.yektadecider, item.event.yektarecorded)
            for item in arrived
            if item.customer in marked
        ]
        gone = await erasure.judge(connection, judged)
        if not gone:
            return arrived
        if self._schema is None:
            his = [item.event for item in arrived if item.event.yektaevent in gone]
            await erasure.note(connection, gone, {(event.yektaseal, gone[event.yektaevent]) for event in his})
        return [item for item in arrived if item.event.yektaevent not in gone]

    async def _fold(
        self, connection: Connection, schema: str, batch: Batch, new: Sequence[Arrived], learned: dict[str, State], whole: dict[int, Fact]
    ) -> Mapping[str, State]:
        """Fold what is new into the views, in the order of effective time; customers whose fold needs their past are refolded.

        Returns the states before; the facts that were opened for it are put into `whole`, by offset.
        """
        mine: dict[str, list[Arrived]] = {}
        for item in new:
            if item.customer:
                mine.setdefault(item.customer, []).append(item)
        if not mine:
            return {}
        states = await self._load(connection, schema, batch.partition, mine)
        facts = await self._facts(connection, states, mine, whole)
        busy = await self._moving.busy(connection, batch.partition)
        doubtful: list[str] = []
        refold: list[str] = []
        for customer, told in facts.items():
            if busy and uuid_of(customer) in busy:
                reached = busy[uuid_of(customer)]
                if reached is not None and told[0].at <= reached:
                    await self._moving.interrupted(connection, batch.partition, uuid_of(customer))
                continue
            state = _folded(states[customer], told)
            if state is None:
                doubtful.append(customer)
            else:
                learned[customer] = state
        words = await self._words(connection, schema, {customer: asks(states[customer], facts[customer]) for customer in doubtful})
        for customer in doubtful:
            state = _folded(states[customer], facts[customer], words.get(customer, {}))
            if state is None:
                refold.append(customer)
            else:
                learned[customer] = state
        rows = [(uuid_of(customer), state, batch.partition, mine[customer][-1].record.offset) for customer, state in learned.items()]
        await views.save(connection, schema, rows)
        if refold:
            whose = [uuid_of(customer) for customer in refold]
            await self._moving.refold(connection, schema, batch.partition, whose, _asked(batch), whole=False)
        return states

    async def _words(
        self, connection: Connection, schema: str, asked: Mapping[str, Collection[str]]
    ) -> dict[str, dict[str, list[datetime]]]:
        """When these orders of customers were spoken of: what may spare the reading of their histories."""
        refs = set().union(*asked.values())
        words: dict[str, dict[str, list[datetime]]] = {}
        for named in await timeline.naming(connection, schema, refs) if refs else ():
            if named.type in ORDERS and (customer := str(named.customer_id)) in asked:
                words.setdefault(customer, {}).setdefault(named.ref, []).append(named.at)
        return words

    async def _facts(
        self, connection: Connection, states: Mapping[str, State], mine: Mapping[str, Sequence[Arrived]], whole: dict[int, Fact]
    ) -> dict[str, list[Fact]]:
        """Per customer the facts to fold, in order; opened where the state cannot do without."""
        opening = [
            item
            for customer, items in mine.items()
            for item, opens in zip(items, openings(states[customer], [item.event for item in items]), strict=True)
            if opens
        ]
        if opening:
            await self._keys.fetch(connection, [item.event.yektaseal for item in opening])
            whole |= {item.record.offset: opening_of(item.fact, item.event, self._keys) for item in opening}
        facts: dict[str, list[Fact]] = {}
        for customer, items in mine.items():
            told = [whole.get(item.record.offset, item.fact) for item in items]
            if len(told) > 1:
                told.sort(key=_stamp)
            facts[customer] = told
        return facts

    async def _load(self, connection: Connection, schema: str, partition: int, customers: Iterable[str]) -> dict[str, State]:
        cached = self._states.get(self._writer(partition), {})
        states = {customer: cached.get(customer) for customer in customers}
        missing = [uuid_of(customer) for customer, state in states.items() if state is None]
        stored = await views.load(connection, schema, missing) if missing else {}
        return {customer: state or stored.get(uuid_of(customer)) or initial() for customer, state in states.items()}


def _folded(state: State, told: Iterable[Fact], words: Words | None = None) -> State | None:
    """The state after these facts; None where the history must be folded for it, as far as these words on orders tell."""
    for fact in told:
        if needs_history(state, fact, words):
            return None
        state = evolve(state, fact)
    return state


@contextmanager
def reading_what_is_known() -> Iterator[None]:
    """What a newer version wrote stops the partition until that version reads it."""
    try:
        yield
    except VersionUnknown as newer:
        raise Halt(f"{newer}. Start the newer version.") from newer


def _decode(records: Sequence[Record]) -> tuple[list[Arrived], dict[UUID, datetime], list[Spoken], list[Effect]]:
    """Events, customers that identity spoke of and since when what it said is so, decisions and timers, and what is none of these."""
    arrived: list[Arrived] = []
    spoken: list[Spoken] = []
    words: dict[UUID, datetime] = {}
    effects: list[Effect] = []
    for record in records:
        try:
            event = customer_event_decoder.decode(record.value or b"")
            customer = uuid_of(event.subject)
            check(event.yektaevent, event.data)
        except msgspec.MsgspecError as bad:
            effects.append(Bury(record, "not_a_customer_event", str(bad)))
            continue
        if is_word(event):
            if event.type not in (MOVED, RECEIVED, ERASED):
                raise Halt(f"Identity says {event.type}, which this version does not know. Start the newer one.")
            words[customer] = max(event.time, words.get(customer, event.time))
        elif is_spoken(event):
            spoken.append(Spoken(record.offset, event.subject, event))
        else:
            arrived.append(Arrived(record, event, event.subject, fact_of(event)))
    return arrived, words, spoken, effects


def _asked(batch: Batch, since: Mapping[UUID, datetime] = MappingProxyType({})) -> Asked:
    return Asked(batch.end - 1, datetime.fromtimestamp(batch.records[-1].timestamp / 1000, UTC), since)


async def _insert(connection: Connection, schema: str, partition: int, arrived: Sequence[Arrived]) -> list[Arrived]:
    """Put the events into the timeline; return those that were not there."""
    if not arrived:
        return []
    rows = [
        timeline.row_of(item.event, item.record.value or b"", uuid_of(item.customer), partition, item.record.offset, item.fact)
        for item in arrived
    ]
    fresh = await timeline.insert(connection, schema, rows)
    return [item for item in arrived if item.record.offset in fresh]


async def _set_clock(connection: Connection, partition: int, new: Sequence[Arrived]) -> None:
    """The now of sources that replay their own time moves with what they send, and not with what we say of it.

    A score that an order of the far future moved is given at our time; one such order would end the windows of everybody. So would one
    event that says no time: it counts when it arrived, which is our time.
    """
    times = [at for _, at in _replayed(new)]
    if times:
        await connection.execute(
            "INSERT INTO streams.clocks (partition, now) VALUES (%s, %s) ON CONFLICT (partition)"
            " DO UPDATE SET now = GREATEST(streams.clocks.now, excluded.now)",
            (partition, max(times)),
        )


async def _set_clocks_of_sources(connection: Connection, partition: int, new: Sequence[Arrived]) -> None:
    """The same for each source by itself: one that replays an earlier time than another has its own."""
    latest: dict[str, datetime] = {}
    for source, at in _replayed(new):
        latest[source] = max(at, latest.get(source, at))
    if latest:
        await connection.execute(
            "INSERT INTO streams.source_clocks (partition, source, now) SELECT %s, * FROM unnest(%s::text[], %s::timestamptz[])"
            " ON CONFLICT (partition, source) DO UPDATE SET now = GREATEST(streams.source_clocks.now, excluded.now)",
            (partition, texts(latest), list(latest.values())),
        )


def _replayed(new: Sequence[Arrived]) -> Iterator[tuple[str, datetime]]:
    """The sources of these that replay their time, with the times that are believed of them."""
    for item in new:
        event = item.event
        if event.yektaclock and event.yektakey != KEY and event.time != event.yektarecorded and not item.fact.flag:
            yield event.yektakey, item.fact.at


async def _position(connection: Connection, partition: int) -> int:
    """Where the partition stands, in a transaction that takes no records."""
    cursor = await connection.execute(
        "SELECT next_offset FROM streams.positions WHERE processor = 'customer' AND partition = %s", (partition,)
    )
    row = await cursor.fetchone()
    return int(row[0]) if row else 0
