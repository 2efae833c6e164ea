"""Runs rules over events as they arrive: the same steps as live, with the timeline, the timers and the outbox in memory.

The clock is the latest recorded time. At each moment first the facts count, then the timers that are due, then all candidates of a customer
are decided together. Reading order: Run, take, pass_to, `_unite`, `_join`, `_hear`, `_ripen`, `_decide`.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from heapq import heappop, heappush, merge
from operator import attrgetter
from uuid import UUID

from aggregates.contact_policy.budget import Spent, nothing
from aggregates.contact_policy.candidate import Candidate, Outcome
from aggregates.contact_policy.decide import decide
from aggregates.contact_policy.policy import SERVICE, Policy
from aggregates.fact import Fact
from aggregates.rules.rule import Contact, Rule
from infra.evaluation.rules.events import Arrived
from infra.evaluation.rules.people import People, Person, Run, Waiting
from projections.contacts import fold as contacts
from projections.triggers.checks import NO_QUANTILES, percentiles_of
from projections.triggers.evidence import Stamp
from projections.triggers.react import begin, mend, moved, objection, react, refold, ripen
from projections.triggers.state import Block, Effect, Fire, Seal, Signal, Wake, Withdraw
from projections.triggers.trigger import Trigger, admit, trigger_of

QUANTILES = "quantile.published"
"""A quantile of all customers: `{of: value, cuts: {"90": 1200}}`. It names nobody."""

TIMER, DECISION = 0, 1

_stamp = attrgetter("stamp")


class Evaluation:
    """The rules, everybody they met, and all that came of it."""

    def __init__(self, rules: Sequence[Rule], policy: Policy, salt: str) -> None:
        self.policy, self.salt = policy, salt
        self.triggers = tuple(trigger_of(rule) for rule in rules)
        self.signals: dict[UUID, tuple[Signal, Person]] = {}
        self.withdrawn: set[UUID] = set()
        self.outcomes: dict[UUID, Outcome] = {}
        self.people = People()
        self._paid: dict[tuple[date, str], int] = {}  # by the first day of the period, and campaign
        self._clock = datetime.min.replace(tzinfo=UTC)
        self._due: list[tuple[datetime, int, int, Person, int]] = []  # timers and decisions: when, which kind, in which order, whose, rule
        self._set = 0
        self._quantiles = NO_QUANTILES
        self._by_type: dict[str, list[tuple[int, Trigger]]] = {}
        for index, trigger in enumerate(self.triggers):
            for type_ in trigger.types:
                self._by_type.setdefault(type_, []).append((index, trigger))
        contacting = any(isinstance(rule.do, Contact) for rule in rules)
        self._touching = frozenset(self._by_type) | {QUANTILES} | (contacts.TYPES if contacting else frozenset())
        self._contacting = contacts.TYPES if contacting else frozenset[str]()

    def take(self, arrived: Arrived) -> None:
        """Take the next event."""
        self.reach(arrived.recorded)
        person, others = self.people.whose(arrived)
        fact = arrived.fact() if arrived.line.type in self._touching else None
        if fact is not None and fact.type == QUANTILES:
            self._publish(fact)
        if person is not None:
            heard = self._unite(person, others, fact) if others else ()
            if fact is not None:
                self._hear(person, fact, heard)

    def tell(self, customer: UUID, heard: datetime, fact: Fact) -> None:
        """Take the next fact of a customer who is known."""
        self.reach(heard)
        self._hear(self.people.of(customer), fact)

    def reach(self, recorded: datetime) -> None:
        """Something was recorded then: the clock is not behind it."""
        if recorded > self._clock:
            self.pass_to(recorded)
            self._clock = recorded

    def let_go(self) -> None:
        """Forget one after the other, for whoever runs beside others: all at once, every thread of the process would wait for it."""
        for some in (self.signals, self.outcomes, self.people.owners, self.people.by_id):
            while some:
                some.popitem()
        while self._due:
            self._due.pop()

    def end(self, at: datetime) -> None:
        """Let everything happen that is due before a time, though nothing is heard any more."""
        self.pass_to(at)

    def pass_to(self, to: datetime) -> None:
        """Let everything happen that is due before this time."""
        while self._due and self._due[0][0] < to:
            self._next()

    def finish(self) -> None:
        """Let everything happen that is due by the last recorded time; what is due later has not happened."""
        while self._due and self._due[0][0] <= self._clock:
            self._next()

    def _next(self) -> None:
        now, kind, _, person, index = heappop(self._due)
        self._clock = now
        if kind == TIMER:
            self._ripen(person.present, index, now)
        else:
            self._decide(person.present, now)

    def _set_due(self, at: datetime, kind: int, person: Person, index: int) -> None:
        self._set += 1
        heappush(self._due, (max(at, self._clock), kind, self._set, person, index))

    def _hear(self, person: Person, fact: Fact, heard: Collection[int] = ()) -> None:
        """A customer's fact: the rules that name its type, but for those that heard it already, and what the policy asks."""
        if fact.type in self._contacting:
            person.known = contacts.evolve(person.known, fact)
        for index, trigger in self._by_type.get(fact.type, ()):
            evidence = admit(trigger, fact)
            if evidence is None or index in heard:
                continue
            run = person.runs.get(index)
            if run is None:
                run = person.runs[index] = Run(begin(trigger))
            reaction = react(trigger, run.state, evidence, self._clock, self._quantiles)
            if reaction is None:
                quiet = "backfill" if evidence.backfill else ""
                reaction = mend(trigger, run.past, run.state, evidence, self._clock, self._quantiles, quiet)
            run.state = reaction[0]
            if reaction[1]:
                self._carry_out(person, index, reaction[1], self._clock)

    def _unite(self, person: Person, others: Iterable[Person], fact: Fact | None) -> set[int]:
        """The others were the same customer, says the fact: theirs is among this one's, and what now stands by it all does.

        Answers the rules for which there were facts of several, which have heard this one too.
        """
        histories: dict[int, list[Run]] = {}
        for one in (person, *others):
            for index, run in one.runs.items():
                histories.setdefault(index, []).append(run)
        for other in others:
            other.into = person
            person.known = contacts.united(person.known, other.known)
            person.waiting |= other.waiting
            for waiting in other.waiting.values():
                self._set_due(waiting.due, DECISION, person, waiting.rule)
            for index, approached in other.approached.items():
                person.approached.setdefault(index, []).extend(approached)
            other.runs, other.waiting, other.approached = {}, {}, {}
        person.runs = {index: runs[0] for index, runs in histories.items()}
        several = {index for index, runs in histories.items() if len(runs) > 1}
        for index in several:
            self._join(person, index, histories[index], fact)
        return several

    def _join(self, person: Person, index: int, runs: Sequence[Run], fact: Fact | None) -> None:
        """One rule of those who are one, and what it says of the fact by which they are."""
        trigger, run = self.triggers[index], Run(begin(self.triggers[index]))
        before = list(merge(*(one.facts for one in runs), key=_stamp))
        for one in runs:
            run.standing |= one.standing
        person.runs[index] = run
        said = admit(trigger, fact) if fact is not None else None
        history = before if said is None else sorted([*before, said], key=_stamp)
        known = history if said is not None and said.backfill else before
        standing = set(run.standing.values())
        run.state, effects = refold(trigger, history, standing, self._clock, self._quantiles)
        effects = moved(trigger, effects, known, standing, self._clock, self._quantiles)
        if any(isinstance(one, Withdraw) for one in effects):  # what their being one alone takes back goes in favour of nothing else
            alone = refold(trigger, before, standing, self._clock, self._quantiles)[1]
            gone = [one for one in effects if isinstance(one, Withdraw) and one in alone]
            self._carry_out(person, index, gone, self._clock)
            effects = tuple([one for one in effects if one not in gone])
        self._carry_out(person, index, effects, self._clock)

    def _ripen(self, person: Person, index: int, now: datetime) -> None:
        """A timer of a rule is due, if it still is."""
        run = person.runs[index]
        run.state, effects = ripen(self.triggers[index], run.state, now, self._quantiles)
        if effects:
            self._carry_out(person, index, effects, now)

    def _carry_out(self, person: Person, index: int, effects: Iterable[Effect], now: datetime) -> None:
        run = person.runs[index]
        undone: list[UUID] = []
        for effect in effects:
            match effect:
                case Fire(signal):
                    run.standing[signal.id] = signal.event
                    self.withdrawn.discard(signal.id)
                    self.signals.setdefault(signal.id, (signal, person))
                    self._want(person, index, signal, now, undone)
                case Withdraw(id_):
                    run.standing.pop(id_, None)
                    self.withdrawn.add(id_)
                    undone.append(id_)
                    if id_ in person.waiting:
                        person.waiting[id_].due = now
                        self._set_due(now, DECISION, person, index)
                case Seal(start, facts, firings):
                    run.past.append(Block(start, list(facts), firings))
                case Wake(at) if at is not None:
                    self._set_due(at, TIMER, person, index)

    def _want(self, person: Person, index: int, signal: Signal, now: datetime, undone: Sequence[UUID]) -> None:
        """A rule that contacts has a candidate; one that was sent before is not a candidate again."""
        rule = self.triggers[index].rule
        if not isinstance(rule.do, Contact) or (signal.id in self.outcomes and self.outcomes[signal.id].result == "sent"):
            return
        candidate = Candidate(
            signal.id,
            rule.name,
            rule.version,
            person.id,
            rule.do.purpose,
            rule.do.prefer,
            rule.holdout,
            signal.occurred_at,
            now,
            index,
            campaign=rule.do.campaign,
            objection=signal.quiet or self._repetition(person, index, signal, undone),
        )
        person.waiting[signal.id] = Waiting(candidate, signal, index, now)
        self._set_due(now, DECISION, person, index)

    def _repetition(self, person: Person, index: int, signal: Signal, undone: Sequence[UUID]) -> str:
        """Whether he was approached already for a signal in whose place, or within whose cooldown, this one stands."""
        rule = self.triggers[index].rule
        if isinstance(rule.do, Contact) and rule.do.purpose == SERVICE and "cooldown" in self.policy.ignores:
            return ""
        for id_, occurred in person.approached.get(index, ()):
            if id_ != signal.id and (id_ in undone or abs(signal.occurred_at - occurred) < rule.cooldown):
                return "cooldown"
        return ""

    def _decide(self, person: Person, now: datetime) -> None:
        """All candidates of one customer that are due are decided together."""
        due = [waiting for waiting in person.waiting.values() if waiting.due <= now]
        if not due:
            return
        candidates = [replace(waiting.candidate, customer=person.id, objection=self._objection(person, waiting, now)) for waiting in due]
        for waiting, outcome in zip(due, decide(self.policy, person.known, candidates, now, self.salt, self._spent(now)), strict=True):
            id_ = waiting.signal.id
            self.outcomes[id_] = outcome
            if outcome.until is not None:
                waiting.due = outcome.until
                self._set_due(outcome.until, DECISION, person, waiting.rule)
                continue
            del person.waiting[id_]
            if outcome.result == "sent":
                person.known = contacts.contacted(person.known, now, outcome.channel, str(id_))
                self._spend(outcome, now)
                person.approached.setdefault(waiting.rule, []).append((id_, waiting.signal.occurred_at))

    def _spent(self, now: datetime) -> Spent:
        """What was spent in the period that it is."""
        budget = self.policy.budget
        if budget is None:
            return nothing
        begins, _ = budget.days(now, self.policy.zone)
        return lambda campaign: self._paid.get((begins, campaign if budget.per == "campaign" else ""), 0)

    def _spend(self, outcome: Outcome, now: datetime) -> None:
        budget = self.policy.budget
        if budget is not None:
            place = budget.days(now, self.policy.zone)[0], outcome.candidate.campaign if budget.per == "campaign" else ""
            self._paid[place] = self._paid.get(place, 0) + budget.costs.get(outcome.channel, 0)

    def _objection(self, person: Person, waiting: Waiting, now: datetime) -> str:
        """What the rule itself has against it: asked again when it was kept for later."""
        if waiting.signal.id in self.withdrawn:
            return "withdrawn"
        if waiting.candidate.objection or now == waiting.candidate.wanted:
            return waiting.candidate.objection
        state = person.runs[waiting.rule].state
        return objection(self.triggers[waiting.rule], state, waiting.signal, now, self._quantiles)

    def _publish(self, fact: Fact) -> None:
        cuts = fact.data.get("cuts")
        if isinstance(cuts, dict) and isinstance(fact.data.get("of"), str):
            known = {float(at): float(cut) for at, cut in cuts.items() if _is_number(at) and _is_number(cut)}
            quiet = "backfill" if fact.backfill else "test" if fact.simulated else ""
            self.publish(fact.data["of"], (fact.at, fact.id, fact.source), known, quiet)

    def publish(self, of: str, stamp: Stamp, cuts: Mapping[float, float], quiet: str = "") -> None:
        """A quantile of all customers, from its time on, also when it is told late."""
        self._quantiles = self._quantiles.with_published(of, stamp, cuts)
        asking = [index for index, trigger in enumerate(self.triggers) if of in percentiles_of(trigger.rule.checks)]
        for person in self.people.everybody if asking else ():
            for index in asking:
                run = person.runs.get(index)
                if run is not None and run.state.head.reaches(stamp):
                    history, run.past = list(run.facts), []
                    standing = set(run.standing.values())
                    run.state, effects = refold(self.triggers[index], history, standing, self._clock, self._quantiles, quiet)
                    self._carry_out(person, index, effects, self._clock)


def _is_number(value: object) -> bool:
    try:
        float(str(value))
    except ValueError:
        return False
    return True
