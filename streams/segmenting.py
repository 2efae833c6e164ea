"""Keeps the published segments of customers, in the transaction that folds them: the part of `customer` that says who comes in and leaves.

A change is a fact in the customer's own history (`segment.entered`, `segment.left`), so rules hear it as they hear everything. Who leaves
because time passes has a timer. Those who were in when a segment was published come in without anybody being told (as imports do); so do
those whom a new version lets in or out, or one that is resumed: what was kept of customers is not believed any more.
A published quantile lets members in and out at once, a piece a transaction.
Reading order: Segmenting.told, pulse, `_recut`, fold, refolded; how a change is told is in `membership`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from types import MappingProxyType
from uuid import UUID

import msgspec

from aggregates.declaration import Decided
from aggregates.fact import Fact
from aggregates.rules import segment as reading
from aggregates.wire import CustomerEvent
from projections.segments import fold, table
from projections.segments.fold import State, Watch, watch_of
from projections.triggers import table as timing
from projections.triggers.checks import Quantiles
from projections.triggers.evidence import Evidence
from projections.triggers.table import Place, Timer
from projections.triggers.trigger import ENTERED, LEFT, admit
from streams import in_force, membership, surveying, timers
from streams.caching import remember
from streams.in_force import InForce
from streams.membership import NOTHING_SAID, New, Said, last_said
from streams.parts import Heard, Moment, Past
from streams.recalling import NEVER, Last, Recalling, clock_of, last_of, now_of
from streams.record import Effect, Halt, Keys
from streams.surveying import Survey
from streams.ticking import Ticking
from streams.words import CLOCK, DECIDER

CUSTOMERS = 50_000
CUT = "quantile"
"""The survey of a segment that asks for a percentile, once it means something else."""

RECUT = 500
"""Customers of a piece of it: most of them stay where they are, and nothing is written of these."""

PREFIX = " segment "
"""Before the segment's name, of its timers."""

Known = tuple[State, bool]
"""What is kept of a customer, and whether he is in."""


@dataclass(slots=True)
class _Held:
    """What is remembered of a partition."""

    here: InForce
    watches: dict[str, Watch]
    by_type: dict[str, tuple[Watch, ...]] = field(default_factory=dict)
    known: dict[UUID, dict[str, Known]] = field(default_factory=dict)
    learned: dict[UUID, dict[str, Known]] = field(default_factory=dict)
    surveying: bool = True
    begun: bool = False  # a segment began in this transaction: who is new in it may have facts of before that


@dataclass(frozen=True, slots=True)
class History:
    """What the first facts of a customer make of him: for each segment, and which of them was heard last."""

    states: Mapping[tuple[str, int], State]
    last: Last | None = None


_stamp = attrgetter("stamp")
_packed = msgspec.msgpack.Decoder(tuple[list[tuple[str, int, bytes]], Last | None])


