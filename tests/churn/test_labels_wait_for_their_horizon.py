"""No label of the future reaches a score: what was said at a moment depends on what was known at that moment alone."""

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregates.churn import DAY, Definition, churned, matures
from aggregates.fact import Fact
from projections.churn import fold
from projections.churn.silence import checks
from projections.churn.state import CONTRACTS
from streams.learning import course as courses
from streams.learning.course import Judged
from streams.learning.learner import Prediction
from tests.churn.told import BEGIN, FIRST, fact

HORIZON = 4
SHORT = Definition(horizon=HORIZON)

happenings = st.tuples(
    st.floats(0.0, 30.0, allow_nan=False, width=16),
    st.sampled_from("abcdef"),
    st.sampled_from(["sales.order_placed", "sales.order_placed", "call.ended", "complaint"]),
)
logs = st.lists(happenings, min_size=1, max_size=60).map(lambda log: sorted(log, key=lambda one: one[0]))


def told(log: list[tuple[float, str, str]]) -> list[tuple[str, Fact]]:
    return [(customer, fact(day, type_, total="10")) for day, customer, type_ in log]


def said(log: list[tuple[str, Fact]]) -> list[Prediction | None]:
    course, scores = courses.begin(SHORT), list[Prediction | None]()
    for customer, one in log:
        courses.take(course, customer, one)
        scores.append(courses.score(course, customer, one.at.timestamp() / DAY))
    return scores


def at_events(judged: list[Judged]) -> list[Judged]:
    return [one for one in judged if not one.example.silent]


@settings(max_examples=60, deadline=None)
@given(logs, st.data())
def test_any_prefix_of_the_log_gives_identical_scores(log: list[tuple[float, str, str]], data: st.DataObject) -> None:
    whole = told(log)
    cut = data.draw(st.integers(0, len(whole)))
    assert said(whole[:cut]) == said(whole)[:cut]


@settings(max_examples=60, deadline=None)
@given(logs, st.floats(0.0, 30.0, allow_nan=False, width=16))
def test_an_example_has_no_effect_before_its_horizon_is_over(log: list[tuple[float, str, str]], day: float) -> None:
    """One more customer, and whether he comes again: nobody's score differs until his example's label is known."""
    others = told(log)
    stranger, again = ("stranger", fact(day, total="10")), ("stranger", fact(day + 1.0, total="10"))
    with_him = sorted([*others, stranger], key=lambda one: one[1].at)
    with_both = sorted([*others, stranger, again], key=lambda one: one[1].at)
    scores = [
        {one.event_id: (customer, score) for (customer, one), score in zip(log_, said(log_), strict=True) if customer != "stranger"}
        for log_ in (others, with_him, with_both)
    ]
    known = matures(SHORT, int(day))
    for customer, one in others:
        if (one.at - fact(0.0).at).days < known:
            assert scores[0][one.event_id] == scores[1][one.event_id] == scores[2][one.event_id], customer


def test_a_label_that_is_known_changes_what_is_said_of_others() -> None:
    """The two properties above would hold of a learner that never learns."""
    loyal = [("a", fact(day)) for day in range(9)]
    left = [("a", fact(0.0))]
    late = [("b", fact(20.0))]
    assert said([*loyal, *late])[-1] != said([*left, *late])[-1]


def test_all_labels_of_a_day_mature_together_and_once() -> None:
    course = courses.begin(SHORT)
    for customer in "abc":
        courses.take(course, customer, fact(0.5))
    courses.take(course, "a", fact(1.0))
    assert at_events(courses.take(course, "z", fact(HORIZON + 0.9))) == []
    judged = at_events(courses.take(course, "z", fact(HORIZON + 1.0)))
    assert {(one.example.customer, one.lost) for one in judged} == {("a", False), ("b", True), ("c", True)}
    assert courses.take(course, "z", fact(HORIZON + 1.5)) == []
    assert course.learner.learnt == 3


def test_who_is_silent_is_scored_remembered_and_learnt_apart() -> None:
    course = courses.begin(SHORT)
    courses.take(course, "a", fact(0.5))
    judged = courses.take(course, "b", fact(60.0))
    silent = [one for one in judged if one.example.silent]
    assert [one.example.day - FIRST for one in silent] == [check - 1 for check in checks(SHORT)]
    assert all(one.lost and one.example.customer == "a" for one in silent)
    assert course.silence.learnt == len(silent)
    assert course.learner.learnt == 1


