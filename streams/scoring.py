"""Scores customers in the transaction that folds their facts: a part of `customer`.

What is said is a pure function of the facts and the champion (`projections.churn.kept`); `saying` writes it down, publishes it where it
moved and tells the learner through `churn-examples`, and `sweeping` scores those to whom nothing comes. Once a definition has learnt its
first labels its scores are given; until then it is only remembered what would have been said. Reading order: Scoring.ready, chosen, told,
fold, refolded, pulse.
"""

import math
from bisect import bisect_left
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

import msgspec

from aggregates.churn import DAY
from aggregates.fact import Fact, Stamp
from aggregates.wire import CustomerEvent
from projections.churn import kept as keeping
from projections.churn import marks, messages, table
from projections.churn.features import bringing_in, brings_in, ever_in_population
from projections.churn.fold import needs_history
from projections.churn.kept import Came, Kept, Recalled
from projections.churn.messages import Told
from projections.churn.state import FOLDED
from projections.churn.table import InForce, Key
from projections.timeline.row import uuid_of
from streams.caching import remember
from streams.parts import Heard, Moment, Past, Spoken
from streams.record import Effect, Keys, Publication
from streams.remembering import Histories, last_of
from streams.retracing import Retracing
from streams.saying import Saying
from streams.sweeping import Sweeping

OURS = "yekta:"

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


def _stamp(item: Heard) -> Stamp:
    assert item.fact is not None  # noqa: S101 - words are left out
    return item.fact.stamp


