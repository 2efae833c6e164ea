"""Live, over a log in memory and a real PostgreSQL, scores and labels are those that going through the log in order gives, whoever dies."""

import asyncio
from contextlib import suppress
from random import Random
from uuid import UUID

import msgspec
import pytest
from msgspec.json import decode

from aggregates.churn import Definition
from projections.churn import state, table
from streams import learn, retracing, scoring, sweeping
from streams.record import Connection
from tests.streams.crew import Gate, Worker, until
from tests.streams.scored import Event, Play, assert_same, day_of, story

pytestmark = pytest.mark.engines


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
    last_told: dict[str, float] = {}
    for event in told:
        data = decode(event.data)
        assert data["before"] == last_told.get(event.subject)  # to the digit
        last_told[event.subject] = data["value"]
    rows = await play.ground.ask("SELECT customer_id, score, given FROM churn.states")
    assert all(abs(score - written) < 0.02 for _, score, written in rows)


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


async def test_a_new_definition_is_on_its_way_until_the_learner_has_gone_through_the_past_too(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Adopted before, it would speak for customers with a fraction of what there is to learn."""
    for name in ("PIECE", "PIECES"):
        monkeypatch.setattr(learn, name, 1)
    events = story(3)
    play.send(events)
    last = day_of(events[-1][2])
    worker = play.hire(most=50)
    await play.own(worker)
    await play.learnt(worker, last)
    await play.ground.ask(
        "INSERT INTO churn.definitions (name, version, stands, body, by) VALUES ('churn', 2, 'beside', %s, 'me') RETURNING 1",
        msgspec.json.encode({"horizon": 5}).decode(),
    )
    unsaid = "SELECT count(*) FROM churn.examples WHERE definition = 2 AND logit IS NULL AND day < %s"
    seen: set[tuple[bool, bool]] = set()

    async def through() -> bool:
        ((past, waiting),) = await play.ground.ask(f"SELECT past, ({unsaid}) FROM churn.definitions WHERE version = 2", last - 1)
        seen.add((past, bool(waiting)))
        return not past

    await until(through, unless=lambda: worker.failures)
    await worker.die()
    assert (False, False) in seen
