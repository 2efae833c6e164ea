"""The desk's pages of segments: who is in, how that changes, and their texts. Reading order: add."""

from datetime import timedelta
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from aggregates.rules import segment as segments
from api import access
from api.declared import READERS, WRITERS, counting
from api.declaring import Declaring
from api.desk.forms import form
from api.desk.rendering import HEADERS, locale_of, page
from api.desk.visitor import acting
from api.desk.written import NAMELESS, checked, command, editor, hinted, nameless, of_segment, offered, since_of, text_of, unseen
from api.ports import Dependencies
from api.problem import not_found
from api.segments import circles
from api.written import named
from projections.declared import table as declared
from projections.segments import table as members

SHOWN = 30
NEW_SEGMENT = f"""\
segment: {NAMELESS}
when: {{count: sales.order_placed, at_least: 3, within: 90d}}
"""


def add(routes: APIRouter, dependencies: Dependencies) -> None:
    """The routes of segments."""
    declaring = Declaring(dependencies, "segment")

    @routes.get("/segments")
    async def segment_list(request: Request) -> Response:
        """All segments, with how many are in them."""
        access.staff(request, dependencies, READERS)
        locale = locale_of(request, dependencies)
        async with dependencies.pool.connection() as connection:
            found = await declared.listed(connection, "segment")
            counts = await members.counts(connection, dependencies.clock())
        now = [counting(rows) for rows in found.values()]
        lines = [(row, of_segment(row.text, locale, dependencies.zone)[0], counts.get(row.name)) for row in now]
        return page(request, dependencies, "segments.html", lines=lines, writers=WRITERS)

    @routes.get("/segments/new")
    async def new_segment(request: Request) -> Response:
        """An empty editor."""
        access.staff(request, dependencies, WRITERS)
        return await editor(request, dependencies, "segment", NEW_SEGMENT, ())

    @routes.get("/segments/{name}")
    async def segment(request: Request) -> Response:
        """One segment: who is in, and how that changed."""
        asking = access.staff(request, dependencies, READERS)
        locale, name = locale_of(request, dependencies), named(request)
        async with dependencies.pool.connection() as connection:
            rows = await declared.one(connection, "segment", name)
            if not rows:
                raise not_found("There is no segment of this name.")
            count = (await members.counts(connection, dependencies.clock(), name)).get(name)
            inside = await members.members(connection, name, SHOWN)
            days = await members.history(connection, name, dependencies.clock() - timedelta(days=30), dependencies.zone)
        now, draft = counting(rows), rows[0] if rows[0].state == "draft" else None
        return page(
            request,
            dependencies,
            "segment.html",
            row=now,
            draft=draft,
            number=max(row.number for row in rows),
            sentence=of_segment(now.text, locale, dependencies.zone)[0],
            count=count,
            inside=inside,
            days=days,
            verbs=[verb for verb in offered(rows, asking) if verb in ("publish", "discard", "retire")],
            may=asking.role in WRITERS,
            hints=await hinted(request, dependencies, "segment", (draft or now).text),
        )

    @routes.post("/segments")
    async def save_segment(request: Request) -> Response:
        """Keep a text as a draft."""
        asking = acting(request, dependencies, WRITERS)
        fields = await form(request)
        text, since = text_of(fields), since_of(fields)
        read = segments.read_one(text, dependencies.zone)
        if read.segment is None:
            return await editor(request, dependencies, "segment", text, read.problems, 422, since)
        async with dependencies.pool.connection() as connection:
            circling = await circles(connection, read.segment, read.segments, dependencies.zone)
        if problems := [*nameless("segment", read.segment.name), *circling]:
            return await editor(request, dependencies, "segment", text, problems, 422, since)
        if told := await unseen(request, dependencies, "segment", read.segment.name, text, since):
            return told
        await declaring.draft(read.segment.name, text, read.segment.version, asking)
        return RedirectResponse(f"/segments/{quote(read.segment.name, safe='')}", 303, HEADERS)

    @routes.post("/segments/check")
    async def check_segment(request: Request) -> Response:
        """What a text says, or what is wrong with it, while it is written."""
        acting(request, dependencies, WRITERS)
        return await checked(request, dependencies, "segment", text_of(await form(request)))

    @routes.post("/segments/{name}/{verb}")
    async def command_segment(request: Request) -> Response:
        """Publish, throw away or retire."""
        return await command(request, dependencies, declaring, "segments")
