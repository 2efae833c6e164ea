"""Both hops with published rules, over a log in memory: events in any order of arrival, workers that die, timers let go as early as can be.

What is let go too early is the worst that can happen to a timer: what it said then has to be taken back by what comes after it.
Reading order: drawn, Played.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from time import monotonic
from typing import Any

import msgspec
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

from aggregates.declaration import Decided, decided_type
from aggregates.identity import DEFAULT_RULES
from aggregates.reading import read
from aggregates.sealing import seal
from aggregates.touchpoint import Touchpoint, derive
from infra.sealing import KeyRing
from streams.broadcasting import keys as broadcast_keys
from streams.candidates import Nobody
from streams.customer import Customer
from streams.record import Connection, Processor
from streams.resolve import Resolve
from streams.ticking import Ticking
from streams.triggering import Triggering
from streams.words import DECIDER, told
from tests.streams import truth
from tests.streams.crew import Connections
from tests.streams.history import History
from tests.streams.keys import MASTER
from tests.streams.people import SOURCE, Sealed

NEVER = datetime(2100, 1, 1, tzinfo=UTC)
"""Everything is due by then."""

Found = set[tuple[str, str, datetime]]
"""Rule, cause, time."""


def drawn(strategy: SearchStrategy[Any], count: int, number: int) -> list[Any]:
    """So many examples, always the same for a number."""
    found: list[Any] = []

    @seed(number)
    @settings(max_examples=count, database=None, phases=[Phase.generate], deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(strategy)
    def collect(example: Any) -> None:
        found.append(example)

    collect()
    return found


def processors(piece: int) -> list[Processor]:
    """Both hops of a process, rules included; every timer is due at once."""
    ring = KeyRing(MASTER)
    ticking = Ticking(monotonic, lambda: NEVER)
    return [Resolve(DEFAULT_RULES, ring), Customer(ring, piece=piece, parts=[Triggering(ring, Nobody(), ticking), ticking])]


class Played(History):
    """One history: rules are published, then events arrive."""

    def __init__(self, number: int, seed: int, pool: Connections, keys: KeyRing, rules: Sequence[Any], events: Sequence[Any]) -> None:
        super().__init__(number, seed, pool, keys)
        self.rules = [rule | {"rule": f"{self.name}.{place}"} for place, rule in enumerate(rules)]
        self.events = [event for event in map(self._mine, events) if isinstance(self._read(event, 0), Touchpoint)]

    def _mine(self, event: dict[str, Any]) -> dict[str, Any]:
        """The event, of people of this history."""
        who = {kind: f"{self.name}-{value}" for kind, value in event["data"]["who"].items()}
        return event | {"id": f"{event['id']}-{self.name}", "data": event["data"] | {"who": who}}

    def _read(self, event: dict[str, Any], times: int) -> object:
        del times
        recorded = datetime.fromisoformat(event.get("yektarecordedtime", event["time"]))
        return read({name: value for name, value in event.items() if name != "yektarecordedtime"}, SOURCE, recorded)

    def _sealed(self, event: dict[str, Any], times: int) -> Sealed:
        understood = self._read(event, times)
        assert isinstance(understood, Touchpoint)
        return seal(understood, self.keys)

    async def _happen(self) -> None:
        async with self.pool.connection() as connection:
            await connection.execute("UPDATE streams.released SET at = 'infinity', ends = '{}'")
        for rule in self.rules:
            self.publish(rule)
        for event in self.events:
            understood = self._read(event, 0)
            assert isinstance(understood, Touchpoint)
            accept = partial(self._sealed, event)
            self.sent[understood.event_id] = accept
            self.memory.append("touchpoints", *accept(0))
            match self.random.randrange(12):
                case 0:
                    self._shares.append(asyncio.create_task(self._share()))
                case 1:
                    self._dying.put_nowait(self.random.choice(self.workers))
                case 2 | 3 | 4 | 5 | 6 | 7:
                    pass
                case _:
                    await asyncio.sleep(self.random.random() * 0.01)

    def publish(self, rule: dict[str, Any], version: int = 1) -> None:
        """Every partition hears that the rule is in force."""
        decided = Decided("rule", rule["rule"], version, version, "published", msgspec.json.encode(rule).decode(), "Asia/Tehran", BEGINNING)
        id_ = derive("announced", rule["rule"], str(version))
        for key in broadcast_keys(self.memory.partitions):
            said = told(DECIDER, decided_type("rule"), "", id_, msgspec.to_builtins(decided), BEGINNING, key)
            self.memory.append(said.topic, said.key, said.value)

    def _processors(self) -> list[Processor]:
        return processors(self.piece)

    async def _settled(self, connection: Connection) -> bool:
        if not await super()._settled(connection):
            return False
        # Asked second: what had been heard by then has set its timers, and a timer stays until its word is heard.
        cursor = await connection.execute(
            "SELECT EXISTS (SELECT 1 FROM streams.timers WHERE partition = ANY(%s))", (list(self.memory.numbers),)
        )
        row = await cursor.fetchone()
        return row is not None and not row[0]

    async def _check(self, connection: Connection) -> None:
        await truth.check(connection, self.memory, self.sent, self.keys)

    async def standing(self) -> Found:
        """The signals that stand, as the tables have them."""
        async with self.pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT rule, cause, occurred_at FROM signals.given WHERE rule = ANY(%s) AND NOT withdrawn",
                ([rule["rule"] for rule in self.rules],),
            )
            return {(rule, cause, at) for rule, cause, at in await cursor.fetchall()}


BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
