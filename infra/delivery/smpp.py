"""Hands SMS to a message center over SMPP 3.4 and tells the log what comes back: receipts, and what customers answer.

The session is the library's (`aiosmpplib`): binding, keeping alive, binding again. A message counts as sent when the center has taken it;
what it says of it later is a fact like any receipt. A center that is away is tried again as any channel is. The protocol is the SMS Forum's
"Short Message Peer to Peer Protocol Specification v3.4" of 1999, which has no way to say that a message is the same as one before: one
that the center was given and said nothing of is waited for, and sent again only when neither its answer nor a receipt came.
Reading order: SmppAdapter, _Hook; what is written down is in `smpp_receipts`.
"""

import asyncio
import contextlib
from collections.abc import Iterator

import psycopg
import structlog
from aiosmpplib import (
    NPI,
    TON,
    AbstractBroker,
    AbstractHook,
    DeliverSm,
    PhoneNumber,
    SmppCommandStatus,
    SmppMessage,
    SmppSessionState,
    SubmitSm,
    SubmitSmResp,
)
from psycopg_pool import PoolTimeout

from aggregates.log import NotAcknowledged
from aggregates.sealing import KeyUnknown
from infra.delivery.channels import Writing
from infra.delivery.smpp_reading import Delivered, delivered, text_of
from infra.delivery.smpp_receipts import BROKEN_OFF, NAMELESS, Given, Receipts
from infra.delivery.smpp_session import Requests, Session, status_of
from infra.settings import SmppSettings
from projections.deliveries.table import Taken
from streams.sending import Attempt

LOOK = 5.0
"""Seconds between two looks whether the center has said anything meanwhile of what it was given."""

WRONG_NUMBER = frozenset({SmppCommandStatus.ESME_RINVDSTADR, SmppCommandStatus.ESME_RINVDSTTON, SmppCommandStatus.ESME_RINVDSTNPI})
FOR_GOOD = WRONG_NUMBER | {SmppCommandStatus.ESME_RINVMSGLEN}
"""Trying again changes nothing: the number or the text is wrong."""

PASSING = (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout, NotAcknowledged, KeyUnknown)
"""What ends the session, so that the center says again what nobody could write down."""

UNSAID = "the message center has it, and has not said that it takes it"

log = structlog.get_logger()


