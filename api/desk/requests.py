"""The desk's lists: service requests by owner and due time, articles and scripts, who looked at whom.

Reading order: add.
"""

from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from api import access, cursor, looks, query
from api.answers import path_id
from api.desk import besides
from api.desk.rendering import page
from api.ports import Dependencies
from api.problem import Problem
from projections.knowledge import table as knowledge
from projections.service import table
from projections.service.table import Filter

SHOWN = 30
LISTS = ("mine", "unowned", "late", "all")


def add(routes: APIRouter, dependencies: Dependencies) -> None:
    """The routes of the lists."""

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
