"""What each role is not shown; docs/api.md has the table.

A partner sees no money and no way to reach the customer; an analyst counts and needs no phone numbers. Reading order: view, data.
"""

from typing import Any

from msgspec.structs import replace

from projections.view.answer import ContactPoint, OpenMatters, TraitShown, View
from projections.view.windows import Window

UNMASKED = frozenset({"agent", "supervisor", "marketer", "admin"})
NUMBERS = frozenset({"phone", "mobile", "tel", "number", "fax"})
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
            traits={name: _masked_trait(trait) if name in NUMBERS else trait for name, trait in shown.traits.items()},
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


def _masked_trait(trait: TraitShown) -> TraitShown:
    displaced = [replace(one, value=masked(one.value)) for one in trait.displaced]
    return replace(trait, value=masked(trait.value), displaced=displaced)


def _without_numbers(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return {inner: _without_numbers(inner, content) for inner, content in value.items()}
    if name not in NUMBERS:
        return value
    return [masked(one) for one in value] if isinstance(value, list) else masked(value)


def _worthless(matters: OpenMatters) -> OpenMatters:
    cart = matters.cart
    return replace(
        matters,
        quotes=[replace(quote, total="", currency="") for quote in matters.quotes],
        cart=replace(cart, total="", currency="") if cart else None,
        leads=[replace(lead, value="", currency="") for lead in matters.leads],
    )
