"""Live, over a log in memory and a real PostgreSQL, scores and labels are those that going through the log in order gives, whoever dies."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
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
from aggregates.identity import DEFAULT_RULES, Merge, Split
from aggregates.log import Entry
from aggregates.source import Source
from aggregates.touchpoint import channel_of, derive, event_id
from infra.sealing import KeyRing
from projections.churn import state, table
from streams import days, learn, retracing, scoring, sweeping, timers
from streams.customer import Customer
from streams.lane import Point, passed
from streams.learn import Learn
from streams.learning import course as courses
from streams.record import Connection, Processor
from streams.resolve import Resolve
from streams.scoring import Scoring
from streams.timers import Releasing
from tests.streams.crew import Gate, Worker, until
from tests.streams.ground import Ground
from tests.streams.keys import MASTER
from tests.streams.memory import PARTITIONS, Kept, Memory
from tests.streams.people import BEGINNING

pytestmark = pytest.mark.engines

REPLAY = Source("replay", clock="event")
DAYS = 60
HORIZON = 8
DEFINITION = Definition(horizon=HORIZON)
KEY = b"a key of the tests"

Event = tuple[str, str, float, dict[str, Any]]
"""Customer, type, minute, data."""


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

    async def publish(self, topic: str, records: Sequence[Entry]) -> Any:
        return await super().publish(topic, records)


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
        learn = Learn(PARTITIONS, KEY, self.clock)
        return [Resolve(DEFAULT_RULES, keys), Customer(keys, parts=[Scoring(keys, self.clock, KEY, self.ends)]), learn]

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

    async def examples(self, definition: int = 1) -> dict[tuple[str, int, bool], tuple[float, bool | None]]:
        """What the learner said, by customer number, day, and whether it was in silence; and the label."""
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


def by_the_course(
    events: Sequence[Event], until_day: int, definition: Definition
) -> dict[tuple[str, int, bool], tuple[float, bool | None]]:
    """The same, by going through the log in order."""
    course = courses.begin(definition)
    judged = []
    for number, (who, type_, minute, data) in enumerate(events):
        at = BEGINNING + timedelta(minutes=minute)
        fact = Fact(UUID(int=number), at, at, at, "", type_, channel_of(type_), "", "", data, ())
        judged += courses.take(course, who, fact)
    judged += courses.pass_to(course, until_day)
    found: dict[tuple[str, int, bool], tuple[float, bool | None]] = {}
    for waiting in (course.waiting, course.quiet):
        for day in waiting.values():
            found |= {(one.customer, one.day, one.silent): (one.prediction.logit, None) for one in day.values()}
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


@pytest.fixture
async def play(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Play]:
    async with playing(ground, monkeypatch, {"horizon": HORIZON}) as play:
        yield play


def assert_same(
    live: dict[tuple[str, int, bool], tuple[float, bool | None]], events: Sequence[Event], last: int, definition: Definition = DEFINITION
) -> None:
    expected = by_the_course(events, last, definition)
    closed = {key: said for key, said in expected.items() if key[1] < last - 1}
    assert {key: said for key, said in live.items() if key[1] < last - 1}.keys() == closed.keys()
    for key, (logit, lost) in sorted(closed.items(), key=lambda item: (item[0][1], item[0])):
        assert live[key][0] == pytest.approx(logit, abs=1e-6), key
        if key[1] + definition.horizon + 1 < last:
            assert live[key][1] is lost, key


async def test_live_says_and_labels_what_the_course_does(play: Play) -> None:
    events = story(1)
    play.send(events)
    last = day_of(events[-1][2])
    worker = play.hire(most=20)
    await play.own(worker)
    await play.learnt(worker, last)
    assert_same(await play.examples(), events, last)
    ((learnt, champion),) = await play.ground.ask("SELECT learnt, champion FROM churn.definitions")
    assert learnt > 0
    assert champion is not None
    await worker.die()


async def test_what_comes_late_to_a_long_history_is_folded_from_a_mark_as_from_the_beginning(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "LONG", 10)
    monkeypatch.setattr(retracing, "STEP", 4)
    random = Random(5)
    events = [("c0", *event[1:]) for event in story(5)]
    events += [("c0", "shop.seen", min(event[2] + random.uniform(0, 300), 0.0), {}) for event in events for _ in range(3)]
    events.sort(key=lambda event: event[2])
    lateness = {place: random.choice((0, 0, 0, 5, 30)) for place in range(len(events))}
    play.send([events[place] for place in sorted(lateness, key=lambda place: place + lateness[place])])
    worker = play.hire(most=7)
    await play.own(worker)
    await play.ground.settle(worker)
    seen: list[Event] = [("c0", "shop.seen", minute, {}) for minute in range(10, 30)]
    placed = {"lines": [], "total": "7.00", "currency": "USD"}
    bought: list[Event] = [("c0", "sales.order_placed", at, {"order_id": f"0-{at}", **placed}) for at in (40, 35, 36)]
    looked: list[Event] = [("c0", "shop.seen", 20.5, {})]
    first = len(events)
    for some in (seen, bought[:1], bought[1:2], looked, bought[2:]):  # that something was looked at late asks for no history
        play.send(some, first)
        first += len(some)
        await play.ground.settle(worker)
    ((live,),) = await play.ground.ask("SELECT state FROM churn.states")
    ((marks, farthest, customer),) = await play.ground.ask("SELECT count(*), max(span), min(customer_id::text) FROM churn.marks")
    assert 4 < marks < len(events) / 8
    assert farthest > 4
    play.ground.told_to_refold(UUID(customer))
    await play.ground.passed("customer", worker)
    assert await play.ground.ask("SELECT 1 FROM churn.marks") == []
    ((anew,),) = await play.ground.ask("SELECT state FROM churn.states")
    assert sums(anew) == pytest.approx(sums(live))  # what is of one day is added in the order in which it came
    await worker.die()


def sums(encoded: bytes) -> list[float]:
    """Of the state of a score the times and what decays."""
    found = state.decode(encoded)
    assert found.rhythm is not None
    marks = [mark for _, mark in sorted(found.marks.items())]
    return [
        found.at,
        *found.returns,
        *msgspec.structs.astuple(found.rhythm),
        *(part for one in marks for part in (one.at, one.long, one.short)),
    ]


async def test_whoever_dies_where_the_same_is_said(play: Play) -> None:
    events = story(2)
    last = day_of(events[-1][2])
    random = Random(3)
    cut = sorted(random.sample(range(len(events)), 5))
    worker: Worker | None = None
    sent = 0
    for end in [*cut, len(events)]:
        if worker is not None:
            await worker.die()
        worker = play.hire(most=random.choice((1, 5, 50)))
        await play.own(worker)
        play.send(events[sent:end], sent)
        sent = end
        await asyncio.sleep(random.random() * 0.15)
    assert worker is not None
    await play.learnt(worker, last)
    assert_same(await play.examples(), events, last)
    await worker.die()


@pytest.mark.parametrize(("apart", "long"), [("customers", 1_000), ("events", 1_000), ("events", 5)])
async def test_what_waits_where_a_worker_died_is_said_and_labelled_however_far_others_are(
    play: Play, monkeypatch: pytest.MonkeyPatch, apart: str, long: int
) -> None:
    """Months are replayed in seconds: one partition of the log is through to the end before another begins."""
    monkeypatch.setattr(scoring, "LONG", long)
    monkeypatch.setattr(retracing, "STEP", 4)
    events = story(7, customers=18)
    last = day_of(events[-1][2])
    play.send(events, apart=apart)
    worker = play.hire(most=20)
    await worker.own("resolve", [play.ground.memory.base])
    await worker.own("customer", play.ground.memory.numbers)
    await worker.own("learn", [play.ground.memory.base])
    await play.ground.passed("customer", worker)
    await asyncio.sleep(0.5)  # what could be thought over by now is
    await worker.die()
    worker = play.hire(most=20)
    await play.own(worker)
    await play.learnt(worker, last)
    assert_same(await play.examples(), events, last)
    await worker.die()


async def test_whoever_dies_at_each_of_the_learners_transactions_learns_the_same(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learn, "PIECES", 1)  # so that what is learnt takes many transactions
    events = story(8)
    last = day_of(events[-1][2])
    half = len(events) // 2
    play.send(events[:half])
    for point in ("taken", "written", "committed", "chore_written", "chore_committed"):
        for after in (0, 2):
            gate = Gate(f"learn.{point}", after)
            worker = play.hire(most=20, at=gate)
            await play.own(worker)
            if not point.startswith("chore"):
                play.send(events[half : half + 4], half)
                half += 4
            with suppress(TimeoutError):  # it has nothing to do so often
                await asyncio.wait_for(gate.reached.wait(), 3)
            await worker.die()
    play.send(events[half:], half)
    worker = play.hire(most=20)
    await play.own(worker)
    await play.learnt(worker, last)
    assert_same(await play.examples(), events, last)
    await worker.die()


async def test_who_comes_while_another_partition_looks_up_what_is_in_force_is_scored_too(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask, asked, second = table.in_force, 0, asyncio.Event()

    async def in_force(connection: Connection) -> list[table.InForce]:
        nonlocal asked
        asked += 1
        found = await ask(connection)
        if asked == 1:
            with suppress(TimeoutError):  # nobody else asks: what others do without is done meanwhile
                await asyncio.wait_for(second.wait(), 2)
        second.set()
        return found

    monkeypatch.setattr(table, "in_force", in_force)
    events = story(1)
    last = day_of(events[-1][2])
    play.send(events)
    worker = play.hire(most=20)
    await worker.own("resolve", play.ground.memory.numbers)
    await play.ground.passed("resolve", worker)
    await worker.own("customer", play.ground.memory.numbers)
    await until(lambda: asyncio.sleep(0, second.is_set()), unless=lambda: worker.failures)
    await worker.own("learn", [play.ground.memory.base])
    await play.learnt(worker, last)
    assert_same(await play.examples(), events, last)
    await worker.die()


async def test_scores_are_given_once_labels_are_known_and_told_where_they_move(play: Play) -> None:
    events = story(4)
    play.send(events)
    last = day_of(events[-1][2])
    worker = play.hire(most=50)
    await play.own(worker)
    await play.learnt(worker, last)
    await play.given(worker)
    await worker.die()
    told = [event for event in play.ground.published if event.type == "score.given"]
    assert {event.subject for event in told} == {str(row[0]) for row in await play.ground.ask("SELECT customer_id FROM churn.states")}
    assert all(event.yektadecider for event in told)
    assert len(play.ground.memory.all("scores")) == len({event.id for event in told})
    rows = await play.ground.ask("SELECT customer_id, score, given FROM churn.states")
    assert all(abs(score - written) < 0.02 for _, score, written in rows)


async def test_examples_follow_their_customer_through_a_merge(play: Play) -> None:
    """Two who are one: what one of them was expected to do, the other did."""
    order: dict[str, Any] = {"lines": [], "total": "5.00", "currency": "USD"}
    play.ground.send("a", "sales.order_placed", -50 * 1440, source=REPLAY, who={"email": "a@x.ir"}, order_id="1", **order)
    play.ground.send("b", "sales.order_placed", -46 * 1440, source=REPLAY, who={"account": "b"}, order_id="2", **order)
    worker = play.hire(most=5)
    await play.own(worker)
    await play.ground.settle(worker)
    play.ground.send("c", "note.taken", -45 * 1440, source=REPLAY, who={"email": "a@x.ir", "account": "b"})
    await play.ground.settle(worker)
    play.ground.send("d", "note.taken", -10 * 1440, source=REPLAY, who={"account": "b"})
    await play.learnt(worker, day_of(-10 * 1440))
    await worker.die()
    first = day_of(-50 * 1440)
    ((lost,),) = await play.ground.ask("SELECT lost FROM churn.examples WHERE day = %s AND NOT silent", first)
    assert lost is False  # the second order came within the horizon, from who is the same person


@pytest.mark.parametrize("separated", [False, True])
async def test_whoever_becomes_one_or_two_while_days_are_open_is_said_so(play: Play, separated: bool) -> None:
    """Each of his days once, from what is known of whom in the end."""
    events = story(3)
    last = day_of(events[-1][2])
    tokens = [play.ground.token("customer_number", name) for name in ("c0", "c1")]
    play.send(events[: len(events) // 3])
    play.ground.decide("m", Merge(by="tests", at=BEGINNING, join=tuple(tokens)))
    play.send(events[len(events) // 3 : len(events) // 2], len(events) // 3)
    if separated:
        play.ground.decide("s", Split(by="tests", at=BEGINNING, go=tuple(tokens[1:]), stay=tuple(tokens[:1])))
    play.send(events[len(events) // 2 :], len(events) // 2)
    worker = play.hire(most=5)
    await play.own(worker)
    await play.learnt(worker, last)
    joined = [("c0" if who == "c1" and not separated else who, type_, minute, data) for who, type_, minute, data in events]
    assert_same(await play.examples(), joined, last)
    await worker.die()


async def test_who_becomes_one_with_somebody_whose_partition_is_ahead_keeps_his_examples(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(days, "REST", 1e9)
    monkeypatch.setattr(timers, "SETTLES", 1e9)  # no day is over by itself
    order: dict[str, Any] = {"lines": [], "total": "5.00", "currency": "USD"}
    homes: dict[int, str] = {}
    for name in (f"c{number}" for number in range(9)):
        homes.setdefault(play.ground.memory.place(str(derive("customer", str(event_id(REPLAY.name, "/tests", name)))).encode()), name)
    first, second, *_ = homes.values()
    tokens = [play.ground.token("customer_number", name) for name in (first, second)]
    for name, day in ((first, -50), (second, -48)):
        play.ground.send(name, "sales.order_placed", day * 1440, source=REPLAY, who={"customer_number": name}, order_id=name, **order)
    worker = play.hire(most=5)
    await play.own(worker)
    await play.ground.settle(worker)
    await worker.die()
    ((stays,),) = await play.ground.ask("SELECT customer_id::text FROM identity.customers ORDER BY founded LIMIT 1")
    ahead = (play.ground.memory.place(stays.encode()), day_of(-40 * 1440))
    await play.ground.ask("INSERT INTO churn.passed VALUES (%s, true, %s) RETURNING 1", *ahead)
    play.ground.decide("m", Merge(by="tests", at=BEGINNING, join=tuple(tokens)))
    worker = play.hire(most=5)
    await play.own(worker)
    await play.ground.settle(worker)
    await play.ground.passed("learn", worker)
    await worker.die()
    told = await play.ground.ask("SELECT day FROM churn.examples WHERE NOT silent ORDER BY day")
    assert told == [(day_of(-50 * 1440),), (day_of(-48 * 1440),)]


async def test_what_another_did_labels_nobody_from_whom_he_was_split(play: Play) -> None:
    order: dict[str, Any] = {"lines": [], "total": "5.00", "currency": "USD"}
    tokens = [play.ground.token("customer_number", name) for name in ("c0", "c1")]
    for name, day in (("c0", -50), ("c1", -48)):
        play.ground.send(name, "sales.order_placed", day * 1440, source=REPLAY, who={"customer_number": name}, order_id=name, **order)
    worker = play.hire(most=5)
    await play.own(worker)
    await play.learnt(worker, day_of(-48 * 1440))
    play.ground.decide("m", Merge(by="tests", at=BEGINNING, join=tuple(tokens)))
    await play.ground.settle(worker)
    play.ground.decide("s", Split(by="tests", at=BEGINNING, go=tuple(tokens[1:]), stay=tuple(tokens[:1])))
    await play.ground.settle(worker)
    play.ground.send("c2", "sales.order_placed", -10 * 1440, source=REPLAY, who={"customer_number": "c2"}, order_id="c2", **order)
    await play.learnt(worker, day_of(-10 * 1440))
    await worker.die()
    labels = await play.ground.ask("SELECT day, lost FROM churn.examples WHERE NOT silent AND lost IS NOT NULL ORDER BY day")
    assert labels == [(day_of(-50 * 1440), True), (day_of(-48 * 1440), True)]


@pytest.mark.parametrize("heard", ["when they become one", "at once", "late", "late in a long history"])
async def test_what_is_said_of_two_at_once_is_labelled_by_whose_each_day_was_when_they_are_split(
    play: Play, monkeypatch: pytest.MonkeyPatch, heard: str
) -> None:
    """They are one while the days are open, and two again when those are over and before their labels are known."""
    monkeypatch.setattr(days, "REST", float("inf"))
    monkeypatch.setattr(scoring, "LONG", 0 if heard == "late in a long history" else 1000)
    order: dict[str, Any] = {"lines": [], "total": "5.00", "currency": "USD"}

    def buys(name: str, day: int) -> None:
        who = {"customer_number": name}
        play.ground.send(f"{name} {day}", "sales.order_placed", day * 1440, source=REPLAY, who=who, order_id=f"{name} {day}", **order)

    tokens = [play.ground.token("customer_number", name) for name in ("c0", "c1")]
    merge = Merge(by="tests", at=BEGINNING, join=tuple(tokens))
    worker = play.hire()
    if heard != "when they become one":
        play.ground.decide("m", merge)
        await worker.own("resolve", play.ground.memory.numbers)
        await play.ground.passed("resolve", worker)
    if heard == "at once":
        buys("c0", -50)
        buys("c1", -48)
        await play.ground.passed("resolve", worker)
    await play.own(worker)
    for name, day in (("c1", -48), ("c0", -50)) if heard.startswith("late") else (("c0", -50), ("c1", -48)) if heard != "at once" else ():
        buys(name, day)
        await play.ground.settle(worker)
    if heard == "when they become one":
        play.ground.decide("m", merge)
    await play.ground.settle(worker)
    monkeypatch.setattr(days, "REST", 0.1)
    buys("c2", -45)
    await play.learnt(worker, day_of(-45 * 1440))
    play.ground.decide("s", Split(by="tests", at=BEGINNING, go=tuple(tokens[1:]), stay=tuple(tokens[:1])))
    await play.ground.settle(worker)
    buys("c2", -10)
    await play.learnt(worker, day_of(-10 * 1440))
    await worker.die()
    labels = await play.ground.ask("SELECT day, lost FROM churn.examples WHERE day < %s AND NOT silent ORDER BY day", day_of(-45 * 1440))
    assert labels == [(day_of(-50 * 1440), True), (day_of(-48 * 1440), True)]


@pytest.mark.parametrize("behind", ["the one that gives", "the one that gets"])
async def test_who_becomes_one_keeps_each_day_once_where_one_partition_has_told_days_and_another_has_not(
    play: Play, monkeypatch: pytest.MonkeyPatch, behind: str
) -> None:
    order: dict[str, Any] = {"lines": [], "total": "5.00", "currency": "USD"}
    gets, gives = "c4", "c0"  # of different partitions; the older gets
    monkeypatch.setattr(days, "REST", float("inf"))
    worker = play.hire(most=5)
    await play.own(worker)
    for name, day in ((gets, -48), (gives, -50)):
        play.ground.send(name, "sales.order_placed", day * 1440, source=REPLAY, who={"customer_number": name}, order_id=name, **order)
        await play.ground.settle(worker)
    await worker.die()
    tokens = {name: play.ground.token("customer_number", name) for name in (gets, gives)}
    ((late,),) = await play.ground.ask(
        "SELECT partition FROM churn.states WHERE decider = %s", tokens[gives if behind == "the one that gives" else gets]
    )
    await play.ground.ask(
        "INSERT INTO churn.passed SELECT partition, true, %s FROM streams.positions"
        " WHERE processor = 'customer' AND partition <> %s RETURNING 1",
        day_of(-48 * 1440),
        late,
    )
    worker = play.hire(most=5)
    await play.own(worker)
    play.ground.decide("m", Merge(by="tests", at=BEGINNING, join=(tokens[gets], tokens[gives])))
    await play.ground.settle(worker)
    monkeypatch.setattr(days, "REST", 0.1)
    play.ground.send("c2", "sales.order_placed", -10 * 1440, source=REPLAY, who={"customer_number": "c2"}, order_id="c2", **order)
    await play.learnt(worker, day_of(-10 * 1440))
    await worker.die()
    labels = await play.ground.ask("SELECT day, lost FROM churn.examples WHERE NOT silent AND lost IS NOT NULL ORDER BY day")
    assert labels == [(day_of(-50 * 1440), False), (day_of(-48 * 1440), True)]


async def test_who_is_two_people_or_one_is_told_his_score_with_no_event(play: Play) -> None:
    """What the merge and the split make of it is so at once, for the topic and for rules too."""
    events = story(4)
    play.send(events)
    worker = play.hire(most=50)
    await play.own(worker)
    await play.learnt(worker, day_of(events[-1][2]))
    await play.given(worker)
    scores = "SELECT customer_id, given FROM churn.states"
    then = dict(await play.ground.ask(scores))
    numbers = [play.ground.token("customer_number", f"c{number}") for number in range(9)]
    owned = "SELECT customer_id FROM identity.identifiers WHERE identifier = ANY(%s)"
    first, *_, last = sorted(then, key=then.__getitem__)
    (keeps,), (goes,) = [
        [token for token in numbers if await play.ground.ask(owned, [token]) == [(customer,)]] for customer in (first, last)
    ]

    async def settled() -> int:
        await play.ground.settle(worker)
        await play.given(worker)
        return len(play.ground.memory.all("scores"))

    before = await settled()
    play.ground.decide("m", Merge(by="tests", at=BEGINNING, join=(keeps, goes)))
    after = await settled()
    ((one,),) = await play.ground.ask("SELECT DISTINCT customer_id FROM identity.identifiers WHERE identifier = ANY(%s)", [keeps, goes])
    told = [decode(record.value or b"") for record in play.ground.memory.all("scores")][before:after]
    assert str(({first, last} - {one}).pop()) not in {event["subject"] for event in told}
    assert dict(await play.ground.ask(scores)).keys() == then.keys() - ({first, last} - {one})
    play.ground.decide("s", Split(by="tests", at=BEGINNING, go=(goes,), stay=(keeps,)))
    await settled()
    await worker.die()
    now = dict(await play.ground.ask(scores))
    assert now.keys() == then.keys()
    assert all(now[customer] == pytest.approx(then[customer], abs=0.02) for customer in then)


async def test_a_rollback_stands_until_another_is_better(play: Play) -> None:
    events = story(5)
    half = len(events) // 2
    play.send(events[:half])
    worker = play.hire(most=50)
    await play.own(worker)
    await play.learnt(worker, day_of(events[half - 1][2]))
    ((oldest,),) = await play.ground.ask("SELECT min(number) FROM churn.snapshots")
    await play.ground.ask("UPDATE churn.definitions SET champion = %s RETURNING 1", oldest)
    play.send(events[half:], half)
    await play.learnt(worker, day_of(events[-1][2]))
    await worker.die()
    rows = await play.ground.ask("SELECT number, won FROM churn.snapshots WHERE since IS NOT NULL AND number > %s", oldest)
    assert all(won["loss"] < won["loss_before"] for _, won in rows)
    ((champion,),) = await play.ground.ask("SELECT champion FROM churn.definitions")
    assert champion == oldest or champion in {number for number, _ in rows}


async def test_what_another_champion_says_at_the_same_moment_is_given_too(play: Play) -> None:
    """A source's own time stands still while its log rests; champions come and go all the same."""
    body = msgspec.json.encode({"horizon": HORIZON, "step": 0.02}).decode()
    await play.ground.ask("UPDATE churn.definitions SET body = %s RETURNING 1", body)
    events = story(4)
    half = len(events) // 2
    worker = play.hire(most=50)
    await play.own(worker)
    for first, part in ((0, events[:half]), (half, events[half:])):
        play.send(part, first)
        await play.learnt(worker, day_of(part[-1][2]))
    numbers = [number for (number,) in await play.ground.ask("SELECT number FROM churn.snapshots ORDER BY number")]
    for champion in (numbers[-1], numbers[0], numbers[-1], numbers[0]):
        play.now += timedelta(minutes=1)
        await play.ground.ask("UPDATE churn.definitions SET champion = %s RETURNING 1", champion)
        await play.given(worker)
    await worker.die()
    last = "SELECT DISTINCT ON (customer_id) customer_id, score, snapshot FROM churn.given ORDER BY customer_id, at DESC, number DESC"
    rows = await play.ground.ask(f"SELECT s.given, g.score, g.snapshot FROM churn.states s JOIN ({last}) g USING (customer_id)")
    assert all(kept == pytest.approx(written, abs=1e-6) for kept, written, _ in rows)
    assert numbers[0] in {snapshot for _, _, snapshot in rows}
    published = [decode(record.value or b"") for record in play.ground.memory.all("scores")]
    assert len(published) == len({event["id"] for event in published})
    assert {numbers[0], numbers[-1]} <= {event["data"]["model"] for event in published}


