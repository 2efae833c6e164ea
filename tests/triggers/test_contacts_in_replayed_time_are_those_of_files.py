"""Random rules that contact, over random logs that a source replays, told at once or in small batches: what becomes of contacts is what
files say."""

import json
from datetime import UTC, datetime, timedelta
from random import Random
from time import monotonic
from typing import Any

import msgspec
import pytest

from aggregates.declaration import Decided, decided_type
from aggregates.identity import DEFAULT_RULES
from aggregates.reading import read
from aggregates.source import Source
from aggregates.touchpoint import Touchpoint
from infra.sealing import KeyRing
from streams.contacting import Deciding
from streams.customer import Customer
from streams.record import Processor
from streams.resolve import Resolve
from streams.ticking import Ticking
from streams.triggering import Triggering
from tests.rules import histories as drawing
from tests.rules.telling import evaluation
from tests.streams import truth
from tests.streams.crew import until
from tests.streams.ground import Ground
from tests.streams.keys import MASTER
from tests.streams.people import BEGINNING
from tests.streams.whole import everywhere

pytestmark = pytest.mark.engines

COUNT = 12
EARLIER = timedelta(days=-18)
"""All of it is before the moment at which doors receive it here."""

CLOSED = drawing.START + EARLIER + timedelta(days=9)
"""When the last thing happens: whatever waited is due by then."""

SIZES = (1, 5, 2000, 2000)
"""Records of a batch: a replay may be told at once, or drip."""


def happened(type_: str, id_: str, at: datetime, **data: str) -> dict[str, Any]:
    """An event."""
    return {"specversion": "1.0", "id": id_, "source": "/tests", "type": type_, "time": at.isoformat(), "data": data}


def processors() -> list[Processor]:
    """Both hops, whose timers of our own time never go."""
    ring = KeyRing(MASTER)
    ticking = Ticking(monotonic, lambda: BEGINNING)
    return [Resolve(DEFAULT_RULES, ring), Customer(ring, parts=[Triggering(ring, Deciding(ring), ticking), ticking])]


