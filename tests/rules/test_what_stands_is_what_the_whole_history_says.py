"""Random rules over random histories in random orders of arrival, against the oracle."""

from datetime import UTC, datetime
from typing import Any
from unittest import mock
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregates.identifier import Token
from infra.evaluation.rules.run import Evaluation
from projections.triggers import react
from tests.rules import histories, oracle
from tests.rules.telling import evaluated, evaluation

Found = set[tuple[str, str, str, datetime]]


def said(run: Evaluation) -> Found:
    return {
        (signal.rule, str(person.present.id), signal.cause, signal.occurred_at)
        for id_, (signal, person) in run.signals.items()
        if id_ not in run.withdrawn
    }


def end_of(events: list[dict[str, Any]]) -> datetime | None:
    return max((datetime.fromisoformat(event.get("yektarecordedtime", event["time"])).astimezone(UTC) for event in events), default=None)


def expected_of(rules: list[dict[str, Any]], events: list[dict[str, Any]], customer: UUID | None, end: datetime | None) -> Found:
    """What the oracle says of one customer."""
    history = list({event["id"]: event for event in reversed(events)}.values())
    if end is None:
        return set()
    return {(one.rule, str(customer), one.cause, one.occurred) for rule in rules for one in oracle.standing(rule, history, end)}


def expected(rules: list[dict[str, Any]], events: list[dict[str, Any]], run: Evaluation) -> Found:
    """What the oracle says of all, with the customers' ids as the evaluation gave them."""
    found: Found = set()
    for number in {event["data"]["who"]["customer_number"] for event in events}:
        told = [event for event in events if event["data"]["who"]["customer_number"] == number]
        found |= expected_of(rules, told, run.people.known(Token(f"customer_number:{number}")), end_of(events))
    return found


@given(histories.rules(), histories.events())
@settings(max_examples=300, deadline=None)
def test_whatever_the_order_of_arrival_what_stands_equals_the_history_in_order_of_time(
    rule: dict[str, Any], events: list[dict[str, Any]]
) -> None:
    run = evaluation([rule], events)
    assert said(run) == expected([rule], events, run)


@pytest.mark.parametrize("kept", [1, 3])
@given(histories.rules(), histories.events(40))
@settings(max_examples=120, deadline=None)
def test_it_does_not_matter_how_few_facts_are_kept_at_hand(kept: int, rule: dict[str, Any], events: list[dict[str, Any]]) -> None:
    with mock.patch.object(react, "KEPT", kept):
        run = evaluation([rule], events)
    assert said(run) == expected([rule], events, run)


@given(histories.rules(), histories.events(), st.data())
@settings(max_examples=150, deadline=None)
def test_customers_who_turn_out_to_be_one_end_as_if_they_had_been_one_always(
    rule: dict[str, Any], events: list[dict[str, Any]], data: st.DataObject
) -> None:
    names = {event["id"]: data.draw(st.sampled_from(["number", "device", "both"])) for event in events}
    run = evaluation([rule], [renamed(event, names[event["id"]]) for event in events])
    linked = {event["data"]["who"]["customer_number"] for event in events if names[event["id"]] == "both"}
    found: Found = set()
    for number in {event["data"]["who"]["customer_number"] for event in events}:
        for name in ("both",) if number in linked else ("number", "device"):
            told = [
                event
                for event in events
                if event["data"]["who"]["customer_number"] == number and (name == "both" or names[event["id"]] == name)
            ]
            token = Token(f"device:device-{number}" if name == "device" else f"customer_number:{number}")
            found |= expected_of([rule], told, run.people.known(token), end_of(events))
    assert said(run) == found


def renamed(event: dict[str, Any], name: str) -> dict[str, Any]:
    """The event under another identifier of the same customer, or under both."""
    number = event["data"]["who"]["customer_number"]
    who = {"customer_number": number, "device": f"device-{number}"}
    kept = {"number": ["customer_number"], "device": ["device"], "both": list(who)}[name]
    return event | {"data": event["data"] | {"who": {kind: who[kind] for kind in kept}}}


@given(histories.rules(), histories.events())
@settings(max_examples=50, deadline=None)
def test_the_same_file_gives_the_same_answer_to_the_byte(rule: dict[str, Any], events: list[dict[str, Any]]) -> None:
    assert evaluated([rule], events) == evaluated([rule], events)
