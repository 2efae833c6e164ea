"""What was refused, for people to look at, correct and replay.

A replay goes through the same reading as everything that comes in at a door, under the source that sent it first. Reading order:
LetterShown, router, _replay.
"""

from base64 import b64encode
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request, Response

from aggregates import cloudevents, dead_letter, segment
from aggregates.dead_letter import Replayed
from aggregates.log import NotAcknowledged
from aggregates.reading import read
from aggregates.refusal import Refusal
from aggregates.sealing import seal
from aggregates.source import Source
from aggregates.touchpoint import Touchpoint
from api import access, body, cursor, openapi, position, query
from api.access import Caller
from api.answers import json, path_id
from api.doors.cloudevents import EventAnswer
from api.ports import Connection, Dependencies
from api.problem import Problem, not_found, of_refusal, unavailable
from projections.dead_letters import table
from projections.dead_letters.table import Letter

OPEN, REPLAYED = "open", "replayed"


class LetterShown(msgspec.Struct, kw_only=True):
    """A dead letter: why an event was refused, and where."""

    id: UUID
    source: str  # the name of the source whose key sent it
    reason: str
    pointer: str  # RFC 6901, into the event
    detail: str
    mend: str
    recorded: datetime
    place: str  # a door's path, or topic-partition-offset
    content_type: str
    status: Literal["open", "replayed"]
    event_id: UUID | None  # when what was refused named its source and id
    replayed_as: UUID | None
    replayed_at: datetime | None


class LetterWhole(LetterShown, kw_only=True):
    """A dead letter with the bytes as they came."""

    text: str | None  # the bytes as text, when they are
    base64: str


class LetterList(msgspec.Struct):
    """Dead letters, the newest first."""

    items: list[LetterShown]
    next: str | None


REPLAY = """\
curl -u "$ADMIN:" $YEKTA/v1/dead-letters/$LETTER/replay -d '{
  "specversion": "1.0", "id": "visit-1", "source": "/sales", "type": "sales.visit_held", "time": "2026-05-01T10:00:00+03:30",
  "data": {"visit_id": "visit-1", "minutes": 30, "who": {"customer_number": "77"}}}'"""
ID = openapi.parameter("id", openapi.UUID, "The dead letter.", where="path")


def router(dependencies: Dependencies) -> APIRouter:
    """The routes of dead letters."""
    routes = APIRouter(tags=["dead letters"])

    @routes.get(
        "/v1/dead-letters",
        openapi_extra=openapi.described(
            'curl -u "$ADMIN:" "$YEKTA/v1/dead-letters?status=open&limit=20"',
            LetterList,
            422,
            503,
            parameters=[
                openapi.parameter("reason", openapi.TEXT, "Only those refused for this reason."),
                openapi.parameter("source", openapi.TEXT, "Only those of this source."),
                openapi.parameter("status", {"type": "string", "enum": [OPEN, REPLAYED]}, "Only those in this state."),
                openapi.CURSOR,
                openapi.LIMIT,
            ],
        ),
    )
    async def list_letters(request: Request) -> Response:
        """What was refused, the newest first."""
        access.staff(request, dependencies, access.OPERATORS)
        limit = query.limit(request)
        async with dependencies.pool.connection() as connection:
            found = await table.page(
                connection,
                limit + 1,
                before=cursor.place(query.text(request, "cursor")),
                source=query.text(request, "source"),
                reason=query.text(request, "reason"),
                status=query.choice(request, "status", (OPEN, REPLAYED)),
            )
        more = found[:limit]
        following = cursor.token(more[-1].recorded, more[-1].id) if len(found) > limit else None
        return json(LetterList([LetterShown(**_shown(letter)) for letter in more], following))

    @routes.get(
        "/v1/dead-letters/{id}",
        openapi_extra=openapi.described('curl -u "$ADMIN:" $YEKTA/v1/dead-letters/$LETTER', LetterWhole, 404, 410, 503, parameters=[ID]),
    )
    async def show_letter(request: Request) -> Response:
        """One dead letter, with the bytes as they came."""
        access.staff(request, dependencies, access.OPERATORS)
        async with dependencies.pool.connection() as connection:
            letter = await _letter(connection, path_id(request))
            raw = await _raw(connection, dependencies, letter)
        return json(LetterWhole(**_shown(letter), text=_text(raw), base64=b64encode(raw).decode()))

    @routes.post(
        "/v1/dead-letters/{id}/replay",
        openapi_extra=openapi.described(
            REPLAY,
            EventAnswer,
            400,
            404,
            409,
            410,
            413,
            415,
            422,
            503,
            parameters=[ID],
            body={
                "required": False,
                "description": "The corrected event; with no body it is tried as it came.",
                "content": {"application/json": {"schema": {"type": "object"}}},
            },
        ),
    )
    async def replay_letter(request: Request) -> Response:
        """Send a refused event again, as it came or corrected. Doing it twice adds nothing twice."""
        asking = access.staff(request, dependencies, access.OPERATORS)
        corrected = await body.read(request)
        async with dependencies.pool.connection() as connection:
            letter = await _letter(connection, path_id(request))
            raw = corrected if corrected.strip() else await _raw(connection, dependencies, letter)
        return await _replay(dependencies, asking, letter, raw, corrected=bool(corrected.strip()))

    return routes


