"""A customer's value: models that find what the literature found in the same data, and parts that add up."""

import csv
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from math import exp
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aggregates.value import Costs, Published, decision, refusal
from infra.demo import fetching
from projections.value import buying, contracts, fold, spending, staying
from projections.value.buying import Buying, History
from projections.value.spending import Spending
from projections.value.state import Ages, State, decode, encode
from projections.value.staying import Running, Staying
from projections.value.worth import Models, worth
from streams import fitting
from streams.valuing import fitted
from tests.churn.told import FIRST, fact

PUBLISHED = Buying(0.243, 4.414, 0.793, 2.426)
"""Fader, Hardie and Lee (2005), on the tenth of CDNOW's customers, 39 weeks."""

MODELS = Models(1, PUBLISHED, {"USD": Spending(6.25, 3.74, 15.44)}, 2357, 1000)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    """The sample's sufficient statistics, out of the wheel that the demo fetches."""
    folder = tmp_path_factory.mktemp("wheel")
    name = "uv" if "uv" in sys.modules or _has("uv") else "pip"
    subprocess.run(fetching._command(name, str(folder)), check=True, capture_output=True)
    with (folder / "lifetimes" / "datasets" / "cdnow_customers_summary_with_transactions.csv").open() as file:
        return list(csv.DictReader(file))


def _has(name: str) -> bool:
    import importlib.util

    return importlib.util.find_spec(name) is not None


def history(row: dict[str, str]) -> History:
    return History(int(row["x"]), float(row["t_x"]), float(row["T"]))


def test_the_published_parameters_are_found_in_the_published_data(sample: list[dict[str, str]]) -> None:
    found = fitting.buying([history(row) for row in sample])
    assert (found.r, found.alpha, found.a, found.b) == pytest.approx((0.243, 4.414, 0.793, 2.426), abs=0.001)
    money = fitting.spending([(int(row["x"]), float(row["zbar"])) for row in sample if float(row["zbar"]) > 0.0])
    assert (money.p, money.q, money.v) == pytest.approx((6.25, 3.74, 15.44), abs=0.02)


def test_what_is_expected_is_what_was_published() -> None:
    assert buying.expected(PUBLISHED, History(2, 30.43, 38.86), 39.0) == pytest.approx(1.226, abs=0.001)
    assert spending.expected(MODELS.spending["USD"], 1, 10.0) == pytest.approx(17.68, abs=0.05)


@settings(deadline=None)
@given(st.integers(0, 50), st.floats(0.0, 60.0), st.floats(0.0, 60.0), st.floats(0.1, 100.0))
@example(41, 0.0, 0.0, 91.0)  # where the series as printed needs more terms than anybody sums up
def test_more_time_brings_more_and_never_more_than_the_rate_allows(x: int, t_x: float, more: float, weeks: float) -> None:
    one = History(x, t_x if x else 0.0, t_x + more)
    soon, late = buying.expected(PUBLISHED, one, weeks), buying.expected(PUBLISHED, one, 2.0 * weeks)
    assert 0.0 <= soon <= late + 1e-9
    assert soon <= (PUBLISHED.r + x) / (PUBLISHED.alpha + one.T) * weeks * 1.0001 + 1e-9
    assert 0.0 <= buying.alive(PUBLISHED, one) <= 1.0


@pytest.mark.parametrize("much", [1e2, 1e3, 1e5])
def test_where_customers_are_all_alike_as_much_is_expected_as_of_a_customer_like_them(much: float) -> None:
    one, weeks, r, alpha, p = History(3, 20.0, 35.0), 52.0, 1.06, 3.6, 0.1
    equally_loyal = Buying(r, alpha, p * much, (1.0 - p) * much)
    stays = buying.alive(equally_loyal, one)
    wanted = stays * (1.0 - (1.0 + p * weeks / (alpha + one.T)) ** -(r + one.x)) / p
    assert buying.expected(equally_loyal, one, weeks) == pytest.approx(wanted, rel=2.0 / much)
    equally_busy = Buying(0.1 * much, much, 1.0, 1.0)
    wanted = buying.alive(equally_busy, one) * _averaged(lambda p: (1.0 - exp(-0.1 * p * weeks)) / p, one.x)
    assert buying.expected(equally_busy, one, weeks) == pytest.approx(wanted, rel=60.0 / much)


def _averaged(bought: Callable[[float], float], x: int) -> float:
    """Over p ~ Beta(1, 1 + x)."""
    return sum(bought(p) * (1.0 + x) * (1.0 - p) ** x for p in ((n + 0.5) / 10_000 for n in range(10_000))) / 10_000


