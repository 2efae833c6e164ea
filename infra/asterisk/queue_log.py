"""Reads Asterisk's `queue_log`: who waited in which queue, who took the call, who gave up. Reading order: read."""

from collections.abc import Iterable, Iterator

from infra.asterisk.call import Call, Told, abandoned, agent_of, ended, extension_of, internal, queued

HANDED_ON = "transfer"
"""The reason of an end that is none yet: the queue knows no more of a call that was transferred, and its CDR may."""


def read(lines: Iterable[str]) -> Iterator[Told]:
    """The facts of a queue_log, in its order: `time|callid|queue|agent|event|data…`. Lines that say nothing of a call are passed over."""
    calls: dict[str, Call] = {}
    for line in lines:
        parts = line.strip().split("|")
        if len(parts) < 5 or not _is_time(parts[0]) or parts[1] in {"", "NONE", "REALTIME"}:
            continue
        data = [*parts[5:], "", "", "", ""]
        yield from _told(calls, float(parts[0]), parts[1], parts[2], parts[3], parts[4], data)


def _told(calls: dict[str, Call], at: float, id_: str, queue: str, member: str, what: str, data: list[str]) -> Iterator[Told]:
    call = calls.setdefault(id_, Call(id_, at))
    call.queue = queue
    match what:
        case "ENTERQUEUE":
            call.joined, call.number = at, "" if internal(data[1]) else data[1]
            call.position = _whole(data[2])
            yield queued(call, queue, at)
        case "CONNECT":
            call.answers += 1
            call.agent, call.extension = agent_of(member, member), extension_of(member) if "/" in member else ""
            if call.answers == 1:
                call.wait = _number(data[0])
            told = {"agent": call.agent or "unknown", "extension": call.extension, "queue": queue, "wait_seconds": _number(data[0])}
            yield Told(id_, "answered", at, call.number, told, str(call.answers) if call.answers > 1 else "")
        case "COMPLETECALLER" | "COMPLETEAGENT":
            call.talk, call.reason = (call.talk or 0.0) + (_number(data[1]) or 0.0), what.removeprefix("COMPLETE").lower()
            yield ended(calls.pop(id_), at)
        case "TRANSFER" | "BLINDTRANSFER" | "ATTENDEDTRANSFER":
            talked = [number for number in map(_number, data) if number is not None][-2:-1]  # …|hold|talk|position
            call.talk, call.reason = (call.talk or 0.0) + sum(talked), HANDED_ON
            yield ended(call, at)
        case "ABANDON":
            call.position = _whole(data[0])
            yield abandoned(calls.pop(id_), at, _number(data[2]))
        case "EXITEMPTY" | "EXITWITHKEY" | "EXITWITHTIMEOUT":
            calls[id_] = Call(id_, at, entered=call.entered)  # it goes on elsewhere: its end is in the CDR


def _is_time(text: str) -> bool:
    return text.replace(".", "", 1).isdecimal()


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _whole(text: str) -> int:
    return int(text) if text.isdecimal() else 0
