"""A learner as what it comes to: one sum of weights times features, from which anybody tells a score and its exact reasons.

The pool's logits are averaged, so the whole of it is linear in the counters and the features. Reading order: Weights, Model, logit, parts.
"""

import math
from collections.abc import Mapping

from msgspec import Struct

from aggregates.churn import Definition
from projections.churn.anchors import Anchors, anchors
from projections.churn.features import Features, features
from projections.churn.silence import checks
from projections.churn.state import State


class Weights(Struct, frozen=True, array_like=True):
    """One learner's sum."""

    everybody: float
    prior: float  # of the counters
    decayed: float
    features: dict[str, float]


class Model(Struct, frozen=True, array_like=True):
    """What is said at events, and what of those who are silent."""

    events: Weights
    silence: Weights


class Scored(Struct, frozen=True, array_like=True):
    """What is said of a customer at a time."""

    logit: float
    features: Features
    anchors: Anchors
    weights: Weights
    state: State

    @property
    def score(self) -> float:
        """The chance that he is lost."""
        return chance(self.logit)


def scored(definition: Definition, model: Model, state: State, now: float, *, silent: bool | None = None) -> Scored:
    """What is said at a time; whether he counts as silent follows from it, unless it is told."""
    if silent is None:
        silent = now - state.at >= checks(definition)[0]
    found = features(definition, state, now)
    counted = anchors(definition, state, now, found.get("prior"))
    weights = model.silence if silent else model.events
    return Scored(logit(weights, found, counted), found, counted, weights, state)


def logit(weights: Weights, found: Mapping[str, float], counted: Anchors) -> float:
    """The sum."""
    known = weights.features
    total = weights.everybody + weights.prior * counted.prior + weights.decayed * counted.decayed
    for name, number in found.items():
        weight = known.get(name)
        if weight is not None:
            total += weight * number
    return total


def parts(weights: Weights, found: Mapping[str, float], counted: Anchors) -> dict[str, float]:
    """Its summands by feature: together they are the logit."""
    summands = {"one": weights.everybody, "prior": weights.prior * counted.prior, "decayed": weights.decayed * counted.decayed}
    for name, number in found.items():
        weight = weights.features.get(name)
        if weight is not None:
            summands[name] = summands.get(name, 0.0) + weight * number
    return summands


def chance(logit_: float) -> float:
    """The chance of a logit."""
    return 0.5 * (1.0 + math.tanh(0.5 * logit_))