async def _replay(dependencies: Dependencies, asking: Caller, letter: Letter, raw: bytes, *, corrected: bool) -> Response:
    """Read it under its source; the fact keeps its id and, without a time of its own, the time at which it was first refused."""
    if letter.replayed_as is not None:
        if corrected:
            raise Problem(409, "already_replayed", f"It was replayed already, as {letter.replayed_as}.", mend="Send a new event instead.")
        return json(EventAnswer(letter.replayed_as, position.token({})))
    source = dependencies.ring.source(letter.source) or Source(letter.source, dependencies.zone)
    touchpoint = segment.understood(raw, letter.place, source, letter.recorded)
    if touchpoint is None:
        event = cloudevents.structured(raw)
        touchpoint = event if isinstance(event, Refusal) else read(event, source, letter.recorded)
    if not isinstance(touchpoint, Touchpoint):
        raise of_refusal(400 if touchpoint.reason == "not_json" and corrected else 422, touchpoint, str(letter.id))
    now = dependencies.clock()
    fact = (*seal(msgspec.structs.replace(touchpoint, recorded=now), dependencies.secrets), ())
    done = Replayed(letter.id, touchpoint.event_id, now, str(asking.key))
    try:
        # The fact first: were it the other way round, a crash between them would leave a letter replayed as nothing.
        ends = await dependencies.log.publish(dependencies.topics.touchpoints, [fact])
        await dependencies.log.publish(dependencies.topics.dead_letters, [dead_letter.replay_record(done, letter.key)])
    except NotAcknowledged as error:
        raise unavailable(f"{error} It may be replayed again.") from error
    dependencies.recent.note(ends, now)
    dependencies.recent.accept([touchpoint.event_id])
    at = position.token(ends)
    return json(EventAnswer(touchpoint.event_id, at), headers={"Yekta-Position": at})


async def _letter(connection: Connection, id_: UUID) -> Letter:
    letter = await table.one(connection, id_)
    if letter is None:
        raise not_found("No dead letter has this id, or it is not listed yet.")
    return letter


async def _raw(connection: Connection, dependencies: Dependencies, letter: Letter) -> bytes:
    await dependencies.secrets.fetch(connection, [letter.seal])
    return dead_letter.unearth(letter.letter(), dependencies.secrets)


def _shown(letter: Letter) -> dict[str, Any]:
    names = set(LetterShown.__struct_fields__) - {"event_id"}
    return {name: getattr(letter, name) for name in names} | {"event_id": letter.event}


def _text(raw: bytes) -> str | None:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None
