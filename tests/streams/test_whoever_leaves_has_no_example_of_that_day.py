"""Of a day on which a customer left there is no example, live as in the course, however what he did came: his loss is of the day itself, so
that no label could tell of it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from aggregates.churn import Definition
from tests.streams.ground import Ground
from tests.streams.memory import PARTITIONS
from tests.streams.people import BEGINNING
from tests.streams.scored import DAYS, HORIZON, REPLAY, Event, Play, assert_same, by_the_course, day_of, playing

pytestmark = pytest.mark.engines

CONTRACTS = Definition(kind="contractual", horizon=HORIZON, grace=2)


@pytest.fixture
async def play(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Play]:
    body = {"kind": CONTRACTS.kind, "horizon": CONTRACTS.horizon, "grace": CONTRACTS.grace}
    async with playing(ground, monkeypatch, body) as play:
        yield play


def contracts(seed: int) -> list[Event]:
    """Who calls, and on the same day cancels, or comes again, or runs out; in order of time."""
    random = Random(seed)
    events: list[Event] = []

    def happens(number: int, type_: str, day: float, **data: Any) -> None:
        events.append((f"c{number}", type_, (day - DAYS) * 1440.0, data))

    for number in range(5):
        start = random.uniform(1.5, 8.0)
        happens(number, "sales.order_placed", start + 0.01, order_id=f"{number}-0", lines=[], total="7.00", currency="USD")
        while start < DAYS - 1:
            ends = start + random.uniform(2.0, 12.0)
            until = BEGINNING + timedelta(days=ends - DAYS)
            happens(number, "subscription.started", start, subscription_id=f"s{number}", ends_at=until.isoformat())
            cancelled = random.choice((None, random.uniform(start + 0.1, ends)))
            last = ends + CONTRACTS.grace if cancelled is None else cancelled
            for _ in range(2):
                happens(number, "shop.seen", random.uniform(start, last))
            happens(number, "shop.seen", last - 0.01)
            if cancelled is not None:
                happens(number, "subscription.cancelled", cancelled, subscription_id=f"s{number}")
                happens(number, "shop.seen", cancelled + 0.01)
            start = last + random.choice((0.02, 0.3, 5.0))
    return sorted((event for event in events if event[2] < 0), key=lambda event: event[2])


@pytest.mark.parametrize(("most", "late", "apart"), [(1, 0.0, False), (200, 0.0, False), (1, 0.5, False), (7, 0.0, True)])
async def test_whoever_leaves_has_no_example_of_that_day(play: Play, most: int, late: float, apart: bool) -> None:
    events = contracts(7)
    random = Random(8)
    last = day_of(events[-1][2])
    arrive = {place: (day_of(event[2]), random.random() if random.random() < late else 0.5) for place, event in enumerate(events)}
    for number, place in enumerate(sorted(arrive, key=lambda place: (*arrive[place], place))):
        who, type_, minute, data = events[place]
        at = number % PARTITIONS if apart else int(who[1:]) % PARTITIONS  # else what is of one customer comes in one order
        play.ground.send(f"e{number}", type_, minute, at=at, source=REPLAY, who={"customer_number": who}, **data)
    worker = play.hire(most=most)
    await play.own(worker)
    await play.learnt(worker, last)
    said = await play.examples()
    ended = {(who, day_of(minute)) for who, type_, minute, _ in events if type_ == "subscription.cancelled"}
    again = {(who, day_of(minute)) for who, type_, minute, _ in events if type_ == "subscription.started"}
    assert ended & again
    assert ended - again
    assert not {(who, day) for who, day, silent in said if not silent} & (ended - again)
    expected = by_the_course(events, last, CONTRACTS)
    assert {lost for _, lost in expected.values()} == {True, False, None}
    assert_same(said, events, last, CONTRACTS)
    await worker.die()
