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


STEPS = 8
SETTLED = 1e-4
"""A step of Newton's so short is the last: the next one would be a millionth of it."""


def fit(inputs: Array, lost: Array, near: Fitted | None = None) -> Fitted:
    """Newton's method with a ridge, which has one best answer: what was found before on nearly the same labels is near it, and saves most
    steps; where it does not lead there, it is sought from nothing.

    The curvature is a product with itself, which is half the work; and what is as large as the inputs is written where it was before,
    since to be given new memory costs as much as the arithmetic."""
    standard = np.array(inputs.T, order="C")
    centre, scale = standard.mean(axis=1), standard.std(axis=1)
    centre[0], scale[0] = 0.0, 1.0
    scale[scale < 1e-3] = np.inf  # what never varied says nothing
    standard -= centre[:, None]
    standard /= scale[:, None]
    np.clip(standard, -FAR, FAR, out=standard)
    bent, nothing = np.empty_like(standard), np.zeros(len(standard))
    if near is not None:
        beginning = np.concatenate([near.weights, nothing[len(near.weights) :]])
        weights, settled = _newton(standard, bent, lost, beginning)
        if settled:
            return Fitted(centre, scale, weights)
    return Fitted(centre, scale, _newton(standard, bent, lost, nothing)[0])


def _newton(standard: Array, bent: Array, lost: Array, weights: Array) -> tuple[Array, bool]:
    """The weights, and whether the last step was short."""
    ridge = RIDGE * np.eye(len(standard))
    for _ in range(STEPS):
        expected = sigmoid(weights @ standard)
        slope = standard @ (expected - lost) + RIDGE * weights
        np.multiply(standard, np.sqrt(expected * (1.0 - expected)), out=bent)
        step = np.linalg.solve(bent @ bent.T + ridge, slope)
        weights = weights - step
        if float(np.abs(step).max()) < SETTLED:
            return weights, True
    return weights, False


def said(fitted: Fitted, inputs: Array) -> Array:
    """The logits of some examples."""
    return np.asarray(np.clip((inputs - fitted.centre) / fitted.scale, -FAR, FAR) @ fitted.weights, dtype=np.float64)
