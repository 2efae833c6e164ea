"""Whoever asks for an erased customer is told so, by whatever way he asks; and what was his is nowhere any more."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest

from aggregates.sealing import KeyDestroyed, open_sealed
from aggregates.wire import customer_event_decoder, touchpoint_decoder
from infra import refolding, waiting
from infra.cli.erase import erase
from infra.master_key import master_key
from infra.sealing import KeyRing
from projections.contacts import tasks
from projections.erasure import scrubbing
from tests.api.conftest import Api, answered, serving, until, working
from tests.api.events import event
from tests.api.serving import served
from tests.conftest import World
from tests.streams.erased import traces

pytestmark = pytest.mark.engines

MARK, PHONE = "Unmistakable", "09581234567"


@pytest.fixture(scope="module")
async def api(shared_world: World) -> AsyncIterator[Api]:
    """The API with a worker that does not wait for what may still arrive."""
    async with serving(shared_world) as made, working(shared_world, environment={"YEKTA_ERASURE_REST": "0"}):
        yield made


async def a_life(api: Api) -> tuple[str, str, dict[str, Any], dict[str, Any]]:
    """Somebody with something of his in every place: his id, that of who became one with him, a dead letter's answer, and a request."""
    key, agent = await api.write_key(), await api.token("agent")
    who = {"phone": PHONE, "device": "d-erased"}
    first = await api.send(
        key,
        event("e1", type="web.identified", data={"who": who, "traits": {"name": MARK, "email": f"{MARK}@x.ir"}}),
        event("e2", type="call.ended", data={"call_id": "c-e", "note": f"{MARK} calls", "who": {"phone": PHONE}}),
        event(
            "e3",
            type="call.ended",
            data={"call_id": "c-e", "note": "of a neighbour", "who": {"phone": "09587654321", "customer_number": "n-1"}},
        ),
        event("e5", type="sales.visit_held", data={"visit_id": "v", "note": MARK, "who": {"customer_number": "erased-2"}}),
    )
    at = await api.send(key, event("e4", type="profile.reported", data={"who": {"customer_number": "erased-1"}, "traits": {"city": MARK}}))
    other = (await api.get(agent, "/v1/customers/by/customer_number/erased-1", after=at))["customer_id"]
    third = (await api.get(agent, "/v1/customers/by/customer_number/erased-2", after=first))["customer_id"]
    customer = (await api.get(agent, f"/v1/customers/by/phone/{PHONE}"))["customer_id"]
    for one in (other, third):
        merged = await api.client.post(f"/v1/customers/{customer}/merge", json={"with": one, "reason": MARK}, auth=(agent, ""))
        assert merged.status_code == 200, merged.text
        await api.get(agent, f"/v1/customers/{customer}", after=merged.json()["position"])
    stands = (await api.get(agent, f"/v1/customers/by/phone/{PHONE}"))["customer_id"]  # whoever of them was there first
    customer, other = stands, next(one for one in (other, customer) if one != stands)
    opened = {"who": {"phone": PHONE}, "title": MARK, "note": MARK}
    request = await api.client.post("/v1/service-requests", json=opened, auth=(agent, ""))
    assert request.status_code == 201, request.text
    wrapped = {"customer_id": customer, "outcome": "promised", "note": MARK, "promise": MARK}
    await api.client.post("/v1/calls/c-e/wrap-up", json=wrapped, auth=(agent, ""))
    bad = event("bad", type="sales.visit_held", source="/sales", data={"minutes": f"{MARK}", "who": {"phone": "+98 958 123 4567"}})
    letter = await api.client.post("/v1/events", json=bad, auth=(key, ""))
    await api.client.get(f"/v1/customers/{customer}", headers={"Yekta-Reason": MARK}, auth=(agent, ""))
    async with api.made.pool.connection() as connection:
        await tasks.put(connection, uuid4(), UUID(customer), "call", "winback", "spring", "marketing", uuid4())
        await connection.execute("UPDATE contacts.tasks SET note = %s", (MARK,))
        await connection.execute(
            "INSERT INTO contacts.deliveries (id, message, lane, type, rule, customer_id, body, state)"
            " VALUES (gen_random_uuid(), gen_random_uuid(), 'email', 'signal.given', 'r', %s, %s, 'failed')",
            (customer, f'{{"to": "{MARK}@x.ir"}}'.encode()),
        )
    await waiting.wait(api.world.settings, within=60)
    return customer, other, letter.json(), request.json()


