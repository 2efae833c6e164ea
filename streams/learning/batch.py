"""The model that is usual, as a rival: a ridge logistic regression, trained on labels of the past, on the learner's own features.

It standardises what it is trained on, as batch models do. Reading order: Fitted, fit, said.
"""

from typing import NamedTuple

import numpy as np

from streams.learning.logistic import Array, sigmoid

RIDGE = 1.0
FEWEST = 50
"""Labels without which it says nothing."""

FAR = 5.0
"""Standard deviations beyond which nothing is believed."""


class Fitted(NamedTuple):
    """What was found."""

    centre: Array
    scale: Array
    weights: Array


def fit(inputs: Array, lost: Array) -> Fitted:
    """Newton's method with a ridge."""
    centre, scale = inputs.mean(axis=0), inputs.std(axis=0)
    centre[0], scale[0] = 0.0, 1.0
    scale[scale < 1e-3] = np.inf  # what never varied says nothing
    standard = np.clip((inputs - centre) / scale, -FAR, FAR)
    weights = np.zeros(inputs.shape[1])
    ridge = RIDGE * np.eye(inputs.shape[1])
    for _ in range(8):
        expected = sigmoid(standard @ weights)
        slope = standard.T @ (expected - lost) + RIDGE * weights
        step = np.linalg.solve((standard.T * (expected * (1.0 - expected))) @ standard + ridge, slope)
        weights = weights - step
        if float(np.abs(step).max()) < 1e-4:
            break
    return Fitted(centre, scale, weights)


def said(fitted: Fitted, inputs: Array) -> Array:
    """The logits of some examples."""
    return np.asarray(np.clip((inputs - fitted.centre) / fitted.scale, -FAR, FAR) @ fitted.weights, dtype=np.float64)
