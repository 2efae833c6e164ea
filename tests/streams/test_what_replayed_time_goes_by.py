"""Sources that replay their own time: what moves their now, and what does not."""

import asyncio
from datetime import datetime, timedelta
from functools import reduce
from typing import Any, cast
from uuid import UUID

import pytest
from msgspec.json import decode
from psycopg_pool import AsyncConnectionPool

from aggregates.fact import Fact, fact_of
from aggregates.identity import DEFAULT_RULES
from aggregates.source import Source
from aggregates.touchpoint import derive
from aggregates.wire import customer_event_decoder
from infra.sealing import KeyRing
from projections.value import fold, table
from streams import timers
from streams.customer import Customer
from streams.recalling import clock_of
from streams.record import Connection
from streams.resolve import Resolve
from streams.timers import Releasing
from streams.valuing import FEWEST, Fitting, Valuing
from streams.words import SCORES, told
from tests.churn.told import BEGIN, fact
from tests.streams.crew import Worker, until
from tests.streams.ground import Ground
from tests.streams.keys import MASTER
from tests.streams.people import BEGINNING
from tests.streams.whole import processors, publish

pytestmark = pytest.mark.engines

REPLAYED = Source("archive", clock="event")
OLDER, NEWER = Source("older", clock="event"), Source("newer", clock="event")
UNANSWERED = {"rule": "unanswered", "when": {"after": "shop.asked", "absent": "shop.answered", "for": "1h"}, "do": {"notify": "x"}}
DAY = 24 * 60


async def now(ground: Ground) -> datetime | None:
    cursor = await ground.connection.execute("SELECT max(now) FROM streams.clocks")
    row = await cursor.fetchone()
    return row[0] if row else None


async def test_the_now_of_replayed_time_is_what_was_sent_and_not_what_we_say_of_it(ground: Ground) -> None:
    event = ground.send("1", who={"email": "a@x.ir"}, source=REPLAYED)
    await ground.work()
    before = await now(ground)
    home = await ground.owner(event)
    later = BEGINNING + timedelta(days=10_000)  # a score that an order of the far future moved is given at our time
    said = told(SCORES, "score.given", str(home), derive("score", str(home)), {"score": "churn"}, later, clock="event")
    ground.memory.append(said.topic, said.key, said.value)
    await ground.work()
    assert before == await now(ground) is not None


def test_what_we_say_ourselves_goes_by_the_source_that_showed_it() -> None:
    def fact(clock: str) -> Fact:
        said = told("yekta:segments", "segment.left", str(derive("customer", "a")), derive("left", "a"), {}, BEGINNING, clock=clock)
        return fact_of(customer_event_decoder.decode(said.value or b""))

    assert [(fact(clock).clock, clock_of(fact(clock))) for clock in ("", "event:older", "event")] == [
        ("", ""),
        ("event", "event:older"),
        ("event", "event"),
    ]


class Story:
    """What several people do in the times that sources replay: so many that each partition hears of some."""

    def __init__(self, ground: Ground) -> None:
        self.ground, self.number = ground, 0
        publish(ground, "rule", UNANSWERED)

    async def happens(self, type_: str, minute: float, source: Source, names: str = "abcdefgh") -> None:
        """It happens to each, and all of it is heard: no partition is behind another."""
        self.number += 1
        await self.ground.ask("UPDATE streams.released SET replayed = '2027-01-01' RETURNING 1")
        for name in names:
            who = {"account": f"{source.name} {name}"}
            self.ground.send(f"{self.number} {name}", type_, minute, source=source, who=who)
        async with self.ground.working(*processors(self.ground, 100)) as worker:
            await self.ground.settle(worker)

    async def said(self, count: int) -> None:
        """So many signals stand, or will."""
        async with self.ground.working(*processors(self.ground, 100)) as worker:
            query = "SELECT count(*) = %s FROM signals.given WHERE NOT withdrawn"
            await until(lambda: self.ground.has(query, count))
            await self.ground.settle(worker)

    async def ever(self) -> int:
        """How many signals there ever were, or are about to be."""
        ((count,),) = await self.ground.ask(
            "SELECT (SELECT count(*) FROM signals.given) + (SELECT count(*) FROM streams.timers WHERE told)"
        )
        return int(count)


async def test_an_earlier_time_that_is_replayed_second_goes_by_its_own_clock(ground: Ground) -> None:
    story = Story(ground)
    await story.happens("shop.asked", 8 * DAY, NEWER)
    await story.happens("shop.looked", 9 * DAY, NEWER)
    await story.said(8)
    await story.happens("shop.asked", 0, OLDER)
    await story.happens("shop.answered", 30, OLDER)
    await story.happens("shop.asked", DAY, OLDER)
    await story.happens("shop.asked", 9 * DAY + 1, NEWER, "ijklmnop")  # the other goes on meanwhile
    assert await story.ever() == 8
    await story.happens("shop.looked", DAY + 61, OLDER)
    await story.said(16)


