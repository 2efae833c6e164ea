"""The supervisor's board: how the live requests of every queue and agent stand, told as it changes.

An open board is read again when something changed, at most twice a second, and sent when it reads otherwise than before.
Reading order: add, standing, _live.
"""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import psycopg
from fastapi import APIRouter, Request, Response
from psycopg_pool import PoolTimeout

from api import access
from api.desk import besides
from api.desk.live import BEAT, event
from api.desk.rendering import HEADERS, locale_of, page, part
from api.lasting import lasting
from api.ports import Dependencies
from projections.service import table
from projections.service.table import Filter

LATE = 10
"""So many late requests are named on the board; the list has the others."""

PACE = 0.5
"""Seconds between two looks: a busy log notifies a hundred times a second, and nobody reads so fast."""


def add(routes: APIRouter, dependencies: Dependencies) -> None:
    """The routes of the board."""

    @routes.get("/board")
    async def board(request: Request) -> Response:
        """What is live, waiting and late, by queue and by agent."""
        access.staff(request, dependencies, access.OPERATORS)
        return page(request, dependencies, "board.html", stream="/board/live", **await standing(dependencies))

    @routes.get("/board/live")
    async def board_live(request: Request) -> Response:
        """The board again whenever it changes, for as long as it is open."""
        access.staff(request, dependencies, access.OPERATORS)
        return lasting(request, dependencies, _live(request, dependencies), HEADERS)


async def standing(dependencies: Dependencies) -> dict[str, Any]:
    """What the board shows now."""
    now = dependencies.clock()
    async with dependencies.pool.connection() as connection:
        queues, owners = await table.board(connection, "queue", now), await table.board(connection, "owner", now)
        late = await table.page(connection, Filter(sla="late"), now, None, LATE, live=True)
    return {"queues": queues, "owners": owners, "late": [besides.line(row.request, now) for row in late]}


async def _live(request: Request, dependencies: Dependencies) -> AsyncGenerator[bytes]:
    yield b"retry: 1000\n\n"
    loop = asyncio.get_running_loop()
    shown, stale, version, beat = "", False, -1, 0.0
    while True:
        try:
            html = part(locale_of(request, dependencies), "standing.html", **await standing(dependencies))
            failing = not dependencies.changes.connected
        except (psycopg.OperationalError, PoolTimeout):
            html, failing = shown, True
        if failing != stale:
            stale = failing
            yield event("stale" if stale else "fresh", {"since": dependencies.clock() if stale else None})
        if html != shown:
            shown = html
            yield event("changes", {"regions": {"standing": html}})
        if loop.time() - beat >= BEAT:
            beat = loop.time()
            yield event("beat", {})
        await asyncio.sleep(PACE)
        version = await dependencies.changes.changed(version, BEAT - PACE)
