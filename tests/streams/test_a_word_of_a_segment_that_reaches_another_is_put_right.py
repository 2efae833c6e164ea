"""What was told of a segment was on its way while its identifier went to somebody else: his history must not say what is not so of him."""

from datetime import timedelta

import pytest

from projections.triggers.trigger import ENTERED, LEFT
from streams.membership import SPEAKER
from streams.words import told
from tests.streams.ground import Ground
from tests.streams.people import BEGINNING
from tests.streams.twins import members_as_told
from tests.streams.whole import processors, publish

pytestmark = pytest.mark.engines

TODAY = BEGINNING + timedelta(days=10)


@pytest.mark.parametrize(("orders", "says"), [(0, ENTERED), (1, LEFT)], ids=["who is not in", "who is in"])
async def test_he_is_told_what_is_so_of_him(ground: Ground, orders: int, says: str) -> None:
    publish(ground, "segment", {"segment": "buyers", "when": {"count": "shop.bought", "at_least": 1, "within": "30d"}})
    ground.send("met", "shop.came", who={"account": "he"})
    for number in range(orders):
        ground.send(f"order {number}", "shop.bought", 60, who={"account": "he"})
    async with ground.working(*processors(ground, 5000, TODAY)) as worker:
        await ground.settle(worker)
        before = await members_as_told(ground)

        another, he = ground.customer("another"), ground.customer("met")
        word = told(
            SPEAKER,
            says,
            str(he),
            another,  # an id that is made of somebody else
            {"segment": "buyers", "version": 1},
            TODAY + timedelta(hours=1),
            decider=ground.token("account", "he"),
            backfill=True,
        )
        ground.memory.append(word.topic, word.key, word.value)
        await ground.settle(worker)

    assert before == ({(he, "buyers")} if orders else set())
    assert await members_as_told(ground) == before
    rows = await ground.ask("SELECT record FROM read_1.timeline WHERE source = %s", SPEAKER)
    assert len(rows) == 2 + orders  # the word, what puts it right, and what was said when he came in
