"""Writes down every look at a customer: who, at what of him, and why; and answers it to admins. Reading order: note, why, router."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request, Response

from api import access, openapi, query
from api.access import Caller
from api.answers import json
from api.ports import Connection, Dependencies
from api.problem import invalid
from projections.view.table import Besides

LONGEST = 200

_NOTE = """
    INSERT INTO access.looks (who, key, role, customer_id, what, why)
    SELECT %(who)s, %(key)s, %(role)s, %(customer)s, %(what)s, %(why)s FROM set_config('synchronous_commit', 'off', true)
"""


class Look(msgspec.Struct, frozen=True):
    """Somebody looked at a customer."""

    id: int
    at: datetime
    who: str  # the label of his key, or its id
    key: UUID
    role: str
    customer_id: UUID
    what: str  # view, timeline, stream, page …
    why: str  # the call, the search, or what he said in the header Yekta-Reason


class Looks(msgspec.Struct, frozen=True):
    """Looks, the latest first."""

    items: list[Look]
    next: str | None = None


async def note(request: Request, connection: Connection, asking: Caller, customer: UUID, what: str) -> None:
    """Write a look down before it is answered: what cannot be written down is not shown.

    Its transaction must write nothing else: it does not wait for the disk (docs/decisions/0015).
    """
    await connection.execute(_NOTE, {"customer": customer, **_said(request, asking, what)})


async def note_all(request: Request, connection: Connection, asking: Caller, customers: Iterable[UUID], what: str) -> None:
    """The same of several customers at once."""
    every = f"{_NOTE.replace('%(customer)s', 'customer')}, unnest(%(customers)s::uuid[]) AS customer"
    await connection.execute(every, {"customers": list(customers), **_said(request, asking, what)})


def noting(request: Request, schema: str, asking: Caller, what: str) -> Besides:
    """What writes a look down with the very statement that reads the view (`projections.view.table.look`). Of nobody it writes nothing."""
    known = f"WHERE EXISTS (SELECT 1 FROM {schema}.view WHERE customer_id = %(customer)s)"
    return f"WITH noted AS ({_NOTE} {known})", _said(request, asking, what)


def _said(request: Request, asking: Caller, what: str) -> dict[str, Any]:
    return {"who": asking.name, "key": asking.key, "role": asking.role, "what": what, "why": why(request)}


def why(request: Request) -> str:
    """Why somebody looks, as far as the request says."""
    given = request.headers.get("yekta-reason", "")
    if not given:
        given = next((f"{name} {value}" for name in ("call", "by", "reason") if (value := request.query_params.get(name))), "")
    return "".join(sign for sign in given if sign.isprintable())[:LONGEST]


def router(dependencies: Dependencies) -> APIRouter:
    """The route of the access log."""
    routes = APIRouter(tags=["operations"])

    @routes.get(
        "/v1/access-log",
        openapi_extra=openapi.described(
            'curl -u "$ADMIN:" "$YEKTA/v1/access-log?customer=$CUSTOMER"',
            Looks,
            422,
            503,
            parameters=[
                openapi.parameter("customer", openapi.UUID, "Only looks at this customer."),
                openapi.parameter("who", openapi.TEXT, "Only looks of this person: the label of a key, or its id."),
                openapi.CURSOR,
                openapi.LIMIT,
            ],
        ),
    )
    async def access_log(request: Request) -> Response:
        """Who looked at which customer, at what of him, and why; the latest first."""
        access.staff(request, dependencies, access.ADMINS)
        async with dependencies.pool.connection() as connection:
            return json(await page(request, connection))

    return routes


async def page(request: Request, connection: Connection) -> Looks:
    """The looks that the query asks for."""
    limit = query.limit(request)
    where, values = ["true"], list[Any]()
    customer, who, cursor = query.text(request, "customer", 64), query.text(request, "who", 256), query.text(request, "cursor", 32)
    if customer is not None:
        try:
            values.append(UUID(customer))
        except ValueError as error:
            raise invalid("/query/customer", "This is no uuid.") from error
        where.append("customer_id = %s")
    if who:
        where.append("who = %s")
        values.append(who)
    if cursor:
        if not cursor.isascii() or not cursor.isdecimal() or len(cursor) > 18:
            raise invalid("/query/cursor", "This is no cursor that Yekta gave.", "Send `next` exactly as it was answered.")
        where.append("id < %s")
        values.append(int(cursor))
    found = await connection.execute(
        f"SELECT id, at, who, key, role, customer_id, what, why FROM access.looks WHERE {' AND '.join(where)} ORDER BY id DESC LIMIT %s",
        (*values, limit + 1),
    )
    items = [Look(*row) for row in await found.fetchall()]
    return Looks(items[:limit], str(items[limit - 1].id) if len(items) > limit else None)