class Segmenting:
    """The part. `now` is our time, at which those are looked at who were there before a segment."""

    name = "segments"

    def __init__(self, keys: Keys, ticking: Ticking, now: Callable[[], datetime]) -> None:
        self._past, self._ticking, self._now = Recalling(keys), ticking, now
        self._held: dict[int, _Held] = {}

    async def ready(self, moment: Moment) -> None:
        """Bring what is in force into memory."""
        if moment.partition not in self._held:
            await self._ticking.ready(moment)
            held = self._held[moment.partition] = _Held(await in_force.load(moment.connection, moment.partition), {})
            for decided in held.here.known.values():
                _put(held, decided)

    def wants(self, partition: int, event: CustomerEvent) -> bool:
        """Facts that some segment names, timers, and what is said here."""
        held = self._held[partition]
        if event.type in held.by_type:
            return True
        return bool(held.watches) and (membership.is_told(event) or (event.type == timers.DUE and event.source == CLOCK))

    async def decided(self, moment: Moment, event: CustomerEvent) -> list[Effect]:
        """A segment, or a quantile."""
        held = self._held[moment.partition]
        if event.source != DECIDER:
            return []
        before = held.here.quantiles
        new = await in_force.decided(moment.connection, moment.partition, held.here, event)
        if held.here.quantiles is not before:
            await self._cut_anew(moment, held, before)
        if new is None or new.kind != "segment":
            return []
        _put(held, new)
        held.known.clear()
        held.learned.clear()
        if new.state == "retired":
            await table.end(moment.connection, moment.schema, moment.partition, new.name)
        else:  # what is kept was heard by another version, or before a pause in which nothing was heard
            await table.forget(moment.connection, moment.partition, new.name)
            held.begun = True
            await surveying.begin(moment.connection, moment.partition, "segment", new.name, new.version)
            held.surveying = True
        return []

    async def told(self, moment: Moment, heard: Sequence[Heard]) -> list[Effect]:
        """Facts and timers, in their order."""
        held = self._held[moment.partition]
        customers = {UUID(item.customer) for item in heard}
        turn = _Turn(moment, held, await timing.waiting(moment.connection, customers, PREFIX))
        await self._load(moment, held, customers)
        for item in heard:
            customer = UUID(item.customer)
            if item.fact is None:
                self._ring(turn, customer, timers.decoder.decode(item.event.data))
                continue
            for watch in held.by_type.get(item.fact.type, ()):
                evidence = admit(watch, item.fact)
                if evidence is not None:
                    await self._hear(turn, customer, item, item.fact, watch, evidence)
            if membership.is_told(item.event) and membership.of_another(item.customer, item.event, item.fact.data):
                await self._correct(turn, customer, item, item.fact)
        return await self._finish(turn)

    def begin(self, partition: int) -> History:
        watches = self._held[partition].watches
        return History({(name, watch.segment.version): fold.initial(watch) for name, watch in watches.items()})

    def fold(self, partition: int, so_far: History, told: Sequence[Past]) -> History:
        """For the segments of the beginning that are still in force."""
        held = self._held[partition]
        facts = [fact for _, fact in told if fact.type in held.by_type]
        states = {}
        for watch in held.watches.values():
            state = so_far.states.get((watch.segment.name, watch.segment.version))
            if state is not None:
                states[watch.segment.name, watch.segment.version] = fold.fold(watch, _evidence_of(watch, facts), state)
        return History(states, last_of(facts, so_far.last))

    def pack(self, so_far: History) -> bytes:
        states = [(name, version, fold.encode(state)) for (name, version), state in so_far.states.items()]
        return msgspec.msgpack.encode((states, so_far.last))

    def unpack(self, partition: int, packed: bytes) -> History | None:
        states, last = _packed.decode(packed)
        known = {(name, version): state for name, version, state in states}
        found = {}
        for name, watch in self._held[partition].watches.items():
            state = known.get((name, watch.segment.version))
            if state is None:
                return None
            found[name, watch.segment.version] = fold.decode(watch, state)
        return History(found, last)

    async def refolded(self, moment: Moment, customers: Mapping[UUID, History]) -> list[Effect]:
        """Rows moved: who is in is found again from what rows they have now. Nobody is told of what that shows."""
        held = self._held[moment.partition]
        if not held.watches:
            return []
        turn = _Turn(moment, held)
        for customer, history in customers.items():
            await table.drop(moment.connection, [customer])
            members = await table.members_of(moment.connection, customer)
            held.known.pop(customer, None)
            held.learned[customer] = {}
            said = last_said(await self._past.facts(moment, customer, (ENTERED, LEFT), None))
            for watch in held.watches.values():
                state, name = history.states[watch.segment.name, watch.segment.version], watch.segment.name
                self._derive(turn, customer, watch, state, history.last, name in members, said.get(name, NOTHING_SAID))
        return await self._finish(turn, remember=False)

    async def pulse(self, moment: Moment) -> list[Effect]:
        """Look at some of those who were there before a segment."""
        held = self._held[moment.partition]
        if not held.surveying:
            return []
        surveys = [one for kind in ("segment", CUT) for one in await surveying.under_way(moment.connection, moment.partition, kind)]
        held.surveying = bool(surveys)
        if not surveys:
            return []
        if surveys[0].kind == CUT:
            return await self._recut(moment, held, surveys[0])
        turn = _Turn(moment, held)
        customers = await surveying.piece(moment.connection, moment.schema, moment.partition, surveys[0])
        watch = held.watches.get(surveys[0].name)
        if watch is not None and watch.segment.version == surveys[0].version:
            await self._load(moment, held, customers)
            for customer in customers:
                if watch.segment.name not in held.learned[customer]:
                    members = await table.members_of(moment.connection, customer)
                    facts = await self._past.facts(moment, customer, watch.roles, None)
                    state = fold.fold(watch, _evidence_of(watch, facts))
                    self._derive(turn, customer, watch, state, last_of(facts), watch.segment.name in members)
        return await self._finish(turn, remember=False)

    async def _cut_anew(self, moment: Moment, held: _Held, before: Quantiles) -> None:
        """A quantile was published: all of whom the segments that ask for it know something are to be looked at."""
        changed = {of for of, cuts in held.here.quantiles.published.items() if before.published.get(of) != cuts}
        for watch in held.watches.values():
            if fold.quantiles_of(watch) & changed:
                await surveying.begin(moment.connection, moment.partition, CUT, watch.segment.name, watch.segment.version)
                held.surveying = True

    async def _recut(self, moment: Moment, held: _Held, survey: Survey) -> list[Effect]:
        """Some of those whom a quantile may have let in or out, at the time at which it was published.

        Who lives in the time that a source replays hears of it with his next fact: by his clock it is not published yet.
        """
        customers = await table.judged(moment.connection, moment.partition, survey.name, survey.after, RECUT)
        await surveying.behind(moment.connection, moment.partition, survey, customers, RECUT)
        watch = held.watches.get(survey.name)
        if watch is None or watch.segment.version != survey.version:
            return []
        quantiles = held.here.quantiles
        at = max(quantiles.published[of][-1][0][0] for of in fold.quantiles_of(watch) if of in quantiles.published)
        turn = _Turn(moment, held)
        await self._load(moment, held, customers)
        for customer in customers:
            known = held.learned[customer].get(survey.name)
            if known is not None and fold.inside(watch, known[0], turn.at(known[0], at), quantiles) != known[1]:
                last = max(await self._past.facts(moment, customer, watch.roles, None), key=now_of, default=None)
                if last is not None and not last.clock:
                    turn.judge(customer, watch, *known, at, "", simulated=last.simulated)
        for customer in customers:  # of a chore nobody says that it was committed
            held.learned.pop(customer, None)
            held.known.pop(customer, None)
        return await self._finish(turn)

    def restless(self, partition: int) -> bool:
        """Whether there is somebody to look at."""
        held = self._held.get(partition)
        return held is None or held.surveying

    def committed(self, partition: int) -> None:
        """States may be believed."""
        held = self._held.get(partition)
        if held is not None:
            remember(held.known, held.learned, CUSTOMERS)
            held.learned = {}
            held.begun = False

    def forget(self, partition: int) -> None:
        """Everything is read again."""
        self._held.pop(partition, None)

    async def _load(self, moment: Moment, held: _Held, customers: Iterable[UUID]) -> None:
        missing = []
        for customer in customers:
            if customer in held.learned:
                continue
            held.learned[customer] = dict(held.known.get(customer, {}))
            if customer not in held.known and (held.begun or not moment.is_new(str(customer))):
                missing.append(customer)
        for customer, name, version, state, inside in await table.load(moment.connection, missing) if missing else ():
            watch = held.watches.get(name)
            if watch is not None and watch.segment.version == version:
                held.learned[customer][name] = (fold.decode(watch, state), inside)

    async def _hear(self, turn: "_Turn", customer: UUID, item: Heard, fact: Fact, watch: Watch, evidence: Evidence) -> None:
        known = turn.held.learned[customer].get(watch.segment.name)
        if known is None and not turn.held.begun and turn.moment.is_new(item.customer):
            known = fold.initial(watch), False
        if known is None:  # it is the first that the segment hears of him: what he was before that is told to nobody
            past = await self._past.facts(turn.moment, customer, watch.roles, item.offset)
            was = watch.segment.name in await table.members_of(turn.moment.connection, customer)
            state = fold.fold(watch, _evidence_of(watch, past))
            self._derive(turn, customer, watch, state, last_of(past), was, at=now_of(fact))
            known = turn.held.learned[customer].get(watch.segment.name, (state, False))
        known = self._pass(turn, customer, watch, known, now_of(fact))
        state = fold.take(watch, known[0], evidence)
        turn.judge(customer, watch, state, known[1], now_of(fact), clock_of(fact), backfill=fact.backfill, simulated=fact.simulated)

    async def _correct(self, turn: "_Turn", customer: UUID, item: Heard, fact: Fact) -> None:
        """What was said of another has come into this customer's history: where that says what is not so of him, he is told what is."""
        name = fact.data["segment"]
        watch = turn.held.watches.get(name)
        if watch is None:
            return
        _, inside = turn.held.learned[customer].get(name, (None, False))
        past = await self._past.facts(turn.moment, customer, (ENTERED, LEFT), item.offset)
        said = last_said(sorted((*past, fact), key=_stamp))[name]
        turn.change(customer, watch, inside, inside, said, said.at, clock_of(fact), simulated=fact.simulated)

    @staticmethod
    def _pass(turn: "_Turn", customer: UUID, watch: Watch, known: Known, now: datetime) -> Known:
        """What time alone made of him before a fact: of a time that is replayed years are told at once, and timers come after them."""
        while (timer := turn.waits(customer, watch)) is not None and timer.at < now:
            turn.judge(customer, watch, *known, timer.at, timer.clock, simulated=timer.quiet == "test")
            known = turn.held.learned[customer][watch.segment.name]
        return known

    def _ring(self, turn: "_Turn", customer: UUID, timer: timers.Timer) -> None:
        """Time passed; ignored when nothing waits for it any more."""
        if not timer.rule.startswith(PREFIX):
            return
        watch = turn.held.watches.get(timer.rule.removeprefix(PREFIX))
        known = turn.held.learned[customer].get(timer.rule.removeprefix(PREFIX))
        if watch is None or known is None or watch.segment.version != timer.version:
            turn.timers[customer, timer.rule, timer.version] = None
            return
        turn.judge(customer, watch, known[0], known[1], timer.at, timer.clock, simulated=timer.quiet == "test")

    def _derive(
        self,
        turn: "_Turn",
        customer: UUID,
        watch: Watch,
        state: State,
        last: Last | None,
        was: bool,
        said: Said | None = None,
        at: datetime | None = None,
    ) -> None:
        """From all rows, as of now or `at`; nobody is told of what that shows. Who has none of which the segment speaks is not in it."""
        if last is None or state.last is None:
            if was or (said is not None and said.inside):
                turn.change(customer, watch, False, was, said, at or self._now())
            return
        now = at or (self._now() if not last.clock else last.now)
        turn.judge(customer, watch, state, was, now, last.clock, backfill=True, simulated=last.simulated, said=said)

    async def _finish(self, turn: "_Turn", *, remember: bool = True) -> list[Effect]:
        connection, partition = turn.moment.connection, turn.moment.partition
        states = {place: (fold.encode(state), inside) for place, (state, inside) in turn.states.items()}
        await table.save(connection, partition, states)
        await self._ticking.set(turn.moment, turn.timers)
        effects = await membership.tell(turn.moment, turn.new) if turn.new else []
        if not remember:
            for customer, _, _ in turn.states:
                turn.held.learned.pop(customer, None)
                turn.held.known.pop(customer, None)
        return effects


