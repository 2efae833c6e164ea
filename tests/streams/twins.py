"""One story told twice: of people whom a link made one until a person took it back, and of the same people, had the link been forbidden.

Reading order: Story, its steps, then `so_now`: what is compared of the two.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

from msgspec import json, to_builtins
from msgspec.structs import replace

from aggregates.identifier import Token
from aggregates.identity import Merge, Split
from aggregates.rules import reading
from aggregates.wire import customer_event_decoder
from projections.churn import state as churn
from projections.triggers.react import begin
from projections.triggers.storing import Storing
from projections.triggers.trigger import trigger_of
from projections.view import windows
from projections.view.table import load
from tests.streams.ground import Ground
from tests.streams.people import BEGINNING
from tests.streams.whole import processors, publish

NAMES = ("a", "b", "c")
KINDS = ("email", "account", "user_id", "device")
TODAY = BEGINNING + timedelta(days=10)
"""When all that is told is received, one after the other."""

OWN = ("segment", "score")
"""Channels in which Yekta itself speaks."""

RULES: tuple[dict[str, Any], ...] = (
    {"rule": "often", "when": {"count": "sales.order_placed", "at_least": 2, "within": "1d"}, "cooldown": "6h"},
    {"rule": "looked", "when": {"sequence": ["web.page_viewed", "sales.order_placed"], "within": "12h"}},
    {"rule": "silent", "when": {"after": "sales.order_placed", "absent": "call.ended", "for": "20d"}},
    {"rule": "waits", "when": {"count": "web.page_viewed", "at_least": 2, "within": "1d"}, "wait": "20d", "unless": "call.ended"},
    {"rule": "falls", "when": {"score": "mood", "rises_to": 0.7, "rearm_below": 0.4}},
    {"rule": "loyal", "when": {"count": "call.ended", "at_least": 1, "within": "3d"}, "if": {"segment": "buyers"}},
)
SEGMENTS: tuple[dict[str, Any], ...] = (
    {"segment": "buyers", "when": {"count": "sales.order_placed", "at_least": 3, "within": "5d"}},
    {"segment": "strangers", "when": {"not": {"count": "call.ended", "at_least": 2, "within": "8d"}}},
    {"segment": "both", "when": [{"segment": "buyers"}, {"not": {"segment": "strangers"}}]},
)
OF_SEGMENTS = ("loyal",)
"""Rules that hear what Yekta says of segments: what was said while they were one was heard."""


def nothing_heard(rule: dict[str, Any]) -> bytes:
    """What is kept of somebody of whom a rule heard nothing; it is the same as if nothing were kept."""
    (read,) = reading.read(json.encode(rule | {"do": {"notify": "x"}}).decode(), "Asia/Tehran").rules
    trigger = trigger_of(read)
    return Storing(trigger).encode(begin(trigger))


EMPTY = frozenset(map(nothing_heard, RULES))


class Story:
    """`forbidden`: on this ground the link never was."""

    def __init__(self, ground: Ground, seed: int, *, forbidden: bool) -> None:
        self.ground, self.random, self.forbidden = ground, Random(seed), forbidden
        self.name = f"s{seed}"
        self.piece = self.random.choice((3, 5000))
        self.people = NAMES[: self.random.choice((2, 3))]
        self.alone = self.random.choice(self.people)  # whom a link joins with each of the others
        self.others = [person for person in self.people if person != self.alone]
        self.by_person = self.random.random() < 0.5
        self.hasty = self.random.random() < 0.5  # nobody waits for anything: what was said of one is on its way while he becomes another
        self.told = 0

    async def play(self) -> None:
        """Everything: they are met, some become one, it is taken back; in between something happens, some of it late."""
        async with self.ground.working(*processors(self.ground, self.piece, TODAY)) as self.worker:
            await self.go_on()

    async def go_on(self) -> None:
        """What happens while somebody works."""
        for rule in RULES:
            publish(self.ground, "rule", rule | {"do": {"notify": "x"}}, at=BEGINNING + timedelta(days=5))
        for segment in SEGMENTS:
            publish(self.ground, "segment", segment)
        for person in self.people:
            self.ground.send(f"{self.name} {person}", "profile.reported", 0, traits={"name": person}, who=self.who(person, *KINDS[:3]))
            await self.settle()
        if self.forbidden:
            await self.apart()
            await self.settle()
        await self.happen()
        for number, other in enumerate(self.others):
            self.link(self.alone, other, number)
            await self.pause()
            await self.happen()
        if not self.forbidden:
            await self.apart()
        await self.happen()
        await self.settle()

    async def apart(self) -> None:
        """A person says of all whom the links joined that they are not one."""
        self.ground.decide(f"{self.name} alone", self.split([self.alone], self.others))
        await self.pause()
        if len(self.others) > 1:
            self.ground.decide(f"{self.name} others", self.split(self.others[:1], self.others[1:]))
            await self.pause()

    async def happen(self) -> None:
        """Some facts of everybody, in no order of time."""
        for _ in range(self.random.randrange(10)):
            self.told += 1
            person = self.random.choice(self.people)
            type_, data = self.happening(person)
            minute = self.random.randrange(14_000) + 0.5
            who = self.who(person, *self.random.choice((("email",), ("account",), ("user_id",), ("email", "device"))))
            self.ground.send(f"{self.name} {self.told}", type_, minute, place=1000 * self.told, who=who, **data)
        await self.pause()

    def happening(self, person: str) -> tuple[str, dict[str, Any]]:
        order = {"order_id": f"{self.name}{person}{self.random.randrange(4)}"}
        match self.random.randrange(8):
            case 0 | 1 | 2:
                return "sales.order_placed", order | {"lines": [], "total": f"{self.random.randrange(1, 99)}.50", "currency": "USD"}
            case 3:
                return "sales.order_cancelled", order
            case 4:
                return "call.ended", {"call_id": f"{self.told}", "direction": "inbound"}
            case 5:
                return "score.given", {"score": "mood", "value": self.random.choice((0.1, 0.5, 0.9))}
            case 6:
                return "profile.reported", {"traits": {"name": f"{person} {self.told}"}}
            case _:
                return "web.page_viewed", {"url": "https://x.ir/p"}

    def __repr__(self) -> str:
        joined = "a person" if self.by_person else "a fact"
        how = f"{self.alone} joined with the others by {joined}, in pieces of {self.piece}"
        return f"{'/'.join(self.people)}, {how}{', in haste' if self.hasty else ''}"

    def link(self, one: str, other: str, number: int) -> None:
        """They become one: a person says so, or a fact names both."""
        if not self.by_person:
            who = {"email": [*self.who(one, "email").values(), *self.who(other, "email").values()]}
            self.ground.send(f"{self.name} both {number}", "web.page_viewed", 5_000 + number, url="https://x.ir/b", who=who)
        elif not self.forbidden:
            join = (self.ground.token("email", self.value(one, "email")), self.ground.token("email", self.value(other, "email")))
            self.ground.decide(f"{self.name} one {number}", Merge(by="tests", at=BEGINNING, join=join))

    def split(self, go: Iterable[str], stay: Iterable[str]) -> Split:
        return Split(by="tests", at=BEGINNING, go=self.tokens(go), stay=self.tokens(stay))

    def tokens(self, people: Iterable[str]) -> tuple[Token, ...]:
        return tuple(self.ground.token(kind, self.value(person, kind)) for person in people for kind in KINDS)

    def value(self, person: str, kind: str) -> str:
        return f"{self.name}{person}@x.ir" if kind == "email" else f"{self.name}{person}"

    def who(self, person: str, *kinds: str) -> dict[str, str]:
        return {kind: self.value(person, kind) for kind in kinds}

    async def pause(self) -> None:
        """All is at rest before the next thing happens, unless they are in haste."""
        if not self.hasty:
            await self.settle()

    async def settle(self) -> None:
        await self.ground.settle(self.worker)

    async def owners(self) -> dict[UUID, str]:
        """Who is who."""
        found: dict[UUID, str] = {}
        for person in self.people:
            rows = await self.ground.ask(
                "SELECT DISTINCT customer_id FROM identity.identifiers WHERE identifier = ANY(%s)", list(self.tokens([person]))
            )
            for (customer,) in rows:
                found[customer] = found.get(customer, "") + person
        return found


DERIVED: Mapping[str, str] = {
    "rows": "SELECT customer_id, event_id FROM read_1.timeline WHERE source NOT LIKE 'yekta:%'",
    "scores": "SELECT customer_id, definition, state, due, replayed, score FROM churn.states",
    "values": "SELECT customer_id, state, replayed FROM value.states",
    "rules": f"SELECT customer_id, rule, version, state FROM streams.rule_states WHERE rule NOT IN {(*OF_SEGMENTS, '')}",
    "segments": "SELECT customer_id, segment, version, state, inside FROM streams.segment_states WHERE segment <> 'both'",
    "in both": "SELECT customer_id, version FROM streams.segment_states WHERE segment = 'both' AND inside",
    "members": "SELECT customer_id, segment FROM signals.members",
    "timers": "SELECT customer_id, rule, version, at, clock, quiet, told FROM streams.timers",
    "signals": "SELECT customer_id, rule, version, cause, occurred_at FROM signals.given WHERE NOT withdrawn AND rule <> 'loyal'",
}


async def so_now(story: Story) -> dict[str, Any]:
    """All that is kept of the story's people, but for what was said of them and cannot be unsaid."""
    owners = await story.owners()
    found: dict[str, Any] = {"people": sorted(owners.items())}
    for what, query in DERIVED.items():
        found[what] = sorted((row for row in await story.ground.ask(query) if row[0] in owners), key=repr)
    found["rules"] = [row for row in found["rules"] if row[3] not in EMPTY]
    found["scores"] = [rounded((*row[:2], to_builtins(churn.decode(row[2])), *row[3:])) for row in found["scores"]]
    ground, ours = story.ground, dict[UUID, int]()
    for customer, number in await ground.ask("SELECT customer_id, count(*) FROM read_1.timeline WHERE source LIKE 'yekta:%%' GROUP BY 1"):
        ours[customer] = number
    views = await load(ground.connection, "read_1", owners)
    for customer, name in owners.items():
        state = views[customer]
        met = {channel: one for channel, one in state.channels.items() if channel not in OWN}
        found[f"view of {name}"] = replace(state, events=state.events - ours.get(customer, 0), channels=met)
        counted = await windows.count(ground.connection, "read_1", customer, TODAY)
        found[f"windows of {name}"] = {
            days: {channel: one for channel, one in some.items() if channel not in OWN} for days, some in counted.items()
        }
    return found


def rounded(value: Any) -> Any:
    """The same but for the last digits: facts of one day are summed up in the order of their arrival."""
    if isinstance(value, float):
        return float(f"{value:.7g}") if abs(value) > 1e-9 else 0.0
    if isinstance(value, dict):
        return {name: rounded(one) for name, one in value.items()}
    return [rounded(one) for one in value] if isinstance(value, list | tuple) else value


async def members_as_told(ground: Ground) -> set[tuple[UUID, str]]:
    """Who is in which segment by the last that was told of it."""
    last: dict[tuple[UUID, str], bool] = {}
    rows = await ground.ask("SELECT customer_id, record FROM read_1.timeline WHERE source = 'yekta:segments' ORDER BY at, event_id")
    for customer, record in rows:
        event = customer_event_decoder.decode(record)
        last[customer, json.decode(event.data)["segment"]] = event.type == "segment.entered"
    return {place for place, inside in last.items() if inside}
