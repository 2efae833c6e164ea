"""What is kept of a customer between two of his events: small, and the same bytes for the same facts.

It is written as MessagePack with the keys of every map in order, so that states can be compared as bytes.
"""

from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct

from projections.view.channels import Channel
from projections.view.consent import Consent
from projections.view.contacts import Contacts
from projections.view.matters import Matters
from projections.view.orders import Orders
from projections.view.subscriptions import Subscriptions
from projections.view.traits import Trait


class Seen(Struct, frozen=True, array_like=True, gc=False):
    """The fact by which a customer was met last."""

    at: datetime
    event: UUID
    type: str


NO_CONTACTS = Contacts()
NO_ORDERS = Orders()
NO_SUBSCRIPTIONS = Subscriptions()
NO_MATTERS = Matters()


class State(Struct, frozen=True, array_like=True, gc=False):
    """The fold of a customer's facts."""

    events: int = 0
    first: datetime | None = None
    last: Seen | None = None
    wall: bool = False  # any fact of a source that lives in our time
    simulated: int = 0
    future: int = 0  # facts whose time was not believed because it had not come yet
    past: int = 0  # ... because nothing can be so old
    contacts: Contacts = NO_CONTACTS
    traits: dict[str, Trait] = {}
    channels: dict[str, Channel] = {}
    orders: Orders = NO_ORDERS
    consents: dict[str, Consent] = {}
    subscriptions: Subscriptions = NO_SUBSCRIPTIONS
    matters: Matters = NO_MATTERS


_encoder = msgspec.msgpack.Encoder(order="deterministic", uuid_format="bytes")
_decoder = msgspec.msgpack.Decoder(State)


def encode(state: State) -> bytes:
    """The bytes of a state."""
    return _encoder.encode(state)


def decode(encoded: bytes) -> State:
    """The state of bytes that `encode` wrote."""
    return _decoder.decode(encoded)
