"""One call of the part that runs rules: states, timers and what was said gather here, and are written down and told together.

What is said in a batch is decided at its end, of all customers together; contacts of replayed time once all that was sent until then is in
the views. Reading order: Held, Words, Turn.take, decide, finish, `_decide`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from heapq import merge
from uuid import UUID

from msgspec.structs import replace

from aggregates.rules.rule import Contact
from projections.triggers import table
from projections.triggers.fold import Fold
from projections.triggers.marks import Reopened, added
from projections.triggers.react import wake_of
from projections.triggers.state import Block, Fire, Seal, State, Withdraw
from projections.triggers.state import Effect as Said
from projections.triggers.table import Place, Timer
from streams import signal_records
from streams.caching import remember
from streams.candidates import NOTHING, Asked, Contacting, Undone, Want
from streams.in_force import Active, InForce
from streams.objecting import against
from streams.parts import Moment
from streams.recalling import Recalled
from streams.record import Effect
from streams.ticking import Ticking
from streams.timers import HELD, Unsettled

Runs = dict[tuple[str, int], State]


@dataclass(slots=True)
class Held:
    """What is remembered of a partition."""

    here: InForce
    runs: dict[UUID, Runs] = field(default_factory=dict)  # of customers whose states were read, all of them
    learned: dict[UUID, Runs] = field(default_factory=dict)  # by the transaction under way
    heard: dict[UUID, None] = field(default_factory=dict)  # of whom the rules in force heard all: what is not in memory, there is not
    surveying: bool = True  # whether customers may still have to be looked at for a rule that was published

    def drop(self, customer: UUID) -> None:
        """What is kept of him is to be read again."""
        self.runs.pop(customer, None)
        self.learned.pop(customer, None)
        self.heard.pop(customer, None)

    def believe(self, most: int) -> None:
        """The transaction stands. More customers than that are not remembered."""
        remember(self.heard, {customer: None for customer in self.learned if customer in self.heard}, most)
        for customer in remember(self.runs, self.learned, most):
            self.heard.pop(customer, None)
        self.learned = {}


@dataclass(slots=True)
class Words:
    """What is said of one customer at one moment, which is decided together."""

    now: datetime
    clock: str  # by which it is that moment
    said: list[tuple[Active, Said]] = field(default_factory=list)
    ripe: bool = False  # contacts that were held are to be decided again
    runs: Runs | None = None  # his states as they were when the moment was over; None: it is not yet

    @property
    def contacts(self) -> bool:
        """Whether contacts are to be decided."""
        return self.ripe or any(isinstance(one, Fire) and isinstance(active.rule.do, Contact) for active, one in self.said)


class Turn:
    """The changes of one call: states, timers, and what was said, per customer and moment."""

    def __init__(self, moment: Moment, held: Held, contacting: Contacting, ticking: Ticking, *, joined: bool = False) -> None:
        self.moment, self.held, self._contacting, self._ticking, self._joined = moment, held, contacting, ticking, joined
        self._states: dict[UUID, Runs] = {}
        self._timers: dict[Place, Timer | None] = {}
        self.waiting: Mapping[Place, Timer] = {}  # timers that were set before, of customers whose time is replayed
        self.unsettled: Unsettled | None = None  # in which contacts are held until all that was sent is in the views
        self._said: dict[UUID, list[Words]] = {}  # of each customer one moment after the other
        self._effects: list[Effect] = []
        self.recalled: dict[UUID, Recalled] = {}  # what was read of several customers together
        self.reopened: dict[Place, Reopened] = {}  # the pasts that late facts of this call are put into
        self._sealed: dict[Place, list[Fold]] = {}  # of all others, the folds before what is kept no longer

    def take(
        self,
        customer: UUID,
        active: Active,
        before: State | None,
        after: State,
        said: Iterable[Said],
        now: datetime,
        clock: str,
        quiet: str = "",
    ) -> None:
        """One rule of one customer has come so far; no timer is set for it, or it has rung."""
        runs = self.held.learned[customer]
        if after is not before or active.key not in runs:
            runs[active.key] = after
            self.keep(customer, {active.key: after})
        self.tell(customer, active, None, after, said, now, clock, quiet)

    def keep(self, customer: UUID, runs: Runs) -> None:
        """These of his states are to be written."""
        self._states.setdefault(customer, {}).update(runs)

    def tell(
        self,
        customer: UUID,
        active: Active,
        before: State | None,
        after: State,
        said: Iterable[Said],
        now: datetime,
        clock: str,
        quiet: str = "",
    ) -> None:
        """What one rule says of one customer, and when it is heard next; `before` None: no timer is set."""
        place = (customer, *active.key)
        if before is None and active.has_timers and (wake := wake_of(active.trigger, after)) is not None:
            self._wake(place, wake, now, clock)
        for one in said:
            if isinstance(one, Fire):
                signal, shown = one.signal, now
                if clock and now < signal.occurred_at:  # in replayed time a fact that came late may show what happened after it
                    shown = signal.occurred_at
                    signal = replace(signal, recorded_at=shown)
                hushed = signal.quiet or quiet or ("paused" if active.state == "paused" else "")
                self._say(customer, shown, clock, active, Fire(replace(signal, quiet=hushed)))
            elif isinstance(one, Withdraw):
                self._say(customer, now, clock, active, one)
            elif isinstance(one, Seal):
                self.seal(place, one)
            elif before is not None:
                self._wake(place, one.at, now, clock)

    def seal(self, place: Place, seal: Seal) -> None:
        """Facts are kept no longer: from the fold before them a late one may go on."""
        if place in self.reopened:
            self.reopened[place].blocks.append(Block(seal.start, list(seal.facts), seal.firings))
        else:
            self._sealed.setdefault(place, []).append(seal.start)

    def reopen(self, place: Place, past: Reopened) -> None:
        """A part of the past is in hand: late facts change it, and what is kept no longer goes to its end."""
        self.reopened[place] = past
        self._sealed.pop(place, None)

    def _wake(self, place: Place, at: datetime | None, now: datetime, clock: str) -> None:
        self._timers[place] = None if at is None else Timer(max(at, now), clock)

    def _say(self, customer: UUID, now: datetime, clock: str, active: Active, said: Said) -> None:
        words = self._moment(customer, now, clock)
        words.said.append((active, said))
        if words.ripe:
            self._over(customer)

    def _moment(self, customer: UUID, now: datetime, clock: str) -> Words:
        """All that is said of a customer at one moment is decided together."""
        moments = self._said.setdefault(customer, [])
        if moments and (moments[-1].now, moments[-1].clock) == (now, clock) and (moments[-1].runs is None or moments[-1].ripe):
            moments[-1].runs = None
        else:
            self._over(customer)
            moments.append(Words(now, clock))
        return moments[-1]

    def _over(self, customer: UUID) -> None:
        """The moment of this customer is over: by what is known of him now, held contacts are judged."""
        moments = self._said.get(customer)
        if moments and moments[-1].runs is None:
            moments[-1].runs = dict(self.held.learned.get(customer, {}))

    def settle(self, customer: UUID, now: datetime, clock: str = "", runs: Runs | None = None) -> None:
        """A contact that was held is to be decided again, after all that was said before. `runs`: his states at that moment."""
        if self._is_open(now, clock) and self.unsettled is not None:
            now = self.unsettled.settled
        words = self._moment(customer, now, clock)
        words.ripe, words.runs = True, runs
        self._over(customer)

    def _is_open(self, at: datetime, clock: str) -> bool:
        """Whether something that was sent before a moment of replayed time may still be on its way."""
        return clock != "" and self.unsettled is not None and self.unsettled.has(at)

    def leave(self, customer: UUID) -> None:
        """What is held of a customer is his heir's to decide."""
        self._timers[customer, HELD, 0] = None

    def undecided(self, customer: UUID) -> datetime | None:
        """The last moment at which contacts are wanted that are not decided yet."""
        return max((words.now for words in self._said.get(customer, ()) if words.contacts), default=None)

    def next_timer(self, customer: UUID, to: datetime, clock: str) -> tuple[Place, Timer] | None:
        """His first timer by a clock that is due before a time; at one moment contacts that were held come last."""
        keys = (*self.held.learned[customer], (HELD, 0))
        places = [place for key in keys if (place := (customer, *key)) in self._timers or place in self.waiting]
        timers = [(place, timer) for place in places if (timer := self._timers.get(place, self.waiting.get(place)))]
        mine = [
            (place, timer)
            for place, timer in timers
            if timer.at < to and timer.clock == clock and not (place[1] == HELD and self._is_open(timer.at, clock))
        ]
        return min(mine, key=lambda one: (one[1].at, one[0][1] == HELD, one[0]), default=None)

    def ring(self, place: Place) -> None:
        """A timer is heard, perhaps before its word comes."""
        self._timers[place] = None

    async def decide_of(self, customer: UUID) -> None:
        """Decide what was said of one customer so far."""
        self._over(customer)
        for words in self._said.pop(customer, ()):
            await self._decide({customer: words})

    async def decide(self) -> None:
        """Decide what was said so far: of all customers together, the moments of each one after the other; where what one gets is not
        there for another, in the order of all moments."""
        said, self._said = self._said, {}
        most = max(map(len, said.values()), default=0)
        if most > 1 and len(said) > 1 and await self._contacting.scarce(self.moment.connection):
            moments = [[(customer, words) for words in some] for customer, some in said.items()]
            for customer, words in merge(*moments, key=lambda one: one[1].now):
                await self._decide({customer: words})
            return
        for nth in range(most):
            await self._decide({customer: moments[nth] for customer, moments in said.items() if nth < len(moments)})

    async def finish(self, *, remember: bool = True) -> list[Effect]:
        """Write everything down; what is to be published."""
        connection, partition = self.moment.connection, self.moment.partition
        await self.decide()
        rules = self.held.here.rules
        states = [(whose, key, rules[key].storing, state) for whose, runs in self._states.items() for key, state in runs.items()]
        await table.save(connection, partition, [((whose, *key), storing.encode(state)) for whose, key, storing, state in states])
        await self._mark()
        await self._ticking.set(self.moment, self._timers)
        if not remember:
            for customer in self._states:
                self.held.drop(customer)
        return self._effects

    async def _mark(self) -> None:
        """Keep from where late facts may go on."""
        marks = {place: past.all() for place, past in self.reopened.items()}
        if self._sealed:
            known = await table.marks(self.moment.connection, self._sealed)
            marks |= {place: added(known.get(place, ()), starts) for place, starts in self._sealed.items()}
        if marks:
            await table.mark(self.moment.connection, self.moment.partition, marks)

    async def _decide(self, said: Mapping[UUID, Words]) -> None:
        """Keep what was said; tell of it; let the contact policy decide about those who are to be approached."""
        fired = {
            (customer, one.signal.id): (active, one.signal)
            for customer, words in said.items()
            for active, one in words.said
            if isinstance(one, Fire)
        }
        gone = [(customer, one.signal) for customer, words in said.items() for _, one in words.said if isinstance(one, Withdraw)]
        withdrawn = await table.withdraw(self.moment.connection, gone) if gone else []
        given = [(customer, signal) for (customer, _), (_, signal) in fired.items()]
        new = await table.give(self.moment.connection, self.moment.partition, given) if given else set()
        last = {(customer, id_) for customer, words in said.items() for id_ in _withdrawn_last(words.said) & new}
        back = {id_ for _, id_ in last}
        if last:  # given and withdrawn at the same moment
            withdrawn += await table.withdraw(self.moment.connection, last)
        wants: dict[UUID, list[Want]] = {}
        for (customer, id_), (active, signal) in fired.items():
            if id_ not in new:
                continue
            self._effects.append(signal_records.fired(customer, signal, active))
            if isinstance(active.rule.do, Contact) and id_ not in back:
                wants.setdefault(customer, []).append(signal_records.want(customer, active, active.rule.do, signal, said[customer].clock))
        undone: dict[UUID, list[UUID]] = {}
        for one in withdrawn:
            self._effects.append(signal_records.withdrawn(one))
            if one.customer_id in said:
                undone.setdefault(one.customer_id, []).append(one.id)
        if undone:
            gone_by = {customer: Undone(signals, said[customer].now) for customer, signals in undone.items()}
            told = await self._contacting.withdraw(self.moment.connection, gone_by)
            self._effects += [publication for some in told.values() for publication in some]
        await self._contact(
            [
                Asked(
                    customer,
                    wants.get(customer, ()),
                    words.now,
                    self._objection(customer, words),
                    early=customer in wants and (self._is_open(words.now, words.clock) or self._waits_for(customer, words.now)),
                    joined=self._joined,
                )
                for customer, words in said.items()
                if words.ripe or customer in wants
            ],
            {customer: words.clock for customer, words in said.items()},
        )

    def _waits_for(self, customer: UUID, now: datetime) -> bool:
        """Whether a timer of this very moment is still to be heard: what it brings is decided together with what a fact brought."""
        here, runs = self.held.here, self.held.learned.get(customer, {})
        return any(
            active is not None and active.has_timers and isinstance(active.rule.do, Contact) and wake_of(active.trigger, state) == now
            for active, state in ((here.rules.get(key), state) for key, state in runs.items())
        )

    def _objection(self, customer: UUID, words: Words) -> Callable[[Want], str]:
        def objection(want: Want) -> str:
            if words.now <= want.candidate.wanted:
                return ""  # it only waited for what else this moment brings
            key = (want.candidate.rule, want.candidate.version)
            runs = self.held.learned.get(customer, {}) if words.runs is None else words.runs
            return against(self.held.here, key, runs.get(key), want.blob, words.now)

        return objection

    async def _contact(self, asked: Sequence[Asked], clocks: Mapping[UUID, str]) -> None:
        if not asked:
            return
        settled = await self._contacting.settle(self.moment.connection, self.moment.schema, asked)
        for one in asked:
            found = settled.get(one.customer, NOTHING)
            self._effects += found.publications
            self._timers[one.customer, HELD, 0] = None if found.until is None else Timer(found.until, clocks[one.customer])


def _withdrawn_last(said: Sequence[tuple[Active, Said]]) -> set[UUID]:
    """The signals of which the last word is that they do not stand."""
    gone: set[UUID] = set()
    for _, one in said:
        if isinstance(one, Fire):
            gone.discard(one.signal.id)
        elif isinstance(one, Withdraw):
            gone.add(one.signal)
    return gone
