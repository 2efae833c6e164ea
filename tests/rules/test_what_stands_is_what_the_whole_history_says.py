"""Random rules over random histories in random orders of arrival, against the oracle."""

from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings

from aggregates.identifier import Token
from infra.evaluation.rules.run import Evaluation
from tests.rules import histories, oracle
from tests.rules.telling import evaluation

Found = set[tuple[str, str, str, datetime]]


def said(run: Evaluation) -> Found:
    return {
        (signal.rule, str(person.present.id), signal.cause, signal.occurred_at)
        for id_, (signal, person) in run.signals.items()
        if id_ not in run.withdrawn
    }


def expected(rules: list[dict[str, Any]], events: list[dict[str, Any]], run: Evaluation) -> Found:
    """What the oracle says, with the customers' ids as the evaluation gave them."""
    histories_: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for event in events:
        histories_[event["data"]["who"]["customer_number"]].setdefault(event["id"], event)
    end = max((datetime.fromisoformat(event.get("yektarecordedtime", event["time"])).astimezone(UTC) for event in events), default=None)
    found: Found = set()
    for number, history in histories_.items():
        customer = run.people.known(Token(f"customer_number:{number}"))
        for rule in rules:
            assert end is not None
            found |= {(one.rule, str(customer), one.cause, one.occurred) for one in oracle.standing(rule, list(history.values()), end)}
    return found


@given(histories.rules(), histories.events())
@settings(max_examples=400, deadline=None)
def test_whatever_the_order_of_arrival_what_stands_equals_the_history_in_order_of_time(
    rule: dict[str, Any], events: list[dict[str, Any]]
) -> None:
    run = evaluation([rule], events)
    assert said(run) == expected([rule], events, run)
