"""By when somebody has to answer and to resolve, by how urgent it is: in hours during which the desk is open."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from aggregates.contracts.service import Priority
from aggregates.service_request.hours import Hours, add

HOUR = 3600


class Target(NamedTuple):
    """Seconds until the first answer and until it is resolved."""

    response: int
    resolution: int
    always: bool = False  # night and holidays count too


TARGETS: Mapping[Priority, Target] = MappingProxyType(
    {
        "urgent": Target(HOUR // 2, 4 * HOUR, always=True),
        "high": Target(2 * HOUR, 9 * HOUR),
        "normal": Target(4 * HOUR, 27 * HOUR),
        "low": Target(9 * HOUR, 63 * HOUR),
    }
)


def hours_of(priority: Priority, hours: Hours) -> Hours:
    """The hours that count for a request of this priority."""
    return Hours(hours.zone, hours.country, hours.week, always=TARGETS[priority].always)


def dues(priority: Priority, at: datetime, hours: Hours) -> tuple[datetime, datetime]:
    """By when to answer and by when to resolve what was asked at this moment."""
    target, counted = TARGETS[priority], hours_of(priority, hours)
    return add(at, target.response, counted), add(at, target.resolution, counted)
