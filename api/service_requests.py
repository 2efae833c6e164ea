"""Service requests over HTTP: opened, moved from new to closed, listed by owner, queue and due time.

A move that is not possible is refused with 409 and a sentence; a command that lacks something with 422. Reading order: router, Shown.
"""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request, Response

from aggregates.service_request import deciding
from aggregates.service_request import request as requests
from aggregates.service_request.deciding import Command, NewRequest
from api import access, body, commands, cursor, customers, masks, openapi, query, requesting
from api.answers import json, path_id
from api.decoding import decoded
from api.ports import Dependencies
from api.problem import invalid
from api.requesting import Done
from api.visibility import settled
from projections.service import table
from projections.service.table import SOON, Filter, Row, Standing

SLA = ("ok", "soon", "late")
STATES: tuple[str, ...] = ("new", "open", "waiting", "resolved", "closed", "reopened", "live")


class Open(NewRequest, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A request to be opened: for a customer, or for whoever an identifier names."""

    customer_id: UUID | None = None
    who: dict[str, Any] | None = None
    request_id: str = ""  # the same id is the same command, as Idempotency-Key


class Move(Command, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a verb needs; absent fields stay as they are."""

    request_id: str = ""


class ServiceRequest(requests.Request, frozen=True, kw_only=True):
    """A service request as it stands, and whose it is now."""

    customer_id: UUID | None = None
    sla: Literal["ok", "soon", "late", "done"] = "ok"
    history: list[dict[str, Any]] | None = None  # what happened to it, the oldest first; only where one request is asked for
    position: str = ""  # for `after=`: where the log has the latest decision


class ServiceRequests(msgspec.Struct, frozen=True):
    """Requests, those due first first."""

    items: list[ServiceRequest]
    next: str | None = None


class StandingShown(msgspec.Struct, frozen=True):
    """How many live requests of a queue or an owner stand how."""

    name: str
    live: int
    unowned: int
    waiting: int
    soon: int
    late: int
    oldest: datetime | None


class Board(msgspec.Struct, frozen=True):
    """What a supervisor sees of all live requests."""

    queues: list[StandingShown]
    owners: list[StandingShown]
    at: datetime


ID = openapi.parameter("id", openapi.UUID, "The request.", where="path")
VERB = openapi.parameter(
    "verb", {"type": "string", "enum": sorted((*deciding.VERBS, "merge"))}, "What is to be done with it.", where="path"
)
KEY = openapi.parameter("Idempotency-Key", openapi.TEXT, "The same key is the same command, however often it is sent.", where="header")


def router(dependencies: Dependencies) -> APIRouter:
    """The routes of service requests."""
    routes = APIRouter(tags=["service"])

    @routes.post(
        "/v1/service-requests",
        status_code=201,
        openapi_extra=openapi.described(
            """curl -u "$AGENT:" $YEKTA/v1/service-requests -d '{"who": {"phone": "09121234567"}, "title": "Parcel has not come",\
 "category": "delivery", "priority": "high", "queue": "support", "order_ids": ["o-4711"]}'""",
            ServiceRequest,
            *openapi.BODY,
            404,
            503,
            status=201,
            parameters=[KEY],
            body=openapi.json_body(
                Open, {"who": {"phone": "09121234567"}, "title": "Parcel has not come", "category": "delivery", "priority": "high"}
            ),
        ),
    )
    async def open_request(request: Request) -> Response:
        """Open a request for a customer. Its clocks run in working hours of Iran, by its priority."""
        asking = access.staff(request, dependencies, access.SERVICE)
        content = await body.read(request)
        wanted = decoded(content, Open)
        key = commands.key_of(request, asking, content, wanted.request_id)
        who = wanted.who
        if who is None:
            if wanted.customer_id is None:
                raise invalid("/who", "It is for nobody.", 'Send a customer_id, or who: {"phone": "0912…"}.')
            async with dependencies.pool.connection() as connection:
                who = await requesting.identifier_of(dependencies, connection, wanted.customer_id)
        return _answer(await requesting.open_for(dependencies, asking, who, wanted, key), dependencies, asking.role, 201)

    @routes.post(
        "/v1/service-requests/{id}/{verb}",
        openapi_extra=openapi.described(
            """curl -u "$AGENT:" $YEKTA/v1/service-requests/$REQUEST/promise -d '{"promise": "A call", "due": "2099-11-25T12:00:00Z"}'""",
            ServiceRequest,
            *openapi.BODY,
            404,
            409,
            410,
            503,
            parameters=[ID, VERB, KEY],
            body=openapi.json_body(Move, {"note": "The carrier looks for it."}, required=False),
        ),
    )
    async def move_request(request: Request) -> Response:
        """Do something with a request: take, assign, wait, resume, promise, resolve, reopen, close, merge …"""
        asking = access.staff(request, dependencies, access.SERVICE)
        content = await body.read(request)
        command = decoded(content, Move) if content.strip() else Move()
        key = commands.key_of(request, asking, content, command.request_id)
        id_ = path_id(request)
        done = await requesting.act(dependencies, asking, id_, request.path_params["verb"], command, key)
        return _answer(done, dependencies, asking.role, 200)

    @routes.get(
        "/v1/service-requests",
        openapi_extra=openapi.described(
            'curl -u "$AGENT:" "$YEKTA/v1/service-requests?queue=support&state=live&sla=ok"',
            ServiceRequests,
            422,
            503,
            504,
            parameters=[
                openapi.parameter("owner", openapi.TEXT, "Only this owner's; `me`: one's own; empty: nobody's."),
                openapi.parameter("queue", openapi.TEXT, "Only of this queue."),
                openapi.parameter("state", {"type": "string", "enum": list(STATES)}, "Only in this state; `live`: not yet resolved."),
                openapi.parameter("sla", {"type": "string", "enum": list(SLA)}, "Late; due soon (within an hour); or in time."),
                openapi.parameter("customer", openapi.UUID, "Only of this customer."),
                openapi.CURSOR,
                openapi.LIMIT,
                openapi.AFTER,
            ],
        ),
    )
    async def list_requests(request: Request) -> Response:
        """Requests by owner, queue, state, customer and due time; those due first first."""
        asking = access.staff(request, dependencies, access.INSIDE)
        limit, after = query.limit(request), cursor.place(query.text(request, "cursor"))
        state, owner = query.choice(request, "state", STATES), query.text(request, "owner", 256)
        wanted = Filter(
            asking.name if owner == "me" else owner,
            query.text(request, "queue", 256),
            None if state == "live" else state,
            sla=query.choice(request, "sla", SLA),
        )
        await settled(request, dependencies)
        async with dependencies.pool.connection() as connection:
            wanted = wanted._replace(customer=await customers.asked(request, connection, await dependencies.schema()))
            rows = await table.page(connection, wanted, dependencies.clock(), after, limit + 1, live=state == "live")
        items = [shown(row, dependencies.clock(), asking.role) for row in rows[:limit]]
        following = cursor.token(items[-1].due, items[-1].id) if len(rows) > limit else None
        return json(ServiceRequests(items, following))

    @routes.get(
        "/v1/service-requests/board",
        openapi_extra=openapi.described('curl -u "$ADMIN:" $YEKTA/v1/service-requests/board', Board, 503),
    )
    async def board(request: Request) -> Response:
        """How the live requests of every queue and owner stand: waiting, due soon, late. For supervisors."""
        access.staff(request, dependencies, access.OPERATORS)
        now = dependencies.clock()
        async with dependencies.pool.connection() as connection:
            queues, owners = await table.board(connection, "queue", now), await table.board(connection, "owner", now)
        return json(Board([_standing(one) for one in queues], [_standing(one) for one in owners], now))

    @routes.get(
        "/v1/service-requests/{id}",
        openapi_extra=openapi.described(
            'curl -u "$AGENT:" $YEKTA/v1/service-requests/$REQUEST', ServiceRequest, 404, 410, 422, 503, 504, parameters=[ID, openapi.AFTER]
        ),
    )
    async def one_request(request: Request) -> Response:
        """A request as it stands, and all that happened to it."""
        asking = access.staff(request, dependencies, access.INSIDE)
        await settled(request, dependencies)
        id_ = path_id(request)
        async with dependencies.pool.connection() as connection:
            row = await requesting.load(connection, id_)
        events = requesting.history(await dependencies.decisions.load(id_))
        past = [_masked_fact(msgspec.to_builtins(event), asking.role) for event in events]
        return json(msgspec.structs.replace(shown(row, dependencies.clock(), asking.role), history=past))

    return routes


def shown(row: Row, now: datetime, role: str) -> ServiceRequest:
    """A request as this role may see it."""
    request = row.request
    fields = {name: getattr(request, name) for name in requests.Request.__struct_fields__}
    fields["who"] = masks.data(request.who, role)
    return ServiceRequest(**fields, customer_id=row.customer, sla=sla(request, now))


def sla(request: requests.Request, now: datetime) -> Literal["ok", "soon", "late", "done"]:
    """How it stands with the clock; one that waits for the customer is in time."""
    if not request.live:
        return "done"
    if request.state == "waiting" or request.due > now + SOON:
        return "ok"
    return "late" if request.due <= now else "soon"


def _masked_fact(fact: dict[str, Any], role: str) -> dict[str, Any]:
    return fact | {"who": masks.data(fact["who"], role)} if "who" in fact else fact


def _standing(one: Standing) -> StandingShown:
    return StandingShown(*one)


def _answer(done: Done, dependencies: Dependencies, role: str, status: int) -> Response:
    content = msgspec.structs.replace(shown(done.row, dependencies.clock(), role), position=done.at)
    headers = {"Yekta-Position": done.at} if done.at else {}
    return json(content, status, headers | ({"Location": f"/v1/service-requests/{content.id}"} if status == 201 else {}))
