"""The life of what a marketer declares, a rule or a segment: draft, published, paused, retired; who did it and when, in numbered versions.

A draft may be written again until it is published; then it is a version for good, and the next text is the next version. Publishing a
version retires the one before it. Pure: times and names come in as arguments. Reading order: the events, Declaration, evolve, then decide.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import reduce
from typing import Literal, get_args
from uuid import UUID

import msgspec
from msgspec.structs import replace

from aggregates.decision import Decision
from aggregates.touchpoint import derive

Kind = Literal["rule", "segment"]
KINDS: tuple[Kind, ...] = get_args(Kind)
State = Literal["draft", "published", "paused", "retired"]
Verb = Literal["publish", "pause", "resume", "retire"]
VERBS: tuple[Verb, ...] = get_args(Verb)


class Drafted(msgspec.Struct, frozen=True, tag="drafted"):
    """Somebody wrote a version, or wrote its draft anew."""

    kind: Kind
    name: str
    version: int
    text: str
    at: datetime
    by: str


class Published(msgspec.Struct, frozen=True, tag="published"):
    """A version is in force; the one before it ends what it has begun."""

    version: int
    at: datetime
    by: str


class Paused(msgspec.Struct, frozen=True, tag="paused"):
    """It goes on watching, and nobody is told."""

    at: datetime
    by: str


class Resumed(msgspec.Struct, frozen=True, tag="resumed"):
    """What it sees from now on is told again; what was seen meanwhile is not."""

    at: datetime
    by: str


class Retired(msgspec.Struct, frozen=True, tag="retired"):
    """It is over. A new version may be drafted and published."""

    at: datetime
    by: str


Event = Drafted | Published | Paused | Resumed | Retired


class Version(msgspec.Struct, frozen=True):
    """One text, and how it stands."""

    version: int
    text: str
    state: State
    at: datetime
    by: str


class Declaration(msgspec.Struct, frozen=True):
    """A rule or a segment as it stands."""

    kind: Kind
    name: str
    number: int  # of the latest decision
    versions: tuple[Version, ...]

    @property
    def latest(self) -> Version:
        """The version that was written last."""
        return self.versions[-1]

    @property
    def current(self) -> Version | None:
        """The version that is published or paused."""
        return next((version for version in self.versions if version.state in ("published", "paused")), None)


class NotPossible(Exception):
    """It is not in a state in which that can be done. The message says which."""


class Decided(msgspec.Struct, frozen=True):
    """What every partition is told of a decision: one version, as it stands now."""

    kind: str
    name: str
    version: int
    number: int
    state: str
    text: str
    zone: str
    at: datetime


def decided_type(kind: str) -> str:
    """The type of the record that tells it."""
    return f"{kind}.decided"


_decoder = msgspec.json.Decoder(Event)


def id_of(kind: Kind, name: str) -> UUID:
    """The id of the declaration of that name."""
    return derive("declaration", kind, name)


def announced(declaration: "Declaration") -> UUID:
    """The id of the record by which every partition hears of its latest decision."""
    return derive("announced", declaration.kind, declaration.name, str(declaration.number))


def replay(decisions: Iterable[Decision]) -> Declaration | None:
    """How it stands after what is stored."""
    return reduce(evolve, [_decoder.decode(decision.state) for decision in decisions], None)


def decision_of(kind: Kind, name: str, number: int, event: Event) -> Decision:
    """The event as it is stored."""
    return Decision(id_of(kind, name), number, f"{kind}.{event.__struct_config__.tag}", msgspec.json.encode(event))


def evolve(before: Declaration | None, event: Event) -> Declaration:
    """The declaration after the event."""
    if isinstance(event, Drafted):
        written = Version(event.version, event.text, "draft", event.at, event.by)
        if before is None:
            return Declaration(event.kind, event.name, 1, (written,))
        kept = tuple(version for version in before.versions if version.state != "draft")
        return replace(before, number=before.number + 1, versions=(*kept, written))
    if before is None:
        raise ValueError(f"{event} has nothing to change: nobody drafted it")
    return replace(before, number=before.number + 1, versions=tuple(_changed(version, event) for version in before.versions))


def _changed(version: Version, event: Event) -> Version:
    on = version.state in ("published", "paused")
    match event:
        case Published() if version.version == event.version:
            return replace(version, state="published", at=event.at, by=event.by)
        case Published() | Retired() if on:
            return replace(version, state="retired", at=event.at, by=event.by)
        case Paused() if on:
            return replace(version, state="paused", at=event.at, by=event.by)
        case Resumed() if on:
            return replace(version, state="published", at=event.at, by=event.by)
    return version


def told(declaration: Declaration, event: Event, zone: str) -> Decided | None:
    """What every partition is to be told after the event; a draft is nobody's business."""
    if isinstance(event, Drafted):
        return None
    one = declaration.current or next(version for version in reversed(declaration.versions) if version.state == "retired")
    return Decided(declaration.kind, declaration.name, one.version, declaration.number, one.state, one.text, zone, event.at)


def draft(before: Declaration | None, kind: Kind, name: str, text: str, at: datetime, by: str, *, wanted: int = 1) -> Drafted | None:
    """Write a version: the one that is wanted, if that is not taken yet. None: it says what is in force or drafted already."""
    if before is None:
        return Drafted(kind, name, wanted, text, at, by)
    if before.latest.text == text and before.latest.state != "retired":
        return None
    taken = max((version.version for version in before.versions if version.state != "draft"), default=0)
    return Drafted(kind, name, max(taken + 1, wanted), text, at, by)


def decide(before: Declaration, verb: Verb, at: datetime, by: str) -> Event | None:
    """What a command makes of it; None where it stands so already. Raises NotPossible."""
    current = before.current
    if verb == "publish":
        if before.latest.state == "draft":
            return Published(before.latest.version, at, by)
        if current is not None and current.state == "published":
            return None
        raise NotPossible(
            f"There is no draft of {before.name}: post its text first." if current is None else f"{before.name} is paused: resume it."
        )
    if current is None:
        raise NotPossible(f"{before.name} is {before.latest.state}: only what is published or paused can {verb}.")
    if verb == "retire":
        return Retired(at, by)
    if verb == "pause":
        return None if current.state == "paused" else Paused(at, by)
    return None if current.state == "published" else Resumed(at, by)
