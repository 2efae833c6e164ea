"""Random rules and logs in our own time, in which policies change: what becomes of contacts is what the oracle says by brute force.

Time goes from timer to fact to policy, each heard before the next comes. Reading order: Lived.
"""

import json
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest

from aggregates.contact_policy.published import PUBLISHED
from tests.rules import histories as drawing
from tests.rules import policy_oracle
from tests.streams.crew import Worker, until
from tests.streams.ground import Ground
from tests.streams.whole import everywhere, publish
from tests.triggers.test_what_joins_customers_is_told_as_files_say import hear, processors

pytestmark = pytest.mark.engines

COUNT = 3
AFTER = timedelta(days=3, minutes=7)
"""How long it goes on after the last fact."""


Change = tuple[datetime, dict[str, Any]]
"""A policy, from when it is in force."""


class Lived:
    """One log."""

    def __init__(
        self, ground: Ground, rules: list[dict[str, Any]], policies: list[Change], people: dict[str, list[dict[str, Any]]]
    ) -> None:
        self.ground, self.rules, self.policies = ground, rules, policies
        self.people = {name: [_told(event, nth) for nth, event in enumerate(events)] for name, events in people.items()}
        for events in self.people.values():  # of one partition: of others whoever's is first gets what is left of a budget
            id_ = next(id_ for nth in range(99) if ground.home(id_ := f"{events[0]['id']}.{nth}") == 0)
            events[0] |= {"id": id_}
        self.end = max(datetime.fromisoformat(event["time"]) for events in self.people.values() for event in events) + AFTER

    async def live(self) -> set[tuple[Any, ...]]:
        """Let all of it happen; what became of each contact, as the tables have it."""
        self._now = [self.policies[0][0]]
        await self._release(self._now[0])
        happening: list[tuple[datetime, Any]] = [
            (datetime.fromisoformat(event["time"]), event) for events in self.people.values() for event in events
        ]
        happening.sort(key=lambda one: (one[0], one[1]["id"]))
        for place, rule in enumerate(self.rules):
            publish(self.ground, "rule", rule, at=self._now[0] + timedelta(seconds=place))
        async with self.ground.working(*processors(self._now)) as worker:
            for at, what in sorted([*happening, *self.policies], key=lambda one: one[0]):
                await self._until(at, worker)
                await (hear(self.ground, what, at) if "specversion" in what else self._publish(at, what))
                await self.ground.settle(worker)
            await self._until(self.end, worker)
        return set(
            await self.ground.ask(
                "SELECT d.rule, g.cause, d.outcome, d.channel, d.at, d.until, d.reason FROM contacts.decisions d"
                " JOIN signals.given g ON g.id = d.signal WHERE NOT g.withdrawn"
            )
        )

    async def _until(self, at: datetime, worker: Worker) -> None:
        """Time goes on to a moment, from timer to timer."""

        async def past() -> bool:
            return await self.ground.has("SELECT NOT EXISTS (SELECT FROM streams.timers WHERE at < %s)", self._now[0])

        while due := (await self.ground.ask("SELECT min(at) FROM streams.timers WHERE at < %s", at))[0][0]:
            await self._release(due + timedelta(microseconds=1))
            await until(past, unless=lambda: worker.failures)
            await self.ground.settle(worker)
        self._now[0] = at

    async def _release(self, at: datetime) -> None:
        """What was due before a moment may go; never what comes later, however it is looked at meanwhile."""
        await self.ground.connection.execute("UPDATE streams.released SET at = %s, ends = '{}'", (at,))
        self._now[0] = at

    async def _publish(self, at: datetime, policy: dict[str, Any]) -> None:
        """It is in force, and every partition hears of it."""
        version, text = self.policies.index((at, policy)) + 1, json.dumps(policy)
        await self.ground.connection.execute(
            "INSERT INTO contacts.policy (version, at, by, text) VALUES (%s, %s, 'tests', %s)", (version, at, text)
        )
        everywhere(self.ground, PUBLISHED, f"policy {version}", {"version": version, "text": text, "by": "tests"})

    async def expected(self) -> set[tuple[Any, ...]]:
        """What the oracle says."""
        ((salt,),) = await self.ground.ask("SELECT salt FROM contacts.salt")
        people = []
        for events in self.people.values():
            token = self.ground.token("customer_number", events[0]["data"]["who"]["customer_number"])
            ((customer,),) = await self.ground.ask("SELECT customer_id FROM identity.identifiers WHERE identifier = %s", token)
            people.append(policy_oracle.Person(str(customer), events))
        (_, first), *changes = self.policies
        return {tuple(one) for one in policy_oracle.outcomes(self.rules, first, people, self.end, salt, changes)}


def _told(event: dict[str, Any], nth: int) -> dict[str, Any]:
    """The event as a door takes it, each of a customer at a time of its own: live, what comes at the same time is not waited for."""
    more = {"agent": "a"} if event["type"].startswith("call.") else {}
    at = datetime.fromisoformat(event["time"]) + timedelta(seconds=nth)
    return event | {"source": "/tests", "time": at.isoformat(), "data": event["data"] | more}


@pytest.mark.parametrize("number", range(COUNT))
async def test_what_becomes_of_contacts_while_policies_change_is_what_the_oracle_says(ground: Ground, seed: int, number: int) -> None:
    lived = Lived(ground, *drawing.changing(Random(seed + number)))
    try:
        live, expected = await lived.live(), await lived.expected()
        assert sorted(live - expected, key=str) == sorted(expected - live, key=str)
    except BaseException as error:
        error.add_note(f"{lived.rules}\n{lived.policies}\n{lived.people}")
        raise


async def test_a_policy_with_the_same_quiet_hours_leaves_what_is_held_until_they_end(ground: Ground) -> None:
    rules = [
        {
            "rule": name,
            "when": {"count": f"shop.{name}", "at_least": 1, "within": "1h"},
            "do": {"contact": name, "purpose": "marketing", "prefer": ["sms"]},
        }
        for name in ("first", "second")
    ]
    policy = {"policy": "contact", "zone": "Asia/Tehran", "priority": ["marketing"], "counts": ["sms"], "quiet": drawing.QUIET[0]}
    none = policy | {"caps": [{"channels": "all", "max": 0, "within": "1d"}]}
    policies = [(drawing.START + timedelta(minutes=minute), one) for minute, one in ((-1, policy), (90, none), (180, policy))]
    told = [("consent.given", 0, {"purpose": "marketing"}), ("shop.first", 60, {}), ("shop.second", 120, {})]
    events = [
        {
            "specversion": "1.0",
            "id": type_,
            "type": type_,
            "time": (drawing.START + timedelta(minutes=minute)).isoformat(),
            "data": {"who": {"customer_number": "c-1"}, **data},
        }
        for type_, minute, data in told
    ]
    lived = Lived(ground, rules, policies, {"c-1": events})
    live = await lived.live()
    assert live == await lived.expected()
    assert {(rule, outcome, reason) for rule, _, outcome, *_, reason in live} == {
        ("first", "sent", None),
        ("second", "silent", "cap all/1d"),
    }
