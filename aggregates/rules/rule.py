"""A rule that a marketer wrote, as a value: when what happens, who is told, or approached. docs/rules.md has its meaning.

Reading order: the conditions (Count, Sequence, Absence, ScoreRise, SegmentChange), the checks (Guard, Unless), the acts, Rule.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, get_args

from aggregates.rules.pattern import Pattern
from aggregates.rules.window import Window


@dataclass(frozen=True, slots=True)
class Count:
    """At least so many such events in a window."""

    pattern: Pattern
    least: int
    window: Window


@dataclass(frozen=True, slots=True)
class Sequence:
    """Such events after each other, all in one window; others may lie between."""

    steps: tuple[Pattern, ...]
    window: Window


@dataclass(frozen=True, slots=True)
class Absence:
    """After one event the other has not come for a while."""

    after: Pattern
    absent: Pattern
    lasting: timedelta


@dataclass(frozen=True, slots=True)
class ScoreRise:
    """A score came up to a height, after it was below another."""

    score: str
    rises_to: float
    rearm_below: float


Change = Literal["entered", "left"]
CHANGES: tuple[Change, ...] = get_args(Change)


@dataclass(frozen=True, slots=True)
class SegmentChange:
    """The customer came into a segment, or left it."""

    segment: str
    change: Change


When = Count | Sequence | Absence | ScoreRise | SegmentChange


@dataclass(frozen=True, slots=True)
class ScoreIs:
    """The last score is at least, or below, a height."""

    score: str
    at_least: float | None = None
    below: float | None = None


@dataclass(frozen=True, slots=True)
class PercentileIs:
    """The last score is at least, or below, the published quantile."""

    of: str
    at_least: float | None = None
    below: float | None = None


@dataclass(frozen=True, slots=True)
class ConsentIs:
    """The customer allows a purpose; without a channel, in any channel."""

    purpose: str
    channel: str = ""


@dataclass(frozen=True, slots=True)
class SegmentIs:
    """The customer is in a segment."""

    segment: str


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    guard: "Guard"


Guard = ScoreIs | PercentileIs | ConsentIs | SegmentIs | Count | Not
"""What `if` asks when a rule fires, and again when a contact is sent."""


@dataclass(frozen=True, slots=True)
class Unless:
    """An event that stops the rule: since the first fact that counted, or within a time before it fires."""

    pattern: Pattern
    within: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Notify:
    """Tells our own people or systems; bound by no contact cap."""

    target: str


@dataclass(frozen=True, slots=True)
class Contact:
    """Approaches the customer, if the contact policy lets it pass."""

    campaign: str
    purpose: str
    prefer: tuple[str, ...]  # channels; `customer` is the one that he prefers


@dataclass(frozen=True, slots=True)
class Rule:
    """One version of a rule."""

    name: str
    when: When
    do: Notify | Contact
    version: int = 1
    checks: tuple[Guard, ...] = ()  # `if`: all must hold
    unless: tuple[Unless, ...] = ()  # one is enough
    wait: timedelta = timedelta()
    cooldown: timedelta = timedelta()
    holdout: float = 0.0
