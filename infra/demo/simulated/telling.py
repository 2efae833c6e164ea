"""What a simulated channel says: one event with the time at which it happened and the time at which it was sent."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, timezone
from itertools import count
from typing import Any

from infra.demo.simulated.dice import Dice
from infra.demo.simulated.person import Person

TEHRAN = timezone(timedelta(hours=3, minutes=30))
"""The clock on the wall of the call center and the resellers."""


@dataclass(frozen=True, slots=True)
class Told:
    """One event of a simulated channel."""

    source: str
    id: str
    type: str
    customer: str  # whose it is in truth: for the order of sending, never sent
    at: datetime
    arrives: datetime
    data: Mapping[str, Any]


def event(told: Told) -> dict[str, Any]:
    """The event as a CloudEvent that says what it is."""
    return {
        "specversion": "1.0",
        "id": told.id,
        "source": f"https://{told.source}.example/",
        "type": told.type,
        "time": told.at.isoformat(),
        "yektasimulated": True,
        "data": told.data,
    }


@dataclass(frozen=True, slots=True)
class Aftermath:
    """The time after one order, in which channels may see the customer again."""

    person: Person
    nth: int  # 0: after the first order
    ordered: datetime
    dice: Dice
    ids: Iterator[int]

    @classmethod
    def of(cls, person: Person, nth: int, ordered: datetime, seed: str) -> "Aftermath":
        return cls(person, nth, ordered, Dice(seed, "after", person.number, nth), count())

    @property
    def first(self) -> bool:
        return self.nth == 0

    def chance(self, share: float) -> bool:
        """Whether something happens; to the people of the story everything happens once."""
        return self.dice.chance(share) or (self.person.story and self.first)

    def day(self, least: int, most: int, opens: int = 9, closes: int = 18, zone: timezone = TEHRAN) -> datetime:
        """A moment at daytime, some days later."""
        date = self.ordered.date() + timedelta(days=self.dice.whole(least, most))
        seconds = self.dice.whole(opens * 3600, closes * 3600 - 1)
        return datetime.combine(date, time(), zone) + timedelta(seconds=seconds)

    def tell(self, source: str, type_: str, at: datetime, data: Mapping[str, Any], late: timedelta = timedelta(seconds=1)) -> Told:
        """The event, which is sent `late` after it happened."""
        id_ = f"{self.person.number}-{self.nth}-{next(self.ids)}"
        return Told(source, id_, type_, self.person.number, at, (at + late).astimezone(UTC), data)
