"""The usual batch model over a log: trained anew each week on all labels of the past. Reading order: Weekly."""

from collections import deque
from collections.abc import Sequence

import numpy as np

from aggregates.churn import Definition, matures
from streams.learning import vocabulary
from streams.learning.batch import FEWEST, Fitted, fit, said
from streams.learning.course import Judged
from streams.learning.logistic import Array

WEEK = 7
MOST = 20_000
"""The latest labels that it is trained on."""


class Weekly:
    """What it would have said of examples, told in order of their days: with the labels known when the example's week began, no other.

    It holds the examples of a horizon and those it is trained on, so the length of the log costs no memory.
    """

    def __init__(self, definition: Definition) -> None:
        self._known_after = matures(definition, 0)
        self._words = vocabulary.named()
        self._past: deque[tuple[int, Array, Array]] = deque()  # day, inputs, labels
        self._week: int | None = None
        self._fitted: Fitted | None = None

    def say(self, day: int, judged: Sequence[Judged]) -> Array:
        """Its logits for all examples of a day."""
        if self._week is None or day >= self._week + WEEK:
            self._week = day if self._week is None else day - (day - self._week) % WEEK
            self._train(self._week)
        found = [one.example.features for one in judged]
        self._words = vocabulary.admit(self._words, found)
        inputs = vocabulary.matrix(self._words, found)
        self._past.append((day, inputs.astype(np.float32), np.array([float(one.lost) for one in judged])))
        if self._fitted is None:
            return np.zeros(len(judged))
        return said(self._fitted, inputs[:, : len(self._fitted.weights)])

    def _train(self, week: int) -> None:
        known = [(inputs, lost) for day, inputs, lost in self._past if day + self._known_after <= week]
        labels = sum(len(lost) for _, lost in known)
        if labels < FEWEST:
            return
        widest = len(self._words.names)
        rows = np.zeros((labels, widest))
        start = 0
        for inputs, _ in known:
            rows[start : start + len(inputs), : inputs.shape[1]] = inputs
            start += len(inputs)
        self._fitted = fit(rows[-MOST:], np.concatenate([lost for _, lost in known])[-MOST:], self._fitted)
        while labels - len(self._past[0][2]) >= MOST:
            labels -= len(self._past.popleft()[2])
