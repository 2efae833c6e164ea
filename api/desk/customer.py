"""Lays out the view of a customer as the desk's regions show it, in the reader's language. Pure.

Nothing is said that is not known: a sum without orders is absent, never 0. Reading order: Customer, customer.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from api.desk import tables
from api.desk.entries import Part, label
from api.desk.locale import Locale
from api.desk.tables import Table
from api.desk.values import Value, code, field, phone
from projections.view.answer import ContactPoint, Displaced, TraitShown, View
from projections.view.consent import ALL
from projections.view.contacts import WEAK

FIRST = ("phone", "email", "customer_number", "national_id", "account", "user_id", "social")
"""Which ways to reach or recognise a customer stand first; of one kind those met last."""


class Fact(NamedTuple):
    """One thing that is known, with the time it is about."""

    label: str
    text: str
    at: datetime | None = None
    more: str = ""


class Contact(NamedTuple):
    """A way to reach or to recognise the customer; the hint says who told it and when."""

    label: str
    value: Value
    hint: str


class Trait(NamedTuple):
    """What is known, who said it in which event, and when."""

    label: str
    value: Value
    cut: bool
    source: str
    told_in: str  # where in the timeline the event stands that said so
    at: datetime
    when: str
    verified: bool = False
    displaced: Sequence["Trait"] = ()  # what others say of it


class Consent(NamedTuple):
    """The latest word on a purpose in a channel."""

    purpose: str
    channel: str
    in_force: bool
    word: str


class Matter(NamedTuple):
    """What waits for somebody."""

    kind: str
    icon: str
    title: str
    parts: Sequence[Part]
    at: datetime | None
    when: str = ""  # how long before the customer's now


class Worth(NamedTuple):
    """What the orders in one currency come to."""

    total: str
    average: str


class Customer(NamedTuple):
    """Everything the regions show of a customer but his timeline."""

    name: str
    tier: Trait | None  # what kind of customer we call him
    badges: Sequence[str]
    notices: Sequence[str]
    facts: Sequence[Fact]
    contacts: Sequence[Contact]
    devices: Sequence[Contact]
    consents: Sequence[Consent]
    traits: Sequence[Trait]
    matters: Sequence[Matter]
    worths: Sequence[Worth]
    ordered: Sequence[Fact]
    passed: Table
    money: Table
    channels: Sequence[str]
    told_later: bool  # as of a time at which nobody had told us of him yet
    days: int  # since he was first met: so far back one may ask what was known


def customer(view: View, merged_from: UUID | None, locale: Locale) -> Customer:
    """The customer for this reader."""
    points = sorted(view.contact_points, key=lambda point: FIRST.index(point.kind) if point.kind in FIRST else len(FIRST))
    contacts = [(point, _contact(point, locale)) for point in points]
    traits = {name: _trait(view.customer_id, name, trait, locale) for name, trait in view.traits.items()}
    return Customer(
        name=view.name.display,
        tier=traits.get("tier"),
        badges=list(_badges(view, locale)),
        notices=list(_notices(view, merged_from, locale)),
        facts=list(_facts(view, locale)),
        contacts=[contact for point, contact in contacts if point.kind not in WEAK],
        devices=[contact for point, contact in contacts if point.kind in WEAK],
        consents=list(_consents(view, locale)),
        traits=list(traits.values()),
        matters=list(_matters(view, locale)),
        worths=[
            Worth(locale.money(worth.total, currency), locale.money(worth.average, currency, rounded=True))
            for currency, worth in view.orders.worth.items()
        ],
        ordered=list(_ordered(view, locale)),
        passed=tables.passed(view, locale),
        money=tables.money(view, locale),
        channels=tables.channels(view),
        told_later=view.as_of is not None and view.known_at is None,
        days=max(0, (locale.now - view.first_seen).days) if view.first_seen else 0,
    )


def _badges(view: View, locale: Locale) -> Iterator[str]:
    if view.simulated and view.simulated == view.events:
        yield locale.say("customer.simulated")
    elif view.simulated:
        yield locale.say("customer.simulated_some", share=locale.number(view.simulated), all=locale.number(view.events))


def _notices(view: View, merged_from: UUID | None, locale: Locale) -> Iterator[str]:
    if merged_from is not None:
        yield locale.say("customer.merged", id=f"…{str(merged_from)[-4:]}")
    if view.moving:
        yield locale.say("customer.moving")
    if view.clock == "event":
        yield locale.say("customer.clock", date=locale.dated(view.at))
    unbelieved = view.flagged.future + view.flagged.past
    if unbelieved:
        yield locale.say("customer.unbelieved", unbelieved)


def _facts(view: View, locale: Locale) -> Iterator[Fact]:
    if view.last_seen is None:
        yield Fact(locale.say("customer.last_seen"), locale.say("customer.never"))
    else:
        there = locale.word("channel", view.last_channel or "")
        yield Fact(
            locale.say("customer.last_seen"),
            locale.ago(view.last_seen, view.at),
            view.last_seen,
            there,
        )
    if view.first_seen is not None:
        yield Fact(locale.say("customer.first_seen"), locale.dated(view.first_seen), view.first_seen)
    if view.orders.first_at is not None and "customer_since" not in view.traits:
        yield Fact(locale.say("customer.since"), locale.dated(view.orders.first_at), view.orders.first_at)


def _trait(customer: UUID, name: str, trait: TraitShown | Displaced, locale: Locale) -> Trait:
    return Trait(
        locale.word("trait", name),
        field(name, trait.value, None, locale),
        isinstance(trait, TraitShown) and trait.cut,
        trait.source,
        f"/customers/{customer}?{urlencode({'until': _after(trait.at)})}#e-{trait.event_id}",
        trait.at,
        locale.dated(trait.at),
        trait.verified,
        [_trait(customer, name, one, locale) for one in trait.displaced if one.value is not None] if isinstance(trait, TraitShown) else (),
    )


def _contact(point: ContactPoint, locale: Locale) -> Contact:
    match point.kind, point.value:
        case _, None:
            value = Value(locale.say("contacts.gone"))
        case "phone", str(number) if number.startswith("+"):
            value = phone(number, locale)
        case _, str(text):
            value = code(text, locale)
    seen = locale.say("contacts.seen", date=locale.dated(point.last_seen))
    return Contact(locale.word("contact", point.kind), value, f"{point.source} · {seen}" if point.source else seen)


def _consents(view: View, locale: Locale) -> Iterator[Consent]:
    for consent in view.consents:
        channel = locale.say("consent.all_channels") if consent.channel == ALL else locale.word("means", consent.channel)
        words = [
            locale.say("consent.given" if consent.given else "consent.withdrawn"),
            locale.say("consent.since", date=locale.dated(consent.at)),
        ]
        if consent.given and consent.valid_until is not None:
            words.append(locale.say("consent.until" if consent.in_force else "consent.expired", date=locale.dated(consent.valid_until)))
        yield Consent(locale.word("purpose", consent.purpose), channel, consent.in_force, locale.join(words))


def _matters(view: View, locale: Locale) -> Iterator[Matter]:
    for call in view.open.calls:
        parts = _told(locale, queue=call.queue, agent=call.agent, extension=call.extension)
        yield Matter("call", "call", locale.say(f"matter.call.{call.stage}"), parts, call.at, locale.ago(call.at, view.at))
    for quote in view.open.quotes:
        parts = [Part("", Value(quote.quote_id, code=True)), *_sum(quote.total, quote.currency, locale)]
        if quote.valid_until is not None:
            parts.append(Part(label("valid_until", locale), Value(locale.dated(quote.valid_until))))
        yield Matter("quote", "sales", locale.say("matter.quote"), parts, quote.at, locale.ago(quote.at, view.at))
    cart = view.open.cart
    if cart is not None:
        parts = [Part("", Value(locale.say("lines.count", cart.lines))), *_sum(cart.total, cart.currency, locale)]
        yield Matter("cart", "cart", locale.say("matter.cart"), parts, cart.at, locale.ago(cart.at, view.at))
    for lead in view.open.leads:
        parts = [*_told(locale, reseller=lead.reseller, interest=lead.interest), *_sum(lead.value, lead.currency, locale)]
        yield Matter("lead", "reseller", locale.say("matter.lead"), parts, lead.at, locale.ago(lead.at, view.at))
    for subscription in view.subscriptions:
        parts = [Part("", Value(subscription.plan or subscription.subscription_id, code=not subscription.plan))]
        parts.append(Part("", Value(locale.word("matter.subscription", subscription.state))))
        if subscription.ends_at is not None:
            parts.append(Part(label("ends_at", locale), Value(locale.dated(subscription.ends_at))))
        yield Matter("subscription", "subscription", locale.say("matter.subscription"), parts, None)


def _told(locale: Locale, **fields: str) -> list[Part]:
    return [Part(label(name, locale), field(name, value, None, locale)) for name, value in fields.items() if value]


def _sum(amount: str, currency: str, locale: Locale) -> list[Part]:
    return [Part("", Value(locale.money(amount, currency)))] if amount and currency else []


def _ordered(view: View, locale: Locale) -> Iterator[Fact]:
    orders = view.orders
    if orders.first_at is None or orders.last_at is None:
        return
    cancelled = locale.say("number.cancelled", orders.cancelled) if orders.cancelled else ""
    yield Fact(locale.say("number.orders"), locale.number(orders.placed), more=cancelled)
    yield Fact(locale.say("number.last_order"), locale.ago(orders.last_at, view.at), orders.last_at)
    yield Fact(locale.say("number.first_order"), locale.dated(orders.first_at), orders.first_at)


def _after(at: datetime) -> str:
    """Just after a moment: a timeline until then begins with what happened at it."""
    return (at + timedelta(microseconds=1)).isoformat()
