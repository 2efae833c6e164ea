"""A PBX of the tests: it speaks the manager protocol on loopback as Asterisk does, and says what the script says.

Events, their fields and their order are those of Asterisk 20 for calls to a queue, direct calls and outbound ones.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

USERNAME, SECRET = "yekta", "s3cret"
AT = 1_795_000_000.0
CALLER, AGENT = "1795000000.1", "1795000000.2"

Said = dict[str, str]


def of_call(id_: str, *, linked: str = "", number: str = "09121234567", **fields: str) -> Said:
    """What every event of a channel has."""
    return {"Channel": f"PJSIP/trunk-{id_[-1:] * 8}", "CallerIDNum": number, "Uniqueid": id_, "Linkedid": linked or id_, **fields}


def ringing(call: str = CALLER, agent: str = AGENT, number: str = "09121234567", at: float = AT) -> list[Said]:
    """A call comes in, waits in a queue and rings at 204."""
    to = {"DestChannel": "PJSIP/204-0000001a", "DestUniqueid": agent, "DestLinkedid": call}
    return [
        {"Event": "Newchannel", **of_call(call, number=number), "Exten": "s", "Context": "from-trunk", "Timestamp": str(at)},
        {
            "Event": "QueueCallerJoin",
            **of_call(call, number=number),
            "Queue": "sales",
            "Position": "1",
            "Count": "1",
            "Timestamp": str(at + 1),
        },
        {"Event": "Newchannel", **of_call(agent, linked=call, number="204"), "Exten": "s", "Timestamp": str(at + 2)},
        {
            "Event": "AgentCalled",
            **of_call(call, number=number),
            "Queue": "sales",
            "Interface": "PJSIP/204",
            "MemberName": "maryam",
            **to,
            "Timestamp": str(at + 2),
        },
        {"Event": "DialBegin", **of_call(call, number=number), **to, "DialString": "204", "Timestamp": str(at + 2)},
    ]


def answered(call: str = CALLER, agent: str = AGENT, at: float = AT) -> list[Said]:
    """Maryam takes it after twelve seconds."""
    return [
        {
            "Event": "AgentConnect",
            **of_call(call),
            "Queue": "sales",
            "Interface": "PJSIP/204",
            "MemberName": "maryam",
            "DestUniqueid": agent,
            "HoldTime": "12",
            "RingTime": "10",
            "Timestamp": str(at + 13),
        },
        {"Event": "DialEnd", **of_call(call), "DestUniqueid": agent, "DialStatus": "ANSWER", "Timestamp": str(at + 13)},
    ]


def hung_up(call: str = CALLER, agent: str = AGENT, at: float = AT) -> list[Said]:
    """They talked a minute and a half, fifteen seconds of it on hold; the caller hangs up."""
    complete = {
        "HoldTime": "12",
        "TalkTime": "90",
        "Reason": "caller",
        "Queue": "sales",
        "MemberName": "maryam",
        "Timestamp": str(at + 103),
    }
    return [
        {"Event": "Hold", **of_call(agent, linked=call), "Timestamp": str(at + 50)},
        {"Event": "Unhold", **of_call(agent, linked=call), "Timestamp": str(at + 65)},
        {"Event": "AgentComplete", **of_call(call), **complete},
        {"Event": "Hangup", **of_call(agent, linked=call), "Cause": "16", "Timestamp": str(at + 103)},
        {"Event": "Hangup", **of_call(call), "Cause": "16", "Timestamp": str(at + 103)},
    ]


def gave_up(call: str = CALLER, at: float = AT) -> list[Said]:
    """The caller has enough after forty seconds."""
    leaves = {"Queue": "sales", "Position": "1", "OriginalPosition": "1", "HoldTime": "40", "Timestamp": str(at + 41)}
    return [
        {"Event": "QueueCallerAbandon", **of_call(call), **leaves},
        {"Event": "Hangup", **of_call(call), "Cause": "16", "Timestamp": str(at + 41)},
    ]


class Pbx:
    """Asterisk, as far as the connector sees it."""

    def __init__(self) -> None:
        self.live: list[Said] = []
        self.logins: list[str] = []
        self.asked = asyncio.Event()
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """It goes down with every connection."""
        assert self._server is not None
        self._server.close()
        for writer in list(self._writers):
            writer.close()
        await self._server.wait_closed()
        self.asked.clear()

    async def say(self, events: Iterable[Said]) -> None:
        """Tell everybody who is logged in."""
        for writer in self._writers:
            for event in events:
                _write(writer, event)
            await writer.drain()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"Asterisk Call Manager/9.0.0\r\n")
        try:
            while action := await _read(reader):
                self._answer(action, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    def _answer(self, action: Said, writer: asyncio.StreamWriter) -> None:
        id_ = {"ActionID": action.get("ActionID", "")}
        match action["Action"]:
            case "Challenge":
                _write(writer, {"Response": "Success", **id_, "Challenge": "840415273"})
            case "Login":
                right = hashlib.md5(f"840415273{SECRET}".encode(), usedforsecurity=False).hexdigest()
                if action["Username"] != USERNAME or action["Key"] != right:
                    _write(writer, {"Response": "Error", **id_, "Message": "Authentication failed"})
                    return
                self.logins.append(action["Username"])
                _write(writer, {"Response": "Success", **id_, "Message": "Authentication accepted"})
                _write(writer, {"Event": "FullyBooted", "Privilege": "system,all", "Status": "Fully Booted"})
                self._writers.add(writer)
            case "CoreShowChannels":
                _write(writer, {"Response": "Success", **id_, "EventList": "start"})
                for channel in self.live:
                    _write(writer, {"Event": "CoreShowChannel", **id_, **channel})
                _write(writer, {"Event": "CoreShowChannelsComplete", **id_, "EventList": "Complete"})
                self.asked.set()
            case _:
                _write(writer, {"Response": "Success", **id_, "Ping": "Pong"})


def _write(writer: asyncio.StreamWriter, message: Said) -> None:
    writer.write(("".join(f"{name}: {value}\r\n" for name, value in message.items()) + "\r\n").encode())


async def _read(reader: asyncio.StreamReader) -> Said:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines if line)}


@asynccontextmanager
async def pbx() -> AsyncIterator[Pbx]:
    """A PBX that runs."""
    made = Pbx()
    await made.start()
    try:
        yield made
    finally:
        await made.stop()
