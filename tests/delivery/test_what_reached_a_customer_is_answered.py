"""What comes back: receipts, answers, ratings and the wish to hear no more are facts of the customer whom a contact was made to."""

import re
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote
from uuid import UUID

import pytest
from psycopg import AsyncConnection

from infra.sealing import KeyRing
from projections.contacts import standing
from projections.contacts.fold import contacted
from projections.contacts.standing import Until
from tests.api.conftest import answered
from tests.conftest import World
from tests.delivery.reaching import Ground
from tests.streams.keys import MASTER

pytestmark = pytest.mark.engines


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


async def test_a_receipt_may_name_the_number_of_an_sms_or_what_the_gateway_calls_it(ground: Ground, shared_world: World) -> None:
    await ground.rule("numbered", "shop.numbered", "sms")
    phones, signals, numbers = ["+989121110191", "+989121110192"], list[str](), list[str]()
    ground.gateway.says = b'{"entries": [{"messageid": 8792343}]}'  # its numbers begin anew
    for phone in phones:
        before = len(ground.gateway.posts)
        await ground.agrees(phone, "sms")
        await ground.happens("shop.numbered", phone)
        signals.append((await ground.decided(phone, "numbered", outcome="sent"))["signal"])
        numbers.append(parse_qs((await ground.gateway.until(before + 1))[-1].body.decode())["localid"][0])
        waiting = partial(ground.api.get, ground.token, "/v1/deliveries", rule="numbered", lane="sms", state="waiting")
        await answered(waiting, lambda listed: not listed["items"])
    ground.gateway.says = b""
    told: list[tuple[str, dict[str, Any]]] = [
        ("contact.delivered", {"signal": numbers[0]}),
        ("contact.delivered", {"signal": "8792343"}),
        ("contact.clicked", {"signal": "8792343", "who": {"phone": phones[0]}}),
        ("contact.opened", {"signal": numbers[0], "who": {"phone": phones[1]}}),  # he was sent no such thing
        ("contact.opened", {"signal": numbers[0], "channel": "email"}),
        ("contact.refused", {"signal": numbers[0]}),
    ]
    events = [
        {"specversion": "1.0", "id": f"numbered-{place}", "source": "/sms", "type": type_, "data": {"channel": "sms"} | data}
        for place, (type_, data) in enumerate(told)
    ]
    after = await ground.api.send(ground.key, *events)
    found, customers = [], []
    for phone in phones:
        customer = (await ground.api.get(ground.token, f"/v1/customers/by/phone/{phone}", after=after))["customer_id"]
        customers.append(UUID(customer))
        answers = (await ground.api.get(ground.token, f"/v1/customers/{customer}/responses"))["items"]
        found.append(sorted((one["type"], one["signal"]) for one in answers))
    assert found == [
        [("contact.clicked", signals[0]), ("contact.delivered", signals[0]), ("contact.refused", signals[0])],
        [("contact.delivered", signals[1])],
    ]
    now, (first, *_) = datetime.now(UTC), customers
    async with await AsyncConnection.connect(shared_world.dsn) as connection:
        known = (await standing.known(connection, "read_1", KeyRing(MASTER), {first: Until(now, now, {signals[0]})}))[first]
    responses = contacted(known, now, "sms", signals[0]).responses
    assert [(channel, good) for _, channel, good in responses] == [("sms", True)]  # whichever its name: what was answered was not refused
