"""What `if` asks, each as a small machine over facts in any order: is it so at a time?

What is kept is the latest of a kind, or the latest few, each with its place among the customer's facts. A fact that comes late finds its
place by that, and nothing of the past is needed for it.
Reading order: Quantiles, Check, then the checks, check_of, percentiles_of.
"""

from bisect import insort
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any, ClassVar, Protocol

from aggregates.rules.rule import ConsentIs, Count, Guard, Not, PercentileIs, ScoreIs, SegmentIs
from projections.triggers.conditions import Counting
from projections.triggers.evidence import Evidence, Stamp, Word
from projections.view.consent import ALL, Consent, deciding

_stamp = attrgetter("stamp")


@dataclass(frozen=True, slots=True)
class Quantiles:
    """The quantiles that were published for all customers, in order: what a percentile means at a time."""

    published: Mapping[str, tuple[tuple[Stamp, Mapping[float, float]], ...]]
    place: Stamp | None = None  # of the fact that asks: what was published at its time counts when it is before it

    def cut(self, of: str, percentile: float, at: datetime) -> float | None:
        """The score at a percentile, as it was published last by a time."""
        for stamp, cuts in reversed(self.published.get(of, ())):
            if percentile in cuts and (stamp[0] < at or (stamp[0] == at and (self.place is None or stamp < self.place))):
                return cuts[percentile]
        return None

    def asked_by(self, stamp: Stamp) -> "Quantiles":
        """The same for a fact, among those of one moment too."""
        return Quantiles(self.published, stamp) if self.published else self

    @property
    def counted(self) -> dict[str, int]:
        """How often each was published: what was folded under fewer may be another thing now."""
        return {of: len(some) for of, some in self.published.items()}

    def with_published(self, of: str, stamp: Stamp, cuts: Mapping[float, float]) -> "Quantiles":
        """One more publication."""
        known = sorted((*self.published.get(of, ()), (stamp, cuts)), key=lambda one: one[0])
        return Quantiles({**self.published, of: tuple(known)})


NO_QUANTILES = Quantiles({})


class Check(Protocol):
    """What all checks have."""

    @property
    def state(self) -> Any:
        """The type of its states, for those who store them."""

    @property
    def initial(self) -> Any:
        """The state before all facts."""

    def take(self, state: Any, fact: Evidence) -> Any:
        """The state after a fact, which may be older than those before it."""

    def holds(self, state: Any, at: datetime, quantiles: Quantiles) -> bool:
        """Whether it is so."""

    def changes(self, state: Any, at: datetime) -> datetime | None:
        """When, after a time, it may change by itself if nothing more is heard."""


@dataclass(frozen=True, slots=True)
class Latest:
    """State: the latest score and its place; None as long as there is none, and then nothing is so."""

    bit: int
    guard: ScoreIs | PercentileIs
    initial: None = None
    state: ClassVar[Any] = tuple[float, Stamp] | None

    def take(self, state: tuple[float, Stamp] | None, fact: Evidence) -> tuple[float, Stamp] | None:
        if not fact.roles & self.bit or not isinstance(fact.value, float) or (state is not None and fact.stamp < state[1]):
            return state
        return fact.value, fact.stamp

    def holds(self, state: tuple[float, Stamp] | None, at: datetime, quantiles: Quantiles) -> bool:
        low, high = self.guard.at_least, self.guard.below
        if isinstance(self.guard, PercentileIs):
            low = None if low is None else quantiles.cut(self.guard.of, low, at)
            high = None if high is None else quantiles.cut(self.guard.of, high, at)
        if state is None or (low is None and high is None):
            return False
        return (low is None or state[0] >= low) and (high is None or state[0] < high)

    def changes(self, state: tuple[float, Stamp] | None, at: datetime) -> datetime | None:
        return None