async def done(api: Api, admin: str, receipt: dict[str, Any]) -> dict[str, Any]:
    """The receipt, once all of it is gone."""
    return dict(await answered(lambda: api.get(admin, f"/v1/erasures/{receipt['id']}"), lambda receipt: receipt["state"] == "done"))


async def readable(api: Api) -> str:
    """All that can be opened of the log with every key there is."""
    ring, found = KeyRing(master_key(api.world.settings)), []
    events: list[Any] = [touchpoint_decoder.decode(one.value) for one in await api.records(api.world.topics.touchpoints)]
    events += [customer_event_decoder.decode(one.value) for one in await api.records(api.world.topics.customer_events)]
    async with api.made.pool.connection() as connection:
        await ring.fetch(connection, {one.yektaseal for one in events})
        for letter in await api.records(api.world.topics.dead_letters):
            headers = dict(letter.headers)
            await ring.fetch(connection, [int(headers["yekta_seal"])])
            try:
                found.append(ring.unseal(int(headers["yekta_seal"]), letter.value, headers["yekta_id"]).decode())
            except KeyDestroyed:
                continue
    for one in events:
        try:
            found.append(msgspec.json.encode(open_sealed(one, ring)).decode())
        except KeyDestroyed:
            continue
    return " ".join(found)


async def told(url: str, token: str, customer: str, listening: asyncio.Event) -> str:
    """What an open stream of a customer says last."""
    heard = ""
    async with (
        asyncio.timeout(60),
        httpx.AsyncClient(base_url=url, timeout=60) as client,
        client.stream("GET", f"/v1/customers/{customer}/stream", auth=(token, "")) as answer,
    ):
        async for line in answer.aiter_lines():
            listening.set()
            heard = line.removeprefix("event: ") if line.startswith("event: ") else heard
    return heard


