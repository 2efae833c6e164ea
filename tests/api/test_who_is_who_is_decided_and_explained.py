"""People see why a customer is one, make two one, take it back, and ask for what would come of it before."""

from typing import Any

import pytest

from tests.api.conftest import Api
from tests.api.events import event

pytestmark = pytest.mark.engines


async def decide(live: Api, token: str, path: str, status: int = 200, **asked: Any) -> Any:
    """What the API answers to a command."""
    answer = await live.client.post(path, json=asked, auth=(token, ""))
    assert answer.status_code == status, answer.text
    return answer.json()


def page(id_: str, **who: Any) -> dict[str, Any]:
    """A page view of whoever these identifiers name."""
    return event(id_, data={"url": "https://shop.example/", "who": who})


def known(view: Any) -> Any:
    """What is known of a customer, without what says when it was looked at."""
    return {name: value for name, value in view.items() if name not in {"at", "position", "windows", "customer_id", "merged_from"}}


async def test_a_merge_by_a_person_can_be_seen_explained_and_taken_back(live: Api) -> None:
    key, agent = await live.write_key("merging"), await live.token("agent")
    at = await live.send(
        key, page("m1", phone="09121110001"), page("m2", phone="09121110001", device="md1"), page("m3", email="m@x.ir", device="md2")
    )
    one = await live.get(agent, "/v1/customers/by/phone/09121110001", after=at)
    other = await live.get(agent, "/v1/customers/by/email/m@x.ir")
    merge = f"/v1/customers/{one['customer_id']}/merge"
    preview = await decide(live, agent, merge + "?preview=true", **{"with": other["customer_id"]})
    assert preview["dry_run"]
    assert preview["event_id"] is None
    merged = await decide(live, agent, merge, **{"with": other["customer_id"], "reason": "he said so"})
    winner = await live.get(agent, f"/v1/customers/{merged['customer_id']}", after=merged["position"])
    assert winner["events"] == 3
    (loser,) = merged["merged"]
    answer = await live.client.get(f"/v1/customers/{loser}", auth=(agent, ""))
    assert answer.json()["merged_from"] == loser
    assert answer.headers["location"] == f"/v1/customers/{merged['customer_id']}"

    why = await live.get(agent, f"/v1/customers/{loser}/identity", why="phone:0912 111 0001,email:M@x.ir")
    assert why["merged_from"] == loser
    assert [link["rule"] for link in why["why"]] == ["person"]
    assert {shown["value"] for shown in why["identifiers"]} == {"+989121110001", "m@x.ir", "md1", "md2"}
    assert [step["what"] for step in why["history"]] == ["founded", "joined"]

    split = f"/v1/customers/{winner['customer_id']}/split"
    asked: Any = {"identifiers": [{"kind": "email", "value": "m@x.ir"}]}
    preview = await decide(live, agent, split + "?preview=true", **asked)
    assert (preview["stay"]["events"], preview["go"]["events"]) == (2, 1)
    assert {shown["value"] for shown in preview["go"]["identifiers"]} == {"m@x.ir", "md2"}
    done = await decide(live, agent, split, **asked)
    apart = await live.get(agent, "/v1/customers/by/email/m@x.ir", after=done["position"])
    assert known(apart) == known(other)
    assert apart["customer_id"] == other["customer_id"]
    assert known(await live.get(agent, f"/v1/customers/{one['customer_id']}")) == known(one)


async def test_evidence_never_joins_again_what_a_person_split(live: Api) -> None:
    key, agent = await live.write_key("splitting"), await live.token("agent")
    at = await live.send(key, page("s1", phone="09121110002"), page("s2", email="s@x.ir"), page("s3", phone="09121110002", email="s@x.ir"))
    one = await live.get(agent, "/v1/customers/by/phone/09121110002", after=at)
    assert one["events"] == 3
    explained = await live.get(agent, f"/v1/customers/{one['customer_id']}/identity", why="phone:09121110002,email:s@x.ir")
    (link,) = explained["why"]
    assert (link["rule"], link["type"]) == ("named_together", "web.page_viewed")
    done = await decide(live, agent, f"/v1/customers/{one['customer_id']}/split", event=link["event_id"])
    again = await live.send(key, page("s4", phone="09121110002", email="s@x.ir"))
    by_phone = await live.get(agent, "/v1/customers/by/phone/09121110002", after=done["position"])
    by_email = await live.get(agent, "/v1/customers/by/email/s@x.ir", after=again)
    assert by_phone["customer_id"] != by_email["customer_id"]
    assert (by_phone["events"], by_email["events"]) == (1, 3)


async def test_what_cannot_be_decided_is_said(live: Api) -> None:
    key, agent, analyst = await live.write_key("wrong"), await live.token("agent"), await live.token("analyst")
    at = await live.send(key, page("w1", phone="09121110003"))
    one = await live.get(agent, "/v1/customers/by/phone/09121110003", after=at)
    path = f"/v1/customers/{one['customer_id']}"
    assert (await decide(live, agent, f"{path}/merge", 409, **{"with": one["customer_id"]}))["type"] == "/problems/already_one"
    assert (await decide(live, agent, f"{path}/split", 409, identifiers=[]))["type"] == "/problems/nothing_to_split"
    nobody = "6f1c1d3e-7a35-5d0e-9a53-7d1f3c6b2a10"
    assert (await decide(live, agent, f"{path}/merge", 422, **{"with": nobody}))["pointer"] == "/with"
    assert (await decide(live, agent, f"/v1/customers/{nobody}/split", 404, identifiers=[]))["title"] == "Not found"
    await decide(live, analyst, f"{path}/merge", 403, **{"with": nobody})
    seen = await live.get(analyst, f"{path}/identity")
    assert seen["identifiers"][0]["value"] == "•••0003"
