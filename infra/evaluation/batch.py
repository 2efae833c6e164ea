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
"""Labels that it is trained on: all of the past, or every second, every fourth … of it, so that it knows its seasons and its beginnings."""


class Weekly:
    """What it would have said of examples, told in order of their days: with the labels known when the example's week began, no other.

    It holds the examples of a horizon and those it is trained on, so the length of the log costs no memory.
    """

    def __init__(self, definition: Definition) -> None:
        self._known_after = matures(definition, 0)
        self._words = vocabulary.named()
        self._waiting: deque[tuple[int, Array, Array]] = deque()  # day, inputs, labels
        self._past: list[tuple[Array, Array]] = []
        self._every, self._skipped = 1, 0  # of the labels that come to be known; before the next that is taken
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
        self._waiting.append((day, inputs.astype(np.float32), np.array([float(one.lost) for one in judged])))
        if self._fitted is None:
            return np.zeros(len(judged))
        return said(self._fitted, inputs[:, : len(self._fitted.weights)])

    def _train(self, week: int) -> None:
        while self._waiting and self._waiting[0][0] + self._known_after <= week:
            _, inputs, lost = self._waiting.popleft()
            self._past.append((inputs[self._skipped :: self._every], lost[self._skipped :: self._every]))
            self._skipped = (self._skipped - len(lost)) % self._every
        labels = sum(len(lost) for _, lost in self._past)
        if labels < FEWEST:
            return
        rows, start = np.zeros((labels, len(self._words.names))), 0
        for inputs, _ in self._past:
            rows[start : start + len(inputs), : inputs.shape[1]] = inputs
            start += len(inputs)
        known = np.concatenate([lost for _, lost in self._past])
        while len(known) > MOST:  # the newest stays, and the next is taken as far from it as any two are apart then
            rows, known = rows[(len(rows) - 1) % 2 :: 2], known[(len(known) - 1) % 2 :: 2]
            self._skipped, self._every = self._skipped + self._every, 2 * self._every
        self._past = [(rows, known)]
        self._fitted = fit(rows, known, self._fitted)
