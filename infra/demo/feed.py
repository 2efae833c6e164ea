"""Puts real and simulated events into the one order in which they arrive, ready to be sent.

Also in it, because it happens: one simulated event in a thousand is sent twice, some are late, some overtake others.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from infra.demo import cdnow
from infra.demo.cdnow import LAST_DAY, NOON, Order
from infra.demo.simulated.customer import told_of
from infra.demo.simulated.dice import Dice
from infra.demo.simulated.person import SEED
from infra.demo.simulated.telling import Told, event

VERSION = 2
"""Of what is fed: another one is loaded anew."""

TWICE = 0.001
END = datetime.combine(LAST_DAY, NOON) + timedelta(hours=12)


class Sent(NamedTuple):
    """One event as it will be sent."""

    arrives: datetime
    source: str  # whose write key it is sent with
    customer: str
    body: bytes  # the CloudEvent as JSON


def feed(orders: Iterable[Order], seed: str = SEED) -> list[Sent]:
    """Everything about these orders, in the order of arrival."""
    sent = list(_real(orders))
    sent += _simulated(orders, seed)
    sent.sort(key=lambda one: one.arrives)
    return sent


def _real(orders: Iterable[Order]) -> Iterator[Sent]:
    for order in orders:
        yield Sent(order.at, cdnow.SOURCE, order.customer, msgspec.json.encode(cdnow.event(order)))


def _simulated(orders: Iterable[Order], seed: str) -> Iterator[Sent]:
    ordered: dict[str, list[datetime]] = defaultdict(list)
    for order in orders:
        ordered[order.customer].append(order.at)
    for customer, times in ordered.items():
        dice = Dice(seed, "again", customer)
        for told in told_of(customer, times, END, seed):
            yield _sent(told, told.arrives)
            if dice.chance(TWICE):
                yield _sent(told, told.arrives + timedelta(hours=dice.whole(1, 48)))


def _sent(told: Told, arrives: datetime) -> Sent:
    return Sent(arrives, told.source, told.customer, msgspec.json.encode(event(told)))
