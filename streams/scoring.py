"""Scores customers in the transaction that folds their facts, looks at the silent, and tells the learner: a part of `customer`.

What is said is a pure function of the facts and the champion (`projections.churn.kept`); here it is written down, published where it moved,
and remembered as examples through `churn-examples`. Once a definition has learnt its first labels its scores are given; until then it is
only remembered what would have been said. Reading order: Scoring.ready, told, fold, refolded, pulse, `_say`, `_past`.
"""

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from time import monotonic
from uuid import UUID

import msgspec
import structlog

from aggregates.churn import DAY
from aggregates.wire import CustomerEvent
from projections.churn import kept as keeping
from projections.churn import marks, messages, table
from projections.churn.features import bringing_in, ever_in_population, in_population
from projections.churn.fold import needs_history
from projections.churn.kept import Came, Kept, Recalled, Said
from projections.churn.messages import Example, Told
from projections.churn.silence import checks, next_check
from projections.churn.table import Given, InForce, Key
from projections.churn.weights import parts, scored
from projections.timeline.row import NOBODY, uuid_of
from streams import score_records
from streams.days import Days
from streams.learning import champion
from streams.learning.champion import Champion
from streams.learning.snapshot import SnapshotRefused
from streams.parts import Heard, Moment, Past, Spoken
from streams.record import Effect, Keys, Publication
from streams.remembering import Histories
from streams.retracing import Retracing

OURS = "yekta:"
LOOKS = 2_000
"""How many silent customers are looked at in one transaction."""

IDLE = (1.0, 10.0)
"""How often an idle partition looks at the time, in seconds: at first, and at last."""

PAST = 200
"""Customers whose past is gone through in one transaction."""

EXAMPLES = 2_000
"""What is told in one record, more or less: records have a largest size."""

LONG = 1_000
"""Events of a customer whose past is not gone through from the beginning whenever one comes late."""

CUSTOMERS = 50_000
STRANGERS = 500_000


class History(msgspec.Struct, frozen=True, gc=False):
    """What the first facts of a customer make of him: for each definition, and how many they are."""

    by: dict[int, Recalled]
    decider: str = ""
    facts: int = 0


_history = msgspec.msgpack.Decoder(History)

log = structlog.get_logger()


