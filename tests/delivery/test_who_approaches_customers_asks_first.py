"""People and other systems that approach customers ask before, are counted with our own contacts, and take calls and offers one by one."""

import asyncio
import csv
import io
from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest

from tests.api.conftest import answered
from tests.delivery.reaching import ONE_A_WEEK, Ground, hears
from tests.delivery.receiver import receiving

pytestmark = pytest.mark.engines


async def test_others_ask_first_and_are_counted(ground: Ground) -> None:
    put = await ground.api.client.put("/v1/contact-policy", content=ONE_A_WEEK, auth=(ground.token, ""))
    assert put.json() == {"version": 1, "state": "published"}
    phone = "+989121110004"
    await ground.visible(await ground.agrees(phone, "sms", "call"))
    ask: dict[str, Any] = {"request_id": "1", "who": {"phone": "09121110004"}, "channel": "sms"}

    async def check(**more: Any) -> dict[str, Any]:
        answer = await ground.api.client.post("/v1/contacts/check", json=ask | more, auth=(ground.key, ""))
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    first = await check()
    assert first["outcome"] == "allowed"
    assert (await check())["id"] == first["id"]
    many = await asyncio.gather(*(check(request_id=f"again-{n}", channel="call") for n in range(5)))
    assert {(one["outcome"], one["reason"]) for one in many} == {("refused", "cap all/7d")}
    decisions = await ground.api.get(ground.token, "/v1/decisions", customer=first["customer_id"], outcome="sent")
    assert [item["signal"] for item in decisions["items"]] == [first["id"]]
    wrong = await ground.api.client.put("/v1/contact-policy", content="caps:\n  - {chanels: all}\n", auth=(ground.token, ""))
    assert wrong.status_code == 422
    assert wrong.json()["errors"][0]["suggestion"] == "channels"
    shown = await ground.api.get(ground.token, "/v1/contact-policy")
    assert (shown["version"], shown["policy"]["caps"][0]["max"]) == (1, 1)


async def test_a_request_id_is_of_one_key_and_of_one_request(ground: Ground) -> None:
    assert (await ground.api.client.put("/v1/contact-policy", content=ONE_A_WEEK, auth=(ground.token, ""))).status_code == 200
    phone, other = "+989121110104", "+989121110105"
    for one in (phone, other):
        await ground.visible(await ground.agrees(one, "email", "call"))
    mina, reza = await ground.api.token("agent"), await ground.api.token("agent")
    ask: dict[str, Any] = {"request_id": "mine", "who": {"phone": phone}, "channel": "email"}

    async def check(token: str, **more: Any) -> tuple[int, dict[str, Any]]:
        answer = await ground.api.client.post("/v1/contacts/check", json=ask | more, auth=(token, ""))
        return answer.status_code, answer.json()

    first = await check(mina)
    assert first[1]["outcome"] == "allowed"
    refused = await check(reza, channel="call")
    assert (refused[1]["outcome"], refused[1]["reason"]) == ("refused", "cap all/7d")
    assert refused[1]["id"] != first[1]["id"]
    assert await check(mina) == first
    assert await check(mina, who={"email": f"{phone}@example.com"}) == first  # it is the same customer
    others: Sequence[dict[str, Any]] = (
        {"who": {"phone": other}},
        {"who": {"phone": "+989121110106"}},
        {"channel": "call"},
        {"purpose": "service"},
        {"contact": "x"},
    )
    for token, another in [(token, another) for token in (mina, ground.key) for another in others]:
        if token == ground.key:
            assert (await check(token))[0] == 200
        status, problem = await check(token, **another)
        assert (status, problem["type"], problem["pointer"]) == (422, "/problems/key_used", "/request_id"), another
    many = await asyncio.gather(*(check(mina, request_id="same", who={"phone": one}) for one in (phone, other) * 5))
    assert len({answer["customer_id"] for status, answer in many if status == 200}) == 1
    assert {status for status, _ in many} == {200, 422}
    paused = {"scope": "channel:call"}
    await ground.api.client.post("/v1/pauses", json=paused, auth=(ground.token, ""))
    meanwhile = await check(mina, request_id="meanwhile", channels=["call"])
    await ground.api.client.delete("/v1/pauses", params=paused, auth=(ground.token, ""))
    assert meanwhile[0] == 200
    assert await check(mina, request_id="meanwhile", channels=["call"]) == meanwhile  # it says the same, whichever channels are open


