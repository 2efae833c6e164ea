"""Intervals of shares and of their difference, against published values; and what the desk says of them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from aggregates.uplift import share, uplift
from api.desk.bringing import Verdict, laid_out
from api.desk.locale import Locale
from projections.contacts.responses import Arms

EN, FA = (Locale(language, ZoneInfo("Asia/Tehran"), datetime(2026, 11, 30, tzinfo=UTC)) for language in ("en", "fa"))


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


@pytest.mark.parametrize(
    ("arms", "verdict"),
    [
        (Arms(100, 40, 100, 10, 0), "more"),
        (Arms(100, 10, 100, 40, 0), "less"),
        (Arms(40, 0, 20, 0, 3), "unsure"),
        (Arms(40, 2, 0, 0, 0), "no_holdout"),
        (Arms(0, 0, 20, 1, 0), "no_contact"),
        (Arms(0, 0, 0, 0, 7), "too_early"),
        (Arms(0, 0, 0, 0, 0), "nobody"),
    ],
)
def test_the_desk_says_in_a_word_what_a_rule_brought_and_when_that_cannot_be_told(arms: Arms, verdict: Verdict) -> None:
    for locale in (EN, FA):
        shown = laid_out(arms, locale)
        assert shown.verdict == verdict
        assert locale.knows(f"uplift.verdict.{verdict}")
        assert bool(shown.difference) == (verdict in ("more", "less", "unsure"))


def test_the_numbers_of_an_uplift_are_in_the_digits_of_the_reader() -> None:
    shown = laid_out(Arms(70, 56, 80, 48, 0), EN)
    assert (shown.difference, shown.interval) == ("+20.0", "+5.2 to +33.4")
    assert [(arm.of, arm.did, arm.share) for arm in shown.arms] == [(70, 56, "80.0%"), (80, 48, "60.0%")]
    assert laid_out(Arms(70, 56, 80, 48, 0), FA).arms[0].share == "۸۰٫۰٪"
    assert laid_out(Arms(10, 0, 20, 0, 0), EN).interval == "\N{MINUS SIGN}16.1 to +27.8"
