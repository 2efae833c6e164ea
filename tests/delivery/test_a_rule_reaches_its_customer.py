"""From a published rule to the customer: event, signal, decision, channel; asked about once more as it goes out."""

import asyncio
import csv
import io
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import msgspec
import pytest
from psycopg import AsyncConnection

from infra.settings import DeliverySettings, EmailSettings
from streams.sending import RETRIES
from tests.api.conftest import answered, serving, working
from tests.conftest import World
from tests.delivery.mail import mail_server
from tests.delivery.reaching import Ground, heard, hears
from tests.delivery.receiver import receiving

pytestmark = pytest.mark.engines

ONE_A_WEEK = "policy: contact\ncaps:\n  - {channels: all, max: 1, within: 7d}\n"
MESSAGES = """
spring: {sms: {text: "سلام $name"}, email: {subject: "بهار", text: "سلام $name، خوش آمدید"}}
"""


@pytest.fixture(scope="module")
async def ground(shared_world: World, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ground]:
    messages = tmp_path_factory.mktemp("messages") / "messages.yaml"
    messages.write_text(MESSAGES, "utf-8")
    async with receiving() as gateway, receiving() as hooks, mail_server() as mail:
        environment = {
            "YEKTA_DELIVERY__ALLOW": "127.0.0.1",
            "YEKTA_DELIVERY__MESSAGES": str(messages),
            "YEKTA_SMS__URL": f"http://127.0.0.1:{gateway.port}/v1/KEY/verify/lookup.json?receptor={{to}}",
            "YEKTA_SMS__BODY": "token={text}&template={contact}",
            "YEKTA_EMAIL__HOST": "127.0.0.1",
            "YEKTA_EMAIL__PORT": str(mail.port),
            "YEKTA_EMAIL__STARTTLS": "false",
            "YEKTA_EMAIL__SENDER": "shop@example.com",
            "YEKTA_API__ADDRESS": "https://desk.a-long-name-of-a-shop.example",
        }
        delivery, email = DeliverySettings(allow="127.0.0.1", messages=messages), EmailSettings(host="127.0.0.1")
        settings = shared_world.settings.model_copy(update={"delivery": delivery, "email": email})
        world = replace(shared_world, settings=settings)
        async with serving(world) as api, working(world, environment=environment):
            yield Ground(api, await api.token(), await api.write_key("shop"), gateway, mail, hooks)


async def test_each_channel_brings_it_and_the_webhook_tells_of_it(ground: Ground) -> None:
    registered = {"url": ground.hooks.url, "types": ["contact.sent", "signal.fired"]}
    assert (await ground.api.client.post("/v1/webhooks", json=registered, auth=(ground.token, ""))).status_code == 201
    for channel in ("sms", "email", "call"):
        await ground.rule(f"by-{channel}", f"shop.looked_{channel}", channel)
    phone = "+989121110001"
    await ground.agrees(phone, "sms", "email", "call")
    await ground.happens("profile.reported", phone, traits={"name": "سارا"})
    for channel in ("sms", "email", "call"):
        await ground.happens(f"shop.looked_{channel}", phone)
        await ground.decided(phone, f"by-{channel}", outcome="sent", channel=channel)
    (sms,) = await ground.gateway.until(1)
    assert sms.path == "/v1/KEY/verify/lookup.json?receptor=%2B989121110001"
    assert sms.body == b"token=%D8%B3%D9%84%D8%A7%D9%85%20%D8%B3%D8%A7%D8%B1%D8%A7&template=spring"
    letter = await ground.mail.first()
    assert (letter["To"], letter["Subject"]) == ("+989121110001@example.com", "بهار")
    assert "سارا" in letter.get_content()
    assert letter["Content-Transfer-Encoding"] == "base64"  # the server was not asked whether it takes other bytes
    listed = await answered(lambda: ground.api.get(ground.token, "/v1/call-list", state="open"), lambda listed: listed["items"])
    assert listed["items"][0]["contact"] == "spring"
    posts = [msgspec.json.decode(post.body) for post in await ground.hooks.until(6)]
    assert sorted({post["data"]["rule"] for post in posts if post["type"] == "contact.sent"}) == ["by-call", "by-email", "by-sms"]


