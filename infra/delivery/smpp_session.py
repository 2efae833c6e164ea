"""The library's session, for centers as they are: with words of their own for errors, and receipts of which no two look alike.

Whatever the library does not know ends its session, and with it the answers to all that is under way, so that they go out twice.
Reading order: Session, Requests, receipt.
"""

import asyncio
import contextlib
import re
import struct
from typing import Any

from aiosmpplib import ESME, DeliverSm, SmppCommand, SmppCommandStatus, SmppMessage, SubmitSm
from aiosmpplib.correlator import SimpleCorrelator

HEADER = 16
KNOWN = frozenset(int(status) for status in SmppCommandStatus)
REMEMBERED = 60.0
"""Seconds after which it is forgotten what an answer would be to. Later than anybody waits for it: a late one finds its message still."""

MESSAGE_ID, MESSAGE_STATE = 0x1E, 0x427
STATES = {1: "ENROUTE", 2: "DELIVRD", 3: "EXPIRED", 4: "DELETED", 5: "UNDELIV", 6: "ACCEPTD", 7: "UNKNOWN", 8: "REJECTD"}
"""The states of a message (5.2.28 of the specification), as receipts abbreviate them."""


class Session(ESME):  # type: ignore[misc]  # the library is untyped
    """A session that outlives what it does not know."""

    async def _get_pdu(self) -> tuple[bytes, Any]:
        """An error that the specification leaves to the center is one that nobody knows; its number stands in the bytes."""
        assert isinstance(self._reader, asyncio.StreamReader)  # noqa: S101 - it is connected
        head = await self._reader.readexactly(HEADER)
        known = head if status_of(head) in KNOWN else head[:8] + struct.pack("!I", SmppCommandStatus.ESME_RUNKNOWNERR) + head[12:]
        header = SmppMessage.parse_header(known)
        return head + await self._reader.readexactly(header.pdu_length - HEADER), header

    async def _handle_request(self, pdu: bytes, header: Any) -> Any:
        """A receipt is handed on unread: the library insists on one form of its dates and numbers."""
        if header.smpp_command == SmppCommand.DELIVER_SM:
            with contextlib.suppress(ValueError):
                message = DeliverSm.from_pdu(pdu, header, self.default_encoding, self.custom_codecs)
                if message.is_receipt():
                    return message
        return await super()._handle_request(pdu, header)


class Requests(SimpleCorrelator):  # type: ignore[misc]  # the library is untyped
    """What was asked and is not answered yet. Of whom receipts are is in the database: nothing is kept for them here."""

    def __init__(self, name: str) -> None:
        super().__init__(name, max_ttl_response=REMEMBERED)

    async def put_delivery(self, smsc_message_id: str, submit_sm: SubmitSm) -> None:
        """Nothing is to be kept."""


def status_of(pdu: bytes) -> int:
    """The number of the error in a message of the protocol, 0 if there is none."""
    (status,) = struct.unpack_from("!I", pdu, 8)
    return int(status)


def receipt(message: DeliverSm) -> tuple[str, str]:
    """The name of the message that a receipt is of, and what became of it; from its text, else from its parameters."""
    text = re.split(r"\btext:", message.short_message or message.message_payload, maxsplit=1, flags=re.IGNORECASE)[0]
    said = {name.lower(): value for name, value in reversed(re.findall(r"\b(id|stat):\s*(\S+)", text, re.IGNORECASE))}
    beside = {param.tag: param.value for param in message.optional_params or ()}
    name, state = said.get("id") or beside.get(MESSAGE_ID, ""), beside.get(MESSAGE_STATE)
    return str(name).replace("\0", ""), (said.get("stat") or (STATES.get(state, "") if isinstance(state, int) else "")).upper()
