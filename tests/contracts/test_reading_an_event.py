"""What a door understands of an event, attribute by attribute and field by field."""

from base64 import b64encode
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from aggregates.identifier import Identifier
from aggregates.source import Source
from aggregates.touchpoint import event_id
from tests.contracts.events import GONE, RECORDED, SOURCE, event, example, refused, taken

# the envelope


@pytest.mark.parametrize("version", [GONE, "0.3", 1.0, None, "undefined", "1.0.2"])
def test_only_cloudevents_1_0_are_read(version: Any) -> None:
    assert refused(event(specversion=version)) == ("not_cloudevents", "/specversion")


@pytest.mark.parametrize("whole", [None, [], "event", 7, [event()]])
def test_an_event_is_an_object(whole: Any) -> None:
    assert refused(whole) == ("not_cloudevents", "")


@pytest.mark.parametrize("name", ["id", "source", "type"])
@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (GONE, "missing_field"),
        (None, "missing_field"),
        ("undefined", "missing_field"),
        ("", "wrong_value"),
        (" ", "wrong_value"),
        ("x" * 1025, "wrong_value"),
        (7, "wrong_type"),
        (["a"], "wrong_type"),
        ("a\0b", "unusable_text"),
        ("a\ud800b", "unusable_text"),
        ("a\x1fb", "unusable_text"),
        ("a\nb", "unusable_text"),
        ("a\x9fb", "unusable_text"),
    ],
)
def test_an_event_has_an_id_a_source_and_a_type(name: str, value: Any, reason: str) -> None:
    whole = event() | {name: value}
    if value is GONE:
        del whole[name]
    assert refused(whole) == (reason, f"/{name}")


@pytest.mark.parametrize("id_", ["۱۲۳", "علی‌رضا", "a b", "a\u00a0b", "😀", "x" * 512])
def test_an_id_may_be_any_text_that_people_write(id_: str) -> None:
    assert taken(event(id=id_)).id == id_


def test_the_id_of_an_event_belongs_to_the_source_of_the_write_key() -> None:
    assert taken(event()).event_id == event_id("shop", "/shop", "e-1")
    assert taken(event(), Source("other")).event_id != taken(event()).event_id
    assert taken(event()).key == "shop"


def test_other_attributes_are_kept_as_they_came_but_for_those_that_say_nothing() -> None:
    kept = taken(event(subject="s", partitionkey="7", traceparent="undefined", priority=3, tenant=None)).attributes
    assert kept == {"subject": "s", "partitionkey": "7", "priority": 3}


def test_an_attribute_that_no_store_can_hold_refuses_the_event() -> None:
    assert refused(event(tenant="a\0b")) == ("unusable_text", "/tenant")
    assert refused(event(priority=float("inf"))) == ("unusable_number", "/priority")


@pytest.mark.parametrize("value", [True, "true", "TRUE"])
def test_simulated_facts_and_history_say_so(value: Any) -> None:
    assert taken(event(yektasimulated=value)).simulated
    assert taken(event(yektabackfill=value)).backfill


@pytest.mark.parametrize("value", [False, "false", None, "undefined", GONE])
def test_facts_that_do_not_say_so_are_neither(value: Any) -> None:
    touchpoint = taken(event(yektasimulated=value, yektabackfill=value))
    assert not touchpoint.simulated
    assert not touchpoint.backfill


@pytest.mark.parametrize("value", ["yes", 1, "", []])
def test_a_boolean_attribute_is_true_or_false(value: Any) -> None:
    assert refused(event(yektasimulated=value)) == ("wrong_type", "/yektasimulated")
    assert refused(event(yektabackfill=value)) == ("wrong_type", "/yektabackfill")


def test_a_simulated_source_simulates_whatever_its_events_say() -> None:
    assert taken(event(yektasimulated=False), Source("demo", simulated=True)).simulated


# its time


