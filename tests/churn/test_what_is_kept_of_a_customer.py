"""The state is small, and right at any time it is asked: everything in it fades as if it had been counted anew."""

import math
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from aggregates.churn import Definition
from aggregates.fact import Fact
from projections.churn import counters, fold, kept, reasons, season, state
from projections.churn.features import brings_in, features, in_population
from projections.churn.state import MARKS, READINGS, WORDS, State
from projections.churn.weights import chance
from streams.learning.champion import ignorant
from tests.churn.told import FIRST, fact

DEFINITION = Definition(horizon=90)


def folded(*facts: Fact) -> State:
    found = fold.initial()
    for one in facts:
        found = fold.evolve(DEFINITION, found, one)
    return found


days = st.lists(st.floats(0.0, 400.0, allow_nan=False, width=32), min_size=1, max_size=20).map(sorted)


@settings(deadline=None)
@given(days, st.floats(0.0, 500.0, allow_nan=False))
def test_the_counters_are_those_of_the_whole_history_at_any_later_time(bought: list[float], silence: float) -> None:
    rhythm = folded(*[fact(day) for day in bought]).rhythm
    assert rhythm is not None
    now = FIRST + bought[-1] + silence
    decayed = sum(2.0 ** ((FIRST + day - now) / 90.0) for day in bought)
    shape = sum(math.exp((FIRST + day - now) / 180.0) for day in bought) - 0.5 * math.exp(-silence / 180.0)
    exposed = 2.0 * (1.0 - math.exp((FIRST + bought[0] - now) / 180.0))
    assert counters.decayed_count(rhythm, now, 90) == pytest.approx(-math.log(decayed), abs=1e-6)
    assert counters.purchase_count(rhythm) == -math.log(len(bought))
    assert counters.rate(rhythm, now, 90) == pytest.approx((shape, exposed), abs=1e-6)


def test_the_prior_is_the_laplace_transform_of_a_gamma_rate() -> None:
    for counted, exposed in ((1.0, 0.0), (3.5, 0.7), (9.0, 1.9)):
        none = ((exposed + 1.0) / (exposed + 2.0)) ** (counted - 0.5)
        assert counters.prior_of(counted - 0.5, exposed) == pytest.approx(math.log(none / (1.0 - none)))


def test_the_prior_grows_sure_only_slowly_and_never_stops_ranking() -> None:
    said = [counters.prior_of(orders - 0.5, 1.0) for orders in range(1, 2_000, 7)]
    assert said == sorted(said, reverse=True)
    assert len(set(said)) == len(said)
    assert said[-1] > -12.0


def test_whoever_bought_once_is_not_lost_for_certain_however_long_he_is_silent() -> None:
    rhythm = folded(fact(0.0)).rhythm
    assert rhythm is not None
    chances = [chance(counters.prior(rhythm, FIRST + day, 90)) for day in (0, 30, 135, 270)]
    assert chances == sorted(chances)
    assert chances[0] == pytest.approx(0.5**0.5)
    # of CDNOW's customers with one order and so long a silence, .91 and .94 did not come in the next 90 days
    assert chances[2:] == pytest.approx([0.91, 0.96], abs=0.005)


def test_who_left_for_good_shows_the_sooner_the_more_steadily_he_bought() -> None:
    steady, rare = folded(*map(fact, range(0, 100, 10))).rhythm, folded(fact(0.0), fact(90.0)).rhythm
    assert steady is not None
    assert rare is not None
    assert counters.dropped_out(steady, steady.last, 90) == counters.dropped_out(rare, rare.last, 90) == 0.0
    for silence in (20, 60, 180):
        assert counters.dropped_out(steady, steady.last + silence, 90) > counters.dropped_out(rare, rare.last + silence, 90) > 0.0
    # a/(b+x-1) ((alpha+T)/(alpha+t))^(r+x), less what it is at T = t: two orders a horizon apart, then one of silence
    assert counters.dropped_out(rare, rare.last + 90, 90) == pytest.approx(0.5 / 2.5 * ((2.5 / 1.5) ** 1.25 - 1.0))


