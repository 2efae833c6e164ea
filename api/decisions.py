"""Every candidate contact with its one outcome: why somebody did not get it is one question with one answer.

Reading order: DecisionShown, router.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request, Response

from api import access, cursor, customers, openapi, query
from api.answers import json, path_id
from api.deliveries import customer_asked
from api.ports import Connection, Dependencies
from projections.contacts import table
from projections.contacts.table import Decision

OUTCOMES = ("sent", "held", "silent")
LOST = "lost to "


class DecisionShown(msgspec.Struct):
    """A candidate and what became of it."""

    signal: UUID  # or the id of the request of another system
    rule: str  # or check:<who asked>
    version: int
    customer_id: UUID
    contact: str
    purpose: str
    outcome: Literal["sent", "held", "silent"]
    channel: str | None
    at: datetime
    until: datetime | None
    reason: str | None  # what did it: `cap all/7d`, `quiet`, `consent marketing/sms`, `unless`, `holdout`, `lost to <rule>` …
    winner: str | None  # the rule that was preferred to this one
    occurred_at: datetime


class DecisionList(msgspec.Struct):
    """Decisions, the latest first."""

    items: list[DecisionShown]
    next: str | None


class FunnelRow(msgspec.Struct):
    """How many candidates of a rule came to this."""

    rule: str
    version: int
    outcome: Literal["sent", "held", "silent"]
    channel: str | None
    reason: str | None
    candidates: int


class Funnel(msgspec.Struct):
    """What became of all candidates, by rule, outcome and reason."""

    items: list[FunnelRow]
    next: str | None = None


OUTCOME = openapi.parameter("outcome", {"type": "string", "enum": list(OUTCOMES)}, "Only those with this outcome.")
REASON = openapi.parameter("reason", openapi.TEXT, "Only those that were silent for this reason.")
RULE = openapi.parameter("rule", openapi.TEXT, "Only those of this rule.")
PAGED = (OUTCOME, REASON, openapi.CURSOR, openapi.LIMIT)


def router(dependencies: Dependencies) -> APIRouter:
    """The routes of decisions."""
    routes = APIRouter(tags=["contacts"])

    @routes.get(
        "/v1/customers/{id}/decisions",
        openapi_extra=openapi.described(
            'curl -u "$AGENT:" $YEKTA/v1/customers/$CUSTOMER/decisions',
            DecisionList,
            404,
            422,
            503,
            parameters=[customers.ID, RULE, *PAGED],
        ),
    )
    async def of_customer(request: Request) -> Response:
        """Whether and why a customer was or was not approached, the latest first."""
        access.staff(request, dependencies, access.INSIDE)
        async with dependencies.pool.connection() as connection:
            customer = await customers.present(connection, await dependencies.schema(), path_id(request))
            return json(await _page(request, connection, await table.merged(connection, customer), customer))

    @routes.get(
        "/v1/decisions",
        openapi_extra=openapi.described(
            'curl -u "$ADMIN:" "$YEKTA/v1/decisions?rule=price-hesitation&outcome=silent"',
            DecisionList,
            422,
            503,
            parameters=[RULE, openapi.parameter("customer", openapi.UUID, "Only those about this customer."), *PAGED],
        ),
    )
    async def every(request: Request) -> Response:
        """Every candidate with its outcome, the latest first."""
        access.staff(request, dependencies, access.INSIDE)
        customer = customer_asked(request)
        async with dependencies.pool.connection() as connection:
            return json(await _page(request, connection, None if customer is None else await table.merged(connection, customer), customer))

    @routes.get(
        "/v1/decisions/funnel",
        openapi_extra=openapi.described(
            'curl -u "$ADMIN:" "$YEKTA/v1/decisions/funnel?rule=price-hesitation"',
            Funnel,
            422,
            503,
            parameters=[RULE, openapi.parameter("since", openapi.TIME, "Only those decided since then.")],
        ),
    )
    async def funnel(request: Request) -> Response:
        """From candidates to sent, and the silences by their reasons."""
        access.staff(request, dependencies, access.INSIDE)
        async with dependencies.pool.connection() as connection:
            found = await table.funnel(connection, rule=query.text(request, "rule"), since=query.time(request, "since"))
        return json(Funnel([FunnelRow(**share._asdict()) for share in found]))

    return routes


async def _page(request: Request, connection: Connection, of: Sequence[UUID] | None, present: UUID | None) -> DecisionList:
    limit = query.limit(request)
    found = await table.page(
        connection,
        limit + 1,
        before=cursor.place(query.text(request, "cursor")),
        customers=of,
        rule=query.text(request, "rule"),
        outcome=query.choice(request, "outcome", OUTCOMES),
        reason=query.text(request, "reason"),
    )
    shown = found[:limit]
    following = cursor.token(shown[-1].at, shown[-1].signal) if len(found) > limit else None
    return DecisionList([decision_shown(decision, present) for decision in shown], following)


def decision_shown(decision: Decision, present: UUID | None = None) -> DecisionShown:
    """The decision as the API says it; of a customer who became another it is the other's."""
    lost = decision.reason is not None and decision.reason.startswith(LOST)
    values: dict[str, Any] = {name: getattr(decision, name) for name in DecisionShown.__struct_fields__ if hasattr(decision, name)}
    values |= {"customer_id": present or decision.customer_id, "occurred_at": decision.occurred}
    return DecisionShown(**values, winner=(decision.reason or "")[len(LOST) :] if lost else None)
