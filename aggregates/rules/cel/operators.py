"""Compares and computes as CEL does, with two differences: numbers of all kinds meet as exact decimals, and money is a number.

Raises `Unusable` for what cannot be compared. Reading order: number, less, equal, plus and the rest.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Context, Decimal
from typing import Any

from aggregates.rules.cel.values import Money, Unusable, decimal_of

EXACT = Context(prec=60)
"""More digits than money has; sums and products of a few amounts are never rounded."""

Number = int | Decimal


def number(value: Any) -> Number | None:
    """A value as a number; None when it is none. A double is the decimal that it is written as."""
    kind = type(value)
    if kind is int or kind is Decimal:
        return value  # type: ignore[no-any-return]
    if kind is float:
        return Decimal(repr(value))
    return value.amount if kind is Money else None


def _pair(left: Any, right: Any) -> tuple[Number, Number] | None:
    """Both as numbers. A text beside money is read as money, if it can be: `data.total == "500.00"`."""
    one, other = number(left), number(right)
    if one is None and isinstance(right, Money) and type(left) is str:
        one = decimal_of(left)
    if other is None and isinstance(left, Money) and type(right) is str:
        other = decimal_of(right)
    return None if one is None or other is None else (one, other)


def equal(left: Any, right: Any) -> bool:
    """Things of different kinds are not equal; comparing them is no mistake."""
    if (pair := _pair(left, right)) is not None:
        return pair[0] == pair[1]
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(equal, left, right))
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(equal(value, right[name]) for name, value in left.items())
    if isinstance(left, str) and isinstance(right, str):
        return str.__eq__(left, right)
    return type(left) is type(right) and bool(left == right)


def less(left: Any, right: Any) -> bool:
    """Whether the first comes before the second."""
    if (pair := _pair(left, right)) is not None:
        return pair[0] < pair[1]
    for kind in (str, bool, datetime, timedelta):
        if isinstance(left, kind) and isinstance(right, kind):
            return bool(left < right)  # type: ignore[operator]
    raise Unusable("these cannot be compared")


def less_or_equal(left: Any, right: Any) -> bool:
    """Whether the second does not come before the first."""
    return not less(right, left)


def contains(item: Any, collection: Any) -> bool:
    """`item in collection`: of a list its items, of a map its names."""
    if isinstance(collection, list):
        return any(equal(item, one) for one in collection)
    if isinstance(collection, Mapping):
        return isinstance(item, str) and item in collection
    raise Unusable("only lists and maps hold something")


def plus(left: Any, right: Any) -> Any:
    """Adds numbers, joins texts and lists, moves times."""
    if (pair := _pair(left, right)) is not None:
        return _exact(EXACT.add, pair, pair[0].__add__)
    if isinstance(left, str) and isinstance(right, str):
        return str(left) + str(right)
    if isinstance(left, list) and isinstance(right, list):
        return left + right
    if isinstance(left, datetime | timedelta) and isinstance(right, datetime | timedelta):
        return _moved(lambda: left + right)  # type: ignore[operator]
    raise Unusable("these cannot be added")


def minus(left: Any, right: Any) -> Any:
    """Subtracts numbers, times and durations."""
    if (pair := _pair(left, right)) is not None:
        return _exact(EXACT.subtract, pair, pair[0].__sub__)
    if isinstance(left, datetime | timedelta) and isinstance(right, datetime | timedelta):
        return _moved(lambda: left - right)  # type: ignore[operator]
    raise Unusable("these cannot be subtracted")


def times(left: Any, right: Any) -> Any:
    """Multiplies numbers."""
    pair = _numbers(left, right)
    return _exact(EXACT.multiply, pair, pair[0].__mul__)


def over(left: Any, right: Any) -> Any:
    """Divides; whole numbers without remainder, towards zero, as CEL has it."""
    one, other = _numbers(left, right)
    if not other:
        raise Unusable("division by zero")
    if isinstance(one, int) and isinstance(other, int):
        quotient = abs(one) // abs(other)
        return quotient if (one < 0) == (other < 0) else -quotient
    return _exact(EXACT.divide, (one, other), None)


def remainder(left: Any, right: Any) -> int:
    """What dividing whole numbers leaves, with the sign of the first."""
    if type(left) is not int or type(right) is not int or not right:
        raise Unusable("only whole numbers have a remainder")
    left_over = abs(left) % abs(right)
    return -left_over if left < 0 else left_over


def negative(value: Any) -> Any:
    """A number or duration with the other sign."""
    if isinstance(value, timedelta):
        return _moved(lambda: -value)
    found = number(value)
    if found is None:
        raise Unusable("this has no sign")
    return -found if isinstance(found, int) else found.copy_negate()


def _numbers(left: Any, right: Any) -> tuple[Number, Number]:
    pair = _pair(left, right)
    if pair is None:
        raise Unusable("these are no numbers")
    return pair


def _exact(decimals: Any, pair: tuple[Number, Number], whole: Any) -> Number:
    one, other = pair
    if whole and isinstance(one, int) and isinstance(other, int):
        result: int = whole(other)
        if abs(result) >= 2**63:
            raise Unusable("the number is too large")
        return result
    try:
        found: Decimal = decimals(Decimal(one), Decimal(other))
    except ArithmeticError:
        raise Unusable("the number is too large") from None
    return found


def _moved(act: Any) -> Any:
    try:
        return act()
    except (TypeError, OverflowError):
        raise Unusable("these times cannot be put together") from None
