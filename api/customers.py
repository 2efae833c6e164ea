"""The unified customer view and the timeline, for staff: by id, by any identifier in any spelling, by search.

Reading order: router, shown, present, Item.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import unquote
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request, Response

from aggregates.normal import NotAnIdentifier, normalise
from api import access, cursor, looks, masks, openapi, opening, position, query
from api.access import Caller
from api.answers import json, path_id, sent_path
from api.ports import Connection, Dependencies
from api.problem import erased, invalid, not_found
from api.visibility import settled
from projections.dead_letters import table as letters
from projections.erasure import table as erasure
from projections.identity import table as identity
from projections.search.table import Place, place_of
from projections.timeline import page as paging
from projections.timeline import table as timeline
from projections.timeline.row import FLAG_NAMES, SIMULATED
from projections.view import fold, reading, windows
from projections.view import table as views
from projections.view.answer import View


class Item(msgspec.Struct, frozen=True):
    """An event of a timeline."""

    event_id: UUID
    id: str  # as the source calls it
    source: str
    type: str
    channel: str
    at: datetime  # the time it counts at
    occurred: datetime  # as the source says
    recorded: datetime  # when a door received it
    ref: str | None  # the order, call, quote … it is of
    data: dict[str, Any]  # what the source sent, as the newest version of its contract has it
    simulated: bool
    flags: list[str]  # simulated, backfill, future or past (the source's time was not believed), event_clock, replayed (a dead letter)
    erased: bool  # what was personal in it was destroyed


class Timeline(msgspec.Struct, frozen=True):
    """A page of a timeline, the newest first."""

    items: list[Item]
    next: str | None


class Hit(msgspec.Struct, frozen=True):
    """A customer that was found, and by what."""

    customer_id: UUID
    name: str
    last_seen: datetime | None
    matched: list[str]


class Hits(msgspec.Struct, frozen=True):
    """Customers that were found, those seen last first."""

    items: list[Hit]
    next: str | None = None


class CustomerView(View, frozen=True):
    """The unified customer view. A customer that became one with another is answered by the one that stayed, and says so."""

    merged_from: UUID | None = None


ID = openapi.parameter("id", openapi.UUID, "The customer.", where="path")
AS_OF = openapi.parameter("as_of", openapi.TIME, "The view of what had happened by then.")
KNOWN_AT = openapi.parameter("known_at", openapi.TIME, "The view as far as it was known then.")
WHICH = (
    openapi.parameter("channel", openapi.TEXT, "Only events of this channel."),
    openapi.parameter("type", openapi.TEXT, "Only events of this type."),
    openapi.parameter("since", openapi.TIME, "Only events at or after this time."),
    openapi.parameter("until", openapi.TIME, "Only events before this time."),
)
"""As `page` reads them."""

_place = msgspec.msgpack.Decoder(Place)
UNKNOWN = "No customer has this id, or nothing of him is visible yet."


def router(dependencies: Dependencies) -> APIRouter:
    """The routes of customers."""
    routes = APIRouter(tags=["customers"])

    @routes.get(
        "/v1/customers",
        openapi_extra=openapi.described(
            'curl -u "$AGENT:" "$YEKTA/v1/customers?q=4567"',
            Hits,
            410,
            422,
            503,
            504,
            parameters=[
                openapi.parameter(
                    "q", openapi.TEXT, "Words of a name, the end of a phone, an e-mail address, an order number.", required=True
                ),
                openapi.CURSOR,
                openapi.LIMIT,
                openapi.AFTER,
            ],
        ),
    )
    async def search(request: Request) -> Response:
        """Find customers; no Persian or Arabic keyboard, digit or half-space makes a difference."""
        access.staff(request, dependencies, access.EVERYONE)
        words = query.text(request, "q", 200)
        if words is None or not words.strip():
            raise invalid("/query/q", "There is nothing to look for.", "Send q=…")
        limit, after = query.limit(request), cursor.read(query.text(request, "cursor"), _place)
        await settled(request, dependencies)
        schema = await dependencies.schema()
        async with dependencies.pool.connection() as connection:
            found = await views.find(connection, schema, words, limit + 1, after)
            if not found and after is None and (gone := await erasure.of_words(connection, words)):
                raise erased(gone)
        following = cursor.written(place_of(found[limit - 1])) if len(found) > limit else None
        return json(Hits([Hit(one.customer_id, one.name, one.last_seen, list(one.matched)) for one in found[:limit]], following))

    @routes.get(
        "/v1/customers/by/{kind}/{value:path}",
        openapi_extra=openapi.described(
            'curl -u "$AGENT:" $YEKTA/v1/customers/by/phone/09121234567',
            CustomerView,
            404,
            410,
            422,
            503,
            504,
            parameters=[
                openapi.parameter("kind", openapi.TEXT, "phone, email, customer_number, device …", where="path"),
                openapi.parameter("value", openapi.TEXT, "In any spelling, percent-encoded.", where="path"),
                AS_OF,
                KNOWN_AT,
                openapi.AFTER,
            ],
        ),
    )
    async def by_identifier(request: Request) -> Response:
        """The customer that an identifier belongs to, in any of its spellings."""
        asking = access.staff(request, dependencies, access.EVERYONE)
        kind, value = _identifier(request)
        try:
            identifier = normalise(kind, value)
        except NotAnIdentifier as error:
            raise invalid("/path/value", f"This is no {kind}: {error.why}.", error.mend) from error
        await settled(request, dependencies)
        async with dependencies.pool.connection() as connection:
            customer = await identity.owner(connection, dependencies.secrets.token(identifier))
            if customer is None:
                gone = await erasure.of_token(connection, dependencies.secrets.token(identifier))
                raise erased(gone) if gone is not None else not_found("No customer is known by this.")
        return await _looked_at(request, dependencies, asking, customer)

    @routes.get(
        "/v1/customers/{id}",
        openapi_extra=openapi.described(
            'curl -u "$AGENT:" $YEKTA/v1/customers/$CUSTOMER',
            CustomerView,
            404,
            410,
            422,
            503,
            504,
            parameters=[ID, AS_OF, KNOWN_AT, openapi.AFTER],
        ),
    )
    async def by_id(request: Request) -> Response:
        """All that is known of a customer, over every channel; now, as of a time, or as it was known at a time."""
        asking = access.staff(request, dependencies, access.EVERYONE)
        customer = path_id(request)
        await settled(request, dependencies)
        return await _looked_at(request, dependencies, asking, customer)

    @routes.get(
        "/v1/customers/{id}/timeline",
        openapi_extra=openapi.described(
            'curl -u "$AGENT:" "$YEKTA/v1/customers/$CUSTOMER/timeline?channel=web&limit=20"',
            Timeline,
            404,
            410,
            422,
            503,
            504,
            parameters=[ID, *WHICH, openapi.CURSOR, openapi.LIMIT, openapi.AFTER],
        ),
    )
    async def customer_timeline(request: Request) -> Response:
        """What happened, the newest first, over every channel."""
        asking = access.staff(request, dependencies, access.EVERYONE)
        customer = path_id(request)
        await settled(request, dependencies)
        async with dependencies.pool.connection() as connection:
            schema = await dependencies.schema()
            await looks.note(request, connection, asking, customer, "timeline")
            found = await page(request, dependencies, connection, customer, asking.role)
            if not found.items:
                # Nobody, or somebody of whom this filter finds nothing, or who became one with another: only now is it worth asking.
                owner = await present(connection, schema, customer)
                if owner != customer:
                    found = await page(request, dependencies, connection, owner, asking.role)
        return json(found)

    return routes


async def _looked_at(request: Request, dependencies: Dependencies, asking: Caller, customer: UUID) -> Response:
    """The view that is asked for, and the look written down: now, of who is still himself, in one question to PostgreSQL."""
    if "as_of" not in request.query_params and "known_at" not in request.query_params:
        schema = await dependencies.schema()
        async with dependencies.by_key.connection() as connection:
            view = await _now(dependencies, connection, schema, customer, looks.noting(request, schema, asking, "view"))
        if view is not None:
            return json(masks.view(view, asking.role))
    async with dependencies.pool.connection() as connection:
        await looks.note(request, connection, asking, customer, "view")
        return await shown(request, dependencies, connection, customer, asking.role)


async def shown(request: Request, dependencies: Dependencies, connection: Connection, customer: UUID, role: str) -> Response:
    """The view of a customer, or of whom he became."""
    schema = await dependencies.schema()
    as_of, known_at = query.time(request, "as_of"), query.time(request, "known_at")
    view = await view_at(dependencies, connection, schema, customer, as_of, known_at)
    if view is not None:
        return json(masks.view(view, role))
    owner = await present(connection, schema, customer)
    view = await view_at(dependencies, connection, schema, owner, as_of, known_at) if owner != customer else None
    if view is None:
        raise not_found("Nothing was known of this customer at that time." if as_of or known_at else UNKNOWN)
    merged = CustomerView(**msgspec.structs.asdict(masks.view(view, role)), merged_from=customer)
    return json(merged, headers={"Content-Location": f"/v1/customers/{owner}", "Location": f"/v1/customers/{owner}"})


async def view_at(
    dependencies: Dependencies, connection: Connection, schema: str, customer: UUID, as_of: datetime | None, known_at: datetime | None
) -> View | None:
    """The view now, of what had happened by a time, or as it was known at one; None when there was nothing to see."""
    now = dependencies.clock()
    if as_of is None and known_at is None:
        return await _now(dependencies, connection, schema, customer)
    state = fold.begin()
    async for records in timeline.history(connection, schema, customer, as_of=as_of, known_at=known_at):
        state = await opening.folded(connection, dependencies.secrets, state, records)
    if not state.events:
        return None
    at_time = as_of or await views.his_now(connection, state, min(known_at or now, now))
    counted = await windows.count(connection, schema, customer, at_time, known_at=known_at)
    rules = await views.rules(connection)
    return reading.read(customer, fold.finish(state), counted, at_time, as_of=as_of, known_at=known_at, rules=rules)


async def _now(
    dependencies: Dependencies, connection: Connection, schema: str, customer: UUID, besides: views.Besides = views.NOTHING
) -> View | None:
    looked = await views.look(connection, schema, customer, dependencies.clock(), besides)
    return None if looked is None else looked.view(customer, position.token({looked.log_partition: looked.log_offset + 1}))


async def present(connection: Connection, schema: str, customer: UUID) -> UUID:
    """Who this customer is now: himself, or whom he became. Raises a 410 problem when he was erased, a 404 problem when he never was.

    Himself he is also while he has identifiers and no events: after a split that left all of them with the other.
    """
    if await views.load(connection, schema, [customer]) or await identity.owns(connection, customer):
        return customer
    gone = await erasure.erased(connection, [customer])
    if gone:
        raise erased(gone[customer])
    owner = await identity.successor(connection, customer)
    if owner is None:
        raise not_found(UNKNOWN)
    return owner


async def look(dependencies: Dependencies, schema: str, customer: UUID) -> views.Looked | None:
    """What is to be read of a customer now, where that is planned once for all; None: nothing is."""
    async with dependencies.by_key.connection() as keyed:
        return await views.look(keyed, schema, customer, dependencies.clock())


async def looked(dependencies: Dependencies, connection: Connection, customer: UUID) -> tuple[UUID, views.Looked | None]:
    """Who this customer is now, and what is to be read of him; None: nothing is."""
    schema = await dependencies.schema()
    found = await look(dependencies, schema, customer)
    if found is None and (owner := await identity.successor(connection, customer)):
        return owner, await look(dependencies, schema, owner)
    return customer, found


async def asked(request: Request, connection: Connection, schema: str) -> UUID | None:
    """The customer whom `?customer=` names, as he is now: himself, or whom he became. Raises a 422 problem."""
    text = query.text(request, "customer")
    if not text:
        return None
    try:
        customer = UUID(text)
    except ValueError as error:
        raise invalid("/query/customer", "This is no customer's id: it is not a uuid.") from error
    if await views.load(connection, schema, [customer]):
        return customer
    return await identity.successor(connection, customer) or customer


async def page(request: Request, dependencies: Dependencies, connection: Connection, customer: UUID, role: str) -> Timeline:
    """The page of a timeline that the query asks for."""
    try:
        found, following = await paging.page(
            connection,
            await dependencies.schema(),
            customer,
            query.text(request, "cursor"),
            query.limit(request),
            channel=query.text(request, "channel"),
            type_=query.text(request, "type"),
            since=query.time(request, "since"),
            until=query.time(request, "until"),
        )
    except paging.BadCursor as error:
        raise invalid("/query/cursor", "This is no cursor that Yekta gave.", "Send `next` exactly as it was answered.") from error
    return Timeline(await items(dependencies, connection, found, role), following)


async def items(dependencies: Dependencies, connection: Connection, rows: Sequence[paging.Item], role: str) -> list[Item]:
    """Rows as this role may see them."""
    if not rows:
        return []
    opened = await opening.opened(connection, dependencies.secrets, [row.record for row in rows], personal=masks.opens(role))
    again = await letters.replayed(connection, [row.event_id for row in rows])
    return [_item(row, one, role, replayed=row.event_id in again) for row, one in zip(rows, opened, strict=True)]


def _item(row: paging.Item, opened: opening.Opened, role: str, *, replayed: bool) -> Item:
    flags = [name for bit, name in FLAG_NAMES if row.flags & bit] + (["replayed"] if replayed else [])
    return Item(
        row.event_id,
        opened.event.id,
        row.source,
        row.type,
        row.channel,
        row.at,
        row.occurred,
        row.recorded,
        row.ref,
        masks.data(opened.data, role),
        bool(row.flags & SIMULATED),
        flags,
        opened.erased,
    )


def _identifier(request: Request) -> tuple[str, str]:
    """Kind and value in the path."""
    kind, _, value = sent_path(request).partition("/by/")[2].partition("/")
    return unquote(kind), unquote(value)
