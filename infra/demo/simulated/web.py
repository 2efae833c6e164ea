"""The web site: visits after an order. The first one ends with logging in, which ties the device to the person.

Some are nobody's until then: their first pages belong to an unknown visitor, who becomes the customer. One visit in fifty is told late,
by a phone that was offline.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from infra.demo.simulated.telling import Aftermath, Told

SOURCE = "simulated-web"
TYPES = ("web.*",)

PAGES = (("home", "Home"), ("new", "New records"), ("price", "Prices"), ("jazz", "Jazz"), ("classical", "Classical"), ("help", "Help"))
DISCS = tuple(
    (f"disc-{number:03d}", title, kind, f"{250 + number * 35 % 400}0000")
    for number, (title, kind) in enumerate(
        (
            *(("Nights in Isfahan", "classical"), ("Seven Strings", "classical"), ("The Rose Garden", "classical")),
            *(("Blue Turquoise", "jazz"), ("Late Train to Rasht", "jazz"), ("Third Floor, No Lift", "jazz")),
            *(("Salt Desert", "ambient"), ("Caravan Radio", "pop"), ("Paper Kites", "pop"), ("Rain on Valiasr", "pop")),
        )
    )
)
"""Discs that nobody ever recorded. Their prices are in rials: what is simulated never counts in dollars."""


def after(order: Aftermath) -> Iterator[Told]:
    """The visits after an order."""
    dice = order.dice
    if order.first:
        yield from _visit(order, order.day(1, 12, 8, 23, UTC), meets=True)
    for _ in range(dice.whole(0, 5) // 2 if order.nth else dice.whole(0, 1)):
        yield from _visit(order, order.day(2, 45, 8, 23, UTC), meets=False)


def _visit(order: Aftermath, at: datetime, *, meets: bool) -> Iterator[Told]:
    """One visit: pages, maybe logging in, discs, maybe a cart or a form."""
    person, dice = order.person, order.dice
    newer = order.nth > 0 and len(person.devices) > 1
    device = {"device": person.devices[1 if newer else 0]}
    late = timedelta(hours=dice.whole(1, 72)) if dice.chance(0.02) else timedelta(seconds=2)
    logs_in = meets or (newer and dice.chance(0.5))
    shown = not logs_in or dice.chance(0.15)
    who: dict[str, Any] = device if logs_in or dice.chance(0.5) else device | {"user_id": person.user_id}
    for _ in range(dice.whole(1, 2) if shown else 0):
        name, title = dice.one_of(PAGES)
        page = {"url": f"https://shop.example/{name}", "title": title, "page": name, "locale": person.language}
        yield order.tell(SOURCE, "web.page_viewed", at, {"who": who, **page}, late)
        at += timedelta(seconds=dice.whole(5, 90))
    if logs_in:
        who = device | {"user_id": person.user_id, "email": person.email}
        traits = {"email": person.email} | ({"display_name": person.account_name} if person.account_name else {})
        yield order.tell(SOURCE, "web.identified", at, {"who": who, "traits": traits}, late)
        who = device | {"user_id": person.user_id}
    yield from _shopping(order, at, who, late)


def _shopping(order: Aftermath, at: datetime, who: dict[str, Any], late: timedelta) -> Iterator[Told]:
    dice = order.dice
    sku, name, kind, price = dice.one_of(DISCS)
    if order.chance(0.7):
        at += timedelta(seconds=dice.whole(5, 60))
        disc = {"sku": sku, "name": name, "category": kind, "price": price, "currency": "IRR"}
        yield order.tell(SOURCE, "web.product_viewed", at, {"who": who, **disc}, late)
    if order.chance(0.2):
        at += timedelta(seconds=dice.whole(5, 60))
        cart = {"lines": [{"sku": sku, "quantity": 1, "unit_price": price}], "total": price, "currency": "IRR"}
        yield order.tell(SOURCE, "web.cart_updated", at, {"who": who, **cart}, late)
    if dice.chance(0.05):
        at += timedelta(seconds=dice.whole(20, 120))
        form = {"form": "contact", "fields": {"message": "Please call me back."}}
        yield order.tell(SOURCE, "web.form_submitted", at, {"who": who, **form}, late)
