"""Random rules and histories through both hops, with dying workers, duplicates and merges, against the oracle by brute force."""

from random import Random
from typing import Any
from unittest import mock

import pytest
from hypothesis import strategies as st

from infra.sealing import KeyRing
from projections.triggers import react
from tests.rules import histories as drawing
from tests.rules import oracle
from tests.rules.test_what_stands_is_what_the_whole_history_says import renamed
from tests.streams.crew import Connections
from tests.triggers.playing import NEVER, Found, Played, drawn

pytestmark = pytest.mark.engines

COUNT = 12

KEPT = (16, 1, 2)
"""How many facts are at hand: of few, most that come late are put into a past that is folded on from a mark."""


def expected(played: Played) -> Found:
    """What the oracle says of all customers of a history: who was ever named by both his identifiers is one."""
    found: Found = set()
    for told in people(played.events):
        history = list({event["id"]: event for event in reversed(told)}.values())
        found |= {(one.rule, one.cause, one.occurred) for rule in played.rules for one in oracle.standing(rule, history, NEVER)}
    return found


def people(events: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """The events of each customer."""
    groups: list[tuple[set[str], list[dict[str, Any]]]] = []
    for event in events:
        names = set(event["data"]["who"].values())
        mine = [group for group in groups if group[0] & names]
        groups = [group for group in groups if not group[0] & names]
        groups.append((names.union(*(group[0] for group in mine)), [one for group in mine for one in group[1]] + [event]))
    return [told for _, told in groups]


async def test_what_stands_live_is_what_the_whole_history_says(pool: Connections, keys: KeyRing, seed: int, histories: int) -> None:
    examples = drawn(st.tuples(st.lists(drawing.rules(), min_size=1, max_size=3), drawing.events(30)), min(COUNT, histories), seed)
    for number, (rules, events) in enumerate(examples):
        random = Random(seed + number)
        if number % 2:
            names = {event["id"]: random.choice(["number", "device", "both"]) for event in events}
            events = [renamed(event, names[event["id"]]) for event in events]  # noqa: PLW2901
        played = Played(number, seed + number, pool, keys, rules, events)
        try:
            with mock.patch.object(react, "KEPT", KEPT[number % len(KEPT)]):
                await played.play()
            assert await played.standing() == expected(played)
        except BaseException as error:
            error.add_note(f"--seed {seed}, history {number}: {played}\n{played.rules}\n{played.events}")
            raise
