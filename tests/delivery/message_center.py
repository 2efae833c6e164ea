"""A message center on loopback that speaks SMPP 3.4 byte by byte as it is specified, and knows nothing of the library under test."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple

BIND_TRANSCEIVER, SUBMIT_SM, DELIVER_SM, UNBIND, ENQUIRE_LINK = 0x09, 0x04, 0x05, 0x06, 0x15
RESPONSE = 0x80000000
RECEIPT = 0x04  # esm_class of a delivery receipt
INTERNATIONAL, ISDN = 1, 1
UCS2 = 8
APPENDIX_B = "id:{message} sub:001 dlvrd:001 submit date:2601010000 done date:2601010001 stat:{state} err:000 text:"
"""A receipt as the specification shows one."""


class Submitted(NamedTuple):
    """A message as it arrived."""

    source: str
    to: str
    text: str
    message: str  # the name that the center gave it


class Center:
    """Takes messages, or answers what `statuses` says."""

    def __init__(self) -> None:
        self.port = 0
        self.statuses: dict[str, int] = {}  # what it answers for a number, instead of taking the message
        self.hasty = False  # it says what became of a message before it says that it took it
        self.name = "m{}"  # what it calls the messages that it takes
        self.silent = False  # it takes messages and does not say so
        self._unsaid: list[tuple[asyncio.StreamWriter, int, str, bytes]] = []
        self.binds: list[tuple[str, str]] = []
        self._unheard: dict[int, asyncio.Future[None]] = {}  # what it delivered and nobody acknowledged yet
        self._taken: asyncio.Queue[Submitted] = asyncio.Queue()
        self._writer: asyncio.StreamWriter | None = None
        self._count = 0

    async def first(self) -> Submitted:
        """The message that waits longest."""
        async with asyncio.timeout(60):
            return await self._taken.get()

    async def receipt(self, message: str, state: str, form: str = APPENDIX_B, number: str = "989121234567") -> None:
        """Say what became of a message."""
        await self._deliver(number.encode(), RECEIPT, 0, form.format(message=message, state=state).encode("ascii"))

    async def write(self, number: str, text: str) -> None:
        """A customer writes."""
        await self._deliver(number.encode(), 0, UCS2, text.encode("utf-16-be"))

    async def deliver(self, number: str, text: bytes, coding: int, esm_class: int = 0, beside: bytes = b"") -> None:
        """Deliver whatever it may be, with parameters after the text."""
        await self._deliver(number.encode(), esm_class, coding, text, beside)

    async def parts(self, number: str, *parts: bytes, esm_class: int) -> None:
        """A customer writes a long text; each part is acknowledged in its time."""
        async with asyncio.timeout(60):
            await asyncio.gather(*[self._say(number.encode(), esm_class, UCS2, part) for part in parts])

    @property
    def waiting(self) -> int:
        """How many messages nobody looked at yet."""
        return self._taken.qsize()

    def say_now(self, number: str) -> None:
        """Say of what was taken in silence for a number that it was."""
        for writer, sequence, to, message in self._unsaid:
            if to == number:
                self._send(writer, SUBMIT_SM | RESPONSE, 0, sequence, message)

    async def hang_up(self) -> None:
        """Drop the connection, as a center that is started anew does."""
        assert self._writer is not None
        self._writer.close()

    async def _deliver(self, source: bytes, esm_class: int, coding: int, text: bytes, beside: bytes = b"") -> None:
        async with asyncio.timeout(60):
            await self._say(source, esm_class, coding, text, beside)

    def _say(self, source: bytes, esm_class: int, coding: int, text: bytes, beside: bytes = b"") -> "asyncio.Future[None]":
        """Deliver it; what is answered is done when it was acknowledged."""
        assert self._writer is not None
        body = b"\0" + bytes((INTERNATIONAL, ISDN)) + source + b"\0" + b"\0\0" + b"3000\0"
        body += bytes((esm_class, 0, 0)) + b"\0\0" + bytes((0, 0, coding, 0, len(text))) + text + beside
        self._count += 1
        self._send(self._writer, DELIVER_SM, 0, self._count, body)
        heard = self._unheard[self._count] = asyncio.get_running_loop().create_future()
        return heard

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One session."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                length, command, _, sequence = struct.unpack("!IIII", await reader.readexactly(16))
                body = await reader.readexactly(length - 16)
                if command == BIND_TRANSCEIVER:
                    name, password = body.split(b"\0")[:2]
                    self.binds.append((name.decode(), password.decode()))
                    self._writer = writer
                    self._send(writer, command | RESPONSE, 0, sequence, b"center\0")
                elif command == SUBMIT_SM:
                    self._submit(writer, sequence, body)
                elif command == DELIVER_SM | RESPONSE:
                    self._unheard.pop(sequence).set_result(None)
                elif not command & RESPONSE:
                    self._send(writer, command | RESPONSE, 0, sequence, b"")
        writer.close()

    def _submit(self, writer: asyncio.StreamWriter, sequence: int, body: bytes) -> None:
        _, rest = body.split(b"\0", 1)
        source, rest = rest[2:].split(b"\0", 1)
        to, rest = rest[2:].split(b"\0", 1)
        if status := self.statuses.get(to.decode()):
            self._send(writer, SUBMIT_SM | RESPONSE, status, sequence, b"")
            return
        rest = rest[3:]  # esm_class, protocol_id, priority_flag
        _, rest = rest.split(b"\0", 1)
        _, rest = rest.split(b"\0", 1)
        coding, length = rest[2], rest[4]
        text = rest[5 : 5 + length].decode("utf-16-be" if coding == UCS2 else "ascii")
        self._count += 1
        message = self.name.format(self._count)
        if self.hasty:
            self._say(to, RECEIPT, 0, APPENDIX_B.format(message=message, state="DELIVRD").encode("ascii"))
        if self.silent:
            self._unsaid.append((writer, sequence, to.decode(), message.encode() + b"\0"))
        else:
            self._send(writer, SUBMIT_SM | RESPONSE, 0, sequence, message.encode() + b"\0")
        self._taken.put_nowait(Submitted(source.decode(), to.decode(), text, message))

    @staticmethod
    def _send(writer: asyncio.StreamWriter, command: int, status: int, sequence: int, body: bytes) -> None:
        writer.write(struct.pack("!IIII", 16 + len(body), command, status, sequence) + body)


@asynccontextmanager
async def message_center() -> AsyncIterator[Center]:
    """A center that listens."""
    center = Center()
    server = await asyncio.start_server(center.serve, "127.0.0.1", 0)
    center.port = server.sockets[0].getsockname()[1]
    try:
        yield center
    finally:
        server.close()
