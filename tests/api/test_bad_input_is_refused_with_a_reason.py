"""Whatever comes in at the door, the answer is a problem that says what is wrong, and never a failure of the door."""

import asyncio
import gzip
import http.client
import json
import re
from contextlib import closing
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest
import structlog

from aggregates import dead_letter
from api import position, visibility
from api.body import REQUEST_BYTES
from tests.api.conftest import Api
from tests.api.events import event, order
from tests.api.serving import served

pytestmark = pytest.mark.engines

LARGE = "x" * (1 << 20)


async def posted(api: Api, content: bytes, **headers: str) -> httpx.Response:
    """What the door answers."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return await api.client.post("/v1/events", content=content, headers=names, auth=(await api.write_key("bad"), ""))


def is_problem(answer: httpx.Response, status: int, reason: str) -> dict[str, Any]:
    """The problem of an answer, which must be this one."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["type"] == f"/problems/{reason}"
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    return problem


@pytest.mark.parametrize(
    ("content", "status", "reason"),
    [
        (b"", 400, "not_json"),
        (b"   ", 400, "not_json"),
        (b"{", 400, "not_json"),
        (b"[{]", 400, "not_json"),
        (b"{} {}", 400, "not_json"),
        (b'{"id": NaN}', 400, "not_json"),
        (b'{"id": "\xff"}', 400, "not_json"),
        (b'{"id": "\\ud800", }', 400, "not_json"),
        (json.dumps(event(data={"url": "x", "t": "hi \ud83d"})).encode(), 422, "unusable_text"),
        (json.dumps(event(id="\ud83d")).encode(), 422, "unusable_text"),
        ("{}".encode("utf-16"), 400, "not_json"),
        (b"null", 422, "not_cloudevents"),
        (b"7", 422, "not_cloudevents"),
        (b'"event"', 422, "not_cloudevents"),
        (b"{}", 422, "not_cloudevents"),
        (b'{"specversion": "0.3", "id": "1", "source": "/s", "type": "t.t"}', 422, "not_cloudevents"),
        (b'{"a": 1e400}', 422, "not_cloudevents"),
        (b"1" * 5_000, 422, "unusable_number"),
        (b'{"a": ' + b"[" * 5000 + b"]" * 5000 + b"}", 422, "too_deep"),
        (b"[" * 5000, 422, "too_deep"),
        (msgspec.json.encode(event(id="")), 422, "wrong_value"),
        (msgspec.json.encode(event(time="2026-05-01T10:00:00")), 422, "wrong_time"),
        (msgspec.json.encode(event(time="yesterday")), 422, "wrong_time"),
        (msgspec.json.encode(event(source="/a\x00b")), 422, "unusable_text"),
        (msgspec.json.encode(event(data={"url": "x", "n": 1 << 70})), 422, "unusable_number"),
        (msgspec.json.encode(event(data=[1, 2])), 422, "wrong_type"),
        (msgspec.json.encode(event(data={"url": "x", "who": {"phone": "not a phone"}})), 422, "not_an_identifier"),
        (msgspec.json.encode(event(data={"url": "x", "note": LARGE})), 422, "too_large"),
        (msgspec.json.encode(order(total=12.5)), 422, "wrong_money"),
        (msgspec.json.encode(event(type="customer.moved")), 422, "type_not_allowed"),
    ],
)
async def test_what_cannot_be_accepted_is_kept_as_a_dead_letter(api: Api, content: bytes, status: int, reason: str) -> None:
    problem = is_problem(await posted(api, content), status, reason)
    letters = {dict(record.headers)["yekta_id"].decode() for record in await api.records(api.world.topics.dead_letters)}
    assert problem["dead_letter"] in letters


@pytest.mark.parametrize("number", [b"1e400", b"-1e400", b"1" * 400])
async def test_a_number_that_no_double_holds_is_pointed_at_and_its_event_known_by_its_id(api: Api, number: bytes) -> None:
    content = json.dumps(event(id="far", data={"url": "x", "deep": [{"n": "N"}]})).encode().replace(b'"N"', number)
    assert is_problem(await posted(api, content), 422, "unusable_number")["pointer"] == "/data/deep/0/n"
    answer = await api.client.post("/v1/events", content=b"[" + content + b"]", auth=(await api.write_key(), ""))
    (item,) = answer.json()["items"]
    assert (item["id"], item["reason"], item["pointer"]) == ("far", "unusable_number", "/data/deep/0/n")


async def test_another_format_that_says_so_is_an_unsupported_media_type(api: Api) -> None:
    is_problem(await posted(api, b"<event/>", content_type="application/xml"), 415, "not_json")
    is_problem(await posted(api, b"\x00\x01", content_type="application/cloudevents+avro"), 415, "not_json")


