"""Each sentence of "The exact sense" in docs/rules.md, as a test."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.rules.telling import at, evaluated, event, stand

NOTIFY = {"notify": "team:test"}


def rule(when: dict[str, Any], **parts: Any) -> dict[str, Any]:
    return {"rule": "r", "when": when, "do": NOTIFY, **parts}


def twice(within: str = "2d", **parts: Any) -> dict[str, Any]:
    return rule({"count": "shop.seen", "at_least": 2, "within": within}, **parts)


def seen(when: datetime, id_: str = "", **parts: Any) -> dict[str, Any]:
    return event("shop.seen", when, id_, **parts)


def test_a_window_leaves_out_a_fact_exactly_as_old_as_it_is_long() -> None:
    assert stand(evaluated(twice("2d"), [seen(at(0)), seen(at(2))])) == []
    assert stand(evaluated(twice("2d"), [seen(at(0)), seen(at(2, minutes=-1), "x")])) == [("x", at(2, minutes=-1))]


def test_a_fact_exactly_at_the_end_of_for_is_inside() -> None:
    silent = rule({"after": "shop.left", "absent": "shop.seen", "for": "3d"})
    left, end = event("shop.left", at(0), "left"), event("shop.closed", at(9))
    assert stand(evaluated(silent, [left, seen(at(3)), end])) == []
    assert stand(evaluated(silent, [left, seen(at(3, minutes=1)), end])) == [("left", at(3))]


def test_a_fact_exactly_at_the_end_of_wait_is_inside() -> None:
    patient = twice(wait="1h", unless={"event": "call.answered", "since": "first_match"})
    facts, end = [seen(at(0)), seen(at(0, 1), "second")], event("shop.closed", at(9))
    assert stand(evaluated(patient, [*facts, event("call.answered", at(0, 2)), end])) == []
    assert stand(evaluated(patient, [*facts, event("call.answered", at(0, 2, 1)), end])) == [("second", at(0, 2))]


def test_a_fact_exactly_at_the_end_of_cooldown_is_outside() -> None:
    often = twice("1h", cooldown="2d")
    first = [seen(at(0)), seen(at(0, minutes=30), "a")]
    again = at(2, minutes=30)
    assert stand(evaluated(often, [*first, seen(again - timedelta(minutes=1)), seen(again, "b")])) == [
        ("a", at(0, minutes=30)),
        ("b", again),
    ]
    early = again - timedelta(minutes=1)
    assert stand(evaluated(often, [*first, seen(early - timedelta(minutes=1)), seen(early)])) == [("a", at(0, minutes=30))]


def test_facts_with_the_same_time_count_in_the_order_of_their_ids() -> None:
    one, other = seen(at(1), "b"), seen(at(1), "a")
    assert stand(evaluated(twice(), [one, other])) == [("b", at(1))]
    steps = rule({"sequence": ["shop.seen", "shop.asked"], "within": "1d"})
    assert stand(evaluated(steps, [event("shop.asked", at(1), "a"), seen(at(1), "b")])) == []
    assert stand(evaluated(steps, [event("shop.asked", at(1), "c"), seen(at(1), "b")])) == [("c", at(1))]


def test_time_passing_alone_makes_a_condition_false() -> None:
    facts = [seen(at(0)), seen(at(1), "a"), seen(at(8)), seen(at(9), "b")]
    assert stand(evaluated(twice("2d"), facts)) == [("a", at(1)), ("b", at(9))]


def test_one_signal_for_one_episode() -> None:
    facts = [seen(at(day)) for day in range(8)]
    assert stand(evaluated(twice("49h"), facts)) == [(facts[1]["id"], at(1))]


def test_a_fact_that_comes_at_the_moment_at_which_the_oldest_goes_begins_another_episode() -> None:
    assert stand(evaluated(twice("2d"), [seen(at(0)), seen(at(1), "a"), seen(at(2), "b")])) == [("a", at(1)), ("b", at(2))]


def test_a_condition_that_came_true_again_during_cooldown_must_be_false_once_more() -> None:
    often = twice("49h", cooldown="5d")
    rising = [seen(at(0)), seen(at(1), "a"), *(seen(at(day)) for day in (4, 5, 6, 7, 8))]  # true again at 5, still at 6 and after
    assert stand(evaluated(often, rising)) == [("a", at(1))]
    assert stand(evaluated(often, [*rising, seen(at(12)), seen(at(13), "b")])) == [("a", at(1)), ("b", at(13))]


def test_late_evidence_that_moves_the_beginning_withdraws_the_signal_and_fires_anew() -> None:
    answer = evaluated(twice("5d"), [seen(at(1)), seen(at(4), "z"), seen(at(2), "late", recorded=at(5))])
    assert stand(answer) == [("late", at(2))]
    assert [(one["cause"]["id"], one["withdrawn"], one["late"]) for one in answer["signals"]] == [("z", True, False), ("late", False, True)]


def test_the_cause_is_the_fact_at_which_the_condition_came_true_even_when_another_showed_it() -> None:
    answer = evaluated(twice("5d"), [seen(at(4), "z"), seen(at(1), recorded=at(6))])
    (signal,) = answer["signals"]
    assert (signal["cause"], signal["late"]) == ({"source": "/test", "id": "z"}, True)
    assert signal["occurred_at"] == at(4).isoformat().replace("+00:00", "Z")
    assert signal["recorded_at"] == at(6).isoformat().replace("+00:00", "Z")


def test_other_facts_may_lie_within_a_sequence() -> None:
    steps = rule({"sequence": ["shop.seen", "shop.asked", "shop.left"], "within": "2d"})
    facts = [seen(at(0)), event("shop.left", at(0, 1)), seen(at(0, 2)), event("shop.asked", at(0, 3)), event("shop.left", at(0, 4), "end")]
    assert stand(evaluated(steps, facts)) == [("end", at(0, 4))]


def test_a_second_ending_while_the_first_fact_is_in_the_window_is_the_same_episode() -> None:
    steps = rule({"sequence": ["shop.seen", "shop.left"], "within": "2d"})
    facts = [seen(at(0)), event("shop.left", at(1), "a"), event("shop.left", at(1, 5))]
    assert stand(evaluated(steps, facts)) == [("a", at(1))]
    assert stand(evaluated(steps, [*facts, seen(at(2, 1)), event("shop.left", at(2, 2), "b")])) == [("a", at(1)), ("b", at(2, 2))]


def test_facts_from_before_the_last_signal_may_begin_a_new_sequence() -> None:
    steps = rule({"sequence": ["shop.seen", "shop.asked", "shop.left"], "within": "4h"})
    facts = [seen(at(0)), event("shop.asked", at(0, 1)), seen(at(0, 2), "again"), event("shop.left", at(0, 3), "a")]
    later = [event("shop.asked", at(0, 4, 30)), event("shop.left", at(0, 5), "b")]  # the first fact is out, the third is not
    assert stand(evaluated(steps, [*facts, *later])) == [("a", at(0, 3)), ("b", at(0, 5))]


SILENT = rule({"after": "shop.left", "absent": "shop.seen", "for": "3d"})
END = event("shop.closed", at(30))


def test_the_first_after_since_the_last_absent_fact_counts_and_a_second_does_not_restart_it() -> None:
    assert stand(evaluated(SILENT, [event("shop.left", at(0), "a"), event("shop.left", at(2)), END])) == [("a", at(3))]


def test_an_absence_gives_no_second_signal_until_an_absent_fact_came() -> None:
    facts = [event("shop.left", at(0), "a"), event("shop.left", at(5))]
    assert stand(evaluated(SILENT, [*facts, END])) == [("a", at(3))]
    facts += [seen(at(6)), event("shop.left", at(7), "b")]
    assert stand(evaluated(SILENT, [*facts, END])) == [("a", at(3)), ("b", at(10))]


def test_an_absence_is_told_when_its_timer_is_due_and_its_cause_is_the_opening_fact() -> None:
    (signal,) = evaluated(SILENT, [event("shop.left", at(0), "a"), END])["signals"]
    assert (signal["cause"]["id"], signal["occurred_at"], signal["late"]) == ("a", "2026-03-04T00:00:00Z", False)
    assert signal["recorded_at"] == "2026-03-04T00:00:00Z"


def test_of_an_event_that_is_awaited_after_itself_each_is_awaited_anew() -> None:
    lost = rule({"after": "shop.seen", "absent": "shop.seen", "for": "3d"})
    assert stand(evaluated(lost, [seen(at(0)), seen(at(2), "a"), seen(at(9), "b"), END])) == [("a", at(5)), ("b", at(12))]


def test_an_awaited_fact_that_comes_late_withdraws_what_its_absence_said() -> None:
    answer = evaluated(SILENT, [event("shop.left", at(0), "a"), event("shop.closed", at(4)), seen(at(2), recorded=at(5)), END])
    assert [(one["cause"]["id"], one["withdrawn"]) for one in answer["signals"]] == [("a", True)]


def test_wait_does_not_need_the_condition_to_hold_still() -> None:
    assert stand(evaluated(twice("1h", wait="6h"), [seen(at(0)), seen(at(0, minutes=9), "a"), END])) == [("a", at(0, 6, 9))]


def test_since_first_match_is_the_first_fact_that_counted_in_the_window() -> None:
    patient = twice("2h", unless={"event": "call.answered", "since": "first_match"})
    answered = event("call.answered", at(1))
    assert stand(evaluated(patient, [seen(at(0, 23, 30)), answered, seen(at(1, 0, 30))])) == []
    assert stand(evaluated(patient, [seen(at(0, 20)), answered, seen(at(1, 0, 30)), seen(at(1, 1), "b")])) == [("b", at(1, 1))]


@pytest.mark.parametrize("parts", [{}, {"wait": "1h"}])
@pytest.mark.parametrize(
    ("when", "facts"),
    [
        ({"score": "churn", "rises_to": 0.7}, [("score.given", {"score": "churn", "value": 0.8})]),
        ({"segment": "loyal", "change": "entered"}, [("segment.entered", {"segment": "loyal"})]),
        ({"count": "shop.seen", "at_least": 1, "within": "1h"}, [("shop.seen", {})]),
        ({"sequence": ["shop.seen", "shop.left"], "within": "1h"}, [("shop.seen", {}), ("shop.left", {})]),
        ({"after": "shop.seen", "absent": "shop.left", "for": "1h"}, [("shop.seen", {})]),
    ],
)
def test_the_first_match_itself_stops_the_rule_if_it_is_such_an_event(
    when: dict[str, Any], facts: list[tuple[str, dict[str, Any]]], parts: dict[str, Any]
) -> None:
    told = [*(event(type_, at(1), **data) for type_, data in facts), event("shop.closed", at(9))]
    assert len(stand(evaluated(rule(when, **parts, unless={"event": "shop.other"}), told))) == 1
    assert stand(evaluated(rule(when, **parts, unless={"event": facts[0][0]}), told)) == []


def test_cooldown_runs_from_the_end_of_wait() -> None:
    slow = twice("1h", wait="1d", cooldown="2d")
    first = [seen(at(0)), seen(at(0, minutes=1), "a")]
    assert stand(evaluated(slow, [*first, seen(at(2, 23)), seen(at(2, 23, 30)), END])) == [("a", at(1, minutes=1))]
    assert stand(evaluated(slow, [*first, seen(at(3)), seen(at(3, minutes=1), "b"), END])) == [
        ("a", at(1, minutes=1)),
        ("b", at(4, minutes=1)),
    ]


def test_what_unless_stopped_is_no_signal_and_starts_no_cooldown() -> None:
    often = twice("1h", cooldown="20d", unless={"event": "call.answered", "since": "first_match"})
    stopped = [seen(at(0)), event("call.answered", at(0, minutes=5)), seen(at(0, minutes=10))]
    assert stand(evaluated(often, [*stopped, seen(at(1)), seen(at(1, minutes=1), "b")])) == [("b", at(1, minutes=1))]


def test_what_unless_stopped_late_is_withdrawn() -> None:
    stoppable = twice("2h", unless={"event": "call.answered", "since": "first_match"})
    answer = evaluated(stoppable, [seen(at(0)), seen(at(0, 1), "a"), event("call.answered", at(0, 0, 30), recorded=at(1))])
    assert [(one["cause"]["id"], one["withdrawn"]) for one in answer["signals"]] == [("a", True)]


@pytest.mark.parametrize(
    ("period", "last_of_one", "first_of_next"),
    [
        ("month", "2026-03-31T23:59:00+03:30", "2026-04-01T00:00:00+03:30"),
        ("jalali_month", "2026-03-20T23:59:00+03:30", "2026-03-21T00:00:00+03:30"),
        ("week", "2026-03-20T23:59:00+03:30", "2026-03-21T00:00:00+03:30"),
        ("day", "2026-03-24T23:59:00+03:30", "2026-03-25T00:00:00+03:30"),
    ],
)
def test_a_calendar_period_is_that_of_the_policys_zone(period: str, last_of_one: str, first_of_next: str) -> None:
    before, after = datetime.fromisoformat(last_of_one), datetime.fromisoformat(first_of_next)
    monthly = rule({"count": "shop.seen", "at_least": 2, "in": period})
    policy = {"zone": "Asia/Tehran"}
    assert stand(evaluated(monthly, [seen(before), seen(after)], policy)) == []
    assert stand(evaluated(monthly, [seen(before - timedelta(minutes=9)), seen(before, "a")], policy)) == [("a", before)]
    assert stand(evaluated(monthly, [seen(after), seen(after + timedelta(minutes=9), "a")], policy)) == [
        ("a", after + timedelta(minutes=9))
    ]
    assert stand(evaluated(monthly, [seen(before), seen(after, "a")], {"zone": "America/New_York"})) != []


def test_money_is_a_decimal_in_cel() -> None:
    exact = rule({"count": "sales.order_placed", "where": "data.total == 0.3", "at_least": 1, "within": "1d"})
    assert len(evaluated(exact, [event("sales.order_placed", at(0), total="0.30", currency="IRR")])["signals"]) == 1
    summed = rule({"count": "sales.order_placed", "where": "data.total + data.shipping == 0.3", "at_least": 1, "within": "1d"})
    assert len(evaluated(summed, [event("sales.order_placed", at(0), total="0.10", shipping="0.2", currency="IRR")])["signals"]) == 1


def test_a_timer_due_after_the_last_recorded_time_has_not_fired() -> None:
    assert stand(evaluated(SILENT, [event("shop.left", at(0), "a"), event("shop.closed", at(3, minutes=-1))])) == []
    assert stand(evaluated(SILENT, [event("shop.left", at(0), "a"), event("shop.closed", at(3))])) == [("a", at(3))]


def test_history_that_is_imported_counts_and_fires_nothing() -> None:
    imported = [seen(at(0), backfill=True), seen(at(1), backfill=True)]
    assert evaluated(twice("3d"), imported)["signals"] == []
    assert stand(evaluated(twice("3d"), [imported[0], seen(at(1), "now")])) == [("now", at(1))]


def test_a_score_fires_once_until_it_fell() -> None:
    rising = rule({"score": "churn", "rises_to": 0.7, "rearm_below": 0.6})
    values = [0.5, 0.71, 0.65, 0.9, 0.59, 0.7]
    scores = [event("score.given", at(day), f"s{day}", score="churn", value=value) for day, value in enumerate(values)]
    assert stand(evaluated(rising, scores)) == [("s1", at(1)), ("s5", at(5))]


def test_a_segment_is_entered_and_left() -> None:
    changes = [
        event(type_, at(day), f"c{day}", segment="loyal")
        for day, type_ in enumerate(["segment.entered", "segment.left", "segment.entered"])
    ]
    assert stand(evaluated(rule({"segment": "loyal", "change": "left"}), changes)) == [("c1", at(1))]
    assert stand(evaluated(rule({"segment": "loyal", "change": "entered"}), changes)) == [("c0", at(0)), ("c2", at(2))]


def test_a_percentile_is_the_quantile_that_was_published_last() -> None:
    rich = rule({"count": "shop.seen", "at_least": 1, "within": "1h"}, **{"if": {"percentile": "value", "at_least": 90}})
    quantile = event("quantile.published", at(0), who={}, of="value", cuts={"90": 1000})
    worth = event("score.given", at(1), score="value", value="1200")
    raised = event("quantile.published", at(3), who={}, of="value", cuts={"90": 1500})
    facts = [seen(at(0, 2)), quantile, worth, seen(at(2), "rich"), raised, seen(at(4))]
    assert stand(evaluated(rich, sorted(facts, key=lambda fact: fact["time"]))) == [("rich", at(2))]


def test_a_quantile_of_the_same_moment_counts_in_the_order_of_the_ids() -> None:
    rich = rule({"count": "shop.seen", "at_least": 1, "within": "1h"}, **{"if": {"percentile": "value", "at_least": 90}})
    worth = event("score.given", at(0), score="value", value="1200")
    quantile = event("quantile.published", at(1), "m", who={}, of="value", cuts={"90": 1000})
    assert stand(evaluated(rich, [worth, quantile, seen(at(1), "a")])) == []
    assert stand(evaluated(rich, [worth, quantile, seen(at(1), "z")])) == [("z", at(1))]
    assert stand(evaluated(rich, [worth, seen(at(1), "z"), quantile])) == [("z", at(1))]
    waited = [worth, seen(at(0, 23), "a"), quantile]
    assert stand(evaluated({**rich, "wait": "1h"}, waited)) == [("a", at(1))], "at the end of wait all of that moment counts"


def test_a_quantile_that_is_told_late_withdraws_and_fires_anew() -> None:
    rich = rule({"count": "shop.seen", "at_least": 1, "within": "1h"}, **{"if": {"percentile": "value", "at_least": 90}})
    worth = event("score.given", at(0), score="value", value="1200")
    quantile = event("quantile.published", at(1), who={}, of="value", cuts={"90": 1000})
    raised = event("quantile.published", at(4), who={}, of="value", cuts={"90": 1500}, recorded=at(6))
    in_between = event("quantile.published", at(4, 12), who={}, of="value", cuts={"80": 900}, recorded=at(7))
    lowered = event("quantile.published", at(2), who={}, of="value", cuts={"90": 1100}, recorded=at(8))
    facts = [worth, seen(at(0, 2), "early"), quantile, seen(at(3), "rich"), seen(at(5), "poor"), raised, in_between, lowered]
    answer = evaluated(rich, facts)
    assert stand(answer) == [("rich", at(3))]
    assert [(one["cause"]["id"], one["withdrawn"]) for one in answer["signals"]] == [("rich", False), ("poor", True)]
    before = event("quantile.published", at(0, 1), who={}, of="value", cuts={"90": 1000}, recorded=at(9))
    assert stand(evaluated(rich, [*facts, before])) == [("early", at(0, 2)), ("rich", at(3))]


def test_what_is_recorded_at_its_own_moment_is_not_late_in_whichever_order_that_moment_is_told() -> None:
    answer = evaluated(twice("9d"), [seen(at(0), "a"), seen(at(1), "z"), seen(at(1), "b")])
    assert [(one["cause"]["id"], one["late"], one["withdrawn"]) for one in answer["signals"]] == [("z", False, True), ("b", False, False)]


def test_what_if_did_not_allow_is_no_signal_and_its_episode_is_over() -> None:
    loyal = twice("9d", **{"if": {"segment": "loyal"}})
    assert evaluated(loyal, [seen(at(0)), seen(at(1)), event("segment.entered", at(2), segment="loyal"), seen(at(3))])["signals"] == []
