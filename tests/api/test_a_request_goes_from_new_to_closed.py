"""Service requests as their users drive them: over HTTP, from the first call to resolved, each command once."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.api.conftest import Api
from tests.api.events import event

pytestmark = pytest.mark.engines

PHONE = {"phone": "0912 765 4321"}


async def post(api: Api, token: str, path: str, status: int = 200, key: str = "", **content: Any) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    answer = await api.client.post(f"/v1/service-requests{path}", json=content, auth=(token, ""), headers=headers)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_every_change_is_in_the_customers_timeline(live: Api) -> None:
    agent = (await live.made.keys.create("tests", role="agent", label="maryam")).secret
    await live.token("agent")  # the ring has both then
    opened = await post(live, agent, "", 201, who=PHONE, title="Parcel has not come", category="delivery", priority="high")
    assert (opened["state"], opened["sla"], opened["opened_by"]) == ("new", "ok", "maryam")
    path = f"/{opened['id']}"
    assert (await post(live, agent, f"{path}/take"))["owner"] == "maryam"
    due = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    await post(live, agent, f"{path}/promise", promise="A call by noon", due=due)
    assert (await post(live, agent, f"{path}/wait", note="A photo is to come."))["state"] == "waiting"
    assert (await post(live, agent, f"{path}/resume"))["state"] == "open"
    await post(live, agent, f"{path}/keep-promise", promise_id="1")
    await post(live, agent, f"{path}/resolve", note="Delivered.")
    await post(live, agent, f"{path}/rate", score=5)
    closed = await post(live, agent, f"{path}/close")
    assert (closed["state"], closed["sla"], closed["score"], closed["promises"][0]["state"]) == ("closed", "done", 5, "kept")
    assert closed["position"]
    customer = await live.get(agent, "/v1/customers/by/phone/09127654321", after=closed["position"])
    timeline = await live.get(agent, f"/v1/customers/{customer['customer_id']}/timeline")
    told = [(item["type"].partition(".")[2], item["ref"]) for item in reversed(timeline["items"])]
    assert [name for name, _ in told] == [
        *("request_opened", "request_changed", "request_promised", "request_waiting", "request_resumed", "promise_kept"),
        *("request_resolved", "satisfaction_asked", "request_rated", "request_closed"),
    ]
    assert {ref for _, ref in told} == {opened["number"]}
    assert timeline["items"][-1]["data"]["title"] == "Parcel has not come"
    shown = await live.get(agent, f"/v1/service-requests{path}")
    assert shown["customer_id"] == customer["customer_id"]
    assert len(shown["history"]) == 10
    fate = await live.get(agent, f"/v1/events/%2Fyekta%2Fservice/{opened['id']}.1", key="yekta")
    assert fate["state"] == "visible"


async def test_a_command_sent_twice_counts_once(live: Api) -> None:
    agent, key = await live.token("agent"), str(uuid4())
    first = await post(live, agent, "", 201, key, who=PHONE, title="Twice")
    again = await post(live, agent, "", 201, key, who=PHONE, title="Twice")
    assert again["id"] == first["id"]
    other = await post(live, agent, "", 422, key, who=PHONE, title="Something else")
    assert other["type"] == "/problems/key_used"
    for _ in range(2):
        noted = await post(live, agent, f"/{first['id']}/note", note="Called back.", request_id="note-1")
    assert noted["version"] == 2


async def test_refused_moves_are_clear(live: Api) -> None:
    agent = await live.token("agent")
    opened = await post(live, agent, "", 201, who=PHONE, title="A question")
    path = f"/{opened['id']}"
    closing = await post(live, agent, f"{path}/close", 409)
    assert closing["detail"] == f"Request {opened['number']} is new and cannot be closed: it would have to be resolved."
    assert closing["mend"]
    assert (await post(live, agent, f"{path}/promise", 422))["pointer"] == "/promise"
    assert (await post(live, agent, f"{path}/sing", 404))["detail"]
    assert (await post(live, agent, f"/{uuid4()}/take", 404))["status"] == 404
    assert (await post(live, agent, "", 422, title="For nobody"))["pointer"] == "/who"
    assert (await post(live, agent, "", 422, title="x", who={"phone": "12"}))["pointer"] == "/who/phone"
    assert (await post(live, agent, "", 422, title="x", who=PHONE, priority="soon"))["pointer"] == "/priority"
    for role in ("analyst", "partner", "marketer"):
        await post(live, await live.token(role), "", 403, who=PHONE, title="x")


async def test_who_comes_second_is_told_who_took_it(live: Api) -> None:
    first, second = [(await live.made.keys.create("tests", role="agent", label=name)).secret for name in ("leyla", "omid")]
    await live.token("agent")  # the ring has both then
    opened = await post(live, first, "", 201, who=PHONE, title="Wanted by two")
    path = f"/{opened['id']}"
    entered = await live.client.post("/sign-in", data={"token": second}, headers={"sec-fetch-site": "same-origin"})
    live.client.cookies.clear()
    headers = {"cookie": f"yekta_language=fa; yekta_session={entered.cookies['yekta_session']}", "sec-fetch-site": "same-origin"}
    page, take = f"/requests{path}", f'formaction="/requests{path}/take"'
    assert take in (await live.client.get(page, headers=headers)).text
    await post(live, first, f"{path}/take")
    assert "leyla already" in (await post(live, second, f"{path}/take", 409))["detail"]
    late = await live.client.post(f"{page}/take", data={"draft": "stale"}, headers=headers)
    assert (late.status_code, "سپرده شده است" in late.text, take in late.text) == (409, True, False)
    assert (await post(live, second, f"{path}/assign", owner="omid"))["owner"] == "omid"
    assert (await post(live, second, f"{path}/assign", owner=""))["owner"] == ""
    assert take in (await live.client.get(page, headers=headers)).text
    assert (await post(live, first, f"{path}/take"))["owner"] == "leyla"


@pytest.mark.parametrize("blank", [" ", "\u3000\n", "\n"])
async def test_what_nobody_would_see_is_no_title_and_no_owner(live: Api, blank: str) -> None:
    agent, boss = await live.token("agent"), await live.token("supervisor")
    path = f"/{(await post(live, agent, '', 201, who=PHONE, title='Seen'))['id']}"
    for way, wanted in (
        ("", {"who": PHONE, "title": blank}),
        ("", {"who": PHONE, "title": "Seen", "owner": blank}),
        (f"{path}/change", {"title": blank}),
        (f"{path}/assign", {"owner": blank}),
    ):
        refused = await post(live, agent, way, 422, **wanted)
        assert refused["pointer"] == ("/owner" if "owner" in wanted else "/title"), refused
    assert (await post(live, agent, f"{path}/assign", owner="maryam"))["owner"] == "maryam"
    assert (await post(live, agent, f"{path}/assign", owner=""))["owner"] == ""
    article = await live.client.post("/v1/articles", json={"title": blank, "body": "Ask first."}, auth=(boss, ""))
    assert (article.status_code, article.json()["pointer"]) == (422, "/title")


async def test_duplicates_become_one(live: Api) -> None:
    agent = await live.token("agent")
    one = await post(live, agent, "", 201, who=PHONE, title="Parcel", call_ids=["c-1"])
    two = await post(live, agent, "", 201, who=PHONE, title="Parcel again", call_ids=["c-2"], order_ids=["o-1"])
    gone = await post(live, agent, f"/{two['id']}/merge", into=one["id"])
    assert (gone["state"], gone["merged_into"]) == ("closed", one["id"])
    stays = await live.get(agent, f"/v1/service-requests/{one['id']}")
    assert (stays["calls"], stays["orders"], stays["merged"]) == (["c-1", "c-2"], ["o-1"], [two["id"]])
    await post(live, agent, f"/{two['id']}/reopen", 409)
    await post(live, agent, f"/{one['id']}/merge", 422, into=two["id"])


async def test_lists_go_by_owner_queue_and_due_time(live: Api) -> None:
    agent, admin = await live.token("agent"), await live.token("admin")
    queue = f"q-{uuid4().hex[:8]}"
    made = [
        await post(live, agent, "", 201, who=PHONE, title=f"{number}", queue=queue, priority=priority)
        for number, priority in enumerate(("low", "urgent", "normal"))
    ]
    await post(live, agent, f"/{made[0]['id']}/assign", owner="reza")
    found: list[str] = []
    cursor: dict[str, Any] = {}
    while True:
        page = await live.get(agent, "/v1/service-requests", queue=queue, limit="2", **cursor)
        found += [item["title"] for item in page["items"]]
        assert len(found) <= len(made)
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert found == ["1", "2", "0"]
    assert [item["title"] for item in (await live.get(agent, "/v1/service-requests", queue=queue, owner="reza"))["items"]] == ["0"]
    assert (await live.get(agent, "/v1/service-requests", queue=queue, sla="late"))["items"] == []
    board = await live.get(admin, "/v1/service-requests/board")
    (standing,) = [one for one in board["queues"] if one["name"] == queue]
    assert (standing["live"], standing["unowned"], standing["late"]) == (3, 2, 0)
    await live.get(agent, "/v1/service-requests/board", status=403)


async def test_a_request_follows_whoever_its_identifier_belongs_to(live: Api) -> None:
    agent, key = await live.token("agent"), await live.write_key("crm")
    opened = await post(live, agent, "", 201, who={"phone": "09120009988"}, title="Mine")
    at = await live.send(key, event("known-1", type="profile.reported", source="/crm", data={"who": {"email": "b@x.ir"}, "traits": {}}))
    other = (await live.get(agent, "/v1/customers/by/email/b@x.ir", after=at))["customer_id"]
    both = {"email": "b@x.ir", "phone": "09120009988"}
    at = await live.send(key, event("known-2", type="profile.reported", source="/crm", data={"who": both, "traits": {}}))
    owner = (await live.get(agent, "/v1/customers/by/email/b@x.ir", after=at))["customer_id"]
    listed = (await live.get(agent, "/v1/service-requests", customer=owner, state="live"))["items"]
    assert [item["id"] for item in listed] == [opened["id"]]
    assert other
