"""One call as far as it was heard, and the words by which its facts are told the same way live and from files.

The id of a fact is the call's unique id and what happened, so that the manager's events and the files agree. Reading order: Told, Call,
queued, extension_of, half, event.
"""

import re
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import msgspec

from aggregates.normal import NotAnIdentifier, recognise

INTERNAL = 5
"""Numbers of up to so many digits are ours: extensions and queues."""

_INTERFACE = re.compile(r"^(?:[A-Za-z0-9_]+/)?([0-9A-Za-z_.+-]+?)(?:-[0-9a-f]{8,})?(?:@.*|/.*|;.*)?$")
_DIGITS = re.compile(r"^\+?[0-9]{1,20}$")

CAUSES = {"16": "answered", "17": "busy", "18": "no_answer", "19": "no_answer", "20": "unreachable", "21": "rejected", "34": "congestion"}
"""Q.850 causes, as far as people distinguish them."""

DISPOSITIONS = {"ANSWERED": "answered", "NO ANSWER": "no_answer", "BUSY": "busy", "FAILED": "failed", "CONGESTION": "congestion"}


class Call(msgspec.Struct, omit_defaults=True):
    """A call that was heard of, from its first channel to its last."""

    id: str  # the Linkedid: the Uniqueid of the channel that began it
    began: float
    direction: str = "inbound"
    number: str = ""
    trunk: str = ""
    own: str = ""  # our extension that made an outbound call
    queue: str = ""
    position: int = 0
    joined: float = 0
    entered: list[str] = []  # queues that it came into, one as often as it did
    left: bool = False  # the queue, by an agent or by itself
    rung: list[str] = []  # channels that rang
    asked: list[str] = []  # those among them that the queue called
    agent: str = ""
    extension: str = ""
    answers: int = 0
    talking: float = 0  # since when somebody talks with the customer; what was talked before is in `talk`
    wait: float | None = None
    talk: float | None = None
    hold: float = 0
    held: float = 0  # since when it is on hold
    channels: list[str] = []  # those that live
    reason: str = ""
    cause: str = ""
    abandoned: bool = False
    made: bool = False  # a computer dialled it: who began it is one of the two whom it called
    handed: bool = False  # a transfer gave it to somebody else
    reached: str = ""  # the extension that answered last, also who was only asked whether he takes the call
    halves: dict[str, str] = {}  # Local channels that rang, and the extension of each
    also: list[str] = []  # Linkedids of calls that a transfer made a part of this one
    heard: float = 0  # when something was last heard of it


class Told(msgspec.Struct, frozen=True):
    """A fact of a call, ready to be an event."""

    call: str
    what: str  # ringing, queued, answered, ended, abandoned
    at: float
    number: str
    data: dict[str, Any]
    part: str = ""  # which of several: the channel that rang, the second answer

    @property
    def id(self) -> str:
        """The same whether it was heard live or read from a file."""
        return ":".join(filter(None, (self.call, self.what, self.part)))


def plain(number: str) -> bool:
    """Whether it is a number at all, and no name and nothing."""
    return bool(_DIGITS.match(number))


def internal(number: str, longest: int = INTERNAL) -> bool:
    """Whether a number is one of ours."""
    return plain(number) and len(number.lstrip("+")) <= longest


def queued(call: Call, queue: str, at: float) -> Told:
    """The call came into a queue; who is sent round comes into the same one again, which is another fact."""
    call.entered.append(queue)
    again = call.entered.count(queue)
    part = queue if again == 1 else f"{queue}:{again}"
    return Told(call.id, "queued", at, call.number, {"queue": queue, "position": call.position or None}, part)


def extension_of(interface: str) -> str:
    """`PJSIP/204-0000001a`, `Local/204@agents/n` and `SIP/204` are 204."""
    found = _INTERFACE.match(interface.strip())
    return found[1] if found else ""


def half(channel: str) -> str:
    """What both halves of a Local channel are called, `Local/204@agents-0000001a;2` without its `;2`; empty for any other channel."""
    return channel.rpartition(";")[0] if channel.startswith("Local/") else ""


def dialled(string: str) -> str:
    """The outside number in a dial string: `09121234567@trunk`, `trunk/09121234567`, `g0/09121234567`; empty where there is none."""
    number = string.partition("@")[0].rpartition("/")[2].removeprefix("sip:")
    return number if _DIGITS.match(number) and not internal(number) else ""


def agent_of(member: str, interface: str) -> str:
    """A member's name, or his extension where the queue has no name for him."""
    return extension_of(interface or member) if not member or "/" in member else member


def event(told: Told, source: str) -> dict[str, Any]:
    """The fact as a CloudEvent."""
    data = {"call_id": told.call, **told.data}
    if told.number:
        with suppress(NotAnIdentifier):  # of a form that is no number: the call is kept, and nobody's, as with a withheld one
            if recognise("phone", told.number)[1]:
                data = {"who": {"phone": told.number}, **data}
    return {
        "specversion": "1.0",
        "id": told.id,
        "source": source,
        "type": f"call.{told.what}",
        "time": datetime.fromtimestamp(told.at, UTC).isoformat(),
        "data": {name: value for name, value in data.items() if value not in (None, "")},
    }


def ended(call: Call, at: float, **more: Any) -> Told:
    """The end of a call that was answered, or of one that we made."""
    talk = (call.talk or 0.0) + (max(0.0, at - call.talking) if call.talking else 0.0)
    data: dict[str, Any] = {
        "direction": call.direction,
        "queue": call.queue,
        "agent": call.agent,
        "wait_seconds": _seconds(call.wait),
        "talk_seconds": _seconds(talk),
        "hold_seconds": _seconds(call.hold) if call.hold else None,
        "reason": call.reason,
        "outcome": "answered" if call.answers else CAUSES.get(call.cause, "no_answer").replace("answered", "no_answer"),
    }
    return Told(call.id, "ended", at, call.number, data | more)


def abandoned(call: Call, at: float, wait: float | None = None) -> Told:
    """The end of a call that nobody took."""
    waited = wait if wait is not None else max(0.0, at - (call.joined or call.began))
    return Told(
        call.id, "abandoned", at, call.number, {"queue": call.queue, "wait_seconds": _seconds(waited), "position": call.position or None}
    )


def _seconds(value: float | None) -> float | None:
    return None if value is None else round(max(0.0, value), 1)
