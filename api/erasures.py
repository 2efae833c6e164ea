"""Erases customers for good, and shows the receipts: who did it, when, why, and how much it was. Nothing of a person is in them.

The decision is a touchpoint like any other; `resolve` does it, and what is left is ended in the background. Reading order: router, erase.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request, Response

from aggregates.identity import Erase
from api import access, body, cursor, customers, openapi, query, uniting
from api.access import Caller
from api.answers import json, path_id
from api.decoding import decoded
from api.ports import Dependencies
from api.problem import RECEIPTS, invalid, not_found, receipt_at
from projections.erasure import counting, table
from projections.identity import explaining

PATIENCE = 5.0
"""How long an answer waits for the decision to be done; it is done in any case."""

LOOK = 0.5
LONGEST = 500


class EraseAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why somebody is erased. It stays on the receipt: name a case, not a person."""

    why: str
    dry_run: bool = False


class Erasure(msgspec.Struct, frozen=True):
    """The receipt of an erasure."""

    id: UUID
    customer_id: UUID
    state: Literal["preview", "erasing", "done"]  # done: all of it is gone, the keys included
    at: datetime
    done_at: datetime | None
    by: str
    why: str
    events: int
    identifiers: int
    keys: int  # destroyed
    rows: Mapping[str, int]  # what was taken besides, by table
    position: str | None = None


class Erasures(msgspec.Struct, frozen=True):
    """Receipts, the latest first."""

    items: list[Erasure]
    next: str | None = None


ID = openapi.parameter("id", openapi.UUID, "The erasure.", where="path")
ERASE = 'curl -u "$ADMIN:" "$YEKTA/v1/customers/$CUSTOMER/erase" -d \'{"why": "case 2026-114", "dry_run": true}\''
NOBODY = UUID(int=0)


def router(dependencies: Dependencies) -> APIRouter:
    """The routes of erasures."""
    routes = APIRouter(tags=["erasures"])

    @routes.post(
        "/v1/customers/{id}/erase",
        openapi_extra=openapi.described(
            ERASE,
            Erasure,
            *openapi.BODY,
            404,
            503,
            parameters=[customers.ID],
            body=openapi.json_body(EraseAsked, {"why": "case 2026-114", "dry_run": True}),
        ),
    )
    async def erase_customer(request: Request) -> Response:
        """Forget a customer for good: his events, his views, whatever is kept of him, and the keys of what the log has. Nothing brings him
        back. Asked again it answers the same receipt."""
        asking = access.staff(request, dependencies, access.ADMINS)
        asked = decoded(await body.read(request), EraseAsked)
        if not asked.why.strip() or len(asked.why) > LONGEST:
            raise invalid("/why", f"Say why, in at most {LONGEST} characters.", "Name a case, not a person: it stays on the receipt.")
        receipt = await erase(dependencies, asking, path_id(request), asked.why.strip(), dry_run=asked.dry_run)
        headers = {"Location": receipt_at(receipt.id)} if not asked.dry_run else {}
        return json(receipt, headers=headers | ({"Yekta-Position": receipt.position} if receipt.position else {}))

    @routes.get(
        RECEIPTS,
        openapi_extra=openapi.described(
            f'curl -u "$ADMIN:" $YEKTA{RECEIPTS}', Erasures, 422, 503, parameters=[openapi.CURSOR, openapi.LIMIT]
        ),
    )
    async def list_erasures(request: Request) -> Response:
        """The receipts of erasures, the latest first."""
        access.staff(request, dependencies, access.OPERATORS)
        limit, before = query.limit(request), cursor.place(query.text(request, "cursor"))
        async with dependencies.pool.connection() as connection:
            found = await table.receipts(connection, before, limit + 1)
        following = cursor.token(found[limit - 1].at, found[limit - 1].id) if len(found) > limit else None
        return json(Erasures([shown(one) for one in found[:limit]], following))

    @routes.get(
        receipt_at("{id}"),
        openapi_extra=openapi.described(f'curl -u "$ADMIN:" $YEKTA{receipt_at("$ERASURE")}', Erasure, 404, 503, parameters=[ID]),
    )
    async def one_erasure(request: Request) -> Response:
        """The receipt of an erasure: who, when, why and how much, and whether it is done."""
        access.staff(request, dependencies, access.OPERATORS)
        async with dependencies.pool.connection() as connection:
            found = await table.receipt(connection, path_id(request))
        if found is None:
            raise not_found("No erasure has this id.")
        return json(shown(found))

    return routes


def shown(receipt: table.Receipt, position: str | None = None) -> Erasure:
    """A receipt, to be answered."""
    return Erasure(
        receipt.id,
        receipt.customer_id,
        "erasing" if receipt.done_at is None else "done",
        receipt.at,
        receipt.done_at,
        receipt.by,
        receipt.why,
        receipt.events,
        receipt.identifiers,
        receipt.keys,
        receipt.counts,
        position,
    )


async def erase(dependencies: Dependencies, asking: Caller, asked: UUID, why: str, *, dry_run: bool = False) -> Erasure:
    """Have this customer erased, or whom he became; with `dry_run` only say what would go. Raises a 404 problem when there is nobody."""
    now, by = dependencies.clock(), asking.name or str(asking.key)
    async with dependencies.pool.connection() as connection:
        erased = await table.erased(connection, [asked])
        if erased:
            receipt = await table.receipt(connection, erased[asked])
            assert receipt is not None  # noqa: S101 - receipts are never deleted
            return shown(receipt)
        schema = await dependencies.schema()
        customer = await customers.present(connection, schema, asked)
        held = await explaining.identifiers(connection, customer)
        if dry_run:
            count = await counting.count(connection, schema, customer, [one.token for one in held])
            return Erasure(NOBODY, customer, "preview", now, None, by, why, count.events, len(held), count.keys, count.rows)
    decision = Erase(by=by, at=now, customer=customer, his=tuple(one.token for one in held))
    event, at = await uniting.say(dependencies, decision, why)
    receipt = await _decided(dependencies, event)
    if receipt is not None:
        return shown(receipt, at)
    return Erasure(event, customer, "erasing", now, None, by, why, 0, 0, 0, {}, at)


async def _decided(dependencies: Dependencies, event: UUID) -> table.Receipt | None:
    """The receipt, once the decision is done; None when that takes too long."""
    clock = asyncio.get_running_loop().time
    until, version = clock() + PATIENCE, dependencies.changes.version
    while True:
        async with dependencies.pool.connection() as connection:
            receipt = await table.receipt(connection, event)
        if receipt is not None or clock() >= until:
            return receipt
        version = await dependencies.changes.changed(version, LOOK)
