"""Where a history is too long for one transaction it is folded in pieces, kept as bytes in between: it comes out as if it had been one."""

import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from random import Random
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregates.fact import Fact
from aggregates.rules import reading, segment
from infra.evaluation.rules.events import Events
from projections.segments import fold as segments
from projections.triggers import react
from projections.triggers.checks import NO_QUANTILES
from projections.triggers.evidence import Evidence
from projections.triggers.react import Reaction, begin, recall, recalled, refold
from projections.triggers.state import Seal
from projections.triggers.storing import Storing
from projections.triggers.trigger import Watching, admit, trigger_of
from streams.recalling import last_of
from tests.rules import histories

SIZES = st.lists(st.integers(1, 7), min_size=1, max_size=8)


def facts_of(events: Sequence[dict[str, Any]]) -> list[Fact]:
    """The facts of one customer, each once, in the order of folds."""
    arrived = Events().read([json.dumps(event).encode() for event in events])
    return sorted({one.event: one.fact() for one in arrived}.values(), key=lambda fact: fact.stamp)


def pieces(facts: Sequence[Fact], sizes: Sequence[int]) -> Iterator[list[Fact]]:
    """The facts some after the other, all of an instant together."""
    piece: list[Fact] = []
    turn = 0
    for _, instant in groupby(facts, key=lambda fact: fact.at):
        piece += instant
        if len(piece) >= sizes[turn % len(sizes)]:
            yield piece
            piece, turn = [], turn + 1
    yield piece


def said(reaction: Reaction) -> Reaction:
    return reaction[0], tuple(effect for effect in reaction[1] if not isinstance(effect, Seal))


def evidence_of(watching: Watching, facts: Sequence[Fact]) -> list[Evidence]:
    return sorted((one for fact in facts if (one := admit(watching, fact))), key=lambda one: one.stamp)


@pytest.mark.parametrize("kept", [1, 3, 16])
@given(histories.rules(), histories.events(40), SIZES, st.integers(0, 3))
@settings(max_examples=60, deadline=None)
def test_what_a_rule_says_of_a_history(kept: int, rule: dict[str, Any], events: list[dict[str, Any]], sizes: list[int], stood: int) -> None:
    trigger = trigger_of(reading.read(json.dumps(rule), "Asia/Tehran").rules[0])
    storing, facts = Storing(trigger), facts_of(events)
    last = last_of(facts)
    if last is None:
        return
    standing = {fact.event_id for fact in facts[stood::4]}
    with mock.patch.object(react, "KEPT", kept):
        state, heard = begin(trigger), None
        for piece in pieces(facts, sizes):
            heard = last_of(piece, heard)
            if heard is not None:
                state, _ = recall(trigger, state, evidence_of(trigger, piece), heard.now, NO_QUANTILES)
                state = storing.decode(storing.encode(state))
        state, _ = recall(trigger, state, (), last.now, NO_QUANTILES)
        in_pieces = recalled(trigger, state, standing, last.now, NO_QUANTILES, "moved")
        assert in_pieces == said(refold(trigger, evidence_of(trigger, facts), standing, last.now, NO_QUANTILES, "moved"))


@given(st.lists(histories.checks(), min_size=1, max_size=3), histories.events(40), SIZES, st.randoms())
@settings(max_examples=60, deadline=None)
def test_who_is_in_a_segment_also_when_facts_come_in_any_order(
    checks: list[dict[str, Any]], events: list[dict[str, Any]], sizes: list[int], order: Random
) -> None:
    found = segment.read(json.dumps({"segment": "some", "when": checks}), "Asia/Tehran").segment
    if found is None:  # it asks for another segment
        return
    watch, facts = segments.watch_of(found), facts_of(events)
    state = segments.initial(watch)
    for piece in pieces(facts, sizes):
        state = segments.decode(watch, segments.encode(segments.fold(watch, evidence_of(watch, piece), state)))
    assert state == segments.fold(watch, evidence_of(watch, facts))
    arriving = evidence_of(watch, facts)
    order.shuffle(arriving)
    assert state == segments.fold(watch, arriving)
