"""Runs the published rules over customers' facts, in the transaction that folds them: the part of `customer` that gives signals.

Per rule and customer there is one bounded state (`projections/triggers`); a fact touches only the rules that name its type. What is due
later is a row in `streams.timers`; when its time has come it is a fact of the log and heard here (`streams/timers`). Where no state is kept
yet, the rule was published after the customer's first facts: his past is folded, and what it would have said then is not said.
Reading order: Triggering.told, `_hear`, `_ring`, `_first`, refolded, pulse; then `_Turn`, in which the changes of one call gather.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec.structs import replace

from aggregates.contact_policy.candidate import Candidate
from aggregates.fact import Fact
from aggregates.rules.rule import Absence, Contact
from aggregates.touchpoint import derive
from aggregates.wire import CustomerEvent, customer_event_decoder
from projections.triggers import table
from projections.triggers.evidence import Evidence
from projections.triggers.react import Reaction, begin, objection, react, refold, ripen, wake_of
from projections.triggers.state import Effect as Said
from projections.triggers.state import Fire, Signal, State, Withdraw
from projections.triggers.storing import encode
from projections.triggers.table import Place, Timer
from projections.triggers.trigger import admit
from streams import in_force, surveying, timers
from streams.candidates import Contacting, Want
from streams.in_force import Active, InForce
from streams.parts import Heard, Moment, opened
from streams.record import Connection, Effect, Keys, Publication
from streams.ticking import Ticking
from streams.words import CLOCK, DECIDER

CUSTOMERS = 50_000
MOST_KEPT = 64
"""Facts of a customer that may wait for his timers: beyond it what is due is said with the next fact."""

NEVER = datetime.min.replace(tzinfo=UTC)
HELD = " contacts"
"""The timer of contacts that are held until a time."""

Runs = dict[tuple[str, int], State]


@dataclass(slots=True)
class _Held:
    """What is remembered of a partition."""

    here: InForce
    runs: dict[UUID, Runs] = field(default_factory=dict)  # of customers whose states were read, all of them
    learned: dict[UUID, Runs] = field(default_factory=dict)  # by the transaction under way
    surveying: bool = True  # whether customers may still have to be looked at for a rule that was published


class Triggering:
    """The part. Timers are set with `ticking`, a part of its own that comes after this one."""

    name = "rules"

    def __init__(self, keys: Keys, contacting: Contacting, ticking: Ticking) -> None:
        self._keys, self._contacting, self._ticking = keys, contacting, ticking
        self._held: dict[int, _Held] = {}

    async def ready(self, moment: Moment) -> None:
        """Bring what is in force into memory."""
        if moment.partition not in self._held:
            await self._ticking.ready(moment)
            self._held[moment.partition] = _Held(await in_force.load(moment.connection, moment.partition))

    def wants(self, partition: int, event: CustomerEvent) -> bool:
        """Facts that some rule names, and timers."""
        return event.type in self._held[partition].here.by_type or (event.type == timers.DUE and event.source == CLOCK)

    async def decided(self, moment: Moment, event: CustomerEvent) -> list[Effect]:
        """A rule or a quantile."""
        if event.source == DECIDER:
            held = self._held[moment.partition]
            new = await in_force.decided(moment.connection, moment.partition, held.here, event)
            if new is not None and new.kind == "rule" and new.state == "published" and has_timers(held.here.rules[new.name, new.version]):
                await surveying.begin(moment.connection, moment.partition, "rule", new.name, new.version)
                held.surveying = True
            await self._contacting.control(moment.connection, event)
        return []

    async def told(self, moment: Moment, heard: Sequence[Heard]) -> list[Effect]:
        """Facts and timers, in their order."""
        held = self._held[moment.partition]
        turn = _Turn(moment, held, self._contacting, self._ticking)
        known = [(item, UUID(item.customer)) for item in heard]
        evidence = [self._evidence(held.here, item) for item, _ in known]
        await self._load(
            moment, held, {customer for (item, customer), found in zip(known, evidence, strict=True) if found or not item.fact}
        )
        for (item, customer), found in zip(known, evidence, strict=True):
            if item.fact is None:
                await self._ring(turn, customer, item)
                continue
            for active, one in found:
                await self._hear(turn, customer, item, item.fact, active, one)
        return await turn.finish()

    async def refolded(self, moment: Moment, customers: Sequence[UUID]) -> list[Effect]:
        """Rows moved: what rules know of these customers is derived from what rows they have now. Nobody is told of what that shows."""
        held = self._held[moment.partition]
        if not held.here.rules:
            return []
        turn = _Turn(moment, held, self._contacting, self._ticking)
        for customer in customers:
            await table.drop(moment.connection, [customer])
            held.runs.pop(customer, None)
            held.learned.pop(customer, None)
            await turn.settle_now(customer, await self._derive_all(turn, customer))
        return await turn.finish(remember=False)

    async def pulse(self, moment: Moment) -> list[Effect]:
        """Look at some of those who were there before a rule that has timers."""
        held = self._held[moment.partition]
        if not held.surveying:
            return []
        surveys = await surveying.under_way(moment.connection, moment.partition, "rule")
        held.surveying = bool(surveys)
        if not surveys:
            return []
        turn = _Turn(moment, held, self._contacting, self._ticking)
        active = held.here.rules.get((surveys[0].name, surveys[0].version))
        customers = await surveying.piece(moment.connection, moment.schema, moment.partition, surveys[0])
        if active is not None and active.until is None:
            await self._load(moment, held, customers)
            for customer in customers:
                if active.key not in held.learned[customer]:
                    await self._surveyed(turn, customer, active)
                else:
                    held.learned.pop(customer)
                    held.runs.pop(customer, None)
        return await turn.finish(remember=False)

    def restless(self, partition: int) -> bool:
        """Whether there is somebody to look at."""
        held = self._held.get(partition)
        return held is None or held.surveying

    def committed(self, partition: int) -> None:
        """States may be believed."""
        held = self._held.get(partition)
        if held is None:
            return
        if len(held.runs) > CUSTOMERS:
            held.runs.clear()
        held.runs |= held.learned
        held.learned = {}

    def forget(self, partition: int) -> None:
        """Everything is read again."""
        self._held.pop(partition, None)

    def _evidence(self, here: InForce, item: Heard) -> list[tuple[Active, Evidence]]:
        if item.fact is None:
            return []
        found = []
        for active in here.by_type.get(item.fact.type, ()):
            one = admit(active.trigger, item.fact)
            if one is None:
                continue
            if active.until is not None:
                one = replace(one, roles=one.roles & active.ending)
            if one.roles:
                found.append((active, one))
        return found

    async def _load(self, moment: Moment, held: _Held, customers: Iterable[UUID]) -> None:
        """States of these customers into the turn: from memory, or read once."""
        missing = [customer for customer in customers if customer not in held.learned and customer not in held.runs]
        met = {customer: moment.before.get(str(customer)) for customer in missing}
        for customer, view in met.items():
            held.learned[customer] = {}
            if view is not None and view.events == 0:
                missing.remove(customer)  # nobody knew him: nothing is kept of him
        if missing:
            for customer, rule, version, state in await table.load(moment.connection, missing):
                active = held.here.rules.get((rule, version))
                if active is not None:
                    held.learned[customer][rule, version] = active.storing.decode(state)
        for customer in customers:
            if customer not in held.learned:
                held.learned[customer] = dict(held.runs[customer])

    async def _hear(self, turn: "_Turn", customer: UUID, item: Heard, fact: Fact, active: Active, evidence: Evidence) -> None:
        """One fact for one rule."""
        runs, now = turn.held.learned[customer], now_of(fact)
        state = runs.get(active.key)
        if state is None:
            if active.until is not None:
                return
            state = await self._first(turn, customer, item, active, now)
        elif active.until is not None and wake_of(active.trigger, state) is None:
            return
        quantiles = turn.held.here.quantiles
        heard = NEVER if len(state.kept) < MOST_KEPT else None
        reaction = react(active.trigger, state, evidence, now, quantiles, heard)
        if reaction is None:
            reaction = await self._mended(turn, customer, item, active, state, evidence, now)
        quiet = "test" if fact.simulated else ""
        await turn.take(customer, active, state, reaction[0], reaction[1], now, fact.clock, quiet)

    async def _ring(self, turn: "_Turn", customer: UUID, item: Heard) -> None:
        """A timer: ignored when nothing waits for it any more."""
        timer = timers.decoder.decode(item.event.data)
        if timer.rule == HELD:
            await turn.settle_now(customer, timer.at)
            return
        if timer.rule.startswith(" "):
            return  # another part's
        active = turn.held.here.rules.get((timer.rule, timer.version))
        state = turn.held.learned[customer].get((timer.rule, timer.version))
        if active is None or state is None:
            await self._ticking.set(turn.moment, {(customer, timer.rule, timer.version): None})
            return
        after, said = ripen(active.trigger, state, timer.at, turn.held.here.quantiles)
        await turn.take(customer, active, state, after, said, timer.at, timer.clock, timer.quiet, rung=True)

    async def _first(self, turn: "_Turn", customer: UUID, item: Heard | None, active: Active, now: datetime) -> State:
        """The state of a customer who was there before the rule: what his past would have said is not said."""
        trigger = active.trigger
        runs = turn.held.learned[customer]
        for older in turn.held.here.older(active):
            state = runs.get(older.key)
            if state is not None and wake_of(older.trigger, state) is not None:
                return begin(trigger)  # the version before it ends what it has begun
        past = await self._past(turn.moment, customer, active, item.offset if item else None)
        if not past:
            return begin(trigger)
        return refold(trigger, past, (), now, turn.held.here.quantiles)[0]

    async def _surveyed(self, turn: "_Turn", customer: UUID, active: Active) -> None:
        """What somebody waits for who was there before the rule."""
        facts = await self._facts(turn.moment, customer, active.trigger.types, None)
        if not _evidence_of(active, facts):
            return
        last = max(facts, key=now_of)
        now = now_of(last) if last.clock else max(now_of(last), active.since)
        state = await self._first(turn, customer, None, active, now)
        await turn.take(customer, active, None, state, (), now, last.clock, "test" if last.simulated else "")

    async def _mended(
        self, turn: "_Turn", customer: UUID, item: Heard, active: Active, state: State, evidence: Evidence, now: datetime
    ) -> Reaction:
        """A fact that is older than what is kept: fold the past with and without it, and say what differs."""
        trigger, quantiles = active.trigger, turn.held.here.quantiles
        past = await self._past(turn.moment, customer, active, item.offset)
        wake = wake_of(trigger, state)
        heard = now if wake is None else min(now, wake)
        _, before = refold(trigger, past, (), now, quantiles, heard=heard)
        standing = {said.signal.event for said in before if isinstance(said, Fire)}
        history = sorted([*past, evidence], key=lambda one: one.stamp)
        return refold(trigger, history, standing, now, quantiles, "backfill" if evidence.backfill else "", heard)

    async def _past(self, moment: Moment, customer: UUID, active: Active, before: int | None) -> list[Evidence]:
        facts = await self._facts(moment, customer, active.trigger.types, before)
        return _evidence_of(active, facts)

    async def _facts(self, moment: Moment, customer: UUID, types: Iterable[str], before: int | None) -> list[Fact]:
        records = await table.history(moment.connection, moment.schema, customer, types, moment.partition, before)
        events = [customer_event_decoder.decode(record) for record in records]
        await self._keys.fetch(moment.connection, {event.yektaseal for event in events if event.yektaseal > 0})
        return [opened(event, self._keys) for event in events]

    async def _derive_all(self, turn: "_Turn", customer: UUID) -> datetime:
        """All rules of a customer, from his rows; the moment at which that is."""
        here = turn.held.here
        turn.held.learned[customer] = {}
        facts = await self._facts(turn.moment, customer, here.types, None)
        standing = await table.standing(turn.moment.connection, turn.moment.schema, customer)
        at = max((now_of(fact) for fact in facts), default=NEVER)
        for active in here.rules.values():
            said_so = standing.get(active.key, {})
            evidence = [] if active.until is not None else _evidence_of(active, facts)
            if not evidence and not said_so:
                continue
            last = max(facts, key=now_of) if facts else None
            now = now_of(last) if last else active.since
            state, said = refold(active.trigger, evidence, said_so.keys(), now, here.quantiles, "moved")
            said = tuple([one for one in said if not (isinstance(one, Fire) and one.signal.occurred_at < active.since)])
            quiet = "test" if last and last.simulated else ""
            await turn.take(customer, active, None, state, said, now, last.clock if last else "", quiet)
        return at


class _Turn:
    """The changes of one call: states, timers, and what was said, per customer and moment."""

    def __init__(self, moment: Moment, held: _Held, contacting: Contacting, ticking: Ticking) -> None:
        self.moment, self.held, self._contacting, self._ticking = moment, held, contacting, ticking
        self._states: dict[Place, State] = {}
        self._timers: dict[Place, Timer | None] = {}
        self._said: dict[UUID, tuple[datetime, list[tuple[Active, Said]]]] = {}
        self._effects: list[Effect] = []
        self._spoke = False

    async def take(
        self,
        customer: UUID,
        active: Active,
        before: State | None,
        after: State,
        said: Iterable[Said],
        now: datetime,
        clock: str,
        quiet: str,
        *,
        rung: bool = False,
    ) -> None:
        """One rule of one customer has come so far."""
        place = (customer, *active.key)
        if after is not before or active.key not in self.held.learned[customer]:
            self._states[place] = after
            self.held.learned[customer][active.key] = after
        wake = wake_of(active.trigger, after)
        known = None if before is None else wake_of(active.trigger, before)
        if rung or wake != known or before is None:
            self._set(place, None if wake is None else Timer(max(wake, now), clock, quiet), before is not None)
        for one in said:
            if isinstance(one, Fire):
                signal = one.signal
                hushed = signal.quiet or quiet or ("paused" if active.state == "paused" else "")
                await self._say(customer, now, active, Fire(replace(signal, quiet=hushed)) if hushed != signal.quiet else one)
            elif isinstance(one, Withdraw):
                await self._say(customer, now, active, one)

    def _set(self, place: Place, timer: Timer | None, known: bool) -> None:
        if timer is None and not known:
            return
        self._timers[place] = timer

    async def _say(self, customer: UUID, now: datetime, active: Active, said: Said) -> None:
        """All that is said of a customer at one moment is decided together."""
        known = self._said.get(customer)
        if known is not None and known[0] != now:
            await self._decide({customer: self._said.pop(customer)})
            known = None
        if known is None:
            known = self._said[customer] = (now, [])
        known[1].append((active, said))

    async def settle_now(self, customer: UUID, now: datetime) -> None:
        """A contact that was held is to be decided again, after all that was said before."""
        if customer in self._said:
            await self._decide({customer: self._said.pop(customer)})
        await self._contact(customer, (), now)

    async def finish(self, *, remember: bool = True) -> list[Effect]:
        """Write everything down; what is to be published."""
        connection, partition = self.moment.connection, self.moment.partition
        await self._decide(self._said)
        await table.save(connection, partition, {place: encode(state) for place, state in self._states.items()})
        await self._ticking.set(self.moment, self._timers)
        if self._spoke:
            await connection.execute(f"NOTIFY {table.NOTICE}")
        if not remember:
            for customer, _, _ in self._states:
                self.held.learned.pop(customer, None)
                self.held.runs.pop(customer, None)
        return self._effects

    async def _decide(self, said: Mapping[UUID, tuple[datetime, list[tuple[Active, Said]]]]) -> None:
        """Keep what was said; tell of it; let the contact policy decide about those who are to be approached."""
        if not said:
            return
        fired = {
            (customer, one.signal.id): (active, one.signal)
            for customer, (_, some) in said.items()
            for active, one in some
            if isinstance(one, Fire)
        }
        gone = [one.signal for _, some in said.values() for _, one in some if isinstance(one, Withdraw)]
        withdrawn = await table.withdraw(self.moment.connection, gone) if gone else []
        given = [(customer, signal) for (customer, _), (_, signal) in fired.items()]
        new = await table.give(self.moment.connection, self.moment.partition, given) if given else set()
        back = {id_ for _, some in said.values() for id_ in _withdrawn_last(some)} & new
        if back:  # given and withdrawn at the same moment
            withdrawn += await table.withdraw(self.moment.connection, list(back))
        self._spoke = self._spoke or bool(new or withdrawn)
        wants: dict[UUID, list[Want]] = {}
        for (customer, id_), (active, signal) in fired.items():
            if id_ not in new:
                continue
            self._effects.append(_published("signal.fired", customer, _told(customer, signal, active)))
            if isinstance(active.rule.do, Contact) and id_ not in back:
                wants.setdefault(customer, []).append(_want(customer, active, active.rule.do, signal))
        for one in withdrawn:
            self._effects.append(_published("signal.withdrawn", one.customer_id, _shown(one)))
        for customer, (now, _) in said.items():
            mine = [one.id for one in withdrawn if one.customer_id == customer]
            if mine:
                self._effects += await self._contacting.withdraw(self.moment.connection, customer, mine, now)
            if customer in wants:
                await self._contact(customer, wants[customer], now)

    async def _contact(self, customer: UUID, wants: Sequence[Want], now: datetime) -> None:
        def against(want: Want) -> str:
            return self._objection(customer, want, now)

        settled = await self._contacting.settle(self.moment.connection, self.moment.schema, customer, wants, now, against)
        self._effects += settled.publications
        self._set((customer, HELD, 0), None if settled.until is None else Timer(settled.until), known=True)

    def _objection(self, customer: UUID, want: Want, now: datetime) -> str:
        """What the rule itself has against a contact that was held."""
        key = (want.candidate.rule, want.candidate.version)
        active, state = self.held.here.rules.get(key), self.held.learned.get(customer, {}).get(key)
        if active is None:
            return "retired"
        if active.state == "paused":
            return "paused"
        if state is None:
            return ""
        with suppress(msgspec.MsgspecError):
            return objection(active.trigger, state, msgspec.msgpack.decode(want.blob, type=Signal), now, self.held.here.quantiles)
        return ""


async def objection_now(connection: Connection, customer: UUID, rule: str, version: int, blob: bytes, now: datetime) -> str:
    """What a rule has against a contact of its signal at the time of sending; asked from outside the customer's transaction."""
    cursor = await connection.execute(
        "SELECT s.state, s.partition FROM streams.rule_states s WHERE s.customer_id = %s AND s.rule = %s AND s.version = %s",
        (customer, rule, version),
    )
    row = await cursor.fetchone()
    if row is None:
        return ""
    here = await in_force.load(connection, row[1])
    active = here.rules.get((rule, version))
    if active is None or active.state == "paused":
        return "retired" if active is None else "paused"
    signal = msgspec.msgpack.decode(blob, type=Signal)
    return objection(active.trigger, active.storing.decode(row[0]), signal, now, here.quantiles)


