"""What the counters say of a customer, as logits: where every score starts from. Reading order: Anchors, anchors."""

from typing import NamedTuple

from aggregates.churn import Definition
from projections.churn import counters
from projections.churn.state import State


class Anchors(NamedTuple):
    """What the counters say of a customer, as logits; zeros where they have nothing to say."""

    prior: float = 0.0
    decayed: float = 0.0
    bought: float = 0.0


NONE = Anchors()


def anchors(definition: Definition, state: State, now: float, prior: float | None = None) -> Anchors:
    """What they say at a time; where a contract decides, orders say nothing for certain. `prior`: what it says, where that is known."""
    if definition.contractual or state.rhythm is None:
        return NONE
    rhythm, horizon = state.rhythm, definition.horizon
    said = counters.prior(rhythm, now, horizon) if prior is None else prior
    return Anchors(said, counters.decayed_count(rhythm, now, horizon), counters.purchase_count(rhythm))
