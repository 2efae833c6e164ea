"""Folds a customer's facts into what he is valued from. Reading order: HEARD, INITIAL, evolve, needs_history, completed."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import reduce
from math import floor
from typing import Any

from msgspec.structs import replace

from aggregates.churn import DAY, PURCHASES
from aggregates.fact import Fact
from aggregates.value import COUNTED
from projections.money import ZERO, amount_of, currency_of, minus, plus
from projections.value import contracts
from projections.value.state import Purse, State

RETURNED = "reseller.return_reported"
HEARD = frozenset({*PURCHASES, RETURNED, *COUNTED, *contracts.TYPES})
"""The types that matter here; a cancellation is known from the view, which remembers orders by their number."""

WEIGHED = HEARD | {"sales.order_cancelled"}
"""The types by which a value may become another: a cancellation too."""

INITIAL = State(whole=True)


def evolve(state: State, fact: Fact) -> State:
    """The state after one more fact, not older than those before it, or one whose order makes no difference."""
    happened = fact.at.timestamp() / DAY
    now = max(happened, state.at)
    if fact.type in PURCHASES:
        return _bought(replace(state, at=now), fact, happened)
    if fact.type == RETURNED:
        return _returned(replace(state, at=now), fact.data)
    if fact.type in COUNTED:
        return replace(state, at=now, contacts=state.contacts | {fact.type: state.contacts.get(fact.type, 0) + 1})
    if fact.type in contracts.TYPES:
        return contracts.told(replace(state, at=now), fact)
    return state


def needs_history(state: State, fact: Fact) -> bool:
    """Whether an order is older than the first of the last day that had any, so that days would be counted wrongly; or a fact about a
    contract not the latest one."""
    if fact.type in contracts.TYPES:
        return not state.whole or (state.heard is not None and fact.at.timestamp() / DAY <= state.heard)
    return fact.type in PURCHASES and state.last is not None and fact.at.timestamp() / DAY < state.last


def completed(state: State, facts: Iterable[Fact]) -> State:
    """A state from before contracts were valued, after all facts about them."""
    return reduce(evolve, facts, replace(state, whole=True))


def _bought(state: State, fact: Fact, now: float) -> State:
    """An order. All of one day count as one purchase, as in the literature."""
    amount, currency = amount_of(fact.data.get("total", fact.data.get("amount"))), currency_of(fact.data.get("currency"))
    first, last = state.first, state.last
    new_day = last is None or floor(now) > floor(last)
    repeat = first is not None and floor(now) > floor(first)
    if amount is not None and currency is not None:
        paid = _paid(state.purses.get(currency, Purse()), fact.data, amount, new_day, repeat)
        state = replace(state, purses=state.purses | {currency: paid})
    return replace(
        state,
        first=now if first is None else first,
        last=now if new_day else last,
        repeats=state.repeats + (new_day and repeat),
        came_by=state.came_by or fact.channel,
    )


def _paid(purse: Purse, data: Mapping[str, Any], amount: Decimal, new_day: bool, repeat: bool) -> Purse:
    goods = _goods(data)
    return replace(
        purse,
        orders=purse.orders + 1,
        revenue=plus(purse.revenue, amount),
        goods=purse.goods if goods is None else plus(purse.goods, goods),
        costed=purse.costed if goods is None else plus(purse.costed, amount),
        days=purse.days + (repeat and new_day),
        repeats=plus(purse.repeats, amount) if repeat else purse.repeats,
    )


def _goods(data: Mapping[str, Any]) -> Decimal | None:
    """What the goods cost, where every line says so."""
    lines = data.get("lines")
    if not isinstance(lines, list) or not lines:
        return None
    total = Decimal(0)
    for line in lines:
        cost = amount_of(line.get("cost")) if isinstance(line, dict) else None
        quantity = line.get("quantity", 1) if isinstance(line, dict) else 1
        if cost is None or not isinstance(quantity, (int, float)) or not 0 <= quantity < 1e9:
            return None
        total += cost * Decimal(str(quantity))
    return total


def _returned(state: State, data: Mapping[str, Any]) -> State:
    amount, currency = amount_of(data.get("total", data.get("amount"))), currency_of(data.get("currency"))
    if amount is None or currency is None:
        return state
    purse = state.purses.get(currency, Purse())
    return replace(state, purses=state.purses | {currency: replace(purse, returned=plus(purse.returned, abs(amount)))})


def net(purse: Purse, cancelled: str = ZERO) -> str:
    """What orders earned: less what came back."""
    return minus(minus(purse.revenue, Decimal(purse.returned)), Decimal(cancelled))