class _Turn:
    """The changes of one call."""

    def __init__(self, moment: Moment, held: _Held, waiting: Mapping[Place, Timer] = MappingProxyType({})) -> None:
        self.moment, self.held, self._waiting = moment, held, waiting
        self.states: dict[Place, Known] = {}
        self.timers: dict[Place, Timer | None] = {}
        self.new: list[New] = []

    def waits(self, customer: UUID, watch: Watch) -> Timer | None:
        """What is set for him by now: when he may come in or leave though nothing happens."""
        place = _timer_of(customer, watch)
        return self.timers[place] if place in self.timers else self._waiting.get(place)

    @staticmethod
    def at(state: State, now: datetime) -> datetime:
        """The moment of which is spoken: never before the customer's last fact."""
        return max(now, state.last[0]) if state.last else now

    def judge(
        self,
        customer: UUID,
        watch: Watch,
        state: State,
        was: bool,
        now: datetime,
        clock: str,
        *,
        backfill: bool = False,
        simulated: bool = False,
        said: Said | None = None,
    ) -> None:
        """Whether the customer is in now; what follows when that is new. `said`: what his history says, where rows moved."""
        segment, quantiles = watch.segment, self.held.here.quantiles
        at = self.at(state, now)
        inside = fold.inside(watch, state, at, quantiles)
        place = (customer, segment.name, segment.version)
        self.states[place] = self.held.learned.setdefault(customer, {})[segment.name] = (state, inside)
        wake = fold.changes(watch, state, at)
        ending = fold.ending(watch, state, at)
        test = simulated if ending is None else ending.simulated
        self.timers[_timer_of(customer, watch)] = None if wake is None else Timer(wake, clock, "test" if test else "")
        self.change(customer, watch, inside, was, said, at, clock, backfill=backfill, simulated=simulated)

    def change(
        self,
        customer: UUID,
        watch: Watch,
        inside: bool,
        was: bool,
        said: Said | None,
        at: datetime,
        clock: str = "",
        *,
        backfill: bool = True,
        simulated: bool = False,
    ) -> None:
        """Let the customer in or out, if that is new; and tell it, if it is not what he heard last."""
        heard = was if said is None else said.inside
        if not inside == was == heard:
            last = NEVER if said is None else said.at
            tells = inside != heard or inside != was  # what his history does not say may be on its way
            self.new.append(New(customer, watch.segment, inside, inside != was, tells, at, last, clock, backfill, simulated))


