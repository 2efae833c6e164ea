"""An identifier that proves nothing by the rules makes nobody a possible duplicate: all who call from the office have its number."""

from dataclasses import replace

from aggregates.identity import DEFAULT_RULES, Kind
from projections.duplicates.record import record
from projections.view import fold
from projections.view.state import State
from tests.view.telling import happened, token

OFFICE, HIS = ("phone", "+982188776655"), ("phone", "+989121234567")


def test_a_blocked_number_is_no_part_of_what_is_compared() -> None:
    state = fold.evolve(State(), happened("web.page_viewed", {"url": "u"}, who=(OFFICE, HIS)).fact)
    told = {token(*who): who[1] for who in (OFFICE, HIS)}
    assert {state.contacts.points[one].value for one in told} == set(told.values())
    by_value = replace(DEFAULT_RULES, blocked=frozenset({token(*OFFICE)}))
    by_pattern = replace(DEFAULT_RULES, kinds={**DEFAULT_RULES.kinds, "phone": Kind(5, 5, patterns=(r"\+9821.*",))})
    for rules in (by_value, by_pattern):
        assert record(state, rules) == {"phone": HIS[1]}
    both = replace(by_value, blocked=frozenset(told))
    assert record(state, both) == {}
