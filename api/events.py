"""Where events come in, and where a sender asks what became of one: accepted → attributed → visible, or refused and why.

The door itself is `doors/cloudevents.py`. Reading order: router, EventFate, _fate.
"""

from typing import Any, Literal
from urllib.parse import unquote
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request, Response

from aggregates.touchpoint import event_id
from api import access, customers, openapi, query
from api.answers import json, sent_path
from api.doors import cloudevents
from api.doors.cloudevents import BatchAnswer, EventAnswer
from api.ports import Dependencies
from api.problem import invalid, not_found
from api.visibility import listed, settled
from projections.dead_letters import table as letters
from projections.dead_letters.table import Letter
from projections.identity import table as identity
from projections.identity.table import Fate
from projections.timeline.row import NOBODY

INBOX = "inbox"
"""The source that foreign Kafka producers speak as."""


class Refused(msgspec.Struct, frozen=True):
    """Why an event was refused."""

    reason: str
    pointer: str  # RFC 6901, into the event
    detail: str
    mend: str
    dead_letter: UUID


class EventFate(msgspec.Struct, frozen=True):
    """What became of an event."""

    event_id: UUID
    source: str
    id: str
    state: Literal["accepted", "attributed", "visible", "unattributed", "refused", "erased"]
    customer_id: UUID | None = None
    refused: Refused | None = None  # also when the same id came once more with another content


EXAMPLE = {
    "specversion": "1.0",
    "id": "view-1",
    "source": "/web/shop",
    "type": "web.page_viewed",
    "time": "2026-05-01T10:00:00+03:30",
    "data": {"url": "https://shop.example/prices", "who": {"device": "d-7f3a"}},
}

SEND = """\
curl -u "$KEY:" $YEKTA/v1/events -H 'Content-Type: application/cloudevents+json' -d '{
  "specversion": "1.0", "id": "view-1", "source": "/web/shop", "type": "web.page_viewed", "time": "2026-05-01T10:00:00+03:30",
  "data": {"url": "https://shop.example/prices", "who": {"device": "d-7f3a"}}}'"""

EVENT = {
    "description": "A CloudEvent 1.0, `data` by its type's schema (see `/v1/schemas`); or an array of them, of which each is answered for"
    " itself; or, with the attributes in `ce-` headers, `data` alone. What it is is told by the bytes, not by the label.",
    "anyOf": [{"type": "object"}, {"type": "array"}],
}
BODY = {
    "required": True,
    "content": {
        "application/cloudevents+json": {"schema": EVENT, "example": EXAMPLE},
        "application/cloudevents-batch+json": {"schema": EVENT, "example": [EXAMPLE]},
        "application/json": {"schema": EVENT, "example": EXAMPLE},
    },
}


def router(dependencies: Dependencies) -> APIRouter:
    """The routes of events."""
    routes = APIRouter(tags=["events"])

    extra = openapi.described(SEND, None, *openapi.BODY, 503, body=BODY)
    extra["responses"]["200"] = {
        "description": "The log has what is `accepted`: every in-sync replica. A batch has a result per item, in order.",
        "headers": {"Yekta-Position": {"schema": openapi.TEXT, "description": "For `after=` of a GET."}},
        "content": {"application/json": {"schema": {"anyOf": [openapi.schema(EventAnswer), openapi.schema(BatchAnswer)]}}},
    }

    @routes.post("/v1/events", openapi_extra=extra)
    async def send_events(request: Request) -> Response:
        """Send one CloudEvent or a batch of them: structured, batch or binary mode, plain or packed."""
        return await cloudevents.post(request, dependencies)

    @routes.get(
        "/v1/events",
        openapi_extra=openapi.described(
            'curl -u "$ADMIN:" "$YEKTA/v1/events?state=unattributed"',
            customers.Timeline,
            422,
            503,
            504,
            parameters=[
                openapi.parameter("state", {"type": "string", "enum": ["unattributed"]}, "Events that named nobody.", required=True),
                *customers.WHICH,
                openapi.CURSOR,
                openapi.LIMIT,
                openapi.AFTER,
            ],
        ),
    )
    async def list_events(request: Request) -> Response:
        """Events that belong to nobody, because they named no identifier; the newest first."""
        asking = access.staff(request, dependencies, access.INSIDE)
        if query.choice(request, "state", ("unattributed",)) is None:
            raise invalid("/query/state", "Which events?", "Send state=unattributed.")
        await settled(request, dependencies)
        async with dependencies.pool.connection() as connection:
            return json(await customers.page(request, dependencies, connection, NOBODY, asking.role))

    @routes.get(
        "/v1/events/{source:path}/{id}",
        openapi_extra=openapi.described(
            'curl -u "$KEY:" $YEKTA/v1/events/%2Fweb%2Fshop/view-1',
            EventFate,
            404,
            422,
            503,
            504,
            parameters=[
                openapi.parameter("source", openapi.TEXT, "The CloudEvents source, percent-encoded.", where="path"),
                openapi.parameter("id", openapi.TEXT, "The CloudEvents id, percent-encoded.", where="path"),
                openapi.parameter("key", openapi.TEXT, "For staff: only of the write key's source of this name."),
                openapi.AFTER,
            ],
        ),
    )
    async def event_fate(request: Request) -> Response:
        """What became of an event. A write key asks for its own; staff for any."""
        asking = access.caller(request, dependencies)
        if asking.source is not None:
            names = {asking.source.name}
        else:
            asking = access.staff(request, dependencies, access.INSIDE)
            key = query.text(request, "key")
            names = {key} if key else {INBOX, *dependencies.ring.source_names()}
        source, id_ = _named(request)
        await listed(request, dependencies)
        return json(await _fate(dependencies, names, source, id_))

    return routes


async def _fate(dependencies: Dependencies, names: set[str], source: str, id_: str) -> EventFate:
    """The furthest that an event of this source and id has come, under any of these keys' sources."""
    candidates = [event_id(name, source, id_) for name in sorted(names)]
    async with dependencies.pool.connection() as connection:
        resolved = await identity.fates(connection, await dependencies.schema(), candidates)
        refused = await letters.of_events(connection, candidates)
    if resolved:
        fate = max(resolved, key=lambda fate: fate.visible)
        whose = None if fate.erased else fate.customer_id
        return EventFate(fate.event_id, source, id_, _state(fate), whose, _why(refused.get(fate.event_id)))
    recent = next((event for event in candidates if dependencies.recent.accepted(event)), None)
    if recent is not None:
        return EventFate(recent, source, id_, "accepted")
    if refused:
        event, letter = next(iter(refused.items()))
        return EventFate(event, source, id_, "accepted" if letter.replayed_as else "refused", refused=_why(letter))
    raise not_found("No event of this source has this id, or it was accepted a moment ago by another process.")


def _state(fate: Fate) -> Any:
    if fate.erased:
        return "erased"
    if fate.customer_id is None:
        return "unattributed"
    return "visible" if fate.visible else "attributed"


def _why(letter: Letter | None) -> Refused | None:
    """Why it was refused, unless that was mended: what was replayed is a fact."""
    if letter is None or letter.replayed_as is not None:
        return None
    return Refused(letter.reason, letter.pointer, letter.detail, letter.mend, letter.id)


def _named(request: Request) -> tuple[str, str]:
    """Source and id in the path; slashes of a source need not be encoded, those of an id do."""
    source, _, id_ = sent_path(request).partition("/v1/events/")[2].rpartition("/")
    return unquote(source), unquote(id_)
