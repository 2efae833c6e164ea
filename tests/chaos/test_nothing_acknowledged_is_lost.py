"""Everything is killed, again and again, while events flow: each acknowledged one is in the timeline once, and the log agrees.

`pytest tests/chaos --kills 500 --seed 7 --standstill 300` kills as often and stands still as long as one likes, with the dice of before.
"""

import json
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from infra.engines import supervisor
from tests.chaos.house import House, house
from tests.conftest import seed_of

pytestmark = [pytest.mark.engines, pytest.mark.chaos]

LANES = [
    f"{hop}.{point}" for hop in ("inbox", "resolve", "customer") for point in ("assigned", "taken", "written", "committed", "published")
]
DOORS = [f"{process}.{point}" for process in ("door", "worker") for point in ("sent", "acknowledged")]
POINTS = [*LANES, *DOORS]
"""Before, in and after the transaction; before and after Kafka acknowledges; while the group rebalances."""


@pytest.fixture(scope="module", autouse=True)
def impatient() -> Iterator[None]:
    """A supervisor that waits ten seconds after the fifth quick death would make this a test of patience."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(supervisor, "_LONGEST_PAUSE", 0.1)
        yield


@pytest.fixture(scope="module")
def seed(request: pytest.FixtureRequest) -> int:
    """Where the tests of this module begin."""
    return seed_of(request)


@pytest.fixture
def kills(request: pytest.FixtureRequest) -> int:
    """For each of the two tests that kill."""
    return -(-int(request.config.getoption("--kills")) // 2)


@pytest.fixture(scope="module")
async def home(tmp_path_factory: pytest.TempPathFactory, seed: int) -> AsyncIterator[House]:
    """One house for all: what an earlier test did to it must not matter to a later one."""
    async with house(tmp_path_factory.mktemp("chaos"), seed, workers=2) as made:
        yield made


@asynccontextmanager
async def all_is_kept(home: House) -> AsyncIterator[None]:
    """The promise: whatever happens in the block while events flow."""
    async with home.emitter.flowing():
        await home.emitter.more(5)
        yield
        await home.emitter.more(5)
    await home.visible()
    verdict = await home.verdict()
    assert verdict.equal, verdict
    rows = await home.rows()
    missing = home.emitter.acknowledged - rows.keys()
    assert not missing, f"{len(missing)} acknowledged events are not in the timeline"
    assert rows.keys() == home.emitter.acknowledged, "there is something that nobody sent"
    assert set(rows.values()) == {1}, "some events are there more than once"
    assert await home.left_over() == ([], 0, 0)


async def test_kill_9_of_anything_at_any_time_changes_nothing(home: House, seed: int, kills: int) -> None:
    chance = random.Random(seed)
    victims = ("worker-1", "worker-2", "worker-1", "worker-2", "api", "postgres", "kafka")
    async with all_is_kept(home):
        before = home.deaths.total()
        while home.deaths.total() - before < kills:
            home.kill(chance.choice(victims))
            await home.emitter.more(chance.randrange(12))


async def test_a_process_may_die_at_every_point_of_its_work(home: House, kills: int) -> None:
    async with all_is_kept(home):
        for number in range(max(kills, len(POINTS))):
            await home.crash(POINTS[number % len(POINTS)])


async def test_doors_accept_while_postgresql_stands_still(home: House, request: pytest.FixtureRequest) -> None:
    """Seconds here, minutes where `--standstill` says so."""
    seconds = float(request.config.getoption("--standstill"))
    async with all_is_kept(home):
        home.freeze("postgres")
        try:
            await home.emitter.lasts(seconds, batches=20)
        finally:
            home.thaw("postgres")


async def test_postgresql_that_stands_still_may_be_killed_too(home: House) -> None:
    """Only its first process: those that serve its sessions stand still for ever, and must not keep the next server out."""
    async with all_is_kept(home):
        home.freeze("postgres")
        await home.emitter.more(20)
        home.kill("postgres")


async def test_a_worker_that_hangs_is_replaced_and_does_no_harm_when_it_goes_on(home: House, request: pytest.FixtureRequest) -> None:
    """Longer than the group waits for it: it wakes up believing that its partitions are still its own."""
    if not request.config.getoption("--hang"):
        pytest.skip("only with --hang: it takes a minute and a half")
    async with all_is_kept(home):
        home.freeze("worker-2")
        try:
            await home.visible()  # the other has taken over
        finally:
            home.thaw("worker-2")
        await home.emitter.more(20)


async def test_one_then_two_then_four_then_one_worker_under_load(home: House) -> None:
    async with all_is_kept(home):
        await home.remove_worker(2)
        await home.emitter.more(20)
        await home.add_worker(2)
        await home.emitter.more(20)
        await home.add_worker(3)
        await home.add_worker(4)
        home.kill("worker-2")  # while the group shares the partitions anew
        await home.emitter.more(20)
        for number in (4, 3, 2):
            await home.remove_worker(number)
        await home.emitter.more(20)
    await home.add_worker(2)


async def test_what_libraries_log_meanwhile_is_json_too_and_keeps_messages_to_itself(home: House) -> None:
    async with all_is_kept(home):
        home.kill("kafka")
        await home.emitter.more(5)
    lines = [line for name in ("worker-1", "worker-2", "api") for line in home.log(name)]
    said = [line for line in lines if "connect to node" in line]
    assert said, "no library had anything to say"
    assert [line for line in said if not line.startswith("{")] == []
    assert [line for line in said if not {"event", "level", "process"} <= json.loads(line).keys()] == []
