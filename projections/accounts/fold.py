"""Folds the views of an account's members into one, without making them one. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from msgspec import Struct

from projections.view.answer import View


class Folded(Struct, frozen=True):
    """What all members' events come to."""

    events: int
    first_seen: datetime | None
    last_seen: datetime | None
    channels: Mapping[str, int]
    orders: int
    worth: Mapping[str, str]  # by currency
    open: int  # quotes, carts, leads and calls that wait for somebody


def folded(views: Sequence[View]) -> Folded:
    """The views of all members together. Each event is one member's, so nothing counts twice."""
    channels: dict[str, int] = {}
    worth: dict[str, Decimal] = {}
    for view in views:
        for name, channel in view.channels.items():
            channels[name] = channels.get(name, 0) + channel.events
        for currency, sum_ in view.orders.worth.items():
            worth[currency] = worth.get(currency, Decimal(0)) + Decimal(sum_.total)
    seen = [view.first_seen for view in views if view.first_seen]
    last = [view.last_seen for view in views if view.last_seen]
    waiting = sum(len(view.open.quotes) + len(view.open.leads) + len(view.open.calls) + bool(view.open.cart) for view in views)
    return Folded(
        sum(view.events for view in views),
        min(seen, default=None),
        max(last, default=None),
        dict(sorted(channels.items())),
        sum(view.orders.placed - view.orders.cancelled for view in views),
        {currency: str(total) for currency, total in sorted(worth.items())},
        waiting,
    )
