"""Keeps an open customer's page true: each new event and the changed regions, as pieces of the page itself.

The page is told every two seconds that it is still live, so that within five it can say when it is not. Reading order: stream, _live.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import msgspec
import psycopg
from fastapi import Request
from psycopg_pool import PoolTimeout
from starlette.responses import StreamingResponse

from api import access, customers, position, query
from api.access import Caller
from api.calls import wanted_extension
from api.desk import besides
from api.desk.entries import Day, entry
from api.desk.locale import Locale
from api.desk.looking import KINDS, told
from api.desk.rendering import HEADERS, locale_of, part
from api.lasting import lasting
from api.ports import Connection, Dependencies
from api.watching import Mark, Watching
from projections.alike import Alike
from projections.calls import table as seats
from projections.calls.table import Call
from projections.erasure import table as erasure
from projections.positions import table as positions
from projections.timeline import since

BEAT = 2.0
AT_ONCE = 200
COMPUTED = frozenset({"score", "segment"})
"""Channels of facts that nobody did."""

REGIONS = ("who", "matters", "numbers")

Read = Callable[[Connection, Locale, Alike], Awaitable[dict[str, Any] | None]]
"""What is new for an open page: regions, entries, tables; told by what is the same for all. None: nothing."""


class Page(msgspec.Struct, frozen=True):
    """The open page: whose eyes, and what it shows."""

    role: str
    channel: str | None
    by: str | None
    merged_from: UUID | None
    extension: str = ""  # of whose calls it is told
    call: str = ""  # which call it is about


async def waiting(
    request: Request, dependencies: Dependencies, watching: Watching, asking: Caller, given: Read | None = None
) -> StreamingResponse:
    """For a desk at which nobody is shown: the calls at the agent's extension; with `given` also what it reads whenever signals come."""
    async with dependencies.pool.connection() as connection:
        extension = wanted_extension(request) or await seats.extension_of(connection, asking.name)
    marked = watching.watch(None, extension, signals=given is not None)
    pieces = _live(request, dependencies, watching, marked, given)
    return lasting(request, dependencies, pieces, HEADERS)


async def stream(request: Request, dependencies: Dependencies, watching: Watching, asked: UUID, role: str) -> StreamingResponse:
    """The changes from where the page was made, or from where its browser lost the line."""
    last, beginning = request.headers.get("last-event-id"), query.text(request, "from", 4096)
    ends = position.offsets(last or beginning or position.token({}), "/query/from")
    by = query.text(request, "by")
    shown = Page(
        role,
        query.text(request, "channel", 64) or None,
        by if by in KINDS else None,
        _merged_from(request),
        wanted_extension(request) or "",
        query.text(request, "call", 256) or "",
    )
    async with dependencies.pool.connection() as connection:
        owner = await customers.present(connection, await dependencies.schema(), asked)
        reached = await positions.positions(connection, "customer")
    for partition, end in ends.items():  # of before a backup was restored: no entry would be told until the log is as long again
        ends[partition] = min(end, reached.get(partition, 0))
    has = since.read(query.text(request, "shown", 100) or "") if last is None else None  # who lost the line may have missed a change
    read = partial(_changes, dependencies, owner, ends, shown)
    pieces = _live(request, dependencies, watching, watching.watch(owner, shown.extension, has=has), read, ends)
    return lasting(request, dependencies, pieces, HEADERS)


async def _live(
    request: Request,
    dependencies: Dependencies,
    watching: Watching,
    marked: AbstractAsyncContextManager[Mark],
    read: Read | None,
    ends: dict[int, int] | None = None,
) -> AsyncGenerator[bytes]:
    yield b"retry: 1000\n\n"
    told_stale = again = False
    async with marked as mark:
        while True:
            locale = locale_of(request, dependencies)
            if mark.stale is not None or told_stale:
                told_stale = mark.stale is not None
                yield event("stale" if told_stale else "fresh", {"since": mark.stale})
            if mark.changed.is_set():
                mark.changed.clear()
                calls, mark.calls = mark.calls, {}
                for call in calls.values():  # a ring waits for no other page's turn
                    yield event("call", _call(call, locale))
                changes = None
                if read is not None:
                    try:
                        async with watching.turns, dependencies.pool.connection() as connection:
                            changes = await read(connection, locale, watching.alike(mark))
                    except (psycopg.OperationalError, PoolTimeout):
                        watching.stir(mark)  # it is still to be told
                again = bool(changes and changes.get("failed"))
                if changes is not None:
                    yield event("changes", changes, ends)
                    if "gone" in changes:
                        return
            yield event("beat", {})
            await _wait(mark)
            if again:
                watching.stir(mark)


