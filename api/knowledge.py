"""Articles and scripts over HTTP: written by supervisors, found by agents. Reading order: router."""

from typing import Annotated
from uuid import UUID, uuid4

import msgspec
from fastapi import APIRouter, Request, Response
from msgspec import Meta

from aggregates.knowledge import script as scripts
from aggregates.knowledge.script import Script
from api import access, body, openapi, query
from api.answers import json
from api.decoding import decoded
from api.ports import Dependencies
from api.problem import invalid
from projections.knowledge import table
from projections.knowledge.table import Article


class NewArticle(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An article; one with the id of another takes its place."""

    title: Annotated[str, Meta(min_length=1, max_length=256)]
    body: Annotated[str, Meta(min_length=1, max_length=50_000)]
    category: Annotated[str, Meta(max_length=256)] = ""
    id: UUID | None = None


class ArticleShown(msgspec.Struct, frozen=True):
    """An article, and how many requests it resolved."""

    id: UUID
    title: str
    body: str
    category: str
    resolved: int


class Articles(msgspec.Struct, frozen=True):
    """Articles, the best first."""

    items: list[ArticleShown]
    next: str | None = None


class Scripts(msgspec.Struct, frozen=True):
    """Scripts by title."""

    items: list[Script]
    next: str | None = None


SCRIPT = {
    "name": "late-parcel",
    "title": "Late parcel",
    "for_reason": "delivery",
    "steps": [
        {"id": "ask", "say": "Which order is it?", "answers": [{"text": "Knows the number", "next": "look"}, {"text": "Does not"}]},
        {"id": "look", "say": "It left us yesterday."},
    ],
}


def router(dependencies: Dependencies) -> APIRouter:
    """The routes of articles and scripts."""
    routes = APIRouter(tags=["service"])

    @routes.get(
        "/v1/articles",
        openapi_extra=openapi.described(
            'curl -u "$AGENT:" "$YEKTA/v1/articles?q=parcel"',
            Articles,
            422,
            503,
            parameters=[openapi.parameter("q", openapi.TEXT, "Words; without any, those changed last."), openapi.LIMIT],
        ),
    )
    async def list_articles(request: Request) -> Response:
        """Articles by their words, in any Persian or English spelling and with any ending."""
        access.staff(request, dependencies, access.INSIDE)
        words, limit = query.text(request, "q", 200) or "", query.limit(request)
        async with dependencies.pool.connection() as connection:
            found = await table.search(connection, words, limit) if words.strip() else await table.newest(connection, limit)
        return json(Articles([ArticleShown(*article) for article in found]))

    @routes.post(
        "/v1/articles",
        status_code=201,
        openapi_extra=openapi.described(
            """curl -u "$ADMIN:" $YEKTA/v1/articles -d '{"title": "Late parcels", "body": "Ask the carrier first."}'""",
            ArticleShown,
            400,
            413,
            415,
            422,
            503,
            status=201,
            body=openapi.json_body(NewArticle, {"title": "Late parcels", "body": "Ask the carrier first."}),
        ),
    )
    async def write_article(request: Request) -> Response:
        """Write an article. `POST /v1/service-requests/{id}/resolve` with its `article_id` counts what it resolved."""
        asking = access.staff(request, dependencies, access.OPERATORS)
        wanted = decoded(await body.read(request), NewArticle)
        article = Article(wanted.id or uuid4(), wanted.title, wanted.body, wanted.category, 0)
        if "\0" in wanted.title + wanted.body + wanted.category:
            raise invalid("/body", "There is a character in it that nobody writes.")
        async with dependencies.pool.connection() as connection:
            await table.write(connection, article, asking.name)
        return json(ArticleShown(*article), 201)

    @routes.get(
        "/v1/scripts",
        openapi_extra=openapi.described(
            'curl -u "$AGENT:" "$YEKTA/v1/scripts?reason=delivery"',
            Scripts,
            422,
            503,
            parameters=[
                openapi.parameter("reason", openapi.TEXT, "Only those for this reason of calls."),
                openapi.parameter("offer", openapi.TEXT, "Only those for this offer."),
            ],
        ),
    )
    async def list_scripts(request: Request) -> Response:
        """Scripts, with their steps and where each answer leads."""
        access.staff(request, dependencies, access.INSIDE)
        reason, offer = query.text(request, "reason", 256), query.text(request, "offer", 256)
        async with dependencies.pool.connection() as connection:
            return json(Scripts(await table.scripts(connection, reason=reason, offer=offer)))

    @routes.post(
        "/v1/scripts",
        status_code=201,
        openapi_extra=openapi.described(
            f"""curl -u "$ADMIN:" $YEKTA/v1/scripts -d '{msgspec.json.encode(SCRIPT).decode()}'""",
            Script,
            400,
            413,
            415,
            422,
            503,
            status=201,
            body=openapi.json_body(Script, SCRIPT),
        ),
    )
    async def write_script(request: Request) -> Response:
        """Write a script; one of the same name is replaced."""
        asking = access.staff(request, dependencies, access.OPERATORS)
        wanted = decoded(await body.read(request), Script)
        if why := scripts.wrong(wanted):
            raise invalid("/steps", why)
        if "\0" in msgspec.json.encode(wanted).decode() or "\\u0000" in msgspec.json.encode(wanted).decode():
            raise invalid("/steps", "There is a character in it that nobody writes.")
        async with dependencies.pool.connection() as connection:
            await table.put_script(connection, wanted, asking.name)
        return json(wanted, 201)

    return routes
