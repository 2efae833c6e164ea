"""SMS over SMPP: what is sent, what is tried again, and what comes back as facts of the customer."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.api.conftest import Api, serving, working
from tests.conftest import World
from tests.delivery.message_center import Center, message_center

pytestmark = pytest.mark.engines

RULE = """
rule: by-center
when: {count: shop.looked, at_least: 1, within: 1h}
do: {contact: بهار, purpose: marketing, prefer: [sms]}
"""
THROTTLED, WRONG_NUMBER, OF_ITS_OWN = 0x58, 0x0B, 0x0410


class Ground:
    """An installation with a message center."""

    def __init__(self, api: Api, token: str, key: str, center: Center) -> None:
        self.api, self.token, self.key, self.center = api, token, key, center

    async def looks(self, phone: str) -> str:
        """A customer who agreed does what the rule waits for; his id."""

        def event(type_: str, **data: Any) -> dict[str, Any]:
            now = datetime.now(UTC).isoformat()
            who = {"who": {"phone": phone}}
            return {"specversion": "1.0", "id": f"{type_}-{phone}", "source": "/shop", "type": type_, "time": now, "data": who | data}

        agreed = event("consent.given", purpose="marketing", channels=["sms"])
        after = await self.api.send(self.key, agreed, event("shop.looked"))
        found = await self.api.get(self.token, f"/v1/customers/by/phone/{phone}", after=after)
        return str(found["customer_id"])

    async def delivery(self, customer: str, state: str) -> dict[str, Any]:
        """What became of it, once it is so."""
        async with asyncio.timeout(30):
            while True:
                listed = await self.api.get(self.token, "/v1/deliveries", customer=customer, lane="sms")
                for item in listed["items"]:
                    if item["state"] == state and (state != "waiting" or item["error"]):
                        return dict(item)
                await asyncio.sleep(0.05)

    async def responses(self, customer: str, many: int) -> list[dict[str, Any]]:
        async with asyncio.timeout(30):
            while True:
                found = (await self.api.get(self.token, f"/v1/customers/{customer}/responses"))["items"]
                if len(found) >= many:
                    return list(found)
                await asyncio.sleep(0.05)


@pytest.fixture(scope="module")
async def ground(shared_world: World) -> AsyncIterator[Ground]:
    async with message_center() as center:
        environment = {
            "YEKTA_SMPP__HOST": "127.0.0.1",
            "YEKTA_SMPP__PORT": str(center.port),
            "YEKTA_SMPP__SYSTEM_ID": "yekta",
            "YEKTA_SMPP__PASSWORD": "secret",
            "YEKTA_SMPP__SENDER": "3000",
        }
        async with serving(shared_world) as api, working(shared_world, environment=environment):
            token = await api.token()
            made = Ground(api, token, await api.write_key("shop"), center)
            now = datetime.now(UTC).isoformat()
            first = {
                "specversion": "1.0",
                "id": "first",
                "source": "/shop",
                "type": "first.seen",
                "time": now,
                "data": {"who": {"device": "d"}},
            }
            await api.get(
                token, "/v1/signals", after=await api.send(made.key, first | {"data": {"who": {"device": "d"}}})
            )  # the worker is there
            for path, content in (("", RULE), ("/by-center/publish", "")):
                answer = await api.client.post(f"/v1/triggers{path}", content=content, auth=(token, ""), timeout=60)
                assert answer.is_success, answer.text
            assert answer.json()["in_force"]
            yield made


async def test_the_center_takes_it_and_its_receipt_and_the_answer_are_facts(ground: Ground) -> None:
    customer = await ground.looks("+989121110001")
    submitted = await ground.center.first()
    assert submitted[:3] == ("3000", "989121110001", "بهار")
    assert ground.center.binds[0] == ("yekta", "secret")
    sent = await ground.delivery(customer, "sent")
    await ground.center.receipt(submitted.message, "ENROUTE")  # nothing has become of it yet
    for _ in range(2):  # a center says it again when it is not sure that it was heard
        await ground.center.receipt(submitted.message, "DELIVRD")
    await ground.center.write("989121110001", "ممنون")
    await ground.center.receipt("of-another", "DELIVRD")
    found = await ground.responses(customer, 2)
    assert [(one["type"], one["channel"], one["signal"]) for one in found] == [
        ("contact.answered", "sms", sent["signal"]),
        ("contact.delivered", "sms", sent["signal"]),
    ]
    timeline = await ground.api.get(ground.token, f"/v1/customers/{customer}/timeline", type="contact.answered")
    assert timeline["items"][0]["data"]["reason"] == "ممنون"


async def test_a_number_that_does_not_exist_is_not_tried_again(ground: Ground) -> None:
    ground.center.status = WRONG_NUMBER
    failed = await ground.delivery(await ground.looks("+989121110002"), "failed")
    ground.center.status = 0
    assert (failed["attempts"], failed["error"]) == (1, "the message center answered ESME_RINVDSTADR")


async def test_what_a_busy_center_does_not_take_is_tried_again(ground: Ground) -> None:
    ground.center.status = THROTTLED
    customer = await ground.looks("+989121110003")
    waiting = await ground.delivery(customer, "waiting")
    assert waiting["error"] == "the message center answered ESME_RTHROTTLED"
    ground.center.status = 0
    assert (await ground.center.first()).to == "989121110003"
    assert (await ground.delivery(customer, "sent"))["attempts"] == 2


async def test_after_the_connection_was_lost_it_goes_on(ground: Ground) -> None:
    binds = len(ground.center.binds)
    await ground.center.hang_up()
    customer = await ground.looks("+989121110004")
    submitted = await ground.center.first()
    assert (submitted.to, len(ground.center.binds)) == ("989121110004", binds + 1)
    await ground.center.receipt(submitted.message, "UNDELIV")
    (refused,) = await ground.responses(customer, 1)
    assert refused["type"] == "contact.refused"


@pytest.mark.parametrize(
    ("number", "form"),
    [
        (5, "id:{message} sub:001 dlvrd:001 submit date:260101000000 done date:260101000112 stat:{state} err:000 text:"),  # with seconds
        (6, "id:{message} sub:001 dlvrd:001 submit date:2601010000 done date:2601010001 stat:{state} err:0A3 text:id:other stat:REJECTD"),
        (7, "ID:{message} DONE DATE:2026-01-01 STAT:{state}"),
    ],
)
async def test_a_receipt_is_understood_in_whatever_form_and_the_session_goes_on(ground: Ground, number: int, form: str) -> None:
    customer = await ground.looks(f"+98912111000{number}")
    submitted, binds = await ground.center.first(), len(ground.center.binds)
    await ground.delivery(customer, "sent")
    await ground.center.receipt(submitted.message, "DELIVRD", form)
    (delivered,) = await ground.responses(customer, 1)
    assert (delivered["type"], len(ground.center.binds)) == ("contact.delivered", binds)


async def test_a_receipt_that_comes_before_the_message_is_known_is_kept(ground: Ground) -> None:
    ground.center.hasty = True
    customer = await ground.looks("+989121110008")
    await ground.center.first()
    ground.center.hasty = False
    (delivered,) = await ground.responses(customer, 1)
    assert delivered["type"] == "contact.delivered"


async def test_an_error_of_the_centers_own_does_not_end_the_session(ground: Ground) -> None:
    ground.center.status, binds = OF_ITS_OWN, len(ground.center.binds)
    customer = await ground.looks("+989121110009")
    waiting = await ground.delivery(customer, "waiting")
    assert waiting["error"] == "the message center answered 0x00000410"
    ground.center.status = 0
    await ground.delivery(customer, "sent")
    await ground.center.first()
    assert len(ground.center.binds) == binds