@dataclass(frozen=True, slots=True)
class Allowed:
    """State: the latest word on each channel."""

    bit: int
    guard: ConsentIs
    initial: tuple[tuple[str, Consent], ...] = ()
    state: ClassVar[Any] = tuple[tuple[str, Consent], ...]

    def take(self, state: tuple[tuple[str, Consent], ...], fact: Evidence) -> tuple[tuple[str, Consent], ...]:
        said = fact.value
        if not fact.roles & self.bit or not isinstance(said, Word) or said.purpose != self.guard.purpose:
            return state
        word = Consent(said.given, fact.at, fact.event, said.until, fact.id)
        now = dict(state)
        for channel in said.channels:
            known = now.get(channel)
            if known is None or known.rank < word.rank:
                now[channel] = word
        return tuple(sorted(now.items()))

    def holds(self, state: tuple[tuple[str, Consent], ...], at: datetime, quantiles: Quantiles) -> bool:
        words = {f"{self.guard.purpose} {channel}": word for channel, word in state}
        channels = [self.guard.channel] if self.guard.channel else [ALL, *(channel for channel, _ in state)]
        return any((word := deciding(words, self.guard.purpose, channel)) is not None and word.in_force(at) for channel in channels)

    def changes(self, state: tuple[tuple[str, Consent], ...], at: datetime) -> datetime | None:
        return min((word.until for _, word in state if word.given and word.until is not None and word.until > at), default=None)


@dataclass(frozen=True, slots=True)
class Member:
    """State: whether the customer is in the segment, and the place of the fact that says so; None as long as there is none."""

    entered: int
    left: int
    initial: None = None
    state: ClassVar[Any] = tuple[bool, Stamp] | None

    def take(self, state: tuple[bool, Stamp] | None, fact: Evidence) -> tuple[bool, Stamp] | None:
        if not fact.roles & (self.entered | self.left) or (state is not None and fact.stamp < state[1]):
            return state
        return bool(fact.roles & self.entered), fact.stamp

    def holds(self, state: tuple[bool, Stamp] | None, at: datetime, quantiles: Quantiles) -> bool:
        return state is not None and state[0]

    def changes(self, state: tuple[bool, Stamp] | None, at: datetime) -> datetime | None:
        return None


@dataclass(frozen=True, slots=True)
class Counted:
    """A count in a window, asked instead of awaited."""

    counting: Counting
    initial: tuple[Evidence, ...] = ()
    state: ClassVar[Any] = tuple[Evidence, ...]

    def take(self, state: tuple[Evidence, ...], fact: Evidence) -> tuple[Evidence, ...]:
        if not state or state[-1].stamp < fact.stamp:
            return self.counting.take(state, fact)[0]
        if not fact.roles & self.counting.bit:
            return state
        latest = list(state)
        insort(latest, fact, key=_stamp)
        return tuple(latest[-self.counting.least :])

    def holds(self, state: tuple[Evidence, ...], at: datetime, quantiles: Quantiles) -> bool:
        return self.counting.holds(state, at)

    def changes(self, state: tuple[Evidence, ...], at: datetime) -> datetime | None:
        return self.counting.window.ends(state[0].at, at) if self.counting.holds(state, at) else None


@dataclass(frozen=True, slots=True)
class Opposite:
    """Whether something is not so."""

    check: Check
    initial: Any
    state: Any

    def take(self, state: Any, fact: Evidence) -> Any:
        return self.check.take(state, fact)

    def holds(self, state: Any, at: datetime, quantiles: Quantiles) -> bool:
        return not self.check.holds(state, at, quantiles)

    def changes(self, state: Any, at: datetime) -> datetime | None:
        return self.check.changes(state, at)


def check_of(guard: Guard, bit: int) -> Check:
    """The machine of a check whose patterns have this bit and, where it has two, the next."""
    match guard:
        case ScoreIs() | PercentileIs():
            return Latest(bit, guard)
        case ConsentIs():
            return Allowed(bit, guard)
        case SegmentIs():
            return Member(bit, bit << 1)
        case Count(_, least, window):
            return Counted(Counting(least, window, bit))
        case Not(inner):
            check = check_of(inner, bit)
            return Opposite(check, check.initial, check.state)


def percentiles_of(guards: Iterable[Guard]) -> frozenset[str]:
    """Of which scores these ask for a percentile: with a quantile of these, what holds changes though nothing happened to anybody."""

    def inner(guard: Guard) -> Guard:
        return inner(guard.guard) if isinstance(guard, Not) else guard

    return frozenset(guard.of for guard in map(inner, guards) if isinstance(guard, PercentileIs))
