"""Gives customers' values as a score, where a rule or a segment in force asks for it: what `valuing` keeps becomes facts of theirs.

At once when their facts move the value far; everybody anew, a few in each transaction, when somebody begins to ask, under other models or
costs, and once a day, since a value falls though nothing happens. Reading order: Appraising.ready, appraise, sweep, _complete.
"""

from collections.abc import Callable, Iterable, MutableMapping
from datetime import UTC, datetime, timedelta
from time import monotonic
from uuid import UUID

from aggregates.churn import DAY
from projections.timeline.row import NOBODY
from projections.value import given as giving
from projections.value import table
from projections.value.given import Terms
from projections.value.table import Sweep, Valued
from streams import score_records, timers
from streams.parts import Moment
from streams.record import Effect

LOOK = 5.0
"""Seconds for which it is believed who asks, and what values are computed by."""

DAILY = timedelta(days=1)
HOURLY = timedelta(hours=1)
"""Models are fitted often while an installation fills: everybody is valued anew under other terms at most so often."""

IDLE, BUSY = 500, 50
"""Customers in one transaction, when there is nothing else to do and beside events."""


class Appraising:
    """What the owner of some partitions remembers of it."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._terms: Terms | None = None  # None: nobody asks
        self._looked = float("-inf")
        self._sweeps: dict[int, Sweep | None] = {}  # by partition

    def forget(self, partition: int) -> None:
        """It may be another's, or was rolled back."""
        self._sweeps.pop(partition, None)

    async def ready(self, moment: Moment) -> None:
        """Who asks, by what it is computed, and how far everybody was given his."""
        now = monotonic()
        if now - self._looked >= LOOK:
            asked = await table.asked(moment.connection)
            self._terms = await table.terms(moment.connection) if asked else None
            self._looked = now
        if self._terms is not None and moment.partition not in self._sweeps:
            self._sweeps[moment.partition] = await table.sweep(moment.connection, moment.partition)

    def restless(self, partition: int) -> bool:
        """Whether somebody waits for his value though nothing comes, or it is time to look who asks."""
        return monotonic() - self._looked >= LOOK or (self._terms is not None and self._due(partition) is not None)

    async def appraise(
        self,
        moment: Moment,
        valued: MutableMapping[str, Valued],
        customers: Iterable[str],
        imported: Iterable[str] = (),
    ) -> list[Effect]:
        """Give those of these customers whose value moved far, as it is now: so what is given later is never older. In replayed time now is
        up to where all that was sent is in the views: whoever's facts wait elsewhere is not silent. `valued` learns what they were given.
        `imported`: who brought nothing but history."""
        terms = self._terms
        if terms is None:
            return []
        await _complete(moment, valued, customers)
        buyers = [customer for customer in customers if (one := valued.get(customer)) is not None and one.state.purses]
        if not buyers:
            return []
        called_off = await table.called_off(moment.connection, moment.schema, [UUID(customer) for customer in buyers])
        now = {False: self._clock(), True: await timers.replayed(moment.connection)}
        quiet = set(imported)
        effects: list[Effect] = []
        for customer in buyers:
            one = valued[customer]
            last = datetime.fromtimestamp(one.state.at * DAY, UTC)
            at = max(last, now[one.replayed] or last)
            data = giving.due(one.state, at, terms, called_off.get(customer, {}), one.told, replayed=one.replayed)
            if data is None:
                continue
            id_, recorded = giving.id_of(customer, at, data), self._clock()
            effects += score_records.given(
                customer, id_, data, at, recorded, replayed=one.replayed, decider=one.decider, backfill=customer in quiet
            )
            valued[customer] = one._replace(told=data.value)
        return effects

    async def sweep(self, moment: Moment, learned: dict[str, Valued]) -> list[Effect]:
        """Give some of those their values who wait for it; `learned`: what this transaction knows already."""
        if self._terms is None:
            return []
        begun = self._due(moment.partition)
        if begun is None:
            return []
        some = await table.following(moment.connection, moment.partition, begun.after or NOBODY, BUSY if moment.fresh else IDLE)
        known = some | {customer: learned[customer] for customer in some if customer in learned}
        before = dict(known)
        effects = await self.appraise(moment, known, some)
        learned.update((customer, one) for customer, one in known.items() if one is not before[customer])
        ended = len(some) < (BUSY if moment.fresh else IDLE)
        gone = begun._replace(after=None if ended else UUID(list(some)[-1]))
        await table.swept(moment.connection, moment.partition, gone)
        self._sweeps[moment.partition] = gone
        return effects

    def _due(self, partition: int) -> Sweep | None:
        """The sweep that is to be gone on with, or begun; None: all have their values."""
        if self._terms is None or partition not in self._sweeps:  # another partition found that somebody asks: it is looked up next time
            return None
        last, now = self._sweeps[partition], self._clock()
        if last is not None and last.after is not None:
            return last
        if last is not None and now - last.begun < (HOURLY if last.terms != self._terms.text else DAILY):
            return None
        return Sweep(self._terms.text, now, None)


async def _complete(moment: Moment, valued: MutableMapping[str, Valued], customers: Iterable[str]) -> None:
    """Who was written down before contracts were valued learns of his."""
    before = {customer: one for customer in customers if (one := valued.get(customer)) is not None and not one.state.whole}
    if before:
        contracts = await table.contracts(moment.connection, moment.schema, map(UUID, before))
        valued.update((customer, table.completed(one, contracts.get(customer, []))) for customer, one in before.items())
