"""What a door understands of an event's attributes and its time."""

from datetime import UTC, datetime
from typing import Any

import pytest

from aggregates.cloudevents import binary, decoded, percent_decoded, restored, structured
from aggregates.moment import read_moment
from aggregates.refusal import Refusal, Refused
from aggregates.source import Source
from aggregates.touchpoint import event_id
from streams.inbox import binary_attributes, texts
from tests.contracts.events import GONE, RECORDED, event, refused, taken


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


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b" \n", "It is empty."),
        (b'{"id": ', "The JSON is cut off."),
        (b'{"id": "a"}\n{"id": "b"}\n', "More comes after the first JSON value."),
        ('{"id": "e-1"}'.encode("utf-16"), "It is written in UTF-16."),
        ('[{"id": "e-1"}]'.encode("utf-16-le"), "It is written in UTF-16."),
        ('{"id": "e-1"}'.encode("utf-16-be"), "It is written in UTF-16."),
        (b'{"id": "e-1",}', "JSON is malformed: trailing comma in object (byte 13)."),
        (b"\x00\x01", "JSON is malformed: invalid character (byte 0)."),
    ],
)
def test_what_is_no_json_is_told_in_a_sentence(body: bytes, said: str) -> None:
    told = structured(body)
    assert isinstance(told, Refusal)
    assert (told.reason, told.detail) == ("not_json", said)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (b"caf\xc3\xa9", "café"),
        (b"caf%C3%A9", "café"),
        (b'"a \\"b\\" %25"', 'a "b" %'),
        (b"100%", "100%"),
        (b"caf\xe9", "café"),
        (b"caf\xe8", "cafè"),
        (b"caf%E9", "café"),
        (b"caf%E8", "cafè"),
    ],
)
def test_ids_in_headers_that_are_no_utf_8_stay_apart(written: bytes, meant: str) -> None:
    assert percent_decoded(written) == meant
    if b"%" not in written and b'"' not in written:
        assert texts([("ce_id", written)]) == {"ce_id": meant}


def test_headers_that_contradict_each_other_are_refused_and_those_that_agree_are_one() -> None:
    headers = [("ce_specversion", b"1.0"), ("ce_id", b"a"), ("CE_ID", b"b"), ("ce_source", b"/s"), ("ce_source", b"/s"), ("ce_time", None)]
    attributes = binary_attributes(headers, "application/json")
    assert attributes == {"specversion": "1.0", "id": ["a", "b"], "source": "/s", "datacontenttype": "application/json"}
    refusal = binary(attributes, b"{}", "")
    assert isinstance(refusal, Refusal)
    assert (refusal.reason, refusal.pointer) == ("wrong_value", "/id")
    kept = decoded(restored(attributes, b"{}"))
    assert refused(kept) == ("wrong_type", "/id"), "as it came it is not taken later either"


@pytest.mark.parametrize("said", ["application/cloudevents+json", "Application/CloudEvents+json; charset=utf-8"])
def test_a_message_that_says_it_is_a_whole_event_is_one_whatever_headers_stand_beside_it(said: str) -> None:
    assert binary_attributes([("ce_specversion", b"1.0"), ("ce_id", b"a")], said) is None


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


@pytest.mark.parametrize(
    ("time", "why"),
    [
        ("9999-12-31T23:59:59.9999999Z", "Rounded to microseconds it is after 9999."),
        ("9999-12-31T23:59:60.9999999Z", "Rounded to microseconds it is after 9999."),
        ("9999-12-31T23:59:59.9999999-03:30", "It is before the year 1 or after 9999 in UTC."),
        ("9999-13-31T23:59:59.9999999Z", "It is not RFC 3339."),
        ("9999-12-31T23:59:59.9999999", "It has no offset, so nobody knows when it was."),
    ],
)
def test_a_time_that_is_too_late_to_be_kept_is_told_so(time: str, why: str) -> None:
    with pytest.raises(Refused) as raised:
        read_moment(time, "UTC", "/time")
    assert raised.value.refusal.detail == why