def test_a_silent_customer_becomes_more_likely_to_be_lost_without_any_event() -> None:
    bought = folded(fact(0.0), fact(21.0), fact(42.0))
    priors = [features(DEFINITION, bought, FIRST + 42.0 + silence)["prior"] for silence in range(0, 720, 10)]
    assert priors == sorted(priors)
    assert priors[-1] > priors[0] + 2.0


def test_features_are_finite_and_near_zero_however_long_or_strange_the_life() -> None:
    wild: dict[str, Any] = {
        "total": "1e17",
        "n": -1e17,
        "x": float("nan"),
        "y": float("inf"),
        "t": "nan",
        "discount": "-5",
        "lines": [1, {"discount": None}],
    }
    customers = [
        folded(*[fact(0.001 * number, **wild) for number in range(300)]),
        folded(fact(0.0, total="0"), fact(4_000.0, total="-3")),
        folded(fact(0.0), *[fact(1.0, "call.ended", reason="price", wait_seconds=30) for _ in range(500)]),
    ]
    for customer in customers:
        for later in (0.0, 1e-9, 90.0, 36_500.0):
            found = features(DEFINITION, customer, customer.at + later)
            assert all(math.isfinite(number) and abs(number) < 60.0 for number in found.values()), found


def test_what_a_company_invents_is_told_by_its_own_name() -> None:
    said: dict[str, Any] = {"reason": "price", "call_id": "c-1", "note": "angry", "wait_seconds": 30, "number": "09121234567"}
    found = features(DEFINITION, folded(fact(0.0, total="5", store="Shiraz", order_id="o-1"), fact(2.0, "support", **said)), FIRST + 2.0)
    own = {name for name in found if ":" in name}
    assert own == {
        *("happened:support", "lately:support", "happened:support|reason=price", "lately:support|reason=price"),
        *("read:support.wait_seconds", "said:store=shiraz"),
    }


def test_happenings_fade_and_fresh_ones_fade_faster() -> None:
    complained = folded(fact(0.0), fact(1.0, "complaint"))
    then, later = (features(DEFINITION, complained, FIRST + 1.0 + silence) for silence in (0.0, 90.0))
    assert (then["happened:complaint"], then["lately:complaint"]) == pytest.approx((math.log(2.0), math.log(2.0)))
    assert later["happened:complaint"] == pytest.approx(math.log(1.5))
    assert later["lately:complaint"] == pytest.approx(math.log1p(1 / 64))


def test_the_discount_is_the_share_of_the_price() -> None:
    line = {"sku": "a", "quantity": 1, "unit_price": "50", "discount": "10"}
    assert features(DEFINITION, folded(fact(0.0, total="80", discount="10", lines=[line])), FIRST)["read:discount"] == pytest.approx(0.2)


def test_a_number_is_told_as_it_was_read_however_long_ago() -> None:
    rated = {"request_id": "r-1", "score": 5}
    one = folded(fact(0.0, total="80"), fact(1.0, "service.request_rated", **rated))
    seen = features(DEFINITION, one, one.at + DEFINITION.horizon)
    topic = "read:service.request_rated.score"
    assert seen[topic] == pytest.approx(math.asinh(5.0) / 2.0)
    told = {reason.topic: reason for reason in reasons.reasons(dict.fromkeys(seen, 0.1), {}, seen, DEFINITION, one)}
    assert (told[topic].en, told[topic].fa) == ("rating: score about 5", "امتیاز رضایت: امتیاز حدود ۵")


def test_what_comes_is_his_own_season_where_he_bought_in_it_before() -> None:
    winters = folded(*[fact(365.25 * year + day) for year in range(3) for day in (0, 20, 40, 60)]).rhythm
    even = folded(*[fact(30.4 * month) for month in range(36)]).rhythm
    assert winters is not None
    assert even is not None
    last = FIRST + 3 * 365.25
    coming = [season.coming(winters, last + day, 90) for day in (0, 91, 182, 274)]
    assert coming[0] > 0.5 > -0.5 > coming[2]
    assert coming[0] > coming[3] > coming[2]
    assert max(abs(season.coming(even, last + day, 90)) for day in range(0, 365, 30)) < 0.15
    once = folded(fact(0.0)).rhythm
    assert once is not None
    assert season.coming(once, FIRST, 90) == 0.0  # nothing is known yet of other parts of the year


