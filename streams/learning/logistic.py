"""One expert's arithmetic: a Bayesian logistic regression that takes a day of labels at once and starts from what is believed before any.

The posterior is kept as a normal distribution, by mean and precision, and each day is one Laplace step (Spiegelhalter and Lauritzen
1990): an extended Kalman filter with the whole day as its measurement. All examples of a day enter together, so their order does not
matter. The prior belief is that the weights are 0, on top of an offset that is right before anything was learnt.
Reading order: Logistic, learn, grow, rising.
"""

import math

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Array = NDArray[np.float64]

STEPS = 3
"""Newton steps a day; the day's gradient is nearly linear in weights that move this little."""


class Logistic(Struct, frozen=True):
    """What is believed of the weights."""

    mean: Array  # one weight a feature
    precision: Array  # inverse covariance


def ignorant(deviations: Array) -> Logistic:
    """Weights of 0, give or take these standard deviations."""
    return Logistic(np.zeros(len(deviations)), np.diag(deviations**-2.0))


def learn(belief: Logistic, deviations: Array, inputs: Array, offsets: Array, labels: Array, keep: float = 1.0) -> Logistic:
    """The belief after one day's labels; `keep` is the share of former evidence that is held, the rest goes back to the prior."""
    mean, precision = belief.mean, belief.precision
    if keep < 1.0:
        evidence = keep * (precision @ mean)
        precision = keep * precision + (1.0 - keep) * np.diag(deviations**-2.0)
        mean = np.asarray(np.linalg.solve(precision, evidence), dtype=np.float64)
    weights, curvature = mean, precision
    for _ in range(STEPS):
        expected = sigmoid(offsets + inputs @ weights)
        slope = precision @ (weights - mean) + inputs.T @ (expected - labels)
        curvature = precision + (inputs.T * (expected * (1.0 - expected))) @ inputs
        step = np.linalg.solve(curvature, slope)
        weights = weights - step * min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-12))
    return Logistic(weights, curvature)


def grow(belief: Logistic, deviations: Array) -> Logistic:
    """The belief with further features, of which nothing is known yet."""
    known, more = len(belief.mean), len(deviations)
    precision = np.zeros((known + more, known + more))
    precision[:known, :known] = belief.precision
    precision[known:, known:] = np.diag(deviations**-2.0)
    return Logistic(np.concatenate([belief.mean, np.zeros(more)]), precision)


def rising(belief: Logistic) -> tuple[float, float]:
    """Intercept and slope of a counter that stands as the offset, of which it is known that it is never the wrong way round: below one
    standard deviation above 0 the slope is what is left of it, as of a normal distribution that is cut off at 0, and the intercept that
    which goes with it."""
    (intercept, more), precision = belief.mean.tolist(), belief.precision
    deviation = math.sqrt(precision[0, 0] / (precision[0, 0] * precision[1, 1] - precision[0, 1] ** 2))
    slope = 1.0 + more
    if slope < deviation:
        slope = deviation / (2.0 - slope / deviation)
    return intercept - float(precision[0, 1] / precision[0, 0]) * (slope - 1.0 - more), slope


def sigmoid(logits: Array) -> Array:
    """Chances of logits, without overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * logits)), dtype=np.float64)


def losses(logits: Array, labels: Array) -> Array:
    """The log-loss of each."""
    return np.asarray(np.logaddexp(0.0, logits) - labels * logits, dtype=np.float64)
