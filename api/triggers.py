"""Rules over HTTP: a text becomes a draft, a draft is published, paused, resumed, retired. docs/rules.md has the format and its meaning.

Reading order: TriggerShown, router, `_read`.
"""

from datetime import datetime
from typing import Literal

import msgspec
from fastapi import APIRouter, Request, Response

from aggregates.access import Role
from aggregates.declaration import VERBS, Verb
from aggregates.rules import reading
from aggregates.rules.rule import Rule
from aggregates.rules.schema import json_schema
from api import access, body, openapi
from api.answers import json
from api.declaring import Declaring, Standing
from api.ports import Dependencies
from api.problem import invalid, not_found
from api.written import decoded, language, named, refused
from projections.declared import table
from projections.declared.table import Row

WRITERS: tuple[Role, ...] = ("marketer", "admin")
READERS: tuple[Role, ...] = ("supervisor", "marketer", "analyst", "admin")

EXAMPLE = """\
rule: many-requests
when: {count: service.request_opened, more_than: 3, within: 30d}
do: {notify: team:retention}
cooldown: 30d
"""

AS_JSON = {
    "rule": "many-requests",
    "when": {"count": "service.request_opened", "more_than": 3, "within": "30d"},
    "do": {"notify": "team:retention"},
    "cooldown": "30d",
}
LONGEST = 256 << 10
"""Bytes of a text."""

NAME = openapi.parameter("name", openapi.TEXT, "The rule.", where="path")


class Trigger(msgspec.Struct, frozen=True):
    """A version of a rule, and how it stands."""

    name: str
    version: int
    state: Literal["draft", "published", "paused", "retired"]
    in_force: bool = False  # every partition of the log has heard of it


class TriggerVersion(msgspec.Struct, frozen=True):
    """One version of a rule."""

    version: int
    state: Literal["draft", "published", "paused", "retired"]
    text: str
    by: str
    at: datetime


class TriggerShown(msgspec.Struct, frozen=True):
    """A rule: the version that counts (in force, else the newest), and all there are, the newest first."""

    name: str
    version: int
    state: Literal["draft", "published", "paused", "retired"]
    text: str
    by: str
    at: datetime
    versions: list[TriggerVersion]


class TriggerList(msgspec.Struct, frozen=True):
    """All rules, by name."""

    items: list[TriggerShown]
    next: str | None = None


def router(dependencies: Dependencies) -> APIRouter:
    """The routes of rules."""
    routes = APIRouter(tags=["marketing"])
    declaring = Declaring(dependencies, "rule")

    @routes.post(
        "/v1/triggers",
        status_code=201,
        openapi_extra=openapi.described(
            f"curl -u \"$ADMIN:\" $YEKTA/v1/triggers -H 'content-type: application/yaml' -d '{EXAMPLE}'",
            Trigger,
            413,
            415,
            422,
            503,
            status=201,
            body={
                "required": True,
                "content": {
                    "application/yaml": {"schema": openapi.TEXT, "example": EXAMPLE},
                    "application/json": {"schema": {"type": "object"}, "example": AS_JSON},
                },
            },
        ),
    )
    async def draft_trigger(request: Request) -> Response:
        """Write a rule, YAML or JSON, as a draft. A text that is wrong is refused with every mistake: line, pointer, nearest valid word."""
        asking = access.staff(request, dependencies, WRITERS)
        rule, text = read(await body.read(request, LONGEST), request, dependencies.zone)
        return json(_answered(await declaring.draft(rule.name, text, rule.version, str(asking.key))), 201)

    @routes.get("/v1/triggers", openapi_extra=openapi.described('curl -u "$ADMIN:" $YEKTA/v1/triggers', TriggerList, 503))
    async def list_triggers(request: Request) -> Response:
        """All rules and their versions."""
        access.staff(request, dependencies, READERS)
        async with dependencies.pool.connection() as connection:
            found = await table.listed(connection, "rule")
        return json(TriggerList([shown(rows) for rows in found.values()]))

    @routes.get(
        "/v1/triggers/schema",
        openapi_extra=openapi.described("curl $YEKTA/v1/triggers/schema", {"type": "object"}, media="application/schema+json", public=True),
    )
    async def trigger_schema() -> Response:
        """The JSON Schema (2020-12) of rules."""
        return Response(msgspec.json.encode(json_schema()), media_type="application/schema+json")

    @routes.get(
        "/v1/triggers/{name}",
        openapi_extra=openapi.described('curl -u "$ADMIN:" $YEKTA/v1/triggers/many-requests', TriggerShown, 404, 503, parameters=[NAME]),
    )
    async def show_trigger(request: Request) -> Response:
        """One rule, with all its versions."""
        access.staff(request, dependencies, READERS)
        async with dependencies.pool.connection() as connection:
            rows = await table.one(connection, "rule", named(request))
        if not rows:
            raise not_found(f"There is no rule named {named(request)}.")
        return json(shown(rows))

    for verb in VERBS:
        _command(routes, dependencies, declaring, verb)
    return routes


WHAT = {
    "publish": "Put the draft in force; the version before it only ends what it has begun.",
    "pause": "Nobody is told and nobody is approached any more; the rule goes on watching.",
    "resume": "From now on people are told again; what was seen meanwhile is not made up for.",
    "retire": "End the rule, timers included.",
}


def _command(routes: APIRouter, dependencies: Dependencies, declaring: Declaring, verb: Verb) -> None:
    async def command(request: Request) -> Response:
        asking = access.staff(request, dependencies, WRITERS)
        return json(_answered(await declaring.command(named(request), verb, str(asking.key))))

    command.__doc__ = f"{WHAT[verb]} Answers when every partition of the log has heard of it."
    routes.add_api_route(
        f"/v1/triggers/{{name}}/{verb}",
        command,
        methods=["POST"],
        name=f"{verb}_trigger",
        openapi_extra=openapi.described(
            f'curl -u "$ADMIN:" -X POST $YEKTA/v1/triggers/many-requests/{verb}', Trigger, 404, 409, 503, parameters=[NAME]
        ),
    )


def shown(rows: list[Row]) -> TriggerShown:
    """A rule as people see it."""
    now = next((row for row in rows if row.state in ("published", "paused")), rows[0])
    versions = [TriggerVersion(row.version, row.state, row.text, row.by, row.at) for row in rows]  # type: ignore[arg-type]  # checked there
    return TriggerShown(now.name, now.version, now.state, now.text, now.by, now.at, versions)  # type: ignore[arg-type]  # checked there


def read(content: bytes, request: Request, zone: str) -> tuple[Rule, str]:
    """The one rule of a body, and its text. Raises a problem that says everything that is wrong, in the reader's language."""
    text = decoded(content)
    found = reading.read(text, zone)
    if found.problems:
        raise refused(found.problems, language(request))
    if len(found.rules) != 1:
        raise invalid("/", f"These are {len(found.rules)} rules.", "Send one at a time.")
    return found.rules[0], text


def _answered(standing: Standing) -> Trigger:
    return Trigger(standing.declaration.name, standing.version.version, standing.version.state, standing.in_force)
