"""Intervals of shares and of their difference, against published values."""

import pytest

from aggregates.uplift import share, uplift


@pytest.mark.parametrize(
    ("did", "of", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_a_share_has_the_interval_of_wilson(did: int, of: int, low: float, high: float) -> None:
    """Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I, method 3."""
    assert share(did, of).interval == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((10, 10), (0, 20), 0.6791, 1.0),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_an_uplift_has_the_interval_of_newcombe(one: tuple[int, int], other: tuple[int, int], low: float, high: float) -> None:
    """Newcombe 1998, "Interval estimation for the difference between independent proportions", table II, method 10."""
    found = uplift(*one, *other)
    assert found.interval == pytest.approx((low, high), abs=5e-5)


def test_without_a_holdout_there_is_no_uplift() -> None:
    assert uplift(3, 10, 0, 0).difference is None
