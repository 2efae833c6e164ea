"""Hands SMS to a message center over SMPP 3.4 and tells the log what comes back: receipts, and what customers answer.

The session is the library's (`aiosmpplib`): binding, keeping alive, binding again. A message counts as sent when the center has taken it;
what it says of it later is a fact like any receipt. A center that is away is tried again as any channel is. The protocol is the SMS Forum's
"Short Message Peer to Peer Protocol Specification v3.4" of 1999. Reading order: SmppAdapter, _Hook, Receipts.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

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
from psycopg_pool import AsyncConnectionPool

from aggregates.decision import SPEAKER
from aggregates.log import Log
from aggregates.reading import read
from aggregates.refusal import Refusal
from aggregates.sealing import Sealer, seal
from aggregates.source import Source
from infra.delivery.channels import Writing, address
from infra.delivery.rechecking import state_of
from infra.delivery.smpp_session import Requests, Session, receipt, status_of
from infra.settings import SmppSettings
from projections.deliveries.table import Taken
from streams.record import Connection
from streams.sending import Attempt

ANSWER = 20.0
"""Seconds within which a center says whether it took a message."""

FOR_GOOD = frozenset(
    {
        SmppCommandStatus.ESME_RINVDSTADR,
        SmppCommandStatus.ESME_RINVMSGLEN,
        SmppCommandStatus.ESME_RINVDSTTON,
        SmppCommandStatus.ESME_RINVDSTNPI,
    }
)
"""Trying again changes nothing: the number or the text is wrong."""

DELIVERED = frozenset({"DELIVRD", "DELIVERED"})
ON_ITS_WAY = frozenset({"", "ENROUTE", "ACCEPTD", "ACCEPTED", "UNKNOWN"})
EARLY = 1_000
"""Receipts that are kept as no message is known by their name yet: some centers say what became of it before they say that they took it."""

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
        self._settings, self._writing = settings, writing
        self._waiting = _Waiting()
        self._session = Session(
            settings.host,
            settings.port,
            settings.system_id,
            settings.password.get_secret_value() if settings.password else "",
            settings.system_type,
            enquire_link_interval=settings.enquire_seconds,
            log_level="CRITICAL",
            hook=_Hook(self._waiting.answers, receipts),
            broker=self._waiting,
            correlator=Requests(settings.system_id),
        )

    async def run(self) -> None:
        """Stay bound for as long as the process lives."""
        try:
            await self._session.start()
        finally:
            with contextlib.suppress(OSError, TimeoutError):
                await self._session.stop()

    async def __call__(self, taken: Taken) -> Attempt:
        written = await self._writing.sms(taken)
        if isinstance(written, Attempt):
            return written
        approach, sms = written
        if self._session.session_state != SmppSessionState.BOUND_TRX:
            return Attempt("again", error="the message center is not connected")
        key = f"{taken.id} {approach.customer} {approach.want.candidate.signal}"
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
            return await asyncio.wait_for(answer, ANSWER)
        except TimeoutError:
            return Attempt("again", error=f"the message center did not answer within {ANSWER:.0f} s")
        finally:
            self._waiting.answers.pop(key, None)

    def _sender(self) -> PhoneNumber:
        """Numbers of a few digits are national short codes; a sender may also be a name."""
        sender = self._settings.sender
        if sender.startswith("+"):
            return PhoneNumber(sender[1:], TON.INTERNATIONAL, NPI.ISDN)
        return PhoneNumber(sender, TON.NETWORK_SPECIFIC if sender.isdecimal() else TON.ALPHANUMERIC, NPI.UNKNOWN)


class _Hook(AbstractHook):  # type: ignore[misc]  # the library is untyped
    """What the center says. It is acknowledged only after this has returned."""

    def __init__(self, answers: dict[str, asyncio.Future[Attempt]], receipts: "Receipts") -> None:
        self._answers, self._receipts = answers, receipts

    async def sending(self, smpp_message: SmppMessage, pdu: bytes, client_id: str) -> None:
        """Nothing is to be done."""

    async def received(self, smpp_message: SmppMessage | None, pdu: bytes, client_id: str) -> None:
        """An answer to a message, a receipt, or what a customer wrote."""
        del client_id
        if isinstance(smpp_message, SubmitSmResp):
            await self._answered(smpp_message, status_of(pdu))
        elif isinstance(smpp_message, DeliverSm):
            if smpp_message.is_receipt():
                await self._receipts.told(*receipt(smpp_message))
            else:
                text = smpp_message.short_message or smpp_message.message_payload
                await self._receipts.written(smpp_message.source.number, smpp_message.source.ton == TON.INTERNATIONAL, text)

    async def send_error(self, smpp_message: SmppMessage, error: Exception, client_id: str) -> None:
        """It could not be sent; a text that no alphabet of the center has will never be."""
        del client_id
        again = not isinstance(error, ValueError)
        self._settle(smpp_message.log_id, Attempt("again" if again else "failed", error=f"it could not be sent: {type(error).__name__}"))

    async def _answered(self, answer: SubmitSmResp, number: int) -> None:
        status = answer.command_status
        if not answer.log_id:  # so late that nobody knows to what
            return
        if status == SmppCommandStatus.ESME_ROK:
            _, customer, signal = answer.log_id.split(" ")
            await self._receipts.taken(answer.message_id, UUID(customer), UUID(signal))
            self._settle(answer.log_id, Attempt("sent", 0))
        else:
            why = f"the message center answered {status.name if status == number else f'0x{number:08x}'}"
            self._settle(answer.log_id, Attempt("failed" if status in FOR_GOOD else "again", number, why))

    def _settle(self, key: str, attempt: Attempt) -> None:
        waiting = self._answers.get(key)
        if waiting is not None and not waiting.done():
            waiting.set_result(attempt)


class Receipts:
    """Makes facts of what comes back."""

    def __init__(
        self, pool: AsyncConnectionPool[Connection], publisher: Log, sealer: Sealer, prefix: str, zone: str, clock: Callable[[], datetime]
    ) -> None:
        self._pool, self._publisher, self._sealer, self._clock = pool, publisher, sealer, clock
        self._topic = prefix + "touchpoints"
        self._source = Source(SPEAKER, zone, types=("contact.*",))
        self._early: dict[str, str] = {}

    async def taken(self, message: str, customer: UUID, signal: UUID) -> None:
        """The center has it, and calls it so."""
        async with self._pool.connection() as connection:
            await connection.execute(
                "INSERT INTO contacts.smpp_taken (message_id, customer_id, signal) VALUES (%s, %s, %s) ON CONFLICT (message_id)"
                " DO UPDATE SET customer_id = excluded.customer_id, signal = excluded.signal, at = now()",
                (message, customer, signal),
            )
        if state := self._early.pop(message, None):
            await self.told(message, state)

    async def told(self, message: str, state: str) -> None:
        """What became of a message: delivered, or refused with the center's word. What is on its way says nothing yet."""
        if not message or state in ON_ITS_WAY:
            return
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "UPDATE contacts.smpp_taken SET told = coalesce(told, %s) WHERE message_id = %s RETURNING customer_id, signal, told",
                (self._clock(), message),
            )
            row = await cursor.fetchone()
            if row is None:
                log.warning("receipt_of_another", message=message, state=state)
                self._early[message] = state
                if len(self._early) > EARLY:
                    del self._early[next(iter(self._early))]
                return
            phone = address(await state_of(connection, row[0]), "phone")
        if phone:
            verb, data = ("delivered", {}) if state in DELIVERED else ("refused", {"reason": state})
            await self._tell(f"contact.{verb}", {"signal": str(row[1]), **data}, phone, f"smpp {message} {state}", row[2])

    async def written(self, number: str, international: bool, text: str) -> None:
        """A customer wrote back: his answer to what he was sent last."""
        now = self._clock()
        phone = f"+{number}" if international else number
        await self._tell("contact.answered", {"reason": text}, phone, f"smpp {now.isoformat()}", now)

    async def _tell(self, type_: str, data: Mapping[str, Any], phone: str, id_: str, at: datetime) -> None:
        """The same receipt is the same event, however often the center says it."""
        event = {
            "specversion": "1.0",
            "id": id_,
            "source": "yekta:smpp",
            "type": type_,
            "time": at.isoformat(),
            "data": {"who": {"phone": phone}, "channel": "sms", **data},
        }
        understood = read(event, self._source, self._clock())
        if isinstance(understood, Refusal):
            log.warning("receipt_refused", reason=understood.reason, pointer=understood.pointer)
            return
        await self._publisher.publish(self._topic, [(*seal(understood, self._sealer), ())])
