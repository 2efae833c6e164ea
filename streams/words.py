"""What Yekta itself tells a customer's partition: identifiers went away, rows have come; a decision is in force, a time has come."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from aggregates.touchpoint import derive
from aggregates.wire import CustomerEvent, encoder
from streams.record import Publication

MOVED = "customer.moved"
"""The customer lost identifiers: his partition hands over the rows that they decided."""

ERASED = "customer.erased"
"""The customer, or identifiers of his, are erased: his partition takes the rows that they decided; of him nothing is left."""

RECEIVED = "customer.received"
"""Rows were put under the customer: his partition folds him anew."""

SPEAKER, KEY = "yekta:identity", "yekta"
"""Who says so. A channel's event may have such a type too, and is an event like any other."""


DECIDER = "yekta:decisions"
"""Says what is in force for everybody from here on: one copy in every partition, of nobody."""

CLOCK = "yekta:timers"
"""Says that a time has come that a customer waited for."""

SCORES = "yekta:scores"
"""Says what a customer's score is."""


def is_word(event: CustomerEvent) -> bool:
    """Whether identity says it, and not a channel."""
    return event.yektakey == KEY and event.source == SPEAKER


def is_spoken(event: CustomerEvent) -> bool:
    """Whether it is a decision or a timer: heard in its place by the parts of `customer`, and in no timeline."""
    return event.yektakey == KEY and event.source in (DECIDER, CLOCK)


def word(type_: str, customer: str, cause: str, time: datetime) -> Publication:
    """The record that tells it, keyed by the customer; its id comes from its cause, so that telling it twice is the same word."""
    return told(SPEAKER, type_, customer, derive(type_, customer, cause), {"cause": cause}, time)


def told(
    speaker: str,
    type_: str,
    customer: str,
    id_: UUID,
    data: Mapping[str, Any] | msgspec.Struct,
    time: datetime,
    key: str = "",
    *,
    backfill: bool = False,
    simulated: bool = False,
    clock: str = "",
    decider: str = "",
    recorded: datetime | None = None,
) -> Publication:
    """A record of `customer-events` that Yekta itself says. Of what two speakers of ours say, ids tell which is which. `recorded`: when it
    says so, where that is not the time of which it speaks; `decider`: the identifier that decided whose it is."""
    said = CustomerEvent(
        specversion="1.0",
        id=str(id_),
        source=speaker,
        type=type_,
        time=time,
        yektaevent=str(id_),
        yektakey=KEY,
        yektarecorded=recorded or time,
        yektaseal=0,
        data=msgspec.Raw(encoder.encode(data)),
        subject=customer,
        yektadecider=decider,
        yektabackfill=backfill,
        yektasimulated=simulated,
        yektaclock=clock,
        datacontenttype="application/json",
    )
    return Publication("customer-events", (key or customer).encode(), encoder.encode(said))
