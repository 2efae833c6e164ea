"""Turns what Asterisk's manager says into facts of calls. Pure: what was known, and one message at one moment, make what is known and told.

Reading order: hear, then what each message means, then missed (what is told of calls that ended while nobody listened).
"""

from collections.abc import Callable, Iterable, Mapping

from infra.asterisk.call import Call, Told, abandoned, agent_of, dialled, ended, extension_of, half, internal, plain, queued
from infra.asterisk.manager import Message

Calls = dict[str, Call]
Facts = list[Told]

LOST = "connection_lost"
"""The outcome of a call whose end nobody heard: it was gone when we listened again."""


WITHHELD = "<unknown>"
"""What the manager writes for a number that was not given."""

DOWN = "0"
"""The state of a new channel that Asterisk itself opens; whoever calls in is at once in another."""


def hear(calls: Calls, message: Message, at: float) -> tuple[list[str], Facts]:
    """The ids of the calls that a message is of, and what is told because of it. `calls` becomes what is known now."""
    kind = message.get("Event", "")
    at = moment(message, at)
    if kind == "AttendedTransfer":
        return _joined(calls, message, at)
    handle = _HEARD.get(kind)
    linked, channel = _named(message)
    if handle is None or not linked:
        return [], []
    # A transfer gives channels to another call, where they end; here they began.
    call = _of(calls, linked, channel if kind == "Hangup" else "")
    if call is None:
        if kind != "Newchannel":
            return [], []  # it began before we listened, and was not among the live channels
        call = calls[linked] = _begun(linked, message, at)
    call.heard = at
    told = handle(call, message, at)
    if not call.channels and kind == "Hangup":
        del calls[call.id]
    return [call.id], [] if _ours(call) else told


def _named(message: Message) -> tuple[str, str]:
    """The Linkedid and the channel that a message is of: dialling that no channel of ours does is of the channel that is dialled."""
    for whose in ("", "Transferee", "Transferer", "Dest"):
        if channel := message.get(f"{whose}Uniqueid", ""):
            return message.get(f"{whose}Linkedid") or channel, channel
    return "", ""


def _of(calls: Calls, linked: str, channel: str) -> Call | None:
    """The call that a channel began in, else the one that is linked to it."""
    own = next((one for one in calls.values() if channel in one.channels), None) if channel else None
    return own or calls.get(linked) or next((one for one in calls.values() if linked in one.also), None)


def found(calls: Calls, message: Message, at: float) -> str:
    """A live channel, told of after connecting: a call that began while nobody listened is known from now on."""
    linked, channel = _named(message)
    call = _of(calls, linked, channel)
    if call is None:
        hours, minutes, seconds = ([0, 0, 0] + [int(part) for part in message.get("Duration", "0").split(":") if part.isdecimal()])[-3:]
        call = calls[linked] = _begun(linked, message, at - (hours * 3600 + minutes * 60 + seconds))
        call.heard = at
        if message.get("BridgeId"):
            call.answers, call.talking = 1, at
    if channel and channel not in call.channels:
        call.channels.append(channel)
    return call.id


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
    first = extension_of(message.get("Channel", ""))
    if message.get("Event") == "Newchannel" and message.get("ChannelState") == DOWN:
        # Nobody called: one of the two is called first. What he is shown as the caller may be anything.
        return Call(linked, at, "outbound", "" if internal(first) else dialled(first), own=first if internal(first) else "", made=True)
    call = Call(linked, at, number=caller, trunk=first)
    if internal(caller):
        call.direction, call.own = "outbound", caller
        call.number = called if plain(called) and not internal(called) else ""  # else a colleague, or a service of the PBX: *97
    return call


def _ours(call: Call) -> bool:
    """Calls between our own extensions are no customer's."""
    return call.direction == "outbound" and not call.number


def _named_anew(call: Call, message: Message, at: float) -> Facts:
    """The dialplan found out who calls, before anything was told. Later it may only be what the next phone is to show."""
    caller = message.get("CallerIDNum", "")
    untold = not (call.made or call.entered or call.rung or call.answers)
    if message.get("Uniqueid") == call.id and untold and plain(caller) and not plain(call.number) and not call.own:
        begun = _begun(call.id, message, call.began)
        call.number, call.direction, call.own = begun.number, begun.direction, begun.own
    return []


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
    to = message.get("DestChannel", "")
    where = extension_of(message.get("Interface") or to)
    if half(to):
        call.halves[half(to)] = where
    before = call.halves.get(half(message.get("Channel", "")))
    if before is not None and (where == before or not internal(where)):
        return []  # the phone behind a Local channel that was told of
    if call.direction == "outbound":
        if internal(where):
            call.own = call.own or where
        call.number = call.number or dialled(message.get("DialString", ""))
        if call.made and message["Event"] == "DialBegin" and message.get("Uniqueid") != call.id:
            return []  # the first of the two: it is not yet known to whom he will be put through
        if not (call.handed or call.talking):
            where = call.own
    data = {"direction": call.direction, "number": call.number, "queue": call.queue, "extension": where, "trunk": call.trunk}
    return [Told(call.id, "ringing", at, call.number, data, channel or where)]


