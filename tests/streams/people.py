"""What happens to a few customers: touchpoints as a door would have sealed them, in no order of time, some making two customers one."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from aggregates.reading import read
from aggregates.sealing import Sealer, seal
from aggregates.source import Source
from aggregates.touchpoint import Touchpoint

SOURCE = Source("tests")
BEGINNING = datetime(2026, 3, 1, tzinfo=UTC)

Sealed = tuple[bytes, bytes]
"""Key and value of a record of `touchpoints`."""


def touchpoint(
    id_: str, type_: str, data: dict[str, Any], minute: float | None = 0, source: Source = SOURCE, *, times: int = 0, place: int = 0
) -> Touchpoint:
    """An event that a door accepted, ten days after the beginning and an hour more for each time that it was sent before.

    Without a minute it does not say when it happened. `place`: among those that were accepted at about the same time.
    """
    event = {"specversion": "1.0", "id": id_, "source": "/tests", "type": type_, "data": data}
    if minute is not None:
        event["time"] = (BEGINNING + timedelta(minutes=minute)).isoformat()
    understood = read(event, source, BEGINNING + timedelta(days=10, hours=times, microseconds=place))
    assert isinstance(understood, Touchpoint), understood
    return understood


def sealed(sealer: Sealer, id_: str, type_: str = "something.happened", minute: float = 0, /, **data: Any) -> Sealed:
    """The record of an event."""
    return seal(touchpoint(id_, type_, data, minute), sealer)


class Person:
    """Somebody with identifiers of his own. He never contradicts himself: anything weak is met alone, or with his number."""

    STRONG = ("email", "account", "user_id", "loyalty")
    WEAK = ("device",)

    def __init__(self, random: Random, name: str) -> None:
        self.random, self.name = random, name
        self.orders = 0

    def who(self) -> dict[str, Any]:
        """Some of his identifiers, as a channel would know them."""
        match self.random.randrange(6):
            case 0 | 1:
                return self.some(self.WEAK)
            case 2 | 3:
                return self.some(self.STRONG)
            case 4:
                return self.some(self.STRONG) | {"customer_number": self.name}
            case _:
                return self.some(self.WEAK) | {"customer_number": self.name}

    def some(self, kinds: tuple[str, ...]) -> dict[str, Any]:
        """One or two identifiers of these kinds; he has two of each."""
        found: dict[str, list[str]] = {}
        for _ in range(self.random.choice((1, 1, 2))):
            kind, number = self.random.choice(kinds), self.random.randrange(2)
            found.setdefault(kind, []).append(f"{self.name}.{number}@example.ir" if kind == "email" else f"{self.name}-{number}")
        return dict(found)

    def happening(self) -> tuple[str, dict[str, Any]]:
        """Something that happens to him: type and data."""
        order = f"{self.name}-o{self.random.randrange(4)}"
        match self.random.randrange(8):
            case 0:
                total = f"{self.random.randrange(1, 99)}.50"
                return "sales.order_placed", {"order_id": order, "lines": [], "total": total, "currency": "USD"}
            case 1:
                return "sales.order_cancelled", {"order_id": order}
            case 2:
                return "profile.reported", {"traits": {"name": f"{self.name} {self.random.randrange(3)}", "city": "شیراز"}}
            case 3:
                return "consent.given", {"purpose": "marketing", "channels": ["sms"]}
            case 4:
                return "subscription.started", {"subscription_id": f"{self.name}-s{self.random.randrange(2)}", "plan": "gold"}
            case 5:
                return "call.ended", {"call_id": f"{self.name}-c{self.random.randrange(3)}"}
            case 6:
                return "web.page_viewed", {"url": "https://shop.example/", "page": f"p{self.random.randrange(5)}"}
            case _:
                return "unheard.of", {"note": self.name}


def events(random: Random, prefix: str, people: int, count: int) -> Iterator[tuple[str, str, dict[str, Any], float | None]]:
    """Id, type, data and minute of what happens, in no order of time; of some nobody says when."""
    crowd = [Person(random, f"{prefix}p{number}") for number in range(people)]
    for number in range(count):
        person = random.choice(crowd)
        type_, data = person.happening()
        who = {} if random.random() < 0.03 else person.who()
        yield f"{prefix}e{number}", type_, data | ({"who": who} if who else {}), random.randrange(10_000) if random.random() < 0.8 else None
