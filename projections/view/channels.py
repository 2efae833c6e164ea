"""How much passed between a customer and each channel: counts, times and money.

At most `LIMIT` channels are kept: those of the contracts and our own, then others by the alphabet, so that which ones never depends on the
order of arrival. Money counts as the contract of the type says; that of orders is net of cancellations and lives in `orders`.
"""

from datetime import datetime

from msgspec import Struct

from aggregates.contracts import CONTRACTS
from aggregates.fact import Fact
from aggregates.touchpoint import channel_of
from projections.money import ZERO, amount_of, currency_of, minus, plus

LIMIT = 24
OF_CONTRACTS = frozenset(channel_of(type_) for type_ in CONTRACTS)
ORDER_PLACED, ORDER_CANCELLED = "sales.order_placed", "sales.order_cancelled"

OURS = frozenset({"score", "segment", "signal"})
"""Channels in which only we speak of him. How often depends on when we heard what: it is in his timeline, and counts as nothing of his."""

TURNOVER = {
    contract.type: (contract.amount, contract.currency, contract.turnover)
    for contract in CONTRACTS.values()
    if contract.turnover and contract.amount and contract.currency and contract.type != ORDER_PLACED
}
"""Types whose amount counts as sold or as come back, fact by fact. Not orders: those may be repeated and cancelled."""


class Channel(Struct, frozen=True, array_like=True, gc=False):
    """What passed in one channel."""

    count: int
    first: datetime
    last: datetime
    money: dict[str, str] = {}  # by currency


def evolve(channels: dict[str, Channel], fact: Fact) -> dict[str, Channel]:
    """Count a fact in its channel."""
    at, name = fact.at, fact.channel[:64]
    before = channels.get(name)
    money = before.money if before else {}
    if fact.type in TURNOVER:
        money = turned(money, fact)
    if before is None:
        now = channels | {name: Channel(1, at, at, money)}
        return now if len(now) <= LIMIT else bounded(now)
    now = channels.copy()
    now[name] = Channel(before.count + 1, at if at < before.first else before.first, at if at > before.last else before.last, money)
    return now


def turned(money: dict[str, str], fact: Fact) -> dict[str, str]:
    """The channel's money after a fact that sold something or gave something back."""
    amount_field, currency_field, turnover = TURNOVER[fact.type]
    amount, currency = amount_of(fact.data.get(amount_field)), currency_of(fact.data.get(currency_field))
    if amount is None or currency is None:
        return money
    return money | {currency: (plus if turnover > 0 else minus)(money.get(currency, ZERO), amount)}


def bounded(channels: dict[str, Channel]) -> dict[str, Channel]:
    """The channels that are kept of too many; our own too, or what we said ourselves would be counted among what others told."""
    return {name: channels[name] for name in sorted(channels, key=lambda name: (name not in OF_CONTRACTS | OURS, name))[:LIMIT]}
