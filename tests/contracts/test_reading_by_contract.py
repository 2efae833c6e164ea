"""What a door makes of data: in the clear or sealed, its subject, its version, money and times, and retries."""

from typing import Any
from uuid import UUID

import pytest

from aggregates.reading import read
from aggregates.refusal import Refusal
from aggregates.source import Source
from tests.contracts.events import GONE, RECORDED, SOURCE, event, example, refused, taken


def test_personal_fields_and_unknown_ones_are_apart_from_those_in_the_clear() -> None:
    touchpoint = taken(example("call.ended", mood="angry"))
    assert touchpoint.personal.keys() == {"who", "note", "mood"}
    assert "talk_seconds" in touchpoint.data


def test_what_a_line_holds_beyond_its_contract_is_sealed_with_the_whole_list() -> None:
    line = {"sku": "TEA-250", "quantity": 1, "unit_price": "10.50"}
    engraved = line | {"engraving": "Reza"}
    touchpoint = taken(example("sales.order_placed", lines=[engraved, line]))
    assert touchpoint.data["lines"] == [line, line]
    assert touchpoint.personal["lines"] == [engraved, line]


def test_nothing_of_a_type_without_a_contract_is_in_the_clear() -> None:
    touchpoint = taken(event(data={"points": 12}))
    assert touchpoint.data == {}
    assert touchpoint.personal == {"points": 12}
    assert touchpoint.version == 0


# what the source's order runs by


@pytest.mark.parametrize(
    ("one", "subject"),
    [
        (example("call.ringing"), "call_id:c-1001"),
        (example("call.ended", call_id=GONE), "phone:+989121234567"),
        (example("web.identified", who={"phone": "09121234567", "device": "d-1"}), "device:d-1"),
        (example("web.page_viewed", who={"phone": "09121234567"}), "phone:+989121234567"),
        (example("sales.order_placed"), "customer_number:10042"),
        (example("sales.order_placed", who={"phone": "09121234567"}), "order_id:o-5001"),
        (example("reseller.sale_reported"), "phone:+989121234567"),
        (example("reseller.sale_reported", who=GONE), "sale_id:n-310"),
        (example("consent.given"), "phone:+989121234567"),
        (event(data={"who": {"email": "sara@example.ir"}}), "email:sara@example.ir"),
    ],
)
def test_the_subject_is_what_the_contract_says_else_the_first_identifier(one: dict[str, Any], subject: str) -> None:
    assert taken(one).subject == subject


def test_an_event_of_nobody_runs_by_itself() -> None:
    touchpoint = taken(event())
    assert UUID(touchpoint.subject) == touchpoint.event_id


# contracts and sources


@pytest.mark.parametrize(
    ("attributes", "version"),
    [
        ({}, 2),
        ({"yektaversion": 1}, 1),
        ({"yektaversion": "1"}, 1),
        ({"yektaversion": "undefined"}, 2),
        ({"dataschema": "/v1/schemas/call.ended/v1"}, 1),
        ({"dataschema": "/v1/schemas/call.ended/v1", "yektaversion": 2}, 2),
        ({"dataschema": "urn:shop:call"}, 2),
        ({"dataschema": 7}, 2),
    ],
)
def test_the_client_may_name_the_version_it_writes(attributes: dict[str, Any], version: int) -> None:
    assert taken(event("call.ended", {"call_id": "c-1"}, **attributes)).version == version


def test_each_version_is_held_to_its_own_fields() -> None:
    data = {"duration": -1}
    assert refused(event("call.ended", data, yektaversion=1)) == ("wrong_value", "/data/duration")
    assert taken(event("call.ended", data)).personal == data


@pytest.mark.parametrize(
    ("attributes", "reason", "pointer"),
    [
        ({"yektaversion": 3}, "unknown_version", "/yektaversion"),
        ({"yektaversion": 0}, "unknown_version", "/yektaversion"),
        ({"dataschema": "/v1/schemas/call.ended/v9"}, "unknown_version", "/dataschema"),
        ({"yektaversion": "newest"}, "wrong_type", "/yektaversion"),
        ({"yektaversion": True}, "wrong_type", "/yektaversion"),
        ({"yektaversion": -1}, "wrong_type", "/yektaversion"),
        ({"yektaversion": "9" * 99}, "wrong_type", "/yektaversion"),
        pytest.param({"yektaversion": 10**5000}, "wrong_type", "/yektaversion", id="5001 digits"),
    ],
)
def test_a_version_that_there_is_not_is_refused(attributes: dict[str, Any], reason: str, pointer: str) -> None:
    assert refused(event("call.ended", {}, **attributes)) == (reason, pointer)


def test_an_unknown_type_is_kept_from_an_open_source_and_refused_from_a_strict_one() -> None:
    assert taken(event("loyalty.points_earned")).type == "loyalty.points_earned"
    assert refused(event("loyalty.points_earned"), Source("shop", strict=True)) == ("unknown_type", "/type")
    assert taken(event("call.ended"), Source("shop", strict=True)).version == 2


def test_a_source_sends_what_its_write_key_allows() -> None:
    source = Source("pbx", types=("call.*", "consent.given"))
    assert taken(event("call.ended"), source)
    assert taken(event("consent.given"), source)
    for type_ in ("consent.withdrawn", "sales.order_placed", "callcentre.opened"):
        assert refused(event(type_), source) == ("type_not_allowed", "/type")


