"""What was refused, for people to look at, count, correct and replay: one letter, or all that a filter finds.

Reading order: LetterShown, router; what a replay does is in `replaying`.
"""

from base64 import b64encode
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request, Response

from aggregates.patch import is_patch
from api import access, body, cursor, openapi, position, query, visibility
from api.answers import json, path_id
from api.decoding import decoded
from api.doors.cloudevents import EventAnswer
from api.mappings import checked
from api.ports import Connection, Dependencies
from api.problem import Problem, not_found
from api.replaying import Correction, Outcome, raw_of, replay, totals
from projections.dead_letters import table
from projections.dead_letters.table import Letter

OPEN, REPLAYED, ERASED = "open", "replayed", "erased"
AT_ONCE = 200
"""So many letters one request replays; `next` goes on."""


class LetterShown(msgspec.Struct, kw_only=True):
    """A dead letter: why an event was refused, and where."""

    id: UUID
    source: str  # the name of the source whose key sent it
    reason: str
    pointer: str  # RFC 6901, into the bytes as they came, when they are JSON
    detail: str
    mend: str
    recorded: datetime
    place: str  # a door's path, or topic-partition-offset
    content_type: str
    status: Literal["open", "replayed", "erased"]
    event_id: UUID | None  # when what was refused named its source and id
    replayed_as: UUID | None
    replayed_at: datetime | None
    file: str | None  # of a row of a file
    row: int | None
    column: str | None
    mapping: str | None


class LetterWhole(LetterShown, kw_only=True):
    """A dead letter with the bytes as they came."""

    text: str | None  # the bytes as text, when they are
    base64: str


class LetterList(msgspec.Struct):
    """Dead letters, the newest first."""

    items: list[LetterShown]
    next: str | None


class LetterCount(msgspec.Struct):
    """How many letters of a source were refused for a reason."""

    source: str
    reason: str
    open: int
    replayed: int
    oldest_open: datetime | None
    newest: datetime


class LetterCounts(msgspec.Struct):
    """All counts, those with the most open letters first."""

    items: list[LetterCount]
    open: int
    next: None = None


class Filter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which letters; everything given must hold. Only open ones are replayed."""

    source: str | None = None
    reason: str | None = None
    file: str | None = None
    mapping: str | None = None
    ids: list[UUID] | None = None


class ReplayAll(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to replay, and how it is corrected before."""

    filter: Filter
    patch: list[dict[str, Any]] = []  # RFC 6902, on each letter's bytes
    mapping: dict[str, Any] | str | None = None  # for rows of files: instead of the one they came with
    dry_run: bool = False
    cursor: str | None = None


class Replays(msgspec.Struct):
    """What became of each letter."""

    items: list[Outcome]
    counts: dict[str, int]
    dry_run: bool
    position: str
    next: str | None


REPLAY = """\
curl -u "$ADMIN:" $YEKTA/v1/dead-letters/$LETTER/replay -d '{
  "specversion": "1.0", "id": "visit-1", "source": "/sales", "type": "sales.visit_held", "time": "2026-05-01T10:00:00+03:30",
  "data": {"visit_id": "visit-1", "minutes": 30, "who": {"customer_number": "77"}}}'"""
REPLAY_ALL = """\
curl -u "$ADMIN:" $YEKTA/v1/dead-letters/replay -d '{
  "filter": {"reason": "wrong_money", "source": "web"}, "patch": [{"op": "replace", "path": "/data/currency", "value": "IRR"}],
  "dry_run": true}'"""
