"""Calls for soft-phones and desks: what rings where, as a list and as server-sent events of one extension, and how a call ended.

Reading order: router, CallShown, of_number, wrap_up.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID, uuid4

import msgspec
import psycopg
from fastapi import APIRouter, Request, Response
from msgspec import Meta
from psycopg_pool import PoolTimeout
from starlette.responses import StreamingResponse

from aggregates.identifier import Identifier, Token
from aggregates.normal import NotAnIdentifier, normalise
from aggregates.normal.persian import plain
from aggregates.sealing import KeyDestroyed, KeyUnknown, open_sealed
from aggregates.wire import SealedTouchpoint
from api import access, body, commands, masks, openapi, query, requesting, witnessing
from api.answers import json
from api.decoding import decoded
from api.lasting import lasting
from api.ports import Connection, Dependencies
from api.problem import Problem, invalid, not_found
from api.watching import Watching
from projections.calls import table
from projections.calls.table import Call
from projections.identity import table as identity
from projections.search import table as searching
from projections.service import table as requests

BEAT = 2.0

_sealed = msgspec.json.Decoder(SealedTouchpoint)


class CallShown(msgspec.Struct, frozen=True):
    """A call as it stands."""

    call_id: str
    stage: str  # ringing, answered, abandoned, ended, wrapped_up; lost: its end was never told
    direction: str
    queue: str
    extension: str
    agent: str
    number: str | None
    rang_at: datetime | None
    at: datetime
    customers: list[UUID]  # whom the number belongs to; several: ask which


class Calls(msgspec.Struct, frozen=True):
    """Calls, the latest first."""

    items: list[CallShown]
    next: str | None = None


class WrapUp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a call ended."""

    outcome: Annotated[str, Meta(max_length=256)] = ""
    note: Annotated[str, Meta(max_length=10_000)] = ""
    promise: Annotated[str, Meta(max_length=10_000)] = ""
    due: datetime | None = None  # by when it was promised
    request_id: str = ""  # the same id is the same command
    customer_id: UUID | None = None  # where the call named nobody
    service_request_id: str = ""  # the request that goes on from here


class WrappedUp(msgspec.Struct, frozen=True):
    """The log has it."""

    call_id: str
    position: str


SENT_AS = {"/id": "/path/id", "/data/call_id": "/path/id"}
"""Where stands in a wrap-up what has another name in its fact."""

