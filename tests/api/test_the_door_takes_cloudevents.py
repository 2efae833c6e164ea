"""POST /v1/events, in every shape a CloudEvent may have."""

from typing import Any

import msgspec
import pytest

from aggregates.wire import touchpoint_decoder
from tests.api.conftest import Api

pytestmark = pytest.mark.engines


def event(id_: str = "1", **changes: Any) -> dict[str, Any]:
    """A page view."""
    return {
        "specversion": "1.0",
        "id": id_,
        "source": "/web/shop",
        "type": "web.page_viewed",
        "time": "2026-05-01T10:00:00+03:30",
        "data": {"url": "https://shop.example/", "who": {"device": "d-1", "phone": "0912 123 4567"}},
    } | changes


async def test_a_structured_event_is_accepted_and_in_the_log(api: Api) -> None:
    key = await api.write_key()
    answer = await api.client.post("/v1/events", json=event("structured"), auth=(key, ""))
    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] == "accepted"
    assert answer.headers["yekta-position"] == answer.json()["position"]
    found = [touchpoint_decoder.decode(record.value) for record in await api.records(api.world.topics.touchpoints)]
    assert [one.yektaevent for one in found if one.id == "structured"] == [answer.json()["event_id"]]
    assert b"912" not in b"".join(record.value for record in await api.records(api.world.topics.touchpoints))


async def test_a_batch_is_answered_item_by_item_in_order(api: Api) -> None:
    key = await api.write_key()
    sent = [event("a"), event("b", type=""), "nonsense", event("c")]
    answer = await api.client.post("/v1/events", content=msgspec.json.encode(sent), headers={"authorization": f"Bearer {key}"})
    assert answer.status_code == 200, answer.text
    assert [item["status"] for item in answer.json()["items"]] == ["accepted", "rejected", "rejected", "accepted"]
