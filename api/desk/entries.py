"""Tells each event of the timeline in one line, and all the rest of it on demand. Pure.

What a type's line shows is written in `LINES`; a type that nobody described shows its first fields. Reading order: Entry, entry, days.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from itertools import groupby
from typing import Any, NamedTuple

import msgspec

from api.customers import Item
from api.desk.locale import Locale
from api.desk.values import Value, field

LATE = timedelta(hours=1)
"""An event that arrives so long after it happened is marked."""

OWN_TIME = frozenset({"backfill", "past", "event_clock"})
"""Flags of events of which nobody expects that they arrive when they happen."""

LINES: Mapping[str, tuple[str, ...]] = {
    "call.queued": ("queue", "position"),
    "call.ringing": ("direction", "number", "queue", "extension"),
    "call.answered": ("agent", "queue", "wait_seconds"),
    "call.ended": ("reason", "outcome", "talk_seconds", "agent"),
    "call.abandoned": ("queue", "wait_seconds", "position"),
    "web.page_viewed": ("title|page|url", "duration_seconds", "campaign"),
    "web.product_viewed": ("name|sku", "price"),
    "web.cart_updated": ("lines", "total"),
    "web.form_submitted": ("form",),
    "web.identified": ("traits",),
    "sales.order_placed": ("order_id", "lines", "total"),
    "sales.order_cancelled": ("order_id", "reason"),
    "sales.payment_received": ("amount", "method", "order_id"),
    "sales.visit_held": ("salesperson", "outcome", "minutes"),
    "sales.quote_sent": ("quote_id", "total", "valid_until"),
    "reseller.sale_reported": ("reseller", "lines", "total"),
    "reseller.return_reported": ("reseller", "amount", "reason"),
    "reseller.lead_registered": ("reseller", "interest", "value"),
    "consent.given": ("purpose", "channels", "valid_until"),
    "consent.withdrawn": ("purpose", "channels"),
    "subscription.started": ("plan", "amount", "period", "ends_at"),
    "subscription.renewed": ("plan", "amount", "period", "ends_at"),
    "subscription.cancelled": ("plan", "reason"),
    "profile.reported": ("traits",),
    "contact.made": ("channel", "contact", "note"),
    "contact.delivered": ("channel", "contact"),
    "contact.opened": ("channel", "contact"),
    "contact.clicked": ("channel", "contact"),
    "contact.answered": ("channel", "reason"),
    "contact.refused": ("channel", "reason"),
    "call.wrapped_up": ("outcome", "promise", "due", "agent"),
    "service.request_opened": ("number", "title", "priority", "due"),
    "service.request_changed": ("number", "priority", "queue", "owner"),
    "service.request_linked": ("number", "call_ids", "order_ids"),
    "service.request_noted": ("number", "by"),
    "service.request_waiting": ("number", "by"),
    "service.request_resumed": ("number", "due"),
    "service.request_promised": ("number", "promise", "due"),
    "service.promise_kept": ("number", "by"),
    "service.promise_broken": ("number",),
    "service.request_escalated": ("number", "level", "reason"),
    "service.request_resolved": ("number", "by"),
    "service.satisfaction_asked": ("number",),
    "service.request_rated": ("number", "score"),
    "service.request_reopened": ("number", "by"),
    "service.request_closed": ("number", "by"),
    "service.request_cancelled": ("number", "by"),
    "service.request_merged": ("number", "into_number"),
    "score.given": ("share", "reasons"),
    "value.given": ("value",),
    "segment.entered": ("segment",),
    "segment.left": ("segment",),
}

SPEAKS_FOR_ITSELF = frozenset(
    {"order_id", "quote_id", "lines", "total", "amount", "price", "value", "title", "page", "url", "name", "sku", "share", "reasons"}
    | {"direction", "traits", "form", "reason", "outcome", "purpose", "channels", "plan", "number", "reseller", "interest", "segment"}
)
"""Fields of a line that need no label before them."""

CALLED: Mapping[str, Mapping[str, str]] = {"score.given": {"value": "share", "before": "share_before", "score": "of_score"}}
"""Fields that mean another thing in this type than their name says elsewhere: `value` is money."""

MARKS = ("simulated", "backfill", "future", "past", "replayed")
"""Flags of an event that its line shows."""

FIRST_FIELDS = 3


class Part(NamedTuple):
    """A piece of a line or of the details: what it is, when that must be said, and its value."""

    label: str
    value: Value


class Entry(NamedTuple):
    """An event as the timeline shows it."""

    item: Item
    title: str
    known: bool  # its type has a name in the reader's language
    line: Sequence[Part]
    note: str
    marks: Sequence[str]
    details: Sequence[Part]


class Day(NamedTuple):
    """The entries of a day, newest first."""

    date: str
    heading: str
    entries: Sequence[Entry]


def entry(item: Item, locale: Locale) -> Entry:
    """The event in the reader's language."""
    type_ = "value.given" if item.type == "score.given" and item.data.get("score") == "value" else item.type  # money, and no likelihood
    called = CALLED.get(type_, {})
    shown = {called.get(name, name): value for name, value in item.data.items() if name != "who" and value not in (None, "", [], {})}
    currency = shown.get("currency")
    names = _line(type_, shown)
    marks = [mark for mark in MARKS if mark in item.flags]
    if item.recorded - item.at > LATE and not OWN_TIME & {*item.flags}:
        marks.append("late")
    if item.erased:
        marks.append("erased")
    return Entry(
        item=item,
        title=locale.word("type", type_),
        known=locale.knows(f"type.{type_}"),
        line=[_part(name, shown[name], currency, locale) for name in names],
        note=shown["note"] if isinstance(shown.get("note"), str) else "",
        marks=marks,
        details=_details(shown, names, currency, locale),
    )


