"""Published mappings of files: a newer one tries the refused rows of its imports again, and whoever imports next can name it.

Reading order: MappingShown, Publish, router, publish, checked.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request, Response

from aggregates.addressing import fits_an_address
from aggregates.decision import Decision, Overtaken
from aggregates.rows.mapping import of_plain, plain, read
from aggregates.touchpoint import derive
from api import access, body, cursor, openapi, position
from api.answers import json
from api.decoding import decoded
from api.ports import Dependencies
from api.problem import Problem, invalid, not_found
from api.replaying import Correction, Outcome, replay, totals
from projections.dead_letters import mappings, table
from projections.dead_letters.mappings import Published

AT_ONCE = 200
UNTOLD = "any.row"
"""A mapping need not say the type: its rows do."""


class MappingShown(msgspec.Struct):
    """A mapping in its version in force."""

    name: str
    version: int
    text: str  # YAML or JSON, as it was published
    published: datetime
    by: str


class MappingList(msgspec.Struct):
    """All published mappings, by name."""

    items: list[MappingShown]
    next: None = None


class Publish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mapping, and whether the refused rows of its imports are tried again."""

    mapping: dict[str, Any] | str
    replay: bool = True
    dry_run: bool = False  # say what would become of the rows; publish and send nothing


class PublishAnswer(msgspec.Struct):
    """The version that is in force now, and what became of the refused rows."""

    name: str
    version: int
    items: list[Outcome]
    counts: dict[str, int]
    dry_run: bool
    position: str
    next: str | None  # a cursor for POST /v1/dead-letters/replay, when there are more than 200


EXAMPLE: dict[str, Any] = {"mapping": {"columns": {"مبلغ": {"field": "total", "unit": "تومان"}}, "fixed": {"reseller": "novin"}}}
PUBLISH = """\
curl -u "$ADMIN:" $YEKTA/v1/mappings/novin -d '{
  "mapping": {"columns": {"مبلغ": {"field": "total", "unit": "تومان"}}, "fixed": {"reseller": "novin"}}}'"""
NAME = openapi.parameter("name", openapi.TEXT, "The mapping's name: what its text says, else the type of its rows.", where="path")


def router(dependencies: Dependencies) -> APIRouter:
    """The routes of mappings."""
    routes = APIRouter(tags=["imports"])

    @routes.get("/v1/mappings", openapi_extra=openapi.described('curl -u "$ADMIN:" $YEKTA/v1/mappings', MappingList, 503))
    async def list_mappings(request: Request) -> Response:
        """The mappings that were published."""
        access.staff(request, dependencies, access.OPERATORS)
        async with dependencies.pool.connection() as connection:
            found = await mappings.all_latest(connection)
        return json(MappingList([_shown(one) for one in found]))

    @routes.post(
        "/v1/mappings/{name}",
        openapi_extra=openapi.described(
            PUBLISH, PublishAnswer, *openapi.BODY, 404, 409, 503, parameters=[NAME], body=openapi.json_body(Publish, EXAMPLE)
        ),
    )
    async def publish_mapping(request: Request) -> Response:
        """Publish a mapping, and try the refused rows of the imports that used one of its name again."""
        asking = access.staff(request, dependencies, access.OPERATORS)
        name = _name(request)
        wanted = decoded(await body.read(request), Publish)
        given = checked(wanted.mapping)
        version = 0 if wanted.dry_run else await publish(dependencies, asking.key, name, wanted.mapping)
        outcomes: list[Outcome] = []
        ends: dict[int, int] = {}
        found: list[table.Letter] = []
        if wanted.replay or wanted.dry_run:
            async with dependencies.pool.connection() as connection:
                found = await table.page(connection, AT_ONCE + 1, status="open", mapping=name)
            outcomes, ends = await replay(dependencies, asking, found[:AT_ONCE], Correction(mapping=given), dry_run=wanted.dry_run)
        more = cursor.token(found[AT_ONCE - 1].recorded, found[AT_ONCE - 1].id) if len(found) > AT_ONCE else None
        at = position.token(ends)
        answer = PublishAnswer(name, version, outcomes, totals(outcomes), wanted.dry_run, at, more)
        return json(answer, headers={"Yekta-Position": at})

    @routes.get(
        "/v1/mappings/{name}",
        openapi_extra=openapi.described('curl -u "$ADMIN:" $YEKTA/v1/mappings/novin', MappingShown, 404, 503, parameters=[NAME]),
    )
    async def show_mapping(request: Request) -> Response:
        """A mapping in its version in force; a write key reads it too, to import by it."""
        asking = access.caller(request, dependencies)
        if asking.source is None:
            access.staff(request, dependencies, access.OPERATORS)
        async with dependencies.pool.connection() as connection:
            found = await mappings.latest(connection, _name(request))
        if found is None:
            raise not_found("No mapping of this name was published.")
        return json(_shown(found))

    return routes


def _name(request: Request) -> str:
    """The name in the path. Raises a 404 problem for what can name nothing."""
    name = str(request.path_params["name"])
    if not name.isprintable() or len(name) > 200:
        raise not_found("No mapping can have this name.")
    return name


async def publish(dependencies: Dependencies, by: UUID, name: str, given: dict[str, Any] | str) -> int:
    """Put a mapping in force; its version. Raises a 409 problem when another one was published at the same moment."""
    id_ = derive("mapping", name)
    before = await dependencies.decisions.load(id_)
    if not before and not fits_an_address(name, ("schema",)):
        raise invalid("/path/name", "No mapping would be found by this name: the address leads to something else.", "Choose another.")
    version = len(before) + 1
    text = given if isinstance(given, str) else msgspec.json.format(msgspec.json.encode(given), indent=2).decode()
    one = Published(name, version, text, dependencies.clock(), str(by))
    state = msgspec.json.encode({"name": name, "text": text, "by": str(by), "at": one.published})
    try:
        await dependencies.decisions.record([Decision(id_, version, "mapping.published", state)], also=[mappings.inserted(one)])
    except Overtaken as error:
        raise Problem(
            409, "overtaken", "Another version was published at the same moment.", mend="Look at it, then publish again."
        ) from error
    return version


def checked(given: dict[str, Any] | str) -> dict[str, Any]:
    """A mapping as values. Raises a 422 problem that says what is wrong in it, where, and how to mend it."""
    reading = read(given) if isinstance(given, str) else of_plain(given)
    if reading.mapping is None and all(problem.code == "missing" for problem in reading.problems):
        reading = read(given, UNTOLD) if isinstance(given, str) else of_plain(given, UNTOLD)
    if reading.mapping is None:
        problem = reading.problems[0]
        raise Problem(422, "wrong_mapping", problem.text(), pointer=f"/mapping{problem.pointer}", mend="See /v1/mappings/schema.")
    return dict(plain(given)) if isinstance(given, str) else given


def _shown(one: Published) -> MappingShown:
    return MappingShown(one.name, one.version, one.text, one.published, one.by)
