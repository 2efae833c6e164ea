"""What possible duplicates and conflicts have in common over HTTP: somebody says that two are one, or are two, and why.

Reading order: Decided, described, answer.
"""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import msgspec
from fastapi import Request, Response

from api import access, body, openapi
from api.access import Caller
from api.answers import json
from api.decoding import decoded
from api.identity import DECIDERS
from api.ports import Connection, Dependencies

Deciding = Callable[[Connection, Caller, str], Awaitable[tuple[UUID, str]]]
"""With the reason given: the event id of the decision, and the position to wait for."""


class DecidedBecause(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why."""

    reason: str = ""


class Decided(msgspec.Struct, frozen=True):
    """The decision is in the log."""

    event_id: UUID
    position: str


def described(path: str, parameter: dict[str, Any], because: str) -> dict[str, Any]:
    """What the API's description says of a decision; `because` is the reason of its example."""
    return openapi.described(
        f'curl -u "$AGENT:" $YEKTA{path} -d \'{{"reason": "{because}"}}\'',
        Decided,
        *openapi.BODY,
        404,
        409,
        503,
        parameters=[parameter],
        body=openapi.json_body(DecidedBecause, {"reason": because}, required=False),
    )


async def answer(request: Request, dependencies: Dependencies, decide: Deciding) -> Response:
    """Decide as asked, and say where in the log it stands."""
    asking = access.staff(request, dependencies, DECIDERS)
    content = await body.read(request)
    reason = decoded(content, DecidedBecause).reason if content.strip() else ""
    async with dependencies.pool.connection() as connection:
        event, at = await decide(connection, asking, reason)
    return json(Decided(event, at), headers={"Yekta-Position": at})
