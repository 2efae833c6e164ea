"""What a door takes as an event's data, and who it finds in it."""

from base64 import b64encode
from typing import Any

import pytest

from aggregates.identifier import Identifier
from tests.contracts.events import GONE, event, refused, taken


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


@pytest.mark.parametrize("member", ["09121234567", "u09121234567", "سارا کریمی", "sara@x.ir", "Sara Karimi", "6037-9912-3456-1234"])
def test_a_member_that_may_be_called_by_a_value_is_not_shown(member: str) -> None:
    assert refused(event(data={"fine": {"page2": [{member: {"note": "a\0b"}}]}})) == ("unusable_text", "/data/fine/page2/0")
    assert refused(event(data={member: 2**63})) == ("unusable_number", "/data")


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
