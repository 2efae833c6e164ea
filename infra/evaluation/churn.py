"""Runs the live course of churn over a log and judges it beside the counters, the prior, a batch model and, where asked for, River's.

Reading order: evaluate, Report.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import groupby, pairwise
from math import floor
from typing import Any

import numpy as np
from msgspec import Struct

from aggregates.churn import DAY, Definition, matures
from infra.errors import Refusal
from infra.evaluation.batch import MOST, Weekly
from infra.evaluation.online import Kind, Online
from infra.evaluation.reading import Told
from projections.churn.features import brings_in
from projections.churn.fold import bought
from streams.learning import course as courses
from streams.learning import logistic, metrics
from streams.learning.course import Course, Judged
from streams.learning.learner import ANCHOR_DEVIATIONS, RECIPES
from streams.learning.logistic import Array
from streams.learning.metrics import Metrics

FEWEST = 20
"""Of each outcome in a month, for its AUC to mean something."""

USUAL = 7
"""Days without a purchase at the end of a log that are no cause to ask."""

NOBODY_TWICE = (
    "Nobody of the log buys twice: its column of customers may be one of orders, and another can be named with --columns customer=NAME."
)

Seen = Callable[[int], None]


class Judgement(Struct, frozen=True):
    """All models on the same rows."""

    rows: int
    lost: int
    models: dict[str, Metrics]
    why_no_auc: str = ""  # where all came to the same


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
    warning: str = ""  # what of the log makes labels untrue; empty where nothing is known to
    batch_trained_on: int = MOST  # labels, each week; the live one is trained on fewer and as days are closed, so the two are not the same


class Kept:
    """What is kept of the examples whose label is known, as numbers: a long log has millions of them."""

    def __init__(self, definition: Definition, river: Sequence[Kind]) -> None:
        self._rivals = {"batch": Weekly(definition)} | {f"river_{kind}": Online(definition, kind) for kind in river}
        self._days: list[tuple[Array, Array, Array]] = []  # day and label; counters; logits of the model and of its rivals

    def take(self, judged: Sequence[Judged]) -> None:
        """Examples in order of their days."""
        for day, of_day in groupby(judged, lambda one: one.example.day):
            found = list(of_day)
            labels = np.array([(day, one.lost) for one in found], dtype=np.float64)
            logits = np.array([one.example.prediction.logit for one in found])
            counters = np.array([one.example.anchors for one in found])
            self._days.append((labels, counters, np.stack([logits, *(one.say(day, found) for one in self._rivals.values())], axis=1)))

    def columns(self) -> tuple[Array, Array, Array, dict[str, Array]]:
        """Days, labels, counters, and logits by who said them."""
        labels, counters, logits = (np.concatenate(found) for found in zip(*self._days, strict=True))
        return labels[:, 0], labels[:, 1], counters, dict(zip(("model", *self._rivals), logits.T, strict=True))

    def __len__(self) -> int:
        return sum(len(labels) for labels, _, _ in self._days)


def run(definition: Definition, told: Sequence[Told], seen: Seen, river: Sequence[Kind] = ()) -> tuple[Course, Kept, Kept]:
    """The live code over a log: the examples at events and those of the silent whose labels are known by its last day, and no other."""
    course = courses.begin(definition)
    at_events, silent = Kept(definition, river), Kept(definition, river)

    def keep(judged: Sequence[Judged]) -> None:
        if judged:
            at_events.take([one for one in judged if not one.example.silent])
            silent.take([one for one in judged if one.example.silent])

    for number, (customer, fact) in enumerate(told, 1):
        keep(courses.take(course, customer, fact))
        if not number % 1_000:
            seen(number)
    last = int(told[-1].fact.at.timestamp() // DAY)
    keep(courses.pass_to(course, last + 1))
    return course, at_events, silent


def evaluate(definition: Definition, told: Sequence[Told], tail: int | None, seen: Seen, river: Sequence[Kind] = ()) -> Report:
    """Run, and judge on the last half and on the tail, beside River's models that are asked for. Raises Refusal when there is nothing to
    judge."""
    course, judged, silent = run(definition, told, seen, river)
    if len(judged) < 2:
        raise Refusal(_why_nothing(definition, told, course, len(judged)))
    days, lost, said = _said(definition, judged)
    half = len(judged) // 2
    again = definition.contractual or any(state.rhythm is not None and state.rhythm.orders > 1 for state in course.states.values())
    return Report(
        definition,
        len(told),
        len(course.states),
        len(judged),
        sum(map(len, course.waiting.values())),
        _judgement(definition, lost, said, half, bought_again=again),
        None if tail is None else _judgement(definition, lost, said, max(0, len(judged) - tail), bought_again=again),
        _judgement(definition, *_said(definition, silent)[1:], len(silent) // 2, bought_again=again) if len(silent) > 1 else None,
        tuple(_months(days, lost, said)),
        {recipe.name: float(share) for recipe, share in zip(RECIPES, course.learner.shares, strict=True)},
        _ended_early(definition, told),
    )


def _ended_early(definition: Definition, told: Sequence[Told]) -> str:
    """That purchases end before the log does, as where two tables were put together of which one is older; empty where they do not: there
    was as long a time without one before."""
    days = [int(one.fact.at.timestamp() // DAY) for one in told if bought(definition, one.fact)]
    if definition.contractual or not days:
        return ""
    silent = int(told[-1].fact.at.timestamp() // DAY) - days[-1]
    if silent <= max([USUAL, *[later - sooner for sooner, later in pairwise(days)]]):
        return ""
    until = datetime.fromtimestamp(days[-1] * DAY, UTC).date()
    return (
        f"The log ends {silent:,} days after its last purchase, of {until}: if purchases of these days are missing, customers count as "
        "lost who are not. Then leave out what came later."
    )


def _why_nothing(definition: Definition, told: Sequence[Told], course: Course, labels: int) -> str:
    """Why there is nothing to judge."""
    if labels:
        return "One label of the log is known, and one alone cannot be judged."
    if not course.waiting:
        if definition.only and not any(brings_in(definition, one.fact) for one in told):
            said = " and ".join(f"{' or '.join(words)} in {field}" for field, words in definition.only.items())
            return f"Nobody of the log is ever scored: none of its {'contracts' if definition.contractual else 'purchases'} says {said}."
        if definition.contractual:
            return (
                f"Nobody of the log is ever scored: each contract, with its {definition.grace} days of grace, is over on the day it begins."
            )
        return (
            "Nobody of the log is ever scored: the amount of each purchase is negative, which is read as a return. Turn the sign of "
            "amounts, or leave them out with --columns amount=."
        )
    if matures(definition, floor(told[0].fact.at.timestamp() / DAY)) > floor(told[-1].fact.at.timestamp() / DAY) + 1:
        return f"No label of the log is known: it is not longer than the horizon of {definition.horizon} days."
    return f"No label of the log is known: whoever is scored came in less than the horizon of {definition.horizon} days before its end."


def _said(definition: Definition, judged: Kept) -> tuple[Array, Array, dict[str, tuple[Array, Array]]]:
    """Days, labels, and what each model said: logits, and what it ranks by. A calibration that learns as the model does makes chances
    of counters."""
    days, lost, anchors, said = judged.columns()
    prior, decayed, bought = anchors[:, 0], anchors[:, 1], anchors[:, 2]
    learnt = {name: (logits, logits) for name, logits in said.items()}
    return (
        days,
        lost,
        {
            "model": learnt.pop("model"),
            "purchase_count": (_calibrated(definition, days, lost, bought), bought),
            "decayed_count": (_calibrated(definition, days, lost, decayed), decayed),
            "prior": (prior, prior),
            **learnt,
        },
    )


def _calibrated(definition: Definition, days: Array, lost: Array, counter: Array) -> Array:
    """A counter as a chance: intercept and slope, learnt when labels are known."""
    belief = logistic.ignorant(ANCHOR_DEVIATIONS)
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


def _judgement(definition: Definition, lost: Array, said: dict[str, tuple[Array, Array]], start: int, *, bought_again: bool) -> Judgement:
    rows = slice(start, None)
    return Judgement(
        len(lost[rows]),
        int(lost[rows].sum()),
        {name: metrics.judge(lost[rows], logits[rows], ranks[rows]) for name, (logits, ranks) in said.items()},
        _why_no_auc(definition, len(lost[rows]), int(lost[rows].sum()), bought_again=bought_again),
    )


def _why_no_auc(definition: Definition, rows: int, lost: int, *, bought_again: bool = True) -> str:
    """Why there is no AUC, where only one outcome was seen; empty where there is one."""
    if 0 < lost < rows:
        return ""
    if lost:
        sentence = "All of these rows were lost; an AUC needs both outcomes."
        return sentence if bought_again else f"{sentence} {NOBODY_TWICE}"
    sentence = f"None of these rows was lost within the horizon of {definition.horizon} days; an AUC needs both outcomes."
    if not definition.contractual:
        return sentence
    return (
        f"{sentence} A contract that runs out is lost when its {definition.grace} days of grace are over: of a contract that ends in "
        f"{definition.horizon} days, {definition.horizon + definition.grace} days ahead, which a longer horizon sees."
    )


def _months(days: Array, lost: Array, said: dict[str, tuple[Array, Array]]) -> list[dict[str, Any]]:
    """The AUC of each model, month by month of the examples."""
    different, places = np.unique(days, return_inverse=True)
    names = np.array([datetime.fromtimestamp(day * DAY, UTC).strftime("%Y-%m") for day in different])[places]
    months: list[dict[str, Any]] = []
    for month in np.unique(names):
        of_month = names == month
        if min(lost[of_month].sum(), (1.0 - lost[of_month]).sum()) >= FEWEST:
            areas = {name: metrics.auc(lost[of_month], ranks[of_month]) for name, (_, ranks) in said.items()}
            months.append({"month": str(month), "rows": int(of_month.sum()), **areas})
    return months
