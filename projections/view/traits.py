"""What systems say a customer is: each trait as its latest report has it, with the event that said so.

At most `LIMIT` are kept: those that Yekta knows by name, then the latest. A trait reported as null is known to be unknown.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from aggregates.fact import Fact

LIMIT = 64
LONGEST = 500
LONGEST_NAME = 64

FULL = ("name", "full_name", "display_name")
GIVEN = ("given_name", "first_name")
FAMILY = ("family_name", "last_name")
COMMON = frozenset(
    (
        *(*FULL, *GIVEN, *FAMILY),
        *("email", "phone", "birth_date", "gender", "city", "province", "country", "address", "postal_code", "company", "title"),
        *("tier", "preferred_channel", "language", "locale", "occupation", "customer_since"),
    )
)
TELLING = frozenset({"web.identified", "profile.reported"})
"""The types whose `traits` are read: they are sealed, so these are always opened."""


class Trait(Struct, frozen=True, array_like=True, gc=False):
    """The latest word on one trait."""

    value: Any
    at: datetime
    event: UUID
    source: str
    cut: bool = False  # the value was longer than is kept


class Name(Struct, frozen=True):
    """What to call a customer."""

    display: str = ""
    given: str = ""
    family: str = ""


def evolve(traits: dict[str, Trait], fact: Fact) -> dict[str, Trait]:
    """Take the traits that a fact reports, where it is the latest word on them."""
    reported = fact.data.get("traits")
    if not isinstance(reported, dict) or not reported:
        return traits
    now = dict(traits)
    for name, value in sorted(reported.items()):
        known = now.get(name[:LONGEST_NAME])
        if known is None or (known.at, known.event) <= fact.stamp:
            kept, cut = bounded(value)
            now[name[:LONGEST_NAME]] = Trait(kept, fact.at, fact.event_id, fact.key[:64], cut)
    if len(now) > LIMIT:
        kept_names = sorted(now, key=lambda name: (name in COMMON, now[name].at, now[name].event, name))[-LIMIT:]
        now = {name: now[name] for name in kept_names}
    return now


def bounded(value: Any) -> tuple[Any, bool]:
    """A value that can be kept, and whether it was cut to be."""
    if isinstance(value, str):
        return (value, False) if len(value) <= LONGEST else (value[:LONGEST], True)
    if value is None or isinstance(value, bool | float):
        return value, False
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return value, False
    text = msgspec.json.encode(value).decode()
    try:
        msgspec.msgpack.encode(value)  # a number of any size may be inside
    except OverflowError:
        return text[:LONGEST], True
    return (value, False) if len(text) <= LONGEST else (text[:LONGEST], True)


def name_of(traits: dict[str, Trait]) -> Name:
    """The names reported, and the best to show: the latest full name, else the parts."""
    given, family = latest(traits, GIVEN), latest(traits, FAMILY)
    return Name(latest(traits, FULL) or " ".join(part for part in (given, family) if part), given, family)


def latest(traits: dict[str, Trait], names: tuple[str, ...]) -> str:
    """The latest text among traits that mean the same."""
    told = [(trait.at, trait.event, trait.value) for name in names if (trait := traits.get(name)) and isinstance(trait.value, str)]
    return max(told)[2].strip() if told else ""
