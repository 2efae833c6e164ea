"""Reads what a client still sends before it is answered and hung up on, or its system drops the answer: a wrong key, too large.

Whoever asks for `Connection: close` sends everything before it reads (PHP, Ruby and Python's own clients do), and a connection that is
closed with something unread is reset. Plain ASGI: a middleware with tasks of its own would cost 10 %. Reading order: Patient, hangs_up.
"""

import asyncio
from contextlib import suppress

from api.metrics import Application, Message, Receive, Scope, Send

MOST = 64 << 20
LONGEST = 5.0
"""So many bytes, and for so many seconds, are read for nothing."""


class Patient:
    """Lets the application answer when it knows, and the server not before all was said."""

    def __init__(self, app: Application) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not hangs_up(scope):
            await self._app(scope, receive, send)
            return
        all_said = False

        async def heard() -> Message:
            nonlocal all_said
            message = await receive()
            all_said = message["type"] != "http.request" or not message.get("more_body", False)
            return message

        async def answered(message: Message) -> None:
            left = MOST if message["type"] == "http.response.start" else 0
            with suppress(TimeoutError):
                async with asyncio.timeout(LONGEST):
                    while not all_said and left > 0:
                        left -= len((await heard()).get("body", b""))
            await send(message)

        await self._app(scope, heard, answered)


def hangs_up(scope: Scope) -> bool:
    """Whether something is sent, and the connection is closed after the answer. Who waits for `100 Continue` has not sent it yet."""
    if scope["type"] != "http" or scope["method"] not in {"POST", "PUT", "PATCH"}:
        return False
    closing: bool = scope["http_version"] == "1.0"
    for name, value in scope["headers"]:
        if name == b"connection" and value.lower() == b"close":
            closing = True
        elif name == b"expect":
            return False
    return closing
