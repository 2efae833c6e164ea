"""Brings the properties of events that have a contract here into its fields. All that it has no field for stays beside them.

Reading order: built, BUILDERS, then one function a type.
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import reduce
from types import MappingProxyType
from typing import Any

from aggregates.contracts import CONTRACTS
from aggregates.segment.fields import EXACT, Fields, amount, as_text, fitting, is_said, lines, money, rest, text, written
from aggregates.source import Source

Context = Mapping[str, Any]
NONE: frozenset[str] = frozenset()
KNOWN: Mapping[str, frozenset[str]] = MappingProxyType(
    {type_: frozenset(contract.data.__struct_fields__) for type_, contract in CONTRACTS.items()}
)
"""The names of each type's fields."""


def built(type_: str, left: Fields, context: Context, source: Source) -> Fields:
    """The data of a tracked event: its type's fields, and beside them all properties that are none."""
    build = BUILDERS.get(type_)
    fields = {} if build is None else build(left, context, source)
    return rest(fields, left, KNOWN.get(type_, NONE))


def product_viewed(left: Fields, context: Context, source: Source) -> Fields:
    """`Product Viewed` as `web.product_viewed`. A price without a currency says nothing and is only kept."""
    currency = currency_of(left, source)
    fields: Fields = {}
    put(fields, "sku", text(left, "sku", "product_id", "productId", "id"))
    put(fields, "name", text(left, "name"))
    put(fields, "category", text(left, "category"))
    put(fields, "url", text(left, "url", longest=8192) or as_text(page_of(context).get("url"), 8192))
    if currency and (price := fitting(left, "price", "value")) is not None and not price.startswith("-"):
        fields |= {"price": price, "currency": currency}
        left.pop("currency", None)
    return fields


def cart_viewed(left: Fields, context: Context, source: Source) -> Fields:
    """`Cart Viewed` as `web.cart_updated`: it names all that is in the cart."""
    del context
    currency = currency_of(left, source)
    fields: Fields = {"lines": lines(left, priced=False) or []}
    if currency:
        put(fields, "total", fitting(left, "total", "value"))
        fields["currency"] = currency
        left.pop("currency", None)
    return fields


def order_completed(left: Fields, context: Context, source: Source) -> Fields:
    """`Order Completed` as `sales.order_placed`."""
    fields: Fields = {}
    put(fields, "order_id", text(left, "order_id", "orderId", "checkout_id", "id"))
    fields["lines"] = lines(left, priced=True) or []
    put(fields, "total", total(left, fields["lines"]))
    put(fields, "currency", currency_of(left, source))
    left.pop("currency", None)
    put(fields, "discount", fitting(left, "discount"))
    put(fields, "shipping", fitting(left, "shipping"))
    put(fields, "store", text(left, "affiliation"))
    put(fields, "payment", text(left, "payment_method"))
    put(fields, "campaign", as_text(campaign(context).get("name")))
    return fields


def order_ended(left: Fields, context: Context, source: Source) -> Fields:
    """`Order Cancelled`, and `Order Refunded` of the whole order, as `sales.order_cancelled`."""
    del context, source
    fields: Fields = {}
    put(fields, "order_id", text(left, "order_id", "orderId", "id"))
    put(fields, "reason", text(left, "reason"))
    return fields


def currency_of(left: Fields, source: Source) -> str | None:
    """The currency as ISO 4217 writes it, which clients often write small; else that of the source."""
    said = left.get("currency")
    return said.strip().upper() if isinstance(said, str) and said.strip() else source.currency or None


def total(left: Fields, ordered: list[Any]) -> str | None:
    """What the customer owes: `total`; else `revenue`, which is without shipping and tax, with both; else `value`; else the lines' sum."""
    said = money(left, "total")
    if said is not None:
        return said
    before = next((name for name in ("revenue", "subtotal") if is_said(left.get(name))), None)
    if before is not None:
        first = amount(left[before])
        if first is None:
            return money(left, before)
        further = (amount(left.get(name)) for name in ("shipping", "tax"))  # what is no amount without doubt, like "free", adds nothing
        return summed([first, *(part for part in further if part is not None)])
    said = money(left, "value")
    if said is not None:
        return said
    worth = [_worth(line) for line in ordered]
    return summed([one for one in worth if one is not None]) if worth and None not in worth else None


def summed(parts: Iterable[Decimal]) -> str:
    """The sum of amounts, without zeros at the end."""
    return written(EXACT.normalize(reduce(EXACT.add, parts)))


def _worth(line: Any) -> Decimal | None:
    if not isinstance(line, dict):
        return None
    price, quantity = amount(line.get("unit_price")), amount(line.get("quantity"))
    return None if price is None or quantity is None else EXACT.multiply(price, quantity)


def chat(left: Fields, context: Context, source: Source) -> Fields:
    """The live-chat events: the agent under one name."""
    del context, source
    fields: Fields = {}
    put(fields, "conversation_id", text(left, "conversation_id", "conversationId"))
    put(fields, "agent", text(left, "agent_username", "agent_id", "agent_name"))
    put(fields, "talk_seconds", _seconds(left))
    return fields


def _seconds(left: Fields) -> Any:
    value = left.get("conversation_duration")
    return left.pop("conversation_duration") if type(value) in {int, float} else None


BUILDERS: Mapping[str, Callable[[Fields, Context, Source], Fields]] = MappingProxyType(
    {
        "web.product_viewed": product_viewed,
        "web.cart_updated": cart_viewed,
        "sales.order_placed": order_completed,
        "sales.order_cancelled": order_ended,
        "chat.started": chat,
        "chat.ended": chat,
        "chat.message_sent": chat,
        "chat.message_received": chat,
    }
)


def put(fields: Fields, name: str, value: Any) -> None:
    """Set a field that there is something for."""
    if value is not None:
        fields[name] = value


def page_of(context: Context) -> Mapping[str, Any]:
    """What the context says of the page."""
    page = context.get("page")
    return page if isinstance(page, dict) else {}


def campaign(context: Context) -> Mapping[str, Any]:
    """What the context says of the campaign."""
    found = context.get("campaign")
    return found if isinstance(found, dict) else {}
