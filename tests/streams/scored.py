"""A ground on which scores are given, the stories that are played on it, and what going through them in order says.

Reading order: story, Play, playing, by_the_course, assert_same.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from random import Random
from typing import Any, cast
from uuid import UUID

import msgspec
import pytest
from msgspec.json import decode
from psycopg_pool import AsyncConnectionPool

from aggregates.churn import Definition
from aggregates.fact import Fact
from aggregates.identity import DEFAULT_RULES
from aggregates.source import Source
from aggregates.touchpoint import channel_of
from infra.sealing import KeyRing
from streams import days, sweeping, timers
from streams.customer import Customer
from streams.learn import Learn
from streams.learning import course as courses
from streams.points import Point, passed
from streams.record import Connection, Processor
from streams.resolve import Resolve
from streams.scoring import Scoring
from streams.timers import Releasing
from tests.streams.crew import Worker, until
from tests.streams.ground import Ground
from tests.streams.keys import MASTER
from tests.streams.memory import PARTITIONS, Kept, Memory
from tests.streams.people import BEGINNING

REPLAY = Source("replay", clock="event")
DAYS = 60
HORIZON = 8
DEFINITION = Definition(horizon=HORIZON)

Event = tuple[str, str, float, dict[str, Any]]
"""Customer, type, minute, data."""

Said = dict[tuple[str, int, bool], tuple[float, bool | None]]
"""Customer number, day, and whether it was in silence -> what the learner said, as a logit; and whether he was lost, once it is known."""


def story(seed: int, customers: int = 9, days: int = DAYS) -> list[Event]:
    """Who buys, and who complains and stays away, in order of time; before the beginning, so that no time is of the future."""
    random = Random(seed)
    events: list[Event] = []
    for number in range(customers):
        at, gap = random.uniform(0.0, 20.0), random.choice((1.5, 4.0, 9.0))
        end = days if random.random() < 0.6 else random.uniform(10.0, days)
        while at < end:
            order = {"order_id": f"{number}-{len(events)}", "lines": [], "total": f"{random.randrange(5, 90)}.00", "currency": "USD"}
            events.append((f"c{number}", "sales.order_placed", at, order))
            if random.random() < 0.2:
                events.append((f"c{number}", "complaint.made", at + 0.1, {"reason": random.choice(("price", "late"))}))
            at += random.expovariate(1.0 / gap)
    return sorted(((who, type_, (at - days) * 1440.0, data) for who, type_, at, data in events), key=lambda event: event[2])


class OneLane(Memory):
    """A log whose topic of examples has one partition, as the real one has."""

    def append(self, topic: str, key: bytes, value: bytes | None, headers: Sequence[tuple[str, bytes]] = (), at: int | None = None) -> Kept:
        return super().append(topic, key, value, headers, 0 if topic == "churn-examples" else at)


class Play:
    """A ground on which scores are given."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        ground.memory = OneLane(ground.memory.random)
        self.now = BEGINNING
        self.releasing = Releasing(cast("AsyncConnectionPool[Connection]", ground.pool), self.ends)

    def clock(self) -> datetime:
        return self.now

    def processors(self) -> list[Processor]:
        keys = KeyRing(MASTER)
        learn = Learn(PARTITIONS, MASTER.signing, self.clock)
        return [Resolve(DEFAULT_RULES, keys), Customer(keys, parts=[Scoring(keys, self.clock, MASTER.signing, self.ends)]), learn]

    async def ends(self) -> dict[int, int]:
        return self.ground.memory.ends("touchpoints")

    def hire(self, most: int = 2000, at: Point = passed) -> Worker:
        return Worker(self.ground.memory, self.ground.pool, self.processors(), at, most)

    async def own(self, worker: Worker) -> None:
        await worker.own("resolve", self.ground.memory.numbers)
        await worker.own("customer", self.ground.memory.numbers)
        await worker.own("learn", [self.ground.memory.base])

    def send(self, events: Sequence[Event], first: int = 0, *, apart: str = "") -> None:
        """`apart`: the "customers" are, each in a partition, or the "events" of each."""
        for number, (who, type_, minute, data) in enumerate(events, first):
            at = {"customers": int(who[1:]) % PARTITIONS, "events": number % PARTITIONS}.get(apart)
            self.ground.send(f"e{number}", type_, minute, at=at, source=REPLAY, who={"customer_number": who}, **data)

    async def learnt(self, worker: Worker, last: int) -> None:
        """Wait until everything was told and all days before `last` are closed."""

        async def done() -> bool:
            rows = await self.ground.ask("SELECT count(*), min(day) FROM churn.told WHERE replayed")
            at = await self.ground.ask("SELECT next_offset FROM streams.positions WHERE processor = 'learn'")
            told = len(self.ground.memory.records("churn-examples", self.ground.memory.base))
            waits = await self.ground.ask("SELECT count(*) FROM churn.examples WHERE logit IS NULL AND day < %s", last - 1)
            return rows[0][0] == PARTITIONS and rows[0][1] >= last and bool(at) and at[0][0] >= told and waits == [(0,)]

        await until(done, unless=lambda: worker.failures)

    async def given(self, worker: Worker) -> None:
        """Wait until the champion has scored everybody, and what is published of it is out."""

        async def done() -> bool:
            rows = await self.ground.ask(
                "SELECT count(*), (SELECT count(*) FROM streams.outbox)"
                " FROM churn.rescored r JOIN churn.definitions d ON d.champion = r.champion AND r.after IS NULL"
            )
            return rows == [(PARTITIONS, 0)]

        await until(done, unless=lambda: worker.failures)

    async def examples(self, definition: int = 1) -> Said:
        """What the learner said of each example."""
        names: dict[UUID, str] = {}
        for customer, record in await self.ground.ask("SELECT customer_id, record FROM read_1.timeline"):
            event = decode(record)
            if event["type"] == "sales.order_placed":
                number = event["data"]["order_id"].split("-")[0]
                names[customer] = min(number, names.get(customer, number))
        rows = await self.ground.ask(
            "SELECT customer_id, day, silent, logit, lost FROM churn.examples WHERE logit IS NOT NULL AND definition = %s", definition
        )
        return {(f"c{names[customer]}", day, silent): (logit, lost) for customer, day, silent, logit, lost in rows}


