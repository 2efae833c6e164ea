"""Judges logits by what happened: exact ROC AUC, log-loss and calibration error."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from streams.learning.logistic import Array, losses, sigmoid

BINS = 10


class Metrics(NamedTuple):
    """How good some predictions were."""

    auc: float | None  # None where only one outcome was seen
    log_loss: float
    calibration_error: float


def auc(lost: Array, scores: Array) -> float | None:
    """The chance that one who was lost had a higher score than one who was not; a tie counts a half (Mann and Whitney 1947)."""
    ones = float(lost.sum())
    zeros = len(lost) - ones
    if not ones or not zeros:
        return None
    _, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2.0)[places]
    return float((ranks[lost == 1.0].sum() - ones * (ones + 1.0) / 2.0) / (ones * zeros))


def calibration_error(lost: Array, chances: Array) -> float:
    """The mean distance between what was said and what was, in ten groups of equal size by what was said."""
    order = np.argsort(chances, kind="stable")
    groups = [group for group in np.array_split(order, BINS) if len(group)]
    return float(sum(abs(float(chances[group].mean() - lost[group].mean())) * len(group) for group in groups) / len(lost))


def judge(lost: Array, logits: Array, ranks: Array | None = None) -> Metrics:
    """The metrics of some logits; `ranks` is what the AUC goes by where the logits are calibrated from it."""
    area = auc(lost, logits if ranks is None else ranks)
    return Metrics(area, float(losses(logits, lost).mean()), calibration_error(lost, sigmoid(logits)))


def labels(lost: Sequence[bool]) -> Array:
    """Labels as numbers."""
    return np.array(lost, dtype=np.float64)


def floats(numbers: Sequence[float]) -> Array:
    """Numbers as an array."""
    return np.array(numbers, dtype=np.float64)
