"""What goes out to whom and how far it is, and what is stopped. Reading order: DeliveryShown, router."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request, Response
from msgspec import UNSET, UnsetType

from api import access, body, cursor, customers, hints, openapi, query
from api.answers import json, path_id
from api.decoding import decoded
from api.ports import Connection, Dependencies
from api.problem import Mistake, invalid, not_found
from api.visibility import settled
from api.written import language
from projections.contacts import belonging
from projections.deliveries import table
from projections.deliveries.table import Shown

STATES = ("waiting", "sent", "failed", "silent")
Scope = Annotated[str, msgspec.Meta(min_length=1, max_length=100, pattern=r"^(everything|channel:[a-z][a-z0-9_-]*|rule:[^\s]+)$")]


class DeliveryShown(msgspec.Struct):
    """One thing that goes to one receiver. `waiting` is tried again when it is due; `silent` was stopped by what was asked at sending."""

    id: UUID
    message: UUID  # the `webhook-id`: the same over retries
    lane: str  # webhook:<id>, email, sms, call, agent_offer …
    type: str
    rule: str | None
    customer_id: UUID | None
    signal: UUID | None
    state: Literal["waiting", "sent", "failed", "silent"]
    created: datetime
    due: datetime | None  # when it is tried next
    attempts: int
    ended: datetime | None
    status: int | None  # HTTP status of the last answer
    error: str | None


class DeliveryList(msgspec.Struct):
    """Deliveries, the newest first."""

    items: list[DeliveryShown]
    next: str | None


class PauseShown(msgspec.Struct):
    """What is stopped, since when and by whom."""

    scope: str
    since: datetime
    by: str


class PauseList(msgspec.Struct):
    """Everything that is stopped."""

    items: list[PauseShown]
    next: str | None = None
    hints: tuple[Mistake, ...] | UnsetType = UNSET  # what was paused by a name that nothing has, and is perhaps not meant so


class NewPause(msgspec.Struct, forbid_unknown_fields=True):
    """What is to stop: `everything`, `channel:sms`, `rule:price-hesitation`."""

    scope: Scope


ID = openapi.parameter("id", openapi.UUID, "The delivery.", where="path")
SCOPE = openapi.parameter("scope", openapi.TEXT, "As it was paused: `everything`, `channel:sms`, `rule:winback`.")


def router(dependencies: Dependencies) -> APIRouter:
    """The routes of deliveries and pauses."""
    routes = APIRouter(tags=["deliveries"])

    @routes.get(
        "/v1/deliveries",
        openapi_extra=openapi.described(
            'curl -u "$ADMIN:" "$YEKTA/v1/deliveries?state=failed&limit=20"',
            DeliveryList,
            422,
            503,
            504,
            parameters=[
                openapi.parameter("state", {"type": "string", "enum": list(STATES)}, "Only those in this state."),
                openapi.parameter("lane", openapi.TEXT, "Only those by this way: `webhook:<id>`, `sms` …"),
                openapi.parameter("rule", openapi.TEXT, "Only those of this rule."),
                openapi.parameter("customer", openapi.UUID, "Only those about this customer."),
                openapi.CURSOR,
                openapi.LIMIT,
                openapi.AFTER,
            ],
        ),
    )
    async def list_deliveries(request: Request) -> Response:
        """What goes out, the newest first."""
        access.staff(request, dependencies, access.CAMPAIGNERS)
        await settled(request, dependencies)
        limit = query.limit(request)
        async with dependencies.pool.connection() as connection:
            customer = await customers.asked(request, connection, await dependencies.schema())
            found = await table.page(
                connection,
                limit + 1,
                before=cursor.place(query.text(request, "cursor")),
                state=query.choice(request, "state", STATES),
                lane=query.text(request, "lane"),
                rule=query.text(request, "rule"),
                customers=None if customer is None else await belonging.merged(connection, customer),
            )
        shown = found[:limit]
        following = cursor.token(shown[-1].created, shown[-1].id) if len(found) > limit else None
        return json(DeliveryList([delivery_shown(delivery) for delivery in shown], following))

    @routes.get(
        "/v1/deliveries/{id}",
        openapi_extra=openapi.described('curl -u "$ADMIN:" $YEKTA/v1/deliveries/$DELIVERY', DeliveryShown, 404, 503, parameters=[ID]),
    )
    async def show_delivery(request: Request) -> Response:
        """One delivery."""
        access.staff(request, dependencies, access.CAMPAIGNERS)
        async with dependencies.pool.connection() as connection:
            found = await table.one(connection, path_id(request))
        if found is None:
            raise not_found("No delivery has this id.")
        return json(delivery_shown(found))

    @routes.post(
        "/v1/deliveries/{id}/resend",
        openapi_extra=openapi.described(
            'curl -u "$ADMIN:" -X POST $YEKTA/v1/deliveries/$DELIVERY/resend', DeliveryShown, 404, 503, parameters=[ID]
        ),
    )
    async def resend_delivery(request: Request) -> Response:
        """Try it again from the start, whatever became of it. The message keeps its id, so a receiver knows it again."""
        access.staff(request, dependencies, access.CAMPAIGNERS)
        async with dependencies.pool.connection() as connection:
            found = await table.resend(connection, path_id(request))
        if found is None:
            raise not_found("No delivery has this id.")
        return json(delivery_shown(found))

    @routes.get("/v1/pauses", openapi_extra=openapi.described('curl -u "$ADMIN:" $YEKTA/v1/pauses', PauseList, 503))
    async def list_pauses(request: Request) -> Response:
        """Everything that is stopped."""
        access.staff(request, dependencies, access.INSIDE)
        async with dependencies.pool.connection() as connection:
            return json(await pauses(dependencies, connection))

    @routes.post(
        "/v1/pauses",
        openapi_extra=openapi.described(
            """curl -u "$ADMIN:" $YEKTA/v1/pauses -d '{"scope": "channel:sms"}'""",
            PauseList,
            *openapi.BODY,
            503,
            body=openapi.json_body(NewPause, {"scope": "channel:sms"}),
        ),
    )
    async def pause(request: Request) -> Response:
        """Stop a rule, a channel or everything: what is to go out waits. Resuming lets it go out at the pace of its way, in order."""
        asking = access.staff(request, dependencies, access.CAMPAIGNERS)
        wanted = decoded(await body.read(request), NewPause)
        async with dependencies.pool.connection() as connection:
            await table.pause(connection, wanted.scope, dependencies.clock(), asking.name)
            stopped = await pauses(dependencies, connection)
            stopped.hints = await hints.of_scope(connection, wanted.scope, language(request)) or UNSET
        return json(stopped)

    @routes.delete(
        "/v1/pauses",
        status_code=204,
        openapi_extra=openapi.described(
            'curl -u "$ADMIN:" -X DELETE "$YEKTA/v1/pauses?scope=channel:sms"', None, 404, 422, 503, status=204, parameters=[SCOPE]
        ),
    )
    async def resume(request: Request) -> Response:
        """Let it go out again."""
        access.staff(request, dependencies, access.CAMPAIGNERS)
        scope = query.text(request, "scope")
        if scope is None:
            raise invalid("/query/scope", "Say what is to go on.", "scope=everything, scope=channel:sms or scope=rule:NAME.")
        async with dependencies.pool.connection() as connection:
            if not await table.resume(connection, scope):
                raise not_found("This is not paused.")
        return Response(status_code=204)

    return routes


async def pauses(dependencies: Dependencies, connection: Connection) -> PauseList:
    """What is stopped. Who did so was once kept as the id of his key, and is told by his name all the same."""
    return PauseList([PauseShown(scope, since, _named(dependencies, by)) for scope, since, by in await table.pauses(connection)])


def _named(dependencies: Dependencies, by: str) -> str:
    try:
        id_ = UUID(by)
    except ValueError:
        return by
    return access.name_of(dependencies.ring.key(id_), id_)


def delivery_shown(delivery: Shown) -> DeliveryShown:
    """The delivery as the API says it."""
    return DeliveryShown(
        delivery.id,
        delivery.message,
        delivery.lane,
        delivery.type,
        delivery.rule or None,
        delivery.customer_id,
        delivery.signal,
        delivery.state,  # type: ignore[arg-type]  # the table checks it
        delivery.created,
        delivery.due if delivery.state == "waiting" else None,
        delivery.attempts,
        delivery.ended,
        delivery.status,
        delivery.error or None,
    )
