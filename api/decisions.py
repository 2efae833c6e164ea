"""Every candidate contact with its one outcome: why somebody did not get it is one question with one answer.

Reading order: DecisionShown, router.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request, Response

from aggregates.uplift import Share, uplift
from aggregates.written.reader import LONGEST_SPAN
from aggregates.written.span import span
from api import access, cursor, customers, openapi, query
from api.answers import json, path_id
from api.ports import Connection, Dependencies
from api.problem import invalid
from api.visibility import settled
from projections.contacts import belonging, responses
from projections.contacts import decisions as decided
from projections.contacts.decisions import Decision

OUTCOMES = ("sent", "held", "silent")
LOST = "lost to "
GOAL, WITHIN = "sales.order_placed", "14d"


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


class ArmShown(msgspec.Struct):
    """Of so many so many did it, with the 95 % interval of Wilson."""

    of: int
    did: int
    rate: float
    interval: tuple[float, float]


class UpliftShown(msgspec.Struct):
    """What a rule brought: those who were approached against its hold-out, with the 95 % interval of Newcombe."""

    rule: str
    goal: str
    within: str
    contacted: ArmShown
    held_out: ArmShown
    uplift: float | None  # null: one of the two is empty
    interval: tuple[float, float] | None
    waiting: int  # decisions after which `within` is not over yet: these are not counted above


class ResponseShown(msgspec.Struct):
    """What came back of one contact."""

    signal: UUID
    type: str  # contact.delivered, opened, clicked, answered, refused
    at: datetime
    channel: str | None
    rule: str | None
    contact: str | None


class ResponseList(msgspec.Struct):
    """Responses, the latest first."""

    items: list[ResponseShown]
    next: str | None = None


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
            410,
            422,
            503,
            504,
            parameters=[customers.ID, RULE, *PAGED, openapi.AFTER],
        ),
    )
    async def of_customer(request: Request) -> Response:
        """Whether and why a customer was or was not approached, the latest first."""
        access.staff(request, dependencies, access.INSIDE)
        await settled(request, dependencies)
        async with dependencies.pool.connection() as connection:
            customer = await customers.present(connection, await dependencies.schema(), path_id(request))
            return json(await _page(request, connection, await belonging.merged(connection, customer), customer))

    @routes.get(
        "/v1/decisions",
        openapi_extra=openapi.described(
            'curl -u "$ADMIN:" "$YEKTA/v1/decisions?rule=price-hesitation&outcome=silent"',
            DecisionList,
            422,
            503,
            504,
            parameters=[RULE, openapi.parameter("customer", openapi.UUID, "Only those about this customer."), *PAGED, openapi.AFTER],
        ),
    )
    async def every(request: Request) -> Response:
        """Every candidate with its outcome, the latest first."""
        access.staff(request, dependencies, access.INSIDE)
        await settled(request, dependencies)
        async with dependencies.pool.connection() as connection:
            customer = await customers.asked(request, connection, await dependencies.schema())
            return json(
                await _page(request, connection, None if customer is None else await belonging.merged(connection, customer), customer)
            )

    @routes.get(
        "/v1/decisions/funnel",
        openapi_extra=openapi.described(
            'curl -u "$ADMIN:" "$YEKTA/v1/decisions/funnel?rule=price-hesitation"',
            Funnel,
            422,
            503,
            504,
            parameters=[RULE, openapi.parameter("since", openapi.TIME, "Only those decided since then."), openapi.AFTER],
        ),
    )
    async def funnel(request: Request) -> Response:
        """From candidates to sent, and the silences by their reasons."""
        access.staff(request, dependencies, access.INSIDE)
        await settled(request, dependencies)
        async with dependencies.pool.connection() as connection:
            found = await decided.funnel(connection, rule=query.text(request, "rule"), since=query.time(request, "since"))
        return json(Funnel([FunnelRow(**share._asdict()) for share in found]))

    @routes.get(
        "/v1/decisions/uplift",
        openapi_extra=openapi.described(
            'curl -u "$ADMIN:" "$YEKTA/v1/decisions/uplift?rule=price-hesitation&goal=sales.order_placed&within=14d"',
            UpliftShown,
            422,
            503,
            504,
            parameters=[
                openapi.parameter("rule", openapi.TEXT, "The rule.", required=True),
                openapi.parameter("goal", openapi.TEXT, "The event that is hoped for; sales.order_placed, if absent."),
                openapi.parameter("within", openapi.TEXT, "How long after the decision: 14d, if absent."),
                openapi.AFTER,
            ],
        ),
    )
    async def rule_uplift(request: Request) -> Response:
        """How much more often those whom a rule approached did what was hoped for than its hold-out. Only decisions old enough count."""
        access.staff(request, dependencies, access.INSIDE)
        await settled(request, dependencies)
        rule = query.text(request, "rule")
        if not rule:
            raise invalid("/query/rule", "Say which rule.", "rule=price-hesitation")
        goal = query.text(request, "goal", 200) or GOAL
        written = query.text(request, "within", 20) or WITHIN
        within = span(written)
        if within is None or not timedelta(0) < within <= LONGEST_SPAN:
            raise invalid("/query/within", "This is no duration.", "Write it like 14d, 12h, 1h30m.")
        async with dependencies.pool.connection() as connection:
            schema = await dependencies.schema()
            found = await responses.arms(connection, schema, rule, goal, within, dependencies.clock())
        made = uplift(found.contacted_did, found.contacted, found.held_out_did, found.held_out)
        return json(
            UpliftShown(rule, goal, written, _arm(made.contacted), _arm(made.held_out), made.difference, made.interval, found.waiting)
        )

    @routes.get(
        "/v1/customers/{id}/responses",
        openapi_extra=openapi.described(
            'curl -u "$AGENT:" $YEKTA/v1/customers/$CUSTOMER/responses',
            ResponseList,
            404,
            422,
            503,
            504,
            parameters=[customers.ID, openapi.LIMIT, openapi.AFTER],
        ),
    )
    async def responses_of(request: Request) -> Response:
        """What a customer answered to what, the latest first."""
        access.staff(request, dependencies, access.INSIDE)
        await settled(request, dependencies)
        async with dependencies.pool.connection() as connection:
            customer = await customers.present(connection, await dependencies.schema(), path_id(request))
            same = await belonging.merged(connection, customer)
            found = await responses.of_customers(connection, same, query.limit(request))
        return json(ResponseList([ResponseShown(*response) for response in found]))

    return routes


def _arm(share: Share) -> ArmShown:
    return ArmShown(share.of, share.did, share.rate, share.interval)


async def _page(request: Request, connection: Connection, of: Sequence[UUID] | None, present: UUID | None) -> DecisionList:
    limit = query.limit(request)
    found = await decided.page(
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