@pytest.mark.parametrize(
    ("time", "moment"),
    [
        ("2026-11-22T10:00:00+03:30", datetime(2026, 11, 22, 6, 30, tzinfo=UTC)),
        ("2026-11-22T10:00:00Z", datetime(2026, 11, 22, 10, tzinfo=UTC)),
        ("2026-11-22t10:00:00.123456z", datetime(2026, 11, 22, 10, 0, 0, 123456, tzinfo=UTC)),
        ("2026-06-30T23:59:60Z", datetime(2026, 6, 30, 23, 59, 59, tzinfo=UTC)),
        ("2026-11-22", datetime(2026, 11, 21, 20, 30, tzinfo=UTC)),
        ("2021-03-22", datetime(2021, 3, 21, 20, 30, tzinfo=UTC)),  # a day that in Tehran began at one o'clock
        ("1969-07-20T20:17:40Z", datetime(1969, 7, 20, 20, 17, 40, tzinfo=UTC)),
        ("9999-12-31T23:59:59Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (GONE, RECORDED),
        (None, RECORDED),
        ("undefined", RECORDED),
    ],
)
def test_a_time_is_kept_as_the_source_says_it(time: Any, moment: datetime) -> None:
    touchpoint = taken(event(time=time))
    assert touchpoint.occurred == moment
    assert touchpoint.occurred.tzinfo is UTC
    assert touchpoint.recorded == RECORDED


@pytest.mark.parametrize(
    "time",
    [
        "2026-11-22T10:00:00",
        "yesterday",
        "",
        1798675200,
        "1798675200",
        "2026-13-01T00:00:00Z",
        "2026-02-30",
        "22/11/2026",
        "۲۰۲۶-۱۱-۲۲T۱۰:۰۰:۰۰Z",
        "2026-W47-7",
        "0001-01-01T00:00:00+03:30",
        "9999-12-31T23:59:59-03:30",
        "2026-11-22T10:00:60:60Z",
        "\ud800",
        {"seconds": 1},
    ],
)
def test_a_time_that_names_no_moment_is_refused(time: Any) -> None:
    assert refused(event(time=time)) == ("wrong_time", "/time")


# its data


@pytest.mark.parametrize(
    "kind", [GONE, None, "", "undefined", "application/json", "Application/JSON; charset=utf-8", "application/vnd.shop+json", "text/json"]
)
def test_data_is_json_under_any_of_its_names(kind: Any) -> None:
    assert taken(event(data={"points": 1}, datacontenttype=kind)).personal == {"points": 1}


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "application/cloudevents", 7])
def test_data_of_another_kind_is_refused(kind: Any) -> None:
    assert refused(event(datacontenttype=kind)) == ("wrong_value", "/datacontenttype")


@pytest.mark.parametrize("data", ["text", 7, [], True])
def test_data_is_an_object(data: Any) -> None:
    assert refused(event(data=data)) == ("wrong_type", "/data")


@pytest.mark.parametrize("data", [GONE, None])
def test_an_event_may_have_no_data(data: Any) -> None:
    touchpoint = taken(event() | {"data": None} if data is None else {k: v for k, v in event().items() if k != "data"})
    assert touchpoint.data == {}
    assert touchpoint.personal == {}


def test_data_may_come_in_base64_but_not_twice() -> None:
    encoded = b64encode(b'{"points": 1}').decode()
    assert taken(event(data=GONE, data_base64=encoded) | {"data": None}).personal == {"points": 1}
    assert refused(event(data_base64=encoded)) == ("not_cloudevents", "/data_base64")


@pytest.mark.parametrize(
    "encoded", ["%%%", b64encode(b"<x/>").decode(), b64encode(b'"\\ud800"').decode(), b64encode(b"[" * 9999).decode(), 7, "é"]
)
def test_base64_that_hides_no_json_is_refused(encoded: Any) -> None:
    assert refused(event(data_base64=encoded) | {"data": None}) == ("wrong_value", "/data_base64")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("a\0b", "unusable_text"),
        ("a\ud800b", "unusable_text"),
        ("\udc00", "unusable_text"),
        (float("nan"), "unusable_number"),
        (float("inf"), "unusable_number"),
        (2**63, "unusable_number"),
        (-(2**63) - 1, "unusable_number"),
        (10**400, "unusable_number"),
        pytest.param(10**5000, "unusable_number", id="5001 digits"),
    ],
)
def test_what_no_store_can_hold_is_refused_where_it_stands(value: Any, reason: str) -> None:
    assert refused(event(data={"fine": [1, {"a/b~c": value}]})) == (reason, "/data/fine/1/a~1b~0c")


