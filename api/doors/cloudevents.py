"""The door for CloudEvents over HTTP: structured, batch and binary, each answered only after Kafka has what it sent.

A batch is never refused for one bad item: every item is accepted, or refused with its reason and kept as a dead letter. Reading order:
post, batch, single.
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

import msgspec
from fastapi import Request, Response

from aggregates import cloudevents, dead_letter
from aggregates.dead_letter import DeadLetter, Place
from aggregates.log import Entry
from aggregates.reading import read
from aggregates.refusal import Refusal
from aggregates.sealing import Sealer
from aggregates.source import Source
from aggregates.touchpoint import Touchpoint
from api import access, body
from api.doors.appending import Accepted, Breath, Rejected, append, sealed
from api.doors.unwrapping import listed
from api.ports import Dependencies
from api.problem import Problem, of_refusal

PLACE = Place("api/v1/events")
NONE: Mapping[str, Any] = MappingProxyType({})
BINARY = ("ce-specversion", "ce-type", "ce-id", "ce-source")


class BatchAnswer(msgspec.Struct, frozen=True):
    """One result per item, in the order sent."""

    items: list[Accepted | Rejected]
    position: str


class EventAnswer(msgspec.Struct, frozen=True, tag_field="status", tag="accepted"):
    """What became of a single event."""

    event_id: UUID
    position: str


async def post(request: Request, dependencies: Dependencies) -> Response:
    """Take one event or a batch, in whatever shape it came."""
    source = access.writer(request, dependencies).source
    assert source is not None  # noqa: S101 - `writer` lets nobody else in
    packed = await body.received(request)
    now = dependencies.clock()
    content_type = request.headers.get("content-type", "")
    attributes = _attributes(request)
    try:
        content = body.unpacked(packed, request.headers.get("content-encoding", ""))
    except Problem as problem:
        if problem.body.status != 415:
            raise
        detail, mend = problem.body.detail, problem.body.mend or ""
        letter = _bury(packed, attributes, Refusal("not_json", "", detail, mend), source, now, dependencies.secrets, content_type)
        await append(dependencies, source, [], [letter])
        raise Problem(415, problem.reason, detail, mend=mend, dead_letter=str(letter.id)) from problem
    body.check(len(content), source.size)
    if attributes and not content_type.startswith("application/cloudevents"):
        event = cloudevents.binary(attributes, content, content_type)
        kept = cloudevents.restored(attributes, content)
        return await single(dependencies, source, event, kept, now, content_type, attributes)
    if content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"[":
        return await batch(dependencies, source, content, now, content_type)
    return await single(dependencies, source, cloudevents.structured(content), content, now, content_type)


async def batch(dependencies: Dependencies, source: Source, content: bytes, now: datetime, content_type: str) -> Response:
    """Judge every item for itself and answer in order."""
    parcel = listed(content)
    if isinstance(parcel, Refusal):
        return await single(dependencies, source, parcel, content, now, content_type)
    sealer = dependencies.secrets
    facts: list[Entry] = []
    letters: list[DeadLetter] = []
    results: list[Accepted | Rejected] = []
    breath = Breath()
    for number in range(parcel.count):
        if breath.is_due():
            await breath.drawn()
        event = parcel.event(number)
        touchpoint = event if isinstance(event, Refusal) else read(event, source, now)
        if isinstance(touchpoint, Touchpoint):
            facts.append(sealed(touchpoint, dependencies))
            results.append(Accepted(touchpoint.id, touchpoint.source, touchpoint.event_id))
        else:
            letter = _bury(parcel.raw(number), event, touchpoint, source, now, sealer, content_type)
            letters.append(letter)
            results.append(_rejected(event, touchpoint, letter))
    at = await append(dependencies, source, facts, letters)
    dependencies.recent.accept([result.event_id for result in results if type(result) is Accepted])
    return _answer(BatchAnswer(results, at), at)


async def single(
    dependencies: Dependencies,
    source: Source,
    event: Mapping[str, Any] | Refusal,
    content: bytes,
    now: datetime,
    content_type: str,
    attributes: Mapping[str, Any] = NONE,
) -> Response:
    """Accept one event, or answer a problem that says why not and under which id its bytes are kept."""
    touchpoint = event if isinstance(event, Refusal) else read(event, source, now)
    if isinstance(touchpoint, Touchpoint):
        at = await append(dependencies, source, [sealed(touchpoint, dependencies)], [], touchpoint.event_id)
        dependencies.recent.accept([touchpoint.event_id])
        return _answer(EventAnswer(touchpoint.event_id, at), at)
    letter = _bury(
        content, attributes if isinstance(event, Refusal) else event, touchpoint, source, now, dependencies.secrets, content_type
    )
    await append(dependencies, source, [], [letter])
    raise of_refusal(_status(touchpoint, event, content_type), touchpoint, str(letter.id))


def _bury(
    raw: bytes, event: Mapping[str, Any] | Refusal, refusal: Refusal, source: Source, now: datetime, sealer: Sealer, content_type: str
) -> DeadLetter:
    known = cloudevents.named_event(source.name, event)
    return dead_letter.bury(raw, refusal, source.name, PLACE, now, sealer, content_type, event=known)


def _attributes(request: Request) -> cloudevents.Attributes:
    """The CloudEvents attributes among the headers; none when it is not binary mode."""
    if not any(name in request.headers for name in BINARY):
        return {}
    return cloudevents.gathered(
        (name[3:].decode("latin-1"), cloudevents.percent_decoded(value)) for name, value in request.headers.raw if name.startswith(b"ce-")
    )


def _rejected(event: Mapping[str, Any] | Refusal, refusal: Refusal, letter: DeadLetter) -> Rejected:
    id_, source = cloudevents.named(event)
    return Rejected(
        id_,
        source,
        refusal.reason,
        refusal.pointer,
        refusal.detail,
        refusal.mend,
        str(letter.id),
    )


def _status(refusal: Refusal, event: Mapping[str, Any] | Refusal, content_type: str) -> int:
    """422 for an event that could be read, 415 for what says of itself that it is something else, 400 for broken JSON."""
    if refusal.reason != "not_json" or not isinstance(event, Refusal):
        return 422
    label = content_type.partition(";")[0].strip().lower()
    return 400 if not label or "json" in label or label.startswith("text/plain") else 415


def _answer(content: BatchAnswer | EventAnswer, at: str) -> Response:
    return Response(msgspec.json.encode(content), 200, {"Yekta-Position": at}, "application/json")
