"""What any model must beat: three rules that count purchases and learn nothing. All look at the rhythm alone, and all are logits of churn.

Reading order: purchase_count, decayed_count, prior_of.
"""

import math

from projections.churn.state import Rhythm

LN2 = math.log(2.0)

CERTAIN = -4.0
"""Below this logit the prior grows sure only slowly: it has never heard that customers also die, move and take offence."""


def purchase_count(rhythm: Rhythm) -> float:
    """The more he bought, the more will he come again: minus the logarithm of his orders."""
    return -math.log(rhythm.orders)


def decayed_count(rhythm: Rhythm, now: float, horizon: int) -> float:
    """The same, where an order of H days ago counts a half and one of 2H days a quarter."""
    return -math.log(rhythm.decayed) + LN2 * (now - rhythm.last) / horizon


def counts(rhythm: Rhythm, now: float, horizon: float) -> tuple[float, float]:
    """What the prior knows: the decayed count of orders D and the decayed exposure X, in horizons; the memory's mean life is 2H."""
    decay = math.exp(-(now - rhythm.last) / (2.0 * horizon))
    return rhythm.slow * decay, 2.0 * (1.0 - math.exp(-(now - rhythm.first) / (2.0 * horizon)))


def prior(rhythm: Rhythm, now: float, horizon: float) -> float:
    """The prior's logit at a time."""
    return prior_of(*counts(rhythm, now, horizon))


def prior_of(counted: float, exposed: float) -> float:
    """The logit of P(no purchase within H) = ((X+1)/(X+2))^(D-1/2).

    Purchases as a Poisson process whose rate is Gamma distributed among customers (Ehrenberg 1959): after D purchases in X horizons the
    rate is Gamma(D - 1/2, X + 1), and the chance of none in one more horizon is its Laplace transform. It knows what early labels, which
    are mostly those of first purchases, cannot teach: how the chance goes on falling with further purchases.
    """
    expected = max(counted - 0.5, 0.02) * math.log((exposed + 2.0) / (exposed + 1.0))
    logit = -expected - math.log(-math.expm1(-expected))
    return logit if logit > CERTAIN else CERTAIN - math.log1p(CERTAIN - logit)
