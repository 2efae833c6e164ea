"""What rules know of a customer's past, from his rows: where no state is kept yet, and where a fact came that is older than what is kept.

Reading order: Recalling.first, reopened, together, then facts, last_of and evidence_of.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

from msgspec import Struct

from aggregates.fact import Fact, fact_of
from aggregates.wire import customer_event_decoder
from projections.triggers import marks, table
from projections.triggers.evidence import Evidence
from projections.triggers.fold import initial
from projections.triggers.marks import Reopened
from projections.triggers.react import begin, blocks, refold, wake_of
from projections.triggers.state import Seal, State
from projections.triggers.trigger import admit
from streams.in_force import Active, InForce
from streams.parts import Moment, opened
from streams.record import Keys
from streams.words import KEY

Recalled = list[tuple[int | None, Fact]]
"""A customer's facts, each with its offset in the partition's own log."""

NEVER = datetime.min.replace(tzinfo=UTC)


class Last(Struct, frozen=True, array_like=True, gc=False):
    """Of the facts of a customer the one that was heard last: when that was, by which clock, and whether it happened at all."""

    now: datetime
    clock: str
    simulated: bool


class Recalling:
    """Reads and opens rows."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    async def first(
        self,
        moment: Moment,
        here: InForce,
        customer: UUID,
        active: Active,
        runs: Mapping[tuple[str, int], State],
        now: datetime,
        before: int | None,
        recalled: "Recalled | None" = None,
    ) -> tuple[State, Sequence[Seal]]:
        """The state of a customer who was there before the rule, and what is kept no longer: what his past would have said is not said.

        `recalled` is what was read of him together with others.
        """
        trigger = active.trigger
        for older in here.older.get(active.key, ()):
            state = runs.get(older.key)
            if state is not None and wake_of(older.trigger, state) is not None:
                return begin(trigger), ()  # the version before it ends what it has begun
        if recalled is None:
            past = await self._past(moment, here, customer, active, before)
        else:
            past = evidence_of(active, [fact for at, fact in recalled if at is None or before is None or at < before])
        if not past:
            return begin(trigger), ()
        state, said = refold(trigger, past, (), now, here.quantiles)
        return state, [one for one in said if isinstance(one, Seal)]

    async def reopened(
        self, moment: Moment, here: InForce, customer: UUID, active: Active, state: State, late: Evidence, before: int
    ) -> Reopened:
        """The past from the last mark before a fact that is older than what is kept, up to what is kept."""
        place = (customer, *active.key)
        known = marks.before((await table.marks(moment.connection, [place])).get(place, ()), late)
        start = active.storing.fold_of(known[-1]) if known else initial(active.trigger)
        since, last = start.last, state.base.last
        past = [
            one
            for one in await self._past(moment, here, customer, active, before, since[0] if since else None)
            if (since is None or since < one.stamp) and (last is None or one.stamp <= last)
        ]
        return Reopened(known, blocks(active.trigger, start, past, here.quantiles))

    async def together(self, moment: Moment, wanted: Mapping[UUID, Collection[str]], read: Collection[str]) -> dict[UUID, "Recalled"]:
        """The facts of these customers, of the types that any of them is asked for, in one reading; opened where some rule reads them."""
        if not wanted:
            return {}
        types = {type_ for some in wanted.values() for type_ in some}
        rows = await table.histories(moment.connection, moment.schema, wanted, types, moment.partition)
        found = [(customer, at, customer_event_decoder.decode(record)) for customer, at, record in rows]
        await self._keys.fetch(moment.connection, {event.yektaseal for _, _, event in found if event.yektaseal > 0 and event.type in read})
        recalled: dict[UUID, Recalled] = {customer: [] for customer in wanted}
        for customer, at, event in found:
            if event.type in wanted[customer]:
                recalled[customer].append((at, opened(event, self._keys) if event.type in read else fact_of(event)))
        return recalled

    async def _past(
        self, moment: Moment, here: InForce, customer: UUID, active: Active, before: int | None, since: datetime | None = None
    ) -> list[Evidence]:
        return evidence_of(active, await self.facts(moment, customer, active.trigger.types, before, since, here.read))

    async def facts(
        self,
        moment: Moment,
        customer: UUID,
        types: Iterable[str],
        before: int | None,
        since: datetime | None = None,
        read: Collection[str] | None = None,
    ) -> list[Fact]:
        """His facts of these types; those that came before an offset, or all; from a time on. Opened are those of types that are read."""
        records = await table.history(moment.connection, moment.schema, customer, types, moment.partition, before, since)
        events = [customer_event_decoder.decode(record) for record in records]
        opening = [read is None or event.type in read for event in events]
        sealed = zip(events, opening, strict=True)
        await self._keys.fetch(moment.connection, {event.yektaseal for event, opens in sealed if opens and event.yektaseal > 0})
        return [opened(event, self._keys) if opens else fact_of(event) for event, opens in zip(events, opening, strict=True)]


def now_of(fact: Fact) -> datetime:
    """The moment at which a fact is heard: when it was received; the fact's own where a source replays its time."""
    return fact.at if fact.clock == "event" else fact.recorded


def clock_of(fact: Fact) -> str:
    """The clock by which timers go that a fact sets: of a source that replays its time its own; empty: ours.

    Of what we say ourselves the source is named where one fact showed it; a score is shown by none.
    """
    return f"{fact.clock}:{fact.time_of}" if fact.clock and fact.time_of != KEY else fact.clock


def last_of(facts: Iterable[Fact], before: Last | None = None) -> Last | None:
    """The last that was heard of these, and of those before; of several at a time the first."""
    for fact in facts:
        now = now_of(fact)
        if before is None or now > before.now:
            before = Last(now, clock_of(fact), fact.simulated)
    return before


def evidence_of(active: Active, facts: Iterable[Fact]) -> list[Evidence]:
    """What a rule sees in facts, in its own order."""
    found = [one for fact in facts if fact.type in active.trigger.roles and (one := admit(active.trigger, fact)) is not None]
    found.sort(key=lambda one: one.stamp)
    return found
