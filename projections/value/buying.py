"""How often a customer will buy again, and whether he still is one: the BG/NBD model (Fader, Hardie and Lee, Marketing Science 2005).

While he is a customer he buys at random at a rate that is Gamma distributed among customers (r, alpha); after each purchase he leaves
with a chance that is Beta distributed (a, b). What it needs of him are the number x of repeat purchases, the time t_x of the last one and
the time T that he was watched, all from his first purchase on, in weeks. Reading order: Buying, History, alive, expected.
"""

import math

from msgspec import Struct

TERMS = 2_000


class Buying(Struct, frozen=True, array_like=True):
    """How customers buy."""

    r: float
    alpha: float
    a: float
    b: float


class History(Struct, frozen=True, array_like=True, gc=False):
    """One customer."""

    x: int
    t_x: float
    T: float


def alive(model: Buying, one: History) -> float:
    """The chance that he still is a customer; after his first purchase nobody has left yet."""
    return 1.0 / (1.0 + _left(model, one))


def expected(model: Buying, one: History, weeks: float) -> float:
    """How many purchases he will make in so many more weeks (equation 10)."""
    r, alpha, a, b = model.r, model.alpha, model.a if abs(model.a - 1.0) > 1e-6 else 1.0 + 1e-6, model.b
    x, seen = one.x, alpha + one.T
    # Euler's transformation of the printed series: that one grows with n to the power x before it falls, this one only falls
    series = hypergeometric(a + b - 1.0 - r, a - 1.0, a + b + x - 1.0, weeks / (seen + weeks))
    kept = math.exp((a - 1.0) * math.log(seen / (seen + weeks))) * series
    return max(0.0, (a + b + x - 1.0) / (a - 1.0) * (1.0 - kept) / (1.0 + _left(model, one)))


def hypergeometric(a: float, b: float, c: float, z: float) -> float:
    """Gauss's series 2F1(a, b; c; z) for 0 <= z < 1."""
    term = total = 1.0
    for n in range(TERMS):
        term *= (a + n) * (b + n) / ((c + n) * (n + 1.0)) * z
        total += term
        if abs(term) < 1e-13 * abs(total):
            break
    return total


def _left(model: Buying, one: History) -> float:
    """The odds that he left."""
    if one.x == 0:
        return 0.0
    logarithm = (model.r + one.x) * math.log((model.alpha + one.T) / (model.alpha + one.t_x))
    return model.a / (model.b + one.x - 1.0) * math.exp(min(logarithm, 700.0))