async def test_a_contact_that_nobody_wrote_a_text_for_is_hinted_at_before_anybody_reads_its_name(ground: Ground) -> None:
    rule = "rule: unwritten\nwhen: {count: a.b, at_least: 1, within: 1h}\ndo: {contact: sprng, prefer: [call, email]}\n"
    for text, expected in ((rule, [(3, "/do/contact", "no_text")]), (rule.replace("sprng", "spring"), [])):
        draft = await ground.api.client.post("/v1/triggers", content=text, auth=(ground.token, ""))
        assert [(one["line"], one["pointer"], one["code"]) for one in draft.json().get("hints", ())] == expected


async def test_without_consent_there_is_silence_and_its_reason(ground: Ground) -> None:
    await ground.rule("unasked", "shop.unasked", "sms")
    await ground.happens("shop.unasked", "+989121110002")
    decision = await ground.decided("+989121110002", "unasked", outcome="silent")
    assert decision["reason"] == "consent marketing/sms"


async def test_consent_withdrawn_while_it_waits_is_heard_as_it_goes_out(ground: Ground) -> None:
    await ground.rule("changed-mind", "shop.changed", "sms")
    await ground.pause("channel:sms")
    phone, before = "+989121110003", len(ground.gateway.posts)
    await ground.agrees(phone, "sms")
    async with receiving() as hook:
        lane = await ground.listens(hook)
        await ground.happens("shop.changed", phone)
        await hears(hook, "changed-mind", 1)
        await ground.withdraws(phone)
        await ground.resume("channel:sms")
        decision = await ground.decided(phone, "changed-mind", outcome="silent")
        assert decision["reason"] == "consent marketing/sms"
        assert len(ground.gateway.posts) == before
        told = await ground.delivery("changed-mind", lane, "sent", "contact.silent")
        assert heard(hook, "changed-mind") == [("contact.sent", None), ("contact.silent", "consent marketing/sms")]
        items = (await ground.api.get(ground.token, "/v1/deliveries", rule="changed-mind", lane=lane))["items"]
        assert [item["id"] for item in items if item["type"] == "contact.silent"] == [told["id"]]
        await ground.leaves(lane)


async def test_who_is_told_of_a_contact_that_only_he_can_make_is_told_when_it_may_be_made(ground: Ground) -> None:
    await ground.rule("by-push", "shop.pushed", "push")
    phones = ["+989121110011", "+989121110012"]
    for phone in phones:
        await ground.agrees(phone, "push")
    async with receiving() as hook:
        lane = await ground.listens(hook)
        await ground.pause("channel:push")
        await ground.happens("shop.pushed", phones[0])
        await ground.decided(phones[0], "by-push", outcome="sent", channel="push")
        waits = await ground.delivery("by-push", lane, "waiting")
        await asyncio.sleep(1.5)  # longer than between two looks
        assert (await ground.api.get(ground.token, f"/v1/deliveries/{waits['id']}"))["attempts"] == 0
        await ground.withdraws(phones[0])
        await ground.resume("channel:push")
        await ground.decided(phones[0], "by-push", outcome="silent", reason="consent marketing/push")
        assert await hears(hook, "by-push", 1) == [("contact.silent", "consent marketing/push")]
        await ground.happens("shop.pushed", phones[1])
        await hears(hook, "by-push", 2)
        sent = await ground.delivery("by-push", lane, "sent")
        await ground.withdraws(phones[1])
        await ground.api.client.post(f"/v1/deliveries/{sent['id']}/resend", auth=(ground.token, ""))
        await answered(lambda: ground.api.get(ground.token, f"/v1/deliveries/{sent['id']}"), lambda one: one["state"] == "silent")
        await ground.decided(phones[1], "by-push", outcome="sent")
        await ground.leaves(lane)


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