class Replay:
    """One log of a source of its own, in a time in which others were replayed before."""

    def __init__(
        self, ground: Ground, number: int, rules: list[dict[str, Any]], policy: dict[str, Any], events: list[dict[str, Any]]
    ) -> None:
        self.ground, self.number, self.policy = ground, number, policy
        self.source = Source(f"replayed{number}", clock="event")
        self.rules = [rule | {"rule": f"{rule['rule']}.{number}"} for rule in rules]
        closed = happened("shop.closed", "z", CLOSED - EARLIER)
        found = [self._mine(event) for event in [*events, closed]]
        understood = [read(event, self.source, CLOSED) for event in found]
        subjects = [
            one.subject if isinstance(one, Touchpoint) else "" for one in understood
        ]  # of a call it is the call: no order is promised
        self.events = [event for event, subject in zip(found, subjects, strict=True) if subject == subjects[-1]]

    def _mine(self, event: dict[str, Any]) -> dict[str, Any]:
        """The event, of the customer of this log."""
        data = event["data"] | {"who": {"customer_number": f"c-{self.number}"}}
        if event["type"].startswith("call."):
            data |= {"agent": "a", "seconds": 60}
        at = datetime.fromisoformat(event["time"]) + EARLIER
        return event | {"source": "/tests", "time": at.isoformat(), "data": data}

    async def play(self, size: int, *, behind: bool = False) -> None:
        """Let all of it happen, and all timers go. `behind`: until all is heard another partition might be behind this one."""
        text = json.dumps(self.policy)
        await self.ground.connection.execute(
            "INSERT INTO contacts.policy (version, at, by, text) VALUES (%s, now(), 'tests', %s)", (self.number + 1, text)
        )
        await self._released("-infinity" if behind else "2027-01-01")
        self._stand("published")
        for event in self.events:
            minute = (datetime.fromisoformat(event["time"]) - BEGINNING) / timedelta(minutes=1)
            self.ground.send(event["id"], event["type"], minute, source=self.source, **event["data"])
        async with self.ground.working(*processors(), most=size) as worker:
            await self.ground.settle(worker)
            await self._released("2027-01-01")

            async def over() -> bool:
                return await truth.settled(self.ground.connection, self.ground.memory) and await self.ground.has(
                    "SELECT NOT EXISTS (SELECT FROM streams.timers WHERE at <= %s)", CLOSED
                )

            await until(over, unless=lambda: worker.failures)
        self._stand("retired")  # the next log is none of theirs

    async def _released(self, replayed: str) -> None:
        await self.ground.ask("UPDATE streams.released SET replayed = %s RETURNING 1", replayed)

    def _stand(self, state: str) -> None:
        for place, rule in enumerate(self.rules):
            at, number = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=place), 1 if state == "published" else 2
            decided = Decided("rule", rule["rule"], 1, number, state, msgspec.json.encode(rule).decode(), self.policy["zone"], at)
            everywhere(self.ground, decided_type("rule"), f"{rule['rule']} {number}", msgspec.to_builtins(decided))

    async def live(self) -> list[tuple[Any, ...]]:
        """What became of each contact, as the tables have it."""
        return await self.ground.ask(
            "SELECT d.rule, g.cause, d.outcome, d.channel, d.at, d.until, d.reason FROM contacts.decisions d"
            " JOIN signals.given g ON g.id = d.signal WHERE d.rule = ANY(%s) AND NOT g.withdrawn",
            [rule["rule"] for rule in self.rules],
        )

    async def of_files(self) -> list[tuple[Any, ...]]:
        """What files say."""
        ((salt,),) = await self.ground.ask("SELECT salt FROM contacts.salt")
        run = evaluation(self.rules, [event | {"yektakey": self.source.name} for event in self.events], self.policy, salt)
        outcomes = [(run.signals[id_][0], outcome) for id_, outcome in run.outcomes.items() if id_ not in run.withdrawn]
        return [
            (signal.rule, signal.cause, one.result, one.channel or None, one.at, one.until, one.reason or None) for signal, one in outcomes
        ]


async def test_what_becomes_of_contacts_in_replayed_time_is_what_files_say(ground: Ground, seed: int, histories: int) -> None:
    for number in range(min(COUNT, histories)):
        rules, policy, people = drawing.dense(random := Random(seed + number))
        policy.pop("budget", None)  # what one log spent is not there for the next
        replay, size, behind = Replay(ground, number, rules, policy, people["c-1"]), random.choice(SIZES), random.random() < 0.5
        try:
            await replay.play(size, behind=behind)
            live, files = await replay.live(), await replay.of_files()
            assert sorted(set(live) - set(files), key=str) == sorted(set(files) - set(live), key=str)
        except BaseException as error:
            error.add_note(f"--seed {seed}, batches of {size}, behind {behind}: {replay.rules}\n{policy}\n{replay.events}")
            raise


def contact(rule: str, when: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"rule": rule, "when": when, "do": {"contact": rule, "purpose": "marketing", "prefer": ["sms"]}, **more}


CAPPED = {"policy": "contact", "zone": "UTC", "caps": [{"channels": "all", "max": 1, "within": "12h"}]}
QUIET = {"policy": "contact", "zone": "UTC", "quiet": {"from": "21:00", "to": "02:00"}}
SILENT = contact("silent", {"after": "shop.asked", "absent": "shop.called", "for": "1h"})
LONG_SILENT = contact("long-silent", {"after": "shop.asked", "absent": "shop.called", "for": "1d"})
CAME = contact("came", {"count": "shop.came", "at_least": 1, "within": "1h"})
HURRIED = {**CAME, "do": {**CAME["do"], "purpose": "retention"}}
STOPPED = contact("stopped", {"count": "shop.came", "at_least": 1, "within": "1h"}, unless={"event": "shop.called", "within": "1d"})


