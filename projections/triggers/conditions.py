"""The conditions of rules, each as a small machine over facts in order: when does it come true?

A machine is immutable; its state is a value that it takes and returns. `take` answers whether the fact made the condition true that was
false before: time passing alone makes it false. `due` is when it comes true by itself. `starter` is the latest fact that could be the first
match, and `covers` whether that one is inside the episode: so `since: first_match` needs no history. Sizes are bounded by the rule's own
numbers. Reading order: Condition, Counting, Following, Missing, Rising, Changing, condition_of.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Protocol

from aggregates.rules.rule import Absence, Count, ScoreRise, SegmentChange, Sequence, When
from aggregates.rules.window import Window
from projections.triggers.evidence import Evidence


class Condition(Protocol):
    """What all machines have."""

    state: ClassVar[Any]  # the type of its states, for those who store them
    factual: ClassVar[bool]  # its states are facts, and follow from those that were told, whenever that was

    @property
    def initial(self) -> Any:
        """The state before all facts."""

    def take(self, state: Any, fact: Evidence) -> tuple[Any, bool]:
        """The state after a fact, and whether the condition came true with it."""

    def due(self, state: Any) -> datetime | None:
        """When the condition comes true if nothing more is heard."""

    def mature(self, state: Any) -> tuple[Any, Evidence]:
        """The state when that time has come, and the fact that it began with."""

    def starter(self, state: Any) -> Evidence | None:
        """The latest fact with which an episode could have begun."""

    def covers(self, starter: Evidence, cause: Evidence, at: datetime) -> bool:
        """Whether that fact belongs to the episode that came true at `at`, by `cause`."""


class Prompt:
    """Conditions that only a fact makes true."""

    factual: ClassVar[bool] = True

    def due(self, state: Any) -> datetime | None:
        return None

    def mature(self, state: Any) -> tuple[Any, Evidence]:
        raise LookupError("this condition does not come true by itself")


@dataclass(frozen=True, slots=True)
class Counting(Prompt):
    """State: the last facts that count, as many as the rule asks for."""

    least: int
    window: Window
    bit: int = 1
    initial: tuple[Evidence, ...] = ()
    state: ClassVar[Any] = tuple[Evidence, ...]

    def take(self, state: tuple[Evidence, ...], fact: Evidence) -> tuple[tuple[Evidence, ...], bool]:
        if not fact.roles & self.bit:
            return state, False
        least, at = self.least, fact.at
        full = len(state) == least
        if full and self.window.holds(state[0].at, at):
            return (*state[1:], fact), False
        after = (*state[1:], fact) if full else (*state, fact)
        return after, len(after) == least and self.window.holds(after[0].at, at)

    def starter(self, state: tuple[Evidence, ...]) -> Evidence | None:
        return state[-1] if state else None

    def covers(self, starter: Evidence, cause: Evidence, at: datetime) -> bool:
        return self.window.holds(starter.at, at)

    def holds(self, state: tuple[Evidence, ...], at: datetime) -> bool:
        """Whether the condition is true at a time."""
        return len(state) == self.least and self.window.holds(state[0].at, at)


@dataclass(frozen=True, slots=True)
class Following(Prompt):
    """State: for each number of steps the latest beginning of a run of so many steps; the last is that of the whole sequence."""

    bits: tuple[int, ...]
    window: Window
    initial: tuple[Evidence | None, ...]
    state: ClassVar[Any] = tuple[Evidence | None, ...]

    def take(self, state: tuple[Evidence | None, ...], fact: Evidence) -> tuple[tuple[Evidence | None, ...], bool]:
        roles = fact.roles
        before = state[-1]
        after: list[Evidence | None] | None = None
        for step, bit in enumerate(self.bits):  # each by what was before, so that a fact is one step of a run
            if roles & bit:
                begun = fact if step == 0 else state[step - 1]
                if after is None:
                    after = list(state)
                if begun is not None:
                    after[step] = begun
        if after is None:
            return state, False
        now = after[-1]
        was = before is not None and self.window.holds(before.at, fact.at)
        return tuple(after), not was and now is not None and self.window.holds(now.at, fact.at)

    def starter(self, state: tuple[Evidence | None, ...]) -> Evidence | None:
        return state[0]

    def covers(self, starter: Evidence, cause: Evidence, at: datetime) -> bool:
        return self.window.holds(starter.at, at)


@dataclass(frozen=True, slots=True)
class Missing:
    """State: the fact after which the other is awaited, and whether the time for it is over; None when nothing is awaited."""

    lasting: timedelta
    after: int = 1
    absent: int = 2
    initial: None = None
    state: ClassVar[Any] = tuple[Evidence, bool] | None
    factual: ClassVar[bool] = False

    def take(self, state: tuple[Evidence, bool] | None, fact: Evidence) -> tuple[tuple[Evidence, bool] | None, bool]:
        if fact.roles & self.absent:
            state = None
        if state is None and fact.roles & self.after:
            state = (fact, False)
        return state, False

    def due(self, state: tuple[Evidence, bool] | None) -> datetime | None:
        return None if state is None or state[1] else state[0].at + self.lasting

    def mature(self, state: tuple[Evidence, bool]) -> tuple[tuple[Evidence, bool], Evidence]:
        return (state[0], True), state[0]

    def starter(self, state: tuple[Evidence, bool] | None) -> Evidence | None:
        return state[0] if state else None

    def covers(self, starter: Evidence, cause: Evidence, at: datetime) -> bool:
        return starter.event == cause.event


@dataclass(frozen=True, slots=True)
class Switching(Prompt):
    """What conditions have in common that one fact turns on and another off."""

    initial: bool = False
    state: ClassVar[Any] = bool
    factual: ClassVar[bool] = False

    def starter(self, state: bool) -> Evidence | None:
        return None

    def covers(self, starter: Evidence, cause: Evidence, at: datetime) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class Rising(Switching):
    """State: whether the score rose, and did not fall since."""

    rises_to: float = 0
    rearm_below: float = 0

    def take(self, state: bool, fact: Evidence) -> tuple[bool, bool]:
        if not fact.roles & 1 or not isinstance(fact.value, float):
            return state, False
        if state:
            return fact.value >= self.rearm_below, False
        rose = fact.value >= self.rises_to
        return rose, rose


@dataclass(frozen=True, slots=True)
class Changing(Switching):
    """State: whether the customer is where the rule waits for him: in the segment, or out of it after he was in."""

    there: int = 1
    back: int = 2

    def take(self, state: bool, fact: Evidence) -> tuple[bool, bool]:
        if fact.roles & self.there:
            return True, not state
        return state and not fact.roles & self.back, False


def condition_of(when: When) -> Condition:
    """The machine of a condition. Its patterns have the first bits, in the order in which the rule names them."""
    match when:
        case Count(_, least, window):
            return Counting(least, window)
        case Sequence(steps, window):
            return Following(tuple(1 << step for step in range(len(steps))), window, (None,) * len(steps))
        case Absence(_, _, lasting):
            return Missing(lasting)
        case ScoreRise(_, rises_to, rearm_below):
            return Rising(False, rises_to, rearm_below)
        case SegmentChange(_, change):
            return Changing(False, *((1, 2) if change == "entered" else (2, 1)))