@settings(deadline=None)
@given(days, st.floats(0.0, 500.0, allow_nan=False))
def test_a_season_is_that_of_the_whole_history_at_any_later_time(bought: list[float], silence: float) -> None:
    rhythm = folded(*[fact(day) for day in bought]).rhythm
    assert rhythm is not None
    first, now = FIRST + bought[0], FIRST + bought[-1] + silence
    steps = 500
    usual = np.exp(1j * season.PACE * (first + (now - first) * (np.arange(steps) + 0.5) / steps)).mean()
    ahead = np.exp(1j * season.PACE * (now + 90.0 * (np.arange(steps) + 0.5) / steps)).mean()
    more = sum(np.exp(1j * season.PACE * (FIRST + day)) - usual for day in bought)
    assert season.coming(rhythm, now, 90) == pytest.approx(2.0 * (more * ahead.conjugate()).real / (len(bought) + 4), abs=1e-4)


def test_by_his_own_gaps_clockwork_is_expected_for_certain_and_is_late_sooner() -> None:
    clockwork, loose = folded(*[fact(30.0 * n) for n in range(12)]).rhythm, folded(*[fact(d) for d in (0, 2, 60, 65, 200, 330)]).rhythm
    assert clockwork is not None
    assert loose is not None
    at_once, late = (counters.renewal(clockwork, clockwork.last + silence, 60) for silence in (0.0, 90.0))
    assert at_once < -2.0
    assert late > at_once + 0.8
    assert counters.renewal(loose, loose.last, 60) > at_once
    for silence in (0.0, 1e-9, 1e4):
        assert abs(counters.renewal(clockwork, clockwork.last + silence, 60)) <= counters.SUREST


def test_gaps_of_late_weigh_more_and_old_ones_fade() -> None:
    rhythm = folded(*[fact(float(day)) for day in (0, 10, 20, 30, 50, 70)]).rhythm
    assert rhythm is not None
    assert rhythm.recent == pytest.approx(math.log(10.0) + math.log(2.0) * (1.0 - (2.0 / 3.0) ** 2))
    assert rhythm.fresh == pytest.approx(sum(2.0 ** (-6.0 * (70 - day) / 90.0) for day in (0, 10, 20, 30, 50, 70)))


def test_amounts_of_late_weigh_more_and_begin_anew_in_another_currency() -> None:
    orders = [fact(float(day), total=str(amount)) for day, amount in enumerate((80, 80, 80, 10))]
    rhythm = folded(*orders).rhythm
    assert rhythm is not None
    assert rhythm.spending == pytest.approx(math.log(80.0) - math.log(8.0) / 3.0)
    assert features(DEFINITION, folded(*orders), FIRST + 3.0)["trading_down"] == pytest.approx(math.log(8.0) * (1.0 / 4.0 - 1.0 / 3.0))
    changed = features(DEFINITION, folded(*orders, fact(9.0, total="7", currency="IRR"), fact(9.5, total="7", currency="USD")), FIRST + 9.5)
    assert changed["trading_down"] == changed["last_money"] == 0.0


def test_a_number_is_held_against_what_is_usual_of_its_customer() -> None:
    readings = [fact(float(day), "used", minutes=math.sinh(number)) for day, number in ((0, 4.0), (10, 5.0), (20, 1.0), (30, 1.0))]
    seen = [
        features(DEFINITION, folded(*readings[:times]), FIRST + 10.0 * times - 10.0).get("changed:used.minutes") for times in (1, 2, 3, 4)
    ]
    assert seen == [None, None, pytest.approx(2.75 - 10.0 / 3.0), pytest.approx(1.875 - 2.75)]
    later = features(DEFINITION, folded(*readings), FIRST + 30.0 + DEFINITION.horizon)
    assert later["changed:used.minutes"] == pytest.approx((1.875 - 2.75) / 2.0)  # it fades
    turned = folded(*[fact(float(day), "balance", value=number) for day, number in enumerate((1e6, 1e6, 1e6, -1e6, -1e6))])
    assert features(DEFINITION, turned, turned.at)["changed:balance.value"] == -3.0


