"""Articles and scripts on the desk: found by their words, read step by step, written anew, and every version with what it changed.

Reading order: add, _article, _script, _past.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID, uuid4

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from aggregates.knowledge import writing as versions
from aggregates.knowledge.changes import Line, changes
from aggregates.knowledge.writing import Article, ArticleWritten, Written
from api import access, query, writing
from api.answers import path_id
from api.desk import script_writing
from api.desk.forms import form
from api.desk.rendering import HEADERS, page
from api.desk.visitor import acting
from api.ports import Dependencies
from api.problem import Problem, not_found
from projections.knowledge import table

SHOWN, SEARCHED = 30, 200
LONGEST = {"title": 256, "body": 50_000, "category": 256}


class Past(NamedTuple):
    """A version in the list of all: who wrote it, when, and what it changed."""

    number: int
    at: datetime
    by: str
    restored: int
    lines: Sequence[Line]


def add(routes: APIRouter, dependencies: Dependencies) -> None:
    """The routes of articles and scripts."""
    script_writing.add(routes, dependencies)

    @routes.get("/knowledge")
    async def found(request: Request) -> Response:
        """Articles by their words, and the scripts."""
        asking = access.staff(request, dependencies, access.INSIDE)
        words, unreadable = query.words(request, "words", SEARCHED)
        async with dependencies.pool.connection() as connection:
            articles = await table.search(connection, words, SHOWN) if words and not unreadable else await table.newest(connection, SHOWN)
            scripts = [standing.script for standing in await table.scripts(connection)]
        may = {"writes": asking.role in access.OPERATORS, "scripts_too": asking.role in access.SCRIPTWRITERS}
        typed = {"words": words, "unreadable": unreadable, "longest": SEARCHED}
        return page(request, dependencies, "knowledge.html", 422 if unreadable else 200, found=articles, scripts=scripts, **typed, **may)

    @routes.get("/knowledge/articles/new")
    async def new(request: Request) -> Response:
        """An empty article."""
        access.staff(request, dependencies, access.OPERATORS)
        return page(request, dependencies, "article_form.html", id=uuid4(), version=0, article=Article("", ""), wrong=None)

    @routes.get("/knowledge/articles/{id}")
    async def article(request: Request) -> Response:
        """One article, in any of its versions."""
        return await _article(request, dependencies)

    @routes.get("/knowledge/articles/{id}/edit")
    async def edit(request: Request) -> Response:
        """An article, to be written anew."""
        access.staff(request, dependencies, access.OPERATORS)
        id_ = path_id(request)
        async with dependencies.pool.connection() as connection:
            found = await table.article(connection, id_)
        if found is None:
            raise not_found("There is no such article.")
        return page(request, dependencies, "article_form.html", id=id_, version=found.version, article=found, wrong=None)

    @routes.post("/knowledge/articles/{id}")
    async def write(request: Request) -> Response:
        """Write a version; whoever was overtaken sees what he typed, and that somebody else wrote one."""
        asking = acting(request, dependencies, access.OPERATORS)
        id_, fields = path_id(request), await form(request, sum(LONGEST.values()) * 12)
        said = {name: fields.get(name, "").replace("\r\n", "\n").replace("\0", "").strip()[:longest] for name, longest in LONGEST.items()}
        content, seen = Article(**said), int(text) if (text := fields.get("version", "")[:9]).isdecimal() else 0
        if not content.title or not content.body:
            return _form(request, dependencies, 422, id_, seen, content, "knowledge.incomplete")
        try:
            await writing.record(
                dependencies, "article", str(id_), lambda before, at: versions.write(before, content, at, asking.name, seen)
            )
        except Problem as problem:
            if problem.body.status != 409:
                raise
            newest = len(await writing.versions(dependencies, "article", str(id_)))
            return _form(request, dependencies, 409, id_, newest, content, "knowledge.overtaken")
        return RedirectResponse(f"/knowledge/articles/{id_}", 303, HEADERS)

    @routes.post("/knowledge/articles/{id}/restore")
    async def restore_article(request: Request) -> Response:
        """An older version comes back."""
        id_ = path_id(request)
        await _restore(request, dependencies, "article", str(id_))
        return RedirectResponse(f"/knowledge/articles/{id_}", 303, HEADERS)

    @routes.get("/knowledge/scripts/{name}")
    async def script(request: Request) -> Response:
        """One step of a script, and where each answer leads."""
        return await _script(request, dependencies)

    @routes.post("/knowledge/scripts/{name}/restore")
    async def restore_script(request: Request) -> Response:
        """An older version comes back; who is in the middle of the newer one goes on with it."""
        name = request.path_params["name"]
        await _restore(request, dependencies, "script", name)
        return RedirectResponse(f"/knowledge/scripts/{name}", 303, HEADERS)


def _form(request: Request, dependencies: Dependencies, status: int, id_: UUID, version: int, content: Article, wrong: str) -> Response:
    """The form again, with what was typed."""
    back = f"/knowledge/articles/{id_}/edit" if version else "/knowledge/articles/new"
    return page(request, dependencies, "article_form.html", status, back=back, id=id_, version=version, article=content, wrong=wrong)


async def _article(request: Request, dependencies: Dependencies) -> Response:
    asking = access.staff(request, dependencies, access.INSIDE)
    id_, wanted = path_id(request), query.whole(request, "version")
    async with dependencies.pool.connection() as connection:
        newest = await table.article(connection, id_)
    past = await writing.versions(dependencies, "article", str(id_))
    if newest is None or (wanted is not None and wanted > len(past)):
        raise not_found("There is no such article, or no such version of it.")
    older = past[wanted - 1] if wanted is not None and wanted < newest.version else None
    return page(
        request,
        dependencies,
        "article.html",
        article=newest,
        content=older.content if isinstance(older, ArticleWritten) else newest,
        version=wanted or newest.version,
        newest=newest.version,
        past=_past(past),
        writes=asking.role in access.OPERATORS,
    )


async def _script(request: Request, dependencies: Dependencies) -> Response:
    """A conversation keeps the version that it began with: nobody is led into steps that were not there."""
    asking = access.staff(request, dependencies, access.INSIDE)
    name, wanted = request.path_params["name"], query.whole(request, "version")
    newest = await writing.script(dependencies, name, None)
    shown = newest if newest is None or wanted in {None, newest[1]} else await writing.script(dependencies, name, wanted)
    step = None if shown is None else shown[0].at(query.text(request, "step", 64))
    if newest is None or shown is None or step is None:
        raise Problem(404, "not_found", "There is no such script, or no such step.")
    return page(
        request,
        dependencies,
        "script.html",
        script=shown[0],
        step=step,
        version=shown[1],
        newest=newest[1],
        past=_past(await writing.versions(dependencies, "script", name)),
        writes=asking.role in access.SCRIPTWRITERS,
    )


async def _restore(request: Request, dependencies: Dependencies, kind: str, name: str) -> None:
    asking = acting(request, dependencies, access.SCRIPTWRITERS if kind == "script" else access.OPERATORS)
    version = (await form(request)).get("version", "")[:9]
    await writing.restored(dependencies, kind, name, int(version) if version.isdecimal() else 0, asking.name)


def _past(past: Sequence[Written]) -> list[Past]:
    """All versions, the newest first."""
    before = [None, *(written.content for written in past)]
    made = [
        Past(number, written.at, written.by, written.restored, changes(earlier, written.content))
        for number, (earlier, written) in enumerate(zip(before, past, strict=False), 1)
    ]
    return made[::-1]
