"""The page of a dry run: whole where that is soon over, else it begins at once, says how far it has come, and ends with what was found.

It is one answer, of which a browser shows what came so far: whichever process gives it, no other has to know of it, and no script is
needed. Who leaves the page ends the dry run. Reading order: tried, `_begun`.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import structlog
from fastapi import Request, Response
from starlette.responses import StreamingResponse

from api import rehearsing
from api.desk.locale import Locale
from api.desk.rendering import HEADERS, locale_of, page, part, usual
from api.ports import Dependencies
from api.rehearsing import DryRun, Wanted

SOON = 0.5
"""Seconds after which somebody wants to know that something goes on, and again how far it is."""

HERE = "<!--here-->"
"""Where more follows; no text that somebody wrote can be it, for `<` is written otherwise."""

log = structlog.get_logger()

Found = Callable[[DryRun], Awaitable[dict[str, Any]]]
"""What was found -> the values of its page."""


async def tried(request: Request, dependencies: Dependencies, template: str, wanted: Wanted, found: Found, **values: Any) -> Response:
    """Try it, and show what was found in a template whose part is called `main`; `values` are those that are known before."""
    shares: list[float] = []

    async def ran() -> dict[str, Any]:
        return await found(await rehearsing.run(dependencies, wanted, shares.append))

    running = asyncio.create_task(ran())
    try:
        await asyncio.wait([running], timeout=SOON)
    except asyncio.CancelledError:
        running.cancel()
        raise
    if running.done():
        return page(request, dependencies, template, **values | running.result())
    values = usual(request, dependencies) | values
    return StreamingResponse(_begun(running, shares, template, locale_of(request, dependencies), values), 200, HEADERS, "text/html")


async def _begun(
    running: asyncio.Task[dict[str, Any]], shares: Sequence[float], template: str, locale: Locale, values: dict[str, Any]
) -> AsyncIterator[str]:
    before, between, after = part(locale, "under_way.html", of=template, here=HERE, **values).split(HERE)
    try:
        yield before
        while not running.done():
            yield part(locale, "under_way_so_far.html", share=shares[-1] if shares else None)
            await asyncio.wait([running], timeout=SOON)
        yield between
        if error := running.exception():  # the page has begun, and shall not break off without a word
            log.error("dry_run_failed", error=type(error).__name__)
            yield part(locale, "under_way_failed.html")
        else:
            yield part(locale, template, layout="alone.html", **values | running.result())
        yield after
    finally:
        running.cancel()
