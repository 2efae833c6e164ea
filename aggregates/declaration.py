"""The life of what a marketer declares, a rule or a segment: draft, published, paused, retired; who did it and when, in numbered versions.

A draft may be written again until it is published; then it is a version for good, and the next text is the next version. Publishing a
version retires the one before it. Where the contact policy wants a second person's approval, what its author would publish awaits somebody
else. Pure: times and people come in as arguments. Reading order: the events, Declaration, evolve, then decide.
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
from aggregates.written import standing
from aggregates.written.problem import Lang

Kind = Literal["rule", "segment"]
KINDS: tuple[Kind, ...] = get_args(Kind)
State = Literal["draft", "awaiting_approval", "published", "paused", "retired"]
Verb = Literal["publish", "approve", "reject", "discard", "pause", "resume", "retire"]
VERBS: tuple[Verb, ...] = get_args(Verb)


OPEN: tuple[State, ...] = ("draft", "awaiting_approval")
"""In these it is not in force yet, and may be written again."""


class Person(msgspec.Struct, frozen=True):
    """Who does something: what colleagues know him by, and with which key he came."""

    name: str
    key: str = ""

    def is_same(self, other: "Person") -> bool:
        """Whether they may be one: the same name, or the same key."""
        return self.name == other.name or (bool(self.key) and self.key == other.key)


class Drafted(msgspec.Struct, frozen=True, tag="drafted"):
    """Somebody wrote a version, or wrote its draft anew."""

    kind: Kind
    name: str
    version: int
    text: str
    at: datetime
    by: str
    key: str = ""


class Proposed(msgspec.Struct, frozen=True, tag="proposed"):
    """Its author would publish it: somebody else is to look at it first."""

    version: int
    at: datetime
    by: str
    key: str = ""


class Rejected(msgspec.Struct, frozen=True, tag="rejected"):
    """Somebody would not have it published as it is: it is a draft again."""

    version: int
    at: datetime
    by: str


class Published(msgspec.Struct, frozen=True, tag="published"):
    """A version is in force; the one before it ends what it has begun."""

    version: int
    at: datetime
    by: str
    approved: bool = False  # by somebody who had not written it, because the policy wanted that


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


class Discarded(msgspec.Struct, frozen=True, tag="discarded"):
    """What never was in force will not be."""

    version: int
    at: datetime
    by: str


Event = Drafted | Proposed | Rejected | Published | Paused | Resumed | Retired | Discarded


class Version(msgspec.Struct, frozen=True):
    """One text, and how it stands."""

    version: int
    text: str
    state: State
    at: datetime
    by: str  # who brought it to this state, then
    authors: tuple[Person, ...] = ()  # who wrote it, and who asked for it to be published
    approved_by: str = ""

    @property
    def written_by(self) -> str:
        """Who wrote it."""
        return self.authors[0].name if self.authors else self.by


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

    @property
    def newest(self) -> Version:
        """The newest text that anybody holds to: the draft, else what is in force, else what was written last."""
        return self.latest if self.latest.state in OPEN else self.current or self.latest


class NotPossible(Exception):
    """It is not in a state in which that can be done. The message says which, in either language."""

    def __init__(self, code: str, **words: str) -> None:
        super().__init__(standing.said(code, words))
        self._code, self._words = code, words

    def message(self, lang: Lang) -> str:
        """Why not."""
        return standing.said(self._code, self._words, lang)


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
        written = Version(event.version, event.text, "draft", event.at, event.by, (Person(event.by, event.key),))
        if before is None:
            return Declaration(event.kind, event.name, 1, (written,))
        kept = tuple(version for version in before.versions if version.state not in OPEN)
        return replace(before, number=before.number + 1, versions=(*kept, written))
    if before is None:
        raise ValueError(f"{event} has nothing to change: nobody drafted it")
    return replace(before, number=before.number + 1, versions=tuple(_changed(version, event) for version in before.versions))


def _changed(version: Version, event: Event) -> Version:
    on = version.state in ("published", "paused")
    match event:
        case Proposed() if version.version == event.version:
            authors = (*version.authors, Person(event.by, event.key))
            return replace(version, state="awaiting_approval", at=event.at, by=event.by, authors=authors)
        case Rejected() if version.version == event.version:
            return replace(version, state="draft", at=event.at, by=event.by)
        case Published() if version.version == event.version:
            approved_by = event.by if event.approved else ""
            return replace(version, state="published", at=event.at, by=event.by, approved_by=approved_by)
        case Published() | Retired() if on:
            return replace(version, state="retired", at=event.at, by=event.by)
        case Discarded() if version.version == event.version:
            return replace(version, state="retired", at=event.at, by=event.by)
        case Paused() if on:
            return replace(version, state="paused", at=event.at, by=event.by)
        case Resumed() if on:
            return replace(version, state="published", at=event.at, by=event.by)
    return version


def told(declaration: Declaration, event: Event, zone: str) -> Decided | None:
    """What every partition is to be told after the event; what is not in force yet is nobody's business."""
    if isinstance(event, Drafted | Proposed | Rejected | Discarded):
        return None
    one = declaration.current or next(version for version in reversed(declaration.versions) if version.state == "retired")
    return Decided(declaration.kind, declaration.name, one.version, declaration.number, one.state, one.text, zone, event.at)


