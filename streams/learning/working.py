"""The learner at work, day by day: what is learnt when a day begins, what is said of it when it is over.

A day's labels enter before anything is said of the day; silent customers are looked at when it begins; of each customer's events the last
counts. So what it says is what `course` says of the same facts, however the examples arrived. Reading order: Working, begin_day, say.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec
import numpy as np
from msgspec import Struct

from aggregates.churn import DAY, Definition, churned, matures
from projections.churn.examples import Evidence, Row
from projections.churn.weights import Model
from projections.churn.weights import logit as sum_of
from streams.learning import batch, drift, logistic, vocabulary
from streams.learning.drift import Watch
from streams.learning.learner import ANCHOR_DEVIATIONS, Labelled, Learner, Prediction, fresh, learn, predict_all
from streams.learning.logistic import Array, Logistic

COUNTERS = ("purchase_count", "decayed_count")
FEWEST = 50
"""New labels on which a candidate and the champion are compared."""


class Remembered(Struct, frozen=True, array_like=True):
    """What was said of an example besides the logit: needed to judge it."""

    experts: tuple[float, ...]
    counted: tuple[float, float]  # what the counters say as chances go
    batch: float


class Clock(Struct, frozen=True):
    """One time's days: ours, or that of replayed sources."""

    closed: int | None = None  # the last day that was gone through
    late: int | None = None  # the first day before it that has something unsaid again: it came late
    learnt: int | None = None  # the example days learnt last, at events
    quiet: int | None = None  # and in silence
    drifting: Watch = Watch()


class Contest(Struct, frozen=True):
    """The champion and a candidate on the same labels, which neither had learnt."""

    candidate: int | None = None  # a snapshot
    champion: int | None = None  # against which
    champion_loss: float = 0.0
    candidate_loss: float = 0.0
    labels: int = 0


class Working(Struct, frozen=True):
    """Everything of one definition's learner."""

    learner: Learner
    silence: Learner
    counters: tuple[Logistic, Logistic]  # what makes chances of the counters
    clocks: dict[str, Clock]
    contest: Contest = Contest()


def begin(horizon: int) -> Working:
    """Before the first example."""
    ignorant = logistic.ignorant(ANCHOR_DEVIATIONS)
    return Working(fresh(horizon), fresh(horizon), (ignorant, ignorant), {})


class Day(NamedTuple):
    """What came of a day."""

    working: Working
    labelled: list[Row]
    alarm: tuple[float, float] | None  # the loss drifted: of late, and until then


def begin_day(
    definition: Definition,
    working: Working,
    clock: str,
    day: int,
    known: Sequence[Row],
    lost: Callable[[Row], bool],
    contestants: tuple[Model | None, Model | None],
) -> Day:
    """Learn the labels that are known when a day begins: each example day at once, in order."""
    time = working.clocks.get(clock, Clock())
    labelled: list[Row] = []
    alarm: tuple[float, float] | None = None
    contest = working.contest
    for silent in (False, True):
        for example_day in sorted({row.day for row in known if row.silent is silent}):
            rows = [row for row in known if row.silent is silent and row.day == example_day]
            for row in rows:
                row.lost = lost(row)
            contest = _contested(contest, rows, contestants)
            last = time.quiet if silent else time.learnt
            days = 1 if last is None else max(1, example_day - last)
            if silent:
                working = msgspec.structs.replace(working, silence=learn(working.silence, _labels(rows), days))
                time = msgspec.structs.replace(time, quiet=example_day)
            else:
                counters = _count(working.counters, rows)
                working = msgspec.structs.replace(working, learner=learn(working.learner, _labels(rows), days), counters=counters)
                watch, found = drift.seen(time.drifting, [_loss(row.logit or 0.0, bool(row.lost)) for row in rows])
                alarm = found or alarm
                time = msgspec.structs.replace(time, learnt=example_day, drifting=watch)
            labelled += rows
    time = msgspec.structs.replace(time, closed=day, late=None)
    return Day(msgspec.structs.replace(working, clocks=working.clocks | {clock: time}, contest=contest), labelled, alarm)


def say(working: Working, rows: Sequence[Row], rival: tuple[vocabulary.Vocabulary, batch.Fitted] | None) -> None:
    """What the learners say of examples as they are now; it is written into them."""
    for silent in (False, True):
        some = [row for row in rows if row.silent is silent]
        if not some:
            continue
        learner = working.silence if silent else working.learner
        said = predict_all(learner, [row.features for row in some], [row.anchors for row in some])
        anchors = np.array([row.anchors for row in some])
        counted = [anchors[:, 2 - place] + _line(anchors[:, 2 - place]) @ belief.mean for place, belief in enumerate(working.counters)]
        usual = np.zeros(len(some))
        if rival is not None:
            usual = batch.said(rival[1], vocabulary.matrix(rival[0], [row.features for row in some]))
        for place, (row, one) in enumerate(zip(some, said, strict=True)):
            row.logit = one.logit
            row.remembered = msgspec.msgpack.encode(
                Remembered(one.experts, (float(counted[0][place]), float(counted[1][place])), float(usual[place]))
            )


def is_lost(definition: Definition, row: Row, known: Evidence) -> bool:
    """The label of an example, when its horizon is over."""
    losses = known.losses
    if known.ends is not None and known.ends + definition.grace <= matures(definition, row.day):
        losses = (*losses, int(known.ends + definition.grace))
    return churned(definition, row.day, known.returns, losses)


_remembered = msgspec.msgpack.Decoder(Remembered)


def recalled(written: bytes) -> Remembered:
    """What was said of an example, as it was written down."""
    return _remembered.decode(written)


def month_of(day: int) -> datetime:
    """The first moment of a day's month."""
    return datetime.fromtimestamp(day * DAY, UTC).replace(day=1)


def _labels(rows: Sequence[Row]) -> list[Labelled]:
    found = []
    for row in rows:
        said = recalled(row.remembered or b"")
        prediction = Prediction(row.logit or 0.0, said.experts)
        found.append(Labelled(row.features, row.anchors, prediction, bool(row.lost)))
    return found


def _contested(contest: Contest, rows: Sequence[Row], contestants: tuple[Model | None, Model | None]) -> Contest:
    champion, candidate = contestants
    if champion is None or candidate is None:
        return contest
    losses = [0.0, 0.0]
    for row in rows:
        for place, model in enumerate((champion, candidate)):
            weights = model.silence if row.silent else model.events
            losses[place] += _loss(sum_of(weights, row.features, row.anchors), bool(row.lost))
    return msgspec.structs.replace(
        contest,
        champion_loss=contest.champion_loss + losses[0],
        candidate_loss=contest.candidate_loss + losses[1],
        labels=contest.labels + len(rows),
    )


def _count(counters: tuple[Logistic, Logistic], rows: Sequence[Row]) -> tuple[Logistic, Logistic]:
    """A calibration that learns as the model does makes chances of the counters."""
    anchors = np.array([row.anchors for row in rows])
    lost = np.array([float(bool(row.lost)) for row in rows])
    bought, decayed = (
        logistic.learn(belief, ANCHOR_DEVIATIONS, _line(anchors[:, 2 - place]), anchors[:, 2 - place], lost)
        for place, belief in enumerate(counters)
    )
    return bought, decayed


def _line(counter: Array) -> Array:
    return np.stack([np.ones_like(counter), counter], axis=1)


def _loss(logit: float, lost: bool) -> float:
    return float(np.logaddexp(0.0, logit) - lost * logit)
