"""What expressions compute with: JSON's values, and money, which is a text in the log and a decimal in an expression.

Reading order: Money, with_money.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, get_type_hints

from aggregates.contracts import CONTRACTS
from aggregates.contracts.fields import Amount
from aggregates.contracts.fields import Money as MoneyField
from aggregates.contracts.shape import is_kind, item_fields

_DECIMAL = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?\Z", re.ASCII)


class Unusable(Exception):
    """The expression has no value for this event: a field is missing, or things were compared that cannot be."""


class Money(str):
    """A decimal that a channel wrote as text. It is computed with as a number, and still is the text it was."""

    __slots__ = ("amount",)

    amount: Decimal

    def __new__(cls, text: str) -> "Money":
        """Raises `decimal.InvalidOperation` for a text that is no number."""
        money = super().__new__(cls, text)
        money.amount = Decimal(text)
        return money


def decimal_of(text: str) -> Decimal | None:
    """The number that a text is; None when it is none."""
    return Decimal(text) if _DECIMAL.match(text) else None


def with_money(type_: str, data: Mapping[str, Any]) -> Mapping[str, Any]:
    """The data of an event with its money readable as decimals.

    Of a type with a contract: the fields that it says are money. Of any other, where a `currency` is named: whatever is a decimal.
    """
    if type_ in CONTRACTS:
        fields, parts = money_fields(type_)
        return _contracted(data, fields, parts) if fields or parts else data
    currency = data.get("currency")
    return _guessed(data) if isinstance(currency, str) and currency else data


@lru_cache(maxsize=1_024)
def money_fields(type_: str) -> tuple[frozenset[str], Mapping[str, frozenset[str]]]:
    """By the newest contract of a type: the fields that are money, and of fields that are lists of objects, those of the objects."""
    hints = get_type_hints(CONTRACTS[type_].data, include_extras=True)
    parts = {name: _money(item_fields(hint)) for name, hint in hints.items()}
    return _money(hints), {name: fields for name, fields in parts.items() if fields}


def _money(hints: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(name for name, hint in hints.items() if is_kind(hint, Amount) or is_kind(hint, MoneyField))


def _contracted(data: Mapping[str, Any], fields: frozenset[str], parts: Mapping[str, frozenset[str]]) -> Mapping[str, Any]:
    changed = {name: _read(value) for name, value in data.items() if name in fields}
    for name, inner in parts.items():
        if isinstance(items := data.get(name), list):
            changed[name] = [
                item | {key: _read(item[key]) for key in inner if key in item} if isinstance(item, dict) else item for item in items
            ]
    return {**data, **changed}


def _read(value: Any) -> Any:
    return Money(value) if isinstance(value, str) and _DECIMAL.match(value) else value


def _guessed(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _guessed(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_guessed(inner) for inner in value]
    return _read(value)
