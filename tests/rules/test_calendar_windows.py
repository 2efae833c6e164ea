"""Days, weeks and months of both calendars, against vectors that were taken from printed calendars."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregates import jalali
from aggregates.rules.window import PERIODS, Calendar, days_of

NEW_YEARS = {
    1375: date(1996, 3, 20),
    1376: date(1997, 3, 21),
    1379: date(2000, 3, 20),
    1395: date(2016, 3, 20),
    1396: date(2017, 3, 21),
    1399: date(2020, 3, 20),
    1400: date(2021, 3, 21),
    1403: date(2024, 3, 20),
    1404: date(2025, 3, 21),
    1405: date(2026, 3, 21),
    1408: date(2029, 3, 20),
}


@pytest.mark.parametrize(("year", "first"), NEW_YEARS.items())
def test_a_persian_year_begins_when_the_calendar_says(year: int, first: date) -> None:
    assert jalali.of(first) == (year, 1, 1)
    assert jalali.of(first - timedelta(days=1))[:2] == (year - 1, 12)


@pytest.mark.parametrize(
    ("day", "persian"),
    [
        (date(2026, 11, 22), (1405, 9, 1)),
        (date(1979, 2, 11), (1357, 11, 22)),
        (date(2021, 3, 20), (1399, 12, 30)),
        (date(2024, 9, 21), (1403, 6, 31)),
        (date(2024, 9, 22), (1403, 7, 1)),
        (date(2025, 3, 20), (1403, 12, 30)),
        (date(1997, 8, 5), (1376, 5, 14)),
    ],
)
def test_a_day_has_its_persian_date(day: date, persian: tuple[int, int, int]) -> None:
    assert jalali.of(day) == persian


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)))
def test_periods_follow_each_other_without_gap(day: date) -> None:
    for period in PERIODS:
        first, after = days_of(period, day)
        assert first <= day < after
        assert days_of(period, after)[0] == after
        assert days_of(period, after - timedelta(days=1)) == (first, after)


def test_a_persian_month_has_29_to_31_days() -> None:
    for offset in range(0, 9_000, 7):
        first, after = jalali.month_of(date(2000, 1, 1) + timedelta(days=offset))
        month = jalali.of(first).month
        assert (after - first).days in ({31} if month <= 6 else {30} if month < 12 else {29, 30})


def test_a_week_begins_on_saturday() -> None:
    assert days_of("week", date(2026, 11, 22)) == (date(2026, 11, 21), date(2026, 11, 28))


def test_a_period_begins_at_midnight_of_its_zone() -> None:
    month = Calendar("month", "Asia/Tehran")
    at = datetime(2026, 3, 31, 21, tzinfo=UTC)  # half past midnight, the first of April
    assert not month.holds(datetime(2026, 3, 31, 20, 29, 59, tzinfo=UTC), at)
    assert month.holds(datetime(2026, 3, 31, 20, 30, tzinfo=UTC), at)
