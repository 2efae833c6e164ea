"""Which days of the past a dry run goes through: so many, until a day that somebody names, or until now.

Reading order: Past, asked, replayed.
"""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from api.desk.forms import due
from api.desk.locale import Locale
from api.ports import Dependencies
from projections.positions import replaying

RANGES = (7, 30, 90)


class Past(NamedTuple):
    """The range of a dry run, and what of it was typed."""

    days: int
    said: str  # the last day, as it was typed; empty: until now
    until: datetime

    @property
    def since(self) -> datetime:
        """Where it begins."""
        return self.until - timedelta(days=self.days)


def asked(fields: Mapping[str, str], now: datetime, zone: ZoneInfo) -> Past:
    """What a form asks for. Raises a 422 problem for a day that is none."""
    days, said = fields.get("days", ""), fields.get("until", "").strip()[:32]
    last = due(said, zone)
    until = now if last is None else min(now, datetime.combine(last.date() + timedelta(days=1), time(), zone))
    return Past(int(days) if days in map(str, RANGES) else RANGES[-1], said, until)


async def replayed(dependencies: Dependencies, since: datetime, locale: Locale) -> str:
    """The day that sources which replay their own time have come to, where all of theirs lies before the range; else nothing."""
    async with dependencies.pool.connection() as connection:
        last = await replaying.latest(connection)
    return locale.numeric(last) if last is not None and last < since else ""
