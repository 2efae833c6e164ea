"""POST /v1/events, in every shape a CloudEvent may have, from the field's own client."""

import gzip
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from cloudevents.core.bindings.http import to_binary, to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from aggregates.touchpoint import event_id
from aggregates.wire import SealedTouchpoint, touchpoint_decoder
from tests.api.conftest import Api
from tests.api.events import event

pytestmark = pytest.mark.engines


async def logged(api: Api) -> dict[str, SealedTouchpoint]:
    """What `touchpoints` holds, by the id that the source gave."""
    records = [touchpoint_decoder.decode(record.value) for record in await api.records(api.world.topics.touchpoints)]
    return {record.id: record for record in records}


async def test_a_structured_event_is_accepted_and_in_the_log(api: Api) -> None:
    key = await api.write_key()
    answer = await api.client.post("/v1/events", json=event("structured"), auth=(key, ""))
    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] == "accepted"
    assert answer.headers["yekta-position"] == answer.json()["position"]
    record = (await logged(api))["structured"]
    assert record.yektaevent == answer.json()["event_id"] == str(event_id("web", "/web/shop", "structured"))
    assert record.yektakey == "web"


async def test_what_is_personal_is_sealed_before_the_log(api: Api) -> None:
    key = await api.write_key()
    await api.client.post("/v1/events", json=event("sealed"), auth=(key, ""))
    for record in await api.records(api.world.topics.touchpoints):
        assert b"1234567" not in record.value


async def test_a_batch_is_answered_item_by_item_in_order(api: Api) -> None:
    key = await api.write_key()
    sent = [event("a"), event("b", type=""), "nonsense", event("c"), event("d", data={"who": {"phone": "12"}, "url": "x"})]
    answer = await api.client.post("/v1/events", content=msgspec.json.encode(sent), headers={"authorization": f"Bearer {key}"})
    assert answer.status_code == 200, answer.text
    items = answer.json()["items"]
    assert [item["status"] for item in items] == ["accepted", "rejected", "rejected", "accepted", "rejected"]
    assert [item["id"] for item in items] == ["a", "b", None, "c", "d"]
    assert [item["pointer"] for item in items if item["status"] == "rejected"] == ["/type", "", "/data/who/phone"]
    assert len({item["dead_letter"] for item in items if item["status"] == "rejected"}) == 3
    assert {"a", "c"} <= (await logged(api)).keys()


async def test_an_empty_batch_is_answered_with_no_items(api: Api) -> None:
    answer = await api.client.post("/v1/events", content=b" [ ] ", auth=(await api.write_key(), ""))
    assert answer.status_code == 200
    assert answer.json()["items"] == []


async def test_the_shape_is_told_by_the_bytes_and_not_by_the_label(api: Api) -> None:
    key = await api.write_key()
    for number, label in enumerate(["text/plain", "application/x-www-form-urlencoded", "application/xml; charset=utf-8", ""]):
        content = msgspec.json.encode([event(f"label-{number}")])
        answer = await api.client.post("/v1/events", content=content, headers={"content-type": label}, auth=(key, ""))
        assert answer.json()["items"][0]["status"] == "accepted", label


@pytest.mark.parametrize("encoding", ["gzip", "", "identity"])
async def test_gzip_is_known_by_its_bytes(api: Api, encoding: str) -> None:
    content = gzip.compress(msgspec.json.encode([event(f"gzip-{encoding}")]))
    headers = {"content-encoding": encoding, "content-type": "application/x-www-form-urlencoded"}
    answer = await api.client.post("/v1/events", content=content, headers=headers, auth=(await api.write_key(), ""))
    assert answer.json()["items"][0]["status"] == "accepted"


async def test_a_byte_order_mark_does_no_harm(api: Api) -> None:
    key = await api.write_key()
    for number, content in enumerate([event("bom-0"), [event("bom-1")]]):
        answer = await api.client.post("/v1/events", content=b"\xef\xbb\xbf" + msgspec.json.encode(content), auth=(key, ""))
        assert answer.status_code == 200, number


async def test_chunked_bodies_are_read(api: Api) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        content = msgspec.json.encode(event("chunked"))
        for start in range(0, len(content), 7):
            yield content[start : start + 7]

    answer = await api.client.post("/v1/events", content=chunks(), auth=(await api.write_key(), ""))
    assert answer.status_code == 200, answer.text


