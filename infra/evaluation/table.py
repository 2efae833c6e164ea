"""Judges the learner on a table that has no time: each block of rows is predicted before it is learnt (progressive validation).

There is nobody's rhythm to count, so there are no counters and no anchor but ignorance. Reading order: evaluate.
"""

from collections.abc import Callable, Sequence

import numpy as np
from msgspec import Struct

from infra.errors import Refusal
from infra.evaluation.reading import Row
from projections.churn import telling
from projections.churn.anchors import Anchors
from projections.churn.features import Features
from streams.learning import metrics
from streams.learning.learner import Labelled, fresh, learn, predict
from streams.learning.metrics import Metrics

BLOCK = 32
"""Rows whose labels arrive together."""

YES = frozenset({"1", "1.0", "true", "yes", "y", "churned", "lost"})
NO = frozenset({"0", "0.0", "false", "no", "n", "retained", "stayed"})


class Report(Struct, frozen=True):
    """What came of a table."""

    rows: int
    lost: int
    model: Metrics
    last_half: Metrics


def evaluate(table: Sequence[Row], label: str, seen: Callable[[int], None]) -> Report:
    """Predict each row, then learn it. Raises Refusal."""
    if not table or label not in table[0]:
        raise Refusal(f"The table has no column {label!r}.")
    lost = [_lost(row[label], label) for row in table]
    learner = fresh(365)
    logits: list[float] = []
    for start in range(0, len(table), BLOCK):
        block: list[Labelled] = []
        for row, churned in zip(table[start : start + BLOCK], lost[start : start + BLOCK], strict=True):
            found = features({name: value for name, value in row.items() if name != label})
            said = predict(learner, found, Anchors())
            block.append(Labelled(found, Anchors(), said, churned))
            logits.append(said.logit)
        learner = learn(learner, block, days=0)
        seen(start + len(block))
    truth, said_all, half = np.array(lost, dtype=np.float64), np.array(logits), len(lost) // 2
    return Report(len(lost), sum(lost), metrics.judge(truth, said_all), metrics.judge(truth[half:], said_all[half:]))


def features(row: Row) -> Features:
    """A row as the live features would have it: numbers that measure, words that repeat; a customer's id is neither."""
    found = {"one": 1.0}
    for name, number in telling.numbers(row):
        found[f"read:{name}"] = float(np.arcsinh(number))
        if number == 0.0:
            found[f"said:{name}=0"] = 1.0
    for name, word in telling.words(row):
        found[f"said:{name}={word}"] = 1.0
    return found


def _lost(value: object, label: str) -> bool:
    word = str(value).strip().lower()
    if word in YES or word in NO:
        return word in YES
    raise Refusal(f"The column {label!r} says {word[:40]!r}, which is neither yes nor no.")
