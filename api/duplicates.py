"""Possible duplicates over HTTP: pairs that wait for a person, with the evidence of each field; he merges them or says they are two.

Reading order: DuplicateShown, router, decide.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request, Response

from aggregates.identity import Split
from aggregates.identity.publishing import TraitRule
from aggregates.matching.customers import Record
from api import access, deciding, explaining, looks, masks, openapi, query, uniting
from api.access import Caller
from api.answers import json
from api.identity import present
from api.ports import Connection, Dependencies
from api.problem import invalid, not_found
from api.visibility import settled
from projections.duplicates import table
from projections.duplicates.record import record
from projections.duplicates.table import Pair
from projections.identity import ruling
from projections.view import table as views
from projections.view.precedence import believed
from projections.view.state import State
from projections.view.traits import name_of


class Person(msgspec.Struct, frozen=True):
    """One of the two."""

    customer_id: UUID
    name: str
    events: int
    last_seen: datetime | None


class FieldEvidence(msgspec.Struct, frozen=True):
    """One field's part: positive bits speak for one person, negative for two."""

    field: str
    one: str | None
    other: str | None
    agreement: str  # same_rare, same, variant, near, close, similar, alike, faint, swapped, different
    bits: float


class DuplicateShown(msgspec.Struct, frozen=True):
    """Two customers that may be one person."""

    id: str  # both ids, with a point between
    one: Person
    other: Person
    probability: float
    evidence: list[FieldEvidence]  # the weightiest first
    found_at: datetime


class Duplicates(msgspec.Struct, frozen=True):
    """Pairs, the most probable first."""

    items: list[DuplicateShown]
    next: str | None = None


ID = openapi.parameter("id", openapi.TEXT, "The pair, as the list names it.", where="path")
Verb = Literal["accept", "reject"]


def router(dependencies: Dependencies) -> APIRouter:
    """The routes of possible duplicates."""
    routes = APIRouter(tags=["identity"])

    @routes.get(
        "/v1/duplicates",
        openapi_extra=openapi.described(
            'curl -u "$AGENT:" "$YEKTA/v1/duplicates?limit=20"',
            Duplicates,
            422,
            503,
            504,
            parameters=[openapi.CURSOR, openapi.LIMIT, openapi.AFTER],
        ),
    )
    async def listed(request: Request) -> Response:
        """Customers that may be one person, with the reasons."""
        asking = access.staff(request, dependencies, access.INSIDE)
        limit, after = query.limit(request), place(query.text(request, "cursor"))
        await settled(request, dependencies)
        async with dependencies.pool.connection() as connection:
            found = await table.page(connection, limit + 1, after)
            await looks.note_all(request, connection, asking, {one for pair in found[:limit] for one in (pair.one, pair.other)}, "identity")
            items = await shown(dependencies, connection, found[:limit], asking.role)
        last = found[limit - 1] if len(found) > limit else None
        return json(Duplicates(items, cursor(last) if last else None))

    @routes.post("/v1/duplicates/{id}/accept", openapi_extra=deciding.described("/v1/duplicates/$DUPLICATE/accept", ID, "same birthday"))
    async def accept(request: Request) -> Response:
        """They are one person: merged, and the weights learn from it."""
        return await answer(request, "accept")

    @routes.post("/v1/duplicates/{id}/reject", openapi_extra=deciding.described("/v1/duplicates/$DUPLICATE_2/reject", ID, "same birthday"))
    async def reject(request: Request) -> Response:
        """They are two: never asked again, never joined by evidence, and the weights learn from it."""
        return await answer(request, "reject")

    async def answer(request: Request, verb: Verb) -> Response:
        async def decided(connection: Connection, asking: Caller, reason: str) -> tuple[UUID, str]:
            return await decide(dependencies, connection, asking, request.path_params["id"], verb, reason)

        return await deciding.answer(request, dependencies, decided)

    return routes


async def decide(dependencies: Dependencies, connection: Connection, asking: Caller, id_: str, verb: Verb, reason: str) -> tuple[UUID, str]:
    """Answer a pair: the event id of the decision, and the position to wait for. Raises problems."""
    one, _, other = id_.partition(".")
    try:
        pair = await table.one(connection, UUID(one), UUID(other))
    except ValueError:
        pair = None
    if pair is None:
        raise not_found("No such pair waits: one of the two changed, or somebody decided.")
    evidence = {part["column"]: part["level"] for part in pair.evidence}
    them = [await present(dependencies, connection, customer) for customer in (pair.one, pair.other)]
    if verb == "accept":
        merged = await uniting.merge(dependencies, connection, asking, them, reason=reason, evidence=evidence)
        event, at = merged.event_id, merged.position
    else:
        go, stay = [(await explaining.known(dependencies, connection, customer)).owned for customer in them]
        decision = Split(by=asking.name or str(asking.key), at=dependencies.clock(), go=tuple(go), stay=tuple(stay), evidence=evidence)
        event, at = await uniting.say(dependencies, decision, reason)
    await table.answered(connection, pair)
    assert event is not None and at is not None  # noqa: S101, PT018 - it was no dry run
    return event, at


async def shown(dependencies: Dependencies, connection: Connection, pairs: list[Pair], role: str) -> list[DuplicateShown]:
    """Pairs as this role may see them."""
    states = await views.load(connection, await dependencies.schema(), {id_ for pair in pairs for id_ in (pair.one, pair.other)})
    rules, empty = await views.rules(connection), State()
    identity = await ruling.in_force(connection, dependencies.secrets)
    found = []
    for pair in pairs:
        one, other = states.get(pair.one, empty), states.get(pair.other, empty)
        his, hers = record(one, identity), record(other, identity)
        fields = [
            FieldEvidence(
                part["column"],
                _value(his, part["column"], role),
                _value(hers, part["column"], role),
                part["agreement"],
                part["bits"],
            )
            for part in pair.evidence
        ]
        found.append(
            DuplicateShown(
                f"{pair.one}.{pair.other}",
                _person(pair.one, one, rules),
                _person(pair.other, other, rules),
                round(pair.probability, 4),
                fields,
                pair.found_at,
            )
        )
    return found


def _person(id_: UUID, state: State, rules: Sequence[TraitRule]) -> Person:
    return Person(id_, name_of(believed(state.traits, rules)).display, state.events, state.last.at if state.last else None)


def _value(compared: Record, column: str, role: str) -> str | None:
    value = compared.get(column)
    return masks.masked(value) if value and column == "phone" and role not in masks.UNMASKED else value


def cursor(pair: Pair) -> str:
    """The place of a pair in the list."""
    return f"{pair.probability!r}.{pair.one}.{pair.other}"


def place(text: str | None) -> tuple[float, UUID, UUID] | None:
    """The place that a cursor marks. Raises a 422 problem."""
    if text is None:
        return None
    try:
        probability, one, other = text.rsplit(".", 2)
        return float(probability), UUID(one), UUID(other)
    except ValueError as error:
        raise invalid("/query/cursor", "This is no cursor that Yekta gave.", "Send `next` exactly as it was answered.") from error
