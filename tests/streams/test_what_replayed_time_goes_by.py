"""Sources that replay their own time: what moves their now, and what does not."""

from datetime import datetime, timedelta

import pytest

from aggregates.source import Source
from aggregates.touchpoint import derive
from streams.words import SCORES, told
from tests.streams.ground import Ground
from tests.streams.people import BEGINNING

pytestmark = pytest.mark.engines

REPLAYED = Source("archive", clock="event")


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
