"""The routes that rules and segments have in common: a text becomes a draft, and a route for each command.

Reading order: Declared, drafting, commands, answered.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response
from msgspec import UNSET, UnsetType

from aggregates.access import Role
from aggregates.declaration import OPEN, Kind, State, Verb
from api import access, openapi, query
from api.answers import json
from api.declaring import Declaring, Standing
from api.hints import of as of_text
from api.ports import Dependencies
from api.problem import Mistake
from api.written import language, named
from projections.declared.table import Row

WRITERS: tuple[Role, ...] = ("marketer", "admin")
APPROVERS: tuple[Role, ...] = ("marketer", "supervisor", "admin")
READERS: tuple[Role, ...] = ("supervisor", "marketer", "analyst", "admin")
LONGEST = 256 << 10
"""Bytes of a text."""

SEEN = openapi.parameter(
    "number", {"type": "integer", "minimum": 1}, "What you looked at, by its `number`: 409 when somebody changed it since."
)


SEEING: tuple[Verb, ...] = ("approve", "discard")
"""What is done to a text, which should be the one that was looked at."""


class Declared(msgspec.Struct, frozen=True):
    """A version of a rule or a segment, and how it stands."""

    name: str
    version: int
    state: State
    in_force: bool = False  # every partition of the log has heard of it
    hints: tuple[Mistake, ...] | UnsetType = UNSET  # what may stand in the text, and is perhaps not meant so


@dataclass(frozen=True, slots=True)
class Sort:
    """What is declared at an address, with an example of it."""

    path: str  # /v1/triggers
    noun: str  # trigger, in the names of operations
    name: str  # of the example
    yaml: str
    json: Mapping[str, Any]
    says: Mapping[Verb, str]  # the commands that it knows, and what each does
    allows: Mapping[Verb, tuple[Role, ...]]


def drafting(sort: Sort) -> dict[str, Any]:
    """The route by which a text becomes a draft, as the document has it."""
    return openapi.described(
        f"curl -u \"$ADMIN:\" $YEKTA{sort.path} -H 'content-type: application/yaml' -d '{sort.yaml}'",
        Declared,
        413,
        415,
        422,
        503,
        status=201,
        body={
            "required": True,
            "content": {
                "application/yaml": {"schema": openapi.TEXT, "example": sort.yaml},
                "application/json": {"schema": {"type": "object"}, "example": dict(sort.json)},
            },
        },
    )


def commands(routes: APIRouter, dependencies: Dependencies, declaring: Declaring, sort: Sort) -> None:
    """A route for each command."""
    for verb in sort.says:
        _command(routes, dependencies, declaring, sort, verb)


def _command(routes: APIRouter, dependencies: Dependencies, declaring: Declaring, sort: Sort, verb: Verb) -> None:
    async def command(request: Request) -> Response:
        asking = access.staff(request, dependencies, sort.allows.get(verb, WRITERS))
        seen = query.whole(request, "number") if verb in SEEING else None
        standing = await declaring.command(named(request), verb, asking, seen, language(request))
        return json(await answered(request, dependencies, declaring.kind, standing, hints=verb in ("publish", "approve")))

    command.__doc__ = sort.says[verb]
    parameters = [openapi.parameter("name", openapi.TEXT, f"The {sort.noun}.", where="path"), *([SEEN] if verb in SEEING else [])]
    routes.add_api_route(
        f"{sort.path}/{{name}}/{verb}",
        command,
        methods=["POST"],
        name=f"{verb}_{sort.noun}",
        openapi_extra=openapi.described(
            f'curl -u "$ADMIN:" -X POST $YEKTA{sort.path}/{sort.name}/{verb}',
            Declared,
            *(404, 409, *((422,) if verb in SEEING else ()), 503),
            parameters=parameters,
        ),
    )


async def answered(request: Request, dependencies: Dependencies, kind: Kind, standing: Standing, *, hints: bool = True) -> Declared:
    """How something stands, as an answer, with the hints about its text."""
    found = tuple[Mistake, ...]()
    if hints:
        async with dependencies.pool.connection() as connection:
            found = await of_text(dependencies, connection, kind, standing.version.text, language(request))
    return Declared(standing.declaration.name, standing.version.version, standing.version.state, standing.in_force, found or UNSET)


def counting(rows: Sequence[Row]) -> Row:
    """The version that counts: in force, else the newest."""
    return next((row for row in rows if row.state in ("published", "paused")), rows[0])


def newest(rows: Sequence[Row]) -> Row:
    """The version whose text somebody works on: the draft, else the one that counts."""
    return rows[0] if rows[0].state in OPEN else counting(rows)