def _connected(call: Call, message: Message, at: float) -> Facts:
    call.left = True
    interface = message.get("Interface", "")
    agent = agent_of(message.get("MemberName", ""), interface)
    return _answered(call, at, agent, extension_of(interface), _number(message.get("HoldTime")), message.get("Queue", call.queue))


def _dialled(call: Call, message: Message, at: float) -> Facts:
    """Outside of queues an answer is the end of dialling; of whom a queue calls, the queue itself says that he took it."""
    if message.get("DialStatus") != "ANSWER" or (call.made and message.get("Uniqueid") != call.id):
        return []
    to, by = message.get("DestChannel", ""), half(message.get("Channel", ""))
    waiting = bool(call.queue) and not call.left and call.direction == "inbound"
    if waiting or message.get("DestUniqueid", "") in call.asked or (half(to) and call.talking):
        return []
    call.reached = extension_of(to)
    if by and by not in call.halves and call.talking and not call.made:
        return []  # a colleague is asked first, by a feature code; whether he takes the call is told by its transfer
    extension = call.own if call.direction == "outbound" and not call.handed else call.reached
    return _answered(call, at, extension, extension, at - call.began, "")


def _answered(call: Call, at: float, agent: str, extension: str, wait: float | None, queue: str) -> Facts:
    if call.talking and extension == call.extension:
        return []  # said by the phone, and by what was dialled to reach it
    call.answers += 1
    call.agent, call.extension = agent, extension
    if queue or not call.handed:
        call.queue = queue
    _paused(call, at)
    call.talking = at
    if call.answers == 1:
        call.wait = wait
    part = str(call.answers) if call.answers > 1 else ""  # handed on to another agent
    waited = None if wait is None or call.handed else round(max(0.0, wait), 1)
    data = {"agent": agent or extension or "unknown", "extension": extension, "queue": queue, "wait_seconds": waited}
    return [Told(call.id, "answered", at, call.number, data, part)]


def _paused(call: Call, at: float) -> None:
    """Nobody talks with the customer for now; what was talked counts."""
    if call.talking:
        call.talk = (call.talk or 0.0) + max(0.0, at - call.talking)
        call.talking = 0


def _completed(call: Call, message: Message, at: float) -> Facts:
    """The queue is done with a call; where a transfer was heard of before, what was talked until then has been counted."""
    talk = _number(message.get("TalkTime"))
    call.reason = message.get("Reason", call.reason)
    if talk is not None and not (call.handed and call.reason == "transfer"):
        call.talk, call.talking = (call.talk or 0.0) + talk, 0
    return []


def _handed_on(call: Call, message: Message, at: float) -> Facts:
    """A blind transfer: the call rings on elsewhere, and whoever takes it is told of then."""
    if message.get("Result", "Success") == "Success":
        call.handed = True
        _paused(call, at)
    return []


def _joined(calls: Calls, message: Message, at: float) -> tuple[list[str], Facts]:
    """An attended transfer: a colleague was asked in a call of his own, which becomes part of the customer's, and now talks with him."""
    how = message.get("DestType", "")
    if message.get("Result", "Success") != "Success" or how not in {"Bridge", "Link", "App"}:
        return [], []
    pairs = [(message.get(f"{whose}TransfererLinkedid", ""), message.get(f"{whose}TransfererUniqueid", "")) for whose in ("Orig", "Second")]
    known = [one for linked, channel in pairs if (one := _of(calls, linked, channel)) is not None]
    call = next((one for one in known if not _ours(one)), None)
    if call is None:
        return [], []
    call.heard, call.handed = at, True
    _paused(call, at)
    reached = call.reached
    changed = [call.id]
    for other in known:
        if other is not call and _ours(other) and other.id in calls:
            reached = other.reached
            call.also.append(other.id)
            call.channels += [channel for channel in other.channels if channel not in call.channels]
            changed.append(calls.pop(other.id).id)
    if how == "App":
        return changed, []  # to where it still rings, or to a mailbox
    target = extension_of(message.get("TransferTargetChannel", ""))
    extension = target if internal(target) else reached
    if not internal(extension):
        call.talking = at  # to somebody outside
        return changed, []
    return changed, _answered(call, at, extension, extension, None, "")


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
    first = channel == call.id and not (call.handed and call.direction == "outbound")  # there it was the agent's
    if call.channels and not first:
        return []
    call.channels = []
    call.cause = message.get("Cause", "")
    _unhold(call, message, at)
    if call.abandoned:
        return []
    return [ended(call, at)] if call.answers or call.direction == "outbound" else [abandoned(call, at)]


_HEARD: Mapping[str, Callable[[Call, Message, float], Facts]] = {
    "Newchannel": _new_channel,
    "NewCallerid": _named_anew,
    "QueueCallerJoin": _queued,
    "QueueCallerLeave": _left,
    "AgentCalled": _rings,
    "DialBegin": _rings,
    "AgentConnect": _connected,
    "DialEnd": _dialled,
    "AgentComplete": _completed,
    "BlindTransfer": _handed_on,
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
