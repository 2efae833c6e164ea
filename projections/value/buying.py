"""How often a customer will buy again, and whether he still is one: the BG/NBD model (Fader, Hardie and Lee, Marketing Science 2005).

While he is a customer he buys at random at a rate that is Gamma distributed among customers (r, alpha); after each purchase he leaves
with a chance that is Beta distributed (a, b). What it needs of him are the number x of repeat purchases, the time t_x of the last one and
the time T that he was watched, all from his first purchase on, in weeks. Where customers are all alike in one of these, the best (a, b) or
(r, alpha) are endless: such models are fitted too. Reading order: Buying, History, alive, expected, ahead.
"""

import math
from collections.abc import Sequence

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
    return ahead(model, one, (weeks,))[0]


def ahead(model: Buying, one: History, weeks: Sequence[float]) -> list[float]:
    """The same for several numbers of weeks, that rise; what they share is computed once."""
    r, alpha, a, b = model.r, model.alpha, model.a, model.b
    x, seen, stays = one.x, alpha + one.T, 1.0 / (1.0 + _left(model, one))
    bought: list[float] = []
    for some in reversed(weeks) if abs(a - 1.0) >= 1e-4 else ():
        # Euler's transformation of the printed series: that one grows with n to the power x before it falls, this one only falls
        series = hypergeometric(a + b - 1.0 - r, a - 1.0, a + b + x - 1.0, some / (seen + some))
        if series is None:
            break
        kept = math.exp((a - 1.0) * math.log(seen / (seen + some))) * series
        bought.append(max(0.0, (a + b + x - 1.0) / (a - 1.0) * (1.0 - kept) * stays))
    if len(bought) < len(weeks):
        return [one * stays for one in averaged(r + x, [some / seen for some in weeks], a, b + x)]
    return bought[::-1]


def hypergeometric(a: float, b: float, c: float, z: float) -> float | None:
    """Gauss's series 2F1(a, b; c; z) for 0 <= z < 1; None where its sum cannot be trusted: too long, too large, or of terms that cancel."""
    term = total = largest = 1.0
    for n in range(TERMS):
        term *= (a + n) * (b + n) / ((c + n) * (n + 1.0)) * z
        total += term
        largest = max(largest, abs(term))
        if largest > 1e100:
            break
        if abs(term) < 1e-13 * abs(total):
            return total if largest < 1e5 * abs(total) else None
    return None


def averaged(k: float, us: Sequence[float], a: float, b: float) -> list[float]:
    """The same without a series: what a customer buys who leaves with the chance p, (1 - (1 + p u)^-k) / p, averaged over p ~ Beta(a, b).
    For several u, that rise.

    By the trapezoidal rule over the logit of p, where the density is smooth and falls like exp(a y) and exp(-b y): what lies beyond the
    first and the last point is a geometric series.
    """
    centre, spread = math.log(a / b), math.sqrt(1.0 / a + 1.0 / b)
    low = max(centre - 10.0 * spread - 40.0 / a, -28.0 - math.log1p(b + (k + 1.0) * us[-1]))
    high = min(centre + 10.0 * spread + 40.0 / b, 28.0 + math.log1p(a + k))
    pieces = math.ceil((high - low) / min(spread / 3.0, 0.4))
    width = (high - low) / pieces
    highest = _density(centre, a, b)
    mass, bought = 0.0, [0.0] * len(us)
    for place in range(pieces + 1):
        y = low + place * width
        weight = math.exp(_density(y, a, b) - highest)
        if place == 0:
            weight /= -math.expm1(-a * width)
        elif place == pieces:
            weight /= -math.expm1(-b * width)
        p = 1.0 / (1.0 + math.exp(-y))
        mass += weight
        for at, u in enumerate(us):
            bought[at] -= weight * math.expm1(-k * math.log1p(p * u)) / p
    return [one / mass for one in bought]


def _density(y: float, a: float, b: float) -> float:
    """The logarithm of the density of Beta(a, b), but for a summand, at the logit y."""
    return -a * math.log1p(math.exp(-y)) - b * math.log1p(math.exp(y))


def _left(model: Buying, one: History) -> float:
    """The odds that he left."""
    if one.x == 0:
        return 0.0
    logarithm = (model.r + one.x) * math.log((model.alpha + one.T) / (model.alpha + one.t_x))
    return model.a / (model.b + one.x - 1.0) * math.exp(min(logarithm, 700.0))
