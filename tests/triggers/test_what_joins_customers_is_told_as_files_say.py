"""A fact by which two customers are one, told on its own: what it shows is said live as from files, what only their being one shows is
said to nobody, and what was decided about either of them stands."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

import pytest

from aggregates.identity import DEFAULT_RULES
from aggregates.reading import read
from aggregates.sealing import seal
from aggregates.source import Source
from aggregates.touchpoint import Touchpoint
from infra.sealing import KeyRing
from streams.contacting import Deciding
from streams.customer import Customer
from streams.record import Processor
from streams.resolve import Resolve
from streams.ticking import Ticking
from streams.triggering import Triggering
from tests.rules.telling import evaluation
from tests.streams.crew import until
from tests.streams.ground import Ground
from tests.streams.keys import MASTER
from tests.streams.people import BEGINNING, SOURCE
from tests.streams.whole import publish

pytestmark = pytest.mark.engines

RULE = {"rule": "thrice", "when": {"count": "shop.seen", "at_least": 3, "within": "1d"}, "do": {"notify": "team:crm"}}
PHONE, EMAIL = {"phone": "+989121234567"}, {"email": "sara@example.ir"}
REPLAYED = Source("replayed", clock="event")
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
    events = written(history)
    async with ground.working(*processors([BEGINNING])) as worker:
        for event, at in events:
            await hear(ground, event, at)
            await ground.settle(worker)
    told = await ground.ask("SELECT cause, quiet FROM signals.given WHERE NOT withdrawn")
    run = evaluation([RULE], [event | {"yektarecordedtime": at.isoformat()} for event, at in events])
    assert told == [(signal.cause, signal.quiet) for signal, _ in run.signals.values()]
    assert [hushed for _, hushed in told] == [quiet]


QUIET = {"policy": "contact", "zone": "UTC", "quiet": {"from": "23:00", "to": "09:00"}}
ANY = {"policy": "contact", "zone": "UTC"}


def offer(name: str, least: int, within: str = "1d") -> dict[str, Any]:
    return {
        "rule": name,
        "when": {"count": SEEN, "at_least": least, "within": within},
        "do": {"contact": name, "purpose": "service", "prefer": ["sms"]},
    }


@pytest.mark.parametrize(
    ("rules", "policy", "history", "outcomes"),
    [
        pytest.param(
            [offer("once", 1)], QUIET, [(SEEN, 1, EMAIL, {}), (OTHER, 2, PHONE | EMAIL, {})],
            [("once", "e2", "sent", "sms", "09:00", None)], id="what was held of one is sent to both"
        ),
        pytest.param(
            [offer("once", 1)], ANY, [("consent.withdrawn", 0, EMAIL, {}), (SEEN, 1, EMAIL, {}), (OTHER, 2, PHONE | EMAIL, {})],
            [("once", "e3", "silent", None, "00:00", "consent service/sms")], id="why one was not approached stays so"
        ),
        pytest.param(
            [offer("thrice", 3), offer("each", 1, "30s")], ANY, [(SEEN, 1, EMAIL, {}), (SEEN, 2, EMAIL, {}), (SEEN, 3, PHONE | EMAIL, {})],
            [("each", cause, "sent", "sms", "00:00", None) for cause in ("e2", "e3", "e4")]
            + [("thrice", "e4", "silent", None, "00:00", "lost to each")], id="one moment gives one contact"
        ),
    ],
)  # fmt: skip
async def test_what_was_decided_about_one_who_is_another_stands(
    ground: Ground,
    rules: Sequence[dict[str, Any]],
    policy: dict[str, Any],
    history: History,
    outcomes: list[tuple[str | None, ...]],
) -> None:
    text = json.dumps({**policy, "priority": ["service", "retention", "marketing"]})
    await ground.connection.execute("INSERT INTO contacts.policy (version, at, by, text) VALUES (1, now(), 'tests', %s)", (text,))
    await ground.connection.execute("UPDATE streams.released SET at = 'infinity', ends = '{}'")
    for rule in rules:
        publish(ground, "rule", rule)
    await lived(ground, written([("consent.given", 0, PHONE, {}), ("consent.given", 0, EMAIL, {}), *history]))
    found = await ground.ask(
        "SELECT d.rule, g.cause, d.outcome, d.channel, to_char(d.at AT TIME ZONE 'UTC', 'HH24:MI'), d.reason FROM contacts.decisions d"
        " JOIN signals.given g ON g.id = d.signal AND g.customer_id = d.customer_id WHERE NOT g.withdrawn ORDER BY d.rule, g.cause"
    )
    assert found == outcomes


@pytest.mark.parametrize(
    "history",
    [
        pytest.param([(SEEN, 1, EMAIL, {}), (OTHER, 2, PHONE | EMAIL, {})], id="of one"),
        pytest.param([(SEEN, 1, EMAIL, {}), (SEEN, 2, PHONE, {}), (SEEN, 3, PHONE | EMAIL, {})], id="of both, and of the fact that joins"),
    ],
)
async def test_in_replayed_time_the_contacts_of_who_is_another_are_decided_together(ground: Ground, history: History) -> None:
    rules, policy = [offer("thrice", 3), offer("each", 1, "30s")], {**ANY, "priority": ["service", "retention", "marketing"]}
    await ground.connection.execute(
        "INSERT INTO contacts.policy (version, at, by, text) VALUES (1, now(), 'tests', %s)", (json.dumps(policy),)
    )
    for nth, rule in enumerate(rules):
        publish(ground, "rule", rule, at=BEGINNING + timedelta(seconds=nth))
    events = [event for event, _ in written([("consent.given", 0, PHONE, {}), ("consent.given", 0, EMAIL, {}), *history])]
    async with ground.working(*processors([BEGINNING])) as worker:
        for event in events:
            await hear(ground, event, BEGINNING + timedelta(days=99), REPLAYED)
            await ground.settle(worker)
        await ground.ask(
            "UPDATE streams.released SET replayed = '2027-01-01' RETURNING 1"
        )  # until now something might have been on its way

        async def over() -> bool:
            return await ground.has("SELECT NOT EXISTS (SELECT FROM streams.timers)")

        await until(over, unless=lambda: worker.failures)
    found = await ground.ask(
        "SELECT d.rule, g.cause, d.outcome, d.at, d.reason FROM contacts.decisions d"
        " JOIN signals.given g ON g.id = d.signal AND g.customer_id = d.customer_id WHERE NOT g.withdrawn"
    )
    ((salt,),) = await ground.ask("SELECT salt FROM contacts.salt")
    run = evaluation(rules, [event | {"yektakey": REPLAYED.name} for event in events], policy, salt)
    outcomes = [(run.signals[id_][0], outcome) for id_, outcome in run.outcomes.items() if id_ not in run.withdrawn]
    assert set(found) == {(signal.rule, signal.cause, one.result, one.at, one.reason or None) for signal, one in outcomes}


def processors(now: list[datetime]) -> list[Processor]:
    """Both hops, with contacts; timers go by this clock."""
    ring = KeyRing(MASTER)
    ticking = Ticking(monotonic, lambda: now[0])
    return [Resolve(DEFAULT_RULES, ring), Customer(ring, parts=[Triggering(ring, Deciding(ring), ticking), ticking])]


def written(history: History) -> list[tuple[dict[str, Any], datetime]]:
    """The events, and when each was received."""
    return [
        (
            {
                "specversion": "1.0",
                "id": f"e{number}",
                "source": "/tests",
                "type": type_,
                "time": (BEGINNING + timedelta(days=9, hours=23, minutes=minute)).isoformat(),
                "data": {"who": who} | ({"purpose": "service"} if type_.startswith("consent") else {}),
                **attributes,
            },
            BEGINNING + timedelta(days=10, microseconds=number),
        )
        for number, (type_, minute, who, attributes) in enumerate(history)
    ]


async def hear(ground: Ground, event: dict[str, Any], at: datetime, source: Source = SOURCE) -> None:
    understood = read(event, source, at)
    assert isinstance(understood, Touchpoint)
    ground.memory.append("touchpoints", *seal(understood, ground.keys))


async def lived(ground: Ground, events: Sequence[tuple[dict[str, Any], datetime]]) -> None:
    """These events are heard one after the other, and then of eleven days nothing more, until no timer is left."""
    now = [BEGINNING]
    async with ground.working(*processors(now)) as worker:
        for event, at in events:
            await hear(ground, event, at)
            await ground.settle(worker)
        now[0] = BEGINNING + timedelta(days=11)

        async def over() -> bool:
            return await ground.has("SELECT NOT EXISTS (SELECT FROM streams.timers)")

        await until(over, unless=lambda: worker.failures)
