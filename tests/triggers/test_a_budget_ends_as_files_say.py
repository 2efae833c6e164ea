"""Of several customers who are told of at once, who comes first gets what is left of a budget, as from files."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.rules.telling import evaluation
from tests.streams.ground import Ground
from tests.streams.people import BEGINNING
from tests.streams.whole import publish
from tests.triggers.test_what_joins_customers_is_told_as_files_say import hear, lived, offer, processors

pytestmark = pytest.mark.engines

POLICY: dict[str, Any] = {
    "policy": "contact",
    "zone": "UTC",
    "priority": ["service", "retention", "marketing"],
    "budget": {"per": "campaign", "amount": 9, "in": "month", "costs": {"sms": 1}, "stop": "hard"},
}
EACH = offer("each", 1, "1s")


NIGHT = POLICY | {"quiet": {"from": "23:00", "to": "09:00"}, "budget": {**POLICY["budget"], "amount": 2}}


async def test_who_was_held_first_gets_what_is_left_of_a_budget_in_the_morning(ground: Ground) -> None:
    homes = [name for nth in range(99) if ground.home(f"consent {(name := f'c{nth}')}") == 0][:5]  # of one partition
    names = sorted(homes, key=lambda name: ground.customer(f"consent {name}"), reverse=True)
    await ground.connection.execute(
        "INSERT INTO contacts.policy (version, at, by, text) VALUES (1, now(), 'tests', %s)", (json.dumps(NIGHT),)
    )
    await ground.connection.execute("UPDATE streams.released SET at = 'infinity', ends = '{}'")
    publish(ground, "rule", EACH)
    events = [told("consent.given", f"consent {name}", name, nth, purpose="service") for nth, name in enumerate(names)]
    events += [told("shop.seen", f"seen {name}", name, 60 * nth + 60) for nth, name in enumerate(names)]
    await lived(ground, events)
    events.append(told("shop.closed", "closed", names[0], 86_400))
    run = evaluation([EACH], [event | {"yektarecordedtime": at.isoformat()} for event, at in events], NIGHT, "")
    expected = {(run.signals[id_][0].cause, outcome.result, outcome.reason or None) for id_, outcome in run.outcomes.items()}
    found = await ground.ask("SELECT g.cause, d.outcome, d.reason FROM contacts.decisions d JOIN signals.given g ON g.id = d.signal")
    assert set(found) == expected
    assert {cause for cause, outcome, _ in found if outcome == "sent"} == {f"seen {name}" for name in names[:2]}


async def test_who_comes_first_gets_what_is_left_of_a_budget(ground: Ground) -> None:
    names = [f"c{nth}" for nth in range(99) if ground.home(f"consent c{nth}") == 0][:2]  # of one partition
    text = json.dumps(POLICY)
    await ground.connection.execute("INSERT INTO contacts.policy (version, at, by, text) VALUES (1, now(), 'tests', %s)", (text,))
    publish(ground, "rule", EACH)
    events = [told("consent.given", f"consent {name}", name, nth, purpose="service") for nth, name in enumerate(names)]
    events += [told("shop.seen", f"seen {nth}", names[nth // 8], 60 * nth) for nth in range(1, 16)]
    for event, at in events:
        await hear(ground, event, at)
    resolve, customer = processors([BEGINNING])
    async with ground.working(resolve) as worker:
        await ground.passed("resolve", worker)
    async with ground.working(customer) as worker:  # of all of them at once
        await ground.settle(worker)
    ((salt,),) = await ground.ask("SELECT salt FROM contacts.salt")
    run = evaluation([EACH], [event | {"yektarecordedtime": at.isoformat()} for event, at in events], POLICY, salt)
    expected = {(run.signals[id_][0].cause, outcome.result, outcome.reason or None) for id_, outcome in run.outcomes.items()}
    found = await ground.ask(
        "SELECT g.cause, d.outcome, d.reason FROM contacts.decisions d JOIN signals.given g ON g.id = d.signal WHERE NOT g.withdrawn"
    )
    assert set(found) == expected


def told(type_: str, id_: str, name: str, second: int, **data: str) -> tuple[dict[str, Any], datetime]:
    """What happens to somebody, and when that is received: at once."""
    at = BEGINNING + timedelta(days=10, seconds=second)
    event = {"specversion": "1.0", "id": id_, "source": "/tests", "type": type_, "time": at.isoformat()}
    return event | {"data": {"who": {"customer_number": name}, **data}}, at