class _Waiting(AbstractBroker):  # type: ignore[misc]  # the library is untyped
    """Messages on their way to the center. One for which nobody waits any more is not sent: it will be tried again."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[SubmitSm] = asyncio.Queue()
        self.answers: dict[str, asyncio.Future[Attempt]] = {}

    async def enqueue(self, message: SubmitSm) -> None:
        await self._queue.put(message)

    async def dequeue(self) -> SubmitSm:
        while True:
            message = await self._queue.get()
            if message.log_id in self.answers:
                return message


class SmppAdapter:
    """The adapter of `sms` where a message center is set."""

    def __init__(self, settings: SmppSettings, writing: Writing, receipts: "Receipts") -> None:
        assert settings.host is not None  # noqa: S101 - without it there is no adapter
        self._settings, self._writing, self._receipts = settings, writing, receipts
        self._waiting = _Waiting()
        hook = _Hook(self._waiting.answers, receipts)
        self._session = Session(
            settings.host,
            settings.port,
            settings.system_id,
            settings.password.get_secret_value() if settings.password else "",
            settings.system_type,
            enquire_link_interval=settings.enquire_seconds,
            log_level="CRITICAL",
            hook=hook,
            told=hook.written,
            broker=self._waiting,
            correlator=Requests(settings.system_id, settings.answer_seconds + settings.patience_seconds + 60.0),
        )

    async def run(self) -> None:
        """Stay bound for as long as the process lives."""
        try:
            await self._session.start()
        finally:
            with contextlib.suppress(OSError, TimeoutError):
                await self._session.stop()

    async def __call__(self, taken: Taken) -> Attempt:
        if taken.attempts > 1 and (waits := await self._waited_for(taken)):
            return waits
        written = await self._writing.sms(taken)
        if isinstance(written, Attempt):
            return written
        approach, sms = written
        if self._session.session_state != SmppSessionState.BOUND_TRX:
            return Attempt("again", error="the message center is not connected")
        key = str(Given(taken.id, approach.customer, approach.want.candidate.signal))
        answer = self._waiting.answers[key] = asyncio.get_running_loop().create_future()
        try:
            await self._waiting.enqueue(
                SubmitSm(
                    short_message=sms.text,
                    source=self._sender(),
                    destination=PhoneNumber(sms.to.removeprefix("+"), TON.INTERNATIONAL, NPI.ISDN),
                    log_id=key,
                )
            )
            attempt: Attempt = await asyncio.wait_for(answer, self._settings.answer_seconds)
        except TimeoutError:
            return Attempt("again", error=f"the message center did not answer within {self._settings.answer_seconds:.0f} s")
        finally:
            self._waiting.answers.pop(key, None)
        if attempt.result != "failed":
            return attempt
        return await self._writing.undone(approach, attempt, "address" if attempt.status in WRONG_NUMBER else "refused")

    async def _waited_for(self, taken: Taken) -> Attempt | None:
        """What came of the try before this one, where the center had the message and had not said whether it takes it."""
        given = await self._receipts.given(taken.id)
        if given is None:
            return None
        if given.taken:
            return Attempt("sent", 0)
        left = self._settings.answer_seconds + self._settings.patience_seconds - given.ago
        if left <= 0:
            return None
        return Attempt("later", error=UNSAID, after=min(left, LOOK))

    def _sender(self) -> PhoneNumber:
        """Numbers of a few digits are national short codes; a sender may also be a name."""
        sender = self._settings.sender
        if sender.startswith("+"):
            return PhoneNumber(sender[1:], TON.INTERNATIONAL, NPI.ISDN)
        return PhoneNumber(sender, TON.NETWORK_SPECIFIC if sender.isdecimal() else TON.ALPHANUMERIC, NPI.UNKNOWN)


class _Hook(AbstractHook):  # type: ignore[misc]  # the library is untyped
    """What is said to the center, and what it says. That is acknowledged only after this has returned."""

    def __init__(self, answers: dict[str, asyncio.Future[Attempt]], receipts: Receipts) -> None:
        self._answers, self._receipts = answers, receipts

    async def sending(self, smpp_message: SmppMessage, pdu: bytes, client_id: str) -> None:
        """A message is about to leave: from here on the center may have it, and one for which nobody waits any more does not leave."""
        del pdu, client_id
        if isinstance(smpp_message, SubmitSm):
            if smpp_message.log_id not in self._answers:
                raise ValueError("nobody waits for it")
            with _passing():
                await self._receipts.giving(Given.of(smpp_message.log_id), f"+{smpp_message.destination.number}")

    async def received(self, smpp_message: SmppMessage | None, pdu: bytes, client_id: str) -> None:
        """An answer to a message, a receipt, or what a customer wrote."""
        del client_id
        with _passing():
            if isinstance(smpp_message, SubmitSmResp):
                await self._answered(smpp_message, status_of(pdu))
            elif isinstance(smpp_message, DeliverSm):
                await self._delivered(pdu)

    async def send_error(self, smpp_message: SmppMessage, error: Exception, client_id: str) -> None:
        """It could not be sent; a text that no alphabet of the center has will never be."""
        del client_id
        again = not isinstance(error, ValueError)
        self._settle(smpp_message.log_id, Attempt("again" if again else "failed", error=f"it could not be sent: {type(error).__name__}"))

    async def written(self, parts: list[tuple[bytes, Delivered]]) -> None:
        """What a customer wrote, in one part or several."""
        first = parts[0][1]
        with _passing():
            text = text_of(first.coding, b"".join(message.raw for _, message in parts))
            if text is None:
                for pdu, message in parts:
                    await self._receipts.unreadable(message, pdu)
            else:
                await self._receipts.written(first.phone, text)

    async def _delivered(self, pdu: bytes) -> None:
        try:
            message = delivered(pdu)
        except ValueError:
            await self._receipts.senseless(pdu, BROKEN_OFF)
            return
        if not message.receipt:
            await self.written([(pdu, message)])
        elif message.name:
            await self._receipts.told(message.name, message.state, message.phone)
        else:
            await self._receipts.senseless(pdu, NAMELESS)

    async def _answered(self, answer: SubmitSmResp, number: int) -> None:
        status = answer.command_status
        if not answer.log_id:  # so late that nobody knows to what
            return
        if status == SmppCommandStatus.ESME_ROK:
            await self._receipts.taken(answer.message_id, Given.of(answer.log_id))
            self._settle(answer.log_id, Attempt("sent", 0))
        else:
            await self._receipts.refused(Given.of(answer.log_id))
            why = f"the message center answered {status.name if status == number else f'0x{number:08x}'}"
            self._settle(answer.log_id, Attempt("failed" if status in FOR_GOOD else "again", number, why))

    def _settle(self, key: str, attempt: Attempt) -> None:
        waiting = self._answers.get(key)
        if waiting is not None and not waiting.done():
            waiting.set_result(attempt)


@contextlib.contextmanager
def _passing() -> Iterator[None]:
    """What passes is to the library a lost connection: it binds again, and the center says it again."""
    try:
        yield
    except PASSING as passing:
        log.warning("a message center waits", reason=type(passing).__name__)
        raise ConnectionError("it could not be written down") from passing