async def test_he_is_nowhere_any_more_and_every_way_to_him_says_why(api: Api) -> None:
    customer, other, letter, asked = await a_life(api)
    agent, admin, boss = await api.token("agent"), await api.token(), await api.token("supervisor")
    async with api.made.pool.connection() as connection:
        before = await traces(connection, MARK)
        await tasks.put(connection, uuid4(), UUID(other), "call", "winback", "spring", "marketing", uuid4())  # before they were one
    assert {"contacts.deliveries", "contacts.tasks", "service.requests", "decisions.events", "access.looks"} <= set(before)
    assert MARK in await readable(api)
    path, why = f"/v1/customers/{customer}/erase", {"why": "case 7"}
    assert (await api.client.post(path, json=why, auth=(boss, ""))).status_code == 403
    assert (await api.client.post(path, json={"why": " "}, auth=(admin, ""))).json()["pointer"] == "/why"
    preview = (await api.client.post(path, json=why | {"dry_run": True}, auth=(admin, ""))).json()
    assert preview["state"] == "preview"
    assert preview["events"] > 5
    assert preview["rows"]["service.requests"] == 1
    assert preview["rows"]["contacts.tasks"] == 2
    listening = asyncio.Event()
    async with served(api) as url:
        stream = asyncio.create_task(told(url, agent, customer, listening))
        await until(listening.is_set)
        answer = await api.client.post(path, json=why, auth=(admin, ""))
        assert await stream == "erased"
    assert answer.status_code == 200, answer.text
    receipt = await done(api, admin, answer.json())
    assert (receipt["customer_id"], receipt["why"], receipt["state"]) == (customer, "case 7", "done")
    assert receipt["events"] == preview["events"]
    assert receipt["rows"]["letters.letters"] == 1
    assert receipt["rows"]["contacts.tasks"] == preview["rows"]["contacts.tasks"]
    assert (await api.client.post(path, json={"why": "again"}, auth=(admin, ""))).json() == receipt
    assert (await api.get(admin, "/v1/erasures"))["items"] == [receipt]
    for one in (customer, other):
        for way in ("", "/timeline", "/stream", "/identity", "/score", "/decisions"):
            said = await api.get(agent, f"/v1/customers/{one}{way}", status=410)
            assert (said["type"], said["receipt"]) == ("/problems/customer_erased", f"/v1/erasures/{receipt['id']}")
    for way in (f"phone/{PHONE}", "device/d-erased", "customer_number/erased-1"):
        assert (await api.get(agent, f"/v1/customers/by/{way}", status=410))["receipt"].endswith(receipt["id"])
    neighbour = (await api.get(agent, "/v1/customers/by/phone/09587654321"))["customer_id"]
    account = (await api.client.post("/v1/accounts", json={"name": "acme"}, auth=(agent, ""))).json()["id"]
    for verb, body in (
        (f"accounts/{account}/join", {"customer_id": other}),
        (f"accounts/{account}/leave", {"customer_id": customer}),
        (f"customers/{neighbour}/merge", {"with": customer, "reason": "one"}),
        (f"customers/{other}/merge", {"with": neighbour, "reason": "one"}),
        (f"customers/{neighbour}/split", {"identifiers": [{"kind": "phone", "value": PHONE}]}),
    ):
        refused = await api.client.post(f"/v1/{verb}", json=body, auth=(agent, ""))
        assert (refused.status_code, refused.json().get("receipt")) == (410, f"/v1/erasures/{receipt['id']}"), verb
    why_one = await api.get(agent, f"/v1/customers/{neighbour}/identity", status=410, why=f"phone:{PHONE},phone:09587654321")
    assert why_one["receipt"].endswith(receipt["id"])
    requested = f"/v1/service-requests/{asked['id']}"
    assert (await api.get(agent, requested, status=410))["receipt"].endswith(receipt["id"])
    assert (await api.client.post(f"{requested}/note", json={"note": "late"}, auth=(agent, ""))).status_code == 410
    for words in (customer, other, asked["id"], asked["number"], f"#{asked['number']}"):
        assert (await api.get(agent, "/v1/customers", q=words, status=410))["receipt"].endswith(receipt["id"])
    assert (await api.get(agent, "/v1/customers", q=MARK))["items"] == []
    fate = await api.get(admin, "/v1/events/%2Fweb%2Fshop/e1")
    assert (fate["state"], fate["customer_id"]) == ("erased", None)
    assert (await api.client.get(f"/v1/dead-letters/{letter['dead_letter']}", auth=(admin, ""))).status_code in {200, 410}
    async with api.made.pool.connection() as connection:
        assert await traces(connection, MARK) == []
    assert MARK not in await readable(api)
    assert "of a neighbour" in await readable(api)
    items = (await api.get(agent, f"/v1/customers/{neighbour}/timeline"))["items"]
    assert [item["data"].get("note") for item in items] == ["of a neighbour"]
    assert (await refolding.verify(api.world.settings)).equal
    await refolding.rebuild(api.world.settings)
    assert (await refolding.verify(api.world.settings)).equal
    await api.get(agent, f"/v1/customers/{customer}", status=410)


@pytest.mark.parametrize("dry_run", [False, True])
def test_who_asks_again_while_it_is_under_way_waits_too_and_is_not_told_that_he_is_gone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], dry_run: bool
) -> None:
    receipt = {"id": "r", "customer_id": "c", "at": "09:00", "events": 1, "identifiers": 1, "keys": 0, "rows": {}}
    looks = iter([receipt | {"state": "erasing", "done_at": None}] * 2 + [receipt | {"state": "done", "done_at": "09:15"}])
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=next(looks)))
    monkeypatch.setattr("infra.cli.erase.api_", lambda *_: httpx.Client(base_url="http://yekta", transport=transport))
    monkeypatch.setattr("infra.cli.erase.LOOK", 0)
    erase("c", why="case 7", yes=True, dry_run=dry_run)
    said = capsys.readouterr().out
    assert ("gone since 09:15" in said) is not dry_run
    assert ("going since 09:00" in said) is dry_run


async def test_every_table_with_a_customer_in_it_says_what_an_erasure_does_with_it(api: Api) -> None:
    async with api.made.pool.connection() as connection:
        cursor = await connection.execute(
            "SELECT DISTINCT n.nspname || '.' || c.relname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
            " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE a.attname = 'customer_id' AND c.relkind IN ('r', 'p')"
            " AND NOT c.relispartition AND c.relpersistence <> 't' AND n.nspname NOT LIKE 'read\\_%'"
        )
        found = {row[0] for row in await cursor.fetchall()}
    assert found == {*scrubbing.OF_CUSTOMER, *scrubbing.KEPT}