async def test_what_was_tried_for_days_counts_no_more_and_counts_again_when_somebody_has_it_sent(
    ground: Ground, shared_world: World
) -> None:
    assert (await ground.api.client.put("/v1/contact-policy", content=ONE_A_WEEK, auth=(ground.token, ""))).is_success
    await ground.rule("in-vain", "shop.in_vain", "sms")
    await ground.pause("channel:sms")
    phone = "+989121110096"
    await ground.agrees(phone, "sms", "call")
    await ground.happens("shop.in_vain", phone)
    waits = await ground.delivery("in-vain", "sms", "waiting")
    resend = f"/v1/deliveries/{waits['id']}/resend"
    await ground.api.client.post(resend, auth=(ground.token, ""))  # it is only hurried
    async with await AsyncConnection.connect(shared_world.dsn, autocommit=True) as connection:
        await connection.execute("UPDATE contacts.deliveries SET attempts = %s WHERE id = %s", (len(RETRIES), waits["id"]))
    answers, ground.gateway.answers = ground.gateway.answers, lambda _: (503, "")
    await ground.resume("channel:sms")
    assert (await ground.delivery("in-vain", "sms", "failed"))["status"] == 503
    await ground.decided(phone, "in-vain", outcome="silent", reason="undelivered sms")
    ground.gateway.answers = answers
    await ground.api.client.post(resend, auth=(ground.token, ""))
    await ground.delivery("in-vain", "sms", "sent")
    async with await AsyncConnection.connect(shared_world.dsn, autocommit=True) as connection:
        found = await connection.execute("SELECT resends FROM contacts.deliveries WHERE id = %s", (waits["id"],))
        assert await found.fetchone() == (1,)
    await ground.decided(phone, "in-vain", outcome="sent", channel="sms")
    ask = {"request_id": "after-days", "who": {"phone": phone}, "channel": "call"}
    answer = (await ground.api.client.post("/v1/contacts/check", json=ask, auth=(ground.key, ""))).json()
    assert (answer["outcome"], answer["reason"]) == ("refused", "cap all/7d")


async def test_what_is_held_goes_out_when_a_new_policy_has_shorter_quiet_hours(ground: Ground) -> None:
    local = datetime.now(UTC)
    begun, soon, late = [(local + timedelta(hours=hours)).strftime("%H:00") for hours in (0, 2, 5)]

    async def quiet(to: str) -> None:
        hours = f'zone: UTC\nquiet: {{from: "{begun}", to: "{to}"}}\n' if to else ""
        put = await ground.api.client.put("/v1/contact-policy", content=f"policy: contact\n{hours}", auth=(ground.token, ""))
        assert put.is_success, put.text

    await ground.rule("by-night", "shop.by_night", "sms")
    phone = "+989121110095"
    await ground.agrees(phone, "sms")
    await quiet(late)
    await ground.happens("shop.by_night", phone)
    held = await ground.decided(phone, "by-night", outcome="held", reason="quiet")
    assert datetime.fromisoformat(held["until"]).strftime("%H:%M") == late
    await quiet(soon)
    await answered(lambda: ground.decided(phone, "by-night", outcome="held"), lambda held: held["until"][11:16] == soon)
    await quiet("")
    await ground.decided(phone, "by-night", outcome="sent", channel="sms")
    assert (await ground.api.client.put("/v1/contact-policy", content=ONE_A_WEEK, auth=(ground.token, ""))).is_success


async def test_who_has_no_address_was_not_approached_and_it_does_not_count(ground: Ground) -> None:
    await ground.rule("unreachable", "shop.unreachable", "email")
    phone = "+989121110009"
    for type_, data in (("consent.given", {"purpose": "marketing", "channels": ["email", "call"]}), ("shop.unreachable", {})):
        await ground.happens(type_, phone, **data, who={"phone": phone})
    failed = await ground.delivery("unreachable", "email", "failed")
    assert failed["error"] == "no e-mail address of the customer is known"
    await ground.decided(phone, "unreachable", outcome="silent", reason="address email")
    ask = {"request_id": "not-approached", "who": {"phone": phone}, "channel": "call"}
    answer = (await ground.api.client.post("/v1/contacts/check", json=ask, auth=(ground.key, ""))).json()
    assert (answer["outcome"], answer["reason"]) == ("allowed", None)