FITTED = st.floats(-fitting.LIMIT, fitting.LIMIT).map(exp)


@settings(deadline=None)
@given(
    st.builds(Buying, FITTED, FITTED, FITTED, FITTED), st.integers(0, 50), st.floats(0.0, 60.0), st.floats(0.0, 60.0), st.floats(0.1, 600.0)
)
@example(Buying(1.0648, 3.6252, 17386.1, 162488.3), 3, 20.9, 12.7, 52.0)  # all leave with the same chance: a sum that nobody can carry out
@example(Buying(16000.0, 160000.0, 0.8, 2.4), 0, 0.0, 10.0, 520.0)  # all buy at the same rate: one whose terms cancel
def test_whatever_was_fitted_something_is_expected_and_never_more_than_the_rate_allows(
    model: Buying, x: int, t_x: float, more: float, weeks: float
) -> None:
    one = History(x, t_x if x else 0.0, t_x + more)
    most = buying.alive(model, one) * (model.r + x) / (model.alpha + one.T) * weeks
    soon, late = buying.expected(model, one, weeks), buying.expected(model, one, 2.0 * weeks)
    assert 0.0 <= soon <= late * 1.00001 + 1e-6
    assert soon <= most * 1.00001 + 1e-6
    assert soon * (1.0 + weeks * (model.r + x + 1.0) / (model.alpha + one.T)) >= most * 0.99999 - 1e-6


def order(day: float, total: str, **data: Any) -> Any:
    return fact(day, total=total, currency="USD", **data)


def folded(*facts: Any) -> State:
    state = fold.INITIAL
    for one in facts:
        state = fold.evolve(state, one)
    return state


def test_days_with_an_order_are_counted_as_the_literature_does() -> None:
    state = folded(order(0.2, "10"), order(0.9, "5"), order(7.5, "20"), order(7.6, "2"), order(21.0, "8"))
    assert (state.repeats, state.purses["USD"].days, state.purses["USD"].orders) == (2, 2, 5)
    assert (state.purses["USD"].revenue, state.purses["USD"].repeats) == ("45", "30")
    assert decode(encode(state)) == state
    assert fold.needs_history(state, order(3.0, "1"))


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.tuples(st.floats(5.0, 7.9), st.sampled_from(("sales.order_placed", "call.ended")), st.sampled_from("ab")), max_size=9),
)
def test_an_order_that_is_late_within_its_day_is_counted_as_in_its_place(happened: list[tuple[float, str, str]]) -> None:
    facts = [fact(at, type_, total=str(nth + 1), currency=f"US{letter.upper()}") for nth, (at, type_, letter) in enumerate(happened)]
    came = fold.INITIAL
    for place, one in enumerate(facts):
        earlier = sorted(facts[: place + 1], key=lambda fact: fact.at)
        came = folded(*earlier) if fold.needs_history(came, one) else fold.evolve(came, one)
    assert encode(came) == encode(folded(*sorted(facts, key=lambda fact: fact.at)))
    assert not fold.needs_history(folded(order(3.0, "1"), fact(3.9, "call.ended")), order(3.5, "1"))


def test_the_parts_of_a_value_add_up() -> None:
    costs = Costs(
        version=3,
        currency="USD",
        margin=0.5,
        acquisition={"sales": "7", "*": "9"},
        selling={"sales.visit_held": "2"},
        servicing={"call.ended": "1.5"},
    )
    state = folded(order(0.0, "100"), fact(3.0, "call.ended"), fact(4.0, "call.ended"), fact(5.0, "sales.visit_held"), order(30.0, "60"))
    found = worth(state, FIRST + 60.0, costs, MODELS, {"USD": "20"})
    assert found is not None
    assert (found.revenue, found.margin) == (Decimal("140.00"), Decimal("70.00"))
    assert (found.acquisition, found.selling, found.servicing) == (Decimal("7.00"), Decimal("2.00"), Decimal("3.00"))
    assert found.past == Decimal("58.00")
    assert found.future is not None
    assert found.value == found.past + found.future
    assert found.future > 0
    assert found.status == "valued"


def test_before_anything_can_be_expected_only_the_past_is_told() -> None:
    found = worth(folded(order(0.0, "100")), FIRST + 1.0, Costs(), None, {})
    assert found is not None
    assert (found.status, found.future, found.value) == ("learning", None, Decimal("100.00"))
    assert worth(fold.INITIAL, FIRST, Costs(), None, {}) is None


