"""The time of the year, and how far what comes is a customer's own season. Reading order: of, coming.

Lines of products sell in opposite seasons, so that what is usual in the shop says little of him.
"""

import math

from projections.churn.state import Rhythm

PACE = 2.0 * math.pi / 365.2425
"""Of the year, in radians a day."""

UNKNOWN = 4.0
"""How many orders what is believed of everybody before weighs: that he has no season of his own."""


def of(now: float) -> tuple[float, float]:
    """The time of the year: cosine and sine."""
    return math.cos(PACE * now), math.sin(PACE * now)


def coming(rhythm: Rhythm, now: float, horizon: float) -> float:
    """By how much the logarithm of his rate is higher in the horizon ahead than it was on average since his first order.

    His orders as a Poisson process of rate exp(c + a cos + b sin) with a and b normal around 0: one Newton step from a = b = 0, where what
    is compared is the mean of the year's cosine and sine at his orders and over all the time since the first. Who is known for less than a
    year is compared with the part of it that was seen.
    """
    known = PACE * (now - rhythm.first)
    cosine, sine = of(now)
    if known > 1e-6:
        first_cosine, first_sine = of(rhythm.first)
        usual_cosine, usual_sine = (sine - first_sine) / known, (first_cosine - cosine) / known
    else:
        usual_cosine, usual_sine = cosine, sine
    half = PACE * horizon / 2.0
    ahead_cosine, ahead_sine = of(now + horizon / 2.0)
    more = (rhythm.winter - rhythm.orders * usual_cosine) * ahead_cosine + (rhythm.spring - rhythm.orders * usual_sine) * ahead_sine
    return 2.0 * more / (rhythm.orders + UNKNOWN) * math.sin(half) / half