def by_the_client(id_: str) -> CloudEvent:
    """An event as the package `cloudevents` makes it, with Persian text and a space in the attributes."""
    attributes: dict[str, Any] = {
        "id": id_,
        "source": "/فروشگاه/web shop",
        "type": "web.page_viewed",
        "time": datetime(2026, 5, 1, 6, 30, tzinfo=UTC),
        "datacontenttype": "application/json",
        "yektasimulated": "true",
    }
    return CloudEvent(attributes, {"url": "https://shop.example/", "who": {"device": "d-2"}})


async def test_the_clients_structured_mode_is_understood(api: Api) -> None:
    message = to_structured(by_the_client("by-client-structured"), JSONFormat())
    answer = await api.client.post("/v1/events", content=message.body, headers=dict(message.headers), auth=(await api.write_key(), ""))
    assert answer.status_code == 200, answer.text
    assert (await logged(api))["by-client-structured"].source == "/فروشگاه/web shop"


@pytest.mark.parametrize("labelled", [True, False])
async def test_the_clients_binary_mode_is_understood_also_without_a_content_type(api: Api, labelled: bool) -> None:
    id_ = f"by-client-binary-{labelled}"
    message = to_binary(by_the_client(id_), JSONFormat())
    headers = {name: value for name, value in message.headers.items() if labelled or name.lower() != "content-type"}
    answer = await api.client.post("/v1/events", content=message.body, headers=headers, auth=(await api.write_key(), ""))
    assert answer.status_code == 200, answer.text
    record = (await logged(api))[id_]
    assert record.source == "/فروشگاه/web shop"
    assert record.yektasimulated
    assert record.time == datetime(2026, 5, 1, 6, 30, tzinfo=UTC)


async def test_the_same_event_in_another_mode_has_the_same_id_and_the_same_body(api: Api) -> None:
    key = await api.write_key()
    modes = [to_structured(by_the_client("modes"), JSONFormat()), to_binary(by_the_client("modes"), JSONFormat())]
    answers = [await api.client.post("/v1/events", content=m.body, headers=dict(m.headers), auth=(key, "")) for m in modes]
    assert answers[0].json()["event_id"] == answers[1].json()["event_id"]
    bodies = [
        record.yektabody
        for record in (touchpoint_decoder.decode(one.value) for one in await api.records(api.world.topics.touchpoints))
        if record.id == "modes"
    ]
    assert len(bodies) == 2
    assert len(set(bodies)) == 1


async def test_a_refused_binary_event_is_kept_whole(api: Api) -> None:
    headers = {"ce-specversion": "1.0", "ce-id": "kept", "ce-source": "/s", "ce-type": "web.page_viewed", "content-type": "text/csv"}
    answer = await api.client.post("/v1/events", content=b"a;b;c", headers=headers, auth=(await api.write_key(), ""))
    assert answer.status_code == 415
    assert answer.json()["pointer"] == "/data"
    letters = await api.records(api.world.topics.dead_letters)
    (kept,) = [one for one in letters if dict(one.headers)["yekta_id"].decode() == answer.json()["dead_letter"]]
    assert dict(kept.headers)["yekta_event"].decode() == str(event_id("web", "/s", "kept"))
    context = answer.json()["dead_letter"].encode()
    async with api.made.pool.connection() as connection:
        await api.made.secrets.fetch(connection, [int(dict(kept.headers)["yekta_seal"])])
    whole = msgspec.json.decode(api.made.secrets.unseal(int(dict(kept.headers)["yekta_seal"]), kept.value, context))
    assert whole == {"specversion": "1.0", "id": "kept", "source": "/s", "type": "web.page_viewed", "data_base64": "YTtiO2M="}


async def test_two_thousand_events_in_one_request(api: Api) -> None:
    content = msgspec.json.encode([event(f"many-{number}") for number in range(2_000)])
    answer = await api.client.post("/v1/events", content=content, auth=(await api.write_key(), ""), timeout=60)
    assert [item["id"] for item in answer.json()["items"]] == [f"many-{number}" for number in range(2_000)]