async def test_a_source_that_sends_no_more_ends_what_it_began_by_one_that_comes_past_it(ground: Ground) -> None:
    story = Story(ground)
    await story.happens("shop.looked", 0, OLDER)
    await story.happens("shop.asked", 1, NEWER)
    assert await story.ever() == 0
    await story.happens("shop.looked", 62, OLDER)
    await story.said(8)


async def test_no_silence_is_heard_while_what_ended_it_waits_in_another_partition(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker dies, and one partition of the log is through to the end of what was replayed before another begins."""
    monkeypatch.setattr(timers, "SETTLES", 0.0)

    async def ends() -> dict[int, int]:
        return ground.memory.ends("touchpoints")

    def happens(name: str, type_: str, hour: float, place: int) -> UUID:
        return ground.send(f"{name} {hour}", type_, hour * 60, at=place, source=REPLAYED, who={"account": name})

    when = {"after": "shop.asked", "absent": "shop.answered", "for": "1d"}
    publish(ground, "rule", {"rule": "unanswered", "when": when, "do": {"notify": "x"}})
    for name in ("answered", "unanswered"):
        asked = happens(name, "shop.asked", 0, 0)
        happens(name, "shop.over", 100, 0)
    happens("answered", "shop.answered", 1, 1)
    releasing = asyncio.create_task(Releasing(cast("AsyncConnectionPool[Connection]", ground.pool), ends).run())
    worker = ground.hire(*processors(ground, 100))
    await worker.own("resolve", [ground.memory.base])
    await worker.own("customer", ground.memory.numbers)
    await ground.passed("customer", worker)
    await asyncio.sleep(0.5)  # what may go by now is gone
    await worker.die()
    async with ground.working(*processors(ground, 100)):
        await until(lambda: ground.has("SELECT count(*) = 0 FROM streams.timers"))
        await until(lambda: asyncio.sleep(0, bool(ground.memory.all("signals"))))
    releasing.cancel()
    await asyncio.gather(releasing, return_exceptions=True)
    heard = [decode(record.value or b"")["data"] for record in ground.memory.all("signals")]
    assert [(one["customer_id"], one["occurred_at"][:10]) for one in heard] == [(str(derive("customer", str(asked))), "2026-03-02")]


async def test_nobodys_value_falls_while_what_he_bought_waits_in_another_partition(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule begins to ask for values while one partition of the log is months of replayed time ahead."""

    def buys(name: str, day: int, place: int) -> None:
        order: dict[str, Any] = {"order_id": f"{name} {day}", "lines": [], "total": "5.00", "currency": "USD"}
        who = {"account": name}
        ground.send(f"{name} {day}", "sales.order_placed", day * DAY, at=place, source=REPLAYED, who=who, **order)

    async def works() -> Worker:
        keys = KeyRing(MASTER)
        worker = ground.hire(Resolve(DEFAULT_RULES, keys), Customer(keys, parts=[Valuing(keys, lambda: BEGINNING)]))
        await worker.own("resolve", [ground.memory.base])
        await worker.own("customer", ground.memory.numbers)
        await ground.passed("customer", worker)
        return worker

    async def asked(connection: Connection) -> bool:
        del connection
        return True

    for name, day, place in (("waits", -300, 0), ("waits", -297, 0), ("ahead", 0, 0), ("waits", -1, 1)):
        buys(name, day, place)
    worker = await works()
    await worker.die()
    await ground.ask("UPDATE streams.released SET replayed = %s RETURNING 1", BEGINNING - timedelta(days=295))
    monkeypatch.setattr(table, "asked", asked)
    worker = await works()
    told_to_all = (
        "SELECT count(*) = %s AND NOT EXISTS (SELECT FROM streams.outbox) FROM value.sweeps WHERE after IS NULL",
        len(ground.memory.numbers),
    )
    await until(lambda: ground.has(*told_to_all))
    await worker.die()
    given = [event for event in ground.published if event.type == "score.given"]
    assert sorted(event.time - BEGINNING for event in given) == [timedelta(days=-295), timedelta(0)]


async def test_values_are_not_fitted_while_what_was_bought_waits_in_another_partition(ground: Ground) -> None:
    fitting = Fitting(cast("AsyncConnectionPool[Connection]", ground.pool), lambda: BEGINNING)
    state = reduce(fold.evolve, [fact(day, total="5.00", currency="USD") for day in (0.0, 9.0, 30.0)], fold.INITIAL)
    async with ground.pool.connection() as connection:
        await table.save(connection, 0, {str(UUID(int=number)): table.Valued(state, True) for number in range(FEWEST)})
    for partition, day in ((0, 30), (1, 300)):
        await ground.ask("INSERT INTO streams.clocks VALUES (%s, %s) RETURNING 1", partition, BEGIN + timedelta(days=day))
    for sent, models in ((None, 0), (290, 0), (293, 1), (300, 1)):
        if sent is not None:
            await ground.ask("UPDATE streams.released SET replayed = %s RETURNING 1", BEGIN + timedelta(days=sent))
        await fitting.fit()
        assert await ground.ask("SELECT count(*) FROM value.models") == [(models,)]