@pytest.mark.parametrize("model", [PUBLISHED, Buying(2.0, 5.0, 30.0, 400.0), Buying(0.5, 3.0, 1.0, 3.0)])
@pytest.mark.parametrize(("discount", "days"), [(0.0, 365), (0.1, 365), (0.5, 1_095)])
def test_orders_ahead_are_discounted_each_from_its_time(model: Buying, discount: float, days: int) -> None:
    models, pieces = Models(1, model, MODELS.spending, 2357, 1000), 400
    state = folded(order(0.0, "1000"), order(30.0, "1000"), order(90.0, "1000"))
    found = worth(state, FIRST + 120.0, Costs(days=days, discount=discount), models, {})
    assert found is not None
    assert found.orders_ahead is not None
    one = History(2, 90.0 / 7.0, 120.0 / 7.0)
    bought = [buying.expected(model, one, days / 7.0 * piece / pieces) for piece in range(pieces + 1)]
    years = [days / 365.25 * (piece + 0.5) / pieces for piece in range(pieces)]
    wanted = sum((bought[piece + 1] - bought[piece]) * (1.0 + discount) ** -years[piece] for piece in range(pieces))
    each = spending.expected(MODELS.spending["USD"], 2, 1_000.0)
    assert float(found.orders_ahead) == pytest.approx(wanted * each, rel=3e-4)


def test_what_the_goods_cost_is_taken_from_the_lines_where_they_tell() -> None:
    lines = [{"sku": "a", "quantity": 2, "cost": "15"}]
    found = worth(folded(order(0.0, "100", lines=lines)), FIRST + 1.0, Costs(margin=0.9), None, {})
    assert found is not None
    assert found.margin == Decimal("70.00")


def test_nothing_is_fitted_on_a_few() -> None:
    assert fitted([folded(order(0.0, "1"), order(9.0, "2"))] * 49, FIRST + 30.0) is None
    assert fitted([folded(order(0.0, str(1 + n)), order(1.0 + n, "2")) for n in range(60)], FIRST + 90.0) is not None


def test_costs_are_published_as_a_decision_of_their_version() -> None:
    published = Published(datetime(2026, 1, 1, tzinfo=UTC), "somebody", Costs(version=3, margin=0.4))
    kept = decision(published)
    assert (kept.version, kept.tag) == (3, "value.costs_published")
    assert msgspec.json.decode(kept.state, type=Published) == published


@pytest.mark.parametrize(
    ("published", "pointer"),
    [
        (Costs(currency="IRT", margin=0.4), "/currency"),
        (Costs(servicing={"call.ended": "5"}), "/currency"),
        (Costs(currency="IRR", servicing={"call.endd": "5"}), "/servicing/call.endd"),
        (Costs(currency="IRR", selling={"sales.visit_held": "5", "*": "5"}), "/selling/*"),
        (Costs(currency="IRR", acquisition={"*": "5"}, selling={"contact.sent": "1"}, servicing={"call.ended": "2"}), None),
        (Costs(margin=0.4), None),
    ],
)
def test_costs_that_would_count_nowhere_are_not_published(published: Costs, pointer: str | None) -> None:
    refused = refusal(published)
    assert (None if refused is None else refused.pointer) == pointer


def test_a_cost_that_is_called_otherwise_is_no_cost() -> None:
    with pytest.raises(msgspec.ValidationError, match="marginn"):
        msgspec.json.decode(b'{"marginn": 0.4}', type=Costs)


SURVIVING = (100.0, 63.1, 46.8, 38.2, 32.6, 28.9, 26.2, 24.1, 22.3, 20.7, 19.4, 18.3, 17.3)
"""Per cent of customers after each year, as Fader and Hardie (2007) published of their regular segment; seven years are fitted."""


def test_who_goes_on_with_a_contract_is_found_in_the_published_data_years_ahead() -> None:
    ended = [
        Ages((year - 1) * 365.0, year * 365.0, 365.0)
        for year in range(1, 8)
        for _ in range(round(10 * (SURVIVING[year - 1] - SURVIVING[year])))
    ]
    model = fitting.staying([*ended, *[Ages(7 * 365.0, 7 * 365.0, 365.0)] * round(10 * SURVIVING[7])])
    assert (model.s, model.beta / 365.0) == pytest.approx(
        (0.704, 1.182), abs=0.12
    )  # alpha and beta of the shifted beta-geometric, as published
    assert [100.0 * staying.stays(model, 0.0, 365.0 * year) for year in range(1, 13)] == pytest.approx(SURVIVING[1:], abs=0.7)


