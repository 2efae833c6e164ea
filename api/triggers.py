"""Rules over HTTP: a text becomes a draft, a draft is published, paused, resumed, retired; and approved by
somebody else where the policy says so. docs/rules.md has the format and its meaning.

Reading order: TriggerShown, router, read.
"""

from datetime import datetime

import msgspec
from fastapi import APIRouter, Request, Response

from aggregates.declaration import State
from aggregates.rules import reading
from aggregates.rules.rule import Rule
from aggregates.rules.schema import json_schema
from api import access, body, declared, openapi
from api.answers import json
from api.declared import APPROVERS, LONGEST, READERS, WRITERS
from api.declaring import Declaring, unknown
from api.ports import Dependencies
from api.written import decoded, language, named, refused
from projections.declared import table
from projections.declared.table import Row

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
SORT = declared.Sort(
    "/v1/triggers",
    "trigger",
    "many-requests",
    EXAMPLE,
    AS_JSON,
    {
        "reject": "Send back what awaits approval: it is a draft again.",
        "publish": "Put the draft in force; the version before it only ends what it has begun. Answers when every partition of the log has"
        " heard of it. Where the contact policy says `approval: required`, what one wrote oneself only awaits approval by this.",
        "approve": "Publish what awaits a second person, as somebody who did not write it.",
        "pause": "Nobody is told and nobody is approached any more; the rule goes on watching.",
        "resume": "From now on people are told again; what was seen meanwhile is not made up for.",
        "retire": "End the rule, timers included; what was never published is thrown away.",
        "discard": "Throw the draft away; what is in force stays.",
    },
    {"approve": APPROVERS, "reject": APPROVERS},
)
NAME = openapi.parameter("name", openapi.TEXT, "The rule.", where="path")


class TriggerVersion(msgspec.Struct, frozen=True):
    """One version of a rule."""

    version: int
    state: State
    text: str
    by: str  # who brought it to this state, and when
    at: datetime
    written_by: str
    approved_by: str | None  # somebody else, where the contact policy wants that


class TriggerShown(msgspec.Struct, frozen=True):
    """A rule: the version that counts (in force, else the newest), and all there are, the newest first."""

    name: str
    version: int
    state: State
    text: str
    by: str
    at: datetime
    number: int  # of the latest decision about it
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
        openapi_extra=declared.drafting(SORT),
    )
    async def draft_trigger(request: Request) -> Response:
        """Write a rule, YAML or JSON, as a draft. A text that is wrong is refused with every mistake: line, pointer, nearest valid word."""
        asking = access.staff(request, dependencies, WRITERS)
        rule, text = read(await body.read(request, LONGEST), request, dependencies.zone)
        standing = await declaring.draft(rule.name, text, rule.version, asking, language(request))
        return json(await declared.answered(request, dependencies, "rule", standing), 201)

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
            raise unknown("rule", language(request))
        return json(shown(rows))

    declared.commands(routes, dependencies, declaring, SORT)
    return routes


def shown(rows: list[Row]) -> TriggerShown:
    """A rule as people see it."""
    now = declared.counting(rows)
    versions = [TriggerVersion(row.version, row.state, row.text, row.by, row.at, row.written_by, row.approved_by or None) for row in rows]
    number = max(row.number for row in rows)
    return TriggerShown(now.name, now.version, now.state, now.text, now.by, now.at, number, versions)


def read(content: bytes, request: Request, zone: str) -> tuple[Rule, str]:
    """The one rule of a body, and its text. Raises a problem that says everything that is wrong, in the reader's language."""
    text = decoded(content)
    found = reading.read_one(text, zone)
    if found.problems:
        raise refused(found.problems, language(request))
    return found.rules[0], text
