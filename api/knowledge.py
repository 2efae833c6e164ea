"""Articles and scripts over HTTP: written by supervisors, found by agents. Every writing is a version.

Reading order: router, shown.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID, uuid4

import msgspec
from fastapi import APIRouter, Request, Response
from msgspec import Meta

from aggregates.addressing import fits_an_address
from aggregates.knowledge import changes
from aggregates.knowledge import script as scripts
from aggregates.knowledge import writing as knowledge
from aggregates.knowledge.script import Script
from aggregates.knowledge.writing import Article, Content, ScriptWritten, Written
from api import access, body, openapi, query, writing
from api.answers import json, path_id
from api.decoding import decoded
from api.ports import Dependencies
from api.problem import invalid, not_found
from projections.knowledge import table


class NewArticle(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An article; one with the id of another is its next version."""

    title: Annotated[str, Meta(min_length=1, max_length=256, pattern=r"\S")]
    body: Annotated[str, Meta(min_length=1, max_length=50_000)]
    category: Annotated[str, Meta(max_length=256)] = ""
    id: UUID | None = None
    version: int | None = None  # the one you changed: 409 when somebody wrote another since


class NewScript(Script, frozen=True, forbid_unknown_fields=True):
    """A script; one with the name of another is its next version."""

    version: int | None = None  # the one you changed: 409 when somebody wrote another since


class ArticleShown(msgspec.Struct, frozen=True):
    """An article, and how many requests it resolved."""

    id: UUID
    title: str
    body: str
    category: str
    resolved: int
    version: int
    by: str
    at: datetime


class Articles(msgspec.Struct, frozen=True):
    """Articles, the best first."""

    items: list[ArticleShown]
    next: str | None = None


class ScriptShown(Script, frozen=True):
    """A script. Whoever is in the middle of it goes on with the version that he began."""

    version: int = 0


class Scripts(msgspec.Struct, frozen=True):
    """Scripts by title."""

    items: list[ScriptShown]
    next: str | None = None


class ChangeShown(msgspec.Struct, frozen=True):
    """A line that came or went."""

    change: Literal["added", "removed"]
    text: str


class VersionShown(msgspec.Struct, frozen=True):
    """Who wrote a version, when, and what it changed."""

    version: int
    at: datetime
    by: str
    restored: int | None  # the version that it says again
    changes: list[ChangeShown]


class Versions(msgspec.Struct, frozen=True):
    """All versions, the newest first."""

    items: list[VersionShown]
    next: str | None = None