@pytest.mark.parametrize("period", [30.0, 365.0])
def test_what_a_contract_brings_is_the_sum_of_its_renewals(period: float) -> None:
    model = Staying(0.7, 400.0)
    found = staying.ahead(model, Running(2 * period, period, 10.0, 7.0), 730.0, 0.0)
    renewals = [stays for n in range(100) if 10.0 + n * period <= 730.0 for stays in [staying.stays(model, period, (n + 2) * period)]]
    assert found.payments == pytest.approx(sum(renewals))
    assert found.renewed == pytest.approx(staying.stays(model, period, 2 * period))
    assert 0.0 < found.running <= 1.0
    assert staying.ahead(model, Running(2 * period, period, 10.0, 7.0), 730.0, 0.1).payments < found.payments
    assert staying.ahead(model, Running(2 * period, period, 10.0, 7.0, renewable=False), 730.0, 0.0).payments == 0.0


def test_a_renewal_that_does_not_come_is_expected_less_each_day_of_grace() -> None:
    late = [staying.ahead(Staying(0.7, 400.0), Running(60.0, 30.0, -days, 7.0), 365.0, 0.1).renewed for days in (0.0, 2.0, 5.0, 7.0)]
    assert late == sorted(late, reverse=True)
    assert late[-1] == 0.0


def contract(day: float, verb: str = "renewed", number: str = "s-1", **data: Any) -> Any:
    return fact(day, f"subscription.{verb}", subscription_id=number, **data)


MONTHLY = {"amount": "30", "currency": "USD", "period": "month"}
STAYING = Models(2, None, {}, 0, 0, {"": Staying(0.7, 400.0)}, 900)


def test_who_has_nothing_but_a_contract_is_worth_what_he_paid_and_what_he_is_expected_to_pay() -> None:
    state = folded(contract(0.0, "started", **MONTHLY), contract(30.0, **MONTHLY), contract(60.0, **MONTHLY), fact(61.0, "call.ended"))
    costs = Costs(version=1, currency="USD", margin=0.5, acquisition={"subscription": "20"}, servicing={"call.ended": "3"})
    found = worth(state, FIRST + 70.0, costs, STAYING, {})
    assert found is not None
    assert (found.revenue, found.contracts, found.margin, found.past) == (Decimal(90), Decimal(90), Decimal(45), Decimal(22))
    assert (found.orders_ahead, found.expected_orders, found.alive) == (None, None, 1.0)
    assert found.contracts_ahead is not None
    assert found.upkeep is not None
    assert Decimal(60) < found.contracts_ahead < Decimal(180)  # twelve months of 15 each, not all of which are paid
    assert found.upkeep > 0
    assert found.value == found.past + found.contracts_ahead - found.upkeep
    quit_ = worth(fold.evolve(state, contract(65.0, "cancelled")), FIRST + 70.0, costs, STAYING, {})
    assert quit_ is not None
    assert (quit_.contracts_ahead, quit_.alive, quit_.past) == (Decimal(0), 1.0, Decimal(22))  # what is paid runs on


def test_orders_and_contracts_of_one_customer_are_expected_side_by_side() -> None:
    state = folded(order(0.0, "100"), contract(5.0, "started", **MONTHLY), order(9.0, "50"))
    models = Models(3, MODELS.buying, MODELS.spending, 2357, 1000, {"": Staying(0.7, 400.0)}, 900)
    both, orders = (worth(state, FIRST + 20.0, Costs(), one, {}) for one in (models, MODELS))
    assert both is not None
    assert orders is not None
    assert both.orders_ahead == orders.orders_ahead == orders.future
    assert both.contracts_ahead is not None
    assert both.future == orders.future + both.contracts_ahead  # type: ignore[operator]
    assert both.revenue == Decimal(180)


@pytest.mark.parametrize(
    ("said", "days"),
    [
        ("month", 30.4375),
        ("P1M", 30.4375),
        ("Yearly", 365.25),
        ("p2w", 14.0),
        ("۳ ماه", 91.3125),
        ("30 days", 30.0),
        ("pro", 0.0),
        (None, 0.0),
    ],
)
def test_how_long_a_period_is_is_read_from_its_word(said: object, days: float) -> None:
    assert contracts.period(said) == days


