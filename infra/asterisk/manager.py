"""Speaks Asterisk's manager protocol (AMI): logs in without sending the secret, asks for the live channels, and reads events.

A message is lines of `Name: value`, ended by an empty line. Reading order: Message, read, Manager.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

Message = Mapping[str, str]

SILENCE = 45.0
"""After so many seconds without a byte, although it is asked for a sign of life every `PING`, the other side is gone."""

PING = 15.0
WITHIN = 10.0
LONGEST = 1 << 20


class ManagerLost(Exception):
    """The connection ended, or never was."""


class ManagerRefused(Exception):
    """Asterisk does not let us in."""


@asynccontextmanager
async def connected(host: str, port: int, username: str, secret: str) -> "AsyncIterator[Manager]":
    """A manager that is logged in and hears of calls and agents. Raises ManagerLost, ManagerRefused."""
    try:
        async with asyncio.timeout(WITHIN):
            reader, writer = await asyncio.open_connection(host, port, limit=LONGEST)
    except (OSError, TimeoutError) as error:
        raise ManagerLost(f"{host}:{port} does not answer") from error
    manager = Manager(reader, writer)
    try:
        await manager.login(username, secret)
        yield manager
    finally:
        writer.close()


@dataclass(slots=True)
class Manager:
    """One connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    actions: int = 0

    async def login(self, username: str, secret: str) -> None:
        """By challenge: the secret itself never travels."""
        try:
            async with asyncio.timeout(WITHIN):
                banner = await self.reader.readline()
        except (OSError, TimeoutError) as error:
            raise ManagerLost("it says nothing") from error
        if b"Call Manager" not in banner:
            raise ManagerLost("it is no Asterisk Call Manager")
        challenge = await self._answer(self._ask("Challenge", AuthType="MD5"))
        key = hashlib.md5((challenge.get("Challenge", "") + secret).encode(), usedforsecurity=False).hexdigest()
        answer = await self._answer(self._ask("Login", AuthType="MD5", Username=username, Key=key, Events="call,agent"))
        if answer.get("Response") != "Success":
            raise ManagerRefused(answer.get("Message", "no reason was given"))

    def ask_for_channels(self) -> None:
        """Have all live channels told, as events that end with CoreShowChannelsComplete."""
        self._ask("CoreShowChannels")

    async def messages(self) -> AsyncIterator[Message]:
        """What comes, as long as the connection lives. Raises ManagerLost when it ends."""
        pinging = asyncio.create_task(self._ping())
        try:
            while True:
                yield await self._read(SILENCE)
        finally:
            pinging.cancel()

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(PING)
            self._ask("Ping")

    def _ask(self, action: str, **fields: str) -> str:
        self.actions += 1
        id_ = f"yekta-{self.actions}"
        lines = [f"Action: {action}", f"ActionID: {id_}", *(f"{name}: {value}" for name, value in fields.items())]
        self.writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        return id_

    async def _answer(self, id_: str) -> Message:
        while True:
            message = await self._read(WITHIN)
            if message.get("Response") and message.get("ActionID", id_) == id_:
                return message

    async def _read(self, within: float) -> Message:
        try:
            async with asyncio.timeout(within):
                return await read(self.reader)
        except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError) as error:
            raise ManagerLost("the connection ended") from error


async def read(reader: asyncio.StreamReader) -> Message:
    """The next message; of a name that comes twice the last value. Raises IncompleteReadError at the end."""
    found: dict[str, str] = {}
    while True:
        line = await reader.readuntil(b"\n")
        text = line.decode("utf-8", "replace").rstrip("\r\n")
        if not text:
            if found:
                return found
            continue
        name, colon, value = text.partition(":")
        if colon:
            found[name.strip()] = value.strip()