async def test_what_was_allowed_and_is_not_made_is_given_back(ground: Ground) -> None:
    assert (await ground.api.client.put("/v1/contact-policy", content=ONE_A_WEEK, auth=(ground.token, ""))).status_code == 200
    phone, other, first = "+989121110110", await ground.api.write_key("other-crm"), "back-1"
    await ground.visible(await ground.agrees(phone, "email"))

    async def ask(path: str, id_: str, key: str = ground.key) -> tuple[str, str | None]:
        wanted: dict[str, Any] = {"who": {"phone": phone}, "channel": "email"} if path == "check" else {}
        answer = await ground.api.client.post(f"/v1/contacts/{path}", json={"request_id": id_} | wanted, auth=(key, ""))
        told = answer.json()
        return (told["outcome"], told["reason"]) if answer.status_code == 200 else (told["type"], None)

    assert await ask("check", first) == ("allowed", None)
    assert await ask("check", "back-2") == ("refused", "cap all/7d")
    assert await ask("cancel", first, other) == ("/problems/not_found", None)  # nobody gives back what is another's
    assert set(await asyncio.gather(*(ask("cancel", first) for _ in range(4)))) == {("refused", "cancelled")}
    assert await ask("check", first) == ("refused", "cancelled")
    assert await ask("check", "back-3") == ("allowed", None)
    assert await ask("cancel", "back-2") == ("refused", "cap all/7d")
    assert await ask("check", "back-4") == ("refused", "cap all/7d")


async def test_a_call_is_taken_by_one_and_its_outcome_said(ground: Ground) -> None:
    agents = [await ground.api.token("agent") for _ in range(3)]
    await ground.rule("one-call", "shop.one_call", "call")
    await ground.agrees("+989121110019", "call")
    await ground.happens("shop.one_call", "+989121110019")
    await ground.delivery("one-call", "call", "sent")
    takes = [ground.api.client.post("/v1/call-list/take", auth=(agent, "")) for agent in agents]
    taken = [(agent, answer.json()["items"]) for agent, answer in zip(agents, await asyncio.gather(*takes), strict=True)]
    ((agent, (task,)),) = [(agent, items) for agent, items in taken if items]
    other = next(one for one in agents if one != agent)
    outcome = {"outcome": "answered", "note": "=cmd|' /C calc'!A0"}
    refused = await ground.api.client.post(f"/v1/call-list/{task['id']}/outcome", json=outcome, auth=(other, ""))
    assert refused.status_code == 409
    done = await ground.api.client.post(f"/v1/call-list/{task['id']}/outcome", json=outcome, auth=(agent, ""))
    assert done.json()["state"] == "done"
    again = await ground.api.client.post(f"/v1/call-list/{task['id']}/outcome", json=outcome, auth=(agent, ""))
    assert (again.status_code, again.json()) == (200, done.json())  # the answer was lost on its way
    for who, other_word in ((agent, outcome | {"outcome": "refused"}), (other, outcome)):
        late = await ground.api.client.post(f"/v1/call-list/{task['id']}/outcome", json=other_word, auth=(who, ""))
        assert (late.status_code, late.json()["type"]) == (409, "/problems/already_done")
    on_the_list = await ground.api.get(agent, "/v1/call-list")
    assert task["id"] not in [one["id"] for one in on_the_list["items"]]
    assert task["id"] not in (await ground.api.client.get("/v1/call-list.csv", auth=(ground.token, ""))).text  # a dialler would call again
    listed = (await ground.api.client.get("/v1/call-list.csv", params={"state": "done"}, auth=(ground.token, ""))).text
    assert "'=cmd" in listed
    rows = list(csv.DictReader(io.StringIO(listed)))
    assert [row["phone"] for row in rows if row["id"] == task["id"]] == ["'+989121110019"]
    log = await ground.api.get(ground.token, "/v1/access-log", customer=rows[0]["customer_id"])
    assert "call-list" in [look["what"] for look in log["items"]]
    responses = f"/v1/customers/{task['customer_id']}/responses"
    answers = (await answered(lambda: ground.api.get(agent, responses), lambda listed: listed["items"]))["items"]
    assert [(one["signal"], one["type"], one["channel"]) for one in answers] == [(task["signal"], "contact.answered", "call")]


async def test_the_call_list_has_a_byte_order_mark_for_whoever_asks_for_one(ground: Ground) -> None:
    found = {}
    for bom in (None, "false", "true", "1"):
        answer = await ground.api.client.get("/v1/call-list.csv", params={"bom": bom} if bom else {}, auth=(ground.token, ""))
        found[bom] = answer.content
    assert found["true"] == found["1"] == "\ufeff".encode() + found["false"]
    assert found["false"] == found[None]
    assert found[None].startswith(b"id,")
    refused = await ground.api.client.get("/v1/call-list.csv", params={"bom": "x"}, auth=(ground.token, ""))
    assert (refused.status_code, refused.json()["pointer"]) == (422, "/query/bom")


