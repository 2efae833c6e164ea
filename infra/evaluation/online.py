"""Models of River over a log, as anybody would set them up: one example at a time, on features as they are. Reading order: Online.

J. Montiel et al., "River: machine learning for streaming data in Python", JMLR 22 (2021).
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np

from aggregates.churn import Definition, matures
from streams.learning.course import Judged
from streams.learning.logistic import Array

Kind = Literal["logistic", "forest"]

SUREST = 1e-6
"""How near to certain a chance may be: a forest says 0 and 1, and the logarithm of what then happens otherwise has no end."""


def _logistic() -> Any:
    from river import linear_model, optim

    return linear_model.LogisticRegression(optim.AdaGrad())  # steps of each weight's own size: what is not scaled needs no scaling


def _forest() -> Any:
    from river import forest

    return forest.ARFClassifier(seed=1)


MADE: Mapping[Kind, Callable[[], Any]] = {"logistic": _logistic, "forest": _forest}
"""A logistic regression; an adaptive random forest, some hundred times as slow (Gomes et al., Machine Learning 106, 2017)."""


class Online:
    """What one would have said of examples, told in order of their days: each is learnt on the day on which its label is known."""

    def __init__(self, definition: Definition, kind: Kind) -> None:
        self._model = MADE[kind]()
        self._known_after = matures(definition, 0)
        self._waiting: deque[tuple[int, Sequence[Judged]]] = deque()

    def say(self, day: int, judged: Sequence[Judged]) -> Array:
        """Its logits for all examples of a day."""
        while self._waiting and self._waiting[0][0] + self._known_after <= day:
            for one in self._waiting.popleft()[1]:
                self._model.learn_one(one.example.features, one.lost)
        self._waiting.append((day, judged))
        said = [float(self._model.predict_proba_one(one.example.features).get(True, 0.5)) for one in judged]
        chances: Array = np.clip(np.array(said), SUREST, 1.0 - SUREST)
        logits: Array = np.log(chances) - np.log1p(-chances)
        return logits
