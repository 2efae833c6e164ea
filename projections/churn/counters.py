"""What any model must beat: three rules that count purchases and learn nothing. All look at the rhythm alone, and all are logits of churn.

Reading order: purchase_count, decayed_count, prior_of; dropped_out and renewal are what only the learner uses.
"""

import math

from projections.churn.state import Rhythm

LN2 = math.log(2.0)

CERTAIN = -4.0
"""Below this logit the prior grows sure only slowly: it has never heard that customers also die, move and take offence."""


DROPOUT = (0.5, 2.5)
RATE = (0.25, 0.5)
"""What is believed of everybody before he is known: Beta(a, b) of the chance that an order is his last, Gamma(r, alpha) of his orders in
a horizon."""

SPREAD = 1.0
OF_GAPS = 3.0
"""What is believed of the spread of anybody's log gaps, near that of one who buys at random, and how many gaps of his own that weighs."""

SUREST = 5.0
"""The logit beyond which a rhythm is not believed."""

FARTHEST = 30.0
"""Of the exponent below: beyond it nobody tells one certainty from another."""


def purchase_count(rhythm: Rhythm) -> float:
    """The more he bought, the more will he come again: minus the logarithm of his orders."""
    return -math.log(rhythm.orders)


def decayed_count(rhythm: Rhythm, now: float, horizon: int) -> float:
    """The same, where an order of H days ago counts a half and one of 2H days a quarter."""
    return -math.log(rhythm.decayed) + LN2 * (now - rhythm.last) / horizon


def rate(rhythm: Rhythm, now: float, horizon: float) -> tuple[float, float]:
    """What the prior believes of his rate: a Gamma's shape D-1/2 and the exposure X in horizons; the memory's mean life is 2H.

    D is the decayed count of his orders. The half is taken off as of the last order: taken off later, silence alone would eat up all that
    is known, and whoever bought once would be lost for certain after 1.4 horizons, of whom one in ten comes back.
    """
    decay = math.exp(-(now - rhythm.last) / (2.0 * horizon))
    return (rhythm.slow - 0.5) * decay, 2.0 * (1.0 - math.exp(-(now - rhythm.first) / (2.0 * horizon)))


def prior(rhythm: Rhythm, now: float, horizon: float) -> float:
    """The prior's logit at a time."""
    return prior_of(*rate(rhythm, now, horizon))


def prior_of(shape: float, exposed: float) -> float:
    """The logit of P(no purchase within H) = ((X+1)/(X+2))^(D-1/2).

    Purchases as a Poisson process whose rate is Gamma distributed among customers (Ehrenberg 1959): after D purchases in X horizons the
    rate is Gamma(D - 1/2, X + 1), and the chance of none in one more horizon is its Laplace transform. It knows what early labels, which
    are mostly those of first purchases, cannot teach: how the chance goes on falling with further purchases.
    """
    expected = max(shape, 0.02) * math.log((exposed + 2.0) / (exposed + 1.0))
    logit = -expected - math.log(-math.expm1(-expected))
    return logit if logit > CERTAIN else CERTAIN - math.log1p(CERTAIN - logit)


def dropped_out(rhythm: Rhythm, now: float, horizon: float) -> float:
    """The odds that he has left for good since his last order: 0 on its day, and the faster they grow the more steadily he bought.

    After x further orders within t of T, BG/NBD's odds are a/(b+x-1) ((alpha+T)/(alpha+t))^(r+x) (Fader, Hardie and Lee 2005, "Counting
    Your Customers" the Easy Way, Marketing Science 24); here less what they are when T = t, and times are in horizons.
    """
    (a, b), (r, alpha) = DROPOUT, RATE
    further = rhythm.orders - 1
    silent, bought = (now - rhythm.last) / horizon, (rhythm.last - rhythm.first) / horizon
    exponent = min((r + further) * math.log1p(silent / (alpha + bought)), FARTHEST)
    return a / (b + further - 1.0) * math.expm1(exponent)


def renewal(rhythm: Rhythm, now: float, horizon: float) -> float:
    """The logit of no order within H by his own rhythm alone, if he is to come again: who buys like clockwork is late sooner, and comes
    for certain until then. Gaps are log-logistic, of his own mean and spread."""
    steep = math.pi / math.sqrt(3.0) / math.sqrt((rhythm.squares + OF_GAPS * SPREAD**2) / (rhythm.gaps + OF_GAPS))
    silence = now - rhythm.last
    survived = _softplus(steep * (math.log(max(silence, 1e-3)) - rhythm.mean))
    hazard = _softplus(steep * (math.log(silence + horizon) - rhythm.mean)) - survived
    return min(max(-math.log(math.expm1(min(max(hazard, 1e-6), FARTHEST))), -SUREST), SUREST)


def _softplus(x: float) -> float:
    return x if x > FARTHEST else math.log1p(math.exp(x))
