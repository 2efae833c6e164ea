"""What a fold folds: one customer event, opened as far as needed and with its time judged, the same for every projection.

Folds go by `(at, event_id)`, so that the order of arrival never shows. Reading order: Fact, fact_of, unsealed.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from aggregates.contracts import is_newest, upcast
from aggregates.identifier import Token
from aggregates.touchpoint import channel_of, effective_time
from aggregates.wire import CustomerEvent, Sealed, tokens

Stamp = tuple[datetime, UUID]
"""`(at, event_id)`: the place of a fact among a customer's facts. No two facts of a customer have the same."""


class Fact(msgspec.Struct, frozen=True, gc=False):
    """A customer event in the shape that folds read."""

    event_id: UUID
    at: datetime  # effective time: orders, folds and windows go by it
    occurred: datetime  # as the source said
    recorded: datetime  # when a door received it
    flag: str  # why `at` is not `occurred`: "future", "past"; empty: it is
    type: str
    channel: str
    source: str  # the CloudEvents attribute
    key: str  # the registered source that the write key belongs to
    data: dict[str, Any]  # as the newest version of its contract has it
    identifiers: tuple[tuple[Token, str | None], ...]  # the value is None where it was not opened
    simulated: bool = False
    backfill: bool = False
    clock: str = ""  # "event" when the source replays its own time
    id: str = ""  # the CloudEvents attribute: what people call the event by
    time_of: str = ""  # the source whose own time is replayed, also where it is we who say so of it

    @property
    def stamp(self) -> Stamp:
        """The place of this fact among its customer's facts."""
        return self.at, self.event_id


def fact_of(event: CustomerEvent, sealed: Sealed | None = None) -> Fact:
    """The fact a record tells; with `sealed` its personal fields and the values of its identifiers are known too."""
    at, flag = effective_time(event.time, event.yektarecorded)
    data: dict[str, Any] = msgspec.json.decode(event.data)
    who = tokens(event.yektawho)
    clock, _, time_of = event.yektaclock.partition(":")
    identifiers: tuple[tuple[Token, str | None], ...]
    if sealed is None:
        identifiers = tuple([(token, None) for token in who])
    else:
        data |= sealed.personal
        identifiers = tuple([(token, value) for token, (_, value) in zip(who, sealed.identifiers, strict=True)])
    return Fact(
        msgspec.convert(event.yektaevent, UUID),
        at,
        event.time,
        event.yektarecorded,
        flag,
        event.type,
        channel_of(event.type),
        event.source,
        event.yektakey,
        upcast(event.type, event.yektaversion, data),
        identifiers,
        event.yektasimulated,
        event.yektabackfill,
        clock,
        event.id,
        time_of or (event.yektakey if clock else ""),
    )


def unsealed(fact: Fact, event: CustomerEvent, sealed: Sealed) -> Fact:
    """The fact of `fact_of(event)`, now with what was sealed of it: what was read once need not be read again."""
    if not is_newest(event.type, event.yektaversion):
        return fact_of(event, sealed)
    identifiers = tuple([(token, value) for (token, _), (_, value) in zip(fact.identifiers, sealed.identifiers, strict=True)])
    return msgspec.structs.replace(fact, data=fact.data | sealed.personal, identifiers=identifiers)
