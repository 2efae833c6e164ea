"""The door for analytics clients that speak the Segment dialect: one message or a batch, whatever the labels say.

No item costs its batch: it is always answered 200, and what is refused is kept as a dead letter and named in the answer. Any other answer
would make a client drop what it holds (4xx) or send it again (408, 429, 5xx). Reading order: post, looked_at, keys, take; how messages are
found in a body is in `unwrapping`, and in the address of a picture in `pixel`.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from fastapi import Request, Response

from aggregates import cloudevents, dead_letter
from aggregates.canonical import text_of
from aggregates.dead_letter import DeadLetter, Place
from aggregates.log import Entry
from aggregates.refusal import Refusal
from aggregates.segment import judged, own_id, sent_at
from aggregates.source import Source
from aggregates.touchpoint import Touchpoint, event_id
from api import access, body
from api.answers import json
from api.doors import pixel
from api.doors.appending import Accepted, Breath, Rejected, append, sealed
from api.doors.unwrapping import MOST, NOTHING, Parcel, unwrapped
from api.ports import Dependencies
from api.problem import Problem, of_refusal

KEY_HEADERS = ("authorization", "x-write-key", "x-api-key")
KEY_NAMES = ("writeKey", "write_key", "api_key", "apiKey")
"""Where clients put their key, in the address or in the body."""


class Taken(msgspec.Struct, frozen=True):
    """What became of the messages, in the order sent."""

    success: bool  # the request was taken: some clients look for it
    items: list[Accepted | Rejected]
    position: str


async def post(request: Request, dependencies: Dependencies, kind: str) -> Response:
    """Take what a client sent to the address of this kind of message, or of batches."""
    source = access.known(dependencies, keys(request, NOTHING))
    packed = await body.received(request)
    now = dependencies.clock()
    label = request.headers.get("content-type", "")
    try:
        content = body.unpacked(packed, request.headers.get("content-encoding", ""))
    except Problem as problem:
        if source is None or problem.body.status != 415:
            raise
        detail, mend = problem.body.detail, problem.body.mend or ""
        letter = await kept(dependencies, source, packed, Refusal("not_json", "", detail, mend), now, Place(f"api/v1/{kind}"), label)
        raise Problem(415, problem.reason, detail, mend=mend, dead_letter=letter) from problem
    return await _found(request, dependencies, source, content, now, kind, label)


async def looked_at(request: Request, dependencies: Dependencies, kind: str) -> Response:
    """Take what the address of a fetched picture says; what is refused in it is kept, and the picture is shown all the same."""
    source = access.known(dependencies, keys(request, NOTHING))
    content = pixel.message(request.url.query, KEY_NAMES)
    taken = await _found(request, dependencies, source, content, dependencies.clock(), kind, "")
    return Response(pixel.GIF, 200, {"Yekta-Position": taken.headers["yekta-position"], "Cache-Control": "no-store"}, "image/gif")


async def _found(
    request: Request, dependencies: Dependencies, source: Source | None, content: bytes, now: datetime, kind: str, label: str
) -> Response:
    """Find the messages in what was sent, and whose they are where only they say it."""
    place = Place(f"api/v1/{kind}")
    parcel = unwrapped(content)
    source = source or access.source(dependencies, keys(request, NOTHING if parcel is None else parcel.around))
    body.check(len(content), source.size)
    if parcel is None:  # nothing in it can be told apart: it is kept whole
        refusal = cloudevents.decoded(content)
        if not isinstance(refusal, Refusal):
            refusal = Refusal("wrong_type", "", "It is no message and no batch of messages.", 'Send {"batch": [{"type": "track", …}]}.')
        raise of_refusal(400, refusal, await kept(dependencies, source, content, refusal, now, place, label))
    if parcel.count > MOST:
        raise Problem(413, "too_large", f"The request has more than {MOST:,} messages.", mend="Send fewer messages at a time.")
    return await take(dependencies, source, parcel, now, place, "" if kind == "batch" else kind, label)


def keys(request: Request, around: Mapping[str, Any]) -> Iterator[str]:
    """The texts that may be the client's key: clients put it in many places, and some put something else into the first of them."""
    for name in KEY_HEADERS:
        if header := request.headers.get(name):
            yield header
    for name in KEY_NAMES:
        if parameter := request.query_params.get(name):
            yield parameter
    for name in KEY_NAMES:
        if isinstance(own := around.get(name), str):
            yield own


async def kept(
    dependencies: Dependencies, source: Source, content: bytes, refusal: Refusal, now: datetime, place: Place, label: str
) -> str:
    """Keep as one dead letter what came; its id."""
    letter = dead_letter.bury(content, refusal, source.name, place, now, dependencies.secrets, label)
    await append(dependencies, source, [], [letter])
    return str(letter.id)


async def take(dependencies: Dependencies, source: Source, parcel: Parcel, now: datetime, place: Place, kind: str, label: str) -> Response:
    """Judge every message for itself, append, and answer in order."""
    batch = parcel.around if "batch" in parcel.around else NOTHING
    sent = sent_at(batch)
    beside = {"context": context} if isinstance(context := batch.get("context"), dict) else NOTHING
    facts: list[Entry] = []
    letters: dict[UUID, DeadLetter] = {}
    results: list[Accepted | Rejected] = []
    breath = Breath()
    for number in range(parcel.count):
        if breath.is_due():
            await breath.drawn()
        message = parcel.message(number)
        touchpoint = message if isinstance(message, Refusal) else judged(message, source, now, kind, sent, beside)
        if isinstance(touchpoint, Touchpoint):
            facts.append(sealed(touchpoint, dependencies))
            results.append(Accepted(touchpoint.id, touchpoint.source, touchpoint.event_id))
        else:
            id_ = text_of(own_id(message))
            event = event_id(source.name, source.name, id_) if id_ else None
            letter = dead_letter.bury(
                parcel.raw(number), touchpoint, source.name, place, now, dependencies.secrets, label, event=event, sent=sent
            )
            letters[letter.id] = letter
            why = touchpoint
            results.append(Rejected(id_, source.name, why.reason, why.pointer, why.detail, why.mend, str(letter.id)))
    at = await append(dependencies, source, facts, list(letters.values()))
    dependencies.recent.accept([result.event_id for result in results if type(result) is Accepted])
    return json(Taken(True, results, at), headers={"Yekta-Position": at})