async def test_whose_address_is_refused_for_good_was_not_approached_and_it_does_not_count(ground: Ground) -> None:
    assert (await ground.api.client.put("/v1/contact-policy", content=ONE_A_WEEK, auth=(ground.token, ""))).is_success
    await ground.rule("refused", "shop.refused", "email")
    phone, who = "+989121110010", {"phone": "+989121110010", "email": "gone.away@example.com"}
    await ground.happens("consent.given", phone, purpose="marketing", channels=["email", "call"], who=who)
    await ground.happens("shop.refused", phone, who=who)
    failed = await ground.delivery("refused", "email", "failed")
    assert (failed["error"], failed["status"]) == ("the mail server refused the address", 550)
    await ground.decided(phone, "refused", outcome="silent", reason="address email")
    ask = {"request_id": "refused-for-good", "who": {"phone": phone}, "channel": "call"}
    answer = (await ground.api.client.post("/v1/contacts/check", json=ask, auth=(ground.key, ""))).json()
    assert (answer["outcome"], answer["reason"]) == ("allowed", None)


async def test_what_a_mail_server_refuses_for_what_stands_in_it_did_not_reach_him_and_does_not_count(ground: Ground) -> None:
    assert (await ground.api.client.put("/v1/contact-policy", content=ONE_A_WEEK, auth=(ground.token, ""))).is_success
    await ground.rule("unread", "shop.unread", "email")
    phone, who = "+989121110080", {"phone": "+989121110080", "email": "takes.no.such@example.com"}
    await ground.happens("consent.given", phone, purpose="marketing", channels=["email", "call"], who=who)
    await ground.happens("shop.unread", phone, who=who)
    failed = await ground.delivery("unread", "email", "failed")
    assert (failed["error"], failed["status"]) == ("the mail server answered 554", 554)
    await ground.decided(phone, "unread", outcome="silent", reason="refused email")
    ask = {"request_id": "refused-for-content", "who": {"phone": phone}, "channel": "call"}
    answer = (await ground.api.client.post("/v1/contacts/check", json=ask, auth=(ground.key, ""))).json()
    assert (answer["outcome"], answer["reason"]) == ("allowed", None)


async def test_what_reached_him_stays_a_contact_whatever_a_resend_comes_to(ground: Ground) -> None:
    await ground.rule("reached", "shop.reached", "sms")
    phone, before = "+989121110013", len(ground.gateway.posts)
    await ground.agrees(phone, "sms", "call")
    await ground.happens("shop.reached", phone)
    sent = await ground.delivery("reached", "sms", "sent")
    await ground.withdraws(phone, "sms")
    await ground.api.client.post(f"/v1/deliveries/{sent['id']}/resend", auth=(ground.token, ""))
    refused = await ground.delivery("reached", "sms", "silent")
    assert (refused["id"], refused["error"]) == (sent["id"], "consent marketing/sms")
    await ground.decided(phone, "reached", outcome="sent", channel="sms")
    assert len(ground.gateway.posts) == before + 1
    ask = {"request_id": "after-a-resend", "who": {"phone": phone}, "channel": "call"}
    answer = (await ground.api.client.post("/v1/contacts/check", json=ask, auth=(ground.key, ""))).json()
    assert (answer["outcome"], answer["reason"]) == ("refused", "cap all/7d")


async def test_a_receipt_is_of_the_contact_that_it_names_and_of_no_other(ground: Ground) -> None:
    assert (await ground.api.client.put("/v1/contact-policy", content="policy: contact\n", auth=(ground.token, ""))).is_success
    phone, sent = "+989121110108", {}
    await ground.agrees(phone, "email")
    for name in ("earlier", "later"):
        await ground.rule(name, f"shop.{name}", "email")
        await ground.happens(f"shop.{name}", phone)
        sent[name] = (await ground.decided(phone, name, outcome="sent"))["signal"]
        assert sent[name] in (await ground.mail.first())["Message-ID"]
    of_another = {"signal": "<k8-17@gateway.example>", "channel": "email"}
    await ground.happens("contact.opened", phone, **of_another)
    await ground.happens("contact.clicked", phone, signal=f"<{sent['earlier']}@shop.example>")
    await ground.happens("contact.answered", phone, channel="email")
    customer = (await ground.api.get(ground.token, f"/v1/customers/by/phone/{phone}"))["customer_id"]
    responses = f"/v1/customers/{customer}/responses"
    found = await answered(lambda: ground.api.get(ground.token, responses), lambda listed: len(listed["items"]) >= 2)
    assert {(one["type"], one["signal"]) for one in found["items"]} == {
        ("contact.clicked", sent["earlier"]),
        ("contact.answered", sent["later"]),
    }


