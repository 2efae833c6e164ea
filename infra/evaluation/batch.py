"""The usual batch model over a log: trained anew each week on all labels of the past. Reading order: weekly."""

from collections.abc import Sequence

import numpy as np

from aggregates.churn import Definition, matures
from streams.learning import vocabulary
from streams.learning.batch import FEWEST, fit, said
from streams.learning.course import Judged
from streams.learning.logistic import Array

WEEK = 7
MOST = 20_000
"""The latest labels that it is trained on."""


def weekly(definition: Definition, judged: Sequence[Judged]) -> Array:
    """What it would have said of each example: with the labels known at the start of the example's week, no other."""
    words = vocabulary.named()
    for start in range(0, len(judged), 5_000):
        words = vocabulary.admit(words, [one.example.features for one in judged[start : start + 5_000]])
    inputs = vocabulary.matrix(words, [one.example.features for one in judged])
    lost = np.array([float(one.lost) for one in judged])
    days = np.array([one.example.day for one in judged])
    told = np.zeros(len(judged))
    if not len(judged):
        return told
    for week in range(int(days[0]), int(days[-1]) + 1, WEEK):
        known = int(np.searchsorted(days, week - matures(definition, 0), side="right"))
        now = slice(int(np.searchsorted(days, week)), int(np.searchsorted(days, week + WEEK)))
        if known < FEWEST or now.start == now.stop:
            continue
        past = slice(max(0, known - MOST), known)
        told[now] = said(fit(inputs[past], lost[past]), inputs[now])
    return told
