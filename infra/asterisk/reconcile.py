"""Brings past calls from Asterisk's files into the log, and leaves out what the log has: heard live, or from the other file.

What a queue_log says of a call wins over its CDR, which knows nothing of queues; the CDR adds what the queue_log does not know: the
number, and the calls that were in no queue. Reading order: merged, Reconciled, bring.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import quote

import httpx
import msgspec

from infra.asterisk.call import Told, event
from infra.asterisk.queue_log import HANDED_ON
from infra.errors import Refusal
from infra.posting import detail, post

ENDS = ("ended", "abandoned")
BATCH = 100
AT_ONCE = 8


@dataclass(slots=True)
class Reconciled:
    """What became of the facts of the files."""

    facts: int = 0
    known: int = 0  # the log had them
    accepted: int = 0
    rejected: list[dict[str, object]] = field(default_factory=list)


def merged(queue: Iterable[Told], cdr: Iterable[Told]) -> list[Told]:
    """The facts of both files, each once, by time."""
    first = {told.id: told for told in queue}  # of a call that was handed on and came back to a queue, the last end
    rest = list(cdr)
    ends = {told.call: told for told in rest if told.what in ENDS}
    later = {told.call: told.at for told in reversed(rest) if told.what == "answered" and told.id not in first}
    gave_up = {told.call for told in first.values() if told.what == "abandoned"}
    for told in [told for told in first.values() if told.what == "ended" and told.data["reason"] == HANDED_ON]:
        if told.call in gave_up:  # in the queue that he was sent on to
            del first[told.id]
        elif told.call in ends:
            first[told.id] = _handed_on(told, ends[told.call], later.get(told.call))
    over = {told.call for told in first.values() if told.what in ENDS}
    numbers = {told.call: (told.number, told.data.get("direction", "inbound")) for told in rest if told.number}
    facts = [
        msgspec.structs.replace(told, number=numbers[told.call][0]) if not told.number and told.call in numbers else told
        for told in first.values()
    ]
    handed = {told.call for told in first.values() if told.what == "ended" and told.data["reason"] == HANDED_ON}
    facts += [
        told for told in rest if told.id not in first and (told.call not in over or (told.call in handed and told.what == "answered"))
    ]
    return sorted(facts, key=lambda told: (told.at, told.id))


def _handed_on(told: Told, end: Told, again: float | None) -> Told:
    """The end of a call that a queue transferred: what was talked there, and with whoever took it afterwards."""
    talk = (told.data["talk_seconds"] or 0.0) + (max(0.0, end.at - again) if again is not None else 0.0)
    who = end.data["agent"] if again is not None else told.data["agent"]
    return msgspec.structs.replace(told, at=end.at, data=told.data | {"talk_seconds": round(talk, 1), "agent": who})


async def bring(facts: Sequence[Told], source: str, url: str, key: str) -> Reconciled:
    """Send what the log does not have. Doing it again sends nothing."""
    result = Reconciled(facts=len(facts))
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        for begin in range(0, len(facts), BATCH):
            some = facts[begin : begin + BATCH]
            room = asyncio.Semaphore(AT_ONCE)
            known = await asyncio.gather(*(_known(client, key, source, told, room) for told in some))
            new = [told for told, there in zip(some, known, strict=True) if not there]
            result.known += len(some) - len(new)
            if new:
                await _send(client, key, source, new, result)
    return replace(result)


async def _known(client: httpx.AsyncClient, key: str, source: str, told: Told, room: asyncio.Semaphore) -> bool:
    """Whether the log has the fact; a call ends once, whichever way it is said to."""
    ids = [told.id] if told.what not in ENDS else [f"{told.call}:{end}" for end in ENDS]
    async with room:
        for id_ in ids:
            path = f"/v1/events/{quote(source, safe='')}/{quote(id_, safe='')}"
            answer = await client.get(path, auth=(key, ""))
            if answer.status_code == 200:
                if answer.json()["state"] != "refused":
                    return True
            elif answer.status_code != 404:
                raise Refusal(f"The API cannot say what it knows: {detail(answer)}", "Try again when it can.")
    return False


async def _send(client: httpx.AsyncClient, key: str, source: str, new: Sequence[Told], result: Reconciled) -> None:
    events = [event(told, source) | {"yektabackfill": True} for told in new]
    answer = await post(client, key, msgspec.json.encode(events))
    if answer.status_code != 200:
        raise Refusal(f"The door refused past calls: {detail(answer)}")
    for told, item in zip(new, answer.json()["items"], strict=True):
        if item["status"] == "accepted":
            result.accepted += 1
        else:
            result.rejected.append({"call": told.call, "what": told.what, "reason": item["reason"], "detail": item["detail"]})
