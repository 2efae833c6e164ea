"""The Segment dialect over HTTP: every address, every place for the key, every label; and what never happens to a batch."""

import gzip
import json
import zlib
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote_plus

import msgspec
import pyarrow
import pytest

from aggregates.touchpoint import event_id
from aggregates.wire import SealedTouchpoint, touchpoint_decoder
from api.web import EXAMPLES, KINDS, spellings
from tests.api.conftest import Api, answered, until

pytestmark = pytest.mark.engines


async def logged(api: Api) -> dict[str, SealedTouchpoint]:
    """What `touchpoints` holds, by the id that the client gave."""
    records = [touchpoint_decoder.decode(record.value) for record in await api.records(api.world.topics.touchpoints)]
    return {record.id: record for record in records}


def track(id_: str, **changes: Any) -> dict[str, Any]:
    return {"type": "track", "messageId": id_, "userId": "u-1", "event": "Signed Up", "properties": {"plan": "gold"}} | changes


async def test_a_batch_lands_and_no_item_costs_the_others(api: Api) -> None:
    key = await api.write_key("shop")
    items = [track("a"), track("b", event=""), "nonsense", track("c", timestamp="yesterday"), track("d")]
    answer = await api.client.post("/v1/batch", json={"batch": items, "sentAt": "2026-05-01T10:00:00Z"}, auth=(key, ""))
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert said["success"] is True
    assert answer.headers["yekta-position"] == said["position"]
    assert [item["status"] for item in said["items"]] == ["accepted", "rejected", "rejected", "rejected", "accepted"]
    assert [item.get("pointer") for item in said["items"]] == [None, "/event", "", "/timestamp", None]
    assert said["items"][0]["event_id"] == str(event_id("shop", "shop", "a"))
    record = (await logged(api))["a"]
    assert (record.type, record.source, record.yektakey) == ("web.signed_up", "shop", "shop")
    assert "b" not in await logged(api)


@pytest.mark.parametrize("kind", [*KINDS, "batch"])
async def test_every_address_takes_its_kind(api: Api, kind: str) -> None:
    key = await api.write_key()
    for number, path in enumerate((f"/v1/{kind}", *spellings(kind))):
        message = EXAMPLES[kind] | {"messageId": f"{kind}-{number}"} if kind != "batch" else {"batch": [track(f"{kind}-{number}")]}
        answer = await api.client.post(path, json=message, auth=(key, ""))
        assert answer.status_code == 200, path
        assert answer.json()["items"][0]["status"] == "accepted", answer.text
    assert f"{kind}-{number}" in await logged(api)


async def test_the_key_may_stand_wherever_clients_put_it(api: Api) -> None:
    key = await api.write_key()
    basic = b64encode(key.encode()).decode()
    places: list[dict[str, Any]] = [
        {"auth": (key, "")},
        {"auth": (key, "password")},
        {"headers": {"Authorization": f"Basic {basic}"}},
        {"headers": {"Authorization": f"Bearer {key}"}},
        {"headers": {"X-Write-Key": key}, "json": track("key-0") | {"writeKey": "***"}},
        {"params": {"writeKey": key}},
        {"json": track("key-0") | {"writeKey": key}},
        {"json": {"batch": [track("key-0")], "writeKey": key}},
        {"json": {"batch": [track("key-0")], "api_key": key}},
        {"headers": {"Authorization": f"Basic {b64encode(key.encode() + b':').decode().rstrip('=')}"}},
        {"headers": {"Authorization": f"Basic {key}"}},
        {"headers": {"Authorization": key}},
        {"headers": {"Authorization": "Basic Og=="}, "json": track("key-0") | {"writeKey": key}},
        {"headers": {"Authorization": "Bearer of-a-proxy", "X-Write-Key": key}},
        {"auth": ("", key)},
    ]
    for place in places:
        answer = await api.client.post("/v1/track", **({"json": track("key-0")} | place))
        assert answer.status_code == 200, place
        assert answer.json()["items"][0]["id"] == "key-0"


async def test_who_may_not_is_told_so_and_a_browser_sees_it(api: Api) -> None:
    origin = {"Origin": "https://shop.example"}
    key = await api.write_key("gone")
    cases: list[tuple[int, dict[str, Any]]] = [
        (401, {}),
        (401, {"auth": ("ywk_unknown", "")}),
        (401, {"json": track("x") | {"writeKey": "unknown"}}),
        (401, {"json": track("x") | {"writeKey": 5}}),
        (403, {"auth": (await api.token(), "")}),
    ]
    for status, request in cases:
        answer = await api.client.post("/v1/track", headers=origin, **({"json": track("x")} | request))
        assert answer.status_code == status, answer.text
        assert answer.headers["access-control-allow-origin"] == "https://shop.example"
        assert answer.json()["type"].startswith("/problems/")
    grant = api.made.ring.of_secret(key)
    assert grant is not None
    await api.made.keys.revoke(grant.key, "tests")
    await until(lambda: (known := api.made.ring.of_secret(key)) is None or known.revoked)
    assert (await api.client.post("/v1/b", json=track("x") | {"writeKey": key})).status_code == 403


