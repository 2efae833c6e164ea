"""Scores those to whom nothing comes: the silent whose day has come, the past of new definitions, and everybody under a new champion.

Each goes through a partition's customers some at a time, when nothing else is to be done; the silent also beside events, for it makes no
difference when that is. Reading order: Sweeping.restless, look, past, again.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from time import monotonic
from uuid import UUID

import msgspec

from projections.churn import kept as keeping
from projections.churn import table
from projections.churn.features import ever_in_population
from projections.churn.kept import Kept
from projections.timeline.row import NOBODY, uuid_of
from streams.days import Days
from streams.parts import Moment
from streams.record import Effect
from streams.remembering import Histories, last_of
from streams.saying import Saying

LOOKS = 2_000
"""How many silent customers are looked at in one transaction."""

LOOK = 1.0
"""How often a busy partition looks at the time, in seconds."""

IDLE = (1.0, 10.0)
"""How often an idle partition looks at the time, in seconds: at first, and at last."""

PAST = 200
"""Customers whose past is gone through in one transaction."""


class Sweeping:
    """`ends`: where `touchpoints` ends, by partition. `passed`: up to which days a partition has told all it knew."""

    def __init__(
        self, saying: Saying, histories: Histories, clock: Callable[[], datetime], ends: Callable[[], Awaitable[Mapping[int, int]]]
    ) -> None:
        self._saying, self._histories, self._days = saying, histories, Days(clock, ends)
        self.passed: dict[int, dict[bool, int]] = {}
        self._behind: set[int] = set()  # partitions in which customers wait to be gone on with
        self._looked: dict[int, float] = {}
        self._looks: dict[int, tuple[float, float]] = {}  # when an idle partition looks at the time again, and after how long then

    def forget(self, partition: int) -> None:
        """It may be another's, or was rolled back."""
        self.passed.pop(partition, None)
        self._looks.pop(partition, None)
        self._looked.pop(partition, None)
        self._behind.discard(partition)

    async def ready(self, moment: Moment) -> None:
        """How far the partition has come."""
        if moment.partition not in self.passed:
            self.passed[moment.partition] = await table.passed(moment.connection, moment.partition)

    def awake(self) -> None:
        """Something came: idle partitions look at the time soon."""
        now = monotonic()
        self._looks = dict.fromkeys(self._looks, (now + IDLE[0], IDLE[0]))

    def restless(self, partition: int) -> bool:
        """Whether somebody waits though nothing comes, or it is time to look at the time."""
        if partition in self._behind:
            return True
        now = monotonic()
        at, wait = self._looks.setdefault(partition, (now + IDLE[0], IDLE[0]))
        if now < at:
            return False
        wait = min(2.0 * wait, IDLE[1])
        self._looks[partition] = (now + wait, wait)
        return True

    def behind(self, partition: int) -> bool:
        """Whether somebody waits whom the last transaction has not come to."""
        return partition in self._behind

    async def look(self, moment: Moment) -> tuple[list[Effect], dict[str, int]]:
        """Score the silent whose time has come; up to which days all is told then."""
        passed: dict[str, int] = {}
        effects: list[Effect] = []
        partition, saying, now = moment.partition, self._saying, monotonic()
        if moment.fresh and partition not in self._behind and now - self._looked.get(partition, float("-inf")) < LOOK:
            return effects, passed
        self._looked[partition] = now
        self._behind.discard(partition)
        learned = saying.learned[partition]
        for replayed, day in (await self._days.begun(moment, self.passed[partition])).items():
            if day <= self.passed[partition].get(replayed, -1):
                continue
            waiting = await table.due(moment.connection, partition, replayed=replayed, day=day, limit=LOOKS)
            by_id = {one.id: one for one in saying.in_force(moment.partition)}
            for (customer, definition), stored in waiting.items():
                one = by_id.get(definition)
                kept = learned.get((customer, definition), stored)
                if one is None:
                    learned[customer, definition] = msgspec.structs.replace(kept, due=None)
                    continue
                came = keeping.look(one.definition, saying.champion(moment.partition, definition).model, kept, day)
                effects += saying.say(moment, customer, one, came)
            if len(waiting) == LOOKS:
                self._behind.add(partition)
            else:
                await table.pass_on(moment.connection, partition, replayed=replayed, day=day)
                self.passed[partition][replayed] = day
                passed["replayed" if replayed else "wall"] = day
        return effects, passed

    async def past(self, moment: Moment) -> list[int]:
        """Tell what those definitions would have said of some customers that were published when these were there; answers those that
        this partition has told all of."""
        for one in self._saying.in_force(moment.partition):
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
            model = self._saying.champion(moment.partition, one.id).model
            async for customer, (facts, deciders) in self._histories.several(moment, some):
                if not facts:
                    continue
                came = keeping.hear(one.definition, model, Kept(decider=last_of(deciders)), facts)
                came = came._replace(said=keeping.decided(came.said, facts, deciders, ""))
                looked = keeping.look(one.definition, model, came.kept, self.passed[moment.partition].get(came.kept.replayed, 0))
                known = before.get((customer, one.id), Kept())
                if not ever_in_population(one.definition, looked.kept.state):
                    continue
                kept = msgspec.structs.replace(looked.kept, given=known.given, told=known.told)
                self._saying.say(moment, customer, one, came._replace(kept=kept, said=[*came.said, *looked.said]), give=False)
            ended = len(some) < PAST
            await table.went_past(moment.connection, moment.partition, one.id, None if ended else UUID(some[-1]))
            return [one.id] if ended else []
        return []

    async def again(self, moment: Moment) -> list[Effect]:
        """Some of those whom the champion has not scored yet: what it says of them now is given, where that is another score."""
        saying = self._saying
        known = await table.rescoring(moment.connection, moment.partition)
        for one in saying.in_force(moment.partition):
            by = saying.champion(moment.partition, one.id)
            champion_then, after = known.get(one.id, (0, None))
            if not by.learnt or (champion_then == by.number and after is None):
                continue
            start = after if champion_then == by.number and after is not None else NOBODY
            some = await table.following(moment.connection, moment.partition, one.id, start, LOOKS)
            learned = saying.learned[moment.partition]
            effects = await saying.now(
                moment, [(customer, one, learned.get((customer, one.id), stored)) for (customer, _), stored in some.items()]
            )
            last = UUID(list(some)[-1][0]) if len(some) == LOOKS else None
            await table.rescored(moment.connection, moment.partition, one.id, by.number, last)
            self._behind.add(moment.partition)
            return effects
        return []
