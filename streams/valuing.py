"""Keeps what customers are valued from, in the transaction that folds their facts: a part of `customer`. And fits the models, on a timer.

Reading order: Valuing, Fitting.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import reduce
from uuid import UUID

import msgspec
import psycopg
import structlog
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from aggregates.churn import DAY
from aggregates.fact import Fact
from aggregates.wire import CustomerEvent
from projections import generation
from projections.positions import replaying
from projections.value import contracts, fold, table
from projections.value.state import State
from projections.value.staying import ALL, kind
from projections.value.table import Valued
from projections.value.worth import Models, history, mean
from streams import fitting, timers
from streams.appraising import Appraising
from streams.caching import remember
from streams.parts import Heard, Moment, Past
from streams.record import Connection, Effect, Keys
from streams.remembering import Histories, last_of

CUSTOMERS = 50_000
EVERY = 10.0
"""Seconds between two looks at whether the models should be fitted anew."""

GROWN = 1.05
"""They are when so much more was told of customers than the last time."""

SAMPLE = 50_000
FEWEST = 50
"""Customers who bought again, without whom no order is expected of anybody, and contracts that came to a renewal, without which none is."""

BEHIND = timedelta(weeks=1)
"""Models count in weeks: so far behind its now may be what is in the views of replayed time, and they are fitted all the same."""

LOCK = 0x56414C55  # "VALU"

log = structlog.get_logger()


class History(msgspec.Struct, frozen=True, gc=False):
    """What the first facts of a customer make of him, and how many they are."""

    state: State = fold.INITIAL
    replayed: bool = True
    decider: str = ""
    facts: int = 0


_history = msgspec.msgpack.Decoder(History)


class Valuing:
    """The part. Only a few types matter to it."""

    name = "value"

    def __init__(self, keys: Keys, clock: Callable[[], datetime]) -> None:
        self._histories = Histories(keys, self.wants)
        self._appraising = Appraising(clock)
        self._kept: dict[int, dict[str, Valued]] = {}  # by partition
        self._learned: dict[int, dict[str, Valued]] = {}
        self._schema = ""
        self._nothing = State()  # of whom nothing is kept: before contracts were valued he may have had some

    def forget(self, partition: int) -> None:
        self._kept.pop(partition, None)
        self._learned.pop(partition, None)
        self._appraising.forget(partition)

    def committed(self, partition: int) -> None:
        kept = self._kept.setdefault(partition, {})
        remember(kept, self._learned.pop(partition, {}), CUSTOMERS)

    async def ready(self, moment: Moment) -> None:
        self._learned[moment.partition] = {}
        if moment.schema != self._schema:  # a rebuild may have learned of contracts
            self._kept.clear()
            self._schema = moment.schema
            self._nothing = State() if await generation.outdated(moment.connection, moment.schema) else fold.INITIAL
        await self._appraising.ready(moment)

    def wants(self, partition: int, event: CustomerEvent) -> bool:
        del partition
        return event.type in fold.WEIGHED and not event.yektasimulated

    async def decided(self, moment: Moment, event: CustomerEvent) -> list[Effect]:
        del moment, event
        return []

    async def told(self, moment: Moment, heard: Sequence[Heard]) -> list[Effect]:
        mine: dict[str, list[Fact]] = {}
        deciders: dict[str, str] = {}
        for item in heard:
            if item.fact is not None:
                mine.setdefault(item.customer, []).append(item.fact)
                if item.event.yektadecider:
                    deciders[item.customer] = item.event.yektadecider
        known = await self._load(moment, mine)
        late: list[str] = []
        learned = self._learned[moment.partition]
        for customer, facts in mine.items():
            facts.sort(key=lambda fact: fact.stamp)
            valued = known.get(customer) or Valued(fold.INITIAL if moment.is_new(customer) else self._nothing, True)
            if any(fold.needs_history(valued.state, fact) for fact in facts):
                late.append(customer)
                continue
            state = valued.state
            for fact in facts:
                state = fold.evolve(state, fact)
            replayed = valued.replayed and all(fact.clock == "event" for fact in facts)
            learned[customer] = Valued(state, replayed, deciders.get(customer, valued.decider), valued.told)
        await self._derived(moment, late)
        imported = [customer for customer, facts in mine.items() if all(fact.backfill for fact in facts)]
        return await self._appraising.appraise(moment, learned, mine, imported=imported)

    def begin(self, partition: int) -> History:
        del partition
        return History()

    def fold(self, partition: int, so_far: History, told: Sequence[Past]) -> History:
        del partition
        facts = [fact for _, fact in told]
        return History(
            reduce(fold.evolve, facts, so_far.state),
            so_far.replayed and all(fact.clock == "event" for fact in facts),
            next((event.yektadecider for event, _ in reversed(told) if event.yektadecider), so_far.decider),
            so_far.facts + len(facts),
        )

    def pack(self, so_far: History) -> bytes:
        return msgspec.msgpack.encode(so_far)

    def unpack(self, partition: int, packed: bytes) -> History:
        del partition
        return _history.decode(packed)

    async def refolded(self, moment: Moment, customers: Mapping[UUID, History]) -> list[Effect]:
        whose = {str(customer): history for customer, history in customers.items()}
        learned = self._learned[moment.partition]
        await self._from_histories(moment, whose)
        for customer in whose.keys() & learned.keys():  # what he was told last may have gone with the rows of another: it is told again
            learned[customer] = learned[customer]._replace(told=None)
        return await self._appraising.appraise(moment, learned, whose)

    async def pulse(self, moment: Moment) -> list[Effect]:
        learned = self._learned[moment.partition]
        effects = await self._appraising.sweep(moment, learned)
        await table.save(moment.connection, moment.partition, learned)
        if not moment.fresh:  # nobody says of a chore that it was committed
            for customer in learned:
                self._kept.get(moment.partition, {}).pop(customer, None)
            self._learned[moment.partition] = {}
        return effects

    def restless(self, partition: int) -> bool:
        return self._appraising.restless(partition)

    async def _load(self, moment: Moment, customers: Mapping[str, object]) -> dict[str, Valued]:
        cached, learned = self._kept.get(moment.partition, {}), self._learned[moment.partition]
        found = {customer: kept for customer in customers if (kept := learned.get(customer) or cached.get(customer)) is not None}
        missing = [UUID(customer) for customer in customers if customer not in found and not moment.is_new(customer)]
        return (await table.load(moment.connection, missing) | found) if missing else found

    async def _derived(self, moment: Moment, customers: Sequence[str]) -> None:
        """What is kept of these customers, from all of their rows."""
        if not customers:
            return
        found: dict[str, History] = {}
        async for customer, (facts, deciders) in self._histories.several(moment, list(dict.fromkeys(customers))):
            replayed = all(fact.clock == "event" for fact in facts)
            found[customer] = History(reduce(fold.evolve, facts, fold.INITIAL), replayed, last_of(deciders), len(facts))
        await self._from_histories(moment, found)

    async def _from_histories(self, moment: Moment, customers: Mapping[str, History]) -> None:
        """What is kept of customers after all of their histories."""
        learned = self._learned[moment.partition]
        before = await self._load(moment, customers)
        gone: list[UUID] = []
        for customer, found in customers.items():
            if found.facts:
                told = before[customer].told if customer in before else None
                learned[customer] = Valued(found.state, found.replayed, found.decider, told)
                continue
            gone.append(UUID(customer))
            learned.pop(customer, None)
            self._kept.get(moment.partition, {}).pop(customer, None)
        if gone:
            await table.forget(moment.connection, gone)


class Fitting:
    """Fits the models anew when much more is known of customers; of all processes one does."""

    name = "fitting"

    def __init__(self, pool: AsyncConnectionPool[Connection], clock: Callable[[], datetime]) -> None:
        self._pool, self._clock = pool, clock

    async def run(self) -> None:
        """Go on for as long as the process lives."""
        while True:
            try:
                await self.fit()
            except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout, OSError) as error:
                log.warning("values_wait", error=type(error).__name__)
            await asyncio.sleep(EVERY)

    async def fit(self) -> None:
        """Look whether it is worth it, and if so do it."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute("SELECT pg_try_advisory_xact_lock(%s)", (LOCK,))
            row = await cursor.fetchone()
            if row is None or not row[0]:
                return
            for replayed, (now, then) in (await table.changes(connection)).items():
                if then is None or now >= GROWN * then + 1:
                    await self._fitted(connection, replayed, now)

    async def _fitted(self, connection: Connection, replayed: bool, counted: int) -> None:
        at = await _replayed(connection) if replayed else self._clock()
        if at is None:
            return
        states = [state async for state in table.states(connection, replayed=replayed, most=SAMPLE)]
        found = await asyncio.to_thread(fitted, states, at.timestamp() / DAY)
        if found is not None:
            await table.keep(connection, found, replayed=replayed, at=at, counted=counted)


