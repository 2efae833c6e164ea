"""Scripts written on the desk: a new one, or the next version of one, step by step in a form that grows as it is filled.

Reading order: add, _save.
"""

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from aggregates.knowledge import writing as versions
from api import access, writing
from api.desk import script_form
from api.desk.forms import form
from api.desk.looking import CATEGORIES
from api.desk.rendering import HEADERS, page
from api.desk.script_form import Fields
from api.desk.visitor import acting
from api.ports import Dependencies
from api.problem import Problem, not_found

LONGEST = 2_000_000
"""A long script in Persian, as browsers send it: six bytes a letter."""


def add(routes: APIRouter, dependencies: Dependencies) -> None:
    """The routes by which scripts are written."""

    @routes.get("/knowledge/new-script")
    async def new_script(request: Request) -> Response:
        """An empty script, with one step to begin with."""
        access.staff(request, dependencies, access.SCRIPTWRITERS)
        return _shown(request, dependencies, Fields(), focus="title")

    @routes.get("/knowledge/scripts/{name}/edit")
    async def edit_script(request: Request) -> Response:
        """A script, to be written anew."""
        access.staff(request, dependencies, access.SCRIPTWRITERS)
        found = await writing.script(dependencies, request.path_params["name"], None)
        if found is None:
            raise not_found("There is no such script.")
        return _shown(request, dependencies, script_form.fields_of(*found), focus="title")

    @routes.post("/knowledge/scripts/form")
    async def shape_script(request: Request) -> Response:
        """The form with a step or an answer more, or with its steps in another order; nothing is kept yet."""
        acting(request, dependencies, access.SCRIPTWRITERS)
        fields, focus = script_form.shaped(script_form.sent(await form(request, LONGEST)), request.query_params.get("do", ""))
        return _shown(request, dependencies, fields, focus=focus)

    @routes.post("/knowledge/scripts")
    async def write_script(request: Request) -> Response:
        """Write a version; whoever left something out, or was overtaken, sees what he typed and what is wrong with it."""
        asking = acting(request, dependencies, access.SCRIPTWRITERS)
        return await _save(request, dependencies, script_form.sent(await form(request, LONGEST)), asking.name)


async def _save(request: Request, dependencies: Dependencies, fields: Fields, by: str) -> Response:
    script = script_form.read(fields)
    if isinstance(script, dict):
        return _shown(request, dependencies, fields, 422, wrong=script)
    newest = len(await writing.versions(dependencies, "script", script.name))
    if fields.name and not newest:
        raise not_found("There is no such script.")
    try:
        await writing.record(dependencies, "script", script.name, lambda before, at: versions.write(before, script, at, by, fields.version))
    except Problem as problem:
        if problem.body.status != 409:
            raise
        if not fields.name:
            return _shown(request, dependencies, fields, 409, wrong={"title": "script.wrong.taken"})
        newest = len(await writing.versions(dependencies, "script", script.name))
        return _shown(request, dependencies, replace(fields, version=newest), 409, overtaken=True)
    return RedirectResponse(f"/knowledge/scripts/{quote(script.name, safe='')}", 303, HEADERS)


def _shown(
    request: Request,
    dependencies: Dependencies,
    fields: Fields,
    status: int = 200,
    *,
    wrong: Mapping[str, str] | None = None,
    focus: str = "",
    overtaken: bool = False,
) -> Response:
    """The form; whoever reads by keyboard goes on where something is to be written or mended."""
    back = f"/knowledge/scripts/{quote(fields.name, safe='')}/edit" if fields.name else "/knowledge/new-script"
    return page(
        request,
        dependencies,
        "script_form.html",
        status,
        back=back,
        form=fields,
        wrong=wrong or {},
        focus=next(iter(wrong), "") if wrong else focus,
        overtaken=overtaken,
        categories=CATEGORIES,
        limits=script_form,
    )