def has_timers(active: Active) -> bool:
    """Whether a rule may say something though nothing comes."""
    return bool(active.rule.wait) or isinstance(active.rule.when, Absence)


def now_of(fact: Fact) -> datetime:
    """The moment at which a fact is heard: when it was received; the fact's own where a source replays its time."""
    return fact.at if fact.clock == "event" else fact.recorded


def _evidence_of(active: Active, facts: Iterable[Fact]) -> list[Evidence]:
    """What a rule sees in facts, in its own order."""
    found = [one for fact in facts if fact.type in active.trigger.roles and (one := admit(active.trigger, fact)) is not None]
    found.sort(key=lambda one: one.stamp)
    return found


def _withdrawn_last(said: Sequence[tuple[Active, Said]]) -> set[UUID]:
    """The signals of which the last word is that they do not stand."""
    gone: set[UUID] = set()
    for _, one in said:
        if isinstance(one, Fire):
            gone.discard(one.signal.id)
        elif isinstance(one, Withdraw):
            gone.add(one.signal)
    return gone


def _want(customer: UUID, active: Active, do: Contact, signal: Signal) -> Want:
    candidate = Candidate(
        signal.id,
        signal.rule,
        signal.version,
        customer,
        do.purpose,
        do.prefer,
        active.rule.holdout,
        signal.occurred_at,
        signal.recorded_at,
        active.order,
        objection=signal.quiet,
    )
    cause = {"source": signal.source, "id": signal.cause}
    return Want(candidate, do.campaign, cause, signal.recorded_at, signal.late, msgspec.msgpack.encode(signal), active.rule.cooldown)


