"""Turns what Asterisk's manager says into facts of calls. Pure: what was known, and one message at one moment, make what is known and told.

Reading order: hear, then what each message means, then missed (what is told of calls that ended while nobody listened).
"""

from collections.abc import Callable, Iterable, Mapping

from infra.asterisk.call import Call, Told, abandoned, agent_of, ended, extension_of, internal, queued
from infra.asterisk.manager import Message

Calls = dict[str, Call]
Facts = list[Told]

LOST = "connection_lost"
"""The outcome of a call whose end nobody heard: it was gone when we listened again."""


WITHHELD = "<unknown>"
"""What the manager writes for a number that was not given."""


def hear(calls: Calls, message: Message, at: float) -> tuple[str, Facts]:
    """The id of the call that a message is of ("" for none), and what is told because of it. `calls` becomes what is known now."""
    handle = _HEARD.get(message.get("Event", ""))
    linked = message.get("Linkedid") or message.get("Uniqueid", "")
    if handle is None or not linked:
        return "", []
    at = moment(message, at)
    call = calls.get(linked)
    if message["Event"] == "Hangup":  # a transfer gives channels to another call, where they end; here they began
        channel = message.get("Uniqueid", "")
        call = next((one for one in calls.values() if channel in one.channels), call)
    if call is None:
        if message["Event"] != "Newchannel":
            return "", []  # it began before we listened, and was not among the live channels
        call = calls[linked] = _begun(linked, message, at)
    call.heard = at
    told = handle(call, message, at)
    if not call.channels and message["Event"] == "Hangup":
        del calls[call.id]
    return call.id, [] if _ours(call) else told


def found(calls: Calls, message: Message, at: float) -> str:
    """A live channel, told of after connecting: a call that began while nobody listened is known from now on."""
    linked = message.get("Linkedid") or message.get("Uniqueid", "")
    channel = message.get("Uniqueid", "")
    call = calls.get(linked)
    if call is None:
        hours, minutes, seconds = ([0, 0, 0] + [int(part) for part in message.get("Duration", "0").split(":") if part.isdecimal()])[-3:]
        call = calls[linked] = _begun(linked, message, at - (hours * 3600 + minutes * 60 + seconds))
        call.heard = at
        if message.get("BridgeId"):
            call.answers, call.answered = 1, at
    if channel and channel not in call.channels:
        call.channels.append(channel)
    return linked


def missed(calls: Calls, live: Iterable[str], since: float) -> tuple[list[str], Facts]:
    """Calls that ended while nobody listened, and what is told of them: they ended, at the latest, when they were heard no more."""
    gone = sorted(set(calls) - set(live))
    facts: Facts = []
    for linked in gone:
        call = calls.pop(linked)
        if _ours(call) or call.abandoned:
            continue
        at = max(call.heard, since)
        facts.append(ended(call, at, outcome=LOST) if call.answers or call.direction == "outbound" else abandoned(call, at))
    return gone, facts


def _begun(linked: str, message: Message, at: float) -> Call:
    caller, called = message.get("CallerIDNum", ""), message.get("Exten", "")
    if caller == WITHHELD:
        caller = ""
    call = Call(linked, at, number=caller, trunk=extension_of(message.get("Channel", "")))
    if internal(caller):
        call.direction, call.own = "outbound", caller
        call.number = "" if internal(called) else called
    return call


def _ours(call: Call) -> bool:
    """Calls between our own extensions are no customer's."""
    return call.direction == "outbound" and not call.number


def _new_channel(call: Call, message: Message, at: float) -> Facts:
    channel = message.get("Uniqueid", "")
    if channel and channel not in call.channels:
        call.channels.append(channel)
    return []


def _queued(call: Call, message: Message, at: float) -> Facts:
    call.queue, call.joined, call.left = message.get("Queue", ""), at, False
    call.position = _whole(message.get("Position"))
    return [queued(call, call.queue, at)]


def _left(call: Call, message: Message, at: float) -> Facts:
    """Out of the queue: to an agent, who is told of next, or on through the dialplan, where somebody may still be dialled."""
    call.left = True
    return []