async def test_an_event_whose_headers_give_it_two_ids_has_none(api: Api) -> None:
    attributes = [("ce-specversion", "1.0"), ("ce-source", "/s"), ("ce-type", "web.page_viewed"), ("ce-id", "one"), ("ce-id", "two")]
    answer = await api.client.post("/v1/events", content=b'{"url": "x"}', headers=attributes, auth=(await api.write_key(), ""))
    assert is_problem(answer, 422, "wrong_value")["pointer"] == "/id"
    assert answer.json()["dead_letter"]


def twice(name: str, value: str, **further: Any) -> bytes:
    """An event that gives itself an attribute once more."""
    return json.dumps(event(**further)).encode()[:-1] + f', "{name}": "{value}"}}'.encode()


@pytest.mark.parametrize(("name", "value"), [("id", "other"), ("source", "/elsewhere"), ("type", "call.ended")])
async def test_an_event_that_contradicts_itself_is_refused_and_costs_no_other(api: Api, name: str, value: str) -> None:
    ambiguous, good = twice(name, value), json.dumps(event(id="good")).encode()
    assert is_problem(await posted(api, ambiguous), 422, "wrong_value")["pointer"] == f"/{name}"
    answer = await api.client.post("/v1/events", content=b"[" + ambiguous + b"," + good + b"]", auth=(await api.write_key(), ""))
    refused, accepted = answer.json()["items"]
    assert (refused["reason"], refused["pointer"], refused["id"]) == ("wrong_value", f"/{name}", None)
    assert (accepted["status"], accepted["id"]) == ("accepted", "good")


async def test_an_event_that_says_the_same_twice_or_twice_within_its_data_is_accepted(api: Api) -> None:
    within = json.dumps(event(id="within", data={"url": "x"})).encode().replace(b'"url": "x"', b'"url": "x", "url": "y"')
    for content in (twice("id", "same", id="same"), within):
        assert (await posted(api, content)).status_code == 200


async def test_broken_gzip_is_said_to_be_so_and_kept(api: Api) -> None:
    packed = gzip.compress(msgspec.json.encode(event()))
    for content in (packed[:-9], b"\x1f\x8b" + b"nonsense"):
        problem = is_problem(await posted(api, content), 415, "unreadable")
        letters = {dict(record.headers)["yekta_id"].decode() for record in await api.records(api.world.topics.dead_letters)}
        assert problem["dead_letter"] in letters


async def test_a_request_beyond_the_limit_is_refused_before_it_is_read(api: Api) -> None:
    is_problem(await posted(api, b"[" + b" " * REQUEST_BYTES + b"]"), 413, "too_large")


async def test_a_small_bomb_is_stopped_when_it_passes_the_limit(api: Api) -> None:
    bomb = gzip.compress(b"[" + b" " * (200 << 20) + b"]")
    assert len(bomb) < 300_000
    is_problem(await posted(api, bomb), 413, "too_large")


async def test_one_large_event_does_not_cost_its_neighbours(api: Api) -> None:
    answer = await posted(api, msgspec.json.encode([event("small"), event("large", data={"url": "x", "note": LARGE})]))
    assert [item["status"] for item in answer.json()["items"]] == ["accepted", "rejected"]
    assert answer.json()["items"][1]["reason"] == "too_large"


