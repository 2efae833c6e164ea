"""Expressions: what they mean, that money is exact, and that where CEL has an answer, ours is CEL's."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import celpy
import pytest
from celpy import celtypes
from celpy.adapter import json_to_cel
from celpy.evaluation import CELEvalError
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregates.fact import Fact
from aggregates.rules.cel.expression import NotUnderstood, expression
from aggregates.rules.pattern import Equals, Expression, Pattern, scope

ENVIRONMENT = celpy.Environment()  # made here, because it changes how deeply Python may recurse
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def fact(type_: str = "shop.seen", **data: Any) -> Fact:
    return Fact(UUID(int=1), AT, AT, AT, "", type_, "shop", "/test", "test", data, (), id="e-1")


def true(text: str, type_: str = "shop.seen", **data: Any) -> bool:
    return expression(text)(scope(fact(type_, **data)))


ORDER = {
    "order_id": "0123",
    "lines": [{"sku": "a", "quantity": 2, "unit_price": "1.10"}, {"sku": "b", "quantity": 1.5, "unit_price": "3"}],
    "total": "500.00",
    "shipping": "0.1",
    "discount": "0.2",
    "currency": "IRR",
}


@pytest.mark.parametrize(
    "text",
    [
        "data.total == 500 && data.total == 500.00 && 500 == data.total && data.total == '500.0'",
        "data.shipping + data.discount == 0.3",
        "data.total > 499.99 && data.total >= 500 && 499 < data.total && !(data.total > 500)",
        "data.total * 3 == 1500 && 3 * data.total == 1500 && data.total / 8 == 62.5 && -data.total < 0",
        "data.total - data.shipping == 499.9",
        "data.lines.size() == 2 && size(data.lines) > 1",
        "data.lines.exists(line, line.sku == 'a') && data.lines.all(line, line.quantity > 1)",
        "data.lines.exists_one(line, line.unit_price > 2) && data.lines.filter(line, line.quantity < 2)[0].sku == 'b'",
        "data.lines.map(line, line.quantity * line.unit_price) == [2.2, 4.5]",
        "data.order_id == '0123' && data.order_id != '123' && data.order_id.startsWith('01')",
        "has(data.total) && !has(data.campaign)",
        "data.missing == 1 || data.currency == 'IRR'",
        "data.currency == 'IRR' || data.missing == 1",
        "!(data.currency == 'USD' && data.missing == 1)",
        "data.currency in ['IRR', 'USD'] && 'total' in data",
        "data.currency.matches('^I[A-Z]R$') && data.currency.contains('R') && data.currency.lowerAscii() == 'irr'",
        "data.total > 100 ? true : false",
        "int(data.total) == 500 && double(data.total) == 500.0 && string(data.total) == '500.00'",
        "type == 'sales.order_placed' && source == '/test' && id == 'e-1' && time > timestamp('2026-03-01T00:00:00Z')",
        "time.getHours('Asia/Tehran') == 15 && time - duration('12h') == timestamp('2026-03-01T00:00:00Z')",
        "time.getHours('+03:30') == 15 && time.getMinutes('-00:15') == 45 && time.getHours('02:00') == 14",
        "time.getMilliseconds() == 0 && duration('-1.5s').getMilliseconds() == -500",
        "7 / 2 == 3 && -7 / 2 == -3 && -7 % 3 == -1 && 7.0 / 2 == 3.5",
        "'a' + \"b\" == 'ab' && '\\u0633' == 'س' && r'\\d' == '\\\\d' && [1] + [2] == [1, 2] && {'a': 1}.a == 1",
    ],
)
def test_an_expression_is_true_of_an_order(text: str) -> None:
    assert true(text, "sales.order_placed", **ORDER)


@pytest.mark.parametrize(
    "text",
    [
        "data.missing == 1",
        "data.order_id > 5",
        "data.total",
        "1",
        "data.lines > 2",
        "data.total / 0 == 1",
        "data.lines[9].sku == 'a'",
        "!data.total",
    ],
)
def test_what_has_no_value_is_not_true(text: str) -> None:
    assert not true(text, "sales.order_placed", **ORDER)


@pytest.mark.parametrize(
    "text",
    [
        "timestamp(data.never).getFullYear('Asia/Tehran') == 1",
        "timestamp(data.never).getHours('+14:00') == 1",
        "timestamp(data.early) > time",
        "{data.lines: 1}.size() == 1",
        "{data: 1}.size() == 1",
        "-duration('23999999999h') < duration('0s')",
        "time.getHours(data.early) == 1",
        "int(1e99999) == 1",
    ],
)
def test_no_value_of_an_event_stops_the_worker(text: str) -> None:
    said: dict[str, Any] = {"never": "9999-12-31T23:59:59Z", "early": -99_999_999_999, "lines": [1]}
    assert not true(text, **said)
    assert true(f"{text} || true", **said)


def test_money_keeps_more_digits_than_a_double_has() -> None:
    assert true("data.total > 9007199254740992", "sales.order_placed", total="9007199254740993", currency="IRR")
    assert not true("data.total == 9007199254740992.0", "sales.order_placed", total="9007199254740993", currency="IRR")


def test_of_a_type_without_a_contract_money_is_what_stands_with_a_currency() -> None:
    assert true("data.price + data.tax == 0.3", "loyalty.redeemed", price="0.1", tax="0.2", currency="IRR")
    assert true("data.a + data.b == '12'", "loyalty.redeemed", a="1", b="2")


def test_fields_are_equal_when_their_values_are() -> None:
    def equals(fields: dict[str, Any], type_: str = "shop.seen", **data: Any) -> bool:
        return Pattern(type_, Equals(tuple(fields.items()))).matches(fact(type_, **data))

    assert equals({"page": "price"}, page="price")
    assert equals({"page": "price", "n": 1}, page="price", n=1.0)
    assert not equals({"page": "price"}, page="prices")
    assert not equals({"page": "price"})
    assert not equals({"n": 1}, n=True)
    assert not equals({"n": 1}, n="1")
    assert equals({"total": 500}, "sales.order_placed", **ORDER)
    assert equals({"traits.city": "Shiraz"}, traits={"city": "Shiraz"})


def test_a_pattern_of_a_marketer_cannot_stop_the_worker() -> None:
    assert not true("data.words.matches('^(a+)+$')", words="a" * 5_000 + "b")


@pytest.mark.parametrize(
    "text",
    ["data.x >", "data..x", "total > 1", "data.f()", "b'a' == b'a'", "has(1)", "size()", "(" * 3_000, "a" * 5_000, "1e9999999 > data.x"],
)
def test_what_is_no_expression_is_said_when_it_is_written(text: str) -> None:
    with pytest.raises(NotUnderstood):
        expression(text)


NUMBERS = st.sampled_from(["data.i", "data.j", "1", "2", "-3", "0"])
TEXTS = st.sampled_from(["data.s", "data.t", "'a'", "'price'", "''"])


def booleans() -> st.SearchStrategy[str]:
    numbers = st.recursive(NUMBERS, lambda inner: st.builds("({} {} {})".format, inner, st.sampled_from("+-*/%"), inner), max_leaves=4)
    compared = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
    plain = st.one_of(
        st.builds("{} {} {}".format, numbers, compared, numbers),
        st.builds("{} {} {}".format, TEXTS, compared, TEXTS),
        st.builds("{}.{}({})".format, TEXTS, st.sampled_from(["contains", "startsWith", "endsWith"]), TEXTS),
        st.builds("size({}) > {}".format, TEXTS, NUMBERS),
        st.builds("data.l.{}(x, x {} {})".format, st.sampled_from(["all", "exists", "exists_one"]), compared, NUMBERS),
        st.sampled_from(
            ["has(data.s)", "has(data.missing)", "data.missing == 1", "2 in data.l", "'s' in data", "data.l[1] == 2", "data.l[7] == 2"]
        ),
    )
    return st.recursive(
        plain,
        lambda inner: st.one_of(
            st.builds("({} && {})".format, inner, inner),
            st.builds("({} || {})".format, inner, inner),
            st.builds("!({})".format, inner),
            st.builds("({} ? {} : {})".format, inner, inner, inner),
        ),
        max_leaves=5,
    )


@given(booleans(), st.integers(-5, 5), st.integers(-5, 5), st.sampled_from(["", "a", "price"]), st.lists(st.integers(-3, 3), max_size=3))
@settings(max_examples=300, deadline=None)
def test_where_cel_has_an_answer_ours_is_cels(text: str, i: int, j: int, s: str, items: list[int]) -> None:
    data: dict[str, Any] = {"i": i, "j": j, "s": s, "t": "pr", "l": items}
    program = ENVIRONMENT.program(ENVIRONMENT.compile(text))
    try:
        theirs = program.evaluate({"data": json_to_cel(data)}) == celtypes.BoolType(True)
    except CELEvalError:
        theirs = False
    assert Pattern("shop.seen", Expression(text)).matches(fact(**data)) == theirs
