"""A customer's churn score with its reasons and history, and his value with its parts. Reading order: Scored, router, answer."""

from datetime import datetime
from typing import Literal

import msgspec
from fastapi import APIRouter, Request, Response

from api import access, customers, openapi, query
from api.answers import json, path_id
from api.ports import Dependencies
from api.problem import Problem
from api.visibility import settled
from projections.churn import reading as churn
from projections.churn import table
from projections.churn.reading import Point, Score
from projections.rows import Connection
from projections.value import reading as value
from projections.value.worth import Worth


class Because(msgspec.Struct, frozen=True):
    """One topic's part in a score: above 0 it speaks for leaving. All parts add up to the score's logit, all changes to its change."""

    topic: str
    part: float
    change: float  # since `change_since`
    fa: str
    en: str


class Was(msgspec.Struct, frozen=True):
    """A score of the past."""

    at: datetime
    score: float
    silent: bool  # given because nothing happened
    model: int | None  # the snapshot that it was given by; null: what the learner as it was on that day said


class Scored(msgspec.Struct, frozen=True):
    """What is said of a customer. While nobody's label is known yet the status is `learning`, and there is no score."""

    customer_id: str
    # outside: not in the population; unknown: nothing was bought yet; refused: the champion is not loaded, /v1/models/churn says why
    status: Literal["learning", "scored", "outside", "unknown", "refused"]
    name: str
    version: int | None
    horizon: int | None  # days ahead
    at: datetime | None  # the customer's now
    score: float | None  # the chance that he is lost within the horizon
    logit: float | None
    model: int | None
    trend: Literal["rising", "falling", "steady"] | None
    change_since: datetime | None
    score_then: float | None  # what the same model says of him as he was then
    reasons: list[Because]  # the weightiest first
    history: list[Was]
    value: Worth | None


DEFAULT = "churn"


def router(dependencies: Dependencies) -> APIRouter:
    """The route of scores."""
    routes = APIRouter(tags=["customers"])

    @routes.get(
        "/v1/customers/{id}/score",
        openapi_extra=openapi.described(
            'curl -u "$AGENT:" $YEKTA/v1/customers/$CUSTOMER/score',
            Scored,
            404,
            410,
            422,
            503,
            504,
            parameters=[
                customers.ID,
                openapi.parameter("name", openapi.TEXT, "Which model, when there are several; `churn` when absent."),
                openapi.parameter("since", openapi.TIME, "History from then on only."),
                openapi.AFTER,
            ],
        ),
    )
    async def score(request: Request) -> Response:
        """How likely the customer is lost, where that goes, why, and what he is worth; right at the moment it is asked."""
        access.staff(request, dependencies, access.INSIDE)
        customer = path_id(request)
        name, since = query.text(request, "name", 64) or DEFAULT, query.time(request, "since")
        await settled(request, dependencies)
        async with dependencies.pool.connection() as connection:
            schema = await dependencies.schema()
            owner = await customers.present(connection, schema, customer)
            now = dependencies.clock()
            said = await churn.told(connection, owner, now, dependencies.unsound, name)
            if said is None and name != DEFAULT:
                await _exists(connection, name)
            points = await churn.history(connection, owner, name, since=since)
            worth = await value.worth(connection, schema, owner, now)
        headers = {"Content-Location": f"/v1/customers/{owner}/score"} if owner != customer else None
        return json(answer(str(owner), name, said, points, worth), headers=headers)

    return routes


async def _exists(connection: Connection, name: str) -> None:
    """Raises a 404 problem where no model of this name is in force: a mistyped one would say nothing of anybody for ever."""
    names = sorted({one.definition.name for one in await table.in_force(connection) if one.stands == "in_force"})
    if name not in names:
        raise Problem(404, "not_found", f"No model is called {name!r}.", mend=f"Write one of: {', '.join(names)}.", pointer="/query/name")


def answer(customer: str, name: str, said: Score | None, points: list[Point], worth: Worth | None) -> Scored:
    """What is answered."""
    if said is None:
        return Scored(customer, "unknown", name, None, None, None, None, None, None, None, None, None, [], [], worth)
    return Scored(
        customer,
        said.status,
        name,
        said.definition.version,
        said.definition.horizon,
        said.at,
        said.score,
        said.logit,
        said.model,
        said.trend,
        said.since,
        said.before,
        [Because(reason.topic, reason.level, reason.change, reason.fa, reason.en) for reason in said.reasons],
        [Was(point.at, point.score, point.silent, point.model) for point in points],
        worth,
    )
