"""What Yekta itself decided, as it is kept and as it is told: the words that aggregates, their store and the relay share.

A decision is an event of an aggregate. One that concerns a customer is told to the log as a touchpoint of the source `yekta`; its id is the
aggregate's id and version, so that telling it twice is telling it once. Reading order: Decision, Decisions, Told, event_of.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol
from uuid import UUID

SPEAKER = "yekta"
"""The name of the source that decisions are told as; no write key can have it."""

NOTHING: Mapping[str, Any] = MappingProxyType({})


class Decision(NamedTuple):
    """One event of one aggregate, as its store keeps it."""

    id: UUID  # of the aggregate
    version: int
    tag: str  # `<aggregate>.<past tense>`
    state: bytes  # JSON of the event


Also = tuple[str, Sequence[Any]]
"""A statement that is run in the transaction of a decision, and its values."""


class Overtaken(Exception):
    """Another decision about the same thing came first: look again, then decide again."""


class Decisions(Protocol):
    """Keeps what Yekta itself decides; `streams/relay` tells it to the log."""

    async def load(self, id_: UUID) -> Sequence[Decision]:
        """All decisions of an aggregate, in order; none for one that never was."""
        ...

    async def record(self, decisions: Sequence[Decision], also: Sequence[Also] = ()) -> int:
        """Keep decisions and what goes with them, all or nothing; the number of the last in the order of all. Raises Overtaken."""
        ...


@dataclass(frozen=True, slots=True)
class Told:
    """What the log is told of a decision. It names the identifier that the decision was made by, so that it follows a split."""

    type: str
    at: datetime
    who: Mapping[str, Any]
    data: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    simulated: bool = False


Teller = Callable[[Decision], Told | None]
"""What to tell of a decision; None: it concerns no customer."""


def origin(tag: str) -> str:
    """The CloudEvents source of what an aggregate tells."""
    return f"/yekta/{tag.partition('.')[0]}"


def event_of(decision: Decision, told: Told) -> dict[str, Any]:
    """The CloudEvent that a door would be sent."""
    return {
        "specversion": "1.0",
        "id": f"{decision.id}.{decision.version}",
        "source": origin(decision.tag),
        "type": told.type,
        "time": told.at.isoformat(),
        "yektasimulated": told.simulated,
        "data": {"who": dict(told.who), **told.data},
    }
