"""From `signals` to a receiver: the agent, the sender, and what a receiver may do."""

import asyncio
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote
from uuid import UUID, uuid4

import msgspec
import pytest

from aggregates.webhook_signature import signature
from projections.deliveries import table as deliveries
from tests.api.conftest import Api, answered, until
from tests.delivery.receiver import Post, receiving

pytestmark = pytest.mark.engines


async def register(api: Api, token: str, url: str, *types: str) -> dict[str, Any]:
    answer = await api.client.post("/v1/webhooks", json={"url": url, "types": types or ("signal.*",)}, auth=(token, ""))
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def say(api: Api, type_: str = "signal.fired", **data: Any) -> UUID:
    """A record of `signals`, as the outbox publishes it."""
    id_ = uuid4()
    customer = str(data.setdefault("customer_id", str(uuid4())))
    said = {
        "specversion": "1.0",
        "id": str(id_),
        "source": "yekta:signals",
        "type": type_,
        "time": datetime.now(UTC),
        "subject": customer,
        "data": {"id": str(uuid4()), "rule": "many-requests"} | data,
    }
    await api.made.log.publish(api.world.topics.signals, [(customer.encode(), msgspec.json.encode(said), ())])
    return id_


def check(post: Post, *secrets: str) -> None:
    message, stamp = post.headers["webhook-id"], int(post.headers["webhook-timestamp"])
    assert post.headers["webhook-signature"].split(" ") == [signature(secret, message, stamp, post.body) for secret in secrets]
    assert abs(datetime.now(UTC).timestamp() - stamp) < 300


async def delivery(api: Api, token: str, message: UUID, webhook: Mapping[str, Any], state: str) -> dict[str, Any]:
    """The delivery of a message once it is in this state."""

    async def found() -> list[dict[str, Any]]:
        listed = await api.get(token, "/v1/deliveries", lane=f"webhook:{webhook['id']}")
        return [item for item in listed["items"] if item["message"] == str(message) and item["state"] == state]

    return (await answered(found))[0]


async def forget(api: Api, token: str, *made: Mapping[str, Any]) -> None:
    for webhook in made:
        assert (await api.client.delete(f"/v1/webhooks/{webhook['id']}", auth=(token, ""))).status_code == 204


async def test_a_signal_is_posted_signed_and_once(live: Api) -> None:
    token = await live.token("marketer")
    async with receiving() as receiver:
        made = await register(live, token, receiver.url)
        assert made["secret"].startswith("whsec_")
        message = await say(live)
        await say(live, "contact.held")
        (post,) = await receiver.until(1)
        assert post.headers["webhook-id"] == str(message)
        check(post, made["secret"])
        assert msgspec.json.decode(post.body)["type"] == "signal.fired"
        found = await delivery(live, token, message, made, "sent")
        assert (found["status"], found["attempts"]) == (200, 1)
        assert len(receiver.posts) == 1
        await forget(live, token, made)


async def test_an_address_may_have_words_in_persian(live: Api) -> None:
    token = await live.token("marketer")
    async with receiving() as receiver:
        webhook = await register(live, token, f"{receiver.url}/قلاب ما?نام=بهار")
        message = await say(live)
        (post,) = await receiver.until(1)
        assert unquote(post.path) == "/hook/قلاب ما?نام=بهار"
        await delivery(live, token, message, webhook, "sent")
        await forget(live, token, webhook)


async def test_a_secret_is_shown_once_and_both_sign_while_it_rotates(live: Api) -> None:
    token = await live.token("marketer")
    async with receiving() as receiver:
        made = await register(live, token, receiver.url)
        assert made["secret"] not in str(await live.get(token, "/v1/webhooks"))
        rotated = (await live.client.post(f"/v1/webhooks/{made['id']}/rotate", auth=(token, ""))).json()
        await say(live)
        (post,) = await receiver.until(1)
        check(post, rotated["secret"], made["secret"])
        last = (await live.client.post(f"/v1/webhooks/{made['id']}/rotate", json={"grace_seconds": 0}, auth=(token, ""))).json()
        await say(live)
        check((await receiver.until(2))[1], last["secret"])
        await forget(live, token, made)


