"""The shape of the unified customer view as it is answered; docs/view.md says what each field means, with an example.

Reading order: View, at the end; what it is made of stands before it.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct

from projections.view.traits import Name
from projections.view.windows import Window


class ContactPoint(Struct, frozen=True):
    """An identifier, and when it was met. `first_seen` is null where more identifiers were met than are kept."""

    kind: str
    value: str | None
    first_seen: datetime | None
    last_seen: datetime
    event_id: UUID | None
    source: str


class Displaced(Struct, frozen=True):
    """What another source says of a trait, or the same one had not proven, and is not believed."""

    value: Any
    at: datetime
    event_id: UUID
    source: str
    verified: bool


class TraitShown(Struct, frozen=True):
    """What is believed of a trait, who said it, and what others say: the latest word, unless a published rule prefers another."""

    value: Any
    at: datetime
    event_id: UUID
    source: str
    cut: bool
    verified: bool
    displaced: list[Displaced]


class ChannelShown(Struct, frozen=True):
    """All that passed in a channel."""

    events: int
    first_seen: datetime
    last_seen: datetime
    money: dict[str, str]


class WorthShown(Struct, frozen=True):
    """What the orders that stand come to."""

    orders: int
    total: str
    average: str


class OrdersShown(Struct, frozen=True):
    """Orders, each counted once; `worth` by currency, net of the cancelled."""

    placed: int
    cancelled: int
    worth: dict[str, WorthShown]
    first_at: datetime | None
    last_at: datetime | None


class ConsentShown(Struct, frozen=True):
    """The latest word on a purpose in a channel (`*`: in all)."""

    purpose: str
    channel: str
    given: bool
    in_force: bool
    at: datetime
    valid_until: datetime | None
    event_id: UUID


class SubscriptionShown(Struct, frozen=True):
    """A subscription that runs."""

    subscription_id: str
    state: str
    plan: str
    ends_at: datetime | None


class CallShown(Struct, frozen=True):
    """A call in progress; `at` is when it reached this stage."""

    call_id: str
    stage: str
    at: datetime
    direction: str
    queue: str
    agent: str
    extension: str
    event_id: UUID


class QuoteShown(Struct, frozen=True):
    """A quote that still holds."""

    quote_id: str
    total: str
    currency: str
    at: datetime
    valid_until: datetime | None
    event_id: UUID


class CartShown(Struct, frozen=True):
    """A cart that was left."""

    lines: int
    total: str
    currency: str
    at: datetime
    event_id: UUID


class LeadShown(Struct, frozen=True):
    """A lead after which nothing was bought."""

    reseller: str
    lead_id: str
    interest: str
    value: str
    currency: str
    at: datetime
    event_id: UUID


class OpenMatters(Struct, frozen=True):
    """What waits for somebody."""

    calls: list[CallShown]
    quotes: list[QuoteShown]
    cart: CartShown | None
    leads: list[LeadShown]


class Flagged(Struct, frozen=True):
    """Events whose own time was not believed; they count at the time they were received."""

    future: int
    past: int


class View(Struct, frozen=True):
    """The unified customer view."""

    customer_id: UUID
    name: Name
    contact_points: list[ContactPoint]
    traits: dict[str, TraitShown]
    first_seen: datetime | None
    last_seen: datetime | None
    last_channel: str | None
    last_type: str | None
    events: int
    channels: dict[str, ChannelShown]
    windows: dict[str, dict[str, Window]]
    orders: OrdersShown
    consents: list[ConsentShown]
    subscriptions: list[SubscriptionShown]
    open: OpenMatters
    simulated: int
    flagged: Flagged
    clock: str  # "wall", or "event": all his events are of sources that replay their own time, and `at` is that time's now
    at: datetime  # the time that this view is of
    as_of: datetime | None
    known_at: datetime | None
    position: str
    moving: bool
