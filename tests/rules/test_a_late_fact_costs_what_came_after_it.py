"""From marks in the past a rule goes on as if it had been folded from the beginning; there are few marks, and one is never far away."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import log2
from typing import Any
from unittest import mock
from uuid import UUID, uuid5

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregates.fact import Fact
from aggregates.rules import reading
from infra.evaluation.rules.events import Events
from projections.triggers import marks, react
from projections.triggers.checks import NO_QUANTILES
from projections.triggers.evidence import Evidence
from projections.triggers.fold import Fold, initial
from projections.triggers.marks import Marks, Reopened, added
from projections.triggers.react import begin, blocks, mend, refold, ripen, wake_of
from projections.triggers.state import KEPT, Block, Effect, Fire, Seal, State, Withdraw
from projections.triggers.storing import Storing
from projections.triggers.trigger import Trigger, admit, trigger_of
from tests.rules import histories

NEVER = datetime(2100, 1, 1, tzinfo=UTC)
HEARD = datetime.min.replace(tzinfo=UTC)


class Live:
    """A rule of one customer as it runs live: facts in batches, after each of which only state and marks are kept, and rows."""

    def __init__(self, trigger: Trigger) -> None:
        self.trigger, self.storing, self.state, self.marks = trigger, Storing(trigger), begin(trigger), Marks()
        self.rows: list[Evidence] = []
        self.standing: set[UUID] = set()
        self.farthest = 0  # most facts that were ever read again
        self.reopened: Reopened | None = None
        self.sealed: list[Fold] = []

    def batch(self, facts: Sequence[tuple[Evidence, datetime]]) -> None:
        self.reopened, self.sealed = None, []
        for fact, now in facts:
            reaction = react.react(self.trigger, self.state, fact, now, NO_QUANTILES, HEARD)
            self.take(reaction or self.mended(fact, now))
            self.rows.append(fact)
        kept = added(self.marks, self.sealed) if self.reopened is None else self.reopened.all()
        self.marks = marks.decode(marks.encode(kept))

    def mended(self, late: Evidence, now: datetime) -> tuple[State, tuple[Effect, ...]]:
        wake, last = wake_of(self.trigger, self.state), self.state.base.last
        if self.reopened is None or not self.reopened.reaches(late):
            known = marks.before(self.marks, late)
            start = self.storing.fold_of(known[-1]) if known else initial(self.trigger)
            past = [one for one in self.rows if (start.last is None or start.last < one.stamp) and (last is None or one.stamp <= last)]
            self.farthest = max(self.farthest, len(past))
            self.reopened, self.sealed = Reopened(known, blocks(self.trigger, start, sorted(past, key=stamp), NO_QUANTILES)), []
        heard = now if wake is None else min(now, wake)
        return mend(self.trigger, self.reopened.blocks, self.state, late, now, NO_QUANTILES, "", heard)

    def take(self, reaction: tuple[State, tuple[Effect, ...]]) -> None:
        self.state = reaction[0]
        for effect in reaction[1]:
            match effect:
                case Fire(signal):
                    self.standing.add(signal.id)
                case Withdraw(id_):
                    self.standing.discard(id_)
                case Seal(start, facts, firings) if self.reopened is not None:
                    self.reopened.blocks.append(Block(start, list(facts), firings))
                case Seal(start):
                    self.sealed.append(start)
                case _:
                    pass

    def end(self) -> None:
        """All timers ring."""
        while (wake := wake_of(self.trigger, self.state)) is not None:
            self.take(ripen(self.trigger, self.state, wake, NO_QUANTILES))


def stamp(one: Evidence) -> Any:
    return one.stamp


def arriving(events: Sequence[dict[str, Any]]) -> list[Fact]:
    """The facts of one customer, each once, as they come."""
    arrived = Events().read([json.dumps(event).encode() for event in events])
    return list({one.event: one.fact() for one in arrived}.values())


@pytest.mark.parametrize("kept", [1, 2, 4])
@given(histories.rules(), histories.events(40), st.lists(st.integers(1, 9), min_size=1, max_size=8))
@settings(max_examples=150, deadline=None)
def test_what_stands_is_what_the_whole_history_says(
    kept: int, rule: dict[str, Any], events: list[dict[str, Any]], sizes: list[int]
) -> None:
    trigger = trigger_of(reading.read(json.dumps(rule), "Asia/Tehran").rules[0])
    heard = [(one, fact.recorded) for fact in arriving(events) if (one := admit(trigger, fact))]
    with mock.patch.object(react, "KEPT", kept):
        live, at, turn = Live(trigger), 0, 0
        while at < len(heard):
            size = sizes[turn % len(sizes)]
            live.batch(heard[at : at + size])
            at, turn = at + size, turn + 1
        live.end()
    _, effects = refold(trigger, sorted((one for one, _ in heard), key=stamp), (), NEVER, NO_QUANTILES)
    assert live.standing == {effect.signal.id for effect in effects if isinstance(effect, Fire)}


OFTEN = {"rule": "often", "when": {"count": "shop.seen", "at_least": 3, "within": "1h"}, "do": {"notify": "team:crm"}, "cooldown": "2h"}
START = datetime(2026, 3, 18, tzinfo=UTC)
SPACE = UUID("6f5b0c0e-6f0e-4c55-9d0e-0a4c6a0f8c11")


def seen(minutes: float) -> tuple[Evidence, datetime]:
    at = START + timedelta(minutes=minutes)
    return Evidence(at, str(minutes), "shop", uuid5(SPACE, str(minutes)), 1), at


@pytest.mark.parametrize("late", [50, 200, 1_000])
def test_however_long_the_history_a_late_fact_reads_what_came_after_it(late: int) -> None:
    live = Live(trigger_of(reading.read(json.dumps(OFTEN), "UTC").rules[0]))
    for start in range(0, 4_000, 100):
        live.batch([seen(minute) for minute in range(start, start + 100)])
    assert len(live.marks) < 2 * log2(4_000)
    live.batch([seen(4_000 - late - 0.5), seen(4_000 - late + 0.5), seen(4_000 - late // 2 + 0.5)])
    assert late - 2 * KEPT < live.farthest < 3 * late + 3 * KEPT
    live.batch([seen(4_000 - 2 * late - 0.5)])
    assert 2 * late - 2 * KEPT < live.farthest < 6 * late + 3 * KEPT


def test_a_firing_in_the_past_that_waits_for_its_timer_is_kept_until_then() -> None:
    silent = {"rule": "silent", "when": {"after": "shop.seen", "absent": "shop.called", "for": "1h"}, "do": {"notify": "team:crm"}}
    trigger = trigger_of(reading.read(json.dumps(silent), "UTC").rules[0])
    called = [(Evidence(one.at, one.id, one.source, one.event, 2), now) for one, now in map(seen, range(1_000))]
    with mock.patch.object(react, "KEPT", 2):
        live = Live(trigger)
        live.batch(called[:100])
        live.batch(called[300:])
        late = seen(150)[0]
        live.batch([(late, late.at)])  # a source that replays its time says it when it was
        assert not live.standing
        live.end()
    assert live.standing == {react.signal_id(trigger, late.event)}
