"""What admins decide about a source, as events: how it is understood, what it may send, how much, and whether anything is taken from it.

The settings hold for every key of the source, from the decision on, in every process. Reading order: Configured, State, configure, evolve.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from functools import reduce
from uuid import UUID

import msgspec

from aggregates.contracts.currencies import CURRENCIES
from aggregates.decision import Decision
from aggregates.source import Source, unsendable
from aggregates.touchpoint import derive

RESERVED = frozenset({"yekta", "inbox"})
"""Names of sources that no key speaks for."""


class Configured(msgspec.Struct, frozen=True, tag="source.configured"):
    """The source is understood and held to this from now on."""

    source: Source
    at: datetime
    by: str


class Disabled(msgspec.Struct, frozen=True, tag="source.disabled"):
    """Nothing is taken from the source."""

    at: datetime
    by: str
    reason: str = ""


class Enabled(msgspec.Struct, frozen=True, tag="source.enabled"):
    """What the source sends is taken again."""

    at: datetime
    by: str


Event = Configured | Disabled | Enabled


class State(msgspec.Struct, frozen=True):
    """A source as it stands."""

    source: Source
    version: int = 0
    reason: str = ""  # why it is disabled


class NotAllowed(Exception):
    """The source cannot be set so."""


def id_of(name: str) -> UUID:
    """The id of the source's decisions."""
    return derive("source", name)


def configure(state: State, wanted: Source, at: datetime, by: str) -> Configured | None:
    """Set it so; nothing is said again when it stands so already. Whether it is disabled is decided elsewhere."""
    wanted = _replaced(wanted, disabled=state.source.disabled)
    if wanted.name in RESERVED:
        raise NotAllowed(f"{wanted.name} speaks for itself and cannot be set.")
    if wanted.rate < 0 or wanted.size < 0:
        raise NotAllowed("A limit is not below zero; 0 is none.")
    if wanted.currency and wanted.currency not in CURRENCIES:
        raise NotAllowed('currency is a code of ISO 4217, like "IRR".')
    if wanted.types != state.source.types and (sentence := unsendable(wanted.types)):
        raise NotAllowed(sentence)
    return None if wanted == state.source and state.version else Configured(wanted, at, by)


def disable(state: State, at: datetime, by: str, reason: str = "") -> Disabled | None:
    """Take nothing from it any more."""
    return None if state.source.disabled else Disabled(at, by, reason)


def enable(state: State, at: datetime, by: str) -> Enabled | None:
    """Take from it again."""
    return Enabled(at, by) if state.source.disabled else None


def evolve(state: State, event: Event) -> State:
    """The source after the event."""
    match event:
        case Configured():
            return State(event.source, state.version + 1, state.reason)
        case Disabled():
            return State(_replaced(state.source, disabled=True), state.version + 1, event.reason)
        case Enabled():
            return State(_replaced(state.source, disabled=False), state.version + 1)


def replay(first: Source, events: Iterable[Event]) -> State:
    """The source that its decisions make; before the first it is what its newest key says."""
    return reduce(evolve, events, State(first))


def decision(state: State, event: Event) -> Decision:
    """The event as its store keeps it."""
    tag = str(event.__struct_config__.tag)
    return Decision(id_of(state.source.name), state.version + 1, tag, msgspec.json.encode(event))


def read(decision: Decision) -> Event:
    """The event of a stored decision."""
    event: Event = _decoder.decode(decision.state)
    return event


def _replaced(source: Source, *, disabled: bool) -> Source:
    return replace(source, disabled=disabled)


_decoder = msgspec.json.Decoder(Event)