async def test_who_answers_a_contact_without_saying_who_he_is_is_whom_it_was_made_to(ground: Ground) -> None:
    phone = "+989121110109"
    await ground.agrees(phone, "email")
    await ground.rule("unnamed", "shop.unnamed", "email")
    await ground.happens("shop.unnamed", phone)
    signal = (await ground.decided(phone, "unnamed", outcome="sent"))["signal"]
    await ground.mail.first()
    events = [
        {"specversion": "1.0", "id": f"{type_}-{named}", "source": "/mail", "type": type_, "data": {"signal": named, "channel": "email"}}
        for type_, named in (("contact.opened", signal), ("contact.clicked", f"<{signal}@{'a-very-long-name.' * 4}example.com>"))
    ]
    nobodys = events[0] | {"id": "nobodys", "data": {"signal": "2446bfd3-bc4f-5d3e-902d-051a32ac3ee4"}}
    after = await ground.api.send(ground.key, *events, nobodys)
    customer = (await ground.api.get(ground.token, f"/v1/customers/by/phone/{phone}", after=after))["customer_id"]
    found = (await ground.api.get(ground.token, f"/v1/customers/{customer}/responses"))["items"]
    assert sorted((one["type"], one["signal"]) for one in found) == [("contact.clicked", signal), ("contact.opened", signal)]
    source = quote("/mail", safe="")
    told = await ground.api.get(ground.token, f"/v1/events/{source}/nobodys")
    assert told["state"] == "unattributed"


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


async def test_a_resolved_request_asks_its_customer_and_his_answer_is_a_fact(ground: Ground) -> None:
    written = (Path(__file__).parents[2] / "docs" / "service.md").read_text("utf-8")
    rule = next(part.partition("```")[0] for part in written.split("```yaml\n") if part.startswith("rule: how-content"))
    assert (await ground.api.client.post("/v1/triggers", content=rule, auth=(ground.token, ""))).is_success
    assert (await ground.api.client.post("/v1/triggers/how-content/publish", auth=(ground.token, ""), timeout=60)).is_success
    phone, before = "+989121110077", len(ground.gateway.posts)
    await ground.happens("consent.given", phone, purpose="service", channels=["sms"])
    agent = await ground.api.token("agent")
    opened = await ground.api.client.post("/v1/service-requests", json={"who": {"phone": phone}, "title": "Late"}, auth=(agent, ""))
    path = f"/v1/service-requests/{opened.json()['id']}"
    assert (await ground.api.client.post(f"{path}/resolve", auth=(agent, ""))).is_success
    await ground.decided(phone, "how-content", outcome="sent", channel="sms")
    asked = (await ground.gateway.until(before + 1))[-1]
    found = re.search(r"/rate/[-\w]+/[-\w]+", unquote(asked.body.decode()))
    assert found
    link = found[0]
    assert (await ground.api.client.get(link)).status_code == 200
    assert (await ground.api.client.post(link[:-2] + "xx", data={"score": "1"})).status_code == 404
    thanked = await ground.api.client.post(link, data={"score": "4", "note": "Fast"})
    assert thanked.status_code == 200, thanked.text
    shown = await ground.api.get(agent, path)
    assert (shown["score"], shown["history"][-1]["by"]) == (4, "customer")
    path = f"/v1/customers/{shown['customer_id']}/timeline"
    timeline = await answered(lambda: ground.api.get(agent, path, type="service.request_rated"), lambda shown: shown["items"])
    assert timeline["items"][0]["data"]["score"] == 4