async def test_a_page_that_is_sent_twice_registers_and_rotates_once_and_shows_the_secret_each_time(live: Api) -> None:
    token = await live.token("marketer")
    entered = await live.client.post("/sign-in", data={"token": token}, headers={"sec-fetch-site": "same-origin"})
    live.client.cookies.clear()
    headers = {"cookie": f"yekta_language=en; yekta_session={entered.cookies['yekta_session']}", "sec-fetch-site": "same-origin"}
    pages = "/contacts/webhooks"

    async def send(path: str = "", **fields: str) -> tuple[str, str]:
        answer = await live.client.post(f"{pages}{path}", data=fields, headers=headers)
        return next(iter(re.findall(r"whsec_[^<\"]+", answer.text)), ""), answer.text

    async with receiving() as receiver:
        assert 'name="draft"' in (await live.client.get(pages, headers=headers)).text
        (made, _), (again, _) = [await send(url=receiver.url, types="*", draft="one") for _ in range(2)]
        assert made == again != ""
        other, _ = await send(url=receiver.url, types="signal.*", draft="two")
        held = [one for one in (await live.get(token, "/v1/webhooks"))["items"] if one["url"] == receiver.url]
        assert (other not in ("", made), [one["types"] for one in held]) == (True, [["*"], ["signal.*"]])
        path = f"/{held[0]['id']}"
        (rotated, _), (again, _) = [await send(path, do="rotate", seen="1") for _ in range(2)]
        assert rotated == again not in ("", made)
        assert (await live.get(token, f"/v1/webhooks{path}"))["secrets"] == 2
        await send(path, do="disable")  # from here on it is no second press
        again, told = await send(path, do="rotate", seen="1")
        assert (again, "no new secret was made" in told) == ("", True)
        again, told = await send(url=receiver.url, types="*", draft="one")
        assert (again, "registered when the page was first sent" in told) == ("", True)
        await forget(live, token, *held)
        _, told = await send(path, do="disable")
        assert "deleted meanwhile" in told
        _, told = await send(url=receiver.url, types="*", draft="one")
        assert "registered when the page was first sent" in told


async def test_what_failed_is_tried_again_under_the_same_id_and_can_be_resent(live: Api) -> None:
    token = await live.token("marketer")
    async with receiving() as receiver:
        told: list[int] = []

        def answer(_: Post) -> tuple[int, str]:
            told.append(0)
            return (503, "retry-after: 1\r\n") if len(told) == 1 else (204, "")

        receiver.answers = answer
        made = await register(live, token, receiver.url)
        message = await say(live)
        first, second = await receiver.until(2)
        assert first.headers["webhook-id"] == second.headers["webhook-id"] == str(message)
        assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) >= 1
        found = await delivery(live, token, message, made, "sent")
        resent = await live.client.post(f"/v1/deliveries/{found['id']}/resend", auth=(token, ""))
        assert resent.json()["state"] == "waiting"
        assert (await receiver.until(3))[2].headers["webhook-id"] == str(message)
        await forget(live, token, made)


async def test_410_disables_an_endpoint_and_only_that_one(live: Api) -> None:
    token = await live.token("marketer")
    async with receiving() as gone, receiving() as there:
        gone.answers = lambda _: (410, "")
        ended, made = await register(live, token, gone.url), await register(live, token, there.url)
        await say(live)
        await gone.until(1)
        await there.until(1)
        shown = await answered(lambda: live.get(token, f"/v1/webhooks/{ended['id']}"), lambda shown: shown["state"] == "disabled")
        assert "410" in shown["reason"]
        await say(live)
        await there.until(2)
        assert len(gone.posts) == 1
        await forget(live, token, ended, made)


async def test_a_receiver_that_hangs_or_is_dead_costs_the_others_nothing(live: Api) -> None:
    token = await live.token("marketer")
    async with receiving() as slow, receiving() as quick, receiving() as closed:
        slow.hang = True
        dead = closed.port
    async with receiving(slow.port) as slow, receiving() as quick:
        slow.hang = True
        three = [await register(live, token, url) for url in (slow.url, quick.url, f"http://127.0.0.1:{dead}/hook")]
        messages = {str(await say(live)) for _ in range(40)}
        posts = await quick.until(40)
        assert {post.headers["webhook-id"] for post in posts} == messages
        async with receiving(dead) as back:
            # what failed waits for its next try; nothing is lost meanwhile, and a person may hurry it
            waiting = await live.get(token, "/v1/deliveries", lane=f"webhook:{three[2]['id']}", limit="200")
            assert {item["message"] for item in waiting["items"]} == messages
            for item in waiting["items"]:
                await live.client.post(f"/v1/deliveries/{item['id']}/resend", auth=(token, ""))
            while {post.headers["webhook-id"] for post in back.posts} != messages:
                await back.until(len(back.posts) + 1, 90)
        await forget(live, token, *three)


