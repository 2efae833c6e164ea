"""A fact by which two customers are one, told on its own: what it shows is said live as from files, and what only their being one shows is
said to nobody."""

from datetime import timedelta
from typing import Any

import pytest

from aggregates.reading import read
from aggregates.sealing import seal
from aggregates.touchpoint import Touchpoint
from tests.rules.telling import evaluation
from tests.streams.ground import Ground
from tests.streams.people import BEGINNING, SOURCE
from tests.streams.whole import processors, publish

pytestmark = pytest.mark.engines

RULE = {"rule": "thrice", "when": {"count": "shop.seen", "at_least": 3, "within": "1d"}, "do": {"notify": "team:crm"}}
PHONE, EMAIL = {"phone": "+989121234567"}, {"email": "sara@example.ir"}
SEEN, OTHER = "shop.seen", "shop.left"

History = list[tuple[str, int, dict[str, str], dict[str, Any]]]
"""Type, minute, whose, attributes."""


@pytest.mark.parametrize(
    ("history", "quiet"),
    [
        pytest.param([(SEEN, 1, PHONE, {}), (SEEN, 2, EMAIL, {}), (SEEN, 3, PHONE | EMAIL, {})], "", id="the fact that joins them"),
        pytest.param([(SEEN, 1, PHONE, {}), (SEEN, 3, EMAIL, {}), (SEEN, 2, PHONE | EMAIL, {})], "", id="though it comes late"),
        pytest.param(
            [(SEEN, 1, PHONE, {}), (SEEN, 2, EMAIL, {}), (SEEN, 3, EMAIL, {}), (OTHER, 4, PHONE | EMAIL, {})], "moved", id="only that"
        ),
        pytest.param(
            [(SEEN, 1, PHONE, {}), (SEEN, 2, EMAIL, {}), (SEEN, 3, EMAIL, {}), (SEEN, 4, PHONE | EMAIL, {})], "moved", id="that before it"
        ),
        pytest.param(
            [(SEEN, 1, PHONE, {}), (SEEN, 2, EMAIL, {}), (SEEN, 3, PHONE | EMAIL, {"yektasimulated": True})], "test", id="a test's"
        ),
        pytest.param(
            [(SEEN, 1, PHONE, {}), (SEEN, 3, EMAIL, {}), (SEEN, 2, PHONE | EMAIL, {"yektabackfill": True})], "moved", id="imported"
        ),
    ],
)
async def test_what_a_fact_shows_that_joins_customers_is_told_unless_only_their_being_one_shows_it(
    ground: Ground, history: History, quiet: str
) -> None:
    publish(ground, "rule", RULE)
    events = [
        {
            "specversion": "1.0",
            "id": f"e{number}",
            "source": "/tests",
            "type": type_,
            "time": (BEGINNING + timedelta(minutes=minute)).isoformat(),
            "data": {"who": who},
            **attributes,
        }
        for number, (type_, minute, who, attributes) in enumerate(history)
    ]
    received = [BEGINNING + timedelta(days=10, microseconds=number) for number in range(len(events))]
    async with ground.working(*processors(ground, 2000)) as worker:
        for event, at in zip(events, received, strict=True):
            understood = read(event, SOURCE, at)
            assert isinstance(understood, Touchpoint)
            ground.memory.append("touchpoints", *seal(understood, ground.keys))
            await ground.settle(worker)
    told = await ground.ask("SELECT cause, quiet FROM signals.given WHERE NOT withdrawn")
    run = evaluation([RULE], [event | {"yektarecordedtime": at.isoformat()} for event, at in zip(events, received, strict=True)])
    assert told == [(signal.cause, signal.quiet) for signal, _ in run.signals.values()]
    assert [hushed for _, hushed in told] == [quiet]