def days(entries: Iterable[Entry], locale: Locale) -> list[Day]:
    """Entries, newest first, under their days in the reader's zone."""
    by_day = groupby(entries, key=lambda entry: locale.here(entry.item.at).date())
    found = [(date, list(of_day)) for date, of_day in by_day]
    return [Day(date.isoformat(), locale.heading(of_day[0].item.at), of_day) for date, of_day in found]


def label(name: str, locale: Locale) -> str:
    """What a field is called."""
    return locale.word("field", name)


def _part(name: str, value: Any, currency: object, locale: Locale) -> Part:
    return Part("" if name in SPEAKS_FOR_ITSELF else label(name, locale), field(name, value, currency, locale))


def _line(type_: str, shown: Mapping[str, Any]) -> list[str]:
    """The fields of the line that the event has; of alternatives the first."""
    if type_ not in LINES:
        return [name for name, value in shown.items() if isinstance(value, str | int | float)][:FIRST_FIELDS]
    found = (next((name for name in names.split("|") if name in shown), None) for names in LINES[type_])
    return [name for name in found if name is not None]


def _details(shown: Mapping[str, Any], told: Sequence[str], currency: object, locale: Locale) -> list[Part]:
    """Everything that the line leaves out; what is nested is taken apart one level."""
    parts: list[Part] = []
    for name, value in shown.items():
        if name in {"note", "currency"} or (name in told and name not in {"lines", "traits", "fields"}):
            continue
        if name in {"traits", "fields"} and isinstance(value, dict):
            parts += [Part(locale.word("trait", key), field(key, inner, currency, locale)) for key, inner in value.items()]
        elif name == "lines" and isinstance(value, list):
            parts += [Part("", _article(line, currency, locale)) for line in value]
        else:
            parts.append(Part(label(name, locale), field(name, value, currency, locale)))
    return parts


def _article(line: object, currency: object, locale: Locale) -> Value:
    """One article of an order."""
    if not isinstance(line, dict):
        return Value(msgspec.json.encode(line).decode(), code=True)
    price = line.get("unit_price")
    each = f" × {field('unit_price', price, currency, locale).text}" if isinstance(price, str) else ""
    return Value(f"{locale.digits(str(line.get('quantity', '')))}{each}", before=str(line.get("sku", "")))