async def test_one_command_makes_one_webhook_however_often_and_however_soon_it_is_sent_again(live: Api) -> None:
    token = await live.token("marketer")
    wanted = {"url": "http://127.0.0.1:9/once", "types": ["signal.*"]}

    async def sent(**more: Any) -> Any:
        return await live.client.post("/v1/webhooks", json=wanted | more, auth=(token, ""), headers={"idempotency-key": "once"})

    answers = [*await asyncio.gather(*(sent() for _ in range(4))), await sent()]
    assert [answer.status_code for answer in answers] == [201] * 5
    (made,) = {answer.json()["id"] for answer in answers}
    assert len([answer for answer in answers if answer.json()["secret"]]) == 1
    assert [one["id"] for one in (await live.get(token, "/v1/webhooks"))["items"] if one["url"] == wanted["url"]] == [made]
    another = await sent(description="another")
    assert (another.status_code, another.json()["type"]) == (422, "/problems/key_used")
    await forget(live, token, answers[0].json())
    assert (await sent()).status_code == 404


async def test_a_pause_holds_everything_and_resuming_lets_it_out(live: Api) -> None:
    token = await live.token("marketer")
    async with receiving() as receiver:
        made = await register(live, token, receiver.url)
        for scope, rule in (("everything", "any"), ("rule:vip", "vip")):
            before = len(receiver.posts)
            paused = await live.client.post("/v1/pauses", json={"scope": scope}, auth=(token, ""))
            assert [item["scope"] for item in paused.json()["items"]] == [scope]
            assert [item["by"].partition(" ")[0] for item in paused.json()["items"]] == ["marketer"]  # a name, and not the id of a key
            message = await say(live, rule=rule)
            waiting = await delivery(live, token, message, made, "waiting")
            assert (waiting["attempts"], len(receiver.posts)) == (0, before)
            await live.client.delete("/v1/pauses", params={"scope": scope}, auth=(token, ""))
            assert (await receiver.until(before + 1))[-1].headers["webhook-id"] == str(message)
        await forget(live, token, made)


async def test_whatever_a_channel_may_be_called_in_a_rule_it_can_be_stopped(live: Api) -> None:
    token = await live.token("marketer")
    rule = "rule: by-chat\nwhen: {count: shop.chats, at_least: 1, within: 1h}\ndo: {contact: x, prefer: [whats-app]}\n"
    assert (await live.client.post("/v1/triggers", content=rule, auth=(token, ""))).status_code == 201
    scope = {"scope": "channel:whats-app"}
    paused = await live.client.post("/v1/pauses", json=scope, auth=(token, ""))
    assert [item["scope"] for item in paused.json()["items"]] == ["channel:whats-app"]
    assert (await live.client.delete("/v1/pauses", params=scope, auth=(token, ""))).status_code == 204


async def test_who_stops_what_nothing_is_named_is_told_so_with_the_name_that_he_may_mean(live: Api) -> None:
    token = await live.token("marketer")
    rule = "rule: price-worry\nwhen: {count: shop.worries, at_least: 1, within: 1h}\ndo: {contact: x, prefer: [sms]}\n"
    assert (await live.client.post("/v1/triggers", content=rule, auth=(token, ""))).status_code == 201
    expected = {
        "rule:price-wory": ("no_rule", "price-worry"),
        "rule:قیمت": ("no_rule", None),
        "rule:price-worry": None,
        "channel:smss": ("unusual_word", "sms"),
        "channel:webhoks": ("unusual_word", "webhook"),
        "channel:webhook": None,
        "channel:whats-app": None,
        "everything": None,
    }
    for scope, hint in expected.items():
        answer = await live.client.post("/v1/pauses", json={"scope": scope}, auth=(token, ""), headers={"accept-language": "fa"})
        await live.client.delete("/v1/pauses", params={"scope": scope}, auth=(token, ""))
        assert [item["scope"] for item in answer.json()["items"]] == [scope]
        found = [(one["code"], one.get("suggestion"), one["pointer"]) for one in answer.json().get("hints", [])]
        assert found == ([] if hint is None else [(*hint, "/scope")]), scope
        assert all("ن" in one["detail"] for one in answer.json().get("hints", []))


