"""What each role is not shown; docs/api.md has the table.

A partner sees no money and no way to reach the customer; an analyst counts and needs no phone numbers. Reading order: view, data.
"""

import re
from typing import Any

from msgspec.structs import replace

from projections.view.answer import ContactPoint, OpenMatters, TraitShown, View
from projections.view.windows import Window

UNMASKED = frozenset({"agent", "supervisor", "marketer", "admin"})
NUMBERS = frozenset({"phone", "mobile", "tel", "number", "fax"})
SPEAKING = (NUMBERS - {"number"}) | {"telephone", "cell", "cellphone", "whatsapp", "تلفن", "موبایل", "همراه"}
"""Words in a longer name, as `mobile_phone` or `homePhone`, that say so of a value with as many digits as a phone number has."""

FEWEST_DIGITS = 7
SHOWN_TO_PARTNERS = frozenset({"company", "city", "language", "preferred_channel"})
MONEY = frozenset({"total", "amount", "unit_price", "price", "discount", "cost", "shipping", "value", "lines", "payment"}) | {
    "past",
    "future",
    "before",
}


def opens(role: str) -> bool:
    """Whether what is personal in an event is opened for this role at all."""
    return role != "partner"


def view(shown: View, role: str) -> View:
    """The view as this role may see it."""
    if role in UNMASKED:
        return shown
    if role == "analyst":
        return replace(
            shown,
            contact_points=[_masked(point) if point.kind == "phone" else point for point in shown.contact_points],
            traits={name: _masked_trait(name, trait) for name, trait in shown.traits.items()},
        )
    return replace(
        shown,
        contact_points=[_masked(point) for point in shown.contact_points],
        traits={name: trait for name, trait in shown.traits.items() if name in SHOWN_TO_PARTNERS},
        channels={name: replace(channel, money={}) for name, channel in shown.channels.items()},
        windows={days: {name: Window(window.events) for name, window in channels.items()} for days, channels in shown.windows.items()},
        orders=replace(shown.orders, worth={}),
        open=_worthless(shown.open),
    )


def data(content: dict[str, Any], role: str) -> dict[str, Any]:
    """An event's data as this role may see it."""
    if role in UNMASKED:
        return content
    if role == "analyst":
        return {name: _without_numbers(name, value) for name, value in content.items()}
    return {name: value for name, value in content.items() if name not in MONEY and name not in NUMBERS}


def masked(value: Any) -> str | None:
    """A value of which its end can be recognised and no more: `•••4567`."""
    return None if value is None else "•••" + str(value)[-4:] if len(str(value)) > 6 else "•••"


def _masked(point: ContactPoint) -> ContactPoint:
    return replace(point, value=masked(point.value))


def _masked_trait(name: str, trait: TraitShown) -> TraitShown:
    displaced = [replace(one, value=_without_numbers(name, one.value)) for one in trait.displaced]
    return replace(trait, value=_without_numbers(name, trait.value), displaced=displaced)


def _without_numbers(name: str, value: Any, *, within: bool = False) -> Any:
    """A field without the phone numbers in it, however deep; `within` one that is named so, every text is a number."""
    within = within or name in NUMBERS
    if isinstance(value, dict):
        return {inner: _without_numbers(inner, content, within=within) for inner, content in value.items()}
    if isinstance(value, list):
        return [_without_numbers(name, one, within=within) for one in value]
    return masked(value) if within or _speaks(name, value) else value


def _speaks(name: str, value: Any) -> bool:
    """Whether a value looks like a phone number and a word of its name says that it is one."""
    if isinstance(value, bool) or not isinstance(value, str | int) or sum(c.isdecimal() for c in str(value)) < FEWEST_DIGITS:
        return False
    words = re.findall(r"[^\W\d_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name))
    return not SPEAKING.isdisjoint(word.casefold() for word in words)


def _worthless(matters: OpenMatters) -> OpenMatters:
    cart = matters.cart
    return replace(
        matters,
        quotes=[replace(quote, total="", currency="") for quote in matters.quotes],
        cart=replace(cart, total="", currency="") if cart else None,
        leads=[replace(lead, value="", currency="") for lead in matters.leads],
    )