def _timer_of(customer: UUID, watch: Watch) -> Place:
    return customer, f"{PREFIX}{watch.segment.name}", watch.segment.version


def _evidence_of(watch: Watch, facts: Iterable[Fact]) -> list[Evidence]:
    return [one for fact in facts if (one := admit(watch, fact)) is not None]


def _put(held: _Held, decided: Decided) -> None:
    """A segment stands so; the newest version that is published counts. Paused, it keeps whom it has."""
    if decided.kind != "segment":
        return
    current = held.watches.get(decided.name)
    if decided.state == "published" and (current is None or current.segment.version <= decided.version):
        held.watches[decided.name] = _ready(decided.text, decided.zone, decided.version)
    elif decided.state in ("paused", "retired") and current is not None and current.segment.version == decided.version:
        del held.watches[decided.name]
    by_type: dict[str, list[Watch]] = {}
    for watch in held.watches.values():
        for type_ in watch.roles:
            by_type.setdefault(type_, []).append(watch)
    held.by_type = {type_: tuple(some) for type_, some in by_type.items()}


@lru_cache(1_000)
def _ready(text: str, zone: str, version: int) -> Watch:
    read = reading.read(text, zone)
    if read.segment is None:
        raise Halt(f"A segment cannot be read: {read.problems[0].text()}. Start the version that wrote it.")
    return watch_of(reading.Segment(read.segment.name, read.segment.checks, version))
