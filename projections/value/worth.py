"""A customer's value with its parts: what he brought, less acquiring, selling and servicing, and what is expected of him, discounted. Pure.

Reading order: Models, Worth, worth.
"""

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Literal

from msgspec import Struct

from aggregates.value import Costs
from projections.money import EXACT, ZERO
from projections.value import buying, spending
from projections.value.buying import Buying, History
from projections.value.fold import net
from projections.value.spending import Spending
from projections.value.state import Purse, State

WEEK = 7.0
YEAR = 365.25
STEPS = 12
"""Into so many pieces the time ahead is cut; each is discounted from its middle."""


class Models(Struct, frozen=True, array_like=True):
    """What was fitted: how customers buy, and how they spend in each currency."""

    number: int
    buying: Buying
    spending: dict[str, Spending]
    customers: int  # it was fitted on
    repeating: int  # of whom so many bought again


class Worth(Struct, frozen=True):
    """What a customer is worth, in one currency. `value` = `past` + `future`."""

    currency: str
    status: Literal["valued", "learning"]  # learning: too few customers have bought again to expect anything
    value: Decimal
    past: Decimal  # margin - acquisition - selling - servicing
    revenue: Decimal  # net of returns and cancelled orders
    margin: Decimal
    acquisition: Decimal
    selling: Decimal
    servicing: Decimal
    future: Decimal | None
    alive: float | None  # the chance that he still is a customer
    expected_orders: float | None  # purchases in the time ahead
    expected_order: Decimal | None  # what each comes to
    days: int  # how far ahead
    discount: float  # a year
    costs: int  # the version of the costs; 0: none were published
    model: int | None


def worth(state: State, now: float, costs: Costs, models: Models | None, cancelled: Mapping[str, str]) -> Worth | None:
    """The value at a time, in the currency he spent most orders in; None for whom nothing was bought."""
    if state.first is None or state.last is None or not state.purses:
        return None
    currency, purse = max(state.purses.items(), key=lambda item: (item[1].orders, item[0]))
    revenue = Decimal(net(purse, cancelled.get(currency, ZERO)))
    margin = revenue * _share(purse, costs)
    mine = costs.currency in (None, currency)
    acquisition = _rate(costs.acquisition, state.came_by) if mine else Decimal(0)
    selling = _spent(costs.selling, state.contacts) if mine else Decimal(0)
    servicing = _spent(costs.servicing, state.contacts) if mine else Decimal(0)
    past = margin - acquisition - selling - servicing
    years = max(now - state.first, 30.0) / YEAR
    ahead = _ahead(state, purse, currency, now, costs, models)
    future = None
    if ahead is not None:
        discounted, orders, each = ahead
        share = costs.days / YEAR / years * _alive(state, now, models) * (discounted / orders if orders else 0.0)
        upkeep = (selling + servicing) * Decimal(str(round(share, 9)))
        future = Decimal(str(round(discounted, 9))) * Decimal(str(round(each, 6))) * _share(purse, costs) - upkeep
    return Worth(
        currency=currency,
        status="learning" if future is None else "valued",
        value=_cents(past + (future or Decimal(0))),
        past=_cents(past),
        revenue=_cents(revenue),
        margin=_cents(margin),
        acquisition=_cents(acquisition),
        selling=_cents(selling),
        servicing=_cents(servicing),
        future=None if future is None else _cents(past + future) - _cents(past),
        alive=None if models is None else round(_alive(state, now, models), 4),
        expected_orders=None if ahead is None else round(ahead[1], 4),
        expected_order=None if ahead is None else _cents(Decimal(str(ahead[2]))),
        days=costs.days,
        discount=costs.discount,
        costs=costs.version,
        model=None if models is None else models.number,
    )


def history(state: State, now: float) -> History:
    """A customer as the model of buying knows him."""
    first, last = state.first or 0.0, state.last or 0.0
    return History(state.repeats, (last - first) / WEEK if state.repeats else 0.0, max(now - first, last - first) / WEEK)


def mean(purse: Purse) -> float:
    """What a repeat purchase came to on average; before any, what the first came to."""
    if purse.days:
        return float(Decimal(purse.repeats)) / purse.days
    return float(Decimal(purse.revenue)) / max(purse.orders, 1)


def _ahead(state: State, purse: Purse, currency: str, now: float, costs: Costs, models: Models | None) -> tuple[float, float, float] | None:
    """Purchases ahead, discounted and not, and what each comes to."""
    known = models.spending.get(currency) if models is not None else None
    if models is None or known is None:
        return None
    each = spending.expected(known, max(purse.days, 1) if purse.orders else 0, mean(purse))
    if each is None:
        return None
    him = history(state, now)
    discounted = before = 0.0
    for step in range(1, STEPS + 1):
        days = costs.days * step / STEPS
        orders = buying.expected(models.buying, him, days / WEEK)
        discounted += (orders - before) / (1.0 + costs.discount) ** ((days - costs.days / STEPS / 2.0) / YEAR)
        before = orders
    return discounted, before, each


def _alive(state: State, now: float, models: Models | None) -> float:
    return 0.0 if models is None else buying.alive(models.buying, history(state, now))


def _share(purse: Purse, costs: Costs) -> Decimal:
    """What is left of revenue after the goods: as the lines of his orders tell, else as published."""
    if Decimal(purse.costed):
        return 1 - EXACT.divide(Decimal(purse.goods), Decimal(purse.costed))
    return Decimal(1) if costs.margin is None else Decimal(str(costs.margin))


def _rate(rates: Mapping[str, str], name: str) -> Decimal:
    return Decimal(rates.get(name, rates.get("*", "0")))


def _spent(rates: Mapping[str, str], contacts: Mapping[str, int]) -> Decimal:
    return sum((Decimal(rates[type_]) * count for type_, count in contacts.items() if type_ in rates), Decimal(0))


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), rounding=ROUND_HALF_EVEN, context=EXACT)
