"""Makes facts of what a message center says, and remembers what it was given and took. Reading order: Given, Receipts, Known."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import structlog
from psycopg_pool import AsyncConnectionPool

from aggregates import dead_letter
from aggregates.dead_letter import Place
from aggregates.decision import SPEAKER
from aggregates.identifier import Token
from aggregates.log import Log
from aggregates.normal import NotAnIdentifier, normalise
from aggregates.reading import read
from aggregates.refusal import Refusal
from aggregates.sealing import Sealer, seal
from aggregates.source import Source
from aggregates.wire import encoder
from infra.delivery.channels import address
from infra.delivery.rechecking import state_of
from infra.delivery.smpp_reading import Delivered
from streams.record import Connection

DELIVERED = frozenset({"DELIVRD", "DELIVERED"})
ON_ITS_WAY = frozenset({"", "ENROUTE", "ACCEPTD", "ACCEPTED", "UNKNOWN"})
KEPT = "3 days"
"""For how long a receipt of a message that nobody knows is kept: it may be another's who speaks to the same center."""

BROKEN_OFF = Refusal("not_cloudevents", "", "The message of the center breaks off.", "Send the event that it stands for.")
NAMELESS = Refusal("not_cloudevents", "", "It is a receipt, and does not say of what.", "Send the event that it stands for.")

log = structlog.get_logger()


class Given(NamedTuple):
    """A message that a center was given."""

    delivery: UUID
    customer: UUID
    signal: UUID

    def __str__(self) -> str:
        return " ".join(map(str, self))

    @classmethod
    def of(cls, text: str) -> "Given":
        """What was written as a text."""
        return cls(*map(UUID, text.split(" ")))


class Known(NamedTuple):
    """What is known of a message that a center was given."""

    taken: bool
    ago: float  # seconds


