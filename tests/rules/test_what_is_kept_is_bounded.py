"""What is kept of a rule and a customer does not grow with his history, and only rules that name a type are touched by it."""

from typing import Any

import pytest
from hypothesis import given, settings

from projections.triggers.state import KEPT
from projections.triggers.storing import Storing, encode
from tests.rules import histories
from tests.rules.telling import at, evaluation, event

FORMS: list[dict[str, Any]] = [
    {"count": "shop.seen", "at_least": 5, "within": "30d"},
    {"sequence": ["shop.seen", "shop.asked", "shop.seen"], "within": "30d"},
    {"after": "shop.seen", "absent": "shop.asked", "for": "3d"},
]


def size(rule: dict[str, Any], facts: int) -> int:
    types = ("shop.seen", "shop.asked", "shop.called")
    run = evaluation(rule, [event(types[number % 3], at(0, minutes=7 * number), f"e{number:06}") for number in range(facts)])
    ((state,),) = [[kept.state for kept in person.runs.values()] for person in run.people.everybody]
    assert len(state.kept) < 2 * KEPT
    return len(Storing(run.triggers[0]).encode(state))


@pytest.mark.parametrize("when", FORMS)
def test_the_state_of_a_long_history_is_as_small_as_that_of_a_short_one(when: dict[str, Any]) -> None:
    stop = {"event": "shop.called", "within": "1h"}
    rule = {"rule": "r", "when": when, "do": {"notify": "x"}, "wait": "20d", "unless": stop, "if": {"not": {"segment": "gone"}}}
    assert size(rule, 3_000) <= size(rule, 1_000) * 1.1


def test_an_event_touches_only_rules_that_name_its_type() -> None:
    rules = [
        {"rule": f"r{number}", "when": {"count": f"shop.t{number}", "at_least": 1, "within": "1d"}, "do": {"notify": "x"}}
        for number in range(9)
    ]
    run = evaluation(rules, [event("shop.t3", at(0)), event("shop.other", at(0))])
    (person,) = run.people.everybody
    assert list(person.runs) == [3]


@given(histories.rules(), histories.events())
@settings(max_examples=150, deadline=None)
def test_a_state_that_was_stored_is_the_state_that_it_was(rule: dict[str, Any], events: list[dict[str, Any]]) -> None:
    run = evaluation(rule, events)
    for person in run.people.everybody:
        for kept in person.runs.values():
            storing = Storing(run.triggers[0])
            encoded = storing.encode(kept.state)
            assert storing.decode(encoded) == kept.state
            assert storing.encode(storing.decode(encoded)) == encoded
            assert storing.decode(encode(kept.state)) == kept.state


@pytest.mark.parametrize("when", FORMS[:2])
def test_a_fact_is_stored_once_of_each_state(when: dict[str, Any]) -> None:
    """What a condition knows of it is not written beside it."""
    events = [event(f"shop.{what}", at(0, minutes=n), f"e-{n}") for n, what in enumerate(("seen", "asked", "seen", "seen"))]
    run = evaluation({"rule": "r", "when": when, "do": {"notify": "x"}}, events)
    ((state,),) = [[kept.state for kept in person.runs.values()] for person in run.people.everybody]
    assert (encode(state).count(b"e-0"), Storing(run.triggers[0]).encode(state).count(b"e-0")) in ((2, 1), (3, 1))
