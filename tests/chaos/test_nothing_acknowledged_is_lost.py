"""Everything is killed, again and again, while events flow: each acknowledged one is in the timeline once, and the log agrees.

`pytest tests/chaos --kills 500 --seed 7` kills as often as one likes, with the dice of before.
"""

import random
import signal
from pathlib import Path

import pytest

from infra.engines import supervisor
from tests.chaos.house import House, house

pytestmark = [pytest.mark.engines, pytest.mark.chaos]

POINTS = ("taken", "written", "committed", "published", "assigned")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A supervisor that waits ten seconds after the fifth quick death would make this a test of patience."""
    monkeypatch.setattr(supervisor, "_LONGEST_PAUSE", 0.5)


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    given = request.config.getoption("--seed")
    chosen = random.randrange(1_000_000) if given is None else int(given)
    print(f"--seed {chosen}")
    return chosen


async def expect_all_kept(home: House) -> None:
    """The promise."""
    verdict = await home.settle()
    assert verdict.equal, verdict
    rows = await home.rows()
    missing = home.emitter.acknowledged - rows.keys()
    assert not missing, f"{len(missing)} acknowledged events are not in the timeline"
    twice = [event for event, count in rows.items() if count > 1]
    assert not twice, f"{len(twice)} events are there more than once"
    assert await home.leftovers() == (0, 0, 0)


async def test_kill_9_of_anything_at_any_time_changes_nothing(tmp_path: Path, seed: int, request: pytest.FixtureRequest) -> None:
    kills, chance = int(request.config.getoption("--kills")) // 2, random.Random(seed)
    async with house(tmp_path / "home", seed, workers=2) as home:
        victims = ("worker-1", "worker-2", "worker-1", "worker-2", "api", "postgres", "kafka")
        for _ in range(kills):
            home.kill(chance.choice(victims))
            await home.emitter.more(chance.randrange(12), within=20)
        assert sum(home.deaths.values()) > 0
        await expect_all_kept(home)


async def test_a_worker_may_die_at_every_point_of_a_batch(tmp_path: Path, seed: int, request: pytest.FixtureRequest) -> None:
    kills = int(request.config.getoption("--kills")) // 2
    points = [f"{processor}.{point}" for processor in ("resolve", "customer") for point in POINTS]
    async with house(tmp_path / "home", seed, workers=2) as home:
        for number in range(kills):
            point, deaths = points[number % len(points)], home.deaths.total() + 1
            home.crash_file.write_text(f"{point} 0.5")
            if point.endswith("assigned"):  # which happens to who begins only
                home.kill("worker-1")
                deaths += 1
            assert await home.until_deaths(deaths, within=90), f"nobody died at {point}"
            home.crash_file.unlink()
        await expect_all_kept(home)


async def test_doors_accept_while_postgresql_stands_still(tmp_path: Path, seed: int) -> None:
    async with house(tmp_path / "home", seed, workers=1) as home:
        home.signal("postgres", signal.SIGSTOP)
        accepted = await home.emitter.more(60, within=60)
        home.signal("postgres", signal.SIGCONT)
        assert accepted
        home.kill("postgres")
        await expect_all_kept(home)


async def test_two_then_four_then_one_worker_under_load(tmp_path: Path, seed: int) -> None:
    async with house(tmp_path / "home", seed, workers=2) as home:
        assert await home.emitter.more(20, within=60)
        await home.add_worker(3)
        await home.add_worker(4)
        assert await home.emitter.more(40, within=60)
        for number in (2, 3, 4):
            await home.remove_worker(number)
        assert await home.emitter.more(20, within=60)
        await expect_all_kept(home)
