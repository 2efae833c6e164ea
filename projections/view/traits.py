"""What systems say a customer is: each trait as its latest report has it, with the event that said so, and what others said before.

Of each source its latest report is kept, and its latest verified one: whom to believe is a published rule (`precedence`), applied when
the view is read, so a new rule needs no history folded anew. At most `LIMIT` traits are kept: those that Yekta knows by name, then the
latest. A trait reported as null is known to be unknown.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from aggregates.fact import Fact

LIMIT = 64
LONGEST = 500
REPORTS = 8
"""Reports that are kept of one trait, of different sources; the latest stay."""

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
    verified: bool = False  # its source had it proven: a code was sent back, a document was seen
    others: tuple["Trait", ...] = ()  # what other sources said last, and what they had proven, the latest first


class Name(Struct, frozen=True):
    """What to call a customer."""

    display: str = ""
    given: str = ""
    family: str = ""


def evolve(traits: dict[str, Trait], fact: Fact) -> dict[str, Trait]:
    """Take the traits that a fact reports, where it is its source's latest word on them."""
    reported = fact.data.get("traits")
    if not isinstance(reported, dict) or not reported:
        return traits
    verified = fact.data.get("verified")
    proven = frozenset(one for one in verified if isinstance(one, str)) if isinstance(verified, list) else frozenset()
    now = dict(traits)
    for name, value in sorted(reported.items()):
        kept, cut = bounded(value)
        told = Trait(kept, fact.at, fact.event_id, fact.key[:64], cut, name in proven)
        known = now.get(name[:LONGEST_NAME])
        now[name[:LONGEST_NAME]] = told if known is None else _with(known, told)
    if len(now) < LIMIT:
        return now
    kept_names = sorted(now, key=lambda name: _rank(name, now[name]))[-LIMIT:]
    floor = _rank(kept_names[0], now[kept_names[0]])
    return {name: _above(floor, name, now[name]) for name in kept_names}


Rank = tuple[bool, datetime, UUID, str]


def _rank(name: str, one: Trait) -> Rank:
    return name in COMMON, one.at, one.event, name


def _above(floor: Rank, name: str, trait: Trait) -> Trait:
    """The trait without what would have gone with it, had it been forgotten in between: so no order of arrival shows."""
    if not trait.others:
        return trait
    return replace(trait, others=tuple(one for one in trait.others if _rank(name, one) >= floor))


def _with(known: Trait, told: Trait) -> Trait:
    """The trait with one more report. Of each source the latest stays and the latest proven, whatever the order in which they come."""
    latest: dict[tuple[str, bool], Trait] = {}
    for one in (*reports(known), told):
        before = latest.get((one.source, one.verified))
        if before is None or (before.at, before.event) <= (one.at, one.event):
            latest[one.source, one.verified] = one
    first, *others = sorted(latest.values(), key=lambda one: (one.at, one.event, one.source), reverse=True)[:REPORTS]
    return replace(first, others=tuple(others))


def reports(trait: Trait) -> tuple[Trait, ...]:
    """All that is kept of what was said, the latest first."""
    return (replace(trait, others=()), *trait.others) if trait.others else (trait,)


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
