"""A customer's value with its parts: what he brought, less acquiring, selling and servicing, and what is expected of him, discounted. Pure.

Reading order: Models, Worth, worth, _orders, _renewals.
"""

import math
from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Literal, NamedTuple

from msgspec import Struct

from aggregates.value import Costs
from projections.money import EXACT, ZERO
from projections.value import buying, contracts, spending, staying
from projections.value.buying import Buying, History
from projections.value.fold import net
from projections.value.spending import Spending
from projections.value.state import Contract, Purse, State
from projections.value.staying import Running, Staying

WEEK = 7.0
YEAR = 365.25
BY_CONTRACT = "subscription"
"""The channel by which those came who had a contract before they ordered."""

NODES = (
    (0.06943184420297371, 0.17392742256872692),
    (0.33000947820757187, 0.32607257743127307),
    (0.66999052179242813, 0.32607257743127307),
    (0.93056815579702629, 0.17392742256872692),
)
"""Places between 0 and 1, and weights, by which Gauss and Legendre integrate: with four the orders ahead are discounted to .0004 of what
they are, in 95 of 100 models with parameters between 1/20 and 20."""


class Models(Struct, frozen=True, array_like=True):
    """What was fitted: how customers buy, how they spend in each currency, and how long contracts go on."""

    number: int
    buying: Buying | None  # None: too few bought again
    spending: dict[str, Spending]
    customers: int  # it was fitted on
    repeating: int  # of whom so many bought again
    staying: dict[str, Staying] = {}  # by the length of periods, and of all; none where too few came to a renewal
    decided: int = 0  # of so many contracts it is known whether they were renewed


class Worth(Struct, frozen=True):
    """What a customer is worth, in one currency. `value` = `past` + `future`; `future` is the margin of what is expected, less `upkeep`."""

    currency: str
    status: Literal["valued", "learning"]  # learning: of too few customers it is known whether they come back to expect anything
    value: Decimal
    past: Decimal  # margin - acquisition - selling - servicing
    revenue: Decimal  # net of returns and cancelled orders
    contracts: Decimal  # of it the periods of contracts
    margin: Decimal
    acquisition: Decimal
    selling: Decimal
    servicing: Decimal
    future: Decimal | None
    orders_ahead: Decimal | None  # of it by orders; None: he never ordered, or nothing can be expected yet
    contracts_ahead: Decimal | None  # and by contracts
    upkeep: Decimal | None  # what selling to him and serving him will cost
    alive: float | None  # the chance that he still is a customer
    expected_orders: float | None  # purchases in the time ahead
    expected_order: Decimal | None  # what each comes to
    days: int  # how far ahead
    discount: float  # a year
    costs: int  # the version of the costs; 0: none were published
    model: int | None


