"""The door for analytics clients that speak the Segment dialect: one message or a batch, whatever the labels say.

No item costs its batch: it is always answered 200, and what is refused is kept as a dead letter and named in the answer. Any other answer
would make a client drop what it holds (4xx) or send it again (408, 429, 5xx). Reading order: post, keyed, outer, take.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from fastapi import Request, Response

from aggregates import cloudevents, dead_letter
from aggregates.cloudevents import EVENT_BYTES
from aggregates.dead_letter import DeadLetter, Place
from aggregates.log import Entry
from aggregates.refusal import Refusal
from aggregates.segment import judged
from aggregates.source import Source
from aggregates.touchpoint import Touchpoint, event_id
from api import access, body
from api.answers import json
from api.doors.appending import BREATH, Accepted, Rejected, append, sealed
from api.ports import Dependencies
from api.problem import of_refusal

Outer = Mapping[str, msgspec.Raw]

_outer = msgspec.json.Decoder(dict[str, msgspec.Raw])
_raws = msgspec.json.Decoder(list[msgspec.Raw])
_any = msgspec.json.Decoder()


class Taken(msgspec.Struct, frozen=True):
    """What became of the messages, in the order sent."""

    success: bool  # the request was taken: some clients look for it
    items: list[Accepted | Rejected]
    position: str


async def post(request: Request, dependencies: Dependencies, kind: str) -> Response:
    """Take what a client sent to the address of this kind of message, or of batches."""
    header = request.headers.get("authorization") or request.headers.get("x-write-key") or request.query_params.get("writeKey")
    source = None if header is None else access.source(dependencies, header)
    content = await body.read(request, 0 if source is None else source.size)
    now = dependencies.clock()
    around, items = outer(content)
    if source is None:
        source = access.source(dependencies, _text(around.get("writeKey")) or "")
        body.check(len(content), source.size)
    label = request.headers.get("content-type", "")
    place = Place(f"api/v1/{kind}")
    if items is None:  # nothing in it can be told apart: it is kept whole
        refusal = cloudevents.decoded(content)
        if not isinstance(refusal, Refusal):
            refusal = Refusal("wrong_type", "", "It is no message and no batch of messages.", 'Send {"batch": [{"type": "track", …}]}.')
        letter = dead_letter.bury(content, refusal, source.name, place, now, dependencies.secrets, label)
        await append(dependencies, source, [], [letter])
        raise of_refusal(400, refusal, str(letter.id))
    return await take(dependencies, source, around, items, now, place, "" if kind == "batch" else kind, label)


def outer(content: bytes) -> tuple[Outer, list[msgspec.Raw] | None]:
    """What stands around the messages, and the messages: those of a batch, of a bare list, or the one that the body is."""
    content = content.removeprefix(cloudevents.BOM)
    try:
        if content.lstrip()[:1] == b"[":
            return {}, _raws.decode(content)
        around = _outer.decode(content)
        if "batch" not in around:
            return around, [msgspec.Raw(content)]
        return around, _raws.decode(around["batch"])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return {}, None


async def take(
    dependencies: Dependencies,
    source: Source,
    around: Outer,
    items: list[msgspec.Raw],
    now: datetime,
    place: Place,
    kind: str,
    label: str,
) -> Response:
    """Judge every message for itself, append, and answer in order."""
    sent = _text(around.get("sentAt"))
    context = _value(around.get("context")) if "batch" in around else None
    beside = {"context": context} if isinstance(context, dict) else {}
    facts: list[Entry] = []
    letters: list[DeadLetter] = []
    results: list[Accepted | Rejected] = []
    for number, item in enumerate(items):
        if number % BREATH == BREATH - 1:
            await asyncio.sleep(0)
        raw = bytes(item)
        message = cloudevents.decoded(raw) if len(raw) <= EVENT_BYTES else cloudevents.too_large(len(raw))
        touchpoint = message if isinstance(message, Refusal) else judged(message, source, now, kind, sent, beside)
        if isinstance(touchpoint, Touchpoint):
            facts.append(sealed(touchpoint, dependencies))
            results.append(Accepted(touchpoint.id, touchpoint.source, touchpoint.event_id))
        else:
            id_ = _id(message)
            event = event_id(source.name, source.name, id_) if id_ else None
            letter = dead_letter.bury(raw, touchpoint, source.name, place, now, dependencies.secrets, label, event=event)
            letters.append(letter)
            why = touchpoint
            results.append(Rejected(id_, source.name, why.reason, why.pointer, why.detail, why.mend, str(letter.id)))
    at = await append(dependencies, source, facts, letters)
    dependencies.recent.accept([result.event_id for result in results if type(result) is Accepted])
    return json(Taken(True, results, at), headers={"Yekta-Position": at})


def _id(message: Any) -> str | None:
    id_ = message.get("messageId") if isinstance(message, dict) else None
    return id_ if isinstance(id_, str) and id_ else None


def _text(raw: msgspec.Raw | None) -> str | None:
    value = _value(raw)
    return value if isinstance(value, str) else None


def _value(raw: msgspec.Raw | None) -> Any:
    try:
        return None if raw is None else _any.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