STREAM = {
    "200": {
        "description": "Server-sent events: `call` (a call at the extension, as it stands) whenever one goes on, `beat` every two seconds.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}
EXTENSION = openapi.parameter("extension", openapi.TEXT, "The extension that rings.")


def router(dependencies: Dependencies) -> APIRouter:
    """The routes of calls."""
    routes = APIRouter(tags=["service"])
    watching = Watching(dependencies)

    @routes.get(
        "/v1/calls",
        openapi_extra=openapi.described(
            'curl -u "$AGENT:" "$YEKTA/v1/calls?extension=204"', Calls, 422, 503, parameters=[EXTENSION, openapi.LIMIT]
        ),
    )
    async def list_calls(request: Request) -> Response:
        """Calls that ring or go on, at an extension or at all; with whom the number belongs to."""
        asking = access.staff(request, dependencies, access.INSIDE)
        extension, limit = wanted_extension(request), query.limit(request)
        async with dependencies.pool.connection() as connection:
            found = await table.going_on(connection, extension, dependencies.clock(), limit)
            return json(Calls([await shown(dependencies, connection, call, asking.role) for call in found]))

    extra = openapi.described('curl -N -u "$AGENT:" "$YEKTA/v1/calls/stream?extension=204"', None, 422, 503, parameters=[EXTENSION])
    extra["responses"] |= STREAM

    @routes.get("/v1/calls/stream", openapi_extra=extra)
    async def stream_calls(request: Request) -> StreamingResponse:
        """Calls at one extension as they ring, are answered and end: for the soft-phone or screen of one agent."""
        asking = access.staff(request, dependencies, access.INSIDE)
        extension = wanted_extension(request)
        if not extension:
            raise invalid("/query/extension", "At which extension?", "Send extension=204.")
        live = _live(dependencies, watching, extension, asking.role)
        return lasting(request, dependencies, live)

    @routes.post(
        "/v1/calls/{id:path}/wrap-up",
        openapi_extra=openapi.described(
            """curl -u "$AGENT:" $YEKTA/v1/calls/c-1001/wrap-up -d '{"customer_id": "'$CUSTOMER'", "outcome": "promised"}'""",
            WrappedUp,
            *openapi.BODY,
            404,
            503,
            parameters=[openapi.parameter("id", openapi.TEXT, "The call.", where="path")],
            body=openapi.json_body(WrapUp, {"outcome": "solved", "note": "Parcel found."}),
        ),
    )
    async def wrap_up_call(request: Request) -> Response:
        """How a call ended: outcome, note and promise become a fact of the customer, `call.wrapped_up`."""
        asking = access.staff(request, dependencies, access.SERVICE)
        content, call_id = await body.read(request), request.path_params["id"]
        wanted = decoded(content, WrapUp)
        id_ = commands.text_of(request, wanted.request_id)
        asked = dependencies.secrets.digest("body", asking.name.encode() + b"\0" + content)
        at = await wrap_up(dependencies, asking.name, call_id, id_ or str(uuid4()), wanted, asked if id_ else None)
        return json(WrappedUp(call_id, at), headers={"Yekta-Position": at})

    return routes


async def wrap_up(dependencies: Dependencies, agent: str, call_id: str, id_: str, wanted: WrapUp, asked: bytes | None = None) -> str:
    """Tell the log how a call ended; `asked` as `witnessing.tell` has it. Raises problems."""
    async with dependencies.pool.connection() as connection:
        call = await table.load(connection, call_id, dependencies.clock())
        number = await number_of(dependencies, connection, call) if call else None
        if number:
            who: dict[str, Any] = {"phone": number}
        elif wanted.customer_id is not None:
            who = await requesting.identifier_of(dependencies, connection, wanted.customer_id)
        else:
            raise not_found("No call has this id, and no customer_id says whose it was.")
        going_on = await _request_of(connection, wanted.service_request_id) if wanted.service_request_id else ""
    fields = {"outcome": wanted.outcome, "note": wanted.note, "promise": wanted.promise, "request_id": going_on}
    data: dict[str, Any] = {"call_id": call_id, "agent": agent} | {name: value for name, value in fields.items() if value}
    if wanted.due is not None:
        data["due"] = wanted.due.isoformat()
    try:
        return await witnessing.tell(dependencies, f"{call_id}/{id_}", "call.wrapped_up", who, data, asked)
    except Problem as problem:
        place = problem.body.pointer or ""
        problem.body.pointer = SENT_AS.get(place, place.removeprefix("/data")) or None
        raise


async def _request_of(connection: Connection, id_: str) -> str:
    """The id of a service request as others write it. Raises a 422 problem where there is none."""
    try:
        row = await requests.load(connection, UUID(id_))
    except ValueError:
        row = None
    if row is None:
        raise invalid("/service_request_id", "No service request has this id.", "Send the id of the one that goes on from here, or none.")
    return str(row.request.id)


def wanted_extension(request: Request) -> str | None:
    """The extension that is asked for, in whatever digits; None when none is named."""
    said = query.text(request, "extension", 64)
    return said if said is None else plain(said)


async def shown(dependencies: Dependencies, connection: Connection, call: Call, role: str) -> CallShown:
    """A call as this role may see it."""
    number = await number_of(dependencies, connection, call)
    owners = await customers_of(connection, call.who)
    fields = (call.call_id, call.stage, call.direction, call.queue, call.extension, call.agent)
    return CallShown(*fields, number if role in masks.UNMASKED else masks.masked(number), call.rang_at, call.at, owners)


async def number_of(dependencies: Dependencies, connection: Connection, call: Call) -> str | None:
    """The caller's number in normal form, once opened; None: withheld, or erased."""
    event = _sealed.decode(call.record)
    await dependencies.secrets.fetch(connection, [event.yektaseal])
    try:
        sealed = open_sealed(event, dependencies.secrets)
    except (KeyDestroyed, KeyUnknown):
        return None
    return next((value for kind, value in sealed.identifiers if kind == "phone"), None)


async def customers_of(connection: Connection, tokens: Iterable[str]) -> list[UUID]:
    """Whom these identifiers belong to now, each once."""
    return list(dict.fromkeys((await identity.owners(connection, map(Token, tokens))).values()))


def is_number(number: str) -> bool:
    """Whether it can be somebody's: who withholds his is `anonymous` to a telephone system."""
    try:
        return any(sign.isdigit() for sign in normalise("phone", number).value)
    except NotAnIdentifier:
        return False


async def of_number(dependencies: Dependencies, connection: Connection, number: str) -> tuple[str, list[UUID]]:
    """A number in normal form, and everybody who has it: its owner, and whoever else it was met with. Raises a 422 problem."""
    try:
        identifier = normalise("phone", number)
    except NotAnIdentifier as error:
        raise invalid("/query/phone", f"This is no phone number: {error.why}.", error.mend) from error
    return identifier.value, await everybody(dependencies, connection, identifier)


async def of_email(dependencies: Dependencies, connection: Connection, address: str) -> list[UUID]:
    """Whose an e-mail address is. Raises a 422 problem."""
    try:
        identifier = normalise("email", address)
    except NotAnIdentifier as error:
        raise invalid("/query/email", f"This is no e-mail address: {error.why}.", error.mend) from error
    return await customers_of(connection, [dependencies.secrets.token(identifier)])


async def everybody(dependencies: Dependencies, connection: Connection, identifier: Identifier) -> list[UUID]:
    """The owner of an identifier and all others whose views have it."""
    owners = await customers_of(connection, [dependencies.secrets.token(identifier)])
    found = await searching.search(connection, await dependencies.schema(), identifier.value, 20)
    others = [one.customer_id for one in found if "phone" in one.matched]
    return list(dict.fromkeys([*owners, *others]))


async def _live(dependencies: Dependencies, watching: Watching, extension: str, role: str) -> AsyncGenerator[bytes]:
    yield b"retry: 1000\n\n"
    async with watching.watch(None, extension) as mark:
        while True:
            mark.changed.clear()
            calls, mark.calls = mark.calls, {}
            try:
                async with dependencies.pool.connection() as connection:  # not held while a page is told: one may read slowly
                    told = [await shown(dependencies, connection, call, role) for call in calls.values()]
                for one in told:
                    yield b"event: call\ndata: " + msgspec.json.encode(one) + b"\n\n"
            except (psycopg.OperationalError, PoolTimeout):
                mark.calls = calls | mark.calls
            yield b"event: beat\ndata: {}\n\n"
            try:
                async with asyncio.timeout(BEAT):
                    await mark.changed.wait()
            except TimeoutError:
                continue
