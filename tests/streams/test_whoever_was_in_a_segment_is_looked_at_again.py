"""A new version of a segment, or one that is resumed, is of everybody who was there: who is in is what its words say of him."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

import pytest

from aggregates.identity import DEFAULT_RULES
from aggregates.source import Source
from aggregates.wire import CustomerEvent
from infra.database import MIGRATIONS
from infra.sealing import KeyRing
from projections.segments import table
from streams.customer import Customer
from streams.membership import SPEAKER
from streams.record import Processor
from streams.resolve import Resolve
from streams.segmenting import Segmenting
from streams.ticking import Ticking
from tests.streams.crew import Worker, until
from tests.streams.ground import Ground
from tests.streams.keys import MASTER
from tests.streams.people import BEGINNING
from tests.streams.whole import publish

pytestmark = pytest.mark.engines

RECEIVED = BEGINNING + timedelta(days=10)
"""When all that is sent here is received."""

ONCE, TWICE, THRICE = ({"count": "shop.came", "at_least": number, "within": "30d"} for number in (1, 2, 3))
BOUGHT = {"count": "shop.bought", "at_least": 1, "within": "30d"}
IN, OUT = "entered", "left"


class Story:
    """People who come to a shop, and the segment of those who came so often."""

    def __init__(self, ground: Ground) -> None:
        self.ground, self.number, self.sent = ground, 0, Counter[str]()

    @staticmethod
    def processors(today: datetime = RECEIVED, due: datetime = BEGINNING) -> list[Processor]:
        """Both hops, which remember nothing yet. Timers before `due` go."""
        ring, ticking = KeyRing(MASTER), Ticking(monotonic, lambda: due)
        return [Resolve(DEFAULT_RULES, ring), Customer(ring, parts=[Segmenting(ring, ticking, lambda: today), ticking])]

    def stands(self, version: int, when: Any, state: str = "published") -> None:
        """The segment stands so from here on."""
        self.number += 1
        publish(self.ground, "segment", {"segment": "guests", "when": when}, state, self.number, version=version)

    def comes(self, *names: str, type_: str = "shop.came", minute: float = 0) -> None:
        """They come, or do something else."""
        for name in names:
            self.sent[name] += 1
            self.ground.send(f"{name} {self.sent[name]}", type_, minute, who={"account": name})

    async def works(self, today: datetime = RECEIVED) -> None:
        """Somebody who remembers nothing does all there is to do."""
        async with self.ground.working(*self.processors(today)) as worker:
            await self.ground.settle(worker)

    async def resolved(self) -> Worker:
        """The first hop is through, and the second has heard nothing yet."""
        worker = self.ground.hire(*self.processors())
        await worker.own("resolve", self.ground.memory.numbers)
        await self.ground.passed("resolve", worker)
        return worker

    def name(self, customer: object) -> str:
        return next(name for name in self.sent if str(self.ground.customer(f"{name} 1")) == str(customer))

    async def members(self) -> list[str]:
        """Who is in, as people are shown it; the count says the same."""
        found = await table.members(self.ground.connection, "guests", 100)
        counted = (await table.counts(self.ground.connection, datetime.now(UTC), "guests")).get("guests")
        assert (counted.members if counted else 0) == len(found)
        return sorted([self.name(customer) for customer, _ in found])

    async def changes(self) -> list[tuple[str, str]]:
        """Who came in and who left, by name; each was told once, and the days say the same."""
        rows = await self.ground.ask("SELECT customer_id, change FROM signals.changes ORDER BY at")
        found = sorted([(self.name(customer), change) for customer, change in rows], key=lambda one: one[0])
        assert found == [(self.name(one.subject), one.type.partition(".")[2]) for one in self.told]
        assert len({one.yektaevent for one in self.told}) == len(self.told)
        days = await table.history(self.ground.connection, "guests", BEGINNING, "UTC")
        assert sum(entered + left for _, entered, left in days) == len(found)
        return found

    @property
    def told(self) -> list[CustomerEvent]:
        """What was told of the segment, by name, of each in the order of time."""
        return sorted([one for one in self.ground.published if one.source == SPEAKER], key=lambda one: (self.name(one.subject), one.time))

    @property
    def loud(self) -> list[tuple[str, str]]:
        """What is not told as of an import."""
        return [(self.name(one.subject), one.type.partition(".")[2]) for one in self.told if not one.yektabackfill]


@pytest.fixture
def story(ground: Ground) -> Story:
    return Story(ground)


@pytest.mark.parametrize("remembers", [True, False])
async def test_a_new_version_lets_out_and_in_whom_its_words_say(story: Story, remembers: bool) -> None:
    story.stands(1, ONCE)
    await story.works()
    story.comes("a", "b", "b")
    worker = story.ground.hire(*story.processors())
    await worker.own_all()
    for version, when, members in ((2, TWICE, ["b"]), (3, ONCE, ["a", "b"]), (4, [ONCE, {"not": TWICE}], ["a"])):
        await story.ground.settle(worker)
        if not remembers:
            await worker.die()
            worker = story.ground.hire(*story.processors())
            await worker.own_all()
        story.stands(version, when)
        await story.ground.settle(worker)
        assert await story.members() == members
    story.comes("b", "c")  # he has been there with two checks, and goes on with them
    await story.ground.settle(worker)
    await worker.die()
    assert await story.members() == ["a", "c"]
    assert await story.changes() == [("a", IN), ("a", OUT), ("a", IN), ("b", IN), ("b", OUT), ("c", IN)]
    assert story.loud == [("a", IN), ("b", IN), ("c", IN)]  # what a version changes is told to nobody


async def test_a_new_version_of_other_facts_lets_out_of_whom_there_are_none(story: Story) -> None:
    story.stands(1, ONCE)
    await story.works()
    story.comes("a")
    story.comes("b", type_="shop.bought")
    await story.works()
    assert await story.members() == ["a"]
    story.stands(2, BOUGHT)
    await story.works()
    assert await story.members() == ["b"]
    assert await story.changes() == [("a", IN), ("a", OUT), ("b", IN)]


async def test_whoever_comes_before_he_is_looked_at_is_told_only_what_he_did_himself(story: Story) -> None:
    story.stands(1, ONCE)
    await story.works()
    story.comes("a", "b", "b", "c")
    await story.works()
    story.stands(2, THRICE)
    worker = await story.resolved()
    story.comes("a", "b")
    await story.ground.passed("resolve", worker)
    await worker.own("customer", story.ground.memory.numbers)
    await story.ground.settle(worker)
    await worker.die()
    assert await story.members() == ["b"]
    assert await story.changes() == [("a", IN), ("a", OUT), ("b", IN), ("b", OUT), ("b", IN), ("c", IN), ("c", OUT)]
    assert story.loud == [("a", IN), ("b", IN), ("b", IN), ("c", IN)]


async def test_who_is_new_when_it_is_published_has_what_came_right_before(story: Story) -> None:
    story.comes("a", "b")
    worker = await story.resolved()
    story.stands(1, TWICE)
    story.comes("a", minute=1)
    await story.ground.passed("resolve", worker)
    await worker.own("customer", story.ground.memory.numbers)
    await story.ground.settle(worker)
    await worker.die()
    assert await story.members() == ["a"]
    assert await story.changes() == [("a", IN)]


async def test_time_that_passes_after_a_new_version_lets_out_by_its_words(story: Story) -> None:
    story.stands(1, ONCE)
    await story.works()
    story.comes("a")
    story.comes("b", minute=60 * 24 * 9)
    await story.works()
    assert await story.members() == ["a", "b"]
    story.stands(2, ONCE | {"within": "9d"})
    await story.works()
    assert await story.members() == ["b"]
    ((at, version),) = await story.ground.ask("SELECT at, version FROM streams.timers")
    assert (at, version) == (BEGINNING + timedelta(days=18), 2)
    await story.ground.ask("UPDATE streams.released SET at = 'infinity', ends = '{}' RETURNING 1")
    async with story.ground.working(*story.processors(due=RECEIVED + timedelta(days=30))) as worker:
        await until(lambda: story.ground.has("SELECT count(*) = 0 FROM signals.members"))
        await story.ground.settle(worker)
    assert await story.changes() == [("a", IN), ("a", OUT), ("b", IN), ("b", OUT)]
    assert story.loud == [("a", IN), ("b", IN), ("b", OUT)]


async def test_whose_time_was_over_under_the_version_before_does_not_stay(story: Story) -> None:
    story.stands(1, ONCE | {"within": "20d"})
    await story.works()
    story.comes("a")
    await story.works()
    story.stands(2, ONCE | {"within": "21d"})
    await story.works(BEGINNING + timedelta(days=40))
    assert await story.members() == []
    assert await story.changes() == [("a", IN), ("a", OUT)]


async def test_what_came_while_it_was_paused_counts_once_it_is_resumed(story: Story) -> None:
    story.stands(1, TWICE)
    await story.works()
    story.comes("a", "b", "b")
    await story.works()
    story.stands(1, TWICE, "paused")
    await story.works()
    story.comes("a", "c")
    await story.works()
    assert await story.members() == ["b"]
    story.stands(1, TWICE)
    await story.works()
    assert await story.members() == ["a", "b"]
    story.comes("c")
    await story.works()
    assert await story.members() == ["a", "b", "c"]
    assert await story.changes() == [("a", IN), ("b", IN), ("c", IN)]
    assert story.loud == [("b", IN), ("c", IN)]


@pytest.mark.parametrize("state", ["published", "paused"])
async def test_nobody_is_in_one_that_is_over_though_it_changed_right_before(story: Story, state: str) -> None:
    story.stands(1, ONCE)
    await story.works()
    story.comes("a", "b")
    await story.works()
    story.stands(2, TWICE, state)
    story.stands(2, TWICE, "retired")
    await story.works()
    assert await story.members() == []
    assert await story.ground.ask("SELECT 1 FROM streams.segment_states") == []


async def test_of_whom_a_simulated_source_speaks_time_passing_is_simulated_too(story: Story) -> None:
    story.ground.send("a 1", "shop.came", source=Source("tests", simulated=True), who={"account": "a"})
    await story.works()
    story.stands(1, ONCE)
    await story.works()
    assert await story.ground.ask("SELECT quiet FROM streams.timers") == [("test",)]


@pytest.mark.parametrize(("simulated", "quiet"), [((False, True), ""), ((True, False), "test")])
async def test_whether_time_passing_is_simulated_the_fact_says_whose_time_is_over(
    story: Story, simulated: tuple[bool, bool], quiet: str
) -> None:
    story.stands(1, TWICE)
    await story.works()
    for number, made_up in enumerate(simulated):
        story.ground.send(f"a {number}", "shop.came", number, source=Source("tests", simulated=made_up), who={"account": "a"})
        await story.works()
    assert await story.ground.ask("SELECT quiet FROM streams.timers") == [(quiet,)]


async def test_who_is_in_by_what_an_earlier_release_made_of_a_version_is_looked_at_anew(story: Story) -> None:
    story.stands(1, TWICE)
    await story.works()
    story.comes("a", "b", "b")
    await story.works()
    await story.ground.ask("UPDATE streams.segment_states SET inside = true RETURNING 1")
    await story.ground.ask(
        "INSERT INTO signals.members (segment, customer_id, since, version) VALUES ('guests', %s, %s, 1) RETURNING 1",
        story.ground.customer("a 1"),
        RECEIVED,
    )
    await story.ground.connection.execute((MIGRATIONS / "0972_segments_looked_at_anew.sql").read_bytes())
    async with story.ground.working(*story.processors()) as worker:
        await until(lambda: story.ground.has("SELECT count(*) = 0 FROM streams.surveys"))
        await story.ground.settle(worker)
    assert await story.members() == ["b"]
