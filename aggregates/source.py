"""What a door knows of the channel system that a write key belongs to, and by which it understands that system's events."""

import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Source:
    """A channel system, by the name that its write key was made for."""

    name: str
    zone: str = "Asia/Tehran"  # IANA name; in which a date without a time is a day
    strict: bool = False  # types without a contract are refused
    clock: str = ""  # "event": its time is replayed, and what it last said is its now
    simulated: bool = False  # everything it sends is simulated
    types: tuple[str, ...] = ()  # what it may send: types, or `channel.*`; empty: every type that channels may send
    channel: str = "web"  # of what an analytics client names freely: `Signed Up` is `web.signed_up`
    currency: str = ""  # ISO 4217; of amounts that an analytics client sends without one
    rate: float = 0  # events a second that the doors take in the long run; 0: as many as they can
    size: int = 0  # bytes of the largest request; 0: the door's own limit
    disabled: bool = False  # nothing is taken from it


RESERVED = frozenset({"customer", "identity", "signal", "timer", "yekta"})
"""Channels that speak for Yekta itself: a source may send them only when its `types` name them."""


_SENT = re.compile(r"[^\s.*,]+\.(?:\*|[^\s*,]+)")


def unsendable(types: Iterable[str]) -> str:
    """Why one of these lets nothing through that a channel would ever send, as a sentence; empty where each may."""
    for type_ in types:
        if not _SENT.fullmatch(type_):
            return f"No event has the type {type_!r}: write a whole type, like web.page_viewed, or all of a channel, like web.*."
    return ""


def may_send(source: Source, type_: str, channel: str) -> bool:
    """Whether the source's write key allows this type."""
    if source.types:
        return type_ in source.types or f"{channel}.*" in source.types
    return channel not in RESERVED
