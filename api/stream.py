"""A customer's view as it changes, as server-sent events: each new event of the timeline, and the view after it.

`id` is where in the log the page is; a browser that comes back sends it as Last-Event-ID and misses nothing. Reading order: router, _live.
"""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from fastapi import APIRouter, Request
from psycopg_pool import PoolTimeout
from starlette.responses import StreamingResponse

from api import access, customers, looks, masks, openapi, position
from api.answers import path_id
from api.lasting import lasting
from api.ports import Dependencies
from api.problem import invalid, receipt_at
from api.watching import Mark, Watching
from projections.erasure import table as erasure
from projections.identity import table as identity
from projections.positions import table as positions
from projections.timeline import since
from projections.timeline.since import Edition

HEARTBEAT = 15.0
AT_ONCE = 200
RETRY = b"retry: 1000\n\n"

STREAM = {
    "200": {
        "description": "Server-sent events: `timeline` (an event), `view` (the view after it), `stale` and `fresh`, `merged` (the customer"
        " became one with another: ask for that one), `erased` (he was erased: nothing comes any more).",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}


def router(dependencies: Dependencies) -> APIRouter:
    """The route of the stream."""
    routes = APIRouter(tags=["customers"])
    watching = Watching(dependencies)

    extra = openapi.described(
        'curl -N -u "$AGENT:" $YEKTA/v1/customers/$CUSTOMER/stream',
        None,
        404,
        410,
        422,
        503,
        parameters=[
            customers.ID,
            openapi.parameter("Last-Event-ID", openapi.TEXT, "The `id` of the last event that was received.", where="header"),
        ],
    )
    extra["responses"] |= STREAM

    @routes.get("/v1/customers/{id}/stream", openapi_extra=extra)
    async def customer_stream(request: Request) -> StreamingResponse:
        """The customer's view as it changes: new events and the changed view within a second."""
        asking = access.staff(request, dependencies, access.INSIDE)
        last = request.headers.get("last-event-id")
        ends = None if last is None else position.offsets(last, "/header/Last-Event-ID")
        async with dependencies.pool.connection() as connection:
            customer = await customers.present(connection, await dependencies.schema(), path_id(request))
            reached = await positions.positions(connection, "customer")
            if ends is not None and any(end > reached.get(partition, 0) for partition, end in ends.items()):
                raise invalid(  # no event would be told until the log is as long here
                    "/header/Last-Event-ID",
                    "This place is after the last event: it is of another installation, or a backup was restored since.",
                    "Listen without it, and ask GET /v1/customers/{id}/timeline for what happened.",
                )
            await looks.note(request, connection, asking, customer, "stream")
            start = reached if ends is None else ends
        live = _live(dependencies, watching, customer, start, asking.role)
        return lasting(request, dependencies, live, {"Content-Location": f"/v1/customers/{customer}/stream"})

    return routes


async def _live(dependencies: Dependencies, watching: Watching, customer: UUID, ends: dict[int, int], role: str) -> AsyncGenerator[bytes]:
    """What the page is to know, for as long as it listens."""
    yield RETRY
    yield b"id: " + position.token(ends).encode() + b"\n: listening\n\n"
    stale = None
    async with watching.watch(customer) as mark:
        while True:
            if mark.stale != stale:
                stale = mark.stale
                yield _event("fresh" if stale is None else "stale", {"since": stale or dependencies.clock()})
            try:
                async for part in _changes(dependencies, mark, ends, role):
                    yield part
                    if part.startswith((b"event: merged", b"event: erased")):
                        return
            except (psycopg.OperationalError, PoolTimeout):
                mark.stale = mark.stale or dependencies.clock()
            yield await _next(mark)


async def _next(mark: Mark) -> bytes:
    """Wait for a change; a comment when none comes, so that proxies keep the line open and a page knows that it is."""
    try:
        async with asyncio.timeout(HEARTBEAT):
            await mark.changed.wait()
    except TimeoutError:
        return b": still here\n\n"
    mark.changed.clear()
    return b""


async def _changes(dependencies: Dependencies, mark: Mark, ends: dict[int, int], role: str) -> AsyncGenerator[bytes]:
    """New events, then the view; `ends` moves along. No connection is held while a page is told: one that reads slowly would keep it."""
    schema = await dependencies.schema()
    assert mark.customer is not None  # noqa: S101 - this stream is of a customer
    looked = await customers.look(dependencies, schema, mark.customer)
    if looked is None:
        async with dependencies.pool.connection() as connection:
            gone = await erasure.erased(connection, [mark.customer])
            owner = await identity.successor(connection, mark.customer)
        if gone:
            yield _event("erased", {"receipt": receipt_at(gone[mark.customer])})
        elif owner is not None:
            yield _event("merged", {"customer_id": owner})
        return
    edition = Edition(looked.log_partition, looked.log_offset, looked.state.events, looked.moving)
    while True:
        async with dependencies.pool.connection() as connection:
            rows = await since.since(connection, schema, mark.customer, ends, AT_ONCE)
            items = await customers.items(dependencies, connection, rows, role)
        if not rows:
            break
        for row, item in zip(rows, items, strict=True):
            ends[row.log_partition] = max(row.log_offset + 1, ends.get(row.log_partition, 0))
            yield _event("timeline", item, ends)
    mark.edition = mark.edition or edition  # it begins with what it has read
    if edition == mark.shown:
        return
    mark.shown = edition
    at = position.token({looked.log_partition: looked.log_offset + 1})
    view = looked.view(mark.customer, at)
    yield _event("view", masks.view(view, role), ends)


def _event(name: str, content: Any, ends: dict[int, int] | None = None) -> bytes:
    place = b"" if ends is None else b"id: " + position.token(ends).encode() + b"\n"
    return b"event: " + name.encode() + b"\n" + place + b"data: " + msgspec.json.encode(content) + b"\n\n"
