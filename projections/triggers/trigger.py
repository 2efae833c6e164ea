"""A rule made ready to run: the types it names, what it remembers of an event, its machines. Reading order: Trigger, trigger_of, admit."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from aggregates.fact import Fact
from aggregates.rules.pattern import Equals, Pattern
from aggregates.rules.rule import (
    Absence,
    ConsentIs,
    Count,
    Guard,
    Not,
    PercentileIs,
    Rule,
    ScoreIs,
    ScoreRise,
    SegmentChange,
    SegmentIs,
    Sequence,
)
from projections.money import amount_of
from projections.triggers.checks import Check, check_of
from projections.triggers.conditions import Condition, condition_of
from projections.triggers.evidence import Evidence, Word
from projections.view.consent import GIVEN, channels_of, counts, until
from projections.view.values import word

SCORED = "score.given"
"""A score was given: `{score: churn, value: 0.71}`."""

ENTERED, LEFT = "segment.entered", "segment.left"
"""The customer came into a segment or left it: `{segment: loyal}`."""

CONSENT = (GIVEN, "consent.withdrawn")


Roles = Mapping[str, tuple[tuple[int, Pattern], ...]]
"""By type: the bits of the patterns that name it."""


class Watching(Protocol):
    """Whatever patterns facts are held against."""

    @property
    def roles(self) -> Roles:
        """Which there are."""
        ...


@dataclass(frozen=True, slots=True)
class Stop:
    """An event that stops the rule."""

    bit: int
    within: timedelta | None


@dataclass(frozen=True, slots=True)
class Trigger:
    """A rule with its machines."""

    rule: Rule
    roles: Roles
    condition: Condition
    checks: tuple[Check, ...]
    stops: tuple[Stop, ...]
    timed: bool  # whether it may say something though nothing comes
    patient: bool  # whether several episodes may wait: what stops one by its end need not stop the next

    @property
    def types(self) -> frozenset[str]:
        """The types that the rule names; no other event touches it."""
        return frozenset(self.roles)


class _Roles:
    """Gives each part of a rule its bit."""

    def __init__(self) -> None:
        self._by_type: dict[str, list[tuple[int, Pattern]]] = {}
        self._bits = 0

    def place(self, parts: Iterable[tuple[Pattern, ...]]) -> int:
        """Give each part the next bit; answer the first."""
        first = 1 << self._bits
        for patterns in parts:
            for pattern in patterns:
                self._by_type.setdefault(pattern.type, []).append((1 << self._bits, pattern))
            self._bits += 1
        return first

    @property
    def by_type(self) -> Roles:
        """All that were placed."""
        return {type_: tuple(patterns) for type_, patterns in self._by_type.items()}


def trigger_of(rule: Rule) -> Trigger:
    """The rule, ready to run."""
    roles = _Roles()
    roles.place(_watched(rule))
    stops = tuple(Stop(roles.place([(unless.pattern,)]), unless.within) for unless in rule.unless)
    checks = tuple(check_of(guard, roles.place(_asked(guard))) for guard in rule.checks)
    timed = bool(rule.wait) or isinstance(rule.when, Absence)
    patient = bool(checks) or any(stop.within for stop in stops)
    return Trigger(rule, roles.by_type, condition_of(rule.when), checks, stops, timed, patient)


def asking(guards: Iterable[Guard]) -> tuple[Roles, tuple[Check, ...]]:
    """What is asked by itself, without a rule: the roles of facts, and the machines."""
    roles = _Roles()
    checks = tuple([check_of(guard, roles.place(_asked(guard))) for guard in guards])
    return roles.by_type, checks


def _watched(rule: Rule) -> Iterator[tuple[Pattern, ...]]:
    match rule.when:
        case Count(pattern):
            yield (pattern,)
        case Sequence(steps):
            yield from ((step,) for step in steps)
        case Absence(after, absent):
            yield from ((after,), (absent,))
        case ScoreRise(score):
            yield (_named(SCORED, "score", score),)
        case SegmentChange(segment):
            yield from ((_named(ENTERED, "segment", segment),), (_named(LEFT, "segment", segment),))


def _asked(guard: Guard) -> Iterator[tuple[Pattern, ...]]:
    match guard:
        case ScoreIs(score) | PercentileIs(score):
            yield (_named(SCORED, "score", score),)
        case ConsentIs():
            yield tuple(Pattern(type_) for type_ in CONSENT)
        case SegmentIs(segment):
            yield from ((_named(ENTERED, "segment", segment),), (_named(LEFT, "segment", segment),))
        case Count(pattern):
            yield (pattern,)
        case Not(inner):
            yield from _asked(inner)


def _named(type_: str, field: str, name: str) -> Pattern:
    return Pattern(type_, Equals(((field, name),)))


def admit(trigger: Watching, fact: Fact) -> Evidence | None:
    """What the rule remembers of a fact; None when it has nothing to do with it."""
    roles = roles_of(trigger, fact)
    return seen(fact, roles) if roles else None


def roles_of(trigger: Watching, fact: Fact) -> int:
    """Which patterns of a rule a fact matches, one bit each."""
    roles = 0
    for bit, pattern in trigger.roles.get(fact.type, ()):
        if pattern.where is None or pattern.matches(fact):
            roles |= bit
    return roles


def seen(fact: Fact, roles: int) -> Evidence | None:
    """A fact as every rule remembers it of which it matches these patterns; None where what is asked of such facts is not in it."""
    value: float | Word | None = None
    if fact.type == SCORED:
        value = _score(fact.data.get("value"))
        if value is None:
            return None
    elif fact.type in CONSENT and counts(fact):
        purpose = word(fact.data, "purpose", 64).strip().lower()
        value = Word(purpose, fact.type == GIVEN, until(fact), tuple(channels_of(fact)))
    return Evidence(fact.at, fact.id, fact.source, fact.event_id, roles, fact.backfill, value, fact.simulated)


def _score(value: object) -> float | None:
    """A score is a number, also when it was written as money is."""
    if isinstance(value, str):
        amount = amount_of(value)
        return None if amount is None else float(amount)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