class Scoring:
    """The part. `ends`: where `touchpoints` ends, by partition."""

    name = "churn"

    def __init__(self, keys: Keys, clock: Callable[[], datetime], key: bytes, ends: Callable[[], Awaitable[Mapping[int, int]]]) -> None:
        self._clock, self._key, self._days = clock, key, Days(clock, ends)
        self._histories, self._retracing = Histories(keys, self.wants), Retracing(keys, self)
        self._in_force: list[InForce] = []
        self._champions: dict[int, Champion] = {}  # by definition
        self._kept: dict[int, dict[Key, Kept]] = {}  # by partition
        self._learned: dict[int, dict[Key, Kept]] = {}
        self._strangers: dict[int, set[Key]] = {}  # of whom nothing is kept, since they never were in the population
        self._telling: dict[int, list[Told]] = {}
        self._passed: dict[int, dict[bool, int]] = {}
        self._behind: set[int] = set()  # partitions in which silent customers wait to be looked at
        self._looks: dict[int, tuple[float, float]] = {}  # when an idle partition looks at the time again, and after how long then

    def forget(self, partition: int) -> None:
        for held in (self._kept, self._learned, self._strangers, self._telling, self._passed, self._looks):
            held.pop(partition, None)
        self._behind.discard(partition)

    def committed(self, partition: int) -> None:
        kept = self._kept.setdefault(partition, {})
        if len(kept) > CUSTOMERS:
            kept.clear()
        kept.update(self._learned.pop(partition, {}))

    async def ready(self, moment: Moment) -> None:
        """Which definitions are in force, and by which champions: each snapshot is loaded once."""
        self._telling[moment.partition] = []
        self._learned[moment.partition] = {}
        self._in_force = await table.in_force(moment.connection)
        for one in self._in_force:
            known = self._champions.get(one.id)
            if known is None or known.number != (one.champion or 0):
                self._champions[one.id] = await self._champion(moment, one)
        if moment.partition not in self._passed:
            self._passed[moment.partition] = await table.passed(moment.connection, moment.partition)

    async def _champion(self, moment: Moment, one: InForce) -> Champion:
        try:
            return await champion.load(moment.connection, one.champion, one.definition.horizon, self._key)
        except SnapshotRefused as refused:
            log.error("a champion is not loaded", number=one.champion, why=str(refused))
            return Champion(one.champion or 0, champion.ignorant(one.definition.horizon), 0)

    def wants(self, partition: int, event: CustomerEvent) -> bool:
        del partition
        return not event.yektasimulated and not (event.yektakey == "yekta" and event.source.startswith(OURS))

    async def chosen(self, moment: Moment, wanted: Sequence[Spoken]) -> Sequence[Spoken]:
        """What concerns those of whom something is kept, or who come in by it; everybody else is a stranger."""
        now = monotonic()
        self._looks = dict.fromkeys(self._looks, (now + IDLE[0], IDLE[0]))
        customers = dict.fromkeys(item.customer for item in wanted)
        concerned = {customer for customer, _ in await self._load(moment, customers)}
        bring_in = {type_ for one in self._in_force for type_ in bringing_in(one.definition)}
        concerned.update(item.customer for item in wanted if item.event.type in bring_in)
        strangers = self._strangers[moment.partition]
        strangers.update((customer, one.id) for customer in customers if customer not in concerned for one in self._in_force)
        return [item for item in wanted if item.customer in concerned]

    async def decided(self, moment: Moment, event: CustomerEvent) -> list[Effect]:
        del moment, event
        return []

    async def told(self, moment: Moment, heard: Sequence[Heard]) -> list[Effect]:
        """New facts: fold, score, remember."""
        mine: dict[str, list[Heard]] = {}
        for item in heard:
            if item.fact is not None:
                mine.setdefault(item.customer, []).append(item)
        known = await self._load(moment, mine)
        effects: list[Effect] = []
        derive_again: list[str] = []
        late: dict[str, datetime] = {}  # of those to whom something came that is not after all that is kept: when it was
        given: list[Given] = []
        for customer, items in mine.items():
            facts = sorted((item.fact for item in items if item.fact is not None), key=lambda fact: fact.stamp)
            decider = next((item.event.yektadecider for item in reversed(items) if item.event.yektadecider), "")
            before = moment.before.get(customer)
            for one in self._in_force:
                key = (customer, one.id)
                kept = known.get(key)
                if kept is None and not any(fact.type in bringing_in(one.definition) for fact in facts):
                    self._strangers[moment.partition].add(key)
                    continue
                if kept is not None and facts[0].at.timestamp() / DAY <= kept.state.at:
                    late[customer] = facts[0].at
                if (kept is None and (key in self._strangers[moment.partition] or (before is not None and before.events))) or (
                    kept is not None and any(needs_history(one.definition, kept.state, fact) for fact in facts)
                ):
                    derive_again.append(customer)
                    break
                void = None if kept is None else keeping.too_early(one.definition, kept, facts[0])
                came = keeping.hear(one.definition, self._champions[one.id].model, kept or Kept(), facts)
                if decider:
                    came = came._replace(kept=msgspec.structs.replace(came.kept, decider=decider))
                effects += self._say(moment, customer, one, came, given, void)
        await marks.void(moment.connection, {uuid_of(customer): at for customer, at in late.items() if customer not in derive_again})
        effects += await self._derived(moment, derive_again, given, late)
        await table.give(moment.connection, given)
        return effects

    def begin(self, partition: int) -> History:
        del partition
        return History({one.id: Recalled() for one in self._in_force})

    def fold(self, partition: int, so_far: History, told: Sequence[Past]) -> History:
        """For the definitions of the beginning that are still in force."""
        del partition
        facts = [fact for _, fact in told]
        by = {one.id: keeping.recall(one.definition, so_far.by[one.id], facts) for one in self._in_force if one.id in so_far.by}
        decider = next((event.yektadecider for event, _ in reversed(told) if event.yektadecider), so_far.decider)
        return History(by, decider, so_far.facts + len(facts))

    def pack(self, so_far: History) -> bytes:
        return msgspec.msgpack.encode(so_far)

    def unpack(self, partition: int, packed: bytes) -> History | None:
        del partition
        so_far = _history.decode(packed)
        return so_far if all(one.id in so_far.by for one in self._in_force) else None

    async def refolded(self, moment: Moment, customers: Mapping[UUID, History]) -> list[Effect]:
        """Rows came or went: what is known of these customers follows from their rows, and what is so of them now is given."""
        learned, whole = self._learned[moment.partition], {str(customer): history for customer, history in customers.items()}
        for key in [key for key in learned if key[0] in whole]:
            learned.pop(key)
        # what was said of him last may have been said of two, and have gone with the rows of the other: it is said again
        before = {
            key: msgspec.structs.replace(kept, score=None, given=None, told=None)
            for key, kept in (await table.load(moment.connection, customers)).items()
        }
        await marks.forget(moment.connection, customers)
        for customer, history in whole.items():
            self._from_history(moment, customer, history, before, None)
        asked = {one.id for one in self._in_force}
        await self._forgotten(moment, [key for key in before if not whole[key[0]].facts or (key[1] in asked and key not in learned)])
        whose = [(str(customer), one) for customer in customers for one in self._in_force]
        return await self._give_now(moment, [(*key, kept) for key in whose if (kept := learned.get((key[0], key[1].id))) is not None])

    async def pulse(self, moment: Moment) -> list[Effect]:
        """Look at the silent up to where the time has come, write down what changed, and tell the learner."""
        effects, passed = await self._look(moment)
        past: list[int] = []
        if not moment.fresh and moment.partition not in self._behind:
            past = await self._past(moment)
        if not moment.fresh and moment.partition not in self._behind:
            effects += await self._again(moment)
        learned = self._learned[moment.partition]
        await table.save(moment.connection, moment.partition, learned)
        told = self._telling.pop(moment.partition, [])
        for batch in messages.batches(moment.partition, told, passed, past, EXAMPLES):
            key = batch.told[0].customer if batch.told else str(moment.partition)
            effects.append(Publication("churn-examples", key.encode(), messages.encode(batch)))
        if not moment.fresh:  # nobody says of a chore that it was committed
            cached = self._kept.get(moment.partition, {})
            for changed in learned:
                cached.pop(changed, None)
            self._learned[moment.partition] = {}
        return effects

    def restless(self, partition: int) -> bool:
        if partition in self._behind:
            return True
        now = monotonic()
        at, wait = self._looks.setdefault(partition, (now + IDLE[0], IDLE[0]))
        if now < at:
            return False
        wait = min(2.0 * wait, IDLE[1])
        self._looks[partition] = (now + wait, wait)
        return True

    async def _load(self, moment: Moment, customers: Mapping[str, object]) -> dict[Key, Kept]:
        """What is kept of these customers: as this transaction has it, as it is cached, else as it is stored."""
        cached, learned = self._kept.get(moment.partition, {}), self._learned[moment.partition]
        strangers = self._strangers.setdefault(moment.partition, set())
        if len(strangers) > STRANGERS:
            strangers.clear()
        found: dict[Key, Kept] = {}
        missing: set[str] = set()
        for customer in customers:
            for one in self._in_force:
                key = (customer, one.id)
                kept = learned.get(key) or cached.get(key)
                if kept is not None:
                    found[key] = kept
                elif key not in strangers and customer in moment.before and moment.before[customer].events:
                    missing.add(customer)
        if missing:
            stored = await table.load(moment.connection, [uuid_of(customer) for customer in missing])
            self._kept.setdefault(moment.partition, {}).update(stored)
            found = stored | found
        return found

    def _say(
        self,
        moment: Moment,
        customer: str,
        one: InForce,
        came: Came,
        given: list[Given] | None,
        void: int | None = None,
        *,
        remember: bool = True,
    ) -> list[Effect]:
        """Remember what was said, write down what moved, publish what moved far."""
        by, kept, said = self._champions[one.id], came.kept, came.said
        effects: list[Effect] = []
        if by.learnt and given is not None:
            for what in said:
                score = what.scored.score
                summands: dict[str, float] | None = None
                if keeping.weighty(kept, score):
                    summands = parts(what.scored.weights, what.scored.features, what.scored.anchors)
                    row = (_time(what.at), score, by.number, what.silent, msgspec.msgpack.encode(summands))
                    given.append(Given(uuid_of(customer), one.id, *row))
                    kept = msgspec.structs.replace(kept, given=score)
                if one.stands == "in_force" and keeping.tellable(one.definition, kept, score):
                    summands = summands or parts(what.scored.weights, what.scored.features, what.scored.anchors)
                    effects += score_records.moved(customer, one.definition, kept, what, summands, by.number, self._clock())
                    kept = msgspec.structs.replace(kept, told=score)
        if said:
            kept = msgspec.structs.replace(kept, score=said[-1].scored.score)
        self._learned[moment.partition][customer, one.id] = kept
        self._strangers.setdefault(moment.partition, set()).discard((customer, one.id))
        if not remember:
            return effects
        state = kept.state
        self._telling[moment.partition].append(
            Told(
                customer,
                one.id,
                kept.replayed,
                kept.decider,
                came.returns,
                came.losses,
                state.ends if state.running else None,
                tuple([Example(s.day, s.silent, s.scored.features, s.scored.anchors, s.scored.logit, by.number) for s in said]),
                void,
            )
        )
        return effects

    async def _derived(self, moment: Moment, customers: Sequence[str], given: list[Given], late: Mapping[str, datetime]) -> list[Effect]:
        """What is kept of these customers, from all of their rows; said is only what is so now."""
        effects: list[Effect] = []
        long = {customer for customer in late.keys() & set(customers) if moment.before[customer].events > LONG}
        await marks.forget(moment.connection, [uuid_of(customer) for customer in customers if customer not in long])
        for customer in sorted(long):
            history: History = await self._retracing.retraced(moment, uuid_of(customer), late[customer])
            effects += self._from_history(moment, customer, history, await table.load(moment.connection, [uuid_of(customer)]), given)
        wanted = [customer for customer in dict.fromkeys(customers) if customer not in long]
        for start in range(0, len(wanted), 500):
            some = wanted[start : start + 500]
            before = await table.load(moment.connection, [uuid_of(customer) for customer in some])
            async for customer, (facts, decider) in self._histories.several(moment, some):
                by = {one.id: keeping.recall(one.definition, Recalled(), facts) for one in self._in_force}
                effects += self._from_history(moment, customer, History(by, decider, len(facts)), before, given)
        return effects

    def _from_history(
        self, moment: Moment, customer: str, history: History, before: Mapping[Key, Kept], given: list[Given] | None
    ) -> list[Effect]:
        """What is kept of a customer after all of his history; `before`: what was kept until now."""
        effects: list[Effect] = []
        for one in self._in_force if history.facts else ():
            came = keeping.recalled(one.definition, self._champions[one.id].model, history.by[one.id])
            kept, known = msgspec.structs.replace(came.kept, decider=history.decider), before.get((customer, one.id))
            if not ever_in_population(one.definition, kept.state):
                continue
            last = self._passed[moment.partition].get(kept.replayed, 0)
            day = math.floor(kept.state.at)
            if kept.due is not None:
                kept = msgspec.structs.replace(kept, due=next_check(one.definition, day, max(day, last)))
            if known is not None:
                kept = msgspec.structs.replace(kept, score=known.score, given=known.given, told=known.told)
            effects += self._say(moment, customer, one, came._replace(kept=kept), given)
        return effects

    async def _forgotten(self, moment: Moment, gone: Sequence[Key]) -> None:
        """These have no facts any more by which anything is kept of them."""
        if not gone:
            return
        await table.forget(moment.connection, gone)
        for key in gone:
            self._kept.get(moment.partition, {}).pop(key, None)
            self._learned[moment.partition].pop(key, None)

    async def _past(self, moment: Moment) -> list[int]:
        """Tell what those definitions would have said of some customers that were published when these were there; answers those that
        this partition has told all of."""
        for one in self._in_force:
            if not one.past:
                continue
            after, done = await table.past(moment.connection, moment.partition, one.id)
            if done:
                continue
            self._behind.add(moment.partition)
            some = [
                str(customer) for customer in await table.customers_after(moment.connection, moment.schema, moment.partition, after, PAST)
            ]
            before = await table.load(moment.connection, [uuid_of(customer) for customer in some])
            model = self._champions[one.id].model
            async for customer, (facts, decider) in self._histories.several(moment, some):
                if not facts:
                    continue
                came = keeping.hear(one.definition, model, Kept(decider=decider), facts)
                looked = keeping.look(one.definition, model, came.kept, self._passed[moment.partition].get(came.kept.replayed, 0))
                known = before.get((customer, one.id), Kept())
                if not ever_in_population(one.definition, looked.kept.state):
                    continue
                kept = msgspec.structs.replace(looked.kept, given=known.given, told=known.told)
                self._say(moment, customer, one, came._replace(kept=kept, said=[*came.said, *looked.said]), None)
            ended = len(some) < PAST
            await table.went_past(moment.connection, moment.partition, one.id, None if ended else UUID(some[-1]))
            return [one.id] if ended else []
        return []

    async def _look(self, moment: Moment) -> tuple[list[Effect], dict[str, int]]:
        """Score the silent whose time has come; up to which days all is told then."""
        passed: dict[str, int] = {}
        effects: list[Effect] = []
        partition = moment.partition
        self._behind.discard(partition)
        for replayed, day in (await self._days.begun(moment, self._passed[partition])).items():
            if day <= self._passed[partition].get(replayed, -1):
                continue
            waiting = await table.due(moment.connection, partition, replayed=replayed, day=day, limit=LOOKS)
            given: list[Given] = []
            by_id = {one.id: one for one in self._in_force}
            for (customer, definition), stored in waiting.items():
                one = by_id.get(definition)
                kept = self._learned[partition].get((customer, definition), stored)
                if one is None:
                    self._learned[partition][customer, definition] = msgspec.structs.replace(kept, due=None)
                    continue
                came = keeping.look(one.definition, self._champions[definition].model, kept, day)
                effects += self._say(moment, customer, one, came, given)
            await table.give(moment.connection, given)
            if len(waiting) == LOOKS:
                self._behind.add(partition)
            else:
                await table.pass_on(moment.connection, partition, replayed=replayed, day=day)
                self._passed[partition][replayed] = day
                passed["replayed" if replayed else "wall"] = day
        return effects, passed

    async def _again(self, moment: Moment) -> list[Effect]:
        """Some of those whom the champion has not scored yet: what it says of them now is given, where that is another score."""
        known = await table.rescoring(moment.connection, moment.partition)
        for one in self._in_force:
            by = self._champions[one.id]
            champion_then, after = known.get(one.id, (0, None))
            if not by.learnt or (champion_then == by.number and after is None):
                continue
            start = after if champion_then == by.number and after is not None else NOBODY
            some = await table.following(moment.connection, moment.partition, one.id, start, LOOKS)
            learned = self._learned[moment.partition]
            effects = await self._give_now(
                moment, [(customer, one, learned.get((customer, one.id), stored)) for (customer, _), stored in some.items()]
            )
            last = UUID(list(some)[-1][0]) if len(some) == LOOKS else None
            await table.rescored(moment.connection, moment.partition, one.id, by.number, last)
            self._behind.add(moment.partition)
            return effects
        return []

    async def _give_now(self, moment: Moment, whose: Sequence[tuple[str, InForce, Kept]]) -> list[Effect]:
        """What the champions say now of these customers is given, where that is another score; it is not learnt from."""
        if not whose:
            return []
        given: list[Given] = []
        effects: list[Effect] = []
        clocks = await table.clocks(moment.connection)
        times = {False: self._clock(), True: max(clocks.values(), default=self._clock())}
        for customer, one, kept in whose:
            now = max(times[kept.replayed].timestamp() / DAY, kept.state.at)
            if in_population(one.definition, kept.state):
                said = scored(one.definition, self._champions[one.id].model, kept.state, now)
                silent = now - kept.state.at >= checks(one.definition)[0]
                came = Came(kept, [Said(math.floor(now), now, silent, said)], (), ())
                effects += self._say(moment, customer, one, came, given, remember=False)
        await table.give(moment.connection, given)
        return effects


def _time(days: float) -> datetime:
    return datetime.fromtimestamp(days * DAY, UTC)
