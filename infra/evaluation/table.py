"""Judges the learner on a table that has no time: each block of rows is predicted before it is learnt (progressive validation).

There is nobody's rhythm to count, so there are no counters and no anchor but ignorance; the batch model, trained now and then on all rows
before, stands beside it. Reading order: evaluate, labels.
"""

import re
from collections.abc import Callable, Sequence

import numpy as np
from msgspec import Struct

from aggregates.normal.persian import fold
from infra.errors import Refusal
from infra.evaluation import numbers
from infra.evaluation.columns import folded
from infra.evaluation.files import Row
from infra.evaluation.reading import data_of, text_of
from projections.churn import telling
from projections.churn.anchors import NONE
from projections.churn.features import Features
from streams.learning import batch, metrics, vocabulary
from streams.learning.batch import FEWEST
from streams.learning.learner import Labelled, fresh, learn, predict_all
from streams.learning.metrics import Metrics

BLOCK = 32
"""Rows whose labels arrive together."""

TRAINED = 500
"""Rows after which the batch model is trained anew."""

LOST = (
    *("yes", "true", "churn", "lost", "attrit", "left", "exit", "cancel", "closed", "quit", "gone", "dormant", "lapsed", "terminated"),
    *("departed", "leaver"),
)
KEPT = (
    *("retain", "stay", "exist", "activ", "current", "joined", "open", "kept", "loyal", "remain", "renewed", "subscribed", "here"),
    *("still", "false"),
)
"""How labels begin that say who was lost, and who was not; behind a word that denies it they say the contrary."""

YES = frozenset({"1", "true", "yes", "y", "t", "بله", "بلی", "ریزش", "ریزش کرده", "رفته", "از دست رفته", "غیرفعال", "غیر فعال", "لغو شده"})
NO = frozenset({"0", "-1", "false", "no", "not", "n", "f", "خیر", "نه", "فعال", "مانده", "ماندگار", "وفادار", "نرفته", "ریزش نکرده"})
"""Labels that say so as a whole."""

_DENIED = re.compile(r"^(?:no longer|not yet|not|non|no|never|un|in(?=active)|de(?=activated))[\s_-]*")


class Report(Struct, frozen=True):
    """What came of a table."""

    rows: int
    lost: int
    passed_over: int  # without a label
    model: Metrics
    last_half: Metrics
    batch: Metrics
    batch_last_half: Metrics


def evaluate(table: Sequence[Row], label: str, seen: Callable[[int], None]) -> Report:
    """Predict each row, then learn it. Raises Refusal."""
    column, known, lost = labels(table, label)
    told = read(known, column)
    learner, trained = fresh(365), None
    words, past = vocabulary.named(), list[Features]()
    logits: list[float] = []
    usual: list[float] = []
    for start in range(0, len(known), BLOCK):
        some = [features(row) for row in told[start : start + BLOCK]]
        if start >= FEWEST and start // TRAINED != (start - BLOCK) // TRAINED:
            words = vocabulary.admit(vocabulary.named(), past)
            trained = batch.fit(vocabulary.matrix(words, past), metrics.labels(lost[:start]))
        usual += [0.0] * len(some) if trained is None else batch.said(trained, vocabulary.matrix(words, some)).tolist()
        said = predict_all(learner, some, [NONE] * len(some))
        block = [Labelled(found, NONE, one, was) for found, one, was in zip(some, said, lost[start : start + BLOCK], strict=True)]
        logits += [one.logit for one in said]
        past += some
        learner = learn(learner, block, days=0)
        seen(start + len(block))
    truth, half = metrics.labels(lost), len(lost) // 2
    ours, theirs = metrics.floats(logits), metrics.floats(usual)
    judged = [metrics.judge(truth[since:], said[since:]) for said in (ours, theirs) for since in (0, half)]
    return Report(len(lost), sum(lost), len(table) - len(known), *judged)


def labels(table: Sequence[Row], label: str) -> tuple[str, list[Row], list[bool]]:
    """The label's column, the rows that have one, and what it says of each. Raises Refusal."""
    there = dict.fromkeys(name for row in table for name in row)  # lines of JSON need not have all columns
    names = {folded(name): name for name in reversed(there)} | {name: name for name in there}
    column = names.get(label, names.get(folded(label)))
    if not table:
        raise Refusal("The table has no rows.")
    if column is None:
        raise Refusal(f"The table has no column {label!r}; it has {', '.join(there)}.", "Name the one that says who was lost with --label.")
    known = [row for row in table if text_of(row.get(column))]
    if not known:
        raise Refusal(f"The column {label!r} says nothing of anybody.")
    return column, known, [_lost(row[column], label) for row in known]


def read(rows: Sequence[Row], label: str) -> list[Row]:
    """Rows without their label, whose columns of numbers are numbers however they are written."""
    seen: dict[str, numbers.Column] = {}
    for row in rows:
        for name, cell in row.items():
            seen.setdefault(name, numbers.Column()).see(cell)
    commas = {name: column.comma for name, column in seen.items() if column.numeric}
    return [{name: data_of(name, value, commas) for name, value in row.items() if name != label} for row in rows]


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
    said = fold(text_of(value))
    number = numbers.number(said)
    word = said if number is None else f"{number:g}"
    if word in YES or word in NO:
        return word in YES
    denied = _DENIED.match(word)
    word = word[denied.end() :] if denied else word
    for answer, beginnings in ((True, LOST), (False, KEPT)):
        if word.startswith(beginnings):
            return answer is not bool(denied)
    raise Refusal(f"The column {label!r} says {said[:40]!r}, which is neither yes nor no.", "Write yes and no, or 1 and 0.")
