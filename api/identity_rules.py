"""The rules by which identifiers make customers: shown with how often each fired, published as a whole, in force from a place in the log.

Reading order: RulesShown, router, publish.
"""

from datetime import UTC, datetime
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request, Response

from aggregates.decision import Decision, Overtaken
from aggregates.identity import publishing
from aggregates.identity.publishing import Document, KindRule, TraitRule, Wrong
from aggregates.normal import trust
from aggregates.touchpoint import derive
from api import access, body, openapi
from api.access import Caller
from api.answers import json
from api.decoding import decoded
from api.ports import Connection, Dependencies
from api.problem import Problem, invalid
from projections.identity import ruling

RULES_ID = derive("identity-rules")
TRIES = 5


class Fired(msgspec.Struct, frozen=True):
    """How often a rule kept something from being linked."""

    rule: str  # limit:<kind> · most · shared:<kind> · blocked:<kind> · kept_apart
    times: int
    last_at: datetime


class BuiltIn(msgspec.Struct, frozen=True):
    """What every door drops from `who` whatever the rules say."""

    placeholders: list[str]
    mailboxes: list[str]
    also: list[str]


class RulesShown(msgspec.Struct, frozen=True):
    """The rule set that was published last."""

    version: int  # 0: the one that is built in
    kinds: list[KindRule]
    other: KindRule | None
    most: int
    traits: list[TraitRule]  # whom to believe where sources say different things
    by: str | None
    at: datetime | None
    in_force: bool  # every partition of the log has met it
    fired: list[Fired]
    built_in: BuiltIn


BUILT_IN = BuiltIn(
    sorted(trust.PLACEHOLDERS),
    sorted(trust.MAILBOXES),
    ["phone: one digit again and again, or a run", "national_id: one digit again and again, or a run", "card: ends in 0000"],
)
EXAMPLE = {
    "kinds": [
        {"kind": "national_id", "priority": 0, "uniqueness": "one", "limit": 1},
        {"kind": "customer_number", "priority": 1, "uniqueness": "one", "limit": 1},
        {"kind": "email", "priority": 4, "uniqueness": "many", "limit": 5, "blocked_patterns": ["info@.*"]},
        {"kind": "phone", "priority": 5, "uniqueness": "many", "limit": 5, "blocked": ["02188776655"]},
        {"kind": "card", "priority": 10, "uniqueness": "shared", "limit": 10},
        {"kind": "device", "priority": 11, "uniqueness": "shared", "limit": 30, "ttl_days": 400},
    ],
    "most": 50,
    "traits": [
        {"trait": "email", "by": ["verified", "source"], "sources": ["crm", "shop"]},
        {"trait": "*", "by": ["source"], "sources": ["crm"]},
    ],
}
PUT = 'curl -u "$ADMIN:" $YEKTA/v1/identity-rules -d \'' + msgspec.json.encode(EXAMPLE).decode() + "' -X PUT"


def router(dependencies: Dependencies) -> APIRouter:
    """The routes of identity's rules."""
    routes = APIRouter(tags=["identity"])

    @routes.get("/v1/identity-rules", openapi_extra=openapi.described('curl -u "$AGENT:" $YEKTA/v1/identity-rules', RulesShown, 503))
    async def show(request: Request) -> Response:
        """The rules, and how often each fired."""
        access.staff(request, dependencies, access.INSIDE)
        async with dependencies.pool.connection() as connection:
            return json(await shown(connection))

    @routes.put(
        "/v1/identity-rules",
        openapi_extra=openapi.described(PUT, RulesShown, *openapi.BODY, 409, 503, body=openapi.json_body(Document, EXAMPLE)),
    )
    async def put(request: Request) -> Response:
        """Publish a rule set. What arrives from now on is attributed under it; what was attributed before stays."""
        asking = access.staff(request, dependencies, access.ADMINS)
        document = decoded(await body.read(request), Document)
        async with dependencies.pool.connection() as connection:
            await publish(dependencies, connection, asking, document)
            return json(await shown(connection))

    return routes


async def publish(dependencies: Dependencies, connection: Connection, asking: Caller, document: Document) -> int:
    """Make it the newest version; which that is. Raises 422 and 409 problems."""
    try:
        publishing.checked(document)
    except Wrong as wrong:
        raise invalid(wrong.pointer, wrong.why, wrong.mend) from wrong
    for _ in range(TRIES):
        newest = await ruling.newest(connection)
        version = newest.version + 1 if newest else 1
        decision = Decision(UUID(str(RULES_ID)), version, publishing.PUBLISHED, msgspec.json.encode(document))
        by, at = asking.name or str(asking.key), dependencies.clock().astimezone(UTC)
        try:
            await dependencies.decisions.record([decision], [ruling.published(version, document, by, at)])
        except Overtaken:
            continue
        return version
    raise Problem(409, "overtaken", "Others publish rules at this very moment.", mend="Look at the newest, then publish again.")


async def shown(connection: Connection) -> RulesShown:
    """The newest rule set, and what its rules did."""
    newest = await ruling.newest(connection)
    document = newest.document if newest else publishing.shown()
    fired = [Fired(rule, times, at) for rule, (times, at) in (await ruling.fired(connection)).items()]
    reached = newest is None or await ruling.everywhere(connection, newest.version)
    return RulesShown(
        newest.version if newest else 0,
        document.kinds,
        document.other,
        document.most,
        document.traits,
        newest.by if newest else None,
        newest.at if newest else None,
        reached,
        fired,
        BUILT_IN,
    )
