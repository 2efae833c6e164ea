"""What each kind of message, and each name of the published specs, is here."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from aggregates.refusal import Refusal
from aggregates.segment import judged, understood
from aggregates.segment.names import MEANT, slug
from aggregates.source import Source
from aggregates.touchpoint import Touchpoint

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
SHOP = Source("shop")


def read(message: Any, source: Source = SHOP, **around: Any) -> Touchpoint:
    found = judged(message, source, NOW, **around)
    assert isinstance(found, Touchpoint), found
    return found


def refused(message: Any, **around: Any) -> Refusal:
    found = judged(message, SHOP, NOW, **around)
    assert isinstance(found, Refusal), found
    return found


def track(name: str, properties: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    return {"type": "track", "messageId": "m-1", "userId": "u-1", "event": name, "properties": properties or {}} | changes


def whole(found: Touchpoint) -> dict[str, Any]:
    return {**found.data, **found.personal}


ORDER = {
    "order_id": 5001,
    "affiliation": "Tehran",
    "total": 27.5,
    "revenue": 25,
    "shipping": 3,
    "tax": 2,
    "discount": 2.5,
    "coupon": "hasbros",
    "currency": "usd",
    "products": [
        {"product_id": "p-1", "sku": "45790-32", "name": "Monopoly", "price": 19, "quantity": 1},
        {"product_id": "p-2", "price": "3.25"},
    ],
}


def test_an_order_is_an_order() -> None:
    found = read(track("Order Completed", ORDER, context={"campaign": {"name": "spring"}}))
    assert found.type == "sales.order_placed"
    assert found.id == "m-1"
    assert found.data == {
        "order_id": "5001",
        "lines": [{"sku": "45790-32", "quantity": 1, "unit_price": "19"}, {"sku": "p-2", "quantity": 1, "unit_price": "3.25"}],
        "total": "27.5",
        "currency": "USD",
        "discount": "2.5",
        "shipping": "3",
        "store": "Tehran",
        "campaign": "spring",
    }
    assert found.personal["coupon"] == "hasbros"
    assert found.personal["lines"][0]["name"] == "Monopoly"


@pytest.mark.parametrize(
    ("properties", "total"),
    [
        ({"revenue": 25, "shipping": 3, "tax": "2.5"}, "30.5"),
        ({"subtotal": 20, "tax": 1}, "21"),
        ({"value": 12}, "12"),
        ({"products": [{"sku": "a", "price": 0.1, "quantity": 3}]}, "0.3"),
        ({"total": 0.1 + 0.2}, "0.3"),
        ({"revenue": 59.970000000000006}, "59.97"),
        ({"revenue": 59.970000000000006, "shipping": 0.1 + 0.2, "tax": 1e-9}, "60.27"),
        ({"revenue": "1,950,000", "shipping": "50,000"}, "2000000"),
        ({"revenue": "۱٬۹۵۰٬۰۰۰", "shipping": "۵۰٬۰۰۰", "tax": 1}, "2000001"),
        ({"revenue": 100, "shipping": "50,000", "tax": ""}, "50100"),
        ({"revenue": 100, "shipping": "free", "tax": "9.5"}, "109.5"),
        ({"revenue": 100, "shipping": None, "tax": " "}, "100"),
        ({"revenue": None, "value": 5}, "5"),
        ({"revenue": "", "subtotal": 7, "tax": 1}, "8"),
        ({"total": " ", "revenue": 5}, "5"),
        ({"revenue": 0, "shipping": 3}, "3"),
        ({"revenue": "99999999999999999.99999999", "tax": "0.00000001"}, "100000000000000000"),
        ({"products": [{"sku": "a", "price": "0.00000003", "quantity": 0.5}]}, "0.00000002"),
        ({"products": [{"sku": "a", "price": "۱٬۹۵۰", "quantity": "2"}]}, "3900"),
        ({"total": 1e-9}, "0"),
        ({"total": 4500000.0}, "4500000"),
        ({"total": "12.50"}, "12.50"),
    ],
)
def test_an_orders_total_is_what_the_customer_owes(properties: dict[str, Any], total: str) -> None:
    assert read(track("Order Completed", {"order_id": "1", "currency": "USD"} | properties)).data["total"] == total


def test_amounts_without_a_currency_are_in_the_sources() -> None:
    order = track("Order Completed", {"order_id": "1", "total": 100})
    assert refused(order).pointer == "/properties/currency"
    assert read(order, Source("shop", currency="IRR")).data["currency"] == "IRR"
    viewed = read(track("Product Viewed", {"sku": "A", "price": 9.99}))
    assert viewed.data == {"sku": "A"}
    assert viewed.personal["properties"] == {"price": 9.99}


def test_a_product_and_a_cart_are_ours() -> None:
    viewed = read(
        track("Product Viewed", {"product_id": "507f", "name": "Monopoly", "category": "Games", "price": 18.99, "currency": "EUR"})
    )
    assert viewed.type == "web.product_viewed"
    assert viewed.data == {"sku": "507f", "name": "Monopoly", "category": "Games", "price": "18.99", "currency": "EUR"}
    cart = read(track("Cart Viewed", {"cart_id": "c", "products": [{"sku": "A", "quantity": 2}], "currency": "EUR", "value": 3}))
    assert cart.type == "web.cart_updated"
    assert cart.data == {"lines": [{"sku": "A", "quantity": 2}], "total": "3", "currency": "EUR"}


def test_what_goes_back_whole_cancels_the_order_and_what_goes_back_in_part_does_not() -> None:
    assert read(track("Order Cancelled", {"order_id": "1"})).type == "sales.order_cancelled"
    back = read(track("Order Refunded", {"order_id": "1", "total": 30}))
    assert (back.type, back.data) == ("sales.order_cancelled", {"order_id": "1", "reason": "refunded"})
    assert read(track("Order Refunded", {"order_id": "1", "products": [{"sku": "A"}]})).type == "sales.order_refunded"


@pytest.mark.parametrize(("name", "type_"), [*MEANT.items(), ("Signed Up", "web.signed_up"), ("ثبت‌ نام", "web.ثبت_نام")])
def test_every_name_of_the_specs_has_its_type(name: str, type_: str) -> None:
    properties = ORDER | {"order_id": "1", "sku": "A", "products": [{"sku": "A", "price": 1}]}
    for spelt in (name, name.upper(), slug(name), name.replace(" ", "-")):
        assert read(track(spelt, properties)).type == type_


def test_open_types_are_of_the_sources_channel() -> None:
    app = Source("app", channel="app")
    assert read(track("Signed Up"), app).type == "app.signed_up"
    assert read(track("Checkout Started"), app).type == "app.checkout_started"
    assert read(track("Product Viewed", {"sku": "A"}), app).type == "web.product_viewed"
    assert read({"type": "screen", "name": "Home", "anonymousId": "d-1"}, app).type == "app.screen_viewed"


def test_an_event_named_as_one_of_our_types_is_that_type() -> None:
    found = read(track("web.form_submitted", {"form": "contact"}))
    assert (found.type, found.data) == ("web.form_submitted", {"form": "contact"})
    assert refused(track("web.form_submitted")).pointer == "/properties/form"


def test_a_chat_names_its_agent() -> None:
    found = whole(read(track("Live Chat Conversation Ended", {"conversation_id": 7, "agent_id": "reza", "conversation_duration": 61})))
    assert {name: found[name] for name in ("conversation_id", "agent", "talk_seconds")} == {
        "conversation_id": "7",
        "agent": "reza",
        "talk_seconds": 61,
    }


def test_who_it_was() -> None:
    traits = {"email": "Sara@Example.ir", "phone": "0912 123 4567"}
    for message in ({"traits": traits}, {"context": {"traits": traits}}):
        found = read({"type": "identify", "userId": 81, "anonymousId": "d-7f3a"} | message)
        assert found.type == "web.identified"
        assert dict(found.who) == {"user_id": "81", "device": "d-7f3a", "email": "sara@example.ir", "phone": "+989121234567"}
        assert found.personal["traits"] == traits
    spoilt = read({"type": "identify", "userId": "u", "traits": {"email": "none at all", "phone": {"home": 1}}})
    assert dict(spoilt.who) == {"user_id": "u"}
    assert read({"type": "identify", "userId": None, "anonymousId": ""}).who == ()


def test_traits_are_called_as_they_are_here() -> None:
    said = {"firstName": "Sara", "lastName": "Karimi", "birthday": "1990-04-12", "address": {"city": "Shiraz"}, "company": {"name": "Acme"}}
    traits = read({"type": "identify", "userId": "u", "traits": said}).personal["traits"]
    known = {"first_name": "Sara", "last_name": "Karimi", "birth_date": "1990-04-12", "city": "Shiraz", "company": "Acme"}
    assert known.items() <= traits.items()


def test_an_alias_links_two_ids() -> None:
    anonymous = "9f1b9e6c-3c0b-4b2a-9d2e-000000000001"
    found = read({"type": "alias", "previousId": anonymous, "userId": "u-81"})
    assert dict(found.who) == {"user_id": "u-81", "device": anonymous}
    renamed = read({"type": "alias", "previousId": "old-81", "userId": "u-81"})
    assert [tuple(one) for one in renamed.who] == [("user_id", "u-81"), ("user_id", "old-81"), ("device", "old-81")]
    assert refused({"type": "alias", "userId": "u"}).pointer == "/previousId"


def test_a_group_is_an_account_and_joins_nobody() -> None:
    found = read({"type": "group", "userId": "u-81", "groupId": "acme", "traits": {"name": "Acme"}})
    assert found.type == "account.joined"
    assert dict(found.who) == {"user_id": "u-81"}
    assert found.personal["account"] == "acme"
    assert found.personal["traits"] == {"name": "Acme"}


def test_a_page_has_what_the_browser_knows() -> None:
    context: dict[str, Any] = {
        "page": {"url": "https://shop.example/p", "title": "Prices", "referrer": "https://search.example/", "path": "/p"},
        "locale": "fa-IR",
        "userAgent": "Mozilla/5.0",
        "campaign": {"name": "autumn"},
    }
    found = read({"type": "page", "anonymousId": "d-1", "name": "price", "category": "shop", "properties": {"tier": 1}, "context": context})
    assert found.type == "web.page_viewed"
    assert found.data == {
        "url": "https://shop.example/p",
        "title": "Prices",
        "referrer": "https://search.example/",
        "page": "price",
        "campaign": "autumn",
        "locale": "fa-IR",
        "user_agent": "Mozilla/5.0",
    }
    assert found.personal["tier"] == 1
    assert found.personal["context"] == {"campaign": {"name": "autumn"}}
    assert read({"type": "page", "userId": "u", "name": "Docs"}).data["url"] == "Docs"
    assert read({"type": "page", "userId": "u"}).data["url"] == "about:blank"


def test_a_clock_that_is_wrong_is_corrected_and_a_retry_is_the_same_event() -> None:
    hour = timedelta(hours=1)
    message = track("X", timestamp="2026-05-01T12:59:50Z")
    first = read(message, sent=(NOW + hour).isoformat())
    assert first.occurred == NOW - timedelta(seconds=10)
    again = judged(message, SHOP, NOW + timedelta(seconds=9), sent=(NOW + hour + timedelta(seconds=8)).isoformat())
    assert isinstance(again, Touchpoint)
    assert again.occurred == NOW - timedelta(seconds=9)
    assert (again.event_id, again.body) == (first.event_id, first.body)
    assert read(message | {"sentAt": "nonsense"}).occurred == NOW + hour - timedelta(seconds=10)


@pytest.mark.parametrize(
    ("said", "occurred"),
    [
        ({}, NOW),
        ({"timestamp": None, "originalTimestamp": "2026-05-01T11:00:00.123Z"}, NOW - timedelta(hours=1) + timedelta(milliseconds=123)),
        ({"timestamp": NOW.timestamp()}, NOW),
        ({"timestamp": int(NOW.timestamp() * 1000)}, NOW),
        ({"timestamp": str(int(NOW.timestamp() * 1000))}, NOW),
    ],
)
def test_when_it_was(said: dict[str, Any], occurred: datetime) -> None:
    assert read(track("X", **said)).occurred == occurred


def test_a_message_without_an_id_is_itself_when_it_is_sent_again() -> None:
    message = {"type": "track", "event": "X", "userId": "u", "timestamp": "2026-05-01T10:00:00Z"}
    assert read(message | {"sentAt": "2026-05-01T10:00:01Z"}).id == read(message | {"sentAt": "2026-05-01T10:00:02Z"}).id
    assert read(message).id != read(message | {"userId": "v"}).id
    timeless = {"type": "track", "event": "X", "userId": "u"}
    later = judged(timeless, SHOP, NOW + timedelta(seconds=1))
    assert isinstance(later, Touchpoint)
    assert read(timeless).id != later.id


@pytest.mark.parametrize(
    ("message", "pointer"),
    [
        ("text", ""),
        ({"type": "shout"}, "/type"),
        ({"userId": "u"}, "/type"),
        (track(""), "/event"),
        (track("?!"), "/event"),
        (track("X", timestamp="yesterday"), "/timestamp"),
        (track("X", timestamp="2026-05-01T10:00:00"), "/timestamp"),
        (track("X", timestamp=[1]), "/timestamp"),
        (track("X", timestamp=1e300), "/timestamp"),
        (track("X", userId={"id": 1}), "/userId"),
        (track("X", userId="u" * 600), "/userId"),
        (track("X", messageId="m" * 600), "/messageId"),
        (track("X", {"a": {"b": "\0"}}), "/properties/a/b"),
        (track("Order Completed", {"order_id": "1", "total": "a lot", "currency": "USD"}), "/properties/total"),
        (track("Order Completed", {"order_id": "1", "revenue": "a lot", "value": 1, "currency": "USD"}), "/properties/revenue"),
        (track("Order Completed", {"order_id": "1", "revenue": None, "subtotal": -5, "currency": "USD"}), "/properties/subtotal"),
        (track("Order Completed", {"order_id": "1", "value": "12,5", "currency": "USD"}), "/properties/value"),
        (track("Order Completed", {"order_id": "1", "currency": "USD"}), "/properties/total"),
        (track("Order Completed", {"order_id": "1", "total": 1, "currency": "TOMAN"}), "/properties/currency"),
        (track("X", {"t": "hi \ud83d"}), "/properties/t"),
        (track("X", {"t": "hi \ud83d"}) | {"messageId": None}, "/properties/t"),
        (track("X", userId="\ud83d"), "/userId"),
        (track("X", messageId="\ud83d"), "/messageId"),
        (track("X", messageId=None, message_id="\ud83d"), "/messageId"),
        ({"type": "identify", "userId": "u", "traits": {"email": "a\ud83d@b.example", "phone": "\ud83d"}}, "/traits/email"),
        ({"type": "\ud83d", "userId": "u"}, "/type"),
        (track("Order Completed", {"total": 1, "currency": "USD"}), "/properties/order_id"),
        (
            track("Order Completed", {"order_id": "1", "currency": "USD", "products": [{"price": 1}], "total": 1}),
            "/properties/products/0/sku",
        ),
        (track("Order Completed", {"order_id": "1", "currency": "USD", "products": ["A"], "total": 1}), "/properties/products/0"),
        (track("Product Viewed", {"name": "Tea"}), "/properties/sku"),
        ({"type": "group", "userId": "u"}, "/groupId"),
        (track("X\0"), "/event"),
        (track("X\0", {"event": "Y\0"}), "/properties/event"),
        ({"type": "page", "userId": "u", "name": "n\0"}, "/name"),
        ({"type": "screen", "userId": "u", "name": "n\0"}, "/name"),
        ({"type": "page", "userId": "u", "category": {"a": ["\0"]}}, "/category/a/0"),
        ({"type": "group", "userId": "u", "groupId": "g\0"}, "/groupId"),
        (
            track("Order Completed", {"order_id": "1", "total": 1, "currency": "USD"}) | {"context": {"campaign": {"name": "\0"}}},
            "/context/campaign/name",
        ),
        (
            track("Order Completed", {"order_id": "1", "total": 1, "currency": "USD", "campaign": "\0"})
            | {"context": {"campaign": {"name": "c"}}},
            "/properties/campaign",
        ),
        ({"type": "page", "userId": "u", "context": {"page": {"url": "u\0"}}}, "/context/page/url"),
        ({"type": "page", "userId": "u", "properties": {"url": "u\0"}}, "/properties/url"),
        ({"type": "page", "userId": "u", "context": {"userAgent": "a\0"}}, "/context/userAgent"),
        (track("subscription.started", {}), "/properties/subscription_id"),
    ],
)
def test_a_refusal_points_into_the_message(message: Any, pointer: str) -> None:
    assert refused(message).pointer == pointer


def test_properties_that_are_named_as_our_own_are_kept_beside() -> None:
    found = read(track("Anything", {"who": "me", "a": 1}))
    assert found.personal["a"] == 1
    assert found.personal["properties"] == {"who": "me"}
    shown = read({"type": "page", "userId": "u", "properties": {"url": "u", "title": 5, "page": {"deep": 1}}, "name": "n"})
    assert shown.data["title"] == "5"
    assert shown.personal["properties"] == {"page": {"deep": 1}}


def test_a_kept_message_is_understood_again_by_where_it_came() -> None:
    message = msgspec.json.encode({"event": "X", "userId": "u", "messageId": "m"})
    found = understood(message, "api/v1/track", SHOP, NOW)
    assert isinstance(found, Touchpoint)
    assert understood(message, "api/v1/events", SHOP, NOW) is None
    assert understood(b'{"specversion": "1.0"}', "api/v1/track", SHOP, NOW) is None
    assert isinstance(understood(b"{", "api/v1/batch", SHOP, NOW), Refusal)


@pytest.mark.parametrize(
    ("message", "type_", "who"),
    [
        ({"type": "Track", "event": "X", "user_id": "u-1"}, "web.x", {("user_id", "u-1")}),
        ({"type": " IDENTIFY ", "anonymous_id": "d-1"}, "web.identified", {("device", "d-1")}),
        ({"event": "X", "distinct_id": "u-2", "uuid": "m"}, "web.x", {("user_id", "u-2")}),
        ({"type": "capture", "event": "X", "distinct_id": "018f3c6b-7a35-7d0e-9a53-7d1f3c6b2a10"}, "web.x", {("device", "*")}),
        ({"groupId": "acme", "userId": 81.0}, "account.joined", {("user_id", "81")}),
        ({"previous_id": "d-1", "userId": "u-3"}, "web.identified", {("user_id", "u-3"), ("user_id", "d-1"), ("device", "d-1")}),
        ({"traits": {"email": "a@x.ir"}, "userId": "u-4"}, "web.identified", {("user_id", "u-4"), ("email", "a@x.ir")}),
        ({"type": "track", "event": "X", "anonymousId": None, "userId": "u-5"}, "web.x", {("user_id", "u-5")}),
        ({"type": "track", "event": "X"}, "web.x", set()),
    ],
)
def test_a_message_is_understood_however_it_is_spelt(message: dict[str, Any], type_: str, who: set[tuple[str, str]]) -> None:
    found = read(message)
    assert found.type == type_
    assert {(one.kind, "*" if ("device", "*") in who else one.value) for one in found.who} == who


@pytest.mark.parametrize("unit", [1, 1_000, 1_000_000, 1_000_000_000])
@pytest.mark.parametrize("as_text", [True, False])
def test_an_epoch_is_of_whatever_unit_it_can_be(unit: int, as_text: bool) -> None:
    epoch = int(datetime(2026, 5, 1, 10, tzinfo=UTC).timestamp()) * unit
    assert read(track("X", timestamp=str(epoch) if as_text else epoch)).occurred == datetime(2026, 5, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize("sent", ["2026-05-01T13:00:00Z", 1777640400, 1777640400000])
def test_a_clock_is_corrected_however_the_time_of_sending_is_written(sent: Any) -> None:
    found = read(track("X", timestamp="2026-05-01T12:30:00Z", sentAt=sent))
    assert found.occurred == datetime(2026, 5, 1, 11, 30, tzinfo=UTC)


def test_properties_that_are_no_object_are_kept() -> None:
    assert read(track("X") | {"properties": ["a"]}).personal["properties"] == ["a"]


@pytest.mark.parametrize(
    ("written", "amount"),
    [("۱۲", "12"), ("1,950,000", "1950000"), ("۱٬۹۵۰٬۰۰۰", "1950000"), ("۱۸٫۵۰", "18.50"), ("12,5", None), ("1e5", None)],
)
def test_an_amount_is_read_as_pages_show_it_where_there_is_no_doubt(written: str, amount: str | None) -> None:
    viewed = read(track("Product Viewed", {"sku": "A", "price": written, "currency": "IRR"}))
    assert viewed.data.get("price") == amount
