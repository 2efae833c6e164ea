"""Keeps an open customer's page true: each new event and the changed regions, as pieces of the page itself.

The page is told every two seconds that it is still live, so that within five it can say when it is not. Reading order: stream, _live.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from fastapi import Request
from psycopg_pool import PoolTimeout
from starlette.responses import StreamingResponse

from api import customers, position, query
from api.desk.customer import Customer
from api.desk.entries import Day, entry
from api.desk.locale import Locale
from api.desk.looking import KINDS, told
from api.desk.rendering import HEADERS, locale_of, part
from api.ports import Connection, Dependencies
from api.watching import Mark, Watching
from projections.timeline import since

BEAT = 2.0
AT_ONCE = 200
REGIONS = ("who", "matters", "numbers")


class Page(msgspec.Struct, frozen=True):
    """The open page: whose eyes, and what it shows."""

    role: str
    channel: str | None
    by: str | None
    merged_from: UUID | None


async def stream(request: Request, dependencies: Dependencies, watching: Watching, asked: UUID, role: str) -> StreamingResponse:
    """The changes from where the page was made, or from where its browser lost the line."""
    last, beginning = request.headers.get("last-event-id"), query.text(request, "from", 4096)
    ends = position.offsets(last or beginning or position.token({}), "/query/from")
    by = query.text(request, "by")
    shown = Page(role, query.text(request, "channel", 64) or None, by if by in KINDS else None, _merged_from(request))
    async with dependencies.pool.connection() as connection:
        owner = await customers.present(connection, await dependencies.schema(), asked)
    pieces = _live(request, dependencies, watching, owner, ends, shown)
    return StreamingResponse(pieces, headers=HEADERS | {"X-Accel-Buffering": "no"}, media_type="text/event-stream")


async def _live(
    request: Request, dependencies: Dependencies, watching: Watching, customer: UUID, ends: dict[int, int], shown: Page
) -> AsyncIterator[bytes]:
    yield b"retry: 1000\n\n"
    told_stale = False
    async with watching.watch(customer) as mark:
        while True:
            locale = locale_of(request, dependencies)
            if mark.stale is not None or told_stale:
                told_stale = mark.stale is not None
                yield _event("stale" if told_stale else "fresh", {"since": mark.stale})
            if mark.changed.is_set():
                mark.changed.clear()
                try:
                    async with dependencies.pool.connection() as connection:
                        changes = await _changes(dependencies, connection, mark, ends, shown, locale)
                except (psycopg.OperationalError, PoolTimeout):
                    mark.changed.set()  # it is still to be told
                    changes = None
                if changes is not None:
                    yield _event("changes", changes, ends)
                    if "gone" in changes:
                        return
            yield _event("beat", {})
            await _wait(mark)


async def _wait(mark: Mark) -> None:
    try:
        async with asyncio.timeout(BEAT):
            await mark.changed.wait()
    except TimeoutError:
        return


async def _changes(
    dependencies: Dependencies, connection: Connection, mark: Mark, ends: dict[int, int], shown: Page, locale: Locale
) -> dict[str, Any]:
    """New entries and the regions as they are now; `ends` moves along. A customer who became another says where he went."""
    schema = await dependencies.schema()
    regions: Customer | None = await told(dependencies, connection, schema, mark.customer, shown.role, locale, shown.merged_from)
    if regions is None:
        return {"gone": f"/customers/{mark.customer}"}  # the page of whom he became, which says so
    entries: list[dict[str, str]] = []
    while rows := await since.since(connection, schema, mark.customer, ends, AT_ONCE):
        items = await customers.items(dependencies, connection, list(rows), shown.role)
        for row, item in zip(rows, items, strict=True):
            ends[row.log_partition] = max(row.log_offset + 1, ends.get(row.log_partition, 0))
            if shown.channel in (None, item.channel):
                entries.append(_entry(item, locale))
        if len(entries) > AT_ONCE:
            entries = entries[-AT_ONCE:]  # a page that slept for long is told the newest
    return {"entries": entries, "regions": {name: part(locale, f"{name}.html", customer=regions, by=shown.by) for name in REGIONS}}


def _merged_from(request: Request) -> UUID | None:
    """Under which address the page was opened, when that customer became this one."""
    text = query.text(request, "merged_from")
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _entry(item: customers.Item, locale: Locale) -> dict[str, str]:
    """One entry under its day, and what makes its place in the page known."""
    one = entry(item, locale)
    day = locale.here(item.at).date().isoformat()
    html = part(
        locale, "timeline.html", days=[Day(day, locale.heading(item.at), [one])], older=None, whole=False, suffix=f"-{item.event_id}"
    )
    return {"id": f"e-{item.event_id}", "at": item.at.isoformat(), "day": day, "title": one.title, "html": html}


def _event(name: str, content: Any, ends: dict[int, int] | None = None) -> bytes:
    place = b"" if ends is None else b"id: " + position.token(ends).encode() + b"\n"
    return b"event: " + name.encode() + b"\n" + place + b"data: " + msgspec.json.encode(content) + b"\n\n"