def worth(state: State, now: float, costs: Costs, models: Models | None, cancelled: Mapping[str, str]) -> Worth | None:
    """The value at a time, in the currency he paid in most often; None for whom nothing was bought."""
    since = min((one for one in (state.first, state.signed) if one is not None), default=None)
    if since is None or not state.purses:
        return None
    currency, purse = max(state.purses.items(), key=lambda item: (item[1].orders + item[1].payments, item[0]))
    ordered, paid = Decimal(net(purse, cancelled.get(currency, ZERO))), Decimal(purse.contracts)
    margin = ordered * _share(purse, costs) + paid * _published(costs)
    mine = costs.currency in (None, currency)
    came_by = state.came_by if since == state.first else BY_CONTRACT
    acquisition = _rate(costs.acquisition, came_by) if mine else Decimal(0)
    selling = _spent(costs.selling, state.contacts) if mine else Decimal(0)
    servicing = _spent(costs.servicing, state.contacts) if mine else Decimal(0)
    past = _cents(margin - acquisition - selling - servicing)
    orders, renewals = _orders(state, purse, currency, now, costs, models), _renewals(state, currency, now, costs, models)
    by_orders = None if orders is None else _cents(_money(orders.discounted) * _money(orders.each) * _share(purse, costs))
    by_contracts = None if renewals is None else _cents(_money(renewals.paid) * _published(costs))
    upkeep = future = None
    if by_orders is not None or by_contracts is not None:
        years = max(now - since, 30.0) / YEAR
        lasts = max(orders.lasts if orders else 0.0, renewals.lasts if renewals else 0.0)
        upkeep = _cents((selling + servicing) * _money(costs.days / YEAR / years * lasts))
        future = (by_orders or Decimal(0)) + (by_contracts or Decimal(0)) - upkeep
    alive = [one.alive for one in (orders, renewals) if one is not None]
    return Worth(
        currency=currency,
        status="learning" if future is None else "valued",
        value=past + (future or Decimal(0)),
        past=past,
        revenue=_cents(ordered + paid),
        contracts=_cents(paid),
        margin=_cents(margin),
        acquisition=_cents(acquisition),
        selling=_cents(selling),
        servicing=_cents(servicing),
        future=future,
        orders_ahead=by_orders,
        contracts_ahead=by_contracts,
        upkeep=upkeep,
        alive=round(max(alive), 4) if alive else None,
        expected_orders=None if orders is None else round(orders.expected, 4),
        expected_order=None if orders is None else _cents(Decimal(str(orders.each))),
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


class _Orders(NamedTuple):
    """Orders ahead."""

    expected: float
    discounted: float  # as many, each worth less the longer it takes
    each: float  # what one comes to
    alive: float  # the chance that he still orders
    lasts: float  # the share of the time ahead in which he is expected to, discounted


def _orders(state: State, purse: Purse, currency: str, now: float, costs: Costs, models: Models | None) -> _Orders | None:
    known = models.spending.get(currency) if models is not None else None
    if models is None or models.buying is None or known is None or state.first is None:
        return None
    each = spending.expected(known, max(purse.days, 1) if purse.orders else 0, mean(purse))
    if each is None:
        return None
    him, years = history(state, now), costs.days / YEAR
    places = [at * at for at, _ in NODES]  # closer at the beginning, where most is bought
    *during, in_all = buying.ahead(models.buying, him, [costs.days / WEEK * at for at in (*places, 1.0)])
    # Of each order its discount, by parts: all orders at the last day's, and what earlier ones are worth more.
    more = sum(2.0 * at * weight * orders * _discount(costs, years * at * at) for (at, weight), orders in zip(NODES, during, strict=True))
    discounted = in_all * _discount(costs, years) + math.log1p(costs.discount) * years * more
    alive = buying.alive(models.buying, him)
    return _Orders(in_all, discounted, each, alive, alive * discounted / in_all if in_all else 0.0)


def _discount(costs: Costs, years: float) -> float:
    """What is left of an amount that comes after so many years."""
    return float((1.0 + costs.discount) ** -years)


class _Renewals(NamedTuple):
    """Periods of contracts ahead."""

    paid: float  # what they come to, discounted
    alive: float  # the chance that one of his contracts runs
    lasts: float  # the share of the time ahead in which the one runs that lasts longest, discounted


def _renewals(state: State, currency: str, now: float, costs: Costs, models: Models | None) -> _Renewals | None:
    """What his contracts bring in a currency; None where he has none, or of too few contracts it is known whether they are renewed."""
    if models is None or not models.staying or not state.contracts:
        return None
    paid = alive = lasts = 0.0
    for contract in state.contracts.values():
        if contracts.lost(contract, now):
            continue
        if contract.paid is None or not contract.period:  # it runs, and nobody can say what it will bring
            alive = lasts = 1.0
            continue
        model = models.staying.get(staying.kind(contract.period)) or models.staying[staying.ALL]
        ahead = staying.ahead(model, _running(contract, contract.paid, now), costs.days, costs.discount)
        alive = max(alive, 1.0 if now < contract.paid else ahead.renewed)
        lasts = max(lasts, ahead.running)
        if contract.currency == currency:
            paid += ahead.payments * float(contract.amount)
    return _Renewals(paid, alive, lasts)


def _running(contract: Contract, paid: float, now: float) -> Running:
    return Running(max(paid - contract.began, 0.0), contract.period, paid - now, contracts.GRACE, not contract.cancelled)


def _share(purse: Purse, costs: Costs) -> Decimal:
    """What is left of the revenue of orders after the goods: as their lines tell, else as published."""
    if Decimal(purse.costed):
        return 1 - EXACT.divide(Decimal(purse.goods), Decimal(purse.costed))
    return _published(costs)


def _published(costs: Costs) -> Decimal:
    return Decimal(1) if costs.margin is None else Decimal(str(costs.margin))


def _money(number: float) -> Decimal:
    return Decimal(str(round(number, 9)))


def _rate(rates: Mapping[str, str], name: str) -> Decimal:
    return Decimal(rates.get(name, rates.get("*", "0")))


def _spent(rates: Mapping[str, str], contacts: Mapping[str, int]) -> Decimal:
    return sum((Decimal(rates[type_]) * count for type_, count in contacts.items() if type_ in rates), Decimal(0))


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), rounding=ROUND_HALF_EVEN, context=EXACT)