async def test_one_event_that_cannot_be_read_does_not_cost_its_neighbours(api: Api) -> None:
    deep = msgspec.json.encode(event("deep"))[:-1] + b', "x": ' + b"[" * 1100 + b"]" * 1100 + b"}"
    half = json.dumps(event("half", data={"url": "x", "t": ["hi \ud83d"]})).encode()
    bad = [half, deep, b'{"n": NaN}', b'{"id": "\\udc00", "source": "/s"}', b'{"id": "\xff"}']
    content = b"[" + b", ".join([msgspec.json.encode(event("before")), *bad, msgspec.json.encode(event("after"))]) + b"]"
    answer = await posted(api, content, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 200, answer.text
    items = answer.json()["items"]
    assert [item["status"] for item in items] == ["accepted", *["rejected"] * 5, "accepted"]
    assert [item["reason"] for item in items[1:-1]] == ["unusable_text", "too_deep", "not_json", "not_cloudevents", "not_json"]
    assert (items[1]["id"], items[1]["pointer"], items[4]["id"]) == ("half", "/data/t/0", None)
    wanted = [item["dead_letter"] for item in items[1:-1]]
    letters = [dead_letter.read(one.key, one.value, one.headers) for one in await api.records(api.world.topics.dead_letters)]
    kept = {str(one.id): one for one in letters if isinstance(one, dead_letter.DeadLetter)}
    async with api.made.pool.connection() as connection:
        await api.made.secrets.fetch(connection, [kept[id_].seal for id_ in wanted])
    assert [dead_letter.unearth(kept[id_], api.made.secrets) for id_ in wanted] == bad


async def test_a_strict_source_may_send_only_types_with_a_contract(api: Api) -> None:
    key = await api.write_key("strict", strict=True)
    is_problem(await api.client.post("/v1/events", json=event(type="web.unheard_of"), auth=(key, "")), 422, "unknown_type")


async def test_a_source_with_types_may_send_no_others(api: Api) -> None:
    key = await api.write_key("calls", types=("call.*",))
    is_problem(await api.client.post("/v1/events", json=event(), auth=(key, "")), 422, "type_not_allowed")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer"},
        {"authorization": "Bearer nonsense"},
        {"authorization": "Basic !!!"},
        {"authorization": "Basic bm9ib2R5Og=="},
        {"authorization": "Digest x"},
        {"cookie": "yekta_session=x.y.z"},
    ],
)
async def test_without_a_known_key_nothing_is_read(api: Api, headers: dict[str, str]) -> None:
    answer = await api.client.post("/v1/events", json=event(), headers=headers)
    is_problem(answer, 401, "unknown_key")
    assert answer.headers["www-authenticate"].startswith("Basic")


async def test_staff_do_not_speak_for_a_source(api: Api) -> None:
    is_problem(await api.client.post("/v1/events", json=event(), auth=(await api.token("admin"), "")), 403, "forbidden")


async def test_a_wrong_address_is_a_page_to_a_browser_and_a_problem_to_what_asks_the_api(api: Api) -> None:
    browser = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    sent = f"/requests/{uuid4()}/note"  # an address that is only sent to
    for path, status in (("/nowhere", 404), (f"/rate/{uuid4()}", 404), (f"/customers/{uuid4()}/nothing", 404), (sent, 405)):
        page = await api.client.get(path, headers=browser)
        assert (page.status_code, page.headers["content-type"], "اینجا چیزی نیست" in page.text) == (
            status,
            "text/html; charset=utf-8",
            True,
        )
        assert page.headers["content-security-policy"].startswith("default-src 'none'")
        assert (await api.client.get(path)).headers["content-type"] == "application/problem+json"
    is_problem(await api.client.get("/v1/nowhere", headers=browser), 404, "not_found")
    is_problem(await api.client.post("/nowhere", headers=browser), 404, "not_found")


async def test_the_frameworks_own_answers_are_problems_too(api: Api) -> None:
    assert "0912" not in is_problem(await api.client.get("/v1/customer/by/phone/09121234567"), 404, "not_found")["detail"]
    is_problem(await api.client.put("/v1/events"), 405, "method_not_allowed")
    token = await api.token()
    king = await api.client.post("/v1/keys", json={"role": "09121234567"}, auth=(token, ""))
    assert "0912" not in str(is_problem(king, 422, "invalid_request"))
    assert "0912" not in (await api.client.get("/v1/triggers/09121234567", auth=(token, ""))).text
    is_problem(await api.client.get("/v1/dead-letters?limit=0", auth=(token, "")), 422, "invalid_request")
    is_problem(await api.client.get("/v1/dead-letters?cursor=x", auth=(token, "")), 422, "invalid_request")
    is_problem(await api.client.get("/v1/customers?q=a&after=x", auth=(token, "")), 422, "invalid_request")
    is_problem(await api.client.get("/v1/customers/not-a-uuid", auth=(token, "")), 404, "not_found")


@pytest.mark.parametrize(
    "said", [b"FETCH / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00", b"GET /\xff HTTP/9\r\n\r\n", b"GET / HTTP/1.1\r\nno colon\r\n\r\n"]
)
async def test_what_is_no_http_is_told_so_as_a_problem_too(api: Api, said: bytes) -> None:
    async with served(api) as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        writer.write(said)
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    is_problem(httpx.Response(int(head.split()[1]), headers=headers, content=body), 400, "not_http")


async def test_whoever_sends_all_before_he_reads_is_told_too_why_nothing_was_taken(api: Api) -> None:
    key = await api.write_key()

    def told(url: str, key: str, size: int) -> int:
        with closing(http.client.HTTPConnection(httpx.URL(url).netloc.decode())) as connection:
            connection.request("POST", "/v1/events", b" " * size, {"Authorization": f"Bearer {key}", "Connection": "close"})
            return connection.getresponse().status

    async with served(api) as url:
        assert await asyncio.to_thread(told, url, key, 40 << 20) == 413
        assert await asyncio.to_thread(told, url, "nonsense", 9 << 20) == 401


