"""Publishes rules of identity: a document that people write, checked whole, becomes a rule set that the log carries to every partition.

A document names each kind's priority, how many one customer may have, values and patterns that prove nothing, and for shared kinds how long
an unseen one is remembered. Reading order: Document, checked, rules_of, carried.
"""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from aggregates.identifier import Identifier, Token
from aggregates.identity.decisions import KEY, SOURCE
from aggregates.identity.rules import DEFAULT_RULES, Kind, Rules
from aggregates.normal import NotAnIdentifier, is_kind, normalise
from aggregates.touchpoint import Touchpoint, event_id
from aggregates.wire import encoder

PUBLISHED = "identity.rules_published"

LONGEST_PATTERN = 200
_NESTED = re.compile(r"[*+}]\)?[*+{]|\([^()]*[*+][^()]*\)[*+{]")
"""What makes a pattern take for ever."""


class KindRule(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What identity may do with one kind of identifier."""

    kind: str
    priority: Annotated[int, Meta(ge=0, le=1000)]  # the lower decides
    uniqueness: Literal["one", "many", "shared"]  # per customer one, or up to `limit`; shared: several customers may have the same
    limit: Annotated[int, Meta(ge=1, le=1000)]
    blocked: Annotated[list[str], Meta(max_length=10_000)] = []  # values that prove nothing, in any spelling: the company's own numbers
    blocked_patterns: Annotated[list[str], Meta(max_length=100)] = []  # regular expressions over the whole normal form
    ttl_days: Annotated[int, Meta(ge=1, le=3650)] | None = None  # of shared kinds: unseen for so long, it is somebody else's


ALL_TRAITS = "*"


class TraitRule(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Whom to believe where sources say different things of a trait. Among equals the latest is believed."""

    trait: Annotated[str, Meta(min_length=1, max_length=64)]  # its name; `*`: all that have no rule of their own
    by: Annotated[list[Literal["verified", "source"]], Meta(max_length=2)] = []  # what decides, the first first
    sources: Annotated[list[str], Meta(max_length=100)] = []  # of `source`: whom to believe first; others come last


class Document(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A rule set."""

    kinds: Annotated[list[KindRule], Meta(min_length=1, max_length=200)]
    other: KindRule | None = None  # kinds that are not named
    most: Annotated[int, Meta(ge=2, le=1000)] = 50  # identifiers that one customer may have before a person is asked
    traits: Annotated[list[TraitRule], Meta(max_length=200)] = []  # whom to believe; traits without a rule: the latest


class Wrong(ValueError):
    """The document cannot be published; where, why, and how to mend it."""

    def __init__(self, pointer: str, why: str, mend: str) -> None:
        super().__init__(why)
        self.pointer, self.why, self.mend = pointer, why, mend


def shown(rules: Rules = DEFAULT_RULES) -> Document:
    """The document of a rule set; of the built-in one unless told otherwise."""
    return Document(
        kinds=[_shown(name, kind) for name, kind in sorted(rules.kinds.items(), key=lambda one: one[1].priority)],
        other=_shown("other", rules.other),
        most=rules.most,
    )


def _shown(name: str, kind: Kind) -> KindRule:
    uniqueness: Literal["one", "many", "shared"] = "shared" if kind.weak else "one" if kind.limit == 1 else "many"
    return KindRule(kind=name, priority=kind.priority, uniqueness=uniqueness, limit=kind.limit, ttl_days=kind.days)


def checked(document: Document) -> Document:
    """The document. Raises Wrong where it contradicts itself."""
    seen: set[str] = set()
    for number, rule in enumerate(document.kinds):
        at = f"/kinds/{number}"
        if not is_kind(rule.kind):
            raise Wrong(f"{at}/kind", "This is no name of a kind.", "Write small Latin letters, digits and _, like customer_number.")
        if rule.kind in seen:
            raise Wrong(f"{at}/kind", f"The kind {rule.kind} stands here twice.", "Name every kind once.")
        seen.add(rule.kind)
        _check(rule, at)
    if document.other is not None:
        _check(document.other, "/other")
    _check_traits(document.traits)
    return document


def _check_traits(rules: Sequence[TraitRule]) -> None:
    seen: set[str] = set()
    for number, rule in enumerate(rules):
        at = f"/traits/{number}"
        if rule.trait in seen:
            raise Wrong(f"{at}/trait", f"The trait {rule.trait} stands here twice.", "Give every trait one rule.")
        seen.add(rule.trait)
        if len(set(rule.by)) < len(rule.by) or len(set(rule.sources)) < len(rule.sources):
            raise Wrong(at, "The same stands here twice.", "Name every source, and what decides, once.")
        if ("source" in rule.by) != bool(rule.sources):
            raise Wrong(f"{at}/sources", "Sources decide where they are named, and only there.", "Write both by: [source] and sources.")


def _check(rule: KindRule, at: str) -> None:
    if rule.uniqueness == "one" and rule.limit != 1:
        raise Wrong(f"{at}/limit", "One per customer is a limit of 1.", "Set limit to 1, or uniqueness to many.")
    if rule.ttl_days is not None and rule.uniqueness != "shared":
        raise Wrong(f"{at}/ttl_days", "Only shared kinds are forgotten with time.", "Leave ttl_days out, or set uniqueness to shared.")
    for number, value in enumerate(rule.blocked):
        try:
            normalise(rule.kind, value)
        except NotAnIdentifier as error:
            raise Wrong(f"{at}/blocked/{number}", f"This is no {rule.kind}: {error.why}.", error.mend) from error
    for number, pattern in enumerate(rule.blocked_patterns):
        try:
            re.compile(pattern)
        except re.error as error:
            raise Wrong(f"{at}/blocked_patterns/{number}", f"This is no regular expression: {error}.", "Correct it.") from error
        if len(pattern) > LONGEST_PATTERN or _NESTED.search(pattern):
            raise Wrong(
                f"{at}/blocked_patterns/{number}",
                "This pattern could take for ever: it repeats what repeats, or is very long.",
                "Write one without nested repetition.",
            )


def rules_of(document: Document, version: int, token: Callable[[Identifier], Token]) -> Rules:
    """The rule set that a document means."""
    blocked = {token(normalise(rule.kind, value)) for rule in document.kinds for value in rule.blocked}
    kinds = {rule.kind: _kind(rule) for rule in document.kinds}
    other = _kind(document.other) if document.other is not None else DEFAULT_RULES.other
    return Rules(kinds, other, document.most, frozenset(blocked), version)


def _kind(rule: KindRule) -> Kind:
    return Kind(rule.priority, rule.limit, rule.uniqueness == "shared", rule.ttl_days, tuple(rule.blocked_patterns))


class Carried(Struct, frozen=True, kw_only=True):
    """A rule set as the log carries it: values as tokens."""

    version: int
    kinds: dict[str, tuple[int, int, bool, int | None, tuple[str, ...]]]
    other: tuple[int, int, bool, int | None, tuple[str, ...]]
    most: int
    blocked: list[Token]


def carried(rules: Rules) -> Carried:
    """The rule set, to be told."""
    return Carried(
        version=rules.version,
        kinds={name: _parts(kind) for name, kind in rules.kinds.items()},
        other=_parts(rules.other),
        most=rules.most,
        blocked=sorted(rules.blocked),
    )


def _parts(kind: Kind) -> tuple[int, int, bool, int | None, tuple[str, ...]]:
    return kind.priority, kind.limit, kind.weak, kind.days, kind.patterns


def received(told: Carried) -> Rules:
    """The rule set that was told."""
    kinds = {name: Kind(*parts) for name, parts in told.kinds.items()}
    return Rules(kinds, Kind(*told.other), told.most, frozenset(told.blocked), told.version)


decoder = msgspec.json.Decoder(Carried)


def touchpoint(rules: Rules, at: datetime) -> Touchpoint:
    """The publication as a door would hand it to sealing: the same in every partition."""
    told = carried(rules)
    return Touchpoint(
        event_id=event_id(KEY, SOURCE, f"rules.{rules.version}"),
        key=KEY,
        source=SOURCE,
        id=f"rules.{rules.version}",
        type=PUBLISHED,
        version=0,
        occurred=at,
        recorded=at,
        subject="rules",
        who=(),
        data=msgspec.to_builtins(told),
        personal={},
        body=encoder.encode(told),
        attributes={},
    )