@pytest.mark.parametrize("value", ["\\u0000", "1" * 40, None, 2**63 - 1, -(2**63), 1.7976931348623157e308, "😀\u200c", [None] * 100])
def test_what_only_looks_like_it_is_kept(value: Any) -> None:
    assert taken(event(data={"fine": value})).personal == {"fine": value}


def test_a_member_name_that_no_store_can_hold_is_refused_at_its_object() -> None:
    assert refused(event(data={"fine": {"a\0b": 1}})) == ("unusable_text", "/data/fine")


@pytest.mark.parametrize("levels", [65, 900, 5000])
def test_data_is_at_most_64_levels_deep(levels: int) -> None:
    data: dict[str, Any] = {}
    for _ in range(levels - 1):
        data = {"in": data}
    assert refused(event(data=data)) == ("too_deep", "/data")


def test_data_of_64_levels_and_of_many_objects_is_taken() -> None:
    data: dict[str, Any] = {}
    for _ in range(63):
        data = {"in": data}
    assert taken(event(data=data)).personal == data
    assert taken(event(data={"many": [{"a": []}] * 100})).personal


def test_an_event_is_at_most_a_mebibyte() -> None:
    assert taken(event(data={"text": "x" * 1_000_000})).personal
    assert refused(event(data={"text": "x" * 1_048_576})) == ("too_large", "/data")


# who it was


def test_identifiers_are_brought_to_normal_form_each_once_in_the_order_given() -> None:
    who = {"email": [" Sara@Example.IR", "sara@example.ir"], "phone": "0912 123 4567", "customer_number": 10042}
    assert taken(event(data={"who": who})).who == (
        Identifier("email", "sara@example.ir"),
        Identifier("phone", "+989121234567"),
        Identifier("customer_number", "10042"),
    )


def test_an_identifier_that_proves_nothing_is_left_out_of_who_and_kept_as_given() -> None:
    who = {"phone": "00000000000", "email": "test@example.ir", "device": "unknown", "user_id": ["", None, " "], "account": None}
    touchpoint = taken(event(data={"who": who}))
    assert touchpoint.who == ()
    assert touchpoint.personal == {"who": who}
    assert touchpoint.subject == str(touchpoint.event_id)


@pytest.mark.parametrize(
    ("who", "reason", "pointer"),
    [
        ({"phone": "1217"}, "not_an_identifier", "/data/who/phone"),
        ({"email": ["a@b.ir", "b"]}, "not_an_identifier", "/data/who/email/1"),
        ({"national_id": "0084575947"}, "not_an_identifier", "/data/who/national_id"),
        ({"phone": True}, "wrong_type", "/data/who/phone"),
        ({"phone": 9.5}, "wrong_type", "/data/who/phone"),
        ({"phone": [["0912"]]}, "wrong_type", "/data/who/phone/0"),
        ({"Phone": "0912"}, "not_an_identifier", "/data/who"),
        ({"": "x"}, "not_an_identifier", "/data/who"),
        ({"device": "x" * 513}, "not_an_identifier", "/data/who/device"),
        ({"device": [f"d-{n}" for n in range(65)]}, "too_large", "/data/who"),
        ("0912", "wrong_type", "/data/who"),
        (["0912"], "wrong_type", "/data/who"),
    ],
)
def test_an_identifier_that_cannot_be_one_refuses_the_event(who: Any, reason: str, pointer: str) -> None:
    assert refused(event(data={"who": who})) == (reason, pointer)


# what is in the clear and what is sealed


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


def test_a_part_of_an_amount_may_be_below_zero() -> None:
    lines = [{"sku": "VOUCHER", "quantity": 1, "unit_price": "-5.00"}]
    assert taken(example("sales.order_placed", lines=lines, discount="-0.01")).data["lines"] == lines


def test_a_date_alone_is_the_start_of_that_day_where_the_source_is() -> None:
    one = example("sales.quote_sent", valid_until="2026-12-31")
    assert taken(one).data["valid_until"] == "2026-12-31T00:00:00+03:30"
    assert taken(one, Source("shop", zone="Europe/Berlin")).data["valid_until"] == "2026-12-31T00:00:00+01:00"
    assert one["data"]["valid_until"] == "2026-12-31"


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
