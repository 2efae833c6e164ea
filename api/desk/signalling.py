"""The desk's page of signals, and what keeps open lists of them true: of all rules, or of one. Reading order: add, then `_given`."""

from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from api import access, query
from api.declared import READERS
from api.desk import live
from api.desk.locale import Locale
from api.desk.rendering import page, part
from api.ports import Connection, Dependencies
from api.watching import Watching
from projections.alike import Alike
from projections.triggers import table

SHOWN = 30


def add(routes: APIRouter, dependencies: Dependencies, watching: Watching) -> None:
    """The routes of signals."""

    @routes.get("/signals")
    async def signal_list(request: Request) -> Response:
        """The latest signals of all rules; the page keeps itself true."""
        access.staff(request, dependencies, READERS)
        async with dependencies.pool.connection() as connection:
            found = await table.page(connection, SHOWN)
        return page(request, dependencies, "signals.html", given=found, stream=live_at())

    @routes.get("/signals/live")
    async def signals_live(request: Request) -> Response:
        """The list again whenever signals were given or withdrawn, for as long as it is open; and the calls of who has it open."""
        asking = access.staff(request, dependencies, READERS)
        return await live.waiting(request, dependencies, watching, asking, _given(query.text(request, "rule")))


def live_at(rule: str | None = None) -> str:
    """Where an open list hears what is new."""
    return f"/signals/live?{urlencode({'rule': rule})}" if rule else "/signals/live"


def _given(rule: str | None) -> live.Read:
    """What reads the list as it is now, where it reads otherwise than before."""
    before: list[table.Given] | None = None

    async def read(connection: Connection, locale: Locale, _: Alike) -> dict[str, Any] | None:
        nonlocal before
        found = await table.page(connection, SHOWN, rule=rule)
        if found == before:
            return None
        before = found
        return {"tables": {"given": part(locale, "given.html", given=found, with_rule=rule is None)}}

    return read
