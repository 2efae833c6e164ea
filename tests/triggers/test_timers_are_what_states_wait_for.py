"""What a state waits for has its timer, however the state came to be; and what is waited for as before is not set again."""

from datetime import datetime, timedelta

import pytest

from aggregates.identity import DEFAULT_RULES
from infra.sealing import KeyRing
from streams.record import Processor
from streams.resolve import Resolve
from tests.streams.ground import Ground
from tests.streams.keys import MASTER
from tests.streams.people import BEGINNING
from tests.streams.whole import publish, settled

pytestmark = pytest.mark.engines

PIECE = 100
WHO = {"device": "d-1"}
MISSING = {"rule": "missing", "when": {"after": "shop.left", "absent": "shop.seen", "for": "14d"}, "do": {"notify": "team:crm"}}


async def test_who_waits_since_before_a_rule_is_missed_also_if_he_is_heard_together_with_it(ground: Ground) -> None:
    """His next fact changes nothing of what he waits for, and the survey that follows finds him known already."""
    ground.send("left", "shop.left", 1, who=WHO)
    await settled(ground, PIECE)
    publish(ground, "rule", MISSING)
    ground.send("left again", "shop.left", 2, who=WHO)
    await _resolved(ground)
    await settled(ground, PIECE)
    assert await _timers(ground) == [BEGINNING + timedelta(days=14, minutes=1)]


async def test_what_is_waited_for_no_more_has_no_timer(ground: Ground) -> None:
    publish(ground, "rule", MISSING)
    ground.send("left", "shop.left", 1, who=WHO)
    await settled(ground, PIECE)
    ground.send("left again", "shop.left", 2, who=WHO)
    await settled(ground, PIECE)
    assert await _timers(ground) == [BEGINNING + timedelta(days=14, minutes=1)]
    ground.send("seen", "shop.seen", 3, who=WHO)
    await settled(ground, PIECE)
    assert await _timers(ground) == []
    ground.send("left once more", "shop.left", 4, who=WHO)
    await settled(ground, PIECE)
    assert await _timers(ground) == [BEGINNING + timedelta(days=14, minutes=4)]


async def _resolved(ground: Ground) -> None:
    """Nobody has folded it yet."""
    first: list[Processor] = [Resolve(DEFAULT_RULES, KeyRing(MASTER))]
    async with ground.working(*first) as worker:
        await ground.passed("resolve", worker)


async def _timers(ground: Ground) -> list[datetime]:
    return [at for (at,) in await ground.ask("SELECT at FROM streams.timers WHERE rule = 'missing' ORDER BY at")]
