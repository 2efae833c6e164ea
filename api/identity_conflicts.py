"""Conflicts of identity over HTTP: what the rules did not join waits here, and a person says whether it is one or two.

Reading order: ConflictShown, router, decide.
"""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request, Response

from aggregates.identifier import Token, kind_of
from aggregates.identity import Merge, Split
from api import access, cursor, deciding, looks, masks, openapi, query, uniting
from api.access import Caller
from api.answers import json, path_id
from api.ports import Connection, Dependencies
from api.problem import Problem, not_found
from api.visibility import settled
from projections.identity import conflicts as table
from projections.identity import table as identity
from projections.identity.conflicts import Conflict
from projections.view import table as views
from projections.view.precedence import believed
from projections.view.traits import name_of


class Party(msgspec.Struct, frozen=True):
    """One of the identifiers that were not joined, and whose it is."""

    id: str
    kind: str
    value: str | None
    customer_id: UUID | None
    name: str


class ConflictShown(msgspec.Struct, frozen=True):
    """Identifiers that were met together and are not one customer's."""

    id: UUID
    reason: str  # `merge: …` two customers would have become one · `link: …` one would have got an identifier too many
    parties: list[Party]
    times: int
    first_at: datetime
    last_at: datetime
    event_id: UUID  # the last that brought it up
    status: Literal["open", "merged", "kept_apart"]


class Conflicts(msgspec.Struct, frozen=True):
    """Conflicts, those met last first."""

    items: list[ConflictShown]
    next: str | None = None


ID = openapi.parameter("id", openapi.UUID, "The conflict.", where="path")
STATUS = openapi.parameter("status", {"type": "string", "enum": ["open", "decided"]}, "Those that wait (the default), or those decided.")


def router(dependencies: Dependencies) -> APIRouter:
    """The routes of conflicts."""
    routes = APIRouter(tags=["identity"])

    @routes.get(
        "/v1/identity/conflicts",
        openapi_extra=openapi.described(
            'curl -u "$AGENT:" "$YEKTA/v1/identity/conflicts?limit=20"',
            Conflicts,
            422,
            503,
            504,
            parameters=[STATUS, openapi.CURSOR, openapi.LIMIT, openapi.AFTER],
        ),
    )
    async def listed(request: Request) -> Response:
        """What the rules did not join, and a person may."""
        asking = access.staff(request, dependencies, access.INSIDE)
        await settled(request, dependencies)
        limit = query.limit(request)
        decided = query.choice(request, "status", ("open", "decided")) == "decided"
        async with dependencies.pool.connection() as connection:
            found = await table.page(connection, limit + 1, decided=decided, after=cursor.place(query.text(request, "cursor")))
            items = await shown(dependencies, connection, found[:limit], asking.role)
            await looks.note_all(request, connection, asking, customers(items), "identity")
        following = cursor.token(found[limit - 1].last_at, found[limit - 1].id) if len(found) > limit else None
        return json(Conflicts(items, following))

    async def answer(request: Request, verb: str) -> Response:
        async def decided(connection: Connection, asking: Caller, reason: str) -> tuple[UUID, str]:
            return await decide(dependencies, connection, asking, path_id(request), verb, reason)

        return await deciding.answer(request, dependencies, decided)

    @routes.post(
        "/v1/identity/conflicts/{id}/merge", openapi_extra=deciding.described("/v1/identity/conflicts/$CONFLICT/merge", ID, "a brother")
    )
    async def merge_conflict(request: Request) -> Response:
        """They are one, whatever the limits say."""
        return await answer(request, "merge")

    @routes.post(
        "/v1/identity/conflicts/{id}/keep-apart",
        openapi_extra=deciding.described("/v1/identity/conflicts/$CONFLICT_2/keep-apart", ID, "a brother"),
    )
    async def keep_apart(request: Request) -> Response:
        """They are two, and nobody is asked again."""
        return await answer(request, "keep-apart")

    return routes


async def decide(dependencies: Dependencies, connection: Connection, asking: Caller, id_: UUID, verb: str, reason: str) -> tuple[UUID, str]:
    """Answer a conflict: the event id of the decision, and the position to wait for. Raises problems."""
    conflict = await table.one(connection, id_)
    if conflict is None:
        raise not_found("No conflict has this id.")
    if conflict.decided_by is not None:
        raise Problem(409, "already_decided", f"It was decided already: {conflict.decision}.", mend="Merge or split the customers instead.")
    tokens = tuple(Token(token) for token in conflict.tokens)
    by, at = asking.name or str(asking.key), dependencies.clock()
    decision: Merge | Split = (
        Merge(by=by, at=at, conflict=str(id_), join=tokens)
        if verb == "merge"
        else Split(by=by, at=at, conflict=str(id_), go=tokens[1:], stay=tokens[:1])
    )
    return await uniting.say(dependencies, decision, reason)


async def shown(dependencies: Dependencies, connection: Connection, found: list[Conflict], role: str) -> list[ConflictShown]:
    """Conflicts as this role may see them."""
    owners = await identity.owners(connection, [Token(token) for one in found for token in one.tokens])
    states = await views.load(connection, await dependencies.schema(), set(owners.values()))
    rules = await views.rules(connection)

    def party(token: str) -> Party:
        owner = owners.get(Token(token))
        state = states.get(owner) if owner else None
        point = state.contacts.points.get(Token(token)) if state else None
        value = point.value if point else None
        kind = kind_of(Token(token))
        if role not in masks.UNMASKED and kind == "phone":
            value = masks.masked(value)
        return Party(token, kind, value, owner, name_of(believed(state.traits, rules)).display if state else "")

    return [
        ConflictShown(
            one.id,
            one.reason,
            [party(token) for token in one.tokens],
            one.times,
            one.first_at,
            one.last_at,
            one.last_event,
            "open" if one.decided_by is None else "merged" if one.decision == "merge" else "kept_apart",
        )
        for one in found
    ]


def customers(items: list[ConflictShown]) -> set[UUID]:
    """Of whom conflicts show something."""
    return {party.customer_id for one in items for party in one.parties if party.customer_id is not None}