@pytest.mark.parametrize("type_", ["identity.merged", "customer.moved", "timer.due", "yekta.anything", "signal.fired", "customer"])
def test_no_channel_speaks_for_yekta_itself_unless_its_key_says_so(type_: str) -> None:
    assert refused(event(type_)) == ("type_not_allowed", "/type")
    assert taken(event(type_), Source("desk", types=(type_,))).type == type_


def test_null_is_as_good_as_absent_where_a_field_may_be() -> None:
    assert taken(example("web.product_viewed", price=None, currency=None, name=None)).data["name"] is None


@pytest.mark.parametrize(("price", "currency"), [("10", GONE), ("10", None), ("10", "")])
def test_an_amount_without_its_currency_says_nothing(price: Any, currency: Any) -> None:
    assert refused(example("web.product_viewed", price=price, currency=currency)) == ("missing_field", "/data/currency")


@pytest.mark.parametrize("total", ["0", "12", "12.50", "999999999999999999.99999999"])
def test_money_is_a_decimal_in_quotes(total: str) -> None:
    assert taken(example("sales.order_placed", total=total)).data["total"] == total


@pytest.mark.parametrize(
    "total",
    ["", "12.", ".5", "1e3", "+1", "-1", "1,000", "1 000", "12.50\n", "۱۲", "١٢", "NaN", "12.5 IRR", "1" * 19, 12, 12.5, None, True],
)
def test_anything_else_is_no_money(total: Any) -> None:
    assert refused(example("sales.order_placed", total=total)) == ("wrong_money", "/data/total")


@pytest.mark.parametrize("total", ["1234567890123456789", "-1234567890123456789.5", "0.123456789", "59.970000000000006"])
def test_an_amount_of_too_many_digits_is_told_how_many_it_may_have(total: str) -> None:
    lines = [{"sku": "A", "quantity": 1, "unit_price": total}]
    for one, pointer in ((example("sales.order_placed", total=total), "/data/total"), (order(lines), "/data/lines/0/unit_price")):
        found = read(one, SOURCE, RECORDED)
        assert isinstance(found, Refusal)
        assert (found.reason, found.pointer) == ("wrong_money", pointer)
        assert found.mend == "Write at most 18 digits before the point and 8 after it."


def order(lines: list[dict[str, Any]]) -> dict[str, Any]:
    """An order of these lines."""
    return example("sales.order_placed", lines=lines)


def test_a_part_of_an_amount_may_be_below_zero() -> None:
    lines = [{"sku": "VOUCHER", "quantity": 1, "unit_price": "-5.00"}]
    assert taken(example("sales.order_placed", lines=lines, discount="-0.01")).data["lines"] == lines


def test_a_date_alone_is_the_start_of_that_day_where_the_source_is() -> None:
    one = example("sales.quote_sent", valid_until="2026-12-31")
    assert taken(one).data["valid_until"] == "2026-12-31T00:00:00+03:30"
    assert taken(one, Source("shop", zone="Europe/Berlin")).data["valid_until"] == "2026-12-31T00:00:00+01:00"
    assert one["data"]["valid_until"] == "2026-12-31"


@pytest.mark.parametrize("zone", ["Foo/Bar", "Asia", "", "a\0", "x" * 300])
def test_a_date_alone_of_a_source_whose_zone_nobody_knows_is_refused(zone: str) -> None:
    lost = Source("shop", zone=zone)
    assert refused(example("sales.quote_sent", valid_until="2026-12-31"), lost) == ("wrong_time", "/data/valid_until")
    assert refused(event(time="2026-12-31"), lost) == ("wrong_time", "/time")
    assert taken(example("sales.quote_sent", valid_until="2026-12-31T12:00:00Z"), lost)


def test_a_time_with_an_offset_is_kept_as_it_was_written() -> None:
    assert taken(example("sales.quote_sent", valid_until="2026-12-31T12:00:00Z")).data["valid_until"] == "2026-12-31T12:00:00Z"


# retries


def test_a_retry_that_was_written_anew_has_the_same_body() -> None:
    first = example("sales.order_placed")
    again = {name: first[name] for name in reversed(first)} | {"data": dict(reversed(first["data"].items()))}
    assert taken(first).body == taken(again | {"datacontenttype": "application/json", "tenant": "undefined"}).body


@pytest.mark.parametrize(
    "change", [{"time": "2026-11-22T06:30:00Z"}, {"type": "loyalty.points_spent"}, {"data": {"points": 13}}, {"time": GONE}]
)
def test_another_event_under_the_same_id_has_another_body(change: dict[str, Any]) -> None:
    one = event(data={"points": 12})
    other = {name: value for name, value in (one | change).items() if value is not GONE}
    assert taken(one).body != taken(other).body
    assert taken(one).event_id == taken(other).event_id


def test_reading_changes_nothing_of_what_it_reads_and_depends_on_nothing_else() -> None:
    one = example("sales.quote_sent", mood="good", lines=[{"sku": "a", "quantity": 1, "more": 1}])
    before = repr(one)
    assert taken(one) == taken(one)
    assert repr(one) == before
    assert taken(one).clock == ""
    assert taken(one, Source("demo", clock="event")).clock == "event"
    assert SOURCE.clock == ""