def test_who_was_folded_when_less_was_kept_is_folded_anew_at_his_next_fact() -> None:
    kept = folded(fact(0.0), fact(5.0))
    assert kept.rhythm is not None
    before = replace(kept, folded=0, rhythm=replace(kept.rhythm, fresh=0.0, recent=0.0, winter=0.0, spring=0.0))
    assert fold.needs_history(DEFINITION, before, fact(9.0))
    assert not fold.needs_history(DEFINITION, kept, fact(9.0))
    assert not {"fresh", "slowing", "own_season"} & features(DEFINITION, before, FIRST + 9.0).keys()


def test_a_customer_never_takes_more_than_his_room() -> None:
    facts = [fact(float(number), f"odd.{number}", **{f"n{number}": 1, f"w{number}": "word"}) for number in range(200)]
    bought = [fact(200.0 + number, total="1", **{f"w{number}": "word", f"m{number}": 1}) for number in range(200)]
    kept = folded(*facts, *bought)
    assert (len(kept.marks), len(kept.readings), len(kept.words)) == (MARKS, READINGS, WORDS)
    assert "odd.199" in kept.marks
    assert len(kept.returns) <= DEFINITION.horizon + 3


def test_two_orders_of_a_day_are_two_orders_and_no_gap() -> None:
    rhythm = folded(fact(0.5), fact(0.6), fact(10.5)).rhythm
    assert rhythm is not None
    assert (rhythm.orders, rhythm.gaps, round(rhythm.gap, 1)) == (3, 1, 9.9)


def test_a_late_fact_asks_for_the_history() -> None:
    kept = folded(fact(0.0), fact(5.0))
    assert fold.needs_history(DEFINITION, kept, fact(4.0))
    assert not fold.needs_history(DEFINITION, kept, fact(5.0))
    assert fold.needs_history(DEFINITION, folded(fact(5.5)), fact(5.4))
    assert fold.needs_history(DEFINITION, kept, fact(4.9, "complaint"))
    called = folded(fact(0.0), fact(5.5, "call.ended", wait_seconds=9))
    assert fold.needs_history(DEFINITION, called, fact(5.4, "call.ended", wait_seconds=3))
    assert not fold.needs_history(DEFINITION, called, fact(5.4, "call.ended", talk_seconds=3))


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.floats(5.0, 5.9), st.sampled_from("abc")), min_size=2, max_size=12))
def test_what_is_only_counted_may_be_late_by_hours(happened: list[tuple[float, str]]) -> None:
    """Told in any order it is the same, to the last digits."""
    facts = [fact(day, "complaint", reason=reason) for day, reason in happened]
    first = folded(fact(1.0), fact(5.0))
    late = first
    for one in facts:
        assert not fold.needs_history(DEFINITION, late, one)
        late = fold.evolve(DEFINITION, late, one)
    ordered = folded(fact(1.0), fact(5.0), *sorted(facts, key=lambda one: one.at))
    said, should = features(DEFINITION, late, late.at + 30.0), features(DEFINITION, ordered, ordered.at + 30.0)
    assert said == pytest.approx(should, rel=1e-9)


@settings(deadline=None, max_examples=200)
@given(
    st.lists(
        st.tuples(st.floats(5.0, 5.9), st.sampled_from(("sales.order_placed", "call.ended", "complaint")), st.integers(0, 99)),
        min_size=2,
        max_size=7,
        unique_by=lambda told: told[0],
    ),
    st.sampled_from((0, READINGS - 3)),
)
def test_what_is_late_and_asks_for_no_history_is_where_it_would_have_been(told: list[tuple[float, str, int]], crowd: int) -> None:
    """Numbers, words, amounts and orders: in whatever order a day's facts come, what is known is what its order of time gives."""
    many = fact(1.0, "survey", **{f"n{number}": number for number in range(crowd)})
    facts = [fact(at, type_, total=str(number), discount=number % 3, **{f"n{number % 2}": number}) for at, type_, number in told]
    came = ordered = folded(fact(0.0, total="9"), many)
    for place, one in enumerate(facts):
        if fold.needs_history(DEFINITION, came, one):
            came = ordered
            for earlier in sorted(facts[: place + 1], key=lambda fact: fact.at):
                came = fold.evolve(DEFINITION, came, earlier)
        else:
            came = fold.evolve(DEFINITION, came, one)
    for one in sorted(facts, key=lambda fact: fact.at):
        ordered = fold.evolve(DEFINITION, ordered, one)
    said, should = features(DEFINITION, came, came.at + 9.0), features(DEFINITION, ordered, ordered.at + 9.0)
    assert came.rhythm == ordered.rhythm
    assert said == pytest.approx(should, rel=1e-9)