def _told(customer: UUID, signal: Signal, active: Active) -> dict[str, Any]:
    do = active.rule.do
    act = {"contact": do.campaign, "purpose": do.purpose} if isinstance(do, Contact) else {"notify": do.target}
    return {
        "id": signal.id,
        "rule": signal.rule,
        "version": signal.version,
        "customer_id": customer,
        "cause": {"source": signal.source, "id": signal.cause},
        "occurred_at": signal.occurred_at,
        "recorded_at": signal.recorded_at,
        "late": signal.late,
        "do": act,
        "quiet": signal.quiet or None,
    }


def _shown(given: table.Given) -> dict[str, Any]:
    return {
        "id": given.id,
        "rule": given.rule,
        "version": given.version,
        "customer_id": given.customer_id,
        "cause": {"source": given.source, "id": given.cause},
        "occurred_at": given.occurred_at,
        "recorded_at": given.recorded_at,
        "late": given.late,
        "withdrawn": True,
        "quiet": given.quiet or None,
    }


def _published(type_: str, customer: UUID, data: Mapping[str, Any]) -> Publication:
    """A record of `signals`; its id is the same however often it is said."""
    event = {
        "specversion": "1.0",
        "id": str(derive(type_, str(data["id"]))),
        "source": "yekta:rules",
        "type": type_,
        "time": data["recorded_at"],
        "subject": str(customer),
        "datacontenttype": "application/json",
        "data": data,
    }
    return Publication("signals", str(customer).encode(), msgspec.json.encode(event))