async def _replayed(connection: Connection) -> datetime | None:
    """The now of replayed time; None while what was sent waits far behind it: whoever did it would be taken for silent."""
    ahead, sent = await replaying.latest(connection), await timers.replayed(connection)
    return ahead if ahead is not None and sent is not None and ahead - sent <= BEHIND else None


def fitted(states: Sequence[State], now: float) -> Models | None:
    """The models of these customers at a time; None when too few of them bought again, and too few contracts came to a renewal."""
    buyers = [state for state in states if state.first is not None]
    repeating = sum(1 for state in buyers if state.repeats)
    buying, spending = None, {}
    if repeating >= FEWEST:
        buying = fitting.buying([history(state, max(now, state.at)) for state in buyers])
        purses: dict[str, list[tuple[int, float]]] = {}
        for state in buyers:
            for currency, purse in state.purses.items():
                if purse.days and mean(purse) > 0.0:
                    purses.setdefault(currency, []).append((purse.days, mean(purse)))
        spending = {currency: fitting.spending(some) for currency, some in purses.items() if len(some) >= FEWEST}
    decided = [ages for state in states for ages in contracts.all_decided(state, max(now, state.at))]
    by_kind = {ALL: decided} | {
        name: [ages for ages in decided if kind(ages.period) == name] for name in {kind(one.period) for one in decided}
    }
    staying = {name: fitting.staying(some) for name, some in sorted(by_kind.items()) if len(some) >= FEWEST}
    if buying is None and not staying:
        return None
    return Models(0, buying, spending, len(buyers), repeating, staying, len(decided))