def _rings(call: Call, message: Message, at: float) -> Facts:
    """A queue calls an agent, or somebody is dialled directly; both are told of one and the same channel, and count once."""
    channel = message.get("DestUniqueid", "")
    if message["Event"] == "AgentCalled" and channel not in call.asked:
        call.asked.append(channel)
    if channel in call.rung:
        return []
    if channel:
        call.rung.append(channel)
    where = extension_of(message.get("Interface") or message.get("DestChannel", ""))
    if call.direction == "outbound":
        where = call.own
        if not call.number:
            dialled = message.get("DialString", "").partition("@")[0].rpartition("/")[2]
            call.number = "" if internal(dialled) else dialled
    data = {"direction": call.direction, "number": call.number, "queue": call.queue, "extension": where, "trunk": call.trunk}
    return [Told(call.id, "ringing", at, call.number, data, channel or where)]


def _connected(call: Call, message: Message, at: float) -> Facts:
    interface = message.get("Interface", "")
    agent = agent_of(message.get("MemberName", ""), interface)
    return _answered(call, at, agent, extension_of(interface), _number(message.get("HoldTime")), message.get("Queue", call.queue))


def _dialled(call: Call, message: Message, at: float) -> Facts:
    """Outside of queues an answer is the end of dialling; of whom a queue calls, the queue itself says that he took it."""
    waiting = bool(call.queue) and not call.left and call.direction == "inbound"
    if message.get("DialStatus") != "ANSWER" or waiting or message.get("DestUniqueid", "") in call.asked:
        return []
    extension = call.own if call.direction == "outbound" else extension_of(message.get("DestChannel", ""))
    return _answered(call, at, extension, extension, at - call.began, "")


def _answered(call: Call, at: float, agent: str, extension: str, wait: float | None, queue: str) -> Facts:
    call.answers += 1
    call.agent, call.extension = agent, extension
    call.queue = queue
    if call.answers == 1:
        call.answered, call.wait = at, wait
    part = str(call.answers) if call.answers > 1 else ""  # handed on to another agent
    waited = None if wait is None else round(max(0.0, wait), 1)
    data = {"agent": agent or extension or "unknown", "extension": extension, "queue": queue, "wait_seconds": waited}
    return [Told(call.id, "answered", at, call.number, data, part)]


def _completed(call: Call, message: Message, at: float) -> Facts:
    talk = _number(message.get("TalkTime"))
    if talk is not None:
        call.talk = (call.talk or 0.0) + talk
    call.reason = message.get("Reason", call.reason)
    return []


def _abandoned(call: Call, message: Message, at: float) -> Facts:
    call.abandoned = True
    call.position = _whole(message.get("Position")) or call.position
    return [abandoned(call, at, _number(message.get("HoldTime")))]


def _hold(call: Call, message: Message, at: float) -> Facts:
    call.held = call.held or at
    return []


def _unhold(call: Call, message: Message, at: float) -> Facts:
    if call.held:
        call.hold, call.held = call.hold + max(0.0, at - call.held), 0
    return []


def _hung_up(call: Call, message: Message, at: float) -> Facts:
    """The call is over with its first channel, or with its last."""
    channel = message.get("Uniqueid", "")
    call.channels = [one for one in call.channels if one != channel]
    if channel != call.id and call.channels:
        return []
    call.channels = []
    call.cause = message.get("Cause", "")
    _unhold(call, message, at)
    if call.abandoned:
        return []
    return [ended(call, at)] if call.answers or call.direction == "outbound" else [abandoned(call, at)]


_HEARD: Mapping[str, Callable[[Call, Message, float], Facts]] = {
    "Newchannel": _new_channel,
    "QueueCallerJoin": _queued,
    "QueueCallerLeave": _left,
    "AgentCalled": _rings,
    "DialBegin": _rings,
    "AgentConnect": _connected,
    "DialEnd": _dialled,
    "AgentComplete": _completed,
    "QueueCallerAbandon": _abandoned,
    "Hold": _hold,
    "Unhold": _unhold,
    "Hangup": _hung_up,
}


def moment(message: Message, at: float) -> float:
    """Asterisk's own time, where it is told (`timestampevents = yes`)."""
    stamp = _number(message.get("Timestamp"))
    return stamp if stamp else at


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None


def _whole(text: str | None) -> int:
    return int(text) if text and text.isdecimal() else 0
