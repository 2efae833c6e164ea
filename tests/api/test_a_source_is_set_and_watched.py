"""What is set of a source holds at once; what arrives from it is seen, counted and shown as it lands."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest

from aggregates import access
from aggregates.source import Source
from api.limits import Limits
from api.problem import Problem
from infra.limiting import Sharing
from tests.api.conftest import Api, answered, until
from tests.api.events import event, order
from tests.api.serving import served

pytestmark = pytest.mark.engines


async def configured(api: Api, name: str, **settings: Any) -> dict[str, Any]:
    """Set it so; the door that answered knows."""
    answer = await api.client.post(f"/v1/sources/{name}/configure", json=settings, auth=(await api.token(), ""))
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


async def test_settings_hold_for_every_key_at_once(api: Api) -> None:
    first, second = await api.write_key("set"), await api.write_key("set")
    shown = await configured(api, "set", strict=True, types=["web.*", "own.*"], rate=1000, currency="irr")
    assert (shown["settings"]["strict"], shown["settings"]["rate"], shown["settings"]["currency"]) == (True, 1000, "IRR")
    assert shown["keys"] == 2
    for key in (first, second):
        refused = await api.client.post("/v1/events", json=order("set"), auth=(key, ""))
        assert (refused.status_code, refused.json()["type"]) == (422, "/problems/type_not_allowed")
        strict = await api.client.post("/v1/events", json=event("set-2", type="own.thing"), auth=(key, ""))
        assert (strict.status_code, strict.json()["type"]) == (422, "/problems/unknown_type")
    wrong = await api.client.post("/v1/sources/set/configure", json={"types": ["web"]}, auth=(await api.token(), ""))
    assert (wrong.status_code, "like web.*" in wrong.json()["detail"]) == (422, True)
    await configured(api, "set", strict=False, types=[])
    later = await api.write_key("set")
    assert (await api.client.post("/v1/events", json=event("set-3", type="own.thing"), auth=(later, ""))).status_code == 200


async def test_those_who_set_a_source_at_the_same_time_are_all_heard(api: Api) -> None:
    await api.write_key("both")
    admin = await api.token()
    wanted: list[dict[str, Any]] = [{"rate": 5}, {"currency": "IRR"}, {"types": ["web.*"]}]
    answers = await asyncio.gather(*(api.client.post("/v1/sources/both/configure", json=one, auth=(admin, "")) for one in wanted))
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    settings = (await api.client.get("/v1/sources/both", auth=(admin, ""))).json()["settings"]
    assert (settings["rate"], settings["currency"], settings["types"]) == (5, "IRR", ["web.*"])


async def test_a_disabled_source_is_answered_403_at_both_doors_until_it_is_enabled(api: Api) -> None:
    key, admin = await api.write_key("off"), await api.token()
    answer = await api.client.post("/v1/sources/off/disable", json={"reason": "It sends nonsense."}, auth=(admin, ""))
    assert (answer.json()["disabled"], answer.json()["disabled_because"]) == (True, "It sends nonsense.")
    for path, content in (("/v1/events", event("off")), ("/v1/track", {"event": "X", "userId": "u"})):
        refused = await api.client.post(path, json=content, auth=(key, ""))
        assert (refused.status_code, refused.json()["type"]) == (403, "/problems/source_disabled")
    assert (await api.client.get("/v1/sources/off", auth=(key, ""))).status_code == 200
    await api.client.post("/v1/sources/off/enable", auth=(admin, ""))
    assert (await api.client.post("/v1/events", json=event("off"), auth=(key, ""))).status_code == 200


@pytest.mark.parametrize("path", ["/v1/events", "/v1/batch"])
async def test_a_source_that_sends_too_much_is_told_how_long_to_wait(api: Api, path: str) -> None:
    name = f"much-{path.rpartition('/')[2]}"
    key = await api.write_key(name)
    await configured(api, name, rate=0.5)
    items = [event(f"{name}-{n}") for n in range(5)] if path == "/v1/events" else {"batch": [{"type": "track", "event": "X"}] * 5}
    assert (await api.client.post(path, json=items, auth=(key, ""))).status_code == 200
    answer = await api.client.post(path, json=items, auth=(key, ""))
    assert (answer.status_code, answer.json()["type"]) == (429, "/problems/too_many")
    assert 8 <= int(answer.headers["retry-after"]) <= 11
    await configured(api, name, rate=0)
    assert (await api.client.post(path, json=items, auth=(key, ""))).status_code == 200


async def test_two_doors_hold_a_rate_together(api: Api) -> None:
    source, now = Source("both", rate=10), api.made.clock()
    here, there = Limits(), Limits()
    mine, theirs = Sharing(here, api.made.pool), Sharing(there, api.made.pool)
    here.charge(source, 50, now)
    there.charge(source, 1, now)
    there.admit(source, now)
    await mine.once()
    for _ in range(2):  # what was heard once is not charged again
        await theirs.once()
        with pytest.raises(Problem) as refused:
            there.admit(source, now)
        assert refused.value.headers["Retry-After"] == "5"
    await mine.once()
    with pytest.raises(Problem):
        here.admit(source, now + timedelta(seconds=4))
    here.admit(source, now + timedelta(seconds=6))


async def test_a_request_beyond_the_sources_size_is_too_large(api: Api) -> None:
    key = await api.write_key("small")
    await configured(api, "small", size=2000)
    assert (await api.client.post("/v1/events", json=[event("s")], auth=(key, ""))).status_code == 200
    large = {"writeKey": key, "batch": [{"type": "track", "event": "X", "properties": {"text": "x" * 2000}}]}
    for path, request in (("/v1/events", {"json": [event("s", data={"url": "u" * 2000})], "auth": (key, "")}), ("/v1/b", {"json": large})):
        assert (await api.client.post(path, **request)).status_code == 413


async def test_what_a_test_source_sends_is_marked(api: Api) -> None:
    key = await api.write_key("trial")
    await configured(api, "trial", test=True)
    await api.client.post("/v1/events", json=event("trial-1"), auth=(key, ""))
    records = [msgspec.json.decode(record.value) for record in await api.records(api.world.topics.touchpoints)]
    assert [record["yektasimulated"] for record in records if record["id"] == "trial-1"] == [True]


@pytest.mark.parametrize(
    ("settings", "status"),
    [
        ({"rate": -1}, 422),
        ({"currency": "TOMAN"}, 422),
        ({"zone": "Nowhere"}, 422),
        ({"zone": "Asia"}, 422),
        ({"clock": "x"}, 422),
        ({"speed": 1}, 422),
        ({"size": 1e9}, 422),
    ],
)
async def test_what_makes_no_sense_is_not_set(api: Api, settings: dict[str, Any], status: int) -> None:
    await api.write_key("nonsense")
    answer = await api.client.post("/v1/sources/nonsense/configure", json=settings, auth=(await api.token(), ""))
    assert answer.status_code == status, answer.text


async def test_two_keys_of_a_source_live_while_one_is_changed_for_the_other(api: Api) -> None:
    key, admin = await api.write_key("turning"), await api.token()
    shown = (await api.client.get("/v1/sources/turning", auth=(key, ""))).json()
    held = shown["live_keys"][0]
    made = (await api.client.post(f"/v1/keys/{held['id']}/rotate", json={"grace_seconds": 600}, auth=(admin, ""))).json()["secret"]
    await until(lambda: api.made.ring.of_secret(made) is not None)
    for secret in (key, made):
        assert (await api.client.post("/v1/events", json=event("turning"), auth=(secret, ""))).status_code == 200
    assert len((await api.client.get("/v1/sources/turning", auth=(made, ""))).json()["live_keys"][0]["secrets"]) == 2


async def test_a_source_that_was_made_with_a_slash_is_found_and_set(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "fits_an_address", lambda _: True)
    key, admin = await api.write_key("../a/b"), await api.token()
    path = "/v1/sources/..%2Fa%2Fb"
    assert (await api.client.get(path, auth=(key, ""))).json()["name"] == "../a/b"
    set_ = await api.client.post(f"{path}/configure", json={"rate": 5}, auth=(admin, ""))
    assert (set_.status_code, set_.json()["settings"]["rate"]) == (200, 5)
    for verb in ("disable", "enable"):
        assert (await api.client.post(f"{path}/{verb}", auth=(admin, ""))).json()["disabled"] is (verb == "disable")
    assert (await api.client.get("/sources/..%2Fa%2Fb", auth=(admin, ""))).status_code == 200


async def test_who_may_look(api: Api) -> None:
    key, other, agent = await api.write_key("mine"), await api.write_key("theirs"), await api.token("agent")
    for path in ("/v1/sources/mine", "/v1/sources/mine/tail"):
        assert (await api.client.get(path, auth=(other, ""))).status_code == 404
        assert (await api.client.get(path, auth=(agent, ""))).status_code == 403
    shown = (await api.client.get("/v1/sources/mine", auth=(key, ""))).json()
    assert all(key in lines for lines in shown["snippets"].values())
    assert f"-b {api.world.endpoints.bootstrap_servers} -t {api.world.topics.inbox}" in shown["snippets"]["kcat"]
    assert set(shown["snippets"]) == {"curl", "python", "node", "browser", "kcat"}
    admin = await api.token()
    assert (await api.client.get("/v1/sources/nobody", auth=(admin, ""))).status_code == 404
    assert (await api.client.post("/v1/sources/nobody/disable", auth=(admin, ""))).status_code == 404
    assert "$KEY" in (await api.client.get("/v1/sources/mine", auth=(admin, ""))).json()["snippets"]["curl"]


async def lines(stream: httpx.Response) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """The events of a stream."""
    name = ""
    async for line in stream.aiter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, msgspec.json.decode(line.removeprefix("data: "))


async def test_what_arrives_is_counted_and_shown_as_it_lands(live: Api) -> None:
    key, other, admin = await live.write_key("tailed"), await live.write_key("another"), await live.token()
    async with (
        asyncio.timeout(60),
        served(live) as url,
        httpx.AsyncClient(base_url=url, timeout=30) as client,
        client.stream("GET", "/v1/sources/tailed/tail", auth=(key, "")) as stream,
    ):
        heard = lines(stream)
        assert (await anext(heard))[0] == "ready"
        await live.send(other, event("not-mine"))
        at = await live.send(key, event("first"))
        name, told = await anext(heard)
        assert (name, told["id"], told["type"], told["identifiers"]) == ("accepted", "first", "web.page_viewed", ["device", "phone"])
        assert "1234567" not in str(told)
        await live.client.post("/v1/events", json=[order("bad", total=5), event("second")], auth=(key, ""))
        told = dict([await anext(heard), await anext(heard)])
        assert told["accepted"]["id"] == "second"
        assert (told["refused"]["reason"], told["refused"]["pointer"]) == ("wrong_money", "/data/total")
    await live.get(admin, "/v1/customers", q="nobody", after=at)
    shown = await answered(  # counts follow the log
        lambda: live.get(admin, "/v1/sources/tailed"), lambda shown: (shown["events"], shown["rejected"]) == (2, 1)
    )
    assert [(one["type"], one["events"]) for one in shown["types"]] == [("web.page_viewed", 2)]
    assert shown["rate"] == pytest.approx(2 / 60, abs=0.001)
    assert shown["last_event_at"] is not None
    assert [(one["reason"], one["pointer"], one["count"]) for one in shown["violations"]] == [("wrong_money", "/data/total", 1)]
    listed = (await live.client.get("/v1/sources", auth=(admin, ""))).json()["items"]
    assert [one["events"] for one in listed if one["name"] == "tailed"] == [2]
    assert [one["name"] for one in listed] == sorted(one["name"] for one in listed)
