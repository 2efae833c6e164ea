"""Who is who, and why: explained, decided by people, and taken back. Reading order: Merge, Split, router."""

from typing import Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request, Response

from api import access, body, customers, explaining, looks, openapi, query, uniting
from api.answers import json, path_id
from api.decoding import decoded
from api.explaining import Identity
from api.ports import Connection, Dependencies
from api.problem import Problem, invalid
from api.uniting import Divided, Merged, Named
from api.visibility import settled
from projections.identity import explaining as reading

DECIDERS: tuple[Any, ...] = ("agent", "supervisor", "admin")
"""Who may say that two customers are one, or one is two: each can be taken back."""


class MergeAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"others": "with"}):
    """With whom a customer is one."""

    others: UUID | list[UUID]
    reason: str = ""
    dry_run: bool = False


class SplitAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What goes: identifiers, or what one event tied to him. `stay` names from whom; without it, from those he became one with."""

    identifiers: list[Named] = []
    stay: list[Named] = []
    event: UUID | None = None
    reason: str = ""
    dry_run: bool = False


PREVIEW = openapi.parameter("preview", {"type": "boolean"}, "Only say what would come of it, as `dry_run` in the body.")
WHY = openapi.parameter("why", openapi.TEXT, "Two identifiers, `kind:value,kind:value`: the shortest chain of facts between them.")
MERGE = 'curl -u "$AGENT:" "$YEKTA/v1/customers/$CUSTOMER/merge?preview=true" -d \'{"with": "\'$OTHER\'", "reason": "one person"}\''
SPLIT = (
    'curl -u "$AGENT:" "$YEKTA/v1/customers/$CUSTOMER/split?preview=true"'
    ' -d \'{"identifiers": [{"kind": "phone", "value": "09121234567"}], "reason": "his brother"}\''
)


def router(dependencies: Dependencies) -> APIRouter:
    """The routes of identity."""
    routes = APIRouter(tags=["identity"])

    @routes.get(
        "/v1/customers/{id}/identity",
        openapi_extra=openapi.described(
            'curl -u "$AGENT:" "$YEKTA/v1/customers/$CUSTOMER/identity"',
            Identity,
            404,
            410,
            422,
            503,
            504,
            parameters=[customers.ID, WHY, openapi.AFTER],
        ),
    )
    async def identity(request: Request) -> Response:
        """Why a customer is one: his identifiers, the facts that tie them together, and how he came to be."""
        asking = access.staff(request, dependencies, access.INSIDE)
        asked = path_id(request)
        pair = query.text(request, "why", 2048)
        await settled(request, dependencies)
        async with dependencies.pool.connection() as connection:
            customer = await present(dependencies, connection, asked)
            await looks.note(request, connection, asking, customer, "identity")
            owned = [one.token for one in await reading.identifiers(connection, customer)]
            two = await _two(dependencies, connection, pair, owned) if pair is not None else None
            shown = await explaining.explained(dependencies, connection, customer, asking.role, two)
        if customer == asked:
            return json(shown)
        return json(msgspec.structs.replace(shown, merged_from=asked), headers={"Content-Location": f"/v1/customers/{customer}/identity"})

    @routes.post(
        "/v1/customers/{id}/merge",
        openapi_extra=openapi.described(
            MERGE,
            Merged,
            *openapi.BODY,
            404,
            409,
            410,
            503,
            504,
            parameters=[customers.ID, PREVIEW],
            body=openapi.json_body(MergeAsked, {"with": "6f1c1d3e-7a35-5d0e-9a53-7d1f3c6b2a10", "reason": "one person"}),
        ),
    )
    async def merge(request: Request) -> Response:
        """These customers are one. Whoever was founded first stays; the others' ids lead to him. It can be taken back by a split."""
        asking = access.staff(request, dependencies, DECIDERS)
        content = decoded(await body.read(request), MergeAsked)
        async with dependencies.pool.connection() as connection:
            them = [await present(dependencies, connection, path_id(request))]
            for other in content.others if isinstance(content.others, list) else [content.others]:
                them.append(await present(dependencies, connection, other, "/with"))
            them = list(dict.fromkeys(them))
            if len(them) < 2:
                raise Problem(409, "already_one", "They are one customer already.", pointer="/with")
            merged = await uniting.merge(
                dependencies, connection, asking, them, reason=content.reason, dry_run=_preview(request) or content.dry_run
            )
        return json(merged, headers={"Yekta-Position": merged.position} if merged.position else None)

    @routes.post(
        "/v1/customers/{id}/split",
        openapi_extra=openapi.described(
            SPLIT,
            Divided,
            *openapi.BODY,
            404,
            409,
            410,
            503,
            504,
            parameters=[customers.ID, PREVIEW],
            body=openapi.json_body(SplitAsked, {"identifiers": [{"kind": "phone", "value": "09121234567"}], "reason": "his brother"}),
        ),
    )
    async def split(request: Request) -> Response:
        """Some identifiers are another's: they go with the events they decided, and no evidence joins the two again."""
        asking = access.staff(request, dependencies, DECIDERS)
        content = decoded(await body.read(request), SplitAsked)
        async with dependencies.pool.connection() as connection:
            customer = await present(dependencies, connection, path_id(request))
            divided = await uniting.split(
                dependencies,
                connection,
                asking,
                customer,
                go=content.identifiers,
                stay=content.stay,
                event=content.event,
                reason=content.reason,
                dry_run=_preview(request) or content.dry_run,
            )
        return json(divided, headers={"Yekta-Position": divided.position} if divided.position else None)

    return routes


async def present(dependencies: Dependencies, connection: Connection, customer: UUID, pointer: str = "") -> UUID:
    """Who this customer is now. Raises a 410 problem when he was erased; else a 404 problem, or a 422 problem that points at him."""
    try:
        return await customers.present(connection, await dependencies.schema(), customer)
    except Problem as unknown:
        if pointer and unknown.body.status == 404:
            raise invalid(pointer, "No customer has this id.") from unknown
        raise


def _preview(request: Request) -> bool:
    asked = [query.choice(request, name, ("true", "false", "1", "0")) for name in ("preview", "dry_run")]
    return any(word in {"true", "1"} for word in asked)


async def _two(dependencies: Dependencies, connection: Connection, text: str, owned: list[Any]) -> tuple[Any, Any]:
    one, comma, other = text.partition(",")
    if not comma:
        raise invalid("/query/why", "Two identifiers are wanted.", "Write kind:value,kind:value.")
    return (
        await uniting.token_of(dependencies, connection, one.strip(), owned, "/query/why"),
        await uniting.token_of(dependencies, connection, other.strip(), owned, "/query/why"),
    )
