"""The contact policy over HTTP: what binds every approach, whichever rule, agent or system wants it. Reading order: PolicyShown, router."""

from datetime import datetime
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response
from msgspec import UNSET, UnsetType

from aggregates.contact_policy import reading
from aggregates.contact_policy.schema import json_schema
from aggregates.written.node import Node, parse
from api import access, body, hints, openapi
from api.access import Caller
from api.answers import json
from api.ports import Connection, Dependencies
from api.problem import Mistake, Problem, forbidden, not_found
from api.written import language, refused
from projections.contacts import policies

EXAMPLE = {"policy": "contact", "zone": "Asia/Tehran", "caps": [{"channels": "all", "max": 3, "within": "7d"}]}
MOST = 500


class PolicyVersion(msgspec.Struct):
    """A version of the policy: who put it in force, and when."""

    version: int
    at: datetime
    by: str


class PolicyShown(msgspec.Struct):
    """The policy in force. Version 0: none was published, and consent alone binds."""

    version: int
    at: datetime | None
    by: str | None
    text: str  # as it was written
    policy: dict[str, Any]  # the same as JSON


class PolicyPut(msgspec.Struct):
    """The version that is in force now."""

    version: int
    state: str = "published"
    hints: tuple[Mistake, ...] | UnsetType = UNSET  # what may stand in the text, and is perhaps not meant so


class PolicyVersions(msgspec.Struct):
    """All versions, the newest first."""

    items: list[PolicyVersion]
    next: str | None = None


VERSION = openapi.parameter("version", {"type": "integer", "minimum": 1}, "An earlier version.")


def router(dependencies: Dependencies) -> APIRouter:
    """The routes of the contact policy."""
    routes = APIRouter(tags=["contacts"])

    @routes.get(
        "/v1/contact-policy",
        openapi_extra=openapi.described('curl -u "$AGENT:" $YEKTA/v1/contact-policy', PolicyShown, 404, 422, 503, parameters=[VERSION]),
    )
    async def show_policy(request: Request) -> Response:
        """The policy in force, or an earlier version of it."""
        access.staff(request, dependencies, access.INSIDE)
        wanted = _version(request)
        async with dependencies.pool.connection() as connection:
            shown = await policy_shown(connection, wanted)
        if shown is None:
            raise not_found("The contact policy has no such version.")
        return json(shown)

    @routes.put(
        "/v1/contact-policy",
        openapi_extra=openapi.described(
            """curl -u "$ADMIN:" $YEKTA/v1/contact-policy -d 'policy: contact
zone: Asia/Tehran
quiet: {from: "21:00", to: "09:00", then: hold, expires: 24h}
caps:
  - {channels: all, max: 3, within: 7d}' -X PUT""",
            PolicyPut,
            409,
            413,
            415,
            422,
            503,
            body={
                "required": True,
                "description": "The policy as YAML or JSON.",
                "content": {
                    "application/yaml": {"schema": {"type": "string"}},
                    "application/json": {"schema": json_schema(), "example": EXAMPLE},
                },
            },
        ),
    )
    async def put_policy(request: Request) -> Response:
        """Put a policy in force, for whatever is decided from now on. The same text again is the same version."""
        asking = access.staff(request, dependencies, access.CAMPAIGNERS)
        text = policy_text(await body.read(request), request)
        await check_approval(dependencies, asking, text)
        found = hints.told(reading.read(text).hints, language(request))
        return json(PolicyPut(await dependencies.policies.publish(asking.name, text), hints=found or UNSET))

    @routes.get(
        "/v1/contact-policy/versions",
        openapi_extra=openapi.described('curl -u "$AGENT:" $YEKTA/v1/contact-policy/versions', PolicyVersions, 503),
    )
    async def list_versions(request: Request) -> Response:
        """All versions of the policy: who and when."""
        access.staff(request, dependencies, access.INSIDE)
        async with dependencies.pool.connection() as connection:
            found = await policies.policies(connection, MOST)
        return json(PolicyVersions([PolicyVersion(row.version, row.at, row.by) for row in found]))

    return routes


async def policy_shown(connection: Connection, version: int | None = None) -> PolicyShown | None:
    """The policy in force or an earlier version; None when there is no such version."""
    rows = await policies.policies(connection, 1, version)
    if not rows:
        return PolicyShown(0, None, None, "", {}) if version is None else None
    (row,) = rows
    root = parse(row.text)
    plain = root.plain if isinstance(root, Node) else {}
    return PolicyShown(row.version, row.at, row.by, row.text, plain if isinstance(plain, dict) else {})


async def check_approval(dependencies: Dependencies, asking: Caller, text: str) -> None:
    """Who is bound by a second person's approval cannot lift it: that needs an admin. Raises a 403 problem."""
    async with dependencies.pool.connection() as connection:
        _, now = await policies.in_force(connection)
    after = reading.read(text).policy
    if now.approval and after is not None and not after.approval and asking.role != "admin":
        raise forbidden(
            "This policy would publish rules without a second person's approval.", "Keep `approval: required`, or ask an admin."
        )


def policy_text(content: bytes, request: Request) -> str:
    """The text of a policy that is right. Raises a problem that says all that is wrong in it, in the reader's language."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Problem(422, "invalid_policy", f"The text is not UTF-8 at byte {error.start}.", mend="Send it as UTF-8.") from error
    if "\x00" in text:
        raise Problem(422, "invalid_policy", "The text has a character that nobody writes.", mend="Send it as YAML or JSON.")
    found = reading.read(text)
    if found.problems:
        raise refused(found.problems, language(request), "invalid_policy")
    return text


def _version(request: Request) -> int | None:
    text = request.query_params.get("version")
    if text is None:
        return None
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text[:10]) <= 2**31 - 1:
        raise not_found("The contact policy has no such version.")
    return int(text[:10])
