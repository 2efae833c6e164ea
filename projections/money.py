"""Adds money exactly: sums are the same in whatever order, and are kept as text that has one form for one amount."""

from decimal import Context, Decimal, InvalidOperation

EXACT = Context(prec=100)
"""Far more digits than amounts of 18 before and 8 after the point can fill, however many: nothing is ever rounded."""

ZERO = "0"


def amount_of(value: object) -> Decimal | None:
    """A field that should be money as a number; None when it is not one, for the log holds what older checks let pass."""
    if not isinstance(value, str) or len(value) > 40:
        return None
    try:
        amount = Decimal(value)
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and -20 <= amount.adjusted() <= 40 else None


def currency_of(value: object) -> str | None:
    """A field that should be a currency code; None when it is not one."""
    return value if isinstance(value, str) and len(value) == 3 and value.isascii() and value.isupper() else None


def text_of(amount: Decimal) -> str:
    """The one text of an amount: no exponent, no zeros that say nothing."""
    return format(amount.normalize(EXACT), "f") if amount else ZERO


def plus(sum_: str, amount: Decimal) -> str:
    """A sum with an amount added."""
    return text_of(EXACT.add(Decimal(sum_), amount))


def minus(sum_: str, amount: Decimal) -> str:
    """A sum with an amount taken off."""
    return text_of(EXACT.subtract(Decimal(sum_), amount))


def average(sum_: str, count: int) -> str:
    """A mean amount, to the cent."""
    return text_of(EXACT.divide(Decimal(sum_), Decimal(count)).quantize(Decimal("0.01"), context=EXACT))


def shown(amount: str) -> str:
    """An amount as people write it: with cents, when there are any."""
    whole, point, part = amount.partition(".")
    return f"{whole}.{part:0<2}" if point else amount
