"""What cannot be accepted is kept, listed, corrected and replayed, once."""

import base64
from typing import Any

import msgspec
import pytest

from aggregates.wire import touchpoint_decoder
from projections.dead_letters import table
from tests.api.conftest import Api
from tests.api.events import event, order

pytestmark = pytest.mark.engines


async def listed(api: Api) -> None:
    """Do what the stream processor does: write all of the topic into the table."""
    records = await api.records(api.world.topics.dead_letters)
    async with api.made.pool.connection() as connection:
        for _ in range(2):  # a record met twice changes nothing
            await table.apply(
                connection, [(record.partition, record.offset, record.key, record.value, record.headers) for record in records]
            )


async def refused(api: Api, key: str, content: Any) -> str:
    """Send what is refused; the id of its letter."""
    answer = await api.client.post("/v1/events", content=msgspec.json.encode(content), auth=(key, ""))
    assert answer.status_code == 422, answer.text
    return str(answer.json()["dead_letter"])


async def test_a_refused_event_is_listed_with_its_reason_and_its_bytes(api: Api) -> None:
    key, admin = await api.write_key("kept"), await api.token()
    sent = order("kept-1", total=12.5)
    letter = await refused(api, key, sent)
    await listed(api)
    page = (await api.client.get("/v1/dead-letters?source=kept", auth=(admin, ""))).json()
    assert [item["id"] for item in page["items"]] == [letter]
    assert page["items"][0]["reason"] == "wrong_money"
    assert page["items"][0]["pointer"] == "/data/total"
    assert page["items"][0]["status"] == "open"
    whole = (await api.client.get(f"/v1/dead-letters/{letter}", auth=(admin, ""))).json()
    assert msgspec.json.decode(whole["text"]) == sent
    assert base64.b64decode(whole["base64"]) == whole["text"].encode()


async def test_the_same_bad_bytes_sent_again_are_the_same_letter(api: Api) -> None:
    key, admin = await api.write_key("again"), await api.token()
    letters = {await refused(api, key, order("again-1", total=1)) for _ in range(3)}
    await listed(api)
    assert len(letters) == 1
    page = (await api.client.get("/v1/dead-letters?source=again", auth=(admin, ""))).json()
    assert len(page["items"]) == 1


async def test_personal_data_is_nowhere_in_the_clear(api: Api) -> None:
    key = await api.write_key("sealed")
    await refused(api, key, order("sealed-1", who={"phone": "09121112233"}, total=1))
    for record in await api.records(api.world.topics.dead_letters):
        assert b"9121112233" not in record.value
        assert all(b"9121112233" not in content for _, content in record.headers)


async def test_a_corrected_letter_is_replayed_once_under_its_source(api: Api) -> None:
    key, admin = await api.write_key("mended"), await api.token()
    letter = await refused(api, key, order("mended-1", total=12.5))
    await listed(api)
    still = await api.client.post(f"/v1/dead-letters/{letter}/replay", auth=(admin, ""))
    assert still.status_code == 422
    assert still.json()["type"] == "/problems/wrong_money"
    corrected = order("mended-1", total="12.50")
    first = await api.client.post(f"/v1/dead-letters/{letter}/replay", json=corrected, auth=(admin, ""))
    assert first.status_code == 200, first.text
    await listed(api)
    second = await api.client.post(f"/v1/dead-letters/{letter}/replay", auth=(admin, ""))
    assert second.json()["event_id"] == first.json()["event_id"]
    other = await api.client.post(f"/v1/dead-letters/{letter}/replay", json=order("mended-1", total="13.00"), auth=(admin, ""))
    assert other.status_code == 409
    touchpoints = [touchpoint_decoder.decode(record.value) for record in await api.records(api.world.topics.touchpoints)]
    assert [one.yektakey for one in touchpoints if one.id == "mended-1"] == ["mended"]
    whole = (await api.client.get(f"/v1/dead-letters/{letter}", auth=(admin, ""))).json()
    assert (whole["status"], whole["replayed_as"]) == ("replayed", first.json()["event_id"])


async def test_a_replay_without_a_time_of_its_own_keeps_the_time_of_the_refusal(api: Api) -> None:
    key, admin = await api.write_key("strict", strict=True), await api.token()
    timeless = event("timeless", type="web.unheard_of")
    del timeless["time"]
    letter = await refused(api, key, timeless)
    await listed(api)
    timeless["type"] = "web.page_viewed"
    answer = await api.client.post(f"/v1/dead-letters/{letter}/replay", json=timeless, auth=(admin, ""))
    assert answer.status_code == 200, answer.text
    recorded = (await api.client.get(f"/v1/dead-letters/{letter}", auth=(admin, ""))).json()["recorded"]
    (fact,) = [
        one
        for one in (touchpoint_decoder.decode(record.value) for record in await api.records(api.world.topics.touchpoints))
        if one.id == "timeless"
    ]
    assert msgspec.convert(recorded, type(fact.time)) == fact.time < fact.yektarecorded


async def test_pages_follow_one_another(api: Api) -> None:
    key, admin = await api.write_key("pages"), await api.token()
    sent = {await refused(api, key, order(f"page-{number}", total=1)) for number in range(5)}
    await listed(api)
    found: list[str] = []
    cursor = ""
    while True:
        page = (await api.client.get(f"/v1/dead-letters?source=pages&limit=2{cursor}", auth=(admin, ""))).json()
        found += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert len(found) == 5
    assert set(found) == sent


async def test_dead_letters_are_for_operators(api: Api) -> None:
    assert (await api.client.get("/v1/dead-letters", auth=(await api.write_key(), ""))).status_code == 403
    assert (await api.client.get("/v1/dead-letters", auth=(await api.token("agent"), ""))).status_code == 403
    assert (await api.client.get("/v1/dead-letters")).status_code == 401
