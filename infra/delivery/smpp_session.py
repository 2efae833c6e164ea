"""The library's session, for centers as they are: with words of their own for errors, and messages that the library cannot read.

Whatever the library does not know ends its session, and with it the answers to all that is under way. What a center delivers is therefore
read elsewhere (`smpp_reading`). Parts of a long text wait for each other, and are acknowledged together once the log has the text; what is
missing after a while does not keep back the rest. Reading order: Session, Requests.
"""

import asyncio
import contextlib
import struct
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from aiosmpplib import ESME, DeliverSm, DeliverSmResp, SmppCommand, SmppCommandStatus, SmppMessage, SubmitSm
from aiosmpplib.correlator import SimpleCorrelator

from infra.delivery.smpp_reading import Delivered, delivered

HEADER = 16
KNOWN = frozenset(int(status) for status in SmppCommandStatus)
TOGETHER = 3.0
"""Seconds for which the parts of a text wait for each other: a center that wants each acknowledged before the next would wait for ever."""

UNREAD = DeliverSm(short_message="?")
"""Stands for what a center delivers: whoever is told of it reads the bytes."""

Piece = tuple[int, bytes, Delivered]
"""The number under which a part is acknowledged, its bytes, and what it says."""

log = structlog.get_logger()


class Session(ESME):  # type: ignore[misc]  # the library is untyped
    """A session that outlives what it does not know. `told` is told of a text in parts: of those that came, in their order."""

    def __init__(self, *where: Any, told: Callable[[list[tuple[bytes, Delivered]]], Awaitable[None]], **how: Any) -> None:
        super().__init__(*where, **how)
        self._told = told
        self._together: dict[tuple[str, int, int], dict[int, Piece]] = {}
        self._whole: dict[tuple[str, int, int], asyncio.Event] = {}
        self._joining: set[asyncio.Task[None]] = set()

    async def stop(self) -> None:
        """Shut down; parts that wait for others are delivered again."""
        for task in self._joining:
            task.cancel()
        await super().stop()

    async def _get_pdu(self) -> tuple[bytes, Any]:
        """An error that the specification leaves to the center is one that nobody knows; its number stands in the bytes."""
        assert isinstance(self._reader, asyncio.StreamReader)  # noqa: S101 - it is connected
        head = await self._reader.readexactly(HEADER)
        known = head if status_of(head) in KNOWN else head[:8] + struct.pack("!I", SmppCommandStatus.ESME_RUNKNOWNERR) + head[12:]
        header = SmppMessage.parse_header(known)
        return head + await self._reader.readexactly(header.pdu_length - HEADER), header

    async def _handle_request(self, pdu: bytes, header: Any) -> Any:
        """What the center delivers is handed on unread, but for the parts of a text."""
        if header.smpp_command != SmppCommand.DELIVER_SM:
            return await super()._handle_request(pdu, header)
        try:
            message = delivered(pdu)
        except ValueError:
            return UNREAD
        if message.part is None:
            return UNREAD
        key = (message.number, message.part.text, message.part.of)
        if key not in self._together:
            self._together[key], self._whole[key] = {}, asyncio.Event()
            task = asyncio.create_task(self._join(key, self._writer))
            self._joining.add(task)
            task.add_done_callback(self._joining.discard)
        pieces = self._together[key]
        pieces[message.part.number] = (header.sequence_num, pdu, message)
        if len(pieces) == message.part.of:
            self._whole[key].set()
        return None

    async def _join(self, key: tuple[str, int, int], session: object) -> None:
        """Tell of the parts that came, then acknowledge them. Those of a session that ended are delivered again."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(TOGETHER):
                await self._whole[key].wait()
        del self._whole[key]
        pieces = [piece for _, piece in sorted(self._together.pop(key).items())]
        if session is not self._writer:
            return
        try:
            await self._told([(pdu, message) for _, pdu, message in pieces])
            for number, _, _ in pieces:
                await self._send_data(DeliverSmResp(number))
        except OSError as passing:
            log.warning("parts are not acknowledged", reason=type(passing).__name__)


class Requests(SimpleCorrelator):  # type: ignore[misc]  # the library is untyped
    """What was asked and is not answered yet. Of whom receipts are is in the database: nothing is kept for them here."""

    def __init__(self, name: str, remembered: float) -> None:
        super().__init__(name, max_ttl_response=remembered)

    async def put_delivery(self, smsc_message_id: str, submit_sm: SubmitSm) -> None:
        """Nothing is to be kept."""


def status_of(pdu: bytes) -> int:
    """The number of the error in a message of the protocol, 0 if there is none."""
    (status,) = struct.unpack_from("!I", pdu, 8)
    return int(status)
