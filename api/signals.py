"""The signals that rules gave, the newest first. Reading order: SignalShown, router."""

from datetime import datetime
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request, Response

from api import access, cursor, customers, openapi, query
from api.answers import json
from api.ports import Dependencies
from api.visibility import settled
from projections.triggers import table


class Cause(msgspec.Struct, frozen=True):
    """The event at which the condition came true, as its source calls it."""

    source: str
    id: str


class SignalShown(msgspec.Struct, frozen=True):
    """A rule says that something happened to a customer."""

    id: UUID
    rule: str
    version: int
    customer_id: UUID
    cause: Cause
    occurred_at: datetime
    recorded_at: datetime
    late: bool  # evidence came too late to say it in time
    withdrawn: bool  # later evidence undid it
    quiet: str | None  # why nobody was told or approached: backfill, moved, test, paused


class SignalList(msgspec.Struct, frozen=True):
    """Signals, the newest first."""

    items: list[SignalShown]
    next: str | None


def router(dependencies: Dependencies) -> APIRouter:
    """The routes of signals."""
    routes = APIRouter(tags=["marketing"])

    @routes.get(
        "/v1/signals",
        openapi_extra=openapi.described(
            'curl -u "$ADMIN:" "$YEKTA/v1/signals?rule=many-requests&limit=20"',
            SignalList,
            422,
            503,
            504,
            parameters=[
                openapi.parameter("customer", openapi.UUID, "Only those of this customer."),
                openapi.parameter("rule", openapi.TEXT, "Only those of this rule."),
                openapi.parameter("since", openapi.TIME, "Only those that were recorded since."),
                openapi.AFTER,
                openapi.CURSOR,
                openapi.LIMIT,
            ],
        ),
    )
    async def list_signals(request: Request) -> Response:
        """What rules said, the newest first; what was withdrawn is among it."""
        access.staff(request, dependencies, access.INSIDE)
        await settled(request, dependencies)
        limit = query.limit(request)
        async with dependencies.pool.connection() as connection:
            found = await table.page(
                connection,
                limit + 1,
                before=cursor.place(query.text(request, "cursor")),
                customer=await customers.asked(request, connection, await dependencies.schema()),
                rule=query.text(request, "rule"),
                since=query.time(request, "since"),
            )
        following = cursor.token(found[limit - 1].recorded_at, found[limit - 1].id) if len(found) > limit else None
        return json(SignalList([shown(one) for one in found[:limit]], following))

    return routes


def shown(given: table.Given) -> SignalShown:
    """A signal as the API has it."""
    return SignalShown(
        given.id,
        given.rule,
        given.version,
        given.customer_id,
        Cause(given.source, given.cause),
        given.occurred_at,
        given.recorded_at,
        given.late,
        given.withdrawn,
        given.quiet or None,
    )
