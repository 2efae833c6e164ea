"""The model that is usual: a logistic regression trained each week on all labels of the past, on the learner's own features.

It standardises what it is trained on, as batch models do. Reading order: weekly.
"""

from collections.abc import Sequence

import numpy as np

from aggregates.churn import Definition, matures
from streams.learning import vocabulary
from streams.learning.course import Judged
from streams.learning.logistic import Array, sigmoid

WEEK = 7
MOST = 20_000
"""The latest labels that it is trained on."""

RIDGE = 1.0
FEWEST = 50

FAR = 5.0
"""Standard deviations beyond which nothing is believed."""


def weekly(definition: Definition, judged: Sequence[Judged]) -> Array:
    """What it would have said of each example: with the labels known at the start of the example's week, no other."""
    words = vocabulary.named()
    for start in range(0, len(judged), 5_000):
        words = vocabulary.admit(words, [one.example.features for one in judged[start : start + 5_000]])
    inputs = vocabulary.matrix(words, [one.example.features for one in judged])
    lost = np.array([float(one.lost) for one in judged])
    days = np.array([one.example.day for one in judged])
    said = np.zeros(len(judged))
    if not len(judged):
        return said
    for week in range(int(days[0]), int(days[-1]) + 1, WEEK):
        known = int(np.searchsorted(days, week - matures(definition, 0), side="right"))
        now = slice(int(np.searchsorted(days, week)), int(np.searchsorted(days, week + WEEK)))
        if known < FEWEST or now.start == now.stop:
            continue
        past = slice(max(0, known - MOST), known)
        centre, scale = inputs[past].mean(axis=0), inputs[past].std(axis=0)
        centre[0], scale[0] = 0.0, 1.0
        scale[scale < 1e-3] = np.inf  # what never varied says nothing
        weights = _fit(np.clip((inputs[past] - centre) / scale, -FAR, FAR), lost[past])
        said[now] = np.clip((inputs[now] - centre) / scale, -FAR, FAR) @ weights
    return said


def _fit(inputs: Array, lost: Array) -> Array:
    """Newton's method with a ridge."""
    weights = np.zeros(inputs.shape[1])
    ridge = RIDGE * np.eye(inputs.shape[1])
    for _ in range(8):
        expected = sigmoid(inputs @ weights)
        slope = inputs.T @ (expected - lost) + RIDGE * weights
        step = np.linalg.solve((inputs.T * (expected * (1.0 - expected))) @ inputs + ridge, slope)
        weights = weights - step
        if float(np.abs(step).max()) < 1e-4:
            break
    return weights