async def test_whoever_wants_no_more_letters_ends_them_by_one_press_of_his_mail_program(ground: Ground) -> None:
    await ground.rule("to-letter", "shop.to_letter", "email")
    phone = "+989121110078"
    await ground.agrees(phone, "sms", "email")
    await ground.happens("shop.to_letter", phone)
    sent = await ground.decided(phone, "to-letter", outcome="sent")
    letter = await ground.mail.first(to=f"{phone}@example.com")
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    found = re.fullmatch(r"<https://desk\.a-long-name-of-a-shop\.example(/unsubscribe/\S+)>", letter["List-Unsubscribe"])
    assert found
    press = {"List-Unsubscribe": "One-Click"}
    assert (await ground.api.client.get(found[1])).status_code == 200
    for other in (found[1][:-2] + "xx", found[1].replace("/email/", "/sms/")):
        assert (await ground.api.client.post(other, data=press)).status_code == 404
    timeline = f"/v1/customers/{sent['customer_id']}/timeline"
    assert (await ground.api.get(ground.token, timeline, type="consent.withdrawn"))["items"] == []
    assert (await ground.api.client.post(found[1], data=press)).status_code == 200
    withdrawn = await answered(lambda: ground.api.get(ground.token, timeline, type="consent.withdrawn"), lambda shown: shown["items"])
    assert [(one["data"]["purpose"], one["data"]["channels"]) for one in withdrawn["items"]] == [("marketing", ["email"])]
    served = "rule: to-serve\nwhen: {count: shop.to_serve, at_least: 1, within: 1h}\ndo: {contact: x, purpose: service, prefer: [email]}\n"
    assert (await ground.api.client.post("/v1/triggers", content=served, auth=(ground.token, ""))).is_success
    assert (await ground.api.client.post("/v1/triggers/to-serve/publish", auth=(ground.token, ""), timeout=60)).is_success
    await ground.happens("consent.given", "+989121110079", purpose="service")
    await ground.happens("shop.to_serve", "+989121110079")
    letter = await ground.mail.first(to="+989121110079@example.com")
    assert letter["List-Unsubscribe"] is None  # what serves him is no list
    ask = {"request_id": "after-letters", "who": {"phone": phone}, "channel": "email"}
    answer = (await ground.api.client.post("/v1/contacts/check", json=ask, auth=(ground.key, ""))).json()
    assert (answer["outcome"], answer["reason"]) == ("refused", "consent marketing/email")


async def test_what_a_rule_brought_is_counted_against_those_kept_out_of_it_once_their_time_is_over(ground: Ground) -> None:
    await ground.rule("half", "shop.half", "call", holdout=50)
    phones = [f"+98912111{number:04d}" for number in range(20, 40)]
    for phone in phones:
        await ground.agrees(phone, "call")
    for phone in phones:
        await ground.happens("shop.half", phone)
    decided = {phone: await ground.decided(phone, "half") for phone in phones}
    kept_out = [phone for phone in phones if decided[phone]["reason"] == "holdout"]
    approached = [phone for phone in phones if decided[phone]["outcome"] == "sent"]
    assert len(kept_out) + len(approached) == len(phones)
    assert kept_out
    assert approached
    for phone in (*approached[::2], kept_out[0]):
        await ground.visible(await ground.happens("shop.came_back", phone))
    wanted: dict[str, Any] = {"rule": "half", "goal": "shop.came_back"}
    waits = await ground.api.get(ground.token, "/v1/decisions/uplift", within="14d", **wanted)
    assert (waits["contacted"]["of"], waits["held_out"]["of"], waits["waiting"], waits["uplift"]) == (0, 0, len(phones), None)
    span, back = 0, (len(approached[::2]), 1)

    async def uplift() -> Any:
        """Of a span that is over for all of them; the next is longer, until who came back did so within it."""
        nonlocal span
        found = await ground.api.get(ground.token, "/v1/decisions/uplift", within=f"{span + 1}s", **wanted)
        span += not found["waiting"]
        return found

    found = await answered(uplift, lambda found: not found["waiting"] and (found["contacted"]["did"], found["held_out"]["did"]) == back)
    assert (found["contacted"]["of"], found["held_out"]["of"]) == (len(approached), len(kept_out))
    assert found["uplift"] == pytest.approx(len(approached[::2]) / len(approached) - 1 / len(kept_out))
