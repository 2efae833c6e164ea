"""What is kept of one rule and one customer between two of his facts. Bounded: two folds, the last few facts, what they fired.

The facts that are kept make late ones cheap: a fact that is not older than all of them is put among them and only these are folded anew.
An older one needs the customer's past. Reading order: State, Signal, the effects.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from projections.triggers.evidence import Evidence
from projections.triggers.fold import Firing, Fold

KEPT = 16
"""Facts that are kept at least, once there were so many; never twice as many."""


class Given(Struct, frozen=True, array_like=True, gc=False):
    """A firing, and whether its signal was given; a timer that is not due yet has not."""

    firing: Firing
    given: bool


class State(Struct, frozen=True, array_like=True, gc=False):
    """`head` is `base` after the kept facts and what was due since."""

    base: Fold
    kept: tuple[Evidence, ...]
    head: Fold
    fired: tuple[Given, ...]  # since `base`


@dataclass(slots=True)
class Block:
    """Some facts of the past in order, the fold before them, and what fired while they were folded."""

    start: Fold
    facts: list[Evidence]
    firings: Sequence[Firing]


class Signal(Struct, frozen=True):
    """A rule says that something happened."""

    id: UUID
    rule: str
    version: int
    source: str  # of the fact at which the condition came true
    cause: str  # its id
    event: UUID  # its id inside
    occurred_at: datetime
    recorded_at: datetime
    late: bool  # evidence came too late to say it in time
    quiet: str = ""  # why nobody is told or approached: "backfill", "moved", "test"


class Fire(Struct, frozen=True, tag="fire"):
    """Give a signal."""

    signal: Signal


class Withdraw(Struct, frozen=True, tag="withdraw"):
    """A signal that was given is undone."""

    signal: UUID


class Wake(Struct, frozen=True, tag="wake"):
    """Something is due at another time than before: a timer. None: nothing is any more; a timer that rings all the same does nothing."""

    at: datetime | None


class Seal(Struct, frozen=True, tag="seal"):
    """Facts are kept no longer. Live the timeline has them; where there is none, they and the fold before them are put into the past."""

    start: Fold
    facts: tuple[Evidence, ...]
    firings: tuple[Firing, ...]


Effect = Fire | Withdraw | Wake | Seal
