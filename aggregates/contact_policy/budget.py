"""What contacts may cost in a calendar period, for each campaign or for all together. Reading order: Budget, Spent, over."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, Protocol, get_args
from zoneinfo import ZoneInfo

from aggregates.rules.window import Period, days_of

Per = Literal["campaign", "all"]
PERS: tuple[Per, ...] = get_args(Per)


@dataclass(frozen=True, slots=True)
class Budget:
    """No more than this in one period."""

    amount: int
    period: Period
    costs: Mapping[str, int]  # of one contact, by channel; any other costs nothing
    per: Per = "campaign"

    def days(self, at: datetime, zone: str) -> tuple[date, date]:
        """The first day of the period, and of the next."""
        return days_of(self.period, at.astimezone(ZoneInfo(zone)).date())

    def cost(self, made: Mapping[str, int]) -> int:
        """What so many contacts by these channels cost."""
        return sum((self.costs.get(channel, 0) * count for channel, count in made.items()), 0)


class Spent(Protocol):
    """What was spent in the period that it is."""

    def __call__(self, campaign: str, /) -> int: ...


def nothing(campaign: str, /) -> int:
    """Where no budget binds."""
    del campaign
    return 0


def over(budget: Budget, spent: Spent, campaign: str, channel: str) -> bool:
    """Whether one more contact by this channel would be beyond the budget."""
    cost = budget.costs.get(channel, 0)
    return bool(cost) and spent(campaign) + cost > budget.amount
