"""What an SMS comes to by what a gateway over HTTP answers, and that one which is tried again is known to be the same."""

from collections.abc import Mapping
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import parse_qs
from uuid import UUID

import pytest

from infra.delivery.channels import Sms, SmsAdapter, Writing
from infra.delivery.http import Answer, Http
from infra.delivery.rechecking import Approach
from infra.settings import SmsSettings
from projections.deliveries.table import Taken
from streams.sending import Attempt

SIGNAL = UUID("2445bfd3-bc4f-5d3e-902d-051a32ac3ee4")
NONE = Attempt("failed", 411, "the gateway refused the number")


class Gateway:
    """A gateway that answers one thing, and whoever writes what it is asked to send."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.asked: list[Mapping[str, list[str]]] = []
        self.undo: list[tuple[Attempt, str]] = []
        self.names: list[str] = []

    async def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes, *, now: datetime) -> Answer:
        del method, url, headers, now
        assert len(self.names) == len(self.asked) + 1  # what it is told is known before it may say it
        self.asked.append(parse_qs(body.decode()))
        return self._answer

    async def sms(self, taken: Taken) -> tuple[Approach, Sms]:
        del taken
        want: Any = SimpleNamespace(contact="spring", candidate=SimpleNamespace(signal=SIGNAL))
        return Approach(SIGNAL, want, "sms", datetime(2026, 3, 1, tzinfo=UTC), None), Sms("+989121234567", "سلام", "سارا")

    async def undone(self, approach: Approach, attempt: Attempt, cause: str) -> Attempt:
        del approach
        self.undo.append((attempt, cause))
        return attempt

    async def named(self, approach: Approach, name: str) -> None:
        del approach
        self.names.append(name)

    async def takes(self, resends: int = 0, **settings: Any) -> Attempt:
        """What a message to somebody comes to here."""
        told: Any = {"url": "https://sms.example/v1/KEY/sms/send.json", **settings}
        adapter = SmsAdapter(SmsSettings(**told), cast("Writing", self), cast("Http", self), lambda: datetime(2026, 3, 1, tzinfo=UTC))
        return await adapter(cast("Taken", SimpleNamespace(resends=resends)))


async def test_a_message_that_is_tried_again_has_the_same_number_which_any_gateway_can_hold() -> None:
    gateway = Gateway(Answer(None, "no answer within 15 s"))
    assert [(await gateway.takes()).result for _ in range(2)] == ["again", "again"]
    first, second = gateway.asked
    assert first == second == {"receptor": ["+989121234567"], "message": ["سلام"], "localid": ["1165593488636264164"]}
    assert int(first["localid"][0]) < 2**63


async def test_what_somebody_has_sent_anew_is_another_message_that_is_tried_again_under_its_own_number() -> None:
    gateway = Gateway(Answer(200))
    for resends in (0, 1, 1, 2):
        await gateway.takes(resends)
    first, second, again, third = [asked["localid"][0] for asked in gateway.asked]
    assert second == again
    assert len({first, second, third}) == 3


@pytest.mark.parametrize(
    ("answer", "attempt"),
    [
        (Answer(200, body=b'{"return": {"status": 200}}'), Attempt("sent", 200)),
        (Answer(411, "answered 411", body=b'{"return": {"status": 411}}'), NONE),
        (Answer(418, "answered 418", body=b'{"return": {"status": 418}}'), Attempt("again", 418, "answered 418")),
        (Answer(None, "411 no connection"), Attempt("again", None, "411 no connection")),
    ],
)
async def test_a_number_that_the_gateway_says_is_none_is_not_tried_again(answer: Answer, attempt: Attempt) -> None:
    gateway = Gateway(answer)
    assert await gateway.takes(refused="^411 ") == attempt
    assert gateway.undo == ([(NONE, "address")] if attempt == NONE else [])


@pytest.mark.parametrize("body", [b'{"entries": [{"messageid": 8792343, "status": 1}]}', b'{"entries": []}'])
async def test_a_message_is_known_by_its_number_and_by_what_the_gateway_calls_it(body: bytes) -> None:
    gateway = Gateway(Answer(200, body=body))
    await gateway.takes(named='"messageid": *([0-9]+)')
    assert gateway.names == ["1165593488636264164", *(["8792343"] if b"8792343" in body else [])]


async def test_without_a_word_for_it_no_answer_ends_a_message() -> None:
    assert (await Gateway(Answer(411, "answered 411")).takes()).result == "again"
