"""A desk's hours: Saturday to Thursday, never at night, never on a holiday of Iran."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregates.service_request.hours import Hours, add, between

TEHRAN = ZoneInfo("Asia/Tehran")
IRAN = Hours()


def at(day: int, hour: float, month: int = 11) -> datetime:
    return datetime(2026, month, day, tzinfo=TEHRAN) + timedelta(hours=hour)


@pytest.mark.parametrize(
    ("start", "hours", "due"),
    [
        (at(22, 10), 2, at(22, 12)),  # a Sunday
        (at(22, 16), 2, at(23, 9)),  # over night
        (at(26, 12), 2, at(28, 9)),  # Thursday ends at one, Friday is free
        (at(22, 3), 1, at(22, 9)),  # before it opens
        (at(11, 16), 10, at(14, 12)),  # the 13th is a holiday, and a Friday
        (at(19, 12, 3), 2, at(25, 9, 3)),  # Nowruz
    ],
)
def test_open_hours_pass(start: datetime, hours: float, due: datetime) -> None:
    assert add(start, hours * 3600, IRAN) == due


def test_what_is_urgent_does_not_sleep() -> None:
    assert add(at(27, 3), 3600, Hours(always=True)) == at(27, 4)


times = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)).map(lambda time: time.replace(tzinfo=UTC))  # noqa: DTZ001


@given(times, st.integers(1, 200 * 3600))
def test_counting_back_gives_what_was_added(start: datetime, seconds: int) -> None:
    assert between(start, add(start, seconds, IRAN), IRAN) == seconds
