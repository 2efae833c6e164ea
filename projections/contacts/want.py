"""A wish to approach a customer, with all that it takes to decide about it again later."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import msgspec

from aggregates.contact_policy.candidate import Candidate


@dataclass(frozen=True, slots=True)
class Want:
    """A signal of a rule that approaches the customer; or a request of another system to do so."""

    candidate: Candidate
    contact: str  # with what
    cause: Mapping[str, str]  # source and id
    recorded_at: datetime
    late: bool
    blob: bytes  # the signal, from which the rule's objection is found when it is asked for again; empty: of a request
    cooldown: timedelta = timedelta(0)  # of the rule: who was approached for another of its signals within it is left alone
    asked: bytes = b""  # of a request the channels that it names, also those that were closed then
    clock: str = ""  # of a signal: whose time it was given in, where a source replays its own
    spent: date | None = None  # on which day it was counted against a budget; None: there was none


def encode(want: Want) -> bytes:
    """As it is stored."""
    return msgspec.msgpack.encode(want)


_decoder = msgspec.msgpack.Decoder(Want)


def decode(stored: bytes) -> Want:
    """As it was."""
    return _decoder.decode(stored)