def test_who_is_not_silent_any_more_is_not_scored_as_if_he_were() -> None:
    course = courses.begin(SHORT)
    courses.take(course, "a", fact(0.5))
    judged = [one for day in (0.9, 1.5, 60.0) for one in courses.take(course, "a", fact(day)) if one.example.silent]
    assert [one.example.day - FIRST for one in judged] == [0, *checks(SHORT)]


def test_a_silent_customers_score_can_be_asked_at_any_time() -> None:
    course = courses.begin(SHORT)
    assert courses.score(course, "a", FIRST + 1.0) is None
    courses.take(course, "a", fact(0.0))
    scores = [said.score for day in range(10) if (said := courses.score(course, "a", FIRST + float(day)))]
    assert len(scores) == 10
    assert scores == sorted(scores)


def test_a_customer_has_one_example_a_day_the_last_said() -> None:
    course = courses.begin(SHORT)
    courses.take(course, "a", fact(0.1, total="10"))
    first = courses.score(course, "a", FIRST + 0.1)
    courses.take(course, "a", fact(0.9, total="10"))
    last = courses.score(course, "a", FIRST + 0.9)
    (judged,) = at_events(courses.take(course, "b", fact(30.0)))
    assert judged.example.prediction == last != first
    assert judged.lost


def test_nobody_is_scored_before_his_first_purchase() -> None:
    course = courses.begin(SHORT)
    for day, type_, scored in ((0.0, "web.page_viewed", False), (1.0, "sales.order_placed", True), (1.0, "web.page_viewed", True)):
        courses.take(course, "a", fact(day, type_))
        assert (courses.score(course, "a", FIRST + day) is not None) is scored


def test_who_looked_around_before_he_bought_is_looked_at_in_silence_like_who_did_not() -> None:
    course = courses.begin(SHORT)
    for type_ in ("web.page_viewed", "sales.order_placed"):
        courses.take(course, "a", fact(0.5, type_))
    silent = [one for one in courses.pass_to(course, FIRST + 60) if one.example.silent]
    assert [one.example.day - FIRST for one in silent] == [check - 1 for check in checks(SHORT)]


@pytest.mark.parametrize(
    ("returns", "lost"), [((), True), ((10,), True), ((11,), False), ((14,), False), ((15,), True), ((3, 10, 14, 15), False)]
)
def test_lost_is_who_does_not_buy_on_the_days_after_the_example(returns: tuple[int, ...], lost: bool) -> None:
    assert churned(SHORT, 10, returns, ()) is lost


CONTRACT = Definition(kind="contractual", horizon=10, grace=3)


def test_with_contracts_lost_is_who_cancels_or_does_not_renew_in_time() -> None:
    def lost(*facts: Fact) -> list[bool]:
        course = courses.begin(CONTRACT)
        judged = []
        for one in (*facts, fact(90.0, "subscription.started")):
            judged += at_events(courses.take(course, "a", one))
        return [one.lost for one in judged][:1]

    started = fact(0.0, "subscription.started", subscription_id="s", ends_at="2024-01-08T00:00:00Z")
    assert lost(started, fact(5.0, "subscription.cancelled", subscription_id="s")) == [True]
    assert lost(started, fact(9.5, "subscription.renewed", subscription_id="s", ends_at="2024-03-01T00:00:00Z")) == [False]
    assert lost(started) == [True]
    assert lost(started, fact(10.5, "subscription.renewed", subscription_id="s", ends_at="2024-03-01T00:00:00Z")) == [True]


def test_who_cancelled_is_scored_no_more() -> None:
    course = courses.begin(CONTRACT)
    for day, type_, scored in ((0.0, "started", True), (1.0, "cancelled", False), (2.0, "started", True)):
        courses.take(course, "a", fact(day, f"subscription.{type_}"))
        assert (courses.score(course, "a", FIRST + day) is not None) is scored


def test_whose_contract_ran_out_is_lost_when_his_grace_is_over_and_scored_no_more() -> None:
    course = courses.begin(CONTRACT)
    judged = courses.take(course, "a", fact(0.0, "subscription.started", subscription_id="s", ends_at="2024-01-08T00:00:00Z"))
    for day in range(1, 60):
        judged += courses.pass_to(course, int(FIRST) + day)
        assert (courses.score(course, "a", FIRST + day) is not None) is (day < 10)
    assert [(one.example.day - int(FIRST), one.lost) for one in judged] == [(0, True), (0, True), (1, True), (2, True), (6, True)]
    judged = courses.take(course, "a", fact(60.0, "call.ended"))
    assert courses.score(course, "a", FIRST + 60.0) is None
    courses.take(course, "a", fact(61.0, "subscription.started", subscription_id="s", ends_at="2024-04-08T00:00:00Z"))
    assert courses.score(course, "a", FIRST + 61.0) is not None
    assert course.states["a"].began == FIRST + 61.0
    assert not [one for one in courses.pass_to(course, int(FIRST) + 72) if one.example.day < FIRST + 61.0]


