"""Streams end when whoever opened one may no longer: his key was revoked or is past its time, or his session is over.

Reading order: lasting, _while_allowed.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from types import MappingProxyType

from fastapi import Request
from starlette.responses import StreamingResponse

from api import access
from api.access import Caller
from api.ports import Dependencies
from api.problem import Problem

LOOK = 0.5
"""Seconds between two looks while nothing is to be told; before anything is told it is looked at once more."""

HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
"""Of every stream: nobody on the way keeps it, nor keeps it back."""

NO_MORE: Mapping[str, str] = MappingProxyType({})


def lasting(
    request: Request, dependencies: Dependencies, pieces: AsyncGenerator[bytes], headers: Mapping[str, str] = NO_MORE
) -> StreamingResponse:
    """Server-sent events for as long as who asks may hear them; the roles were asked for at the route. `headers`: besides those of all."""
    live = _while_allowed(request, dependencies, access.caller(request, dependencies), pieces)
    return StreamingResponse(live, headers=HEADERS | dict(headers), media_type="text/event-stream")


async def _while_allowed(
    request: Request, dependencies: Dependencies, opened: Caller, pieces: AsyncGenerator[bytes]
) -> AsyncGenerator[bytes]:
    def allowed() -> bool:
        with suppress(Problem):
            now = access.caller(request, dependencies)
            return (now.key, now.role) == (opened.key, opened.role)
        return False

    async def following() -> bytes | None:
        return await anext(pieces, None)

    coming = asyncio.create_task(following())
    try:
        while allowed():
            done, _ = await asyncio.wait([coming], timeout=LOOK)
            if not done:
                continue
            piece = coming.result()
            if piece is None or not allowed():
                return
            yield piece
            coming = asyncio.create_task(following())
    finally:
        if not coming.done():
            coming.cancel()  # what it waits in ends with it, also where who closed the page cancels whatever is awaited here
        else:
            await pieces.aclose()