async def test_who_hangs_up_in_the_middle_is_no_failure_of_the_door(api: Api) -> None:
    said = list[dict[str, Any]]()
    spoken = iter([{"type": "http.request", "body": b"[", "more_body": True}, {"type": "http.disconnect"}])

    async def hear() -> Any:
        return next(spoken)

    async def answer(message: Any) -> None:
        said.append(message)

    headers = [(b"authorization", f"Bearer {await api.write_key()}".encode())]
    scope = {"type": "http", "method": "POST", "path": "/v1/events", "http_version": "1.1", "query_string": b"", "headers": headers}
    with structlog.testing.capture_logs() as logged:
        await api.app(scope, hear, answer)
    assert ([message["status"] for message in said if "status" in message], logged) == ([400], [])


async def test_whatever_is_read_may_be_asked_for_its_head_alone(api: Api) -> None:
    admin = (await api.token(), "")
    for path in ("/healthz", "/metrics", "/docs", "/problems/not_found", "/asyncapi.json", "/v1/schemas", "/v1/keys"):
        whole, head = await api.client.get(path, auth=admin), await api.client.head(path, auth=admin)
        assert (head.status_code, head.headers["content-type"]) == (whole.status_code, whole.headers["content-type"])
    for path in ("/v1/signals/stream", "/?token=once"):  # it has no end; it is opened once, and not by who looks whether it is there
        assert (await api.client.head(path, auth=admin)).status_code == 405


async def test_nothing_has_a_name_with_nul_and_nothing_is_found_by_it(api: Api) -> None:
    token = await api.token()
    documented = api.app.openapi()["paths"]
    for path, operations in documented.items():
        if "get" not in operations:
            continue
        asked = operations["get"].get("parameters", ())
        named = any(one["in"] == "path" for one in asked)
        filled = re.sub(r"\{[^}]*\}", "%00", path)
        if named:
            is_problem(await api.client.get(filled, auth=(token, "")), 404, "not_found")
            continue
        for one in asked if not path.endswith("/stream") else ():
            answer = await api.client.get(f"{filled}?{one['name']}=%00", auth=(token, ""))
            assert answer.status_code < 500, (path, one["name"], answer.text)


@pytest.mark.parametrize(
    ("query", "body", "pointer"),
    [
        ("", b"[" * 10_000, ""),
        ("", b'{"a":' * 10_000 + b"1" + b"}" * 10_000, ""),
        ("?to=0001-01-01T00:00:00%2B14:00", b"{}", "/query/to"),
        ("?to=0001-01-01T00:00:00Z", b"{}", "/from"),
        ("", b'{"to": "0001-01-01T00:00:00Z"}', "/from"),
        ("", b'{"to": "0001-01-01T00:00:00+14:00"}', "/to"),
        ("", b'{"from": "2026-01-01T00:00:00"}', "/from"),
        ("", b'{"to": "yesterday"}', "/to"),
    ],
)
async def test_a_dry_run_that_makes_no_sense_is_refused_with_a_reason(api: Api, query: str, body: bytes, pointer: str) -> None:
    answer = await api.client.post(f"/v1/triggers/dry-run{query}", content=body, auth=(await api.token("marketer"), ""))
    assert (answer.status_code, answer.json()["pointer"]) == (422, pointer), answer.text


async def test_a_position_that_the_log_never_reached_is_told_from_one_that_is_not_visible_yet(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visibility, "LONGEST", 0.3)  # nobody works behind this door
    key, agent = await api.write_key("places"), await api.token("agent")
    at = await api.send(key, event("placed", data={"url": "u", "who": {"device": "d-placed"}}))
    ((partition, end),) = position.offsets(at).items()
    for after, status, reason in (
        (at, 504, "not_visible_yet"),
        (position.token({partition: end + 1_000}), 422, "invalid_request"),
        (position.token({partition: end, 9_999: 1}), 422, "invalid_request"),
        (position.token({partition: end + 1_000}, UUID(int=1)), 422, "invalid_request"),
    ):
        for path in ("/v1/customers?q=placed&", "/v1/dead-letters?"):
            answer = await api.client.get(f"{path}after={after}", auth=(agent if "customers" in path else await api.token(), ""))
            is_problem(answer, status, reason)
            assert answer.json().get("pointer") == (None if status == 504 else "/query/after")
