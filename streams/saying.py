"""What the champions say of customers in the transaction under way: what moved is written down, what moved far published, and the learner
is told all of it. Reading order: Reigning, Saying.ready, say, now.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from time import monotonic
from typing import NamedTuple

import msgspec
import structlog

from aggregates.churn import DAY
from projections.churn import kept as keeping
from projections.churn import table
from projections.churn.features import in_population
from projections.churn.kept import Came, Kept, Said
from projections.churn.messages import Example, Told
from projections.churn.silence import checks
from projections.churn.table import Given, InForce, Key
from projections.churn.weights import parts, scored
from projections.timeline.row import uuid_of
from streams import score_records, timers
from streams.learning import champion
from streams.learning.champion import Champion
from streams.learning.snapshot import SnapshotRefused
from streams.parts import Moment
from streams.record import Effect

LOOK = 1.0
"""Seconds for which it is believed, beside events, which definitions and champions are in force."""

log = structlog.get_logger()


class Reigning(NamedTuple):
    """Which definitions are in force, and by which champions, as somebody looked."""

    in_force: Sequence[InForce] = ()
    champions: Mapping[int, Champion] = {}  # by definition
    looked: float = float("-inf")


class Saying:
    """`learned`, `given`, `telling`: what the transaction under way made of customers, which scores it gives them, and what it has to tell
    the learner; by partition."""

    def __init__(self, clock: Callable[[], datetime], key: bytes) -> None:
        self._clock, self._key = clock, key
        self._reigning: dict[int, Reigning] = {}  # what a partition's transaction goes by, whatever others look up meanwhile
        self.learned: dict[int, dict[Key, Kept]] = {}
        self.given: dict[int, list[Given]] = {}
        self.telling: dict[int, list[Told]] = {}
        self._seen = Reigning()  # last, by any partition, and to the end
        self._forgotten = float("-inf")

    def forget(self, partition: int) -> None:
        """The transaction came to nothing, or the partition is another's: what its owner before knew is to be known here too."""
        for held in (self._reigning, self.learned, self.given, self.telling):
            held.pop(partition, None)
        self._forgotten = monotonic()

    async def ready(self, moment: Moment) -> None:
        """Which definitions are in force, and by which champions: each snapshot is loaded once."""
        self.learned[moment.partition], self.given[moment.partition], self.telling[moment.partition] = {}, [], []
        now, seen = monotonic(), self._seen
        if not moment.fresh or seen.looked <= self._forgotten or now - seen.looked >= LOOK:
            seen = self._seen = await self._look(moment, now)
        self._reigning[moment.partition] = seen

    def in_force(self, partition: int) -> Sequence[InForce]:
        """The definitions that this partition's transaction scores by."""
        return self._reigning[partition].in_force

    def champion(self, partition: int, definition: int) -> Champion:
        """The one by which this partition's transaction speaks for one of them."""
        return self._reigning[partition].champions[definition]

    async def _look(self, moment: Moment, now: float) -> Reigning:
        in_force = await table.in_force(moment.connection)
        champions: dict[int, Champion] = {}
        for one in in_force:
            known = self._seen.champions.get(one.id)
            champions[one.id] = known if known is not None and known.number == (one.champion or 0) else await self._champion(moment, one)
        return Reigning(in_force, champions, now)

    async def _champion(self, moment: Moment, one: InForce) -> Champion:
        try:
            return await champion.load(moment.connection, one.champion, one.definition.horizon, self._key)
        except SnapshotRefused as refused:
            log.error("a champion is not loaded", number=one.champion, why=str(refused))
            return Champion(one.champion or 0, champion.ignorant(one.definition.horizon), 0)

    def say(
        self,
        moment: Moment,
        customer: str,
        one: InForce,
        came: Came,
        void: int | None = None,
        *,
        give: bool = True,
        remember: bool = True,
        whole: bool = False,
    ) -> list[Effect]:
        """Remember what was said, give what moved, publish what moved far. `whole`: it is of all of his history."""
        by, said = self.champion(moment.partition, one.id), came.said
        kept, effects = self._give(moment.partition, customer, one, came, by) if by.learnt and give else (came.kept, [])
        if said and in_population(one.definition, kept.state, said[-1].at):
            kept = msgspec.structs.replace(kept, score=said[-1].scored.score)
        self.learned[moment.partition][customer, one.id] = kept
        if not remember:
            return effects
        state = kept.state
        self.telling[moment.partition].append(
            Told(
                customer,
                one.id,
                kept.replayed,
                kept.decider,
                came.returns,
                came.losses,
                state.ends if state.running else None,
                tuple([_example(one, kept, by.number) for one in said if one.taught]),
                void,
                came.left,
                whole,
            )
        )
        return effects

    def _give(self, partition: int, customer: str, one: InForce, came: Came, by: Champion) -> tuple[Kept, list[Effect]]:
        """Write down the scores that moved; and what is kept of the customer then, with the records of those that moved far."""
        kept, effects = came.kept, list[Effect]()
        for what in came.said:
            score = what.scored.score
            summands: dict[str, float] | None = None
            if keeping.weighty(kept, score):
                summands = parts(what.scored.weights, what.scored.features, what.scored.anchors)
                row = (_time(what.at), score, by.number, what.silent, msgspec.msgpack.encode(summands))
                self.given[partition].append(Given(uuid_of(customer), one.id, *row))
                kept = msgspec.structs.replace(kept, given=score)
            if one.stands == "in_force" and keeping.tellable(one.definition, kept, score):
                summands = summands or parts(what.scored.weights, what.scored.features, what.scored.anchors)
                effects += score_records.moved(customer, one.definition, kept, what, summands, by.number, self._clock())
                kept = msgspec.structs.replace(kept, told=score_records.written(score))
        return kept, effects

    async def now(self, moment: Moment, whose: Sequence[tuple[str, InForce, Kept]]) -> list[Effect]:
        """What the champions say now of these customers is given, where that is another score; it is not learnt from.

        In replayed time now is up to where all that was sent is in the views: whoever's facts wait elsewhere is not silent.
        """
        if not whose:
            return []
        effects: list[Effect] = []
        sent = await timers.replayed(moment.connection)
        times = {False: self._clock().timestamp() / DAY, True: sent.timestamp() / DAY if sent is not None else 0.0}
        for customer, one, kept in whose:
            now = max(times[kept.replayed], kept.state.at)
            if in_population(one.definition, kept.state, now):
                said = scored(one.definition, self.champion(moment.partition, one.id).model, kept.state, now)
                silent = now - kept.state.at >= checks(one.definition)[0]
                came = Came(kept, [Said(math.floor(now), now, silent, said)], (), ())
                effects += self.say(moment, customer, one, came, remember=False)
        return effects


def _example(said: Said, kept: Kept, snapshot: int) -> Example:
    scored = said.scored
    decider = said.decider if said.decider != kept.decider else ""
    return Example(said.day, said.silent, scored.features, scored.anchors, scored.logit, snapshot, decider)


def _time(days: float) -> datetime:
    return datetime.fromtimestamp(days * DAY, UTC)
