"""What identity tells a customer's partition: identifiers went away, rows have come."""

from datetime import datetime

import msgspec

from aggregates.touchpoint import derive
from aggregates.wire import CustomerEvent, encoder
from streams.record import Publication

MOVED = "customer.moved"
"""The customer lost identifiers: his partition hands over the rows that they decided."""

RECEIVED = "customer.received"
"""Rows were put under the customer: his partition folds him anew."""

SPEAKER, KEY = "yekta:identity", "yekta"
"""Who says so. A channel's event may have such a type too, and is an event like any other."""


def is_word(event: CustomerEvent) -> bool:
    """Whether identity says it, and not a channel."""
    return event.yektakey == KEY and event.source == SPEAKER


def word(type_: str, customer: str, cause: str, time: datetime) -> Publication:
    """The record that tells it, keyed by the customer; its id comes from its cause, so that telling it twice is the same word."""
    event = str(derive(type_, customer, cause))
    told = CustomerEvent(
        specversion="1.0",
        id=event,
        source=SPEAKER,
        type=type_,
        time=time,
        yektaevent=event,
        yektakey=KEY,
        yektarecorded=time,
        yektaseal=0,
        data=msgspec.Raw(encoder.encode({"cause": cause})),
        subject=customer,
        datacontenttype="application/json",
    )
    return Publication("customer-events", customer.encode(), encoder.encode(told))
