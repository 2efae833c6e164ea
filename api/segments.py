"""Segments over HTTP: declared like rules, then who is in, how that changes, and an export. docs/rules.md has the format.

Reading order: SegmentShown, router, check_circle.
"""

import csv
import io
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from aggregates.declaration import State
from aggregates.rules.rule import Guard, Not, SegmentIs
from aggregates.rules.schema import segment_schema
from aggregates.rules.segment import Reading, Segment, read_one
from aggregates.rules.segment import read as read_segment
from aggregates.written.problem import Lang
from aggregates.written.problem import Problem as Written
from api import access, body, cursor, declared, openapi, query
from api.answers import json
from api.declared import LONGEST, READERS, WRITERS
from api.declaring import Declaring, unknown
from api.ports import Connection, Dependencies
from api.visibility import settled
from api.written import decoded, language, named, refused
from projections.declared import table as rows_of
from projections.declared.table import Row
from projections.segments import table
from projections.segments.table import Count

EXAMPLE = """\
segment: loyal
when: {count: sales.order_placed, at_least: 3, within: 90d}
"""
AS_JSON = {"segment": "loyal", "when": {"count": "sales.order_placed", "at_least": 3, "within": "90d"}}
SORT = declared.Sort(
    "/v1/segments",
    "segment",
    "loyal",
    EXAMPLE,
    AS_JSON,
    {
        "publish": "Put the draft in force; those who are in already come in without anybody being told. Answers when every"
        " partition of the log has heard of it.",
        "retire": "End the segment: nobody is in it any more; what was never published is thrown away.",
        "discard": "Throw the draft away; what is in force stays.",
    },
    {},
)
NAME = openapi.parameter("name", openapi.TEXT, "The segment.", where="path")
PIECE = 5_000


class Moved(msgspec.Struct, frozen=True):
    """How many came or left."""

    day: int
    week: int
    month: int


class SegmentShown(msgspec.Struct, frozen=True):
    """A segment: its text, how many are in it, and how many came and left lately."""

    name: str
    version: int
    state: State
    text: str
    by: str
    at: datetime
    members: int
    entered: Moved
    left: Moved


class SegmentList(msgspec.Struct, frozen=True):
    """All segments, by name."""

    items: list[SegmentShown]
    next: str | None = None


class Member(msgspec.Struct, frozen=True):
    """Somebody who is in a segment."""

    customer_id: UUID
    since: datetime


class MemberList(msgspec.Struct, frozen=True):
    """Who is in, the latest first."""

    items: list[Member]
    next: str | None


class Day(msgspec.Struct, frozen=True):
    """How many came and left on a day."""

    day: datetime
    entered: int
    left: int


class SegmentHistory(msgspec.Struct, frozen=True):
    """Days on which somebody came or left, the oldest first."""

    items: list[Day]
    next: str | None = None


def router(dependencies: Dependencies) -> APIRouter:
    """The routes of segments."""
    routes = APIRouter(tags=["marketing"])
    declaring = Declaring(dependencies, "segment")

    @routes.post(
        "/v1/segments",
        status_code=201,
        openapi_extra=declared.drafting(SORT),
    )
    async def draft_segment(request: Request) -> Response:
        """Write a segment, YAML or JSON, as a draft."""
        asking = access.staff(request, dependencies, WRITERS)
        found, segment, text = read(await body.read(request, LONGEST), request, dependencies.zone)
        async with dependencies.pool.connection() as connection:
            await check_circle(connection, segment, found.segments, dependencies.zone, language(request))
        standing = await declaring.draft(segment.name, text, segment.version, asking, language(request))
        return json(await declared.answered(request, dependencies, "segment", standing), 201)

    @routes.get("/v1/segments", openapi_extra=openapi.described('curl -u "$ADMIN:" $YEKTA/v1/segments', SegmentList, 503))
    async def list_segments(request: Request) -> Response:
        """All segments, with how many are in them."""
        access.staff(request, dependencies, READERS)
        async with dependencies.pool.connection() as connection:
            found = await rows_of.listed(connection, "segment")
            counts = await table.counts(connection, dependencies.clock())
        return json(SegmentList([shown(rows, counts.get(name)) for name, rows in found.items()]))

    @routes.get(
        "/v1/segments/schema",
        openapi_extra=openapi.described("curl $YEKTA/v1/segments/schema", {"type": "object"}, media="application/schema+json", public=True),
    )
    async def schema_of_segments() -> Response:
        """The JSON Schema (2020-12) of segments."""
        return Response(msgspec.json.encode(segment_schema()), media_type="application/schema+json")

    @routes.get(
        "/v1/segments/{name}",
        openapi_extra=openapi.described(
            'curl -u "$ADMIN:" $YEKTA/v1/segments/loyal', SegmentShown, 404, 422, 503, 504, parameters=[NAME, openapi.AFTER]
        ),
    )
    async def show_segment(request: Request) -> Response:
        """One segment."""
        access.staff(request, dependencies, READERS)
        await settled(request, dependencies)
        async with dependencies.pool.connection() as connection:
            rows = await _known(connection, request)
            counts = await table.counts(connection, dependencies.clock(), rows[0].name)
        return json(shown(rows, counts.get(rows[0].name)))

    @routes.get(
        "/v1/segments/{name}/members",
        openapi_extra=openapi.described(
            'curl -u "$ADMIN:" "$YEKTA/v1/segments/loyal/members?limit=20"',
            MemberList,
            404,
            422,
            503,
            504,
            parameters=[NAME, openapi.CURSOR, openapi.LIMIT, openapi.AFTER],
        ),
    )
    async def list_members(request: Request) -> Response:
        """Who is in, the latest first."""
        access.staff(request, dependencies, READERS)
        await settled(request, dependencies)
        limit = query.limit(request)
        async with dependencies.pool.connection() as connection:
            rows = await _known(connection, request)
            found = await table.members(connection, rows[0].name, limit + 1, cursor.place(query.text(request, "cursor")))
        following = cursor.token(found[limit - 1][1], found[limit - 1][0]) if len(found) > limit else None
        return json(MemberList([Member(customer, since) for customer, since in found[:limit]], following))

    @routes.get(
        "/v1/segments/{name}/history",
        openapi_extra=openapi.described(
            'curl -u "$ADMIN:" "$YEKTA/v1/segments/loyal/history"', SegmentHistory, 404, 422, 503, 504, parameters=[NAME, openapi.AFTER]
        ),
    )
    async def segment_history(request: Request) -> Response:
        """How many came and left on each of the last 90 days, by the installation's zone."""
        access.staff(request, dependencies, READERS)
        await settled(request, dependencies)
        async with dependencies.pool.connection() as connection:
            rows = await _known(connection, request)
            since = dependencies.clock() - timedelta(days=90)
            found = await table.history(connection, rows[0].name, since, dependencies.zone)
        return json(SegmentHistory([Day(*one) for one in found]))

    @routes.get(
        "/v1/segments/{name}/export",
        openapi_extra=openapi.described(
            'curl -u "$ADMIN:" $YEKTA/v1/segments/loyal/export', openapi.TEXT, 404, 503, media="text/csv", parameters=[NAME]
        ),
    )
    async def export_segment(request: Request) -> Response:
        """Everybody who is in, as CSV: customer_id, since."""
        access.staff(request, dependencies, WRITERS)
        async with dependencies.pool.connection() as connection:
            rows = await _known(connection, request)
        disposition = {"Content-Disposition": "attachment; filename=segment.csv"}
        return StreamingResponse(_exported(dependencies, rows[0].name), media_type="text/csv", headers=disposition)

    declared.commands(routes, dependencies, declaring, SORT)
    return routes