ALL_EXAMPLE = {
    "filter": {"reason": "wrong_money", "source": "web"},
    "patch": [{"op": "replace", "path": "/data/currency", "value": "IRR"}],
    "dry_run": True,
}
ID = openapi.parameter("id", openapi.UUID, "The dead letter.", where="path")
DRY_RUN = openapi.parameter("dry_run", {"type": "boolean", "default": False}, "Say what would become of it, and send nothing.")


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
            504,
            parameters=[
                openapi.parameter("reason", openapi.TEXT, "Only those refused for this reason."),
                openapi.parameter("source", openapi.TEXT, "Only those of this source."),
                openapi.parameter("status", {"type": "string", "enum": [OPEN, REPLAYED, ERASED]}, "Only those in this state."),
                openapi.parameter("file", openapi.TEXT, "Only rows of this file."),
                openapi.parameter("mapping", openapi.TEXT, "Only rows that were read by the mapping of this name."),
                openapi.CURSOR,
                openapi.LIMIT,
                openapi.AFTER,
            ],
        ),
    )
    async def list_letters(request: Request) -> Response:
        """What was refused, the newest first."""
        access.staff(request, dependencies, access.OPERATORS)
        limit = query.limit(request)
        await visibility.listed(request, dependencies)
        async with dependencies.pool.connection() as connection:
            found = await table.page(
                connection,
                limit + 1,
                before=cursor.place(query.text(request, "cursor")),
                source=query.text(request, "source"),
                reason=query.text(request, "reason"),
                status=query.choice(request, "status", (OPEN, REPLAYED, ERASED)),
                file=query.text(request, "file"),
                mapping=query.text(request, "mapping"),
            )
        more = found[:limit]
        return json(LetterList([LetterShown(**shown(letter)) for letter in more], following(found, limit)))

    @routes.get(
        "/v1/dead-letters/counts",
        openapi_extra=openapi.described(
            'curl -u "$ADMIN:" $YEKTA/v1/dead-letters/counts', LetterCounts, 422, 503, 504, parameters=[openapi.AFTER]
        ),
    )
    async def count_letters(request: Request) -> Response:
        """How many letters there are, by source and reason."""
        access.staff(request, dependencies, access.OPERATORS)
        await visibility.listed(request, dependencies)
        async with dependencies.pool.connection() as connection:
            counts = await table.by_reason_and_source(connection)
        items = [LetterCount(one.source, one.reason, one.open, one.replayed, one.oldest_open, one.newest) for one in counts]
        return json(LetterCounts(items, sum(one.open for one in counts)))

    @routes.post(
        "/v1/dead-letters/replay",
        openapi_extra=openapi.described(REPLAY_ALL, Replays, *openapi.BODY, 503, body=openapi.json_body(ReplayAll, ALL_EXAMPLE)),
    )
    async def replay_letters(request: Request) -> Response:
        """Replay the open letters that a filter finds, 200 at a time, the newest first; `next` goes on."""
        asking = access.staff(request, dependencies, access.OPERATORS)
        wanted = decoded(await body.read(request), ReplayAll)
        correction = Correction(wanted.patch, mapping=None if wanted.mapping is None else checked(wanted.mapping))
        async with dependencies.pool.connection() as connection:
            found = await table.page(
                connection, AT_ONCE + 1, before=cursor.place(wanted.cursor), status=OPEN, **msgspec.structs.asdict(wanted.filter)
            )
        outcomes, ends = await replay(dependencies, asking, found[:AT_ONCE], correction, dry_run=wanted.dry_run)
        at = position.token(ends)
        return json(Replays(outcomes, totals(outcomes), wanted.dry_run, at, following(found, AT_ONCE)), headers={"Yekta-Position": at})

    @routes.get(
        "/v1/dead-letters/{id}",
        openapi_extra=openapi.described(
            'curl -u "$ADMIN:" $YEKTA/v1/dead-letters/$LETTER', LetterWhole, 404, 410, 422, 503, 504, parameters=[ID, openapi.AFTER]
        ),
    )
    async def show_letter(request: Request) -> Response:
        """One dead letter, with the bytes as they came."""
        access.staff(request, dependencies, access.OPERATORS)
        await visibility.listed(request, dependencies)
        async with dependencies.pool.connection() as connection:
            letter = await one(connection, path_id(request))
            raw = await raw_of(connection, dependencies, letter)
        return json(LetterWhole(**shown(letter), text=text_of(raw), base64=b64encode(raw).decode()))

    @routes.post(
        "/v1/dead-letters/{id}/replay",
        openapi_extra=openapi.described(
            REPLAY,
            EventAnswer,
            *openapi.BODY,
            404,
            409,
            410,
            503,
            parameters=[ID, DRY_RUN],
            body={
                "required": False,
                "description": "The corrected event, or a JSON Patch (RFC 6902) on its bytes; with no body it is tried as it came.",
                "content": {
                    "application/json": {"schema": {"type": "object"}},
                    "application/json-patch+json": {"schema": {"type": "array", "items": {"type": "object"}}},
                },
            },
        ),
    )
    async def replay_letter(request: Request) -> Response:
        """Send a refused event again, as it came or corrected. Doing it twice adds nothing twice."""
        asking = access.staff(request, dependencies, access.OPERATORS)
        correction = corrected(await body.read(request), request.headers.get("content-type", ""))
        dry_run = query.choice(request, "dry_run", ("true", "false")) == "true"
        async with dependencies.pool.connection() as connection:
            letter = await one(connection, path_id(request))
        (outcome,), ends = await replay(dependencies, asking, [letter], correction, dry_run=dry_run)
        if outcome.event_id is None:
            raise _refused(outcome, correction)
        if outcome.status == "already_replayed":
            return _again(outcome.event_id, correction)
        if dry_run:
            return json(outcome)
        at = position.token(ends)
        return json(EventAnswer(outcome.event_id, at), headers={"Yekta-Position": at})

    return routes


def corrected(content: bytes, content_type: str = "") -> Correction:
    """What a body says of how to correct. Raises a problem for a patch that is none."""
    if not content.strip():
        return Correction()
    try:
        document = msgspec.json.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        document = None
    if is_patch(document):
        return Correction(patch=document)
    if "json-patch" in content_type:
        raise Problem(400, "wrong_patch", "The body is no JSON Patch.", mend="Send a list of operations, as RFC 6902 has them.")
    return Correction(whole=content)


def _again(event: UUID, correction: Correction) -> Response:
    """It was replayed before: the same answer to who asks for the same."""
    if correction.whole or correction.patch:
        raise Problem(409, "already_replayed", f"It was replayed already, as {event}.", mend="Send a new event instead.")
    return json(EventAnswer(event, position.token({})))


def _refused(outcome: Outcome, correction: Correction) -> Problem:
    if outcome.status == "erased":
        return Problem(410, "erased", outcome.detail)
    status = 400 if outcome.reason == "not_json" and correction.whole else 422
    return Problem(status, outcome.reason, outcome.detail, pointer=outcome.pointer, mend=outcome.mend, dead_letter=str(outcome.id))


async def one(connection: Connection, id_: UUID) -> Letter:
    """The letter with this id. Raises a 404 problem."""
    letter = await table.one(connection, id_)
    if letter is None:
        raise not_found("No dead letter has this id, or it is not listed yet.")
    return letter


def following(found: list[Letter], limit: int) -> str | None:
    """The cursor after the first `limit` letters, when there are more."""
    return cursor.token(found[limit - 1].recorded, found[limit - 1].id) if len(found) > limit else None


def shown(letter: Letter) -> dict[str, Any]:
    """What is told of a letter without opening it."""
    names = set(LetterShown.__struct_fields__) - {"event_id"}
    return {name: getattr(letter, name) for name in names} | {"event_id": letter.event}


def text_of(raw: bytes) -> str | None:
    """The bytes as text, when they are."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None
