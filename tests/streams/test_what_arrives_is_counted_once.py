"""Counts of sources and the list of dead letters follow the log: whoever dies where, and however often the log is read again."""

import pytest

from aggregates import dead_letter
from aggregates.dead_letter import Place
from aggregates.refusal import Refusal
from streams.arrivals import Arrivals
from streams.letters import Letters
from tests.streams.crew import Gate, gates
from tests.streams.ground import Ground
from tests.streams.people import BEGINNING

pytestmark = pytest.mark.engines

EVENTS = 25
WHY = Refusal("wrong_value", "/data/total", "It is none.", "Write one.")


def refuse(ground: Ground, number: int) -> None:
    """A door refuses something."""
    letter = dead_letter.bury(b"%d" % number, WHY, "shop", Place("api/v1/batch"), BEGINNING, ground.keys, sent="2026-05-01T10:00:00Z")
    key, value, headers = dead_letter.record(letter)
    ground.memory.append("dead-letters", key or b"", value, headers)


async def counted(ground: Ground) -> tuple[int, int, int]:
    """Events by type, events by time, and letters."""
    ((seen, paced, letters),) = await ground.ask(
        "SELECT (SELECT coalesce(sum(events), 0) FROM sources.seen), (SELECT coalesce(sum(events), 0) FROM sources.pace),"
        " (SELECT count(*) FROM letters.letters WHERE sent = '2026-05-01T10:00:00Z')"
    )
    return int(seen), int(paced), int(letters)


@pytest.mark.parametrize("point", ["written", "committed"])
async def test_whoever_dies_in_the_middle_what_came_is_counted_once(ground: Ground, point: str) -> None:
    counting, listing = Gate(f"arrivals.{point}"), Gate(f"letters.{point}")
    for number in range(EVENTS):
        ground.send(f"e-{number}", who={"device": f"d-{number}"})
        refuse(ground, number)
    dying = ground.hire(Arrivals(), Letters(), most=4, at=gates(counting, listing))
    await dying.own_all()
    await counting.wait()
    await listing.wait()
    await dying.die()
    for _ in range(2):  # the second finds nothing left to do
        async with ground.working(Arrivals(), Letters(), most=4) as worker:
            await ground.passed("arrivals", worker)
            await ground.passed("letters", worker)
    seen, paced, letters = await counted(ground)
    assert (seen, letters) == (EVENTS, EVENTS)
    assert paced <= EVENTS


async def test_a_letter_that_comes_again_is_the_same_letter(ground: Ground) -> None:
    for _ in range(3):
        refuse(ground, 1)
    async with ground.working(Letters()) as worker:
        await ground.passed("letters", worker)
    assert (await counted(ground))[2] == 1