class Scoring:
    """The part. `ends`: where `touchpoints` ends, by partition."""

    name = "churn"

    def __init__(self, keys: Keys, clock: Callable[[], datetime], key: bytes, ends: Callable[[], Awaitable[Mapping[int, int]]]) -> None:
        self._histories, self._retracing = Histories(keys, self.wants), Retracing(keys, self)
        self._saying = Saying(clock, key)
        self._sweeping = Sweeping(self._saying, self._histories, clock, ends)
        self._kept: dict[int, dict[Key, Kept]] = {}  # by partition
        self._strangers: dict[int, set[Key]] = {}  # of whom nothing is kept, since they never were in the population

    def forget(self, partition: int) -> None:
        self._kept.pop(partition, None)
        self._strangers.pop(partition, None)
        self._saying.forget(partition)
        self._sweeping.forget(partition)

    def committed(self, partition: int) -> None:
        kept = self._kept.setdefault(partition, {})
        remember(kept, self._saying.learned.pop(partition, {}), CUSTOMERS)

    async def ready(self, moment: Moment) -> None:
        await self._saying.ready(moment)
        await self._sweeping.ready(moment)

    def wants(self, partition: int, event: CustomerEvent) -> bool:
        del partition
        return not event.yektasimulated and not (event.yektakey == "yekta" and event.source.startswith(OURS))

    async def chosen(self, moment: Moment, wanted: Sequence[Spoken]) -> Sequence[Spoken]:
        """What concerns those of whom something is kept, or who come in by it; everybody else is a stranger."""
        self._sweeping.awake()
        in_force = self._saying.in_force(moment.partition)
        customers = dict.fromkeys(item.customer for item in wanted)
        concerned = {customer for customer, _ in await self._load(moment, customers)}
        bring_in = {type_ for one in in_force for type_ in bringing_in(one.definition)}
        concerned.update(item.customer for item in wanted if item.event.type in bring_in)
        strangers = self._strangers[moment.partition]
        strangers.update((customer, one.id) for customer in customers if customer not in concerned for one in in_force)
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
        known, in_force = await self._load(moment, mine), self._saying.in_force(moment.partition)
        effects: list[Effect] = []
        derive_again: dict[str, int] = {}  # from which day on it is to be said again
        late: dict[str, datetime] = {}  # of those to whom something came that is not after all that is kept: when it was
        for customer, items in mine.items():
            items.sort(key=_stamp)
            facts = [item.fact for item in items if item.fact is not None]
            deciders = [item.event.yektadecider for item in items]
            decider = last_of(deciders)
            before = moment.before.get(customer)
            for one in in_force:
                key = (customer, one.id)
                kept = known.get(key)
                if kept is None and not any(brings_in(one.definition, fact) for fact in facts):
                    self._strangers[moment.partition].add(key)
                    continue
                if kept is not None and facts[0].at.timestamp() / DAY <= kept.state.at:
                    late[customer] = facts[0].at
                if (kept is None and (key in self._strangers[moment.partition] or (before is not None and before.events))) or (
                    kept is not None and any(needs_history(one.definition, kept.state, fact) for fact in facts)
                ):
                    derive_again[customer] = math.floor(facts[0].at.timestamp() / DAY)
                    break
                void = None if kept is None else keeping.too_early(one.definition, kept, facts[0])
                came = keeping.hear(one.definition, self._saying.champion(moment.partition, one.id).model, kept or Kept(), facts)
                earlier = came.kept.decider
                if decider and (decider != earlier or len(items) > 1):
                    said = keeping.decided(came.said, facts, deciders, earlier) if len({earlier, *deciders} - {""}) > 1 else came.said
                    came = came._replace(kept=msgspec.structs.replace(came.kept, decider=decider), said=said)
                effects += self._saying.say(moment, customer, one, came, void)
        await marks.void(moment.connection, {uuid_of(customer): at for customer, at in late.items() if customer not in derive_again})
        return effects + await self._derived(moment, derive_again, late)

    def begin(self, partition: int) -> History:
        return History({one.id: Recalled() for one in self._saying.in_force(partition)})

    def fold(self, partition: int, so_far: History, told: Sequence[Past]) -> History:
        """For the definitions of the beginning that are still in force."""
        facts = [fact for _, fact in told]
        in_force = [one for one in self._saying.in_force(partition) if one.id in so_far.by]
        by = {one.id: keeping.recall(one.definition, so_far.by[one.id], facts) for one in in_force}
        decider = next((event.yektadecider for event, _ in reversed(told) if event.yektadecider), so_far.decider)
        return History(by, decider, so_far.facts + len(facts))

    def pack(self, so_far: History) -> bytes:
        return msgspec.msgpack.encode(so_far)

    def unpack(self, partition: int, packed: bytes) -> History | None:
        by = (so_far := _history.decode(packed)).by
        goes_on = all(one.id in by and by[one.id].kept.state.folded == FOLDED for one in self._saying.in_force(partition))
        return so_far if goes_on else None

    async def refolded(self, moment: Moment, customers: Mapping[UUID, History]) -> list[Effect]:
        """Rows came or went: what is known of these customers follows from their rows, and what is so of them now is given."""
        learned, whole = self._saying.learned[moment.partition], {str(customer): history for customer, history in customers.items()}
        for key in [key for key in learned if key[0] in whole]:
            learned.pop(key)
        # what was said of him last may have been said of two, and have gone with the rows of the other: it is said again
        before = {
            key: msgspec.structs.replace(kept, score=None, given=None, told=None)
            for key, kept in (await table.load(moment.connection, customers)).items()
        }
        await marks.forget(moment.connection, customers)
        await self._open_again(moment, whole, before)
        asked = {one.id for one in self._saying.in_force(moment.partition)}
        await self._forgotten(
            moment, {key: kept for key, kept in before.items() if not whole[key[0]].facts or (key[1] in asked and key not in learned)}
        )
        whose = [(str(customer), one) for customer in customers for one in self._saying.in_force(moment.partition)]
        return await self._saying.now(moment, [(*key, kept) for key in whose if (kept := learned.get((key[0], key[1].id))) is not None])

    async def pulse(self, moment: Moment) -> list[Effect]:
        """Look at the silent up to where the time has come, write down what changed, and tell the learner."""
        partition = moment.partition
        effects, passed = await self._sweeping.look(moment)
        past: list[int] = []
        if not moment.fresh and not self._sweeping.behind(partition):
            past = await self._sweeping.past(moment)
        if not moment.fresh and not self._sweeping.behind(partition):
            effects += await self._sweeping.again(moment)
        learned = self._saying.learned[partition]
        self._strangers.get(partition, set()).difference_update(learned)
        await table.save(moment.connection, partition, learned, self._saying.given.pop(partition, []))
        told = self._saying.telling.pop(partition, [])
        for batch in messages.batches(partition, told, passed, past, EXAMPLES):
            key = batch.told[0].customer if batch.told else str(partition)
            effects.append(Publication("churn-examples", key.encode(), messages.encode(batch)))
        if not moment.fresh:  # nobody says of a chore that it was committed
            cached = self._kept.get(partition, {})
            for changed in learned:
                cached.pop(changed, None)
            self._saying.learned[partition] = {}
        return effects

    def restless(self, partition: int) -> bool:
        return self._sweeping.restless(partition)

    async def _load(self, moment: Moment, customers: Mapping[str, object]) -> dict[Key, Kept]:
        """What is kept of these customers: as this transaction has it, as it is cached, else as it is stored."""
        cached, learned = self._kept.get(moment.partition, {}), self._saying.learned[moment.partition]
        strangers = self._strangers.setdefault(moment.partition, set())
        if len(strangers) > STRANGERS:
            strangers.clear()
        found: dict[Key, Kept] = {}
        missing: set[str] = set()
        in_force = self._saying.in_force(moment.partition)
        for customer in customers:
            for one in in_force:
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

    async def _derived(self, moment: Moment, customers: Mapping[str, int], late: Mapping[str, datetime]) -> list[Effect]:
        """What is kept of these customers, from all of their rows; what is said from a day on is remembered, what is so now given."""
        effects: list[Effect] = []
        long = {customer for customer in late.keys() & set(customers) if moment.before[customer].events > LONG}
        if marked := [customer for customer in customers if customer not in long and moment.before[customer].events > LONG]:
            await marks.forget(moment.connection, map(uuid_of, marked))
        for customer in sorted(long):
            before = await table.load(moment.connection, [uuid_of(customer)])
            by: dict[int, Came] = {}
            history: History = await self._retracing.retraced(moment, uuid_of(customer), late[customer], partial(self._met, moment, by))
            effects += self._again(moment, customer, history.decider, by, before, customers[customer])
        wanted = [customer for customer in customers if customer not in long]
        for start in range(0, len(wanted), 500):
            some = wanted[start : start + 500]
            before = await table.load(moment.connection, [uuid_of(customer) for customer in some])
            async for customer, (facts, deciders) in self._histories.several(moment, some):
                by = self._retold(moment, facts, deciders, customers[customer])
                effects += self._again(moment, customer, last_of(deciders), by, before, customers[customer])
        return effects

    def _retold(self, moment: Moment, facts: Sequence[Fact], deciders: Sequence[str], since: int) -> dict[int, Came]:
        """What comes of a history for each definition, when it is said from a day on."""
        place = bisect_left(facts, since, key=lambda fact: math.floor(fact.at.timestamp() / DAY))
        replayed = all(fact.clock == "event" for fact in facts)
        by: dict[int, Came] = {}
        for one in self._saying.in_force(moment.partition):
            before, model = keeping.recall(one.definition, Recalled(), facts[:place]), self._saying.champion(moment.partition, one.id).model
            first = max(since, self._unlabelled(moment.partition, one, replayed=replayed))
            came = keeping.told_again(one.definition, model, before, facts[place:], first)
            by[one.id] = came._replace(said=keeping.decided(came.said, facts[place:], deciders[place:], last_of(deciders[:place])))
        return by

    def _met(self, moment: Moment, by: dict[int, Came], so_far: History, told: Sequence[Past]) -> None:
        """The same of a long history, of which these are the next facts."""
        facts, deciders = [fact for _, fact in told], [event.yektadecider for event, _ in told]
        for one in self._saying.in_force(moment.partition):
            model = self._saying.champion(moment.partition, one.id).model
            came = keeping.told_again(one.definition, model, so_far.by[one.id], facts)
            said = keeping.decided(came.said, facts, deciders, so_far.decider)
            by[one.id] = came._replace(said=[*by[one.id].said, *said] if one.id in by else said)

    def _again(
        self,
        moment: Moment,
        customer: str,
        decider: str,
        by: Mapping[int, Came],
        before: Mapping[Key, Kept],
        since: int,
        *,
        rows: bool = False,
    ) -> list[Effect]:
        """What is said of a customer from a day on is said again; `before`: what was kept of him. `rows`: of his came or went, and what is
        so of him now is given with that of others."""
        effects: list[Effect] = []
        for one in self._saying.in_force(moment.partition):
            came, definition = by[one.id], one.definition
            if not ever_in_population(definition, came.kept.state):
                continue
            passed = self._sweeping.passed[moment.partition].get(came.kept.replayed, 0)
            first = max(since, self._unlabelled(moment.partition, one, replayed=came.kept.replayed))
            looked = keeping.look(definition, self._saying.champion(moment.partition, one.id).model, came.kept, passed, first)
            known = before.get((customer, one.id), Kept())
            kept = msgspec.structs.replace(looked.kept, decider=decider, given=known.given, told=known.told)
            said = [*came.said, *looked.said]
            again = {(what.day, what.silent): what for what in said if what.day >= first}  # of a day the last word counts
            left = first if definition.contractual or rows else None
            told = came._replace(kept=kept, said=list(again.values()), left=left)
            effects += self._saying.say(moment, customer, one, told, first, give=False, whole=True)
            if said and not rows:
                kept = self._saying.learned[moment.partition][customer, one.id]
                effects += self._saying.say(moment, customer, one, Came(kept, said[-1:], (), ()), remember=False)
        return effects

    def _unlabelled(self, partition: int, one: InForce, *, replayed: bool) -> int:
        """The first day of which not every label is known yet: what is said anew of an older one nobody asks for."""
        return self._sweeping.passed[partition].get(replayed, 0) - one.definition.horizon - 1

    async def _open_again(self, moment: Moment, histories: Mapping[str, History], before: Mapping[Key, Kept]) -> None:
        """Rows came or went: what is said of these customers on days that are not over is said again. What was said of those before
        stays, for who is who may be decided otherwise again."""
        in_force, passed = self._saying.in_force(moment.partition), self._sweeping.passed[moment.partition]
        since: dict[str, int] = {}
        for customer, history in histories.items():
            if not history.facts or not in_force:
                continue
            known = history.by[in_force[0].id].kept
            last, over = math.floor(known.state.at), passed.get(known.replayed, 0)
            if last >= over and history.facts <= LONG:
                since[customer] = over
                continue
            by = {
                one.id: keeping.recalled(one.definition, self._saying.champion(moment.partition, one.id).model, history.by[one.id])
                for one in in_force
            }
            self._again(moment, customer, history.decider, by, before, max(last, over), rows=True)
        async for customer, (facts, deciders) in self._histories.several(moment, list(since)):
            by = self._retold(moment, facts, deciders, since[customer])
            self._again(moment, customer, last_of(deciders), by, before, since[customer], rows=True)

    async def _forgotten(self, moment: Moment, gone: Mapping[Key, Kept]) -> None:
        """These have no facts any more by which anything is kept of them; whoever has those says again what they were examples of."""
        if not gone:
            return
        await table.forget(moment.connection, list(gone))
        for key, kept in gone.items():
            self._kept.get(moment.partition, {}).pop(key, None)
            self._saying.telling[moment.partition].append(Told(*key, kept.replayed, kept.decider, (), (), None, (), whole=True))
