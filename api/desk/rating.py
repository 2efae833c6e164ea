"""Where a customer says how content he is: a page of his own without signing in, for one request, by the address he was sent.

A look at the page says nothing; only a press of a button does, so that whatever fetches links ahead rates nothing. Reading order: add.
"""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from aggregates.service_request import asking
from aggregates.service_request.deciding import Command
from api import requesting
from api.access import Caller
from api.answers import path_id
from api.desk.forms import form
from api.desk.rendering import page
from api.ports import Dependencies
from api.problem import Problem, not_found
from projections.service.table import Row

SCORES = (1, 2, 3, 4, 5)
NOBODY = UUID(int=0)
"""The key of somebody who has none."""


def add(routes: APIRouter, dependencies: Dependencies) -> None:
    """The routes of answering."""

    @routes.get("/rate/{id}/{signature}")
    async def asked(request: Request) -> Response:
        """The question."""
        row = await _opened(request, dependencies)
        may = row.request.state in ("resolved", "closed") and not row.request.cancelled
        return page(request, dependencies, "rating.html", scores=SCORES, chosen=row.request.score, may=may, thanks=False, visitor=None)

    @routes.post("/rate/{id}/{signature}")
    async def answered(request: Request) -> Response:
        """The answer is a fact of the request, and so of his timeline. Said twice it is the last that counts."""
        row, fields = await _opened(request, dependencies), await form(request)
        score = int(fields["score"]) if fields.get("score") in {str(one) for one in SCORES} else None
        customer = Caller(NOBODY, None, "agent", asking.CUSTOMER)
        command = Command(score=score, note=fields.get("note", "")[:1_000])
        status = 200
        try:
            await requesting.act(dependencies, customer, row.request.id, "rate", command, None)
        except Problem as problem:
            if problem.body.status not in {409, 422}:
                raise
            status = problem.body.status
        values = {"scores": SCORES, "chosen": score, "may": False, "thanks": status == 200, "visitor": None}
        return page(request, dependencies, "rating.html", status, **values)


async def _opened(request: Request, dependencies: Dependencies) -> Row:
    """The request that the address is for; of one that went with an erasure nothing is said to whoever has the address."""
    id_ = path_id(request)
    if asking.opens(id_, request.path_params["signature"], dependencies.secrets):
        try:
            async with dependencies.pool.connection() as connection:
                return await requesting.load(connection, id_)
        except Problem as problem:
            if problem.body.status not in {404, 410}:
                raise
    raise not_found("There is nothing to answer here.")
