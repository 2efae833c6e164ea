"""The batch model beside which scores are judged knows all of its past, and begins where it ended the last time."""

from itertools import cycle

import numpy as np
import pytest

from aggregates.churn import Definition
from infra.evaluation import batch as weekly
from infra.evaluation.batch import Weekly
from projections.churn.anchors import NONE
from streams.learning import batch, vocabulary
from streams.learning.batch import Fitted
from streams.learning.course import Judged
from streams.learning.learner import Prediction
from streams.learning.logistic import Array, sigmoid
from streams.learning.waiting import Example


def _labels() -> tuple[Array, Array]:
    chance = np.random.default_rng(1)
    inputs = np.concatenate([np.ones((2_000, 1)), chance.normal(size=(2_000, 9))], axis=1)
    return inputs, (chance.random(2_000) < sigmoid(inputs @ np.linspace(-1.0, 1.0, 10))).astype(np.float64)


def test_what_was_found_the_week_before_saves_steps_and_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs, lost = _labels()
    before = batch.fit(inputs[:1_900, :8], lost[:1_900])  # two features came since
    steps = list[int]()
    solve = np.linalg.solve

    def counted(curvature: Array, slope: Array) -> Array:
        steps.append(1)
        return np.asarray(solve(curvature, slope), dtype=np.float64)

    monkeypatch.setattr(np.linalg, "solve", counted)
    anew = batch.fit(inputs, lost)
    of_anew = len(steps)
    warm = batch.fit(inputs, lost, batch.fit(inputs[100:], lost[100:]))
    of_both = len(steps) - of_anew
    assert of_both < 2 * of_anew
    for found in (warm, batch.fit(inputs, lost, before)):
        assert found.weights == pytest.approx(anew.weights, abs=1e-6)


def test_what_was_found_before_does_not_lead_astray() -> None:
    inputs, lost = _labels()
    anew = batch.fit(inputs, lost)
    astray = Fitted(anew.centre, anew.scale, -1_000.0 * anew.weights)
    assert batch.fit(inputs, lost, astray).weights == pytest.approx(anew.weights, abs=1e-6)


def test_a_batch_model_over_a_long_log_is_trained_on_all_of_its_past_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    trained = list[list[float]]()

    def taught(inputs: Array, lost: Array, near: Fitted | None) -> None:
        del near
        assert len(inputs) == len(lost)
        trained.append([float(number) for number in inputs[:, place]])

    monkeypatch.setattr(weekly, "fit", taught)
    monkeypatch.setattr(weekly, "MOST", 400)
    usual, number, sizes = Weekly(Definition(horizon=30)), 0, cycle((3, 0, 7, 11))
    place = vocabulary.named().names.index("tenure")
    for day, size in zip(range(730), sizes, strict=False):
        told = [Example("", day, {"tenure": float(number + nth)}, NONE, Prediction(0.0, ())) for nth in range(size)]
        usual.say(day, [Judged(one, lost=False) for one in told])
        number += size
    assert max(map(len, trained)) <= 400
    (apart,) = set(np.diff(trained[-1]))
    assert len(trained[-1]) >= 200
    assert apart > 1 > trained[-1][0] - apart
    assert trained[-1][-1] > number - apart - (30 + 7 + 2 + 7) * 21 / 4  # all but what waits for its label, or for its week
