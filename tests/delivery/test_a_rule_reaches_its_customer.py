"""From a published rule to the customer: event, signal, decision, channel; asked about once more as it goes out."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from psycopg import AsyncConnection

from streams.sending import RETRIES
from tests.api.conftest import answered
from tests.conftest import World
from tests.delivery.reaching import ONE_A_WEEK, Ground, heard, hears
from tests.delivery.receiver import receiving

pytestmark = pytest.mark.engines


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
    assert sms.body.startswith(b"token=%D8%B3%D9%84%D8%A7%D9%85%20%D8%B3%D8%A7%D8%B1%D8%A7&template=spring&localid=")
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


async def test_what_was_put_off_as_it_was_to_leave_leaves_when_a_new_policy_lets_it(ground: Ground, shared_world: World) -> None:
    begun, soon, late = [(datetime.now(UTC) + timedelta(hours=hours)).strftime("%H:00") for hours in (0, 2, 5)]

    async def quiet(to: str) -> None:
        hours = f'zone: UTC\nquiet: {{from: "{begun}", to: "{to}"}}\n' if to else ""
        put = await ground.api.client.put("/v1/contact-policy", content=f"policy: contact\n{hours}", auth=(ground.token, ""))
        assert put.is_success, put.text

    async def hour_of(id_: str) -> str:
        shown = await ground.api.get(ground.token, f"/v1/deliveries/{id_}")
        return datetime.fromisoformat(shown["due"]).strftime("%H:%M") if shown["error"] == "quiet" else ""

    async def asked() -> tuple[str, str | None]:
        ask = {"request_id": "put-off", "who": {"phone": phone}, "channel": "sms"}
        answer = (await ground.api.client.post("/v1/contacts/check", json=ask, auth=(ground.key, ""))).json()
        return answer["outcome"], answer["until"] and datetime.fromisoformat(answer["until"]).strftime("%H:%M")

    async def take(call: str) -> int:
        return (await ground.api.client.post(f"/v1/call-list/{call}/take", auth=(ground.token, ""))).status_code

    await quiet("")
    phone = "+989121110094"
    await ground.agrees(phone, "sms", "call")
    for channel in ("sms", "call"):
        await ground.rule(f"put-off-{channel}", f"shop.put_off_{channel}", channel)
    await ground.pause("channel:sms")
    for channel in ("sms", "call"):
        await ground.happens(f"shop.put_off_{channel}", phone)
    waits, called = await ground.delivery("put-off-sms", "sms", "waiting"), await ground.delivery("put-off-call", "call", "sent")
    listed = (await ground.api.get(ground.token, "/v1/call-list", state="open"))["items"]
    (call,) = [task["id"] for task in listed if task["signal"] == called["signal"]]
    await quiet(late)
    await ground.resume("channel:sms")
    await answered(lambda: hour_of(waits["id"]), late.__eq__)
    assert (await asked(), await take(call)) == (("held", late), 409)
    await quiet(soon)
    await answered(lambda: hour_of(waits["id"]), soon.__eq__)
    assert await asked() == ("held", soon)
    await quiet("")
    await ground.delivery("put-off-sms", "sms", "sent")
    assert await asked() == ("allowed", None)
    async with await AsyncConnection.connect(shared_world.dsn, autocommit=True) as connection:
        found = await connection.execute("SELECT due <= now() FROM contacts.tasks WHERE id = %s", (call,))
        assert await found.fetchone() == (True,)  # whoever asks for any is given it
    assert await take(call) == 200


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


async def test_a_resend_of_what_had_no_address_is_decided_anew_and_of_what_was_silenced_says_why(ground: Ground) -> None:
    assert (await ground.api.client.put("/v1/contact-policy", content="policy: contact\n", auth=(ground.token, ""))).is_success
    phone = "+989121110093"
    await ground.happens("consent.given", phone, purpose="marketing", channels=["email", "sms"], who={"phone": phone})
    for channel in ("email", "sms"):
        await ground.rule(f"anew-{channel}", f"shop.anew_{channel}", channel)
    await ground.pause("channel:sms")
    for channel in ("email", "sms"):
        await ground.happens(f"shop.anew_{channel}", phone, who={"phone": phone})
    failed, waits = await ground.delivery("anew-email", "email", "failed"), await ground.delivery("anew-sms", "sms", "waiting")
    await ground.withdraws(phone, "sms")
    await ground.resume("channel:sms")
    silent = await ground.delivery("anew-sms", "sms", "silent")
    assert (silent["id"], silent["error"]) == (waits["id"], "consent marketing/sms")
    resent = await ground.api.client.post(f"/v1/deliveries/{silent['id']}/resend", auth=(ground.token, ""))
    assert (resent.json()["state"], resent.json()["error"]) == ("waiting", None)
    assert (await ground.delivery("anew-sms", "sms", "silent"))["error"] == "consent marketing/sms"
    await ground.api.get(ground.token, f"/v1/customers/by/email/{phone}@example.com")  # is known by what he said meanwhile
    await ground.api.client.post(f"/v1/deliveries/{failed['id']}/resend", auth=(ground.token, ""))
    assert (await ground.mail.first())["To"] == f"{phone}@example.com"
    assert (await ground.delivery("anew-email", "email", "sent"))["id"] == failed["id"]
    await ground.decided(phone, "anew-email", outcome="sent", channel="email")


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