async def test_nobody_is_taken_for_silent_whose_facts_wait_where_a_worker_died(play: Play) -> None:
    """Another champion scores everybody anew while one partition of the log is months of replayed time ahead."""
    events = [(who, type_, minute - 100 * 1440.0, data) for who, type_, minute, data in story(4)]
    last = events[-1][2]
    play.send(events)
    worker = play.hire(most=50)
    await play.own(worker)
    await play.learnt(worker, day_of(last))
    await play.given(worker)
    await worker.die()
    order: dict[str, Any] = {"lines": [], "total": "5.00", "currency": "USD"}
    for number, who in enumerate(["c0", *dict.fromkeys(event[0] for event in events)]):
        at, minute = (0, 0.0) if number == 0 else (1, last + 1440.0)
        play.ground.send(
            f"later {number}",
            "sales.order_placed",
            minute,
            at=at,
            source=REPLAY,
            who={"customer_number": who},
            order_id=f"l{number}",
            **order,
        )
    worker = play.hire(most=50)
    await worker.own("resolve", [play.ground.memory.base])
    await worker.own("customer", play.ground.memory.numbers)
    await worker.own("learn", [play.ground.memory.base])
    await play.ground.passed("customer", worker)
    ((champion, newest),) = await play.ground.ask("SELECT champion, (SELECT max(number) FROM churn.snapshots) FROM churn.definitions")
    assert champion != newest
    await play.ground.ask("UPDATE churn.definitions SET champion = %s RETURNING 1", newest)
    await play.given(worker)
    await worker.die()
    ((ahead,),) = await play.ground.ask(
        "SELECT count(DISTINCT customer_id) FROM churn.given WHERE at > %s", BEGINNING + timedelta(minutes=last + 1440)
    )
    assert ahead == 1