def test_a_state_is_the_same_after_its_bytes() -> None:
    kept = folded(fact(0.0, total="5", store="Shiraz"), fact(1.0, "call.ended", reason="price", wait_seconds=3))
    assert state.decode(state.encode(kept)) == kept
    assert in_population(DEFINITION, kept, kept.at)
    assert not in_population(DEFINITION, fold.initial(), FIRST)


@settings(deadline=None)
@given(days, st.lists(st.sampled_from(["sales.order_placed", "note.taken", "complaint.made"]), min_size=20, max_size=20), st.integers(1, 7))
def test_a_history_in_pieces_is_the_history(when: list[float], types: list[str], size: int) -> None:
    facts = [fact(day, type_) for day, type_ in zip(when, types, strict=False)]
    whole, so_far = kept.recall(DEFINITION, kept.Recalled(), facts), kept.Recalled()
    for first in range(0, len(facts), size):
        packed = msgspec.msgpack.encode(kept.recall(DEFINITION, so_far, facts[first : first + size]))
        so_far = msgspec.msgpack.decode(packed, type=kept.Recalled)
    assert kept.recalled(DEFINITION, ignorant(90), so_far) == kept.recalled(DEFINITION, ignorant(90), whole)
    heard = kept.hear(DEFINITION, ignorant(90), kept.Kept(), facts)
    assert kept.recalled(DEFINITION, ignorant(90), so_far) == heard._replace(said=tuple(heard.said[-1:]))


def test_whose_contract_is_over_is_counted_by_no_score() -> None:
    contract = Definition(kind="contractual", horizon=10, grace=3)
    started = fact(0.0, "subscription.started", subscription_id="s", ends_at="2024-01-08T00:00:00Z")
    here = msgspec.structs.replace(kept.hear(contract, ignorant(10), kept.Kept(), [started]).kept, score=0.5)
    assert kept.look(contract, ignorant(10), here, int(FIRST) + 7).kept.score == 0.5
    assert kept.look(contract, ignorant(10), here, int(FIRST) + 10).kept.score is None
    ended = fact(5.0, "subscription.cancelled", subscription_id="s")
    assert kept.hear(contract, ignorant(10), here, [ended]).kept.score is None


def test_who_leaves_takes_back_what_was_said_of_that_day_in_whatever_pieces_it_is_heard() -> None:
    definition, model = Definition(kind="contractual", horizon=30), ignorant(30)
    begun, called, left = fact(0.5, "subscription.started"), fact(3.2, "call.ended"), fact(3.4, "subscription.cancelled")
    again = fact(3.6, "subscription.started")

    def taught(*pieces: list[Fact]) -> tuple[set[int], kept.Kept]:
        days, customer = set[int](), kept.Kept()
        for piece in pieces:
            came = kept.hear(definition, model, customer, piece)
            days = {day for day in days if came.left is None or day + FIRST < came.left}
            days |= {one.day - FIRST for one in came.said if one.taught}
            customer = came.kept
        return {day for day in days if day in (0, 3)}, customer

    for rest, days in (([], {0}), ([again], {0, 3})):
        whole = taught([begun, called, left, *rest])
        assert whole == taught([begun], [called], [left], *([one] for one in rest)) == taught([begun, called], [left, *rest])
        assert whole[0] == days
    late = kept.told_again(definition, model, kept.recall(definition, kept.Recalled(), [begun]), [called, left, fact(9.0, "call.ended")])
    assert not any(one.taught for one in late.said if not one.silent)


