"""A contact that a rule wants, what is known of the customer when it is decided, and what is decided."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

CUSTOMER = "customer"
"""Among the channels a rule prefers: the one that the customer prefers."""

Result = Literal["sent", "held", "silent"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One wish to approach one customer, by one signal."""

    signal: UUID
    rule: str
    version: int
    customer: UUID
    purpose: str
    prefer: tuple[str, ...]
    holdout: float
    occurred: datetime  # of the signal: the older goes first
    wanted: datetime  # when it was first to be decided
    order: int  # of the rule among the rules
    effect: float = 0.0  # expected, as far as it was measured
    campaign: str = ""  # with what he is approached: what budgets are for
    objection: str = ""  # why it must be silent whatever the policy says: "unless", "if", "withdrawn", "backfill", "cooldown" …


class Standing(Protocol):
    """What the policy asks of a customer."""

    @property
    def preferred(self) -> str:
        """The channel that he named; empty: none."""

    @property
    def contacts(self) -> tuple[tuple[datetime, str], ...]:
        """When and by which channel he was approached, at least as far back as the longest cap reaches."""

    @property
    def responses(self) -> Sequence[tuple[datetime, str, bool]]:
        """When and by which channel he answered a contact (true) or refused it (false), one of each contact."""

    def allows(self, purpose: str, channel: str, at: datetime) -> bool:
        """Whether he allows this purpose in this channel."""

    def states(self, at: datetime) -> frozenset[str]:
        """Which of the states he is in that may block contacts."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a candidate."""

    candidate: Candidate
    result: Result
    at: datetime
    channel: str = ""
    until: datetime | None = None
    reason: str = ""

    @property
    def plain(self) -> Mapping[str, object]:
        """As the API and the shell say it."""
        return {
            "signal": self.candidate.signal,
            "rule": self.candidate.rule,
            "customer_id": self.candidate.customer,
            "outcome": self.result,
            "channel": self.channel or None,
            "at": self.at,
            "until": self.until,
            "reason": self.reason or None,
        }
