"""What analytics clients ask before they send, and what is told by a picture: with no other server than this."""

from base64 import b64encode

import msgspec
import pytest

from aggregates import dead_letter
from aggregates.dead_letter import DeadLetter
from aggregates.wire import touchpoint_decoder
from tests.api.conftest import Api

pytestmark = pytest.mark.engines

ORIGIN = {"Origin": "https://shop.example"}


async def test_a_browser_library_is_told_to_send_here(api: Api) -> None:
    key = await api.write_key()
    answer = await api.client.get(f"/v1/projects/{key}/settings", headers=ORIGIN)
    host = api.client.base_url
    told = answer.json()["integrations"]
    assert told == {"Segment.io": {"apiKey": key, "apiHost": f"{host.netloc.decode()}/v1", "protocol": host.scheme}}
    assert answer.headers["access-control-allow-origin"] == ORIGIN["Origin"]
    nobody = await api.client.get("/v1/projects/unknown/settings", headers=ORIGIN)
    assert (nobody.status_code, nobody.headers["access-control-allow-origin"]) == (401, ORIGIN["Origin"])


@pytest.mark.parametrize("path", ["/sourceConfig", "/sourceConfig/"])
async def test_a_source_is_enabled_for_whoever_has_its_key(api: Api, path: str) -> None:
    key = await api.write_key("app")
    for request in ({"auth": (key, "")}, {"params": {"writeKey": key}}):
        answer = await api.client.get(path, headers=ORIGIN, **request)
        told = answer.json()["source"]
        assert (told["id"], told["enabled"], told["destinations"]) == ("app", True, [])
    assert (await api.client.get(path, auth=("unknown", ""))).status_code == 401
    asked = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
    first = await api.client.options(path, headers=ORIGIN | asked)
    assert (first.status_code, first.headers["access-control-allow-headers"]) == (204, "authorization")
    assert "GET" in first.headers["access-control-allow-methods"]


async def test_a_picture_that_is_fetched_tells_what_happened(api: Api) -> None:
    key = await api.write_key("mails")
    said = {"writeKey": key, "userId": "u-1", "event": "Mail Opened", "messageId": "opened-1"}
    dotted = {"writeKey": key, "anonymousId": "d-1", "properties.url": "https://shop.example/", "messageId": "seen-1"}
    fetched: list[tuple[str, dict[str, str]]] = [
        ("/v1/pixel/track", {"data": b64encode(msgspec.json.encode(said)).decode()}),
        ("/pixel/v1/page", dotted),
        ("/pixel/v1/track", {"writeKey": key, "userId": "u-1", "messageId": "no-name"}),
    ]
    for path, query in fetched:
        answer = await api.client.get(path, params=query)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/gif")
        assert answer.headers["cache-control"] == "no-store"
    landed = [touchpoint_decoder.decode(record.value) for record in await api.records(api.world.topics.touchpoints)]
    assert {one.id: one.type for one in landed if one.source == "mails"} == {"opened-1": "web.mail_opened", "seen-1": "web.page_viewed"}
    letters = [dead_letter.read(one.key, one.value, one.headers) for one in await api.records(api.world.topics.dead_letters)]
    assert [letter.pointer for letter in letters if isinstance(letter, DeadLetter) and letter.source == "mails"] == ["/event"]


async def test_a_picture_without_a_key_is_none(api: Api) -> None:
    assert (await api.client.get("/v1/pixel/track", params={"userId": "u-1"})).status_code == 401
    unread = await api.client.get("/v1/pixel/track", params={"data": "zzzz", "writeKey": await api.write_key()})
    assert (unread.status_code, bool(unread.json()["dead_letter"])) == (400, True)
