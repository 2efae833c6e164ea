"""Signals as they are given, as server-sent events; who comes back with Last-Event-ID misses nothing. Reading order: router, _live."""

import asyncio
from collections.abc import AsyncGenerator

import msgspec
import psycopg
from fastapi import APIRouter, Request
from psycopg_pool import PoolTimeout
from starlette.responses import StreamingResponse

from api import access, openapi, position, query
from api.lasting import lasting
from api.ports import Dependencies
from api.problem import invalid
from api.signals import shown
from projections.triggers import since

HEARTBEAT = 15.0
AT_ONCE = 500
RETRY = b"retry: 1000\n\n"
FIRED, WITHDRAWN = b"signal", b"withdrawn"

STREAM = {
    "200": {
        "description": "Server-sent events: `signal` (a rule fired), `withdrawn` (later evidence undid it); both carry the signal.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}


def router(dependencies: Dependencies) -> APIRouter:
    """The route of the stream."""
    routes = APIRouter(tags=["marketing"])
    extra = openapi.described(
        'curl -N -u "$ADMIN:" $YEKTA/v1/signals/stream',
        None,
        422,
        503,
        parameters=[
            openapi.parameter("rule", openapi.TEXT, "Only those of this rule."),
            openapi.parameter("Last-Event-ID", openapi.TEXT, "The `id` of the last event that was received.", where="header"),
        ],
    )
    extra["responses"] |= STREAM

    @routes.get("/v1/signals/stream", openapi_extra=extra)
    async def signal_stream(request: Request) -> StreamingResponse:
        """Signals within a second of being given, from now on or from where one stopped."""
        access.staff(request, dependencies, access.INSIDE)
        rule = query.text(request, "rule")
        last = request.headers.get("last-event-id")
        start = None if last is None else position.offsets(last, "/header/Last-Event-ID")
        async with dependencies.pool.connection() as connection:
            if start is None:
                start = await since.ends(connection)
            elif max(start.values(), default=0) > await since.newest(connection):  # nothing would come until as many were given here
                raise invalid(
                    "/header/Last-Event-ID",
                    "This place is after the last signal: it is of another installation, or a backup was restored since.",
                    "Listen without it, and ask GET /v1/signals for what was given.",
                )
        return lasting(request, dependencies, _live(dependencies, start, rule))

    return routes


async def _live(dependencies: Dependencies, ends: dict[int, int], rule: str | None) -> AsyncGenerator[bytes]:
    """What is given, for as long as somebody listens; the first thing said is where he is, so that he can come back."""
    yield RETRY
    yield b"id: " + position.token(ends).encode() + b"\n: listening\n\n"
    quiet_since = asyncio.get_running_loop().time()
    while True:
        version = dependencies.signalled.version
        try:
            async with dependencies.pool.connection() as connection:
                found = await since.since(connection, ends, AT_ONCE)
        except (psycopg.OperationalError, PoolTimeout):
            found = []
        for partition, seq, given in found:
            ends[partition] = seq
            if rule is None or given.rule == rule:
                name = WITHDRAWN if given.withdrawn else FIRED
                place = position.token(ends).encode()
                yield b"event: " + name + b"\nid: " + place + b"\ndata: " + msgspec.json.encode(shown(given)) + b"\n\n"
        now = asyncio.get_running_loop().time()
        if found:
            quiet_since = now
        elif now - quiet_since >= HEARTBEAT:
            quiet_since = now
            yield b": still here\n\n"
        if len(found) < AT_ONCE:
            await dependencies.signalled.changed(version, HEARTBEAT)
