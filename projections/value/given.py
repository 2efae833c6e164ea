"""When a customer's value is told to all as a score, as what, and by what it is computed. Pure. Reading order: Terms, moved, due."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from aggregates.churn import DAY
from aggregates.touchpoint import derive
from aggregates.value import Costs
from projections.value.state import State
from projections.value.worth import Models, Worth
from projections.value.worth import worth as worth_of

SCORE = "value"

STEP = 0.1
"""A value is given anew when it has moved by this share of what was given last."""

LEAST = 0.01
"""And by this much at least, in the currency's unit: values are rounded to its hundredth."""


class Terms(Struct, frozen=True):
    """What values are computed by: the costs in force and the models fitted last, by whether time is replayed."""

    costs: Costs
    models: Mapping[bool, Models | None]

    @property
    def text(self) -> str:
        """Other terms, another text."""
        numbers = [0 if model is None else model.number for model in (self.models.get(False), self.models.get(True))]
        return f"{self.costs.version} {numbers[0]} {numbers[1]}"


def tellable(worth: Worth, costs: Costs) -> bool:
    """Whether a value can stand beside others: where costs are published of one currency, only values in it can."""
    return costs.currency in (None, worth.currency)


def moved(told: float | None, value: float) -> bool:
    """Whether a value is to be given, after what was given last."""
    return told is None or abs(value - told) >= max(LEAST, STEP * abs(told))


class Given(Struct, frozen=True):
    """The data of `score.given` when the score is a value. Amounts are of `currency`."""

    score: str
    value: float
    before: float | None  # as it was given last
    currency: str
    past: str  # value = past + future
    future: str | None  # None: too few customers have bought again to expect anything
    costs: int  # the version they were
    model: int | None


def due(state: State, at: datetime, terms: Terms, called_off: Mapping[str, str], told: float | None, *, replayed: bool) -> Given | None:
    """What is to be told of a customer's value at a time, after what was told last; None where it has not moved far, or cannot be told."""
    worth = worth_of(state, at.timestamp() / DAY, terms.costs, terms.models[replayed], called_off)
    if worth is None or not tellable(worth, terms.costs) or not moved(told, float(worth.value)):
        return None
    future = None if worth.future is None else str(worth.future)
    return Given(SCORE, float(worth.value), told, worth.currency, str(worth.past), future, worth.costs, worth.model)


def id_of(customer: str, at: datetime, given: Given) -> UUID:
    """The id of the fact that tells it: of the same value at the same time always the same."""
    return derive("score", customer, SCORE, at.isoformat(), f"{given.value:.2f}")
