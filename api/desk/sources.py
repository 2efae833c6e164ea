"""The desk's pages of sources: what comes from each now, what was refused, its settings, and the lines that make its first event land.

The same functions as the API's do the work. Reading order: add, one.
"""

from collections.abc import Mapping
from math import isfinite
from typing import Any
from uuid import uuid4

import msgspec
from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from aggregates import source_settings
from aggregates.access import NotAllowed
from aggregates.contracts.currencies import CURRENCIES
from aggregates.normal import persian
from aggregates.source import Source
from aggregates.source_settings import Event, State
from aggregates.touchpoint import derive
from api import access, decoding
from api.desk.forms import form
from api.desk.refusals import explained
from api.desk.rendering import HEADERS, locale_of, page
from api.desk.visitor import acting, visitor
from api.ports import Dependencies
from api.problem import Problem, invalid
from api.snippets import LANGUAGES
from api.sources import Settings, briefs, record, shown, wanted_of

FLAGS = ("strict", "simulated")
WRONG = {
    "types": "source.wrong.types",
    "rate": "source.wrong.rate",
    "size": "source.wrong.size",
    "currency": "source.wrong.currency",
}
"""What may stand in a field where something else was typed."""


def add(routes: APIRouter, dependencies: Dependencies) -> None:
    """The routes of sources."""

    @routes.get("/sources")
    async def sources(request: Request) -> Response:
        """All sources, and what comes from them."""
        asking = access.staff(request, dependencies, access.OPERATORS)
        found = await briefs(dependencies)
        return page(request, dependencies, "sources.html", sources=found, may_change=asking.role in access.ADMINS, draft=str(uuid4()))

    @routes.post("/sources")
    async def new_source(request: Request) -> Response:
        """A key for a new source, or one more for an old one: its page, with the key in the lines to copy, this once."""
        asking = acting(request, dependencies, access.ADMINS)
        fields = await form(request)
        name = fields.get("name", "").strip()
        made = dependencies.ring.source(name) or Source(name, dependencies.zone)
        if not name or len(name) > 100 or not name.isprintable() or " " in name:
            return RedirectResponse("/sources", 303, HEADERS)
        draft = fields.get("draft")
        id_ = derive("key", str(asking.key), draft) if draft else None  # the same form, sent again, makes no other
        try:
            minted = await dependencies.keys.create(str(asking.key), source=made, id_=id_)
        except NotAllowed as error:
            refused = Problem(422, "invalid_request", str(error))
            if dependencies.ring.source(name) is None:
                raise refused from error
            return await one(request, dependencies, name, wrong=refused)
        return await one(request, dependencies, name, key=minted.secret)

    @routes.get("/sources/{name:path}")
    async def source(request: Request) -> Response:
        """One source."""
        access.staff(request, dependencies, access.OPERATORS)
        return await one(request, dependencies, request.path_params["name"])

    @routes.post("/sources/{name:path}")
    async def change_source(request: Request) -> Response:
        """Set it, disable it or enable it."""
        asking = acting(request, dependencies, access.ADMINS)
        name, fields = request.path_params["name"], await form(request)
        at, by = dependencies.clock(), str(asking.key)

        def decide(state: State) -> Event | None:
            match fields.get("do"):
                case "disable":
                    return source_settings.disable(state, at, by, fields.get("reason", "")[:500])
                case "enable":
                    return source_settings.enable(state, at, by)
                case _:
                    return source_settings.configure(state, wanted_of(state.source, _settings(fields)), at, by)

        try:
            await record(dependencies, name, decide)
        except Problem as problem:
            if problem.body.status != 422:
                raise
            return await one(request, dependencies, name, wrong=problem, typed=fields)
        return RedirectResponse(str(request.url.path), 303, HEADERS)


async def one(
    request: Request,
    dependencies: Dependencies,
    name: str,
    key: str = "",
    wrong: Problem | None = None,
    typed: Mapping[str, str] | None = None,
) -> Response:
    """The page of a source; `key` was just made and is shown this once. What was `typed` and is `wrong` stays in the form."""
    source = await shown(dependencies, name, str(request.base_url).rstrip("/"), key or "$KEY")
    asking, locale = visitor(request, dependencies), locale_of(request, dependencies)
    settings = source.settings
    kept = {"types": " ".join(settings.types), "rate": f"{settings.rate:.15g}", "size": str(settings.size), "currency": settings.currency}
    kept |= {flag: "on" for flag in FLAGS if getattr(settings, flag)}
    field = (wrong.body.pointer or "").strip("/").partition("/")[0] if wrong else ""
    said = "" if wrong is None else locale.say(WRONG[field]) if field in WRONG else explained(wrong.body.detail, locale)
    return page(
        request,
        dependencies,
        "source.html",
        422 if wrong else 200,
        source=source,
        key=key,
        draft=str(uuid4()),
        wrong=said,
        wrong_at=field,
        form=kept if typed is None else typed,
        languages=LANGUAGES,
        may_change=asking is not None and asking.role in access.ADMINS,
    )


def _settings(fields: Mapping[str, str]) -> dict[str, Any]:
    """What the form says, within what the API takes: a box that is not ticked says no. Raises a 422 problem that points at a field."""
    wanted: dict[str, Any] = {name: name in fields for name in FLAGS}
    for name, kind in (("rate", float), ("size", int)):
        try:
            wanted[name] = kind(persian.plain(fields.get(name, "")).replace("٫", ".") or 0)
        except ValueError as error:
            raise invalid(f"/{name}", "It is no number.") from error
    if not isfinite(wanted["rate"]):
        raise invalid("/rate", "It is no number.")
    wanted["types"] = tuple(fields.get("types", "").replace(",", " ").replace("،", " ").split())
    wanted["currency"] = fields.get("currency", "").strip().upper()
    if wanted["currency"] and wanted["currency"] not in CURRENCIES:
        raise invalid("/currency", "It is no code of ISO 4217.")
    try:
        msgspec.convert(wanted, Settings)
    except msgspec.ValidationError as error:
        raise decoding.wrong(error, Settings) from error
    return wanted