async def test_a_new_definition_goes_through_the_log_of_the_past_whoever_dies(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """Published when all has happened already, it says what it would have said then, and has learnt what was to be learnt."""
    monkeypatch.setattr(sweeping, "PAST", 2)
    monkeypatch.setattr(scoring, "EXAMPLES", 7)
    events = story(6)
    half = len(events) * 2 // 3
    play.send(events[:half])
    worker = play.hire(most=20)
    await play.own(worker)
    await play.learnt(worker, day_of(events[half - 1][2]))
    other = Definition(version=2, horizon=5)
    await play.ground.ask(
        "INSERT INTO churn.definitions (name, version, stands, body, by) VALUES ('churn', 2, 'beside', %s, 'me') RETURNING 1",
        msgspec.json.encode({"horizon": other.horizon}).decode(),
    )
    await worker.die()
    worker = play.hire(most=20)
    await play.own(worker)
    play.send(events[half:], half)
    last = day_of(events[-1][2])
    await play.learnt(worker, last)

    async def through() -> bool:
        rows = await play.ground.ask("SELECT past FROM churn.definitions WHERE version = 2")
        waits = await play.ground.ask("SELECT count(*) FROM churn.examples WHERE definition = 2 AND logit IS NULL AND day < %s", last - 1)
        return rows == [(False,)] and waits == [(0,)]

    await until(through, unless=lambda: worker.failures)
    await worker.die()
    assert_same(await play.examples(2), events, last, other)
    ((learnt, champion),) = await play.ground.ask("SELECT learnt, champion FROM churn.definitions WHERE version = 2")
    assert learnt > 0
    assert champion is not None
    assert_same(await play.examples(1), events, last)