class Receipts:
    """What a center says of messages, and what customers write."""

    def __init__(
        self, pool: AsyncConnectionPool[Connection], publisher: Log, sealer: Sealer, prefix: str, zone: str, clock: Callable[[], datetime]
    ) -> None:
        self._pool, self._publisher, self._sealer, self._clock = pool, publisher, sealer, clock
        self._topic, self._letters = prefix + "touchpoints", prefix + "dead-letters"
        self._source = Source(SPEAKER, zone, types=("contact.*",))

    async def giving(self, given: Given, phone: str) -> None:
        """The center is about to have it."""
        async with self._pool.connection() as connection:
            await connection.execute(
                "INSERT INTO contacts.smpp_given (delivery, customer_id, signal, phone) VALUES (%s, %s, %s, %s) ON CONFLICT (delivery)"
                " DO UPDATE SET at = now(), taken = false, phone = excluded.phone",
                (*given, self._token(phone)),
            )

    async def refused(self, given: Given) -> None:
        """It did not take it: the next try is another."""
        async with self._pool.connection() as connection:
            await connection.execute("DELETE FROM contacts.smpp_given WHERE delivery = %s AND NOT taken", (given.delivery,))

    async def taken(self, message: str, given: Given) -> None:
        """The center has it, and calls it so."""
        async with self._pool.connection() as connection:
            state = await _take(connection, message, given)
        if state:
            await self.told(message, state, "")

    async def given(self, delivery: UUID) -> Known | None:
        """What is known of a message; of one that the center never had, nothing.

        A receipt of a message that nobody knows, for the same number and from since then, is of this one: its answer was lost.
        """
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT taken, extract(epoch FROM now() - at)::float8, customer_id, signal FROM contacts.smpp_given WHERE delivery = %s"
                " FOR UPDATE",
                (delivery,),
            )
            row = await cursor.fetchone()
            if row is None:
                return None
            taken, ago, customer, signal = row
            if taken:
                return Known(True, ago)
            cursor = await connection.execute(
                "SELECT r.message_id FROM contacts.smpp_receipts r JOIN contacts.smpp_given g ON g.phone = r.phone AND r.at >= g.at"
                " WHERE g.delivery = %s AND g.phone <> '' ORDER BY r.at LIMIT 1",
                (delivery,),
            )
            found = await cursor.fetchone()
            if found is None:
                return Known(False, ago)
            state = await _take(connection, found[0], Given(delivery, customer, signal))
        if state:
            await self.told(found[0], state, "")
        return Known(True, ago)

    async def told(self, message: str, state: str, phone: str) -> None:
        """What became of a message: delivered, or refused with the center's word. What is on its way says nothing yet."""
        if state in ON_ITS_WAY:
            return
        known = await self._known(message, phone)
        if known is None:
            log.warning("receipt_of_another", message=message, state=state)
            async with self._pool.connection() as connection:
                await connection.execute(f"DELETE FROM contacts.smpp_receipts WHERE at < now() - interval '{KEPT}'")
                await connection.execute(
                    "INSERT INTO contacts.smpp_receipts (message_id, state, phone) VALUES (%s, %s, %s) ON CONFLICT (message_id)"
                    " DO UPDATE SET state = excluded.state, at = now()",
                    (message, state, self._token(phone)),
                )
            known = await self._known(message, phone)  # another session may have heard meanwhile that it was taken
        if known is not None:
            verb, data = ("delivered", {}) if state in DELIVERED else ("refused", {"reason": state})
            await self._tell(f"contact.{verb}", {"signal": str(known[1]), **data}, known[0], f"smpp {message} {state}", known[2])

    async def _known(self, message: str, phone: str) -> tuple[str, UUID, datetime] | None:
        """The number, if he has one still, the contact, and since when its receipt is there, of a message that was taken."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "UPDATE contacts.smpp_taken SET told = coalesce(told, %s) WHERE message_id = (SELECT message_id FROM contacts.smpp_taken"
                " WHERE message_id = %s OR message_id = ANY(%s) AND phone <> '' AND phone = %s ORDER BY message_id = %s DESC LIMIT 1)"
                " RETURNING customer_id, signal, told",
                (self._clock(), message, spellings(message), self._token(phone), message),
            )
            row = await cursor.fetchone()
            return None if row is None else (address(await state_of(connection, row[0]), "phone"), row[1], row[2])

    async def written(self, phone: str, text: str) -> None:
        """A customer wrote back: his answer to what he was sent last."""
        now = self._clock()
        await self._tell("contact.answered", {"reason": text}, phone, f"smpp {now.isoformat()}", now)

    async def unreadable(self, message: Delivered, pdu: bytes) -> None:
        """A customer wrote what nobody can read: a person may, and adds it to the letter."""
        now = self._clock()
        event = _event("contact.answered", {"pdu": b64encode(pdu).decode()}, message.phone, f"smpp {now.isoformat()}", now)
        why = Refusal(
            "unusable_text",
            "/data/pdu",
            f"The text is in no alphabet that is known (data_coding {message.coding}).",
            "Add what it says as data.reason.",
        )
        await self._bury(encoder.encode(event), why)

    async def senseless(self, pdu: bytes, why: Refusal) -> None:
        """The center delivered what says nothing to anybody."""
        await self._bury(pdu, why, "application/octet-stream")

    async def _tell(self, type_: str, data: Mapping[str, Any], phone: str, id_: str, at: datetime) -> None:
        """The same receipt is the same event, however often the center says it."""
        event = _event(type_, data, phone, id_, at)
        understood = read(event, self._source, self._clock())
        if isinstance(understood, Refusal):
            await self._bury(encoder.encode(event), understood)
        else:
            await self._publisher.publish(self._topic, [(*seal(understood, self._sealer), ())])

    async def _bury(self, raw: bytes, why: Refusal, content_type: str = "application/json") -> None:
        log.warning("receipt_refused", reason=why.reason, pointer=why.pointer)
        letter = dead_letter.bury(raw, why, SPEAKER, Place("smpp"), self._clock(), self._sealer, content_type)
        await self._publisher.publish(self._letters, [dead_letter.record(letter)])

    def _token(self, phone: str) -> Token:
        """By which a number is known again; empty for what is none."""
        try:
            return self._sealer.token(normalise("phone", phone)) if phone else Token("")
        except NotAnIdentifier:
            return Token("")


async def _take(connection: Connection, message: str, given: Given) -> str:
    """Write down that it was taken; what a receipt said of it before that."""
    cursor = await connection.execute(
        "UPDATE contacts.smpp_given SET taken = true WHERE delivery = %s RETURNING phone",
        (given.delivery,),
    )
    row = await cursor.fetchone()
    phone = row[0] if row else ""
    await connection.execute(
        "INSERT INTO contacts.smpp_taken (message_id, customer_id, signal, phone) VALUES (%s, %s, %s, %s) ON CONFLICT (message_id)"
        " DO UPDATE SET customer_id = excluded.customer_id, signal = excluded.signal, phone = excluded.phone, at = now()",
        (message, given.customer, given.signal, phone),
    )
    cursor = await connection.execute(
        "DELETE FROM contacts.smpp_receipts WHERE message_id = %s OR message_id = ANY(%s) AND phone <> '' AND phone = %s RETURNING state",
        (message, spellings(message), phone),
    )
    row = await cursor.fetchone()
    return str(row[0]) if row else ""


def spellings(message: str) -> list[str]:
    """How else a center may write a name that is a number: some give it in hexadecimal, and say in decimal what became of it."""
    numbers = set[int]()
    with suppress(ValueError):
        numbers.add(int(message, 16))
    if message.isdecimal():
        numbers.add(int(message))
    return sorted(
        {form.format(number) for number in numbers for form in ("{}", "{:x}", "{:X}", "{:08x}", "{:08X}", "{:010}", "{:016x}", "{:016X}")}
        - {message}
    )


def _event(type_: str, data: Mapping[str, Any], phone: str, id_: str, at: datetime) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": id_,
        "source": "yekta:smpp",
        "type": type_,
        "time": at.isoformat(),
        "data": {**({"who": {"phone": phone}} if phone else {}), "channel": "sms", **data},
    }
