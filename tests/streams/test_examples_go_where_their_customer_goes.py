"""Examples and scores go where their customer goes: through merges and splits, whichever partition is ahead of the others' days."""

from typing import Any

import pytest
from msgspec.json import decode

from aggregates.identity import Merge, Split
from aggregates.touchpoint import derive, event_id
from streams import days, scoring, timers
from tests.streams.people import BEGINNING
from tests.streams.scored import REPLAY, Play, assert_same, day_of, story

pytestmark = pytest.mark.engines


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