@pytest.mark.parametrize("path", ["/v1/t", "/v1/b", "/v1/batch", "/v1/identify/", "/beacon/v1/batch"])
async def test_a_browser_may_ask_first(api: Api, path: str) -> None:
    wanted = "authorization,content-type,x-retry-count,anonymousid"
    asked = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": wanted}
    answer = await api.client.options(path, headers=asked)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    assert answer.headers["access-control-allow-headers"] == wanted
    assert "POST" in answer.headers["access-control-allow-methods"]
    plain = await api.client.options(path, headers={"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"})
    assert {"Authorization", "Content-Type", "X-Retry-Count"} <= set(plain.headers["access-control-allow-headers"].split(", "))


@pytest.mark.parametrize("label", ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-8", "", "image/gif"])
@pytest.mark.parametrize("packed", [True, False])
async def test_the_bytes_say_what_came(api: Api, label: str, packed: bool) -> None:
    content = msgspec.json.encode({"batch": [track(f"bytes-{label}-{packed}")]})

    async def chunks() -> AsyncIterator[bytes]:
        sent = gzip.compress(content) if packed else content
        for start in range(0, len(sent), 11):
            yield sent[start : start + 11]

    answer = await api.client.post("/v1/batch", content=chunks(), headers={"content-type": label}, auth=(await api.write_key(), ""))
    assert answer.status_code == 200, answer.text
    assert answer.json()["items"][0]["status"] == "accepted"


async def test_other_shapes_of_a_body(api: Api) -> None:
    key = await api.write_key()
    for content, count in (([track("l-1"), track("l-2")], 2), (track("single"), 1), ({"batch": []}, 0)):
        answer = await api.client.post("/v1/batch", json=content, auth=(key, ""))
        assert answer.status_code == 200
        assert [item["status"] for item in answer.json()["items"]] == ["accepted"] * count
    around = {"batch": [track("around")], "context": {"campaign": {"name": "x"}}, "sentAt": None}
    assert (await api.client.post("/v1/import", json=around, auth=(key, ""))).status_code == 200


def squeezed(content: bytes, window: int) -> bytes:
    packing = zlib.compressobj(wbits=window)
    return packing.compress(content) + packing.flush()


def as_browsers_send_form_data(content: bytes) -> bytes:
    """The field `data` beside another, as a beacon or a fetch sends it."""
    head = b'Content-Disposition: form-data; name="'
    line = b"------WebKitFormBoundaryq1"
    return line + b"\r\n" + head + b'v"\r\n\r\n1\r\n' + line + b"\r\n" + head + b'data"\r\n\r\n' + content + b"\r\n" + line + b"--\r\n"


@pytest.mark.parametrize(
    ("label", "pack"),
    [
        ("", lambda content: squeezed(content, zlib.MAX_WBITS)),
        ("deflate", lambda content: squeezed(content, zlib.MAX_WBITS)),
        ("deflate", lambda content: squeezed(content, -zlib.MAX_WBITS)),
        ("gzip", lambda content: gzip.compress(gzip.compress(content))),
        ("gzip", lambda content: content),
        ("deflate", lambda content: content),
        ("br", lambda content: content),
        ("br", lambda content: pyarrow.compress(content, codec="brotli", asbytes=True)),
        ("gzip, br", lambda content: pyarrow.compress(gzip.compress(content), codec="brotli", asbytes=True)),
        ("zstd", lambda content: pyarrow.compress(content, codec="zstd", asbytes=True)),
        ("", lambda content: pyarrow.compress(content, codec="zstd", asbytes=True)),
        ("", lambda content: b"\xef\xbb\xbf" + content),
        ("", lambda content: b"data=" + quote_plus(content).encode()),
        ("", lambda content: b"data=" + quote_plus(b64encode(content)).encode() + b"&compression=base64"),
        ("", as_browsers_send_form_data),
        ("", lambda content: as_browsers_send_form_data(b64encode(content))),
        ("", lambda content: msgspec.json.encode(content.decode())),
    ],
)
async def test_however_it_is_packed(api: Api, label: str, pack: Callable[[bytes], bytes]) -> None:
    content = msgspec.json.encode({"batch": [track("packed", properties={"name": "سارا"}), None], "sentAt": 1777629600000})
    headers = {"Content-Encoding": label} if label else {}
    answer = await api.client.post("/v1/batch", content=pack(content), headers=headers, auth=(await api.write_key(), ""))
    assert answer.status_code == 200, answer.text
    assert [item["status"] for item in answer.json()["items"]] == ["accepted", "rejected"]


async def test_messages_a_line_each(api: Api) -> None:
    lines = b"\n".join(msgspec.json.encode(track(f"line-{number}")) for number in range(3)) + b"\n"
    headers = {"Content-Type": "application/x-ndjson"}
    answer = await api.client.post("/v1/batch", content=lines, headers=headers, auth=(await api.write_key(), ""))
    assert [item["id"] for item in answer.json()["items"]] == ["line-0", "line-1", "line-2"]


@pytest.mark.parametrize("broken", [b'{"type":"track","event":"Cut', b"no json", b'{"type":"track"}}', b'{"a":"\xff"', b"]", b"["])
@pytest.mark.parametrize("place", [0, 1, 2])
async def test_a_broken_line_costs_no_other(api: Api, broken: bytes, place: int) -> None:
    if (broken, place) == (b"[", 0):
        return  # the beginning of a list that was cut off
    lines = [msgspec.json.encode(track(f"beside-{number}")) for number in range(2)]
    lines.insert(place, broken)
    answer = await api.client.post("/v1/batch", content=b"\r\n".join(lines), auth=(await api.write_key(), ""))
    assert answer.status_code == 200, answer.text
    said = ["accepted", "accepted"]
    said.insert(place, "rejected")
    items = answer.json()["items"]
    assert [item["status"] for item in items] == said
    assert (items[place]["reason"], bool(items[place]["dead_letter"])) == ("not_json", True)


@pytest.mark.parametrize(
    "content",
    [b'{"batch": [\n{"type":"track"},\n{"type":"track"}\n', b'{\n"type": "track",\n"event": {}\n', b'[{"type":"track"},\n{"type":"track"}'],
)
async def test_what_is_written_over_several_lines_and_cut_off_is_no_message_a_line(api: Api, content: bytes) -> None:
    answer = await api.client.post("/v1/batch", content=content, auth=(await api.write_key(), ""))
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/not_json")


@pytest.mark.parametrize(
    ("label", "content"),
    [("br", b"\x8b\x03\x80{}\x03"), ("compress", b"\x1f\x9d\x90"), ("zstd", b"(\xb5/\xfd\x04"), ("gzip", b"\x1f\x8bno")],
)
async def test_what_cannot_be_unpacked_is_kept_too(api: Api, label: str, content: bytes) -> None:
    headers = {"Content-Encoding": label}
    answer = await api.client.post("/v1/batch", content=content, headers=headers, auth=(await api.write_key(), ""))
    assert (answer.status_code, answer.json()["type"]) == (415, "/problems/unreadable")
    assert answer.json()["dead_letter"]
    nobody = await api.client.post("/v1/batch", content=content, headers=headers)
    assert (nobody.status_code, nobody.json().get("dead_letter")) == (415, None)


async def test_a_message_that_is_no_utf8_or_too_large_costs_no_other(api: Api) -> None:
    bad = [b'"\xff"', b'{"type":"track","event":"Large","properties":{"text":"' + b"x" * (1 << 20) + b'"}}', b'{"n":1e999}', b"null"]
    content = b'{"batch":[' + b",".join([msgspec.json.encode(track("whole-1")), *bad, msgspec.json.encode(track("whole-2"))]) + b"]}"
    answer = await api.client.post("/v1/batch", content=content, auth=(await api.write_key(), ""))
    said = [item["status"] for item in answer.json()["items"]]
    assert said == ["accepted", "rejected", "rejected", "rejected", "rejected", "accepted"]
    assert answer.json()["items"][2]["reason"] == "too_large"


async def test_a_message_that_ends_in_half_an_emoji_or_is_too_deep_costs_no_other(api: Api) -> None:
    half = json.dumps(track("half", properties={"t": "hi \ud83d"})).encode()
    deep = b'{"type":"track","event":"Deep","properties":' + b'{"a":' * 1100 + b"1" + b"}" * 1101
    key, good = await api.write_key("emoji"), msgspec.json.encode(track("good"))
    one_by_one = b'{"writeKey":"' + key.encode() + b'","batch":[' + b",".join([half, good, deep]) + b"]}"
    for content, address in ((one_by_one, "/v1/batch"), (b"\n".join([half, good, deep]), f"/v1/batch?writeKey={key}")):
        answer = await api.client.post(address, content=content)
        assert answer.status_code == 200, answer.text
        items = answer.json()["items"]
        assert [item["status"] for item in items] == ["rejected", "accepted", "rejected"]
        assert (items[0]["id"], items[0]["reason"], items[0]["pointer"]) == ("half", "unusable_text", "/properties/t")
        assert items[2]["reason"] == "too_deep"
    alone = await api.client.post("/v1/track", content=half, auth=(key, ""))
    assert (alone.status_code, [item["reason"] for item in alone.json()["items"]]) == (200, ["unusable_text"])


async def test_more_messages_than_a_request_may_have(api: Api) -> None:
    answer = await api.client.post("/v1/batch", content=b"[" + b"5," * 50_000 + b"5]", auth=(await api.write_key(), ""))
    assert (answer.status_code, answer.json()["type"]) == (413, "/problems/too_large")


@pytest.mark.parametrize("content", [b"", b"{", b"5", b'{"batch": 5}', b"\xff\xfe", b"[" * 100_000])
async def test_what_cannot_be_told_apart_is_kept_whole(api: Api, content: bytes) -> None:
    answer = await api.client.post("/v1/batch", content=content, auth=(await api.write_key(), ""))
    assert answer.status_code == 400
    assert answer.json()["dead_letter"]


async def test_a_letter_is_the_message_as_it_came_and_is_replayed_by_the_same_rules(live: Api) -> None:
    key, admin = await live.write_key("replays"), await live.token()
    hour_ahead = datetime.now(UTC) + timedelta(hours=1)
    said = f'"messageId":"fixable","userId":"u-1","timestamp":"{hour_ahead.isoformat()}"'
    bad = f'{{"type":"track",  {said},"event":"Order Completed","properties":{{"order_id":7,"total":1}}}}'.encode()
    batch = b'{"sentAt":"' + hour_ahead.isoformat().encode() + b'","batch":[' + bad + b"]}"
    answer = await live.client.post("/v1/batch", content=batch, auth=(key, ""))
    item = answer.json()["items"][0]
    assert (item["status"], item["pointer"], item["id"]) == ("rejected", "/properties/currency", "fixable")
    path = f"/v1/dead-letters/{item['dead_letter']}"
    shown = await answered(
        lambda: live.client.get(path, auth=(admin, "")), lambda shown: shown.status_code != 404
    )  # the list follows the log
    assert shown.json()["text"].encode() == bad
    assert (await live.client.post(f"{path}/replay", auth=(admin, ""))).status_code == 422
    mended = msgspec.json.decode(bad)
    mended["properties"]["currency"] = "USD"
    replayed = await live.client.post(f"{path}/replay", json=mended, auth=(admin, ""))
    assert replayed.status_code == 200, replayed.text
    assert replayed.json()["event_id"] == str(event_id("replays", "replays", "fixable"))
    fate = await live.get(key, "/v1/events/replays/fixable", after=replayed.json()["position"])
    assert fate["state"] == "visible"
    agent = await live.token("agent")
    customer = (await live.get(agent, "/v1/customers/by/user_id/u-1"))["customer_id"]
    items = (await live.get(agent, f"/v1/customers/{customer}/timeline"))["items"]
    occurred = next(datetime.fromisoformat(one["occurred"]) for one in items if one["type"] == "sales.order_placed")
    assert occurred < hour_ahead - timedelta(minutes=30)  # corrected by the batch's `sentAt`, which is kept with the letter


async def test_a_visitor_becomes_somebody(live: Api) -> None:
    key, agent = await live.write_key("story"), await live.token("agent")
    device = "5b1f9e6c-3c0b-4b2a-9d2e-00000000abcd"
    story: list[dict[str, Any]] = [
        {"type": "page", "messageId": "s-1", "anonymousId": device, "name": "price", "properties": {"url": "https://shop.example/p"}},
        {
            "type": "identify",
            "messageId": "s-2",
            "anonymousId": device,
            "userId": "u-900",
            "traits": {"name": "Sara", "phone": "09129990001"},
        },
        {"type": "alias", "messageId": "s-3", "previousId": "legacy-900", "userId": "u-900"},
        {
            "type": "track",
            "messageId": "s-4",
            "userId": "legacy-900",
            "event": "Order Completed",
            "properties": {"order_id": "o-900", "total": 5, "currency": "USD"},
        },
        {"type": "group", "messageId": "s-5", "userId": "u-900", "groupId": "acme"},
        {"type": "group", "messageId": "s-6", "userId": "u-901", "groupId": "acme"},
    ]
    for message in story:
        message["timestamp"] = "2026-05-01T10:00:00Z"
    sent = await live.client.post("/v1/batch", json={"batch": story}, auth=(key, ""))
    at = sent.json()["position"]
    customer = (await live.get(agent, "/v1/customers/by/phone/09129990001", after=at))["customer_id"]
    assert (await live.get(agent, f"/v1/customers/by/device/{device}"))["customer_id"] == customer
    assert (await live.get(agent, "/v1/customers/by/user_id/u-901"))["customer_id"] != customer
    timeline = await live.get(agent, f"/v1/customers/{customer}/timeline")
    told = {item["type"] for item in timeline["items"] if item["type"] != "score.given"}
    assert told == {"web.page_viewed", "web.identified", "sales.order_placed", "account.joined"}