def test_a_period_that_nobody_names_is_as_long_as_its_end_or_the_next_payment_says() -> None:
    paid = {"amount": "9", "currency": "USD"}
    by_end = folded(
        contract(0.0, "started", **paid, ends_at="2024-01-31T00:00:00Z"), contract(28.0, **paid, ends_at="2024-03-01T00:00:00Z")
    )
    assert (by_end.contracts["s-1"].period, by_end.contracts["s-1"].paid) == (30.0, FIRST + 60.0)  # paid early, and no day is lost
    by_payment = folded(contract(0.0, "started", **paid), contract(31.0, **paid))
    assert (by_payment.contracts["s-1"].period, by_payment.contracts["s-1"].paid) == (31.0, FIRST + 62.0)
    assert contracts.all_decided(by_payment, FIRST + 40.0) == [Ages(31.0, 31.0, 31.0)]
    assert contracts.all_decided(by_payment, FIRST + 80.0) == [Ages(31.0, 62.0, 31.0)]


ABOUT = st.tuples(st.floats(0.0, 200.0), st.sampled_from(("started", "renewed", "cancelled")), st.sampled_from("ab"), st.booleans())


@settings(deadline=None, max_examples=200)
@given(st.lists(ABOUT, max_size=8))
def test_what_is_known_of_contracts_does_not_depend_on_the_order_of_arrival(happened: list[tuple[float, str, str, bool]]) -> None:
    def told(at: float, verb: str, number: str, named: bool) -> Any:
        return contract(at, verb, number, amount="5", currency="USD", **({"period": "month"} if named else {}))

    facts = [told(*one) for one in {one[0]: one for one in happened}.values()]
    came = fold.INITIAL
    for place, one in enumerate(facts):
        earlier = sorted(facts[: place + 1], key=lambda fact: fact.at)
        came = folded(*earlier) if fold.needs_history(came, one) else fold.evolve(came, one)
    assert encode(came) == encode(folded(*sorted(facts, key=lambda fact: fact.at)))
    for days in (0.0, 30.0, 400.0):
        found = worth(came, max(came.at, FIRST) + days, Costs(), STAYING, {})
        assert found is None or found.future is None or (found.value == found.past + found.future and found.future >= 0)


def test_a_customer_of_many_contracts_keeps_those_that_run() -> None:
    many = [contract(n / 10.0, "started", f"s-{n}", **MONTHLY) for n in range(contracts.CONTRACTS)]
    state = folded(*many, contract(20.0, "cancelled", "s-40"), contract(21.0, "started", "new", **MONTHLY))
    assert "s-40" not in state.contracts
    assert len(state.contracts) == contracts.CONTRACTS
    assert decode(encode(state)) == state


def test_models_are_fitted_where_there_are_nothing_but_contracts() -> None:
    states = [folded(*(contract(30.0 * nth, **MONTHLY) for nth in range(1 + n % 7))) for n in range(70)]
    found = fitted(states, FIRST + 200.0)
    assert found is not None
    assert found.buying is None
    assert found.staying.keys() == {"", "month"}
    assert found.decided == 70
    assert msgspec.convert(msgspec.to_builtins(found), Models) == found
    assert msgspec.convert(msgspec.to_builtins(MODELS)[:5], Models) == MODELS  # as they were written down before there was one of contracts


def test_who_decides_once_a_year_is_not_taken_for_one_who_decides_each_month() -> None:
    months = [folded(*(contract(30.0 * nth, **MONTHLY) for nth in range(1 + n % 4))) for n in range(80)]
    years = [folded(*(contract(365.0 * nth, **MONTHLY | {"period": "year"}) for nth in range(1 + (n > 7)))) for n in range(80)]
    found = fitted([*months, *years], FIRST + 500.0)
    assert found is not None
    assert found.staying.keys() == {"", "month", "year"}
    renewed = [staying.stays(found.staying[kind], 0.0, days) for kind, days in (("month", 30.0), ("year", 365.0))]
    assert renewed[0] < 0.75
    assert renewed[1] > 0.85


def test_a_state_from_before_contracts_were_valued_learns_of_them() -> None:
    before = State(at=FIRST + 3.0, contacts={"call.ended": 2})
    assert decode(msgspec.msgpack.encode(msgspec.to_builtins(before)[:7])) == before
    facts = [contract(0.0, "started", **MONTHLY), contract(30.0, **MONTHLY)]
    assert fold.needs_history(before, contract(60.0, **MONTHLY))
    assert not fold.needs_history(before, order(60.0, "1"))
    after = fold.completed(before, facts)
    assert after == folded(*[fact(1.0, "call.ended"), fact(3.0, "call.ended")], *facts)
    assert not fold.needs_history(after, contract(60.0, **MONTHLY))
