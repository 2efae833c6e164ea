"""Runs the published rules over customers' facts, in the transaction that folds them: the part of `customer` that gives signals.

Per rule and customer there is one bounded state (`projections/triggers`); a fact touches only the rules that name its type. What is due
later is a row in `streams.timers`; when its time has come it is a fact of the log and heard here (`streams/timers`). Where no state is kept
yet, the rule was published after the customer's first facts: his past is folded, and what it would have said then is not said.
Reading order: Triggering.told, `_hear`, `_ring`, fold, refolded, pulse; then `streams/turn`, in which the changes of one call gather, and
`streams/recalling`, by which the past is folded.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from aggregates.fact import Fact
from aggregates.rules.rule import Contact
from aggregates.wire import CustomerEvent
from projections.identity import table as identity
from projections.timeline.row import uuid_of
from projections.triggers import table
from projections.triggers.evidence import Evidence
from projections.triggers.react import Reaction, begin, mend, moved, react, recall, recalled, refold, ripen, wake_of
from projections.triggers.state import Effect as Said
from projections.triggers.state import Fire, State, Withdraw
from projections.triggers.storing import encode
from projections.triggers.trigger import roles_of, seen
from streams import in_force, surveying, timers
from streams.candidates import Contacting
from streams.in_force import Active, InForce
from streams.parts import Heard, Moment, Past
from streams.recalling import NEVER, Last, Recalling, clock_of, evidence_of, last_of, now_of
from streams.record import Effect, Keys
from streams.ticking import Ticking
from streams.timers import HELD
from streams.turn import Held, Runs, Turn
from streams.words import CLOCK, DECIDER

CUSTOMERS = 50_000
FEW = 300
"""Events of a customer whose past is read together with that of others; longer ones are read one by one, so that they fit into memory."""

MOST_KEPT = 64
"""Facts of a customer that may wait for his timers: beyond it what is due is said with the next fact."""


@dataclass(frozen=True, slots=True)
class History:
    """What the first facts of a customer make of him: for each rule, and which of them was heard last."""

    quantiles: Mapping[str, int]  # how often each was published
    runs: Mapping[tuple[str, int], State]
    last: Last | None = None


_packed = msgspec.msgpack.Decoder(tuple[dict[str, int], list[tuple[str, int, bytes]], Last | None])


class Triggering:
    """The part. Timers are set with `ticking`, a part of its own that comes after this one."""

    name = "rules"

    def __init__(self, keys: Keys, contacting: Contacting, ticking: Ticking) -> None:
        self._past, self._contacting, self._ticking = Recalling(keys), contacting, ticking
        self._held: dict[int, Held] = {}

    async def ready(self, moment: Moment) -> None:
        """Bring what is in force into memory."""
        if moment.partition not in self._held:
            await self._ticking.ready(moment)
            self._held[moment.partition] = Held(await in_force.load(moment.connection, moment.partition))
        held = self._held[moment.partition]
        if held.here.by_type:
            held.heard.update({uuid_of(customer): None for customer, view in moment.before.items() if not view.events})

    def wants(self, partition: int, event: CustomerEvent) -> bool:
        """Facts that some rule names, and timers."""
        return event.type in self._held[partition].here.by_type or (event.type == timers.DUE and event.source == CLOCK)

    def reads(self, partition: int, event: CustomerEvent) -> bool:
        """Most rules only ask that something came."""
        return event.type in self._held[partition].here.read

    async def decided(self, moment: Moment, event: CustomerEvent) -> list[Effect]:
        """A rule or a quantile."""
        if event.source == DECIDER:
            held = self._held[moment.partition]
            new = await in_force.decided(moment.connection, moment.partition, held.here, event)
            held.heard.clear()  # the rule did not hear what came before it
            if new is not None and new.kind == "rule" and new.state == "published" and held.here.rules[new.name, new.version].has_timers:
                await surveying.begin(moment.connection, moment.partition, "rule", new.name, new.version)
                held.surveying = True
            anew = await self._contacting.control(moment.connection, event)
            if anew is not None:
                await self._ticking.hasten(moment, HELD, anew)
        return []

    async def told(self, moment: Moment, heard: Sequence[Heard]) -> list[Effect]:
        """Facts and timers, in their order."""
        held = self._held[moment.partition]
        turn = Turn(moment, held, self._contacting, self._ticking)
        known = [(item, uuid_of(item.customer)) for item in heard]
        evidence = [self._evidence(held.here, item) for item, _ in known]
        await self._load(
            moment, held, {customer for (item, customer), found in zip(known, evidence, strict=True) if found or not item.fact}
        )
        turn.recalled = await self._past.together(moment, _unknown(moment, held, known, evidence), held.here.read)
        words = {item.offset: timers.decoder.decode(item.event.data) for item, _ in known if item.fact is None}
        replaying = {customer for item, customer in known if (words[item.offset] if item.fact is None else item.fact).clock}
        if replaying:
            turn.waiting = await table.waiting(moment.connection, replaying, "")
            turn.unsettled = await timers.unsettled(moment.connection, moment.partition)
        for (item, customer), found in zip(known, evidence, strict=True):
            if item.fact is None:
                word = words[item.offset]
                if word.clock:
                    await self._pass(turn, customer, word.at, word.clock)
                await self._ring(turn, customer, word)
                continue
            if found:
                if item.fact.clock:
                    await self._pass(turn, customer, now_of(item.fact), clock_of(item.fact))
                await self._hear(turn, customer, item, item.fact, found)
        return await turn.finish()

    def begin(self, partition: int) -> History:
        here = self._held[partition].here
        return History(
            here.quantiles.counted, {active.key: begin(active.trigger) for active in here.rules.values() if active.until is None}
        )

    def fold(self, partition: int, so_far: History, told: Sequence[Past]) -> History:
        """For the rules of the beginning that are still in force."""
        here = self._held[partition].here
        facts = [fact for _, fact in told if fact.type in here.by_type]
        last = last_of(facts, so_far.last)
        runs = {}
        for key, state in so_far.runs.items():
            active = here.rules.get(key)
            if active is not None and active.until is None:
                evidence = evidence_of(active, facts)
                runs[key] = recall(active.trigger, state, evidence, last.now, here.quantiles)[0] if evidence and last else state
        return History(so_far.quantiles, runs, last)

    def pack(self, so_far: History) -> bytes:
        runs = [(name, version, encode(state)) for (name, version), state in so_far.runs.items()]
        return msgspec.msgpack.encode((so_far.quantiles, runs, so_far.last))

    def unpack(self, partition: int, packed: bytes) -> History | None:
        here = self._held[partition].here
        quantiles, packed_runs, last = _packed.decode(packed)
        runs = {}
        for name, version, state in packed_runs:
            active = here.rules.get((name, version))
            if active is not None and active.until is None:
                runs[active.key] = active.storing.decode(state)
        unheard = any(active.until is None and active.key not in runs for active in here.rules.values())
        return None if unheard or quantiles != here.quantiles.counted else History(quantiles, runs, last)

    async def refolded(self, moment: Moment, customers: Mapping[UUID, History]) -> list[Effect]:
        """Rows moved: what rules know of these customers is derived from what rows they have now. Nobody is told of what that alone
        shows."""
        held = self._held[moment.partition]
        if not held.here.rules:
            return []
        turn = Turn(moment, held, self._contacting, self._ticking, joined=True)
        if any(history.last and history.last.clock for history in customers.values()):
            turn.unsettled = await timers.unsettled(moment.connection, moment.partition)
        await table.drop(moment.connection, customers)
        gone = [customer for customer, history in customers.items() if not history.last]
        heirs = await identity.successors(moment.connection, gone) if gone else {}
        for customer, history in customers.items():
            held.drop(customer)
            held.learned[customer] = {}
            heir = heirs.get(customer)
            await self._from_history(turn, customer, history, heir)
            if heir is None:
                turn.settle(customer, *((history.last.now, history.last.clock) if history.last else (NEVER, "")))
            else:
                turn.leave(customer)
            await turn.decide()  # a signal that is withdrawn here may be given to the next
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
        turn = Turn(moment, held, self._contacting, self._ticking)
        active = held.here.rules.get((surveys[0].name, surveys[0].version))
        customers = await surveying.piece(moment.connection, moment.schema, moment.partition, surveys[0])
        if active is not None and active.until is None:
            await self._load(moment, held, customers)
            for customer in customers:
                if active.key not in held.learned[customer]:
                    await self._surveyed(turn, customer, active, surveys[0].replayed)
                else:
                    held.drop(customer)
        return await turn.finish(remember=False)

    def restless(self, partition: int) -> bool:
        """Whether there is somebody to look at."""
        held = self._held.get(partition)
        return held is None or held.surveying

    def committed(self, partition: int) -> None:
        """States may be believed."""
        held = self._held.get(partition)
        if held is not None:
            held.believe(CUSTOMERS)

    def forget(self, partition: int) -> None:
        """Everything is read again."""
        self._held.pop(partition, None)

    def _evidence(self, here: InForce, item: Heard) -> list[tuple[Active, Evidence]]:
        if item.fact is None:
            return []
        found, fact = [], item.fact
        known: dict[int, Evidence | None] = {}  # most rules see the same in a fact
        for active in here.by_type.get(fact.type, ()):
            roles = roles_of(active.trigger, fact)
            if active.until is not None:
                roles &= active.ending
            if not roles:
                continue
            if roles not in known:
                known[roles] = seen(fact, roles)
            if (one := known[roles]) is not None:
                found.append((active, one))
        return found

    async def _load(self, moment: Moment, held: Held, customers: Iterable[UUID]) -> None:
        """States of these customers into the turn: from memory, or read once."""
        missing = [customer for customer in customers if customer not in held.learned and customer not in held.runs]
        kept = []
        for customer in missing:
            held.learned[customer] = {}
            if customer not in held.heard and not moment.is_new(str(customer)):
                kept.append(customer)  # of whom nobody knew, nothing is kept
        if kept:
            for customer, rule, version, state in await table.load(moment.connection, kept):
                active = held.here.rules.get((rule, version))
                if active is not None:
                    held.learned[customer][rule, version] = active.storing.decode(state)
        for customer in customers:
            if customer not in held.learned:
                held.learned[customer] = dict(held.runs[customer])

    async def _hear(self, turn: Turn, customer: UUID, item: Heard, fact: Fact, found: Sequence[tuple[Active, Evidence]]) -> None:
        """One fact for the rules that it concerns."""
        here, runs, now, clock = turn.held.here, turn.held.learned[customer], now_of(fact), clock_of(fact)
        changed: Runs = {}
        for active, evidence in found:
            before = state = runs.get(active.key)
            if state is None:
                if active.until is not None:
                    continue
                recalled = [] if customer in turn.held.heard else turn.recalled.get(customer)
                state, sealed = await self._past.first(turn.moment, here, customer, active, runs, now, item.offset, recalled)
                for seal in sealed:
                    turn.seal((customer, *active.key), seal)
            elif active.until is not None and wake_of(active.trigger, state) is None:
                continue
            heard = NEVER if len(state.kept) < MOST_KEPT else None
            reaction = react(active.trigger, state, evidence, now, here.quantiles, heard)
            if reaction is None:
                reaction = await self._mended(turn, customer, active, state, evidence, now, item.offset)
            after, said = reaction
            runs[active.key] = changed[active.key] = after
            if said or before is None:
                turn.tell(customer, active, before, after, said, now, clock)
        turn.keep(customer, changed)

    async def _mended(
        self, turn: Turn, customer: UUID, active: Active, state: State, late: Evidence, now: datetime, offset: int
    ) -> Reaction:
        """A fact that is older than what is kept: the past from a mark before it on, read once for all late ones of a call."""
        here, place = turn.held.here, (customer, *active.key)
        if place not in turn.reopened or not turn.reopened[place].reaches(late):
            turn.reopen(place, await self._past.reopened(turn.moment, here, customer, active, state, late, offset))
        wake, quiet = wake_of(active.trigger, state), "backfill" if late.backfill else ""
        heard = now if wake is None else min(now, wake)
        return mend(active.trigger, turn.reopened[place].blocks, state, late, now, here.quantiles, quiet, heard)

    async def _pass(self, turn: Turn, customer: UUID, to: datetime, clock: str) -> None:
        """What is due before a fact, or a timer, of a time that is replayed: years are told at once, and the words of timers come after."""
        while True:
            due, wanted = turn.next_timer(customer, to, clock), turn.undecided(customer)
            if wanted is not None and wanted < to and (due is None or wanted < due[1].at):
                await turn.decide_of(customer)
            elif due is not None:
                place, timer = due
                turn.ring(place)
                await self._ring(turn, customer, timers.Timer(*place[1:], timer.at, timer.clock, timer.quiet))
            else:
                return

    async def _ring(self, turn: Turn, customer: UUID, timer: timers.Timer) -> None:
        """A timer: ignored when nothing waits for it any more."""
        if timer.rule == HELD:
            turn.settle(customer, timer.at, timer.clock, await self._runs_at(turn, customer, timer.at) if timer.clock else None)
            return
        if timer.rule.startswith(" "):
            return  # another part's
        key = timer.rule, timer.version
        active, state = turn.held.here.rules.get(key), turn.held.learned[customer].get(key)
        if active is None or state is None:
            await self._ticking.set(turn.moment, {(customer, *key): None})
            return
        turn.ring((customer, *key))
        after, said = ripen(active.trigger, state, timer.at, turn.held.here.quantiles)
        quiet = timer.quiet  # only timers that an earlier version set say it
        turn.take(customer, active, state, after, said, timer.at, timer.clock, quiet)

    async def _runs_at(self, turn: Turn, customer: UUID, at: datetime) -> dict[tuple[str, int], State]:
        """His states at a moment of replayed time: what came after it may have been heard while contacts of the moment waited."""
        here, runs = turn.held.here, turn.held.learned[customer]
        beyond = [
            active
            for key, state in runs.items()
            if (active := here.rules.get(key)) and isinstance(active.rule.do, Contact) and state.head.last and state.head.last[0] > at
        ]
        if not beyond:
            return dict(runs)
        types = {type_ for active in beyond for type_ in active.trigger.types}
        facts = [fact for fact in await self._past.facts(turn.moment, customer, types, None, read=here.read) if fact.at <= at]
        return runs | {active.key: refold(active.trigger, evidence_of(active, facts), (), at, here.quantiles)[0] for active in beyond}

    async def _surveyed(self, turn: Turn, customer: UUID, active: Active, replayed: datetime | None) -> None:
        """What somebody waits for who was there before the rule."""
        facts = await self._past.facts(turn.moment, customer, active.trigger.types, None)
        if not evidence_of(active, facts):
            return
        last = max(facts, key=now_of)
        published = (
            await timers.reached(turn.moment.connection, turn.moment.partition, last.time_of, replayed) if last.clock else active.since
        )
        now = now_of(last) if published is None else max(now_of(last), published)
        state, sealed = await self._past.first(turn.moment, turn.held.here, customer, active, turn.held.learned[customer], now, None)
        turn.take(customer, active, None, state, sealed, now, clock_of(last))

    async def _from_history(self, turn: Turn, customer: UUID, history: History, heir: UUID | None) -> None:
        """All rules of a customer, after all of his history. Signals that went to his heir with their causes are not withdrawn and given
        anew: what was decided about them stands, and what is held is decided in its time."""
        here, last = turn.held.here, history.last
        standing = await table.standing(turn.moment.connection, turn.moment.schema, customer)
        for active in here.rules.values():
            said_so = standing.get(active.key, {})
            run = begin(active.trigger) if active.until is not None else history.runs[active.key]
            if not said_so and not run.kept and run.base.last is None:
                continue
            now = last.now if last else active.since
            run, _ = recall(active.trigger, run, (), now, here.quantiles)
            state, said = recalled(active.trigger, run, said_so.keys(), now, here.quantiles)
            said = tuple(await self._moved(turn, customer, active, said_so.keys(), said, now))
            if heir is not None and said:
                undone = [one.signal for one in said if isinstance(one, Withdraw)]
                went = await table.went(turn.moment.connection, turn.moment.schema, heir, undone)
                said = tuple([one for one in said if not (isinstance(one, Withdraw) and one.signal in went)])
            before = [one.signal for one in said if isinstance(one, Fire) and one.signal.occurred_at < active.since]
            told = await table.told_since(turn.moment.connection, turn.moment.schema, customer, before, active.since) if before else set()
            said = tuple([one for one in said if not (isinstance(one, Fire) and one.signal in before and one.signal.id not in told)])
            turn.take(customer, active, None, state, said, now, last.clock if last else "")

    async def _moved(
        self, turn: Turn, customer: UUID, active: Active, standing: Collection[UUID], said: Sequence[Said], now: datetime
    ) -> Sequence[Said]:
        """What rules say of a history that was put together: what is imported since then shows nothing that anybody is told either."""
        fired = [one.signal.id for one in said if isinstance(one, Fire)]
        if not fired:
            return said
        since = turn.moment.since.get(customer, now)
        facts = await self._past.facts(turn.moment, customer, active.trigger.types, None)
        before = evidence_of(active, [fact for fact in facts if fact.recorded < since or fact.backfill])
        given = await table.given_once(turn.moment.connection, fired)
        return moved(active.trigger, said, before, standing, since, turn.held.here.quantiles, given)


def _unknown(
    moment: Moment, held: Held, known: Sequence[tuple[Heard, UUID]], evidence: Sequence[Sequence[tuple[Active, Evidence]]]
) -> dict[UUID, set[str]]:
    """Of whom no state is kept yet of a rule that hears him, and of what types his past is asked for."""
    wanted: dict[UUID, set[str]] = {}
    for (item, customer), found in zip(known, evidence, strict=True):
        view = moment.before.get(item.customer)
        if view is None or view.events > FEW or customer in held.heard:
            continue
        for active, _ in found:
            if active.until is None and active.key not in held.learned[customer]:
                wanted.setdefault(customer, set()).update(active.trigger.roles)
    return wanted
