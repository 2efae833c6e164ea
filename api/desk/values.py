"""Writes one value of an event or a trait for a reader: money with its currency, seconds as a duration, a phone as people say it. Pure."""

import re
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

import msgspec
import phonenumbers

from api.desk.locale import Locale
from projections.money import amount_of

MONEY = frozenset({"total", "amount", "price", "value", "unit_price", "discount", "shipping", "cost", "before", "past", "future"})
SECONDS = frozenset({"wait_seconds", "talk_seconds", "hold_seconds", "duration_seconds"})
MOMENTS = frozenset({"valid_until", "ends_at", "birth_date", "customer_since", "due", "response_due"})
CODES = frozenset(
    {"order_id", "call_id", "quote_id", "visit_id", "lead_id", "sale_id", "subscription_id", "sku", "extension", "trunk", "url"}
    | {"referrer", "recording", "email", "user_agent", "locale", "postal_code", "national_id", "user_id", "device", "account"}
)
PHONES = frozenset({"number", "phone"})
PERIOD = re.compile(r"P(\d{1,3})([DWMY])")
DIALLED = re.compile(r"[+\d\s().-]+")
SHARES = frozenset({"share", "share_before"})
WORDS = {"direction": "direction", "purpose": "purpose", "preferred_channel": "means", "priority": "priority", "of_score": "scored"} | {
    "outcome": "outcome",
    "category": "category",
    "reason": "escalated",
}
"""Fields whose values are words of the vocabulary, and the group of messages that names them."""


class Value(NamedTuple):
    """A value as it is shown."""

    text: str
    code: bool = False  # reads left to right in every language
    copy: str = ""  # what copying gives, where that is not the text
    before: str = ""  # a code that stands before the text


def field(name: str, value: Any, currency: object, locale: Locale) -> Value:
    """The value of a field with this name."""
    match value:
        case bool():
            return Value(locale.say("yes" if value else "no"))
        case str() if name in MONEY and (amount := amount_of(value)) is not None:
            return Value(locale.money(value, currency) if isinstance(currency, str) and currency else locale.number(amount))
        case float() if name in MONEY and isinstance(currency, str) and currency:
            return Value(locale.money(f"{value:.2f}", currency))
        case int() | float() if name in SHARES:
            return Value(locale.judged(value))
        case list() if name == "reasons" and value and isinstance(value[0], dict):
            return Value(str(value[0].get(locale.language, "")))  # the one that counted most; its score's page has them all
        case int() | float() if name in SECONDS:
            return Value(locale.duration(value))
        case int() | float():
            return Value(_number(value, locale))
        case str() if name in MOMENTS:
            return Value(_moment(value, locale))
        case list() if name in {"call_ids", "order_ids"}:
            return Value(locale.join(str(one) for one in value), code=True)
        case str() if name == "number" and value.isdecimal() and len(value) < 7:
            return code(value, locale)  # of a service request: nobody's phone is so short
        case str() if name in PHONES:
            return phone(value, locale)
        case str() if name in CODES:
            return code(value, locale)
        case str() if name == "period" and (found := PERIOD.fullmatch(value)):
            return Value(locale.say(f"period.{found[2]}", int(found[1])))
        case str() if name in WORDS:
            return Value(locale.word(WORDS[name], value))
        case str():
            return Value(locale.digits(value) if _counted(value) else value)
        case list() if name == "lines":
            return Value(locale.say("lines.count", len(value)))
        case list() if name == "channels":
            return Value(locale.join(locale.word("means", str(channel)) for channel in value))
        case dict() if name in {"traits", "fields"}:
            return Value(locale.join(locale.word("trait", key) for key in value))
        case None:
            return Value(locale.say("number.unknown"))
        case _:
            return Value(msgspec.json.encode(value).decode(), code=True)


def code(value: str, locale: Locale) -> Value:
    """What a machine made: left to right, and as it is unless it is a plain number."""
    number = value.isascii() and value.isdecimal()
    return Value(locale.digits(value) if number else value, code=True, copy=value if number else "")


def phone(value: str, locale: Locale) -> Value:
    """A phone number grouped as it is said, in the reader's digits; copying gives the number as machines take it."""
    if DIALLED.fullmatch(value) is None:
        return Value(locale.digits(value), code=True)  # masked, or no number at all
    try:
        number = phonenumbers.parse(value, "IR")
    except phonenumbers.NumberParseException:
        return Value(locale.digits(value), code=True, copy=value)
    at_home = number.country_code == 98
    style = phonenumbers.PhoneNumberFormat.NATIONAL if at_home else phonenumbers.PhoneNumberFormat.INTERNATIONAL
    return Value(locale.digits(phonenumbers.format_number(number, style)), code=True, copy=value)


def identifier(kind: str, value: str | None, locale: Locale) -> Value:
    """An identifier of a customer; one that this reader may not see is three dots."""
    if value is None:
        return Value("•••", code=True)
    return phone(value, locale) if kind == "phone" else code(value, locale)


def _number(value: float, locale: Locale) -> str:
    try:
        return locale.number(value if isinstance(value, int) else Decimal(repr(value)))
    except (InvalidOperation, ValueError):
        return str(value)


def _moment(value: str, locale: Locale) -> str:
    """A date or a time as the reader's calendar has it; what is neither stays as it was said."""
    try:
        if len(value) == len("2026-12-31"):
            return locale.day(date.fromisoformat(value))
        at = datetime.fromisoformat(value)
    except ValueError:
        return value
    return locale.moment(at) if at.tzinfo else value


def _counted(value: str) -> bool:
    """Whether a text is nothing but a small number, so that its digits may be the reader's."""
    return value.isascii() and value.isdecimal() and len(value) <= 6
