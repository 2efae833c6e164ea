"""What is open between a customer and us: a call in progress, quotes, a cart, leads.

Each is what its latest fact says, and only the latest few are kept; whether one is still open is judged when it is read.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from aggregates.fact import Fact
from projections.money import amount_of, currency_of, text_of
from projections.view.channels import ORDER_PLACED
from projections.view.values import moment, reference, word

CALLS, QUOTES, LEADS = 4, 8, 8
LONGEST_CALL = timedelta(hours=4)
"""A call whose end was never told is not shown longer than this."""


class Matter(Struct, frozen=True, array_like=True, gc=False):
    """What all matters have: the fact that spoke of it last."""

    at: datetime
    event: UUID

    @property
    def rank(self) -> tuple[datetime, int, UUID]:
        """Of two facts about a matter the one that ranks higher counts."""
        return self.at, 0, self.event


STAGES = {"ringing": 0, "answered": 1, "ended": 2, "abandoned": 2}


class Call(Matter, frozen=True, array_like=True, gc=False):
    """The latest stage of a call."""

    stage: str  # ringing, answered, ended, abandoned
    direction: str
    queue: str
    agent: str
    extension: str

    @property
    def rank(self) -> tuple[datetime, int, UUID]:
        """Within one second, which is how exactly some call centers tell the time, calls still go forward."""
        return self.at, STAGES.get(self.stage, 0), self.event


class Quote(Matter, frozen=True, array_like=True, gc=False):
    """A quote as it was sent last."""

    total: str
    currency: str
    until: datetime | None


class Cart(Matter, frozen=True, array_like=True, gc=False):
    """The cart as it was updated last."""

    lines: int
    total: str
    currency: str


class Lead(Matter, frozen=True, array_like=True, gc=False):
    """A lead as it was registered last."""

    reseller: str
    lead_id: str
    interest: str
    value: str
    currency: str


class Matters(Struct, frozen=True, array_like=True, gc=False):
    """All matters kept, open or not."""

    calls: dict[str, Call] = {}
    quotes: dict[str, Quote] = {}
    leads: dict[str, Lead] = {}
    cart: Cart | None = None
    ordered: datetime | None = None  # the latest order: it settles quotes and the cart
    bought: datetime | None = None  # the latest order or reseller's sale: it settles leads


AnyMatter = TypeVar("AnyMatter", Call, Quote, Lead)


def called(matters: Matters, fact: Fact) -> Matters:
    """A call rang, was answered, ended or was abandoned."""
    data = fact.data
    call = Call(
        fact.at,
        fact.event_id,
        fact.type.rpartition(".")[2],
        word(data, "direction", 16),
        word(data, "queue"),
        word(data, "agent"),
        word(data, "extension", 32),
    )
    return replace(matters, calls=newest(matters.calls, reference(data.get("call_id")), call, CALLS))


def quoted(matters: Matters, fact: Fact) -> Matters:
    """A quote was sent."""
    quote = Quote(fact.at, fact.event_id, *_money(fact, "total"), moment(fact.data.get("valid_until")))
    return replace(matters, quotes=newest(matters.quotes, reference(fact.data.get("quote_id")), quote, QUOTES))


def filled(matters: Matters, fact: Fact) -> Matters:
    """The cart was updated."""
    if matters.cart and matters.cart.rank > (fact.at, 0, fact.event_id):
        return matters
    lines = fact.data.get("lines")
    return replace(matters, cart=Cart(fact.at, fact.event_id, len(lines) if isinstance(lines, list) else 0, *_money(fact, "total")))


def led(matters: Matters, fact: Fact) -> Matters:
    """A reseller registered a lead."""
    reseller, lead_id = word(fact.data, "reseller", 64), reference(fact.data.get("lead_id"))
    lead = Lead(fact.at, fact.event_id, reseller, lead_id or "", word(fact.data, "interest"), *_money(fact, "value"))
    return replace(matters, leads=newest(matters.leads, lead_id and f"{reseller} {lead_id}", lead, LEADS))


def bought(matters: Matters, fact: Fact) -> Matters:
    """Something was bought: what was open before is settled."""
    at = fact.at
    ordered = at if fact.type == ORDER_PLACED and (matters.ordered is None or at > matters.ordered) else matters.ordered
    return replace(matters, bought=at if matters.bought is None or at > matters.bought else matters.bought, ordered=ordered)


STEPS: dict[str, Callable[[Matters, Fact], Matters]] = {
    "call.ringing": called,
    "call.answered": called,
    "call.ended": called,
    "call.abandoned": called,
    "sales.quote_sent": quoted,
    "web.cart_updated": filled,
    "reseller.lead_registered": led,
    "reseller.sale_reported": bought,
    ORDER_PLACED: bought,
}


def newest(matters: dict[str, AnyMatter], key: str | None, matter: AnyMatter, limit: int) -> dict[str, AnyMatter]:
    """The matters with what a fact says of one, if it is the latest word; of too many the latest are kept."""
    if not key:
        return matters
    known = matters.get(key)
    if known and known.rank > matter.rank:
        return matters
    now = matters | {key: matter}
    if len(now) > limit:
        del now[min(now, key=lambda key: now[key].rank)]
    return now


def open_calls(matters: Matters, at: datetime) -> dict[str, Call]:
    """Calls that ring or go on."""
    return {key: call for key, call in matters.calls.items() if call.stage in {"ringing", "answered"} and at - call.at <= LONGEST_CALL}


def open_quotes(matters: Matters, at: datetime) -> dict[str, Quote]:
    """Quotes that still hold and were not followed by an order."""
    return {
        key: quote
        for key, quote in matters.quotes.items()
        if (quote.until is None or at < quote.until) and not _settled(quote, matters.ordered)
    }


def open_cart(matters: Matters) -> Cart | None:
    """The cart, when something is in it and no order came after."""
    cart = matters.cart
    return cart if cart and cart.lines and not _settled(cart, matters.ordered) else None


def open_leads(matters: Matters) -> dict[str, Lead]:
    """Leads after which nothing was bought."""
    return {key: lead for key, lead in matters.leads.items() if not _settled(lead, matters.bought)}


def _settled(matter: Matter, by: datetime | None) -> bool:
    return by is not None and by >= matter.at


def _money(fact: Fact, field: str) -> tuple[str, str]:
    """An amount and its currency, both empty when they are not told."""
    amount, currency = amount_of(fact.data.get(field)), currency_of(fact.data.get("currency"))
    return (text_of(amount), currency) if amount is not None and currency is not None else ("", "")
