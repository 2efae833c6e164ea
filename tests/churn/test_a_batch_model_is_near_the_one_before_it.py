"""A batch model that is trained anew on nearly the same labels begins where it ended the last time, and finds what it would have found."""

import numpy as np
import pytest

from streams.learning import batch
from streams.learning.batch import Fitted
from streams.learning.logistic import Array, sigmoid


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
