"""SMS over SMPP: what is sent, what is tried again, and what comes back as facts of the customer."""

import json
import struct
from base64 import b64decode
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.api.conftest import Api, answered, serving, working
from tests.conftest import World
from tests.delivery.message_center import RECEIPT, Center, message_center
from tests.delivery.reaching import Items

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

        async def found() -> Items:
            listed = await self.api.get(self.token, "/v1/deliveries", customer=customer, lane="sms")
            return [item for item in listed["items"] if item["state"] == state and (state != "waiting" or item["error"])]

        return (await answered(found))[0]

    async def letter(self, reason: str) -> dict[str, Any]:
        """The latest dead letter for a reason, with its bytes."""
        found = await answered(
            lambda: self.api.get(self.token, "/v1/dead-letters", reason=reason, source="yekta"), lambda listed: listed["items"]
        )
        return dict(await self.api.get(self.token, f"/v1/dead-letters/{found['items'][0]['id']}"))

    async def responses(self, customer: str, many: int) -> Items:
        path = f"/v1/customers/{customer}/responses"
        return list((await answered(lambda: self.api.get(self.token, path), lambda listed: len(listed["items"]) >= many))["items"])


@pytest.fixture(scope="module")
async def ground(shared_world: World) -> AsyncIterator[Ground]:
    async with message_center() as center:
        environment = {
            "YEKTA_SMPP__HOST": "127.0.0.1",
            "YEKTA_SMPP__PORT": str(center.port),
            "YEKTA_SMPP__SYSTEM_ID": "yekta",
            "YEKTA_SMPP__PASSWORD": "secret",
            "YEKTA_SMPP__SENDER": "3000",
            "YEKTA_SMPP__ANSWER_SECONDS": "2",
            "YEKTA_SMPP__PATIENCE_SECONDS": "10",
        }
        async with serving(shared_world) as api, working(shared_world, environment=environment):
            token = await api.token()
            made = Ground(api, token, await api.write_key("shop"), center)
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
    ground.center.statuses["989121110002"] = WRONG_NUMBER
    customer = await ground.looks("+989121110002")
    failed = await ground.delivery(customer, "failed")
    assert (failed["attempts"], failed["error"]) == (1, "the message center answered ESME_RINVDSTADR")
    (decision,) = (await ground.api.get(ground.token, f"/v1/customers/{customer}/decisions"))["items"]
    assert (decision["outcome"], decision["reason"]) == ("silent", "address sms")


async def test_what_a_center_does_not_take_as_it_is_busy_or_errs_is_tried_again_in_the_same_session(ground: Ground) -> None:
    binds = len(ground.center.binds)
    refusing = {"989121110003": (THROTTLED, "ESME_RTHROTTLED"), "989121110009": (OF_ITS_OWN, "0x00000410")}
    ground.center.statuses |= {number: status for number, (status, _) in refusing.items()}
    customers = [await ground.looks(f"+{number}") for number in refusing]
    for customer, (_, word) in zip(customers, refusing.values(), strict=True):
        assert (await ground.delivery(customer, "waiting"))["error"] == f"the message center answered {word}"
    ground.center.statuses.clear()
    assert {(await ground.center.first()).to for _ in refusing} == set(refusing)
    assert [(await ground.delivery(customer, "sent"))["attempts"] for customer in customers] == [2, 2]
    assert len(ground.center.binds) == binds


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


async def test_a_receipt_that_writes_the_name_of_its_message_otherwise_is_of_it_if_it_is_for_the_same_number(ground: Ground) -> None:
    ground.center.name = "{:08X}"
    customer = await ground.looks("+989121110020")
    submitted = await ground.center.first()
    ground.center.name = "m{}"
    await ground.delivery(customer, "sent")
    decimal = str(int(submitted.message, 16))
    await ground.center.receipt(decimal, "UNDELIV", number="989121110099")  # another's, who speaks to the same center
    await ground.center.receipt(decimal, "DELIVRD", number="989121110020")
    (delivered,) = await ground.responses(customer, 1)
    assert delivered["type"] == "contact.delivered"


async def test_a_receipt_that_comes_before_the_message_is_known_is_kept(ground: Ground) -> None:
    ground.center.hasty = True
    customer = await ground.looks("+989121110008")
    await ground.center.first()
    ground.center.hasty = False
    (delivered,) = await ground.responses(customer, 1)
    assert delivered["type"] == "contact.delivered"