class Restoring(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which version comes back."""

    version: Annotated[int, Meta(ge=1)]


SCRIPT = {
    "name": "late-parcel",
    "title": "Late parcel",
    "for_reason": "delivery",
    "steps": [
        {"id": "ask", "say": "Which order is it?", "answers": [{"text": "Knows the number", "next": "look"}, {"text": "Does not"}]},
        {"id": "look", "say": "It left us yesterday."},
    ],
}


ARTICLE = openapi.parameter("id", openapi.UUID, "The article.", where="path")
VERSION = openapi.parameter("version", {"type": "integer", "minimum": 1}, "This version; the newest, if absent.")
SCRIPT_NAME = openapi.parameter("name", openapi.TEXT, "The script.", where="path")


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
            *(400, 409, 413, 415, 422, 503),
            status=201,
            body=openapi.json_body(NewArticle, {"title": "Late parcels", "body": "Ask the carrier first."}),
        ),
    )
    async def write_article(request: Request) -> Response:
        """Write a version of an article. `POST /v1/service-requests/{id}/resolve` with its `article_id` counts what it resolved."""
        asking = access.staff(request, dependencies, access.OPERATORS)
        wanted = decoded(await body.read(request), NewArticle)
        id_, content = wanted.id or uuid4(), Article(wanted.title, wanted.body, wanted.category)
        _speakable("/body", content)
        await writing.record(
            dependencies, "article", str(id_), lambda before, at: knowledge.write(before, content, at, asking.name, wanted.version)
        )
        return json(await _article(dependencies, id_), 201)

    @routes.get(
        "/v1/articles/{id}",
        openapi_extra=openapi.described('curl -u "$AGENT:" $YEKTA/v1/articles/$ARTICLE', ArticleShown, 404, 503, parameters=[ARTICLE]),
    )
    async def read_article(request: Request) -> Response:
        """The newest version of an article."""
        access.staff(request, dependencies, access.INSIDE)
        return json(await _article(dependencies, path_id(request)))

    @routes.get(
        "/v1/articles/{id}/versions",
        openapi_extra=openapi.described('curl -u "$AGENT:" $YEKTA/v1/articles/$ARTICLE/versions', Versions, 404, 503, parameters=[ARTICLE]),
    )
    async def article_versions(request: Request) -> Response:
        """Who changed what of an article when."""
        access.staff(request, dependencies, access.INSIDE)
        return json(await _versions(dependencies, "article", str(path_id(request))))

    @routes.post(
        "/v1/articles/{id}/restore",
        openapi_extra=openapi.described(
            """curl -u "$ADMIN:" $YEKTA/v1/articles/$ARTICLE/restore -d '{"version": 1}'""",
            ArticleShown,
            *(400, 404, 409, 413, 415, 422, 503),
            parameters=[ARTICLE],
            body=openapi.json_body(Restoring, {"version": 1}),
        ),
    )
    async def restore_article(request: Request) -> Response:
        """An older version of an article comes back, as a new one."""
        asking = access.staff(request, dependencies, access.OPERATORS)
        id_, wanted = path_id(request), decoded(await body.read(request), Restoring)
        await writing.restored(dependencies, "article", str(id_), wanted.version, asking.name)
        return json(await _article(dependencies, id_))

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
            found = await table.scripts(connection, reason=reason, offer=offer)
        return json(Scripts([_script(*standing) for standing in found]))

    @routes.post(
        "/v1/scripts",
        status_code=201,
        openapi_extra=openapi.described(
            f"""curl -u "$ADMIN:" $YEKTA/v1/scripts -d '{msgspec.json.encode(SCRIPT).decode()}'""",
            ScriptShown,
            *(400, 409, 413, 415, 422, 503),
            status=201,
            body=openapi.json_body(NewScript, SCRIPT),
        ),
    )
    async def write_script(request: Request) -> Response:
        """Write a version of a script."""
        asking = access.staff(request, dependencies, access.SCRIPTWRITERS)
        wanted = decoded(await body.read(request), NewScript)
        script = Script(**{name: getattr(wanted, name) for name in Script.__struct_fields__})
        if not fits_an_address(script.name):
            raise invalid("/name", "No script would be found by this name: clients take it out of addresses.", "Choose another.")
        if why := scripts.wrong(script):
            raise invalid("/steps", why)
        _speakable("/steps", script)
        newest = await writing.record(
            dependencies, "script", script.name, lambda before, at: knowledge.write(before, script, at, asking.name, wanted.version)
        )
        return json(_script(script, newest.version), 201)

    @routes.get(
        "/v1/scripts/{name}",
        openapi_extra=openapi.described(
            'curl -u "$AGENT:" "$YEKTA/v1/scripts/late-parcel?version=1"',
            ScriptShown,
            *(404, 422, 503),
            parameters=[SCRIPT_NAME, VERSION],
        ),
    )
    async def read_script(request: Request) -> Response:
        """A script, as it is now or as it was when a conversation began."""
        access.staff(request, dependencies, access.INSIDE)
        found = await writing.script(dependencies, request.path_params["name"], query.whole(request, "version"))
        if found is None:
            raise not_found("There is no such script, or no such version of it.")
        return json(_script(*found))

    @routes.get(
        "/v1/scripts/{name}/versions",
        openapi_extra=openapi.described(
            'curl -u "$AGENT:" $YEKTA/v1/scripts/late-parcel/versions', Versions, 404, 503, parameters=[SCRIPT_NAME]
        ),
    )
    async def script_versions(request: Request) -> Response:
        """Who changed what of a script when."""
        access.staff(request, dependencies, access.INSIDE)
        return json(await _versions(dependencies, "script", request.path_params["name"]))

    @routes.post(
        "/v1/scripts/{name}/restore",
        openapi_extra=openapi.described(
            """curl -u "$ADMIN:" $YEKTA/v1/scripts/late-parcel/restore -d '{"version": 1}'""",
            ScriptShown,
            *(400, 404, 409, 413, 415, 422, 503),
            parameters=[SCRIPT_NAME],
            body=openapi.json_body(Restoring, {"version": 1}),
        ),
    )
    async def restore_script(request: Request) -> Response:
        """An older version of a script comes back, as a new one."""
        asking = access.staff(request, dependencies, access.SCRIPTWRITERS)
        wanted = decoded(await body.read(request), Restoring)
        newest = await writing.restored(dependencies, "script", request.path_params["name"], wanted.version, asking.name)
        assert isinstance(newest.written, ScriptWritten)  # noqa: S101 - only scripts are kept under a script's id
        return json(_script(newest.written.content, newest.version))

    return routes


async def _article(dependencies: Dependencies, id_: UUID) -> ArticleShown:
    async with dependencies.pool.connection() as connection:
        found = await table.article(connection, id_)
    if found is None:
        raise not_found("There is no such article.")
    return ArticleShown(*found)


def _script(script: Script, version: int) -> ScriptShown:
    return ScriptShown(**{name: getattr(script, name) for name in Script.__struct_fields__}, version=version)


async def _versions(dependencies: Dependencies, kind: str, name: str) -> Versions:
    found = await writing.versions(dependencies, kind, name)
    if not found:
        raise not_found(f"There is no such {kind}.")
    return Versions([shown(found, number) for number in range(len(found), 0, -1)])


def shown(versions: Sequence[Written], number: int) -> VersionShown:
    """A version among the others."""
    written, before = versions[number - 1], versions[number - 2].content if number > 1 else None
    lines = [ChangeShown(*line) for line in changes.changes(before, written.content)]
    return VersionShown(number, written.at, written.by, written.restored or None, lines)


def _speakable(pointer: str, content: Content) -> None:
    """Raises a 422 problem for what PostgreSQL cannot keep."""
    if "\0" in "".join(changes.lines(content)):
        raise invalid(pointer, "There is a character in it that nobody writes.")
