"""The contact policy as a value. Reading order: Cap, Quiet, Policy."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType

from aggregates.contact_policy.budget import Budget

ALL = "all"
SERVICE = "service"
"""The purpose that is transactional."""

IGNORABLE = ("caps", "cooldown", "quiet", "block_while", "holdout")
STATES = ("open_complaint", "in_call")


@dataclass(frozen=True, slots=True)
class Cap:
    """At most so many contacts in a window (at - within, at]."""

    channels: tuple[str, ...]  # empty: all that count
    most: int
    within: timedelta
    written: str  # as the policy has it: `7d`

    @property
    def name(self) -> str:
        """How a silence names it."""
        return f"cap {','.join(self.channels) or ALL}/{self.written}"


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours of the day, in minutes since midnight, in which nobody is approached: from the first until before the last."""

    start: int
    end: int
    hold: bool = True  # else what falls into them is silent
    expires: timedelta | None = None  # what could only go out later than this after it was wanted is silent


@dataclass(frozen=True, slots=True)
class Policy:
    """What binds every contact."""

    name: str = "contact"
    zone: str = "Asia/Tehran"
    priority: tuple[str, ...] = (SERVICE, "retention", "marketing")
    ignores: frozenset[str] = frozenset()  # by what a transactional contact is not bound
    quiet: Quiet | None = None
    caps: tuple[Cap, ...] = ()
    counts: tuple[str, ...] = ()  # channels whose contacts count; empty: all
    block_while: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))  # state: channels; empty: all
    prefer: tuple[str, ...] = ("declared", "default")
    holdout: float = 0.0
    approval: bool = False  # whether rules are published only by somebody who did not write them
    budget: Budget | None = None


DEFAULT = Policy()
"""Where no policy is published: consent alone binds."""