@pytest.mark.parametrize(("number", "state", "type_"), [(1, 2, "contact.delivered"), (2, 5, "contact.refused")])
async def test_a_receipt_without_a_text_is_read_by_its_parameters(ground: Ground, number: int, state: int, type_: str) -> None:
    customer = await ground.looks(f"+98912111001{number}")
    submitted = await ground.center.first()
    await ground.delivery(customer, "sent")
    name = submitted.message.encode() + b"\0"
    beside = struct.pack("!HH", 0x1E, len(name)) + name + struct.pack("!HHB", 0x427, 1, state)
    await ground.center.deliver(f"98912111001{number}", b"", 0, RECEIPT, beside)
    (told,) = await ground.responses(customer, 1)
    assert told["type"] == type_


async def test_what_a_customer_writes_in_an_alphabet_of_phones_is_read(ground: Ground) -> None:
    customer = await ground.looks("+989121110013")
    await ground.center.first()
    await ground.delivery(customer, "sent")
    await ground.center.deliver("989121110013", "بله".encode("utf-16-be"), 0x18)
    await ground.center.deliver("989121110013", b"yes", 0xF0)
    await ground.responses(customer, 2)
    timeline = await ground.api.get(ground.token, f"/v1/customers/{customer}/timeline", type="contact.answered")
    assert [item["data"]["reason"] for item in timeline["items"]] == ["yes", "بله"]


async def test_what_nobody_can_read_is_a_dead_letter_with_its_bytes_and_is_read_by_a_person(ground: Ground) -> None:
    customer = await ground.looks("+989121110014")
    await ground.center.first()
    await ground.delivery(customer, "sent")
    binds, unreadable = len(ground.center.binds), b"\x30\x21\xff"
    await ground.center.deliver("989121110014", unreadable, 13)
    letter = await ground.letter("unusable_text")
    event = json.loads(letter["text"])
    assert unreadable in b64decode(event["data"]["pdu"])
    patch = [{"op": "add", "path": "/data/reason", "value": "亜"}, {"op": "remove", "path": "/data/pdu"}]
    replayed = await ground.api.client.post(f"/v1/dead-letters/{letter['id']}/replay", json=patch, auth=(ground.token, ""))
    assert replayed.is_success, replayed.text
    (answer,) = await ground.responses(customer, 1)
    assert (answer["type"], len(ground.center.binds)) == ("contact.answered", binds)


async def test_a_receipt_that_does_not_say_of_what_is_a_dead_letter(ground: Ground) -> None:
    await ground.center.deliver("989121110001", b"", 0, RECEIPT, struct.pack("!HHB", 0x427, 1, 2))
    assert b"989121110001" in b64decode((await ground.letter("not_cloudevents"))["base64"])


async def test_the_parts_of_a_long_text_are_one_answer_and_one_that_is_missing_keeps_nothing_back(ground: Ground) -> None:
    customer = await ground.looks("+989121110015")
    await ground.center.first()
    await ground.delivery(customer, "sent")
    whole = "سلام، " * 20 + "👍"
    raw = whole.encode("utf-16-be")
    cut = len(raw) - 2  # in the middle of the last character
    await ground.center.parts("989121110015", b"\5\0\3\7\2\2" + raw[cut:], b"\5\0\3\7\2\1" + raw[:cut], esm_class=0x40)
    await ground.responses(customer, 1)
    await ground.center.parts("989121110015", b"\6\x08\4\1\7\2\2" + "دوم".encode("utf-16-be"), esm_class=0x40)
    await ground.responses(customer, 2)
    timeline = await ground.api.get(ground.token, f"/v1/customers/{customer}/timeline", type="contact.answered")
    assert [item["data"]["reason"] for item in timeline["items"]] == ["دوم", whole]


async def test_a_message_that_the_center_says_nothing_of_is_waited_for_and_sent_twice_only_when_nothing_is_ever_said(
    ground: Ground,
) -> None:
    ground.center.silent = True
    late, by_receipt, never = [await ground.looks(f"+98912111001{number}") for number in (6, 7, 9)]
    assert (await ground.center.first()).to == "989121110016"
    second = await ground.center.first()
    assert (await ground.center.first()).to == "989121110019"
    await ground.delivery(late, "waiting")
    await ground.delivery(by_receipt, "waiting")
    await ground.center.receipt(second.message, "DELIVRD", number="989121110017")
    (delivered,) = await ground.responses(by_receipt, 1)
    assert (delivered["type"], (await ground.delivery(by_receipt, "sent"))["error"]) == ("contact.delivered", None)
    ground.center.say_now("989121110016")
    ground.center.silent = False
    await ground.delivery(late, "sent")
    last = await ground.looks("+989121110018")
    await ground.delivery(last, "sent")
    assert (await ground.delivery(never, "sent"))["attempts"] == 2
    assert {(await ground.center.first()).to for _ in range(2)} == {"989121110018", "989121110019"}
    assert ground.center.waiting == 0  # nothing else went out
