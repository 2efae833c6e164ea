"""A real mail server on loopback that keeps what it is given."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP


class Mail:
    """What came in."""

    def __init__(self) -> None:
        self.port = 0
        self._letters: asyncio.Queue[EmailMessage] = asyncio.Queue()

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        del server, session, options
        if address.startswith("gone.away"):
            return "550 5.1.1 nobody of this name"
        envelope.rcpt_tos.append(address)
        return "250 go on"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - as the library calls it
        del server, session
        if envelope.rcpt_tos[0].startswith("takes.no.such"):
            return "554 5.7.1 nothing of this kind is taken here"
        letter = message_from_bytes(envelope.content, _class=EmailMessage, policy=policy.default)
        assert isinstance(letter, EmailMessage)
        await self._letters.put(letter)
        return "250 kept"

    async def first(self, to: str = "") -> EmailMessage:
        """The letter that waits longest, or the first to somebody; those to others go."""
        async with asyncio.timeout(60):
            while True:
                letter = await self._letters.get()
                if letter["To"] == to or not to:
                    return letter


@asynccontextmanager
async def mail_server() -> AsyncIterator[Mail]:
    """A server that listens."""
    mail = Mail()
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(mail, enable_SMTPUTF8=True), "127.0.0.1", 0)
    mail.port = server.sockets[0].getsockname()[1]
    try:
        yield mail
    finally:
        server.close()
        await server.wait_closed()
