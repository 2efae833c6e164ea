"""The records that live in Kafka: CloudEvents 1.0 in structured JSON, with Yekta's own attributes as extensions.

A reader without Yekta's keys sees when, where and what happened; who it was is sealed. The structs are decoded with `data` left as raw
JSON, so that a processor that only routes never parses it. Reading order: Sealed, SealedTouchpoint, CustomerEvent, Identity.
"""

from datetime import datetime
from typing import Any

import msgspec

from aggregates.identifier import Identifier, Token


class Sealed(msgspec.Struct, frozen=True, array_like=True):
    """What is encrypted: the identifiers in normal form, the personal fields of `data` by name, and further CloudEvents attributes.

    Producers put phone numbers into `subject` and `partitionkey`, so attributes that Yekta does not need are as personal as data.
    """

    identifiers: tuple[tuple[str, str], ...]
    personal: dict[str, Any]
    attributes: dict[str, Any] = {}


class SealedTouchpoint(msgspec.Struct, frozen=True, omit_defaults=True):
    """A record of `touchpoints`. Key: keyed hash of key source, source and subject."""

    specversion: str
    id: str
    source: str
    type: str
    time: datetime  # occurred, as the source says
    yektaevent: str  # the event id, a uuid
    yektakey: str  # the write key's source
    yektarecorded: datetime
    yektabody: str  # base64url keyed hash of the canonical body: is a retry the same event?
    yektaseal: int  # number of the data key; 0: nothing is sealed
    data: msgspec.Raw  # fields in the clear
    yektasealed: str = ""  # base64url of nonce and ciphertext
    yektawho: str = ""  # tokens, separated by a space, strongest given first as they came
    yektaversion: int = 0
    yektasimulated: bool = False
    yektabackfill: bool = False
    yektaclock: str = ""
    datacontenttype: str = ""


class CustomerEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    """A record of `customer-events`: a touchpoint attributed to a customer, or a fact that identity tells a customer's partition."""

    specversion: str
    id: str
    source: str
    type: str
    time: datetime
    yektaevent: str
    yektakey: str
    yektarecorded: datetime
    yektaseal: int
    data: msgspec.Raw
    subject: str = ""  # the customer id; absent: nobody's, the touchpoint named no identifier
    yektadecider: str = ""  # the token that decided whose it is
    yektaidentity: str = ""  # JSON of `Identity`, on the events that changed something
    yektasealed: str = ""
    yektawho: str = ""
    yektaversion: int = 0
    yektasimulated: bool = False
    yektabackfill: bool = False
    yektaclock: str = ""
    datacontenttype: str = ""


class Link(msgspec.Struct, frozen=True, array_like=True):
    """One identifier came to a customer; of two facts about the same identifier the higher number holds."""

    token: Token
    owner: str  # customer id; empty: nobody, its owner was erased
    number: int  # identity_seq
    before: str = ""  # the customer that it was taken from; empty: it was new


class Wall(msgspec.Struct, frozen=True, array_like=True):
    """A person's word that the identifiers on one side are never one customer's with those on the other."""

    number: int  # identity_seq
    one: tuple[Token, ...]
    other: tuple[Token, ...]


class Identity(msgspec.Struct, frozen=True, omit_defaults=True):
    """What attributing a touchpoint changed: stored with the receipt, carried by the customer event, replayed by a rebuild."""

    links: tuple[Link, ...] = ()
    founded: int = 0  # identity_seq of the customer, when this event founded it
    conflict: str = ""  # why a link was not made
    detached: tuple[Token, ...] = ()  # identifiers that stopped linking: two strong owners claimed them
    between: tuple[Token, ...] = ()  # of a conflict: the identifiers that were not made one customer's
    walls: tuple[Wall, ...] = ()  # what a person keeps apart from now on
    lifted: tuple[int, ...] = ()  # walls that he took away


def tokens(who: str) -> tuple[Token, ...]:
    """The tokens of a record's `yektawho`."""
    return tuple(Token(token) for token in who.split())


def identifiers(sealed: Sealed) -> tuple[Identifier, ...]:
    """The opened identifiers, aligned with the record's tokens."""
    return tuple(Identifier(kind, value) for kind, value in sealed.identifiers)


touchpoint_decoder = msgspec.json.Decoder(SealedTouchpoint)
customer_event_decoder = msgspec.json.Decoder(CustomerEvent)
identity_decoder = msgspec.json.Decoder(Identity)
sealed_decoder = msgspec.json.Decoder(Sealed)
encoder = msgspec.json.Encoder()
