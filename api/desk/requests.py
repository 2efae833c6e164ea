"""The desk's pages of service requests: lists by owner and due time, one request with what may be done with it, the supervisor's board.

Reading order: add.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import UUID, uuid4

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from aggregates.service_request.deciding import Command
from aggregates.service_request.request import Request as ServiceRequest
from api import access, cursor, looks, query, requesting
from api.answers import path_id
from api.commands import Key
from api.desk import besides
from api.desk.forms import form
from api.desk.locale import Locale
from api.desk.rendering import HEADERS, locale_of, page
from api.desk.visitor import acting
from api.ports import Dependencies
from api.problem import Problem
from projections.knowledge import table as knowledge
from projections.service import table
from projections.service.table import Filter

SHOWN = 30
LISTS = ("mine", "unowned", "late", "all")
ACTS: dict[str, tuple[str, ...]] = {
    "new": ("take", "note", "resolve", "escalate", "cancel"),
    "open": ("wait", "note", "resolve", "escalate", "cancel"),
    "reopened": ("wait", "note", "resolve", "escalate", "cancel"),
    "waiting": ("resume", "note", "resolve", "cancel"),
    "resolved": ("close", "reopen", "note"),
    "closed": ("reopen",),
}
"""What is offered in each state, the likeliest first."""


class Past(NamedTuple):
    """One thing that happened to a request."""

    at: Any
    title: str
    by: str
    text: str


def add(routes: APIRouter, dependencies: Dependencies) -> None:
    """The routes of requests."""

    @routes.get("/requests")
    async def listed(request: Request) -> Response:
        """Requests, those due first first."""
        asking = access.staff(request, dependencies, access.INSIDE)
        which = query.choice(request, "list", LISTS) or ("mine" if asking.role in access.SERVICE else "all")
        queue = query.text(request, "queue", 256) or None
        wanted = {
            "mine": Filter(owner=asking.name, queue=queue),
            "unowned": Filter(owner="", queue=queue),
            "late": Filter(sla="late", queue=queue),
            "all": Filter(queue=queue),
        }[which]
        now = dependencies.clock()
        async with dependencies.pool.connection() as connection:
            after = cursor.place(query.text(request, "cursor"))
            rows = await table.page(connection, wanted, now, after, SHOWN + 1, live=True)
        lines = [(besides.line(row.request, now), row.customer, row.request.queue) for row in rows[:SHOWN]]
        further = {"list": which} | ({"queue": queue} if queue else {})
        following = None
        if len(rows) > SHOWN:
            last = rows[SHOWN - 1].request
            following = "?" + urlencode(further | {"cursor": cursor.token(last.due, last.id)})
        return page(request, dependencies, "requests.html", lines=lines, which=which, lists=LISTS, queue=queue, following=following)

    @routes.get("/requests/{id}")
    async def one(request: Request) -> Response:
        """A request, all that happened to it, what may be done with it, and the articles that may help."""
        asking = access.staff(request, dependencies, access.INSIDE)
        id_, locale = path_id(request), locale_of(request, dependencies)
        async with dependencies.pool.connection() as connection:
            row = await requesting.load(connection, id_)
            if row.customer is not None:
                await looks.note(request, connection, asking, row.customer, f"request {row.request.number}")
            articles = await knowledge.search(connection, f"{row.request.title} {row.request.category} {row.request.note}", 5, some=True)
        events = requesting.history(await dependencies.decisions.load(id_))
        return page(
            request,
            dependencies,
            "request.html",
            shown=row.request,
            customer=row.customer,
            past=[_past(event, locale) for event in events],
            acts=ACTS[row.request.state] if asking.role in access.SERVICE and not _over(row.request) else (),
            articles=articles,
            line=besides.line(row.request, dependencies.clock()),
            draft=str(uuid4()),
        )

    @routes.post("/requests/{id}/{verb}")
    async def act(request: Request) -> Response:
        """Do something with a request."""
        asking = acting(request, dependencies, access.SERVICE)
        fields, id_ = await form(request), path_id(request)
        draft = fields.get("draft", "")
        key = Key(f"{asking.name}\x1f{draft}", f"{id_} {request.path_params['verb']}".encode()) if draft else None
        article = fields.get("article") or None
        command = Command(note=fields.get("note", "")[:10_000], article_id=path_id_of(article))
        await requesting.act(dependencies, asking, id_, request.path_params["verb"], command, key)
        return RedirectResponse(f"/requests/{id_}", 303, HEADERS)

    @routes.get("/board")
    async def board(request: Request) -> Response:
        """What is live, waiting and late, by queue and by agent; the page reads itself again every few seconds."""
        access.staff(request, dependencies, access.OPERATORS)
        now = dependencies.clock()
        async with dependencies.pool.connection() as connection:
            queues, owners = await table.board(connection, "queue", now), await table.board(connection, "owner", now)
            late = await table.page(connection, Filter(sla="late"), now, None, 10, live=True)
        lines = [besides.line(row.request, now) for row in late]
        return page(request, dependencies, "board.html", queues=queues, owners=owners, late=lines)

    @routes.get("/access-log")
    async def access_log(request: Request) -> Response:
        """Who looked at whom."""
        access.staff(request, dependencies, access.ADMINS)
        async with dependencies.pool.connection() as connection:
            found = await looks.page(request, connection)
        kept = {name: value for name in ("customer", "who") if (value := query.text(request, name, 256))}
        following = "?" + urlencode(kept | {"cursor": found.next}) if found.next else None
        return page(request, dependencies, "access_log.html", looks=found.items, following=following)

    @routes.get("/knowledge")
    async def articles(request: Request) -> Response:
        """Articles by their words, and the scripts."""
        access.staff(request, dependencies, access.INSIDE)
        words = query.text(request, "words", 200) or ""
        async with dependencies.pool.connection() as connection:
            found = await knowledge.search(connection, words, SHOWN) if words.strip() else await knowledge.newest(connection, SHOWN)
            scripts = await knowledge.scripts(connection)
        return page(request, dependencies, "knowledge.html", found=found, scripts=scripts, words=words)

    @routes.get("/knowledge/articles/{id}")
    async def article(request: Request) -> Response:
        """One article."""
        access.staff(request, dependencies, access.INSIDE)
        async with dependencies.pool.connection() as connection:
            found = await knowledge.article(connection, path_id(request))
        if found is None:
            raise Problem(404, "not_found", "There is no such article.")
        return page(request, dependencies, "article.html", article=found)

    @routes.get("/knowledge/scripts/{name}")
    async def script(request: Request) -> Response:
        """One step of a script, and where each answer leads."""
        access.staff(request, dependencies, access.INSIDE)
        async with dependencies.pool.connection() as connection:
            found = await knowledge.script(connection, request.path_params["name"])
        step = None if found is None else found.at(query.text(request, "step", 64))
        if found is None or step is None:
            raise Problem(404, "not_found", "There is no such script, or no such step.")
        return page(request, dependencies, "script.html", script=found, step=step)


def path_id_of(text: str | None) -> UUID | None:
    """An id in a form; None: there is none."""
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _over(request: ServiceRequest) -> bool:
    return request.cancelled or request.merged_into is not None


def _past(event: Any, locale: Locale) -> Past:
    tag = str(event.__struct_config__.tag)
    texts: Sequence[Any] = [getattr(event, name, "") for name in ("note", "text", "owner", "queue", "reason")]
    return Past(event.at, locale.word("type", tag), event.by, next((str(text) for text in texts if text), ""))
