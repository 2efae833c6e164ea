"""The events that are measured with: one seeded mix, the same for every program and every run.

What channel systems of a shop with a call center tell, in the sizes that they tell it in: about 65 % page views, 16 % calls, 12 %
orders, 7 % people who say who they are. One event in ten is the first of a new customer. Visitors become known (a join), buyers and
callers come to the site, and once in a while a visitor turns out to be somebody who had called before (a merge). Half of all events are
of the customers who came last, and one event in a hundred is told up to ten minutes late.

Reading order: Mix, `_next`, then one function a type.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from random import Random
from typing import Any

Event = dict[str, Any]

BEGIN = datetime(2025, 1, 1, tzinfo=UTC)  # past on every clock, so that no time is doubted
STEP = timedelta(milliseconds=250)
NEW = 0.10
RECENT = 0.5
LATELY = 2_000
LATE = 0.01
MERGES = 0.02  # of the visitors who say who they are

SITE = "https://shop.example"
AGENTS = (
    "Mozilla/5.0 (Linux; Android 14; SM-A546E) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
)
PAGES = (("home", "خانه"), ("price", "Price list"), ("carpets", "فرش دستباف"), ("records", "Records and cassettes"), ("help", "راهنما"))
FROM = ("https://www.google.com/", "https://www.instagram.com/", f"{SITE}/", "")
NAMES = ("مریم رضایی", "علی کریمی", "Sara Ahmadi", "Reza Mohammadi", "نازنین نیک‌پور", "Kian Yazdani")
CITIES = ("تهران", "اصفهان", "Shiraz", "تبریز", "Mashhad")
NOTES = ("می‌خواهد پیش از ظهر با او تماس بگیریم.", "Asked about the warranty of the last order.", "از زمان تحویل ناراضی است.")
DIGITS = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")


@dataclass(slots=True)
class Person:
    """Somebody of the mix, and by what the channels know him so far."""

    number: int
    device: str = ""
    phone: str = ""


class Mix:
    """The endless sequence of events that follows from a seed."""

    def __init__(self, seed: int = 20) -> None:
        self._random = Random(seed).random  # noqa: S311 - a simulation; `random()` gives the same sequence on every machine
        self._seed = seed
        self._people: list[Person] = []
        self._callers: list[Person] = []  # known by phone alone: with them visitors may turn out to be one
        self._number = 0
        self.types: Counter[str] = Counter()
        self.merges = 0

    @classmethod
    def after(cls, count: int, seed: int) -> "Mix":
        """As it goes on after so many events: begun anew, it would tell of the same people's first hour again, late."""
        mix = cls(seed)
        mix.take(count)
        return mix

    def __iter__(self) -> Iterator[Event]:
        while True:
            yield self._next()

    def take(self, count: int) -> list[Event]:
        """The next so many events."""
        return list(islice(self, count))

    @property
    def customers(self) -> int:
        """How many people there are by now."""
        return len(self._people) - self.merges

    def _next(self) -> Event:
        dice = self._random()
        if not self._people or dice < NEW:
            person = Person(len(self._people))
            self._people.append(person)
            return self._first(person)
        return self._again(self._somebody())

    def _somebody(self) -> Person:
        among = LATELY if self._random() < RECENT else len(self._people)
        return self._people[-1 - int(self._random() * min(among, len(self._people)))]

    def _first(self, person: Person) -> Event:
        dice = self._random()
        if dice < 0.7:
            person.device = f"d-{self._seed}-{person.number:08x}"
            return self._page(person)
        person.phone = _phone(person.number)
        if dice < 0.9:
            self._callers.append(person)
            return self._call(person)
        return self._order(person)

    def _again(self, person: Person) -> Event:
        dice = self._random()
        if not person.phone:
            return self._page(person) if dice < 0.92 else self._identify(person)
        if not person.device:
            if dice < 0.5:
                return self._call(person)
            return self._order(person) if dice < 0.85 else self._identify(person)
        if dice < 0.55:
            return self._page(person)
        if dice < 0.77:
            return self._call(person)
        return self._order(person) if dice < 0.94 else self._identify(person)

    def _page(self, person: Person) -> Event:
        name, title = self._one(PAGES)
        page = {
            "who": {"device": person.device},
            "url": f"{SITE}/{name}/{int(self._random() * 500)}?utm_source=newsletter&utm_medium=email&utm_campaign=autumn",
            "title": title,
            "page": name,
            "referrer": self._one(FROM),
            "locale": "fa-IR",
            "user_agent": self._one(AGENTS),
        }
        return self._event("web.page_viewed", SITE, page)

    def _call(self, person: Person) -> Event:
        number = self._spelt(person.phone)
        call: dict[str, Any] = {
            "who": {"phone": number},
            "call_id": f"c-{self._seed}-{self._number}",
            "direction": "inbound",
            "queue": self._one(("sales", "service", "billing")),
            "agent": f"agent-{int(self._random() * 40)}",
            "wait_seconds": int(self._random() * 120),
            "talk_seconds": int(self._random() * 600),
        }
        if self._random() < 0.3:
            call["note"] = self._one(NOTES)
        return self._event("call.ended", "pbx-1", call)

    def _order(self, person: Person) -> Event:
        lines = [
            {"sku": f"sku-{int(self._random() * 900):03d}", "quantity": 1 + int(self._random() * 3), "unit_price": "125000"}
            for _ in range(1 + int(self._random() * 4))
        ]
        order = {
            "who": {"customer_number": f"{self._seed}-{person.number}", "phone": self._spelt(person.phone)},
            "order_id": f"o-{self._seed}-{self._number}",
            "lines": lines,
            "total": str(125_000 * sum(int(str(line["quantity"])) for line in lines)),
            "currency": "IRR",
            "payment": "card",
        }
        return self._event("sales.order_placed", "erp", order)

    def _identify(self, person: Person) -> Event:
        """He logs in: a device, a phone and an address are one person's."""
        if not person.device:
            person.device = f"d-{self._seed}-{person.number:08x}"
        if not person.phone:
            known = self._stranger() if self._callers and self._random() < MERGES else None
            if known is None:
                person.phone = _phone(person.number)
            else:
                person.phone = known.phone
                known.device = person.device
                self.merges += 1
        name = NAMES[person.number % len(NAMES)]
        traits = {"name": name, "city": self._one(CITIES), "birth_date": f"{1960 + person.number % 45}-04-12"}
        who = {"device": person.device, "phone": self._spelt(person.phone), "email": f"u{person.number}@mail.example"}
        return self._event("web.identified", SITE, {"who": who, "traits": traits})

    def _stranger(self) -> Person | None:
        """A caller who was known by his phone alone; each is found out once."""
        place = int(self._random() * len(self._callers))
        self._callers[place], self._callers[-1] = self._callers[-1], self._callers[place]
        caller = self._callers.pop()
        return caller if not caller.device else None

    def _event(self, type_: str, source: str, data: Event) -> Event:
        self._number += 1
        self.types[type_] += 1
        at = BEGIN + self._number * STEP
        if self._random() < LATE:
            at -= timedelta(seconds=int(self._random() * 600))
        return {
            "specversion": "1.0",
            "id": f"{self._seed}-{self._number}",
            "source": source,
            "type": type_,
            "time": at.isoformat(timespec="milliseconds"),
            "datacontenttype": "application/json",
            "data": data,
        }

    def _spelt(self, phone: str) -> str:
        """As people write it: one in ten with Persian digits."""
        return phone.translate(DIGITS) if self._random() < 0.1 else phone

    def _one(self, things: tuple[Any, ...]) -> Any:
        return things[int(self._random() * len(things))]


def _phone(number: int) -> str:
    return f"09{12 + number // 10_000_000}{number % 10_000_000:07d}"
