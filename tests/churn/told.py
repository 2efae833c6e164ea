"""Facts for the tests of churn, without a log."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from aggregates.fact import Fact
from aggregates.touchpoint import channel_of

BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
FIRST = 19_723
"""The number of that day."""


def fact(day: float, type_: str = "sales.order_placed", /, **data: Any) -> Fact:
    """What happened so many days after the beginning."""
    at = BEGIN + timedelta(days=day)
    return Fact(UUID(int=int(day * 86_400)), at, at, at, "", type_, channel_of(type_), "", "", data, ())
