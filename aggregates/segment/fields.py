"""Takes fields out of what clients send, where each writes them a little differently. What is taken is gone from where it was.

What cannot be used stays where it was and is kept as it came. Reading order: text, as_text, money, exact, amount, number, lines, rest.
"""

import math
import re
from decimal import Context, Decimal
from typing import Any

from aggregates.normal.persian import plain

Fields = dict[str, Any]

PLACES = Decimal("0.00000001")
"""The contracts' eight decimals: binary fractions such as 0.1 + 0.2 have more."""

EXACT = Context(prec=2048)
"""No number that can be sent has as many digits: nothing is rounded where amounts are added up."""

PLAIN = re.compile(r"-?[0-9]{1,18}([.][0-9]{1,8})?")
GROUPED = re.compile(r"-?[0-9]{1,3}(,[0-9]{3})+([.][0-9]{1,8})?")
LONGEST = 256


def text(left: Fields, *names: str, longest: int = LONGEST) -> str | None:
    """The first of these fields that is a text of use; numbers are written as text."""
    for name in names:
        value = as_text(left.get(name), longest)
        if value is not None:
            del left[name]
            return value
    return None


def as_text(value: Any, longest: int = LONGEST) -> str | None:
    """A value as a text of use, or None."""
    if type(value) is str:
        return value if value and len(value) <= longest and not value.isspace() else None
    if type(value) is int:
        return str(value)
    return decimal(value) if type(value) is float and math.isfinite(value) else None


def money(left: Fields, *names: str) -> str | None:
    """The first of these fields that is an amount, as a decimal text; a text that is none is taken too, so that its refusal says so."""
    for name in names:
        value = left.get(name)
        if type(value) is int or (type(value) is float and math.isfinite(value)):
            del left[name]
            return decimal(value)
        if type(value) is str and is_said(value):
            del left[name]
            return exact(value) or value.strip()
    return None


def fitting(left: Fields, *names: str) -> str | None:
    """The first of these fields that is an amount without doubt."""
    for name in names:
        value = left.get(name)
        if type(value) in {int, float} or (type(value) is str and exact(value)):
            return money(left, name)
    return None


def exact(text: str) -> str | None:
    """A text that is an amount without doubt, as a decimal text: also with Persian digits, and grouped by three as pages show it."""
    if PLAIN.fullmatch(text):
        return text
    written = plain(text).replace("٬", ",").replace("٫", ".")
    if GROUPED.fullmatch(written):
        written = written.replace(",", "")
    return written if PLAIN.fullmatch(written) else None


def decimal(value: float) -> str:
    """A number as a decimal text, without exponent and without what binary fractions add."""
    if type(value) is int:
        return str(value)
    return written(Decimal(repr(value)))


def written(exact: Decimal) -> str:
    """An exact number as a decimal text, without exponent, with no more decimals than contracts have."""
    if exact.as_tuple().exponent < -8:  # type: ignore[operator]  # finite: the callers looked
        exact = exact.quantize(PLACES, context=EXACT)
    text = format(exact, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def is_said(value: Any) -> bool:
    """Whether somebody meant an amount by it: nothing and empty texts say none."""
    if type(value) is str:
        return value != "" and not value.isspace()
    return type(value) is int or (type(value) is float and math.isfinite(value))


def amount(value: Any) -> Decimal | None:
    """The amount that a value is without doubt, with the contracts' decimals."""
    if not is_said(value):
        return None
    text = exact(value) if type(value) is str else decimal(value)
    return None if text is None else Decimal(text)


def number(left: Fields, name: str) -> float | None:
    """A number, also one that was written as text."""
    value = left.get(name)
    if type(value) in {int, float}:
        del left[name]
        return value
    if type(value) is str:
        try:
            found = float(value)
        except ValueError:
            return None
        del left[name]
        return found
    return None


def lines(left: Fields, *, priced: bool) -> list[Any] | None:
    """`products` as lines of an order or a cart. What else is known of an article stays on its line."""
    products = left.get("products")
    if not isinstance(products, list):
        return None
    del left["products"]
    return [_line(product, priced=priced) if isinstance(product, dict) else product for product in products]


def _line(product: Fields, *, priced: bool) -> Fields:
    rest = dict(product)
    line: Fields = {}
    for name, value in (("sku", text(rest, "sku", "product_id", "id", "productId")), ("quantity", number(rest, "quantity"))):
        if value is not None:
            line[name] = value
    line.setdefault("quantity", rest.pop("quantity", 1))
    price = money(rest, "price", "unit_price") if priced else fitting(rest, "price", "unit_price")
    if price is not None:
        line["unit_price"] = price
    if (discount := fitting(rest, "discount")) is not None:
        line["discount"] = discount
    return line | {name: value for name, value in rest.items() if name not in {"sku", "unit_price", "discount", "cost"}}


def rest(fields: Fields, left: Fields, known: frozenset[str] = frozenset()) -> Fields:
    """The fields with all that was left; what would stand in the place of a field that is known here is kept under `properties`."""
    if not left:
        return fields
    taken = known | fields.keys() | {"who"}
    if taken.isdisjoint(left):
        return fields | left
    kept = {name: value for name, value in left.items() if name in taken}
    return fields | {name: value for name, value in left.items() if name not in taken} | {"properties": kept}
