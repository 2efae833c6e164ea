"""The resellers: they report their week's sales on Saturday morning, with a name and a phone, sometimes with a phone of their own.

A counter's phone stands beside the customer number alone. Where the office does not know a customer's phone, a reseller tells it, and
what the call center heard from that phone becomes that customer's.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from infra.demo.simulated import spelling
from infra.demo.simulated.person import TWICE_KNOWN, stirred
from infra.demo.simulated.telling import Aftermath, Told
from infra.demo.simulated.web import DISCS

SOURCE = "simulated-resellers"
TYPES = ("reseller.*",)

RESELLERS = ("novin", "pars", "melody")
COUNTERS = {reseller: f"+98957{stirred(9_000_001 + place)}" for place, reseller in enumerate(RESELLERS)}
"""The phones of the shops' counters, which careless clerks enter for their customers."""

SATURDAY, OPENS = 5, 8


def after(order: Aftermath) -> Iterator[Told]:
    """A sale some time after an order, and sometimes its return."""
    person = order.person
    ties = person.calls_unknown and person.number != TWICE_KNOWN and order.first
    if order.chance(0.1) or ties:
        yield from _sale(order, order.day(20, 50, 10, 21) if ties else order.day(8, 60, 10, 21), ties=ties)


def _sale(order: Aftermath, at: datetime, *, ties: bool) -> Iterator[Told]:
    person, dice = order.person, order.dice
    reseller, (sku, _, _, price) = dice.one_of(RESELLERS), dice.one_of(DISCS)
    own = spelling.phone(person.phone, dice)
    who: dict[str, Any] = {"phone": own}
    if ties:
        who = {"customer_number": person.number, "phone": own}
    elif dice.chance(0.06) and not person.story:
        who = {"customer_number": person.number, "phone": spelling.phone(COUNTERS[reseller], dice)}
    elif dice.chance(0.2):
        who |= {"card": person.card}
    sale_id = f"{reseller}-{person.number}-{order.nth}"
    sale = {"reseller": reseller, "sale_id": sale_id, "total": price, "currency": "IRR", "customer_name": person.name}
    lines = [{"sku": sku, "quantity": 1, "unit_price": price}]
    yield order.tell(SOURCE, "reseller.sale_reported", at, {"who": who, **sale, "lines": lines}, _until_saturday(at))
    if dice.chance(0.06) and not person.story:
        at += timedelta(days=dice.whole(1, 9))
        back = {
            "reseller": reseller,
            "sale_id": sale_id,
            "amount": price,
            "currency": "IRR",
            "reason": dice.one_of(("damaged", "unwanted")),
        }
        yield order.tell(SOURCE, "reseller.return_reported", at, {"who": who, **back}, _until_saturday(at))


def _until_saturday(at: datetime) -> timedelta:
    """How long until the week's file is sent."""
    days = (SATURDAY - at.weekday()) % 7 or 7
    return at.replace(hour=OPENS, minute=0, second=0) + timedelta(days=days) - at
