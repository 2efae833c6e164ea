"""Which fields of an event tell something that may bear on churn: words that repeat between customers, and numbers that measure.

Nothing is known of types that a company invents, so the form decides: what looks like an id, a time, an address or a text says nothing
about others. Reading order: words, numbers, spent, currency, given.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

_WORDS = re.compile(r"[\W_]+|(?<=[a-z])(?=[A-Z])")

LONGEST = 32
MONEY = frozenset({"amount", "total", "currency"})
NAMES = ("id", "number", "phone", "email", "url", "time", "date", "_at", "note", "title", "recording", "extension", "agent", "salesperson")
"""How fields end that name somebody, something or a moment."""

PERSIAN_NAMES = ("شناسه", "شماره", "تاریخ")
"""How they begin in Persian."""

ORDINARY = frozenset(
    ["paid", "unpaid", "prepaid", "postpaid", "repaid", "underpaid", "overpaid", "valid", "invalid", "bid", "aid", "said", "grid", "hybrid"]
)
"""Words that end so by chance."""

CODED = frozenset(
    [
        *("code", "reason", "category", "class", "kind", "type", "status", "state", "outcome", "result", "channel", "method"),
        *("segment", "group", "region", "department"),
    ]
)
PERSIAN_CODED = frozenset(["علت", "دلیل", "نوع", "وضعیت", "نتیجه", "گروه", "کد"])
"""Words that end the names of fields that tell a kind, also where it has a number; in Persian they begin them."""

LONG = 1e7
"""Of a field that is called a time, what a duration is below: a few hours in milliseconds. Moments are counted from afar, or 20261122."""


@lru_cache(maxsize=4_096)
def names_one(field: str) -> bool:
    """Whether a field, by its name, tells whom or when, not what."""
    if field in MONEY or field.startswith(PERSIAN_NAMES):
        return True
    return field.lower().endswith(NAMES) and _last_word(field) not in ORDINARY


@lru_cache(maxsize=4_096)
def may_last(field: str) -> bool:
    """Whether a field, by its name, may tell how long something took: a `wait_time` does, a `date` does not."""
    return field.lower().endswith("time") and _last_word(field) != "datetime"


def _last_word(field: str) -> str:
    return _WORDS.split(field)[-1].lower()


@lru_cache(maxsize=65_536)
def kind_of(word: str) -> str | None:
    """The word as a kind, or None where it is an id, an address or a text."""
    word = word.strip().lower()
    if not word or len(word) > LONGEST or sum(map(str.isdigit, word)) > 2 or "/" in word or "@" in word:
        return None
    return word


@lru_cache(maxsize=65_536)
def word_of(field: str, value: str) -> str | None:
    """What a field tells in a word, or None where it tells a number or whom, when or how exactly."""
    kind = None if names_one(field) else kind_of(value)
    return kind if kind is not None and number_of(kind) is None else None


@lru_cache(maxsize=4_096)
def numbers_kinds(field: str) -> bool:
    """Whether a field, by its name, tells kinds, which some companies number: a `reason`, a `method_id`."""
    words = _WORDS.split(field.lower() if field.isupper() else field)
    *_, before, last = ["", *words]
    return last.lower() in CODED or (last.lower() == "id" and before.lower() in CODED) or words[0] in PERSIAN_CODED


def code_of(value: object) -> str | None:
    """The number of a kind, of two digits at most, however it is written."""
    number = number_of(value)
    return None if number is None or number != int(number) or not 0.0 <= number <= 99.0 else str(int(number))


def words(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Fields whose word is one of a few."""
    for field, value in data.items():
        kind = word_of(field, value) if isinstance(value, str) else None
        if kind is None and isinstance(value, (str, int, float)) and numbers_kinds(field):
            kind = code_of(value)
        if kind is not None:
            yield field, kind


def numbers(data: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Fields that measure."""
    for field, value in data.items():
        if not isinstance(value, (str, int, float)) or (names_one(field) and not may_last(field)):
            continue
        if numbers_kinds(field) and code_of(value) is not None:
            continue
        number = number_of(value)
        if number is not None and (abs(number) < LONG or not may_last(field)):
            yield field, number


def spent(data: Mapping[str, Any]) -> float | None:
    """What a purchase came to, in its own money."""
    amount = number_of(data.get("total", data.get("amount")))
    return None if amount is None or amount <= 0.0 else amount


def currency(data: Mapping[str, Any]) -> str:
    """In which money that was; empty where it is not told."""
    told = data.get("currency")
    return told.strip().upper()[:LONGEST] if isinstance(told, str) else ""


def given(data: Mapping[str, Any]) -> float:
    """The share of a purchase's price that was taken off: 0 to 1."""
    amount, off = spent(data), number_of(data.get("discount")) or 0.0
    for line in lines if isinstance(lines := data.get("lines"), list) else ():
        if isinstance(line, dict):
            off += number_of(line.get("discount")) or 0.0
    return 0.0 if amount is None or off <= 0.0 else off / (off + amount)


def number_of(value: object) -> float | None:
    """A finite number, also where it is written as a decimal."""
    if isinstance(value, str):
        return decimal(value)
    if isinstance(value, (bool, int, float)):
        return float(value) if abs(value) < 1e18 else None  # what is not a number is not below one either
    return None


@lru_cache(maxsize=65_536)
def decimal(text: str) -> float | None:
    """The number that a text writes."""
    if len(text) > LONGEST or not text[-1:].isdigit() or not text.lstrip("+-")[:1].isdigit():
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) < 1e18 else None