def draft(before: Declaration | None, kind: Kind, name: str, text: str, at: datetime, by: Person, *, wanted: int = 1) -> Drafted | None:
    """Write a version: the one that is wanted, if that is not taken yet. None: it says what is in force or drafted already."""
    if before is None:
        return Drafted(kind, name, wanted, text, at, by.name, by.key)
    if before.newest.text == text and before.newest.state != "retired":
        return None
    taken = max((version.version for version in before.versions if version.state not in OPEN), default=0)
    return Drafted(kind, name, max(taken + 1, wanted), text, at, by.name, by.key)


def decide(before: Declaration, verb: Verb, at: datetime, by: Person, *, approval: bool = False) -> Event | None:
    """What a command makes of it; None where it stands so already. `approval`: nobody publishes alone. Raises NotPossible."""
    if verb in ("publish", "approve", "reject"):
        return _publish(before, verb, at, by, approval=approval)
    current, drafted = before.current, before.latest.state in OPEN
    if drafted and (verb == "discard" or (verb == "retire" and current is None)):
        return Discarded(before.latest.version, at, by.name)
    if verb == "discard":
        return None
    if current is None:
        raise NotPossible("not_in_force", name=before.name, state=before.latest.state, verb=verb)
    if verb == "retire":
        return Retired(at, by.name)
    if verb == "pause":
        return None if current.state == "paused" else Paused(at, by.name)
    return None if current.state == "published" else Resumed(at, by.name)


def _publish(before: Declaration, verb: Verb, at: datetime, by: Person, *, approval: bool) -> Event | None:
    latest, current = before.latest, before.current
    if verb == "reject":
        if latest.state not in OPEN:
            raise NotPossible("nothing_awaits", name=before.name, state=before.newest.state)
        return Rejected(latest.version, at, by.name) if latest.state == "awaiting_approval" else None
    if latest.state in OPEN:
        if verb == "approve" and latest.state == "draft":
            raise NotPossible("may_change", name=before.name)
        if not approval:
            return Published(latest.version, at, by.name)
        if not any(by.is_same(author) for author in latest.authors):
            return Published(latest.version, at, by.name, approved=True)
        if verb == "approve":
            raise NotPossible("by_another", name=before.name, author=latest.written_by)
        return None if latest.state == "awaiting_approval" else Proposed(latest.version, at, by.name, by.key)
    if current is not None and current.state == "published":
        return None
    raise NotPossible("no_draft" if current is None else "is_paused", name=before.name)