@pytest.mark.parametrize(
    ("ends", "more", "examples"),
    [
        ("2024-02-01", [(5.6, "subscription.cancelled")], [(4, True)]),
        ("2024-02-01", [(5.6, "subscription.cancelled"), (5.7, "call.ended")], [(4, True)]),
        ("2024-02-01", [(5.6, "subscription.cancelled"), (5.7, "subscription.started")], [(4, True), (5, False)]),
        ("2024-02-01", [(5.6, "subscription.cancelled"), (6.7, "subscription.started")], [(4, True), (6, False)]),
        ("2024-01-03T14:00:00", [], [(4, True)]),  # it runs out on the day itself
        ("2024-01-03T14:00:00", [(5.8, "call.ended")], [(4, True)]),
        ("2024-01-04T00:00:00", [], [(4, True), (5, True)]),  # as the next day begins
    ],
)
def test_whoever_left_before_the_day_was_over_has_no_example_of_it(
    ends: str, more: list[tuple[float, str]], examples: list[tuple[int, bool]]
) -> None:
    begun = fact(1.0, "subscription.started", subscription_id="s", ends_at=f"{ends}Z" if "T" in ends else f"{ends}T00:00:00Z")
    course = courses.begin(CONTRACT)
    judged = []
    for one in (begun, fact(4.5, "call.ended"), fact(5.5, "call.ended"), *(fact(day, type_) for day, type_ in more)):
        judged += courses.take(course, "a", one)
    judged += courses.pass_to(course, FIRST + 30)
    assert [(one.example.day - FIRST, one.lost) for one in at_events(judged)] == [(1, True), *examples]


def test_whoever_has_several_contracts_is_lost_with_the_last_of_them() -> None:
    def begins(day: float, number: str, **data: str) -> Fact:
        return fact(day, "subscription.started", subscription_id=number, **data)

    def ends(day: float, **number: str) -> Fact:
        return fact(day, "subscription.cancelled", **number)

    def losses(*facts: Fact) -> list[int]:
        state = fold.initial()
        for one in facts:
            state = fold.evolve(CONTRACT, state, one)
        return [day - int(FIRST) for day in fold.losses(CONTRACT, state, FIRST + 90.0)]

    phone, line = begins(0.0, "phone"), begins(1.0, "line", ends_at="2024-02-01T00:00:00Z")
    assert losses(phone, line, ends(5.0, subscription_id="phone")) == [34]  # of the line, its days of grace included
    assert losses(phone, line, ends(5.0, subscription_id="line")) == []
    assert losses(phone, line, ends(5.0, subscription_id="line"), ends(8.0, subscription_id="phone")) == [8]
    assert losses(phone, line, ends(60.0, subscription_id="phone")) == [60]
    assert losses(line, ends(40.0, subscription_id="line")) == [34]
    assert losses(phone, line, ends(5.0, subscription_id="sim")) == []  # of which nothing is known
    assert losses(phone, line, ends(5.0)) == [5]  # who says of none that it is over says so of all
    assert losses(begins(0.0, ""), ends(5.0, subscription_id="phone")) == [5]


def test_what_was_kept_of_a_contract_before_contracts_had_numbers_goes_on() -> None:
    paid = fact(0.0, "subscription.started", subscription_id="s", ends_at="2024-02-01T00:00:00Z")
    kept = msgspec.structs.replace(fold.evolve(CONTRACT, fold.initial(), paid), contracts={})
    assert not fold.evolve(CONTRACT, kept, fact(5.0, "subscription.cancelled", subscription_id="s")).running
    renewed = fold.evolve(CONTRACT, kept, fact(5.0, "subscription.renewed", subscription_id="s"))
    assert (renewed.contracts, renewed.began) == ({"s": None}, FIRST)


def test_of_a_multitude_of_contracts_those_that_end_last_are_kept() -> None:
    state = fold.initial()
    for number in range(CONTRACTS + 10):
        ends = (BEGIN + timedelta(days=100 + number)).isoformat()
        state = fold.evolve(CONTRACT, state, fact(0.001 * number, "subscription.started", subscription_id=f"{number}", ends_at=ends))
    assert len(state.contracts) == CONTRACTS
    assert state.ends == max(filter(None, state.contracts.values())) == FIRST + 100 + CONTRACTS + 9