async def test_whoever_is_too_late_for_a_call_is_told_who_has_it(ground: Ground) -> None:
    agents = [await ground.api.token("agent") for _ in range(6)]
    await ground.rule("raced-call", "shop.raced_call", "call")
    await ground.agrees("+989121110107", "call")
    await ground.happens("shop.raced_call", "+989121110107")
    delivery = await ground.delivery("raced-call", "call", "sent")
    listed = (await ground.api.get(agents[0], "/v1/call-list", state="open"))["items"]
    (call,) = [task["id"] for task in listed if task["signal"] == delivery["signal"]]
    answers = await asyncio.gather(*(ground.api.client.post(f"/v1/call-list/{call}/take", auth=(agent, "")) for agent in agents))
    (taken,) = [answer.json()["taken_by"] for answer in answers if answer.status_code == 200]
    assert {answer.json()["detail"] for answer in answers if answer.status_code == 409} == {f"{taken} has it."}


async def test_a_call_is_asked_about_as_it_is_taken(ground: Ground) -> None:
    await ground.rule("to-call", "shop.to_call", "call")
    agent, phones = await ground.api.token("agent"), [f"+98912111001{number}" for number in range(4, 7)]

    async def waiting(signal: str) -> list[str]:
        tasks = (await ground.api.get(agent, "/v1/call-list", state="open"))["items"]
        return [task["id"] for task in tasks if task["signal"] == signal]

    calls = {}
    for phone in phones:
        await ground.agrees(phone, "call")
        await ground.happens("shop.to_call", phone)
        decision = await ground.decided(phone, "to-call", outcome="sent")
        (calls[phone],) = await answered(partial(waiting, decision["signal"]))
    for scope in ("channel:call", "rule:to-call", "everything"):
        await ground.pause(scope)
        refused = await ground.api.client.post(f"/v1/call-list/{calls[phones[0]]}/take", auth=(agent, ""))
        assert (refused.status_code, refused.json()["type"]) == (409, "/problems/has_to_wait")
        taken = (await ground.api.client.post("/v1/call-list/take", auth=(agent, ""))).json()["items"]
        assert calls[phones[0]] not in [task["id"] for task in taken]
        listed = (await ground.api.client.get("/v1/call-list.csv", params={"state": "open"}, auth=(ground.token, ""))).text
        assert calls[phones[0]] not in listed
        await ground.resume(scope)
    for phone in phones[1:]:
        await ground.withdraws(phone)
    async with receiving() as hook:
        lane = await ground.listens(hook)
        refused = await ground.api.client.post(f"/v1/call-list/{calls[phones[1]]}/take", auth=(agent, ""))
        assert (refused.status_code, refused.json()["type"]) == (409, "/problems/not_to_be_made")
        listed = (await ground.api.get(agent, "/v1/call-list", state="open"))["items"]
        assert [task["id"] for task in listed if task["rule"] == "to-call"] == [calls[phones[0]]]
        for phone in phones[1:]:
            await ground.decided(phone, "to-call", outcome="silent", reason="consent marketing/call")
        assert await hears(hook, "to-call", 2) == [("contact.silent", "consent marketing/call")] * 2
        await ground.leaves(lane)
    taken = (await ground.api.client.post(f"/v1/call-list/{calls[phones[0]]}/take", auth=(agent, ""))).json()
    assert taken["state"] == "taken"
    await ground.withdraws(phones[0])
    assert (await ground.api.client.post(f"/v1/call-list/{calls[phones[0]]}/take", auth=(agent, ""))).status_code == 200
    await ground.decided(phones[0], "to-call", outcome="sent")


async def test_an_offer_is_asked_about_as_it_is_shown(ground: Ground) -> None:
    await ground.rule("to-offer", "shop.to_offer", "in_app")
    seen, unseen = "+989121110017", "+989121110018"
    customers = dict[str, str]()

    async def offers(phone: str) -> list[str]:
        shown = await ground.api.get(ground.token, f"/v1/customers/{customers[phone]}/offers")
        return [task["rule"] for task in shown["items"]]

    await ground.pause("everything")
    for phone in (seen, unseen):
        await ground.agrees(phone, "in_app", "call")
        await ground.happens("shop.to_offer", phone)
        customers[phone] = (await ground.decided(phone, "to-offer", outcome="sent"))["customer_id"]
    await ground.resume("everything")
    waiting: dict[str, Any] = {"lane": "in_app", "rule": "to-offer", "state": "waiting"}
    await answered(lambda: ground.api.get(ground.token, "/v1/deliveries", **waiting), lambda listed: not listed["items"])
    await ground.pause("everything")
    assert await offers(seen) == []
    ask = {"request_id": "while-paused", "who": {"phone": seen}, "channel": "call"}
    answer = (await ground.api.client.post("/v1/contacts/check", json=ask, auth=(ground.key, ""))).json()
    assert (answer["outcome"], answer["reason"]) == ("refused", "paused")
    await ground.resume("everything")
    assert await offers(seen) == ["to-offer"]
    for phone in (seen, unseen):
        await ground.withdraws(phone)
        assert await offers(phone) == []
    await ground.decided(seen, "to-offer", outcome="sent")
    await ground.decided(unseen, "to-offer", outcome="silent", reason="consent marketing/in_app")
