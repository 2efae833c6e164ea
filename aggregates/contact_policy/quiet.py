"""Says when quiet hours end, by the clock on the customer's wall."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from aggregates.contact_policy.policy import Quiet


def quiet_until(quiet: Quiet, zone: str, at: datetime) -> datetime | None:
    """The end of the quiet hours that `at` lies in; None when it lies in none."""
    local = at.astimezone(ZoneInfo(zone))
    minute = local.hour * 60 + local.minute
    over_midnight = quiet.start > quiet.end
    inside = (minute >= quiet.start or minute < quiet.end) if over_midnight else quiet.start <= minute < quiet.end
    if not inside:
        return None
    day = local.date() + timedelta(days=1 if minute >= quiet.end else 0)
    end = datetime(day.year, day.month, day.day, quiet.end // 60, quiet.end % 60, tzinfo=local.tzinfo).astimezone(UTC)
    return end if end > at else None  # an hour that the clock repeats in autumn
