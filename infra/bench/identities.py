"""What identity costs: resolving where people are joined and merged beside resolving where nobody is, and a split of a long history.

Reading order: Names, resolving, split.
"""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from random import Random
from typing import Any

from aggregates.identifier import Token
from aggregates.identity import Merge, Split, decisions
from aggregates.normal import normalise
from aggregates.sealing import seal
from infra import waiting
from infra.bench import throughput, workers
from infra.bench.children import until
from infra.bench.feed import CHUNK, Feed, append
from infra.bench.ground import Ground, World, touchpoints
from infra.bench.throughput import Pass
from infra.master_key import master_key
from infra.sealing import KeyRing
from projections.positions import table as positions

JOINS, MERGES = 0.05, 0.005
BEGIN = datetime(2025, 1, 1, tzinfo=UTC)


class Names:
    """Page views of people with a card each. One in twenty names an account that is new of him, and one in two hundred makes two people
    one; or the very same events without these second names."""

    def __init__(self, seed: int, *, joining: bool) -> None:
        self._random, self._joining, self._seed = Random(seed), joining, seed  # noqa: S311 - a simulation
        self._events = self._told()

    def take(self, count: int) -> list[dict[str, Any]]:
        """The next so many events."""
        return list(islice(self._events, count))

    def _told(self) -> Iterator[dict[str, Any]]:
        people = number = 0
        while True:
            dice, other = self._random.random(), self._random.random()
            if dice < 0.1 or not people:
                people += 1
            person = people - 1 if dice < 0.1 else int(other * people)
            who = {"loyalty": f"l{self._seed}-{person}"}
            dice = self._random.random()
            if dice < JOINS:
                who["social"] = f"instagram:s{self._seed}-{person}-{number}"
            elif dice < JOINS + 2 * MERGES:  # the first of a pair to name it links it, the other becomes one with him
                who["user_id"] = f"pair-{self._seed}-{person // 2}"
            if not self._joining:
                who = {"loyalty": who["loyalty"]}
            number += 1
            yield {
                "specversion": "1.0",
                "id": f"n{self._seed}-{number}",
                "source": "https://shop.example",
                "type": "web.page_viewed",
                "time": (BEGIN + timedelta(seconds=number)).isoformat(),
                "data": {"who": who, "url": "https://shop.example/", "page": "home"},
            }


async def resolving(ground: Ground, seed: int, events: int, *, joining: bool) -> Pass:
    """Resolve these events, in one process."""
    async with ground.world() as world:
        feed = await Feed.of(world, Names(seed, joining=joining))
        await append(world, await feed.take(events))
        return await throughput.resolve(ground, world)


async def split(ground: Ground, events: int) -> float:
    """How many seconds a split of a customer with so many events takes, from the word to the views."""
    async with ground.world() as world, workers.running(ground, world) as children:
        feed = await Feed.of(world, _Two())
        await append(world, await feed.take(events))
        keys = KeyRing(master_key(world.settings), CHUNK)
        one, other = (keys.token(normalise("loyalty", name)) for name in ("one", "other"))
        await _done(world, children)
        await _tell(world, keys, Merge(by="bench", at=BEGIN, join=(one, other)))
        await _done(world, children)
        begin = time.monotonic()
        await _tell(world, keys, Split(by="bench", at=BEGIN, go=(Token(other),), stay=(Token(one),)))
        await _done(world, children)
        return time.monotonic() - begin


class _Two:
    """Two people who take turns."""

    def __init__(self) -> None:
        self._names = Names(1, joining=False)

    def take(self, count: int) -> list[dict[str, Any]]:
        """So many events."""
        names = self._names.take(count)
        return [event | {"data": event["data"] | {"who": {"loyalty": ("one", "other")[n % 2]}}} for n, event in enumerate(names)]


async def _tell(world: World, keys: KeyRing, decision: Merge | Split) -> None:
    told = decisions.touchpoint(decision, type(decision).__name__)
    await append(world, [(*seal(told, keys), [])])


async def _done(world: World, children: Any) -> None:
    target = await waiting.ends(world.endpoints, touchpoints(world))
    async with workers.watching(world) as connection:
        await until("all is in the views", lambda: positions.reached(connection, target), children)
