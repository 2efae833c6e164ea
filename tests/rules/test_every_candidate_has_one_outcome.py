"""Every candidate has one outcome: in a log in order the oracle's, in any order one that breaks no cap."""

from collections.abc import Iterable
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from aggregates.identifier import Token
from tests.rules import histories, policy_oracle
from tests.rules.oracle import moment, span
from tests.rules.telling import at, evaluated, evaluation, event


@given(histories.contacting(), histories.policies(), histories.in_order())
@settings(max_examples=150, deadline=None)
def test_in_a_log_in_order_every_outcome_is_the_oracles(
    rules: list[dict[str, Any]], policy: dict[str, Any], events: list[dict[str, Any]]
) -> None:
    end = max((moment(one["time"]) for one in events), default=at(0))
    person = policy_oracle.Person("", events)
    assert decisions(evaluated(rules, events, policy)) == in_text(policy_oracle.outcomes(rules, policy, [person], end))


@given(st.integers(0, 2**32))
@settings(max_examples=150, deadline=None)
def test_hold_outs_and_budgets_over_several_customers_are_the_oracles(number: int) -> None:
    rules, policy, told = histories.dense(Random(number))
    events = sorted([one for some in told.values() for one in some], key=lambda one: (one["time"], one["id"]))
    run = evaluation(rules, events, policy, "pepper")
    people = [
        policy_oracle.Person(str(run.people.known(Token(f"customer_number:{number}"))), some) for number, some in sorted(told.items())
    ]
    end = max(moment(one["time"]) for one in events)
    expected = policy_oracle.outcomes(rules, policy, people, end, "pepper")
    assert decisions(evaluated(rules, events, policy, "pepper")) == in_text(expected)


def decisions(answer: dict[str, Any]) -> list[policy_oracle.Result]:
    """The outcomes that an evaluation says, as the oracle says them."""
    causes = {signal["id"]: signal["cause"]["id"] for signal in answer["signals"]}
    return in_text(
        policy_oracle.Result(
            one["rule"],
            causes[one["signal"]],
            one["outcome"],
            one["channel"],
            moment(one["at"]),
            moment(one["until"]) if one["until"] else None,
            one["reason"],
        )
        for one in answer["outcomes"]
    )


def in_text(results: Iterable[policy_oracle.Result]) -> list[policy_oracle.Result]:
    return sorted(results, key=str)


@given(histories.contacting(), histories.policies(), histories.events())
@settings(max_examples=150, deadline=None)
def test_in_whatever_order_facts_come_no_cap_is_exceeded_and_each_candidate_has_one_outcome(
    rules: list[dict[str, Any]], policy: dict[str, Any], events: list[dict[str, Any]]
) -> None:
    consents = [
        event("consent.given", histories.START, id_=f"z{n}", who={"customer_number": f"c-{n}"}, purpose="marketing") for n in (1, 2)
    ]
    answer = evaluated(rules, [*consents, *events], policy)
    assert sorted(one["signal"] for one in answer["outcomes"]) == sorted(one["id"] for one in answer["signals"])
    bound = [rule["rule"] for rule in rules if rule["do"]["purpose"] != "service"]
    sent = [one for one in answer["outcomes"] if one["outcome"] == "sent" and one["rule"] in bound]
    for cap in policy.get("caps", []):
        channels = policy["counts"] if cap["channels"] == "all" else cap["channels"]
        for last in sent:
            window = [
                one
                for one in sent
                if one["customer_id"] == last["customer_id"]
                and one["channel"] in channels
                and moment(last["at"]) - span(cap["within"]) < moment(one["at"]) <= moment(last["at"])
            ]
            assert len(window) <= cap["max"] or last["channel"] not in channels
