"""The contracts of the events, as JSON Schema and as an AsyncAPI document, for whoever connects a channel or reads the log."""

from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response

from aggregates.contracts import CONTRACTS, json_schema
from api import asyncapi, openapi
from api.answers import json
from api.ports import Dependencies
from api.problem import not_found

OBJECT = {"type": "object"}


class SchemaLink(msgspec.Struct, frozen=True):
    """A type of event and where its schema is."""

    type: str
    version: int
    versions: list[int]
    href: str


class SchemaList(msgspec.Struct, frozen=True):
    """All types of event that Yekta knows."""

    items: list[SchemaLink]
    next: str | None = None


def router(dependencies: Dependencies) -> APIRouter:
    """The routes of schemas; they need no key."""
    routes = APIRouter(tags=["schemas"])

    @routes.get("/v1/schemas", openapi_extra=openapi.described("curl $YEKTA/v1/schemas", SchemaList, public=True))
    async def list_schemas() -> Response:
        """The types of event that Yekta knows; an open source may send others too, which are kept as they are."""
        return json(SchemaList([_link(type_) for type_ in sorted(CONTRACTS)]))

    @routes.get(
        "/v1/schemas/{type}",
        openapi_extra=openapi.described(
            "curl $YEKTA/v1/schemas/sales.order_placed",
            OBJECT,
            404,
            public=True,
            media="application/schema+json",
            parameters=[openapi.parameter("type", openapi.TEXT, "The type of event.", where="path")],
        ),
    )
    async def newest_schema(request: Request) -> Response:
        """The JSON Schema of a type's `data`, newest version."""
        return _schema(request.path_params["type"], "0")

    @routes.get(
        "/v1/schemas/{type}/v{version}",
        openapi_extra=openapi.described(
            "curl $YEKTA/v1/schemas/call.ended/v1",
            OBJECT,
            404,
            public=True,
            media="application/schema+json",
            parameters=[
                openapi.parameter("type", openapi.TEXT, "The type of event.", where="path"),
                openapi.parameter("version", {"type": "integer"}, "The version.", where="path"),
            ],
        ),
    )
    async def one_schema(request: Request) -> Response:
        """The JSON Schema of a type's `data` in one version; what was sent in it is read as the newest."""
        return _schema(request.path_params["type"], request.path_params["version"])

    @routes.get("/asyncapi.json", openapi_extra=openapi.described("curl $YEKTA/asyncapi.json", OBJECT, public=True))
    async def asyncapi_document() -> Response:
        """The topics of the log, for who produces into it or subscribes to it."""
        return json(asyncapi.document(dependencies.topics))

    return routes


def _link(type_: str) -> SchemaLink:
    contract = CONTRACTS[type_]
    return SchemaLink(type_, contract.version, sorted({*contract.earlier, contract.version}), f"/v1/schemas/{type_}")


def _schema(type_: str, version: str) -> Response:
    try:
        found: dict[str, Any] = json_schema(type_, int(version))
    except (KeyError, ValueError) as error:
        raise not_found("There is no contract for this type and version.") from error
    return Response(msgspec.json.encode(found), media_type="application/schema+json")
