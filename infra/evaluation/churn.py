"""Runs the live course of churn over a log and judges it beside the counters, the prior and a batch model.

Reading order: evaluate, Report.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from msgspec import Struct

from aggregates.churn import DAY, Definition
from infra.errors import Refusal
from infra.evaluation import batch
from infra.evaluation.reading import Told
from streams.learning import course as courses
from streams.learning import logistic, metrics
from streams.learning.course import Course, Judged
from streams.learning.learner import ANCHOR_DEVIATIONS, RECIPES
from streams.learning.logistic import Array
from streams.learning.metrics import Metrics

FEWEST = 20
"""Of each outcome in a month, for its AUC to mean something."""

Seen = Callable[[int], None]


class Judgement(Struct, frozen=True):
    """All models on the same rows."""

    rows: int
    lost: int
    models: dict[str, Metrics]


class Report(Struct, frozen=True):
    """What came of a log."""

    definition: Definition
    events: int
    customers: int
    labelled: int
    waiting: int  # examples whose horizon is not over
    half: Judgement  # on the last half of the labelled rows
    tail: Judgement | None
    silent: Judgement | None  # on the last half of the scores that were given to the silent
    months: tuple[dict[str, Any], ...]
    race: dict[str, float]  # the experts' weights at the end


def run(definition: Definition, told: Sequence[Told], seen: Seen) -> tuple[Course, list[Judged]]:
    """The live code over a log: labels that are known by its last day, and no other, were learnt."""
    course = courses.begin(definition)
    judged: list[Judged] = []
    for number, (customer, fact) in enumerate(told, 1):
        judged += courses.take(course, customer, fact)[1]
        if not number % 1_000:
            seen(number)
    last = int(told[-1].fact.at.timestamp() // DAY)
    judged += courses.pass_to(course, last + 1)
    return course, judged


def evaluate(definition: Definition, told: Sequence[Told], tail: int | None, seen: Seen) -> Report:
    """Run, and judge on the last half and on the tail. Raises Refusal when there is nothing to judge."""
    course, judged = run(definition, told, seen)
    silent = [one for one in judged if one.example.silent]
    judged = [one for one in judged if not one.example.silent]
    if len(judged) < 2:
        raise Refusal(f"No label of the log is known: it is not longer than the horizon of {definition.horizon} days.")
    lost = np.array([float(one.lost) for one in judged])
    said = _said(definition, judged)
    half = len(judged) // 2
    return Report(
        definition,
        len(told),
        len(course.states),
        len(judged),
        sum(map(len, course.waiting.values())),
        _judgement(lost, said, half),
        None if tail is None else _judgement(lost, said, max(0, len(judged) - tail)),
        _judgement(*_of_silent(definition, silent), len(silent) // 2) if len(silent) > 1 else None,
        tuple(_months(judged, lost, said)),
        {recipe.name: float(share) for recipe, share in zip(RECIPES, course.learner.shares, strict=True)},
    )


def _of_silent(definition: Definition, silent: Sequence[Judged]) -> tuple[Array, dict[str, tuple[Array, Array]]]:
    return np.array([float(one.lost) for one in silent]), _said(definition, silent)


def _said(definition: Definition, judged: Sequence[Judged]) -> dict[str, tuple[Array, Array]]:
    """What each model said: logits, and what it ranks by. A calibration that learns as the model does makes chances of counters."""
    anchors = np.array([one.example.anchors for one in judged])
    prior, decayed, bought = anchors[:, 0], anchors[:, 1], anchors[:, 2]
    model = np.array([one.example.prediction.logit for one in judged])
    trained = batch.weekly(definition, judged)
    return {
        "model": (model, model),
        "purchase_count": (_calibrated(definition, judged, bought), bought),
        "decayed_count": (_calibrated(definition, judged, decayed), decayed),
        "prior": (prior, prior),
        "batch": (trained, trained),
    }


def _calibrated(definition: Definition, judged: Sequence[Judged], counter: Array) -> Array:
    """A counter as a chance: intercept and slope, learnt when labels are known."""
    belief = logistic.ignorant(ANCHOR_DEVIATIONS)
    lost = np.array([float(one.lost) for one in judged])
    days = np.array([one.example.day for one in judged])
    inputs = np.stack([np.ones_like(counter), counter], axis=1)
    logits = counter.copy()
    known = 0
    for day in np.unique(days):
        until = int(np.searchsorted(days, day - definition.horizon))
        if until > known:
            belief = logistic.learn(belief, ANCHOR_DEVIATIONS, inputs[known:until], counter[known:until], lost[known:until])
            known = until
        now = slice(int(np.searchsorted(days, day)), int(np.searchsorted(days, day, side="right")))
        logits[now] += inputs[now] @ belief.mean
    return logits


def _judgement(lost: Array, said: dict[str, tuple[Array, Array]], start: int) -> Judgement:
    rows = slice(start, None)
    return Judgement(
        len(lost[rows]),
        int(lost[rows].sum()),
        {name: metrics.judge(lost[rows], logits[rows], ranks[rows]) for name, (logits, ranks) in said.items()},
    )


def _months(judged: Sequence[Judged], lost: Array, said: dict[str, tuple[Array, Array]]) -> list[dict[str, Any]]:
    """The AUC of each model, month by month of the examples."""
    names = np.array([datetime.fromtimestamp(one.example.day * DAY, UTC).strftime("%Y-%m") for one in judged])
    months: list[dict[str, Any]] = []
    for month in np.unique(names):
        of_month = names == month
        if min(lost[of_month].sum(), (1.0 - lost[of_month]).sum()) >= FEWEST:
            areas = {name: metrics.auc(lost[of_month], ranks[of_month]) for name, (_, ranks) in said.items()}
            months.append({"month": str(month), "rows": int(of_month.sum()), **areas})
    return months