async def test_a_webhook_that_takes_nothing_is_seen_to_fail_and_why_until_it_does(live: Api) -> None:
    token = await live.token("marketer")
    async with receiving() as receiver:
        receiver.answers = lambda _: (500, "")
        hook = await register(live, token, receiver.url)
        path = f"/v1/webhooks/{hook['id']}"
        assert "failing" not in await live.get(token, path)
        tried = (await live.client.post(f"{path}/test", auth=(token, ""))).json()
        shown = await answered(lambda: live.get(token, path), lambda shown: "failing" in shown and shown["failing"]["error"] is not None)
        failing = shown["failing"]
        assert (failing["failures"], failing["error"], failing["waiting"], shown["state"]) == (1, "answered 500", 1, "enabled")
        assert failing["next_try"] > tried["created"]
        assert [one for one in (await live.get(token, "/v1/webhooks"))["items"] if one["id"] == hook["id"]] == [shown]
        session = (await live.client.post("/sign-in", data={"token": token})).cookies["yekta_session"]
        page = await live.client.get("/contacts/webhooks", headers={"cookie": f"yekta_session={session}; yekta_language=en"})
        assert all(said in page.text for said in ("Fails", "1 delivery waits", "answered", "500"))
        receiver.answers = lambda _: (200, "")
        assert (await live.client.post(f"/v1/deliveries/{tried['id']}/resend", auth=(token, ""))).is_success
        await answered(lambda: live.get(token, path), lambda shown: "failing" not in shown)
        await live.client.delete(path, auth=(token, ""))


async def test_who_asks_for_a_channel_by_nearly_its_name_is_told_so_since_no_cap_would_know_it(live: Api) -> None:
    key = await live.write_key("crm")
    ask = {"request_id": "1", "who": {"phone": "+989121110099"}, "channels": ["emial", "push", "call"], "purpose": "markting"}
    answer = (await live.client.post("/v1/contacts/check", json=ask, auth=(key, ""))).json()
    assert [(one["pointer"], one["suggestion"]) for one in answer["hints"]] == [("/channels/0", "email"), ("/purpose", "marketing")]
    ask |= {"channels": ["email", "push", "call"], "purpose": "survey"}
    assert "hints" not in (await live.client.post("/v1/contacts/check", json=ask, auth=(key, ""))).json()


async def test_who_stopped_something_when_ids_of_keys_were_kept_is_told_by_his_name(live: Api) -> None:
    token = (await live.made.keys.create("tests", role="marketer", label="maryam")).secret
    await until(lambda: live.made.ring.of_secret(token) is not None)
    grant = live.made.ring.of_secret(token)
    assert grant is not None
    async with live.made.pool.connection() as connection:
        await deliveries.pause(connection, "channel:in_app", datetime.now(UTC), str(grant.key))
    assert [item["by"] for item in (await live.get(token, "/v1/pauses"))["items"]] == ["maryam"]
    await live.client.delete("/v1/pauses", params={"scope": "channel:in_app"}, auth=(token, ""))


async def test_a_trial_is_told_to_nobody_and_a_test_says_that_it_is_one(live: Api) -> None:
    token = await live.token("marketer")
    async with receiving() as receiver:
        made = await register(live, token, receiver.url, "*")
        await say(live, test=True)
        answer = await live.client.post(f"/v1/webhooks/{made['id']}/test", auth=(token, ""))
        assert answer.status_code == 202
        (post,) = await receiver.until(1)
        assert msgspec.json.decode(post.body)["type"] == "webhook.test"
        check(post, made["secret"])
        await forget(live, token, made)


async def test_what_waits_for_a_webhook_that_is_deleted_fails_and_says_so(live: Api) -> None:
    token = await live.token("marketer")
    async with receiving() as receiver:
        receiver.answers = lambda _: (500, "")
        made = await register(live, token, receiver.url)
        message = await say(live)
        await receiver.until(1)
        waiting = await delivery(live, token, message, made, "waiting")
        await forget(live, token, made)
        for _ in range(2):
            await live.client.post(f"/v1/deliveries/{waiting['id']}/resend", auth=(token, ""))
            failed = await delivery(live, token, message, made, "failed")
            assert (failed["error"], len(receiver.posts)) == ("the webhook was deleted", 1)


async def test_mistakes_are_told_with_their_place(live: Api) -> None:
    token = await live.token("marketer")
    wrong = await live.client.post("/v1/webhooks", json={"url": "https://8.8.8.8/", "types": ["signal.fire"]}, auth=(token, ""))
    assert wrong.json()["pointer"] == "/types/0"
    assert "signal.fired" in wrong.json()["mend"]
    inside = await live.client.post("/v1/webhooks", json={"url": "http://10.0.0.1/", "types": ["*"]}, auth=(token, ""))
    assert inside.status_code == 422
    assert "YEKTA_DELIVERY__ALLOW" in inside.json()["detail"]