@pytest.mark.parametrize(("size", "behind"), [(1, False), (2000, False), (2000, True)])
@pytest.mark.parametrize(
    ("rules", "policy", "minutes"),
    [
        pytest.param([SILENT, CAME], CAPPED, {"shop.asked": 60, "shop.came": 180}, id="a timer's moment is before a fact's"),
        pytest.param([HURRIED, SILENT], CAPPED, {"shop.asked": 60, "shop.came": 120}, id="a fact and a timer of one moment"),
        pytest.param([SILENT, HURRIED], CAPPED, {"shop.asked": 60, "shop.came": 120}, id="the same in another order of the rules"),
        pytest.param([SILENT, LONG_SILENT], QUIET, {"shop.asked": 60}, id="held, and no fact until another timer is over"),
        pytest.param([STOPPED], QUIET, {"shop.came": 120, "shop.called": 420}, id="held, and stopped too late"),
        pytest.param([STOPPED], QUIET, {"shop.came": 120, "shop.called": 180}, id="held, and stopped"),
        pytest.param([CAME], QUIET, {"shop.came": 120, "consent.withdrawn": 180}, id="held, and forbidden"),
        pytest.param([CAME], QUIET, {"shop.came": 120, "consent.withdrawn": 420}, id="held, and forbidden too late"),
    ],
)
async def test_what_is_due_before_a_fact_is_decided_before_it(
    ground: Ground, rules: list[dict[str, Any]], policy: dict[str, Any], minutes: dict[str, int], size: int, behind: bool
) -> None:
    events = [
        happened(type_, str(at), drawing.START + timedelta(minutes=at), **({"purpose": "marketing"} if type_.startswith("consent") else {}))
        for type_, at in minutes.items()
    ]
    events += [happened("consent.given", f"0{purpose}", drawing.START, purpose=purpose) for purpose in ("retention", "marketing")]
    events.sort(key=lambda event: str(event["time"]))
    replay = Replay(ground, 0, rules, {**policy, "priority": ["service", "retention", "marketing"]}, events)
    await replay.play(size, behind=behind)
    assert sorted(await replay.live(), key=str) == sorted(await replay.of_files(), key=str) != []


async def test_a_contact_is_decided_when_what_it_is_about_happened_also_where_a_fact_that_came_late_showed_it(ground: Ground) -> None:
    events = [happened(f"shop.{what}", what, drawing.START + timedelta(minutes=at)) for what, at in {"left": 180, "came": 60}.items()]
    events.insert(1, happened("consent.given", "consent", drawing.START + timedelta(minutes=120), purpose="marketing"))
    both = contact("both", {"sequence": ["shop.came", "shop.left"], "within": "1d"})
    replay = Replay(ground, 0, [both], {"policy": "contact", "zone": "UTC", "priority": ["marketing"]}, events)
    await replay.play(1)
    replay.events.sort(key=lambda event: str(event["time"]))
    live = await replay.live()
    assert live == await replay.of_files()
    assert [(outcome, at) for _, _, outcome, _, at, *_ in live] == [("sent", drawing.START + EARLIER + timedelta(minutes=180))]


async def test_what_was_sent_before_a_moment_is_known_at_it_though_it_is_heard_after_what_came_later(ground: Ground) -> None:
    events = [happened(f"shop.{what}", what, drawing.START + timedelta(minutes=at)) for what, at in {"came": 60, "left": 180}.items()]
    events.append(happened("consent.given", "consent", drawing.START, purpose="marketing"))
    last = contact("last", {"count": "shop.closed", "at_least": 1, "within": "1h"})
    replay = Replay(ground, 0, [CAME, last], {"policy": "contact", "zone": "UTC", "priority": ["marketing"]}, events)
    await replay.play(1, behind=True)
    replay.events.sort(key=lambda event: str(event["time"]))
    assert sorted(await replay.live()) == sorted(await replay.of_files())
    assert [outcome for _, _, outcome, *_ in await replay.live()] == ["sent", "sent"]