def by_the_course(events: Sequence[Event], until_day: int, definition: Definition) -> Said:
    """The same, by going through the log in order."""
    course = courses.begin(definition)
    judged = []
    for number, (who, type_, minute, data) in enumerate(events):
        at = BEGINNING + timedelta(minutes=minute)
        fact = Fact(UUID(int=number), at, at, at, "", type_, channel_of(type_), "", "", data, ())
        judged += courses.take(course, who, fact)
    judged += courses.pass_to(course, until_day)
    found: Said = {}
    for waiting in (course.waiting, course.quiet):
        for day in waiting.values():
            found |= {(one.customer, one.day, one.silent): (one.prediction.logit, None) for one in day}
    return found | {(one.example.customer, one.example.day, one.example.silent): (one.example.prediction.logit, one.lost) for one in judged}


def day_of(minute: float) -> int:
    return int((BEGINNING + timedelta(minutes=minute)).timestamp() // 86_400)


@asynccontextmanager
async def playing(ground: Ground, monkeypatch: pytest.MonkeyPatch, definition: dict[str, Any]) -> AsyncIterator[Play]:
    """A ground on which scores of this definition are given, of sources that replay their time without a pause."""
    monkeypatch.setattr(days, "REST", 0.1)
    monkeypatch.setattr(sweeping, "IDLE", (0.02, 0.02))
    monkeypatch.setattr(timers, "EVERY", 0.02)
    monkeypatch.setattr(timers, "SETTLES", 0.0)
    await ground.ask("UPDATE churn.definitions SET body = %s RETURNING 1", msgspec.json.encode(definition).decode())
    play = Play(ground)
    releasing = asyncio.create_task(play.releasing.run())
    yield play
    releasing.cancel()
    await asyncio.gather(releasing, return_exceptions=True)


def assert_same(live: Said, events: Sequence[Event], last: int, definition: Definition = DEFINITION) -> None:
    """What was said live of the days before the last but one is what the course says, and so are the labels that are known by then."""
    expected = by_the_course(events, last, definition)
    closed = {key: said for key, said in expected.items() if key[1] < last - 1}
    assert {key: said for key, said in live.items() if key[1] < last - 1}.keys() == closed.keys()
    for key, (logit, lost) in sorted(closed.items(), key=lambda item: (item[0][1], item[0])):
        assert live[key][0] == pytest.approx(logit, abs=1e-6), key
        if key[1] + definition.horizon + 1 < last:
            assert live[key][1] is lost, key