async def _wait(mark: Mark) -> None:
    try:
        async with asyncio.timeout(BEAT):
            await mark.changed.wait()
    except TimeoutError:
        return


async def _changes(
    dependencies: Dependencies, customer: UUID, ends: dict[int, int], shown: Page, connection: Connection, locale: Locale, alike: Alike
) -> dict[str, Any]:
    """New entries and the regions as they are now; `ends` moves along. A customer who became another says where he went."""
    schema = await dependencies.schema()
    found = await told(dependencies, connection, schema, customer, shown.role, locale, shown.merged_from, alike=alike)
    if found is None:
        erased = bool(await erasure.erased(connection, [customer]))
        return {"gone": f"/customers/{customer}", "erased": erased}  # the page of whom he became, or that he was erased
    regions, beside, _ = found
    entries: list[dict[str, Any]] = []
    more = True
    while more:
        rows = await since.since(connection, schema, customer, ends, AT_ONCE)
        more = len(rows) == AT_ONCE
        items = await customers.items(dependencies, connection, list(rows), shown.role)
        for row, item in zip(rows, items, strict=True):
            ends[row.log_partition] = max(row.log_offset + 1, ends.get(row.log_partition, 0))
            if shown.channel in (None, item.channel):
                entries.append(_entry(item, locale))
        if len(entries) > AT_ONCE:
            entries = entries[-AT_ONCE:]  # a page that slept for long is told the newest
    values: dict[str, Any] = {"customer": regions, "beside": beside, "by": shown.by, "id": customer}
    values |= {"may_split": shown.role in access.SERVICE, "call_query": urlencode({"call": shown.call}) if shown.call else ""}
    failed = {besides.REGIONS[name] for name in beside.failed}  # they keep what they show, and say how old it is
    regions_now = {name: part(locale, f"{name}.html", **values) for name in REGIONS if name not in failed}
    return {"entries": entries, "regions": regions_now, "failed": {name: locale.say("region.failed") for name in failed}}


def _call(call: Call, locale: Locale) -> dict[str, Any]:
    """A call at this extension; its number is shown by the page that it leads to."""
    said = locale.say(f"call.stage.{call.stage}")
    return {"id": call.call_id, "stage": call.stage, "said": said, "at": call.at, "pop": f"/pop?{urlencode({'call': call.call_id})}"}


def _merged_from(request: Request) -> UUID | None:
    """Under which address the page was opened, when that customer became this one."""
    text = query.text(request, "merged_from")
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _entry(item: customers.Item, locale: Locale) -> dict[str, Any]:
    """One entry under its day, and what makes its place in the page known. What we ourselves computed is shown and not announced."""
    one = entry(item, locale)
    day = locale.here(item.at).date().isoformat()
    html = part(
        locale, "timeline.html", days=[Day(day, locale.heading(item.at), [one])], older=None, whole=False, suffix=f"-{item.event_id}"
    )
    return {
        "id": f"e-{item.event_id}",
        "at": item.at.isoformat(),
        "day": day,
        "title": one.title,
        "html": html,
        "said": item.channel not in COMPUTED,
    }


def event(name: str, content: Any, ends: dict[int, int] | None = None) -> bytes:
    """One piece of a stream; with `ends` it says from where a browser that lost the line goes on."""
    place = b"" if ends is None else b"id: " + position.token(ends).encode() + b"\n"
    return b"event: " + name.encode() + b"\n" + place + b"data: " + msgspec.json.encode(content) + b"\n\n"
