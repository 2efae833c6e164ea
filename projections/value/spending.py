"""How much a customer spends when he buys: the Gamma-Gamma model (Fader and Hardie 2013, after Colombo and Jiang 1999).

His purchases vary around a mean of his own, and the means among customers. What it needs of him are the number of purchases x and
their mean m. Reading order: Spending, expected.
"""

from msgspec import Struct


class Spending(Struct, frozen=True, array_like=True):
    """How customers spend, in one currency."""

    p: float
    q: float
    v: float


def expected(model: Spending, x: int, mean: float) -> float | None:
    """What his purchases come to on average: his own mean, drawn towards everybody's as far as little is known of him."""
    weight = model.p * x + model.q - 1.0
    return model.p * (model.v + x * mean) / weight if weight > 0.0 else None