def read(content: bytes, request: Request, zone: str) -> tuple[Reading, Segment, str]:
    """What a body says, its segment, and its text. Raises a problem that says everything that is wrong, in the reader's language."""
    text = decoded(content)
    found = read_one(text, zone)
    if found.segment is None:
        raise refused(found.problems, language(request))
    return found, found.segment, text


async def check_circle(connection: Connection, segment: Segment, named: Iterable[Written], zone: str, lang: Lang) -> None:
    """Raises a problem that says by which of the others it would ask for itself."""
    found = await circles(connection, segment, named, zone)
    if found:
        raise refused(found, lang)


async def circles(connection: Connection, segment: Segment, named: Iterable[Written], zone: str) -> list[Written]:
    """Segments may ask for other segments, never in a circle: who comes in because he left would come and go for ever.

    `named`: where the segment names others. Where it would ask for itself by one of them is a mistake in its text.
    """
    texts = {name: declared.newest(rows).text for name, rows in (await rows_of.listed(connection, "segment")).items()}
    leading = [one for one in named if segment.name in _behind(one.words["word"], texts, zone)]
    return [replace(one, code="circle", words={"word": segment.name}) for one in leading]


def _behind(name: str, texts: Mapping[str, str], zone: str) -> set[str]:
    """A segment, and all that it asks for by way of others."""
    waiting, seen = [name], set[str]()
    while waiting:
        name = waiting.pop()
        if name in texts and name not in seen:
            other = read_segment(texts[name], zone).segment
            waiting += _asked(other.checks) if other else ()
        seen.add(name)
    return seen


def _asked(guards: Iterable[Guard]) -> list[str]:
    found: list[str] = []
    for guard in guards:
        inner = guard
        while isinstance(inner, Not):
            inner = inner.guard
        if isinstance(inner, SegmentIs):
            found.append(inner.segment)
    return found


def shown(rows: list[Row], count: Count | None) -> SegmentShown:
    """A segment as people see it."""
    now = declared.counting(rows)
    count = count or Count(now.name, 0, (0, 0, 0), (0, 0, 0))
    return SegmentShown(
        now.name, now.version, now.state, now.text, now.by, now.at, count.members, Moved(*count.entered), Moved(*count.left)
    )


async def _known(connection: Connection, request: Request) -> list[Row]:
    rows = await rows_of.one(connection, "segment", named(request))
    if not rows:
        raise unknown("segment", language(request))
    return rows


async def _exported(dependencies: Dependencies, name: str) -> AsyncIterator[str]:
    yield "customer_id,since\r\n"
    after: tuple[datetime, UUID] | None = None
    while True:
        async with dependencies.pool.connection() as connection:
            found = await table.members(connection, name, PIECE, after)
        lines = io.StringIO()
        csv.writer(lines).writerows((customer, since.isoformat()) for customer, since in found)
        yield lines.getvalue()
        if len(found) < PIECE:
            return
        after = (found[-1][1], found[-1][0])