def test_what_is_said_is_of_whose_fact_was_the_last_before_it() -> None:
    facts = [fact(1.2), fact(1.6), fact(2.5, "note.taken"), fact(60.5)]
    came = kept.hear(DEFINITION, ignorant(90), kept.Kept(), facts)
    told = [(one.day - FIRST, one.silent, one.decider) for one in kept.decided(came.said, facts, ["a", "b", "", "c"], "")]
    assert [(day, silent) for day, silent, _ in told] == [(one.day - FIRST, one.silent) for one in came.said]
    assert [decider for _, silent, decider in told if not silent] == ["b", "b", "c"]
    assert {decider for _, silent, decider in told if silent} == {"b"}
    midnight = kept.hear(DEFINITION, ignorant(90), came.kept, later := [fact(68.0)])
    assert [(one.silent, one.decider) for one in kept.decided(midnight.said, later, ["d"], "c")] == [(True, "c"), (False, "d")]


def test_of_days_before_those_that_are_asked_for_nothing_is_scored_but_the_last_word_of_all() -> None:
    model, facts = ignorant(90), [fact(1.2), fact(40.5, "call.ended"), fact(200.5), fact(201.5)]
    heard = kept.told_again(DEFINITION, model, kept.Recalled(), facts)
    looked = kept.look(DEFINITION, model, heard.kept, int(FIRST) + 400)
    for since in range(int(FIRST), int(FIRST) + 500, 9):
        some = kept.told_again(DEFINITION, model, kept.Recalled(), facts, since)
        assert some == heard._replace(said=[*[one for one in heard.said[:-1] if one.day >= since], heard.said[-1]])
        then = kept.look(DEFINITION, model, heard.kept, int(FIRST) + 400, since)
        assert then == looked._replace(said=[*[one for one in looked.said[:-1] if one.day >= since], looked.said[-1]])


PHONES = Definition(horizon=90, only={"category": ("phone*", "Tablet")})


@pytest.mark.parametrize(
    ("data", "counts"),
    [
        ({"category": "Phones"}, True),
        ({"category": "tablet"}, True),
        ({"category": "tablets"}, False),
        ({"category": "books", "lines": [{"sku": "a"}, {"sku": "b", "category": "phone"}]}, True),
        ({"lines": [{"category": "books"}, 7]}, False),
        ({}, False),
    ],
)
def test_of_a_line_of_products_are_the_purchases_that_say_so(data: dict[str, Any], counts: bool) -> None:
    one = fact(0.0, total="5", **data)
    assert brings_in(PHONES, one) is counts
    assert in_population(PHONES, fold.evolve(PHONES, fold.initial(), one), FIRST) is counts


def test_a_purchase_of_another_line_is_a_happening_like_any_other() -> None:
    found = fold.initial()
    for day, category in ((0.0, "phone"), (5.0, "books"), (9.0, "tablet"), (12.0, "books")):
        found = fold.evolve(PHONES, found, fact(day, total="5", category=category))
    assert found.rhythm is not None
    assert (found.rhythm.orders, found.rhythm.last, found.returns) == (2, FIRST + 9.0, (FIRST, FIRST + 9))
    assert found.marks["sales.order_placed|category=books"].long > 1.9


def test_a_contract_is_of_a_line_of_products_by_what_began_it() -> None:
    line = Definition(horizon=90, kind="contractual", only={"plan": ("fibre",)})

    def runs(*facts: Fact) -> bool:
        state = fold.initial()
        for one in facts:
            state = fold.evolve(line, state, one)
        return state.running

    fibre, mobile = [fact(0.0, "subscription.started", subscription_id=plan, plan=plan) for plan in ("fibre", "mobile")]
    assert runs(fibre, mobile)
    assert not runs(mobile)
    assert runs(fibre, mobile, fact(1.0, "subscription.cancelled", subscription_id="mobile"))
    assert not runs(fibre, mobile, fact(1.0, "subscription.cancelled", subscription_id="fibre"))
    assert runs(fibre, fact(1.0, "subscription.renewed", subscription_id="fibre"))  # which says no plan
    unnumbered = fact(0.0, "subscription.started", plan="fibre")
    assert runs(unnumbered, fact(1.0, "subscription.cancelled", plan="mobile"))
    assert not runs(unnumbered, fact(1.0, "subscription.cancelled", plan="fibre"))
