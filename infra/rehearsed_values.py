"""What a dry run knows of values from before they were given: they are given as a score only once somebody asks for them, so that a rule
that asks for the first time would find none in the past.

They are computed as they would have been given, from the customers' facts, by the costs and models of today; and so are their quantiles.
Reading order: wanted, Values.heard, cuts.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import msgspec

from aggregates.churn import DAY
from aggregates.fact import Fact
from projections.money import ZERO, amount_of, currency_of, plus
from projections.rows import Connection
from projections.triggers.trigger import SCORED, Trigger
from projections.value import fold, table
from projections.value import given as giving
from projections.value.given import Terms
from projections.value.state import State
from projections.value.worth import worth
from streams.cutting import PERCENTILES
from streams.words import SCORES

CUSTOMERS = 20_000
"""From the values of so many customers quantiles are taken."""


def wanted(triggers: Iterable[Trigger]) -> bool:
    """Whether a rule asks for values."""
    asked = Fact(UUID(int=0), _NEVER, _NEVER, _NEVER, "", SCORED, "score", "", "", {"score": giving.SCORE}, ())
    return any(pattern.matches(asked) for trigger in triggers for _, pattern in trigger.roles.get(SCORED, ()))


_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class _Known(msgspec.Struct):
    """A customer on his way through the past."""

    state: State = fold.INITIAL
    told: float | None = None
    replayed: bool = True
    placed: dict[str, tuple[str, Decimal]] = {}  # by order: currency and amount
    called_off: dict[str, str] = {}


class Values:
    """Those of everybody, up to a time from which on they were given."""

    def __init__(self, terms: Terms, until: datetime | None) -> None:
        self._terms, self._until = terms, until
        self._known: dict[UUID, _Known] = {}

    def heard(self, customer: UUID, heard: datetime, fact: Fact) -> Iterator[Fact]:
        """The score that a fact would have given."""
        if fact.type not in fold.WEIGHED or fact.simulated:
            return
        known = self._known.setdefault(customer, _Known())
        known.replayed = known.replayed and fact.clock == "event"
        known.state = fold.evolve(known.state, fact)
        self._called_off(known, fact)
        if self._until is not None and heard >= self._until:
            return
        data = giving.due(known.state, fact.at, self._terms, known.called_off, known.told, replayed=known.replayed)
        if data is None:
            return
        known.told = data.value
        event = giving.id_of(str(customer), fact.at, data)
        yield msgspec.structs.replace(
            fact, event_id=event, id=str(event), type=SCORED, channel="score", source=SCORES, data=msgspec.to_builtins(data)
        )

    def let_go(self) -> None:
        """Forget one after the other: all at once, every thread of the process would wait for it."""
        while self._known:
            self._known.popitem()

    @staticmethod
    def _called_off(known: _Known, fact: Fact) -> None:
        order = str(fact.data.get("order_id", ""))
        if fact.type == "sales.order_placed":
            amount, currency = amount_of(fact.data.get("total")), currency_of(fact.data.get("currency"))
            if amount is not None and currency is not None:
                known.placed[order] = currency, amount
        elif fact.type == "sales.order_cancelled" and order in known.placed:
            currency, amount = known.placed.pop(order)
            known.called_off = known.called_off | {currency: plus(known.called_off.get(currency, ZERO), amount)}


async def cuts(connection: Connection, by: Terms, now: datetime) -> dict[float, float]:
    """The quantiles of today's values, by percentile; none where nobody has bought."""
    states = {
        replayed: [state async for state in table.states(connection, replayed=replayed, most=CUSTOMERS)] for replayed in (False, True)
    }
    return await asyncio.to_thread(_cuts, states, by, now.timestamp() / DAY)


def _cuts(states: Mapping[bool, Sequence[State]], by: Terms, now: float) -> dict[float, float]:
    values: list[float] = []
    for replayed, some in states.items():
        for state in some:
            found = worth(state, state.at if replayed else max(state.at, now), by.costs, by.models[replayed], {})
            if found is not None and giving.tellable(found, by.costs):
                values.append(float(found.value))
    return dict(_places(sorted(values)))


def _places(values: Sequence[float]) -> Iterator[tuple[float, float]]:
    for percentile in PERCENTILES if values else ():
        yield float(percentile), values[max(0, -(-len(values) * percentile // 100) - 1)]
