"""Keys over HTTP, for admins: make, list, rotate, revoke. A secret is answered once, when it is made."""

from datetime import datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request, Response

from aggregates.access import Key, NotAllowed, Role
from aggregates.moment import known_zone
from aggregates.source import Source
from api import access, body, openapi
from api.answers import json, path_id
from api.decoding import decoded
from api.ports import Dependencies, KeyNotFound, Minted
from api.problem import Problem, invalid, not_found

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=100, pattern=r"^[^\s\x00-\x1f]+$")]


class NewKey(msgspec.Struct, forbid_unknown_fields=True):
    """A key to be made: for a source that sends events, or for staff with a role."""

    source: Name | None = None
    role: Role | None = None
    label: Annotated[str, msgspec.Meta(max_length=200)] = ""
    zone: str | None = None  # in which a date without a time is a day
    strict: bool = False  # refuse types without a contract
    clock: Literal["", "event"] = ""
    simulated: bool = False
    types: Annotated[tuple[Name, ...], msgspec.Meta(max_length=100)] = ()


class KeyShown(msgspec.Struct):
    """A key, without its secret."""

    id: UUID
    source: Source | None
    role: str
    label: str
    created: datetime
    revoked: datetime | None
    secrets: list["SecretShown"]


class SecretShown(msgspec.Struct):
    """What may be shown of a secret."""

    hint: str
    since: datetime
    until: datetime | None


class KeyMade(msgspec.Struct):
    """A key and, this once, its secret."""

    key: KeyShown
    secret: str


class KeyList(msgspec.Struct):
    """All keys, the oldest first."""

    items: list[KeyShown]
    next: str | None = None


class Rotation(msgspec.Struct, forbid_unknown_fields=True):
    """How long the old secret stays good."""

    grace_seconds: Annotated[int, msgspec.Meta(ge=0, le=30 * 86400)] = 3600


SENDING = ("strict", "zone", "clock", "simulated", "types")
"""What is said of a source alone."""

NO_SUCH_KEY = "No key has this id."


def router(dependencies: Dependencies) -> APIRouter:
    """The routes of keys."""
    routes = APIRouter(tags=["keys"])

    @routes.get("/v1/keys", openapi_extra=openapi.described('curl -u "$ADMIN:" $YEKTA/v1/keys', KeyList))
    async def list_keys(request: Request) -> Response:
        """All keys, with neither secrets nor their hashes."""
        access.staff(request, dependencies, access.ADMINS)
        return json(KeyList([shown(key) for key in dependencies.ring.every_key()]))

    @routes.post(
        "/v1/keys",
        status_code=201,
        openapi_extra=openapi.described(
            """curl -u "$ADMIN:" $YEKTA/v1/keys -d '{"source": "shop", "strict": true}'""",
            KeyMade,
            *openapi.BODY,
            503,
            status=201,
            body=openapi.json_body(NewKey, {"source": "web", "strict": True}),
        ),
    )
    async def create_key(request: Request) -> Response:
        """Make a write key for a source, or a staff token for a role. The answer is the only place where the secret is ever shown."""
        asking = access.staff(request, dependencies, access.ADMINS)
        wanted = decoded(await body.read(request), NewKey)
        try:
            made = await dependencies.keys.create(
                str(asking.key), source=_source(wanted, dependencies.zone), role=wanted.role or "", label=wanted.label
            )
        except NotAllowed as error:
            raise Problem(422, "invalid_request", str(error)) from error
        return json(_made(made), 201)

    @routes.post(
        "/v1/keys/{id}/rotate",
        openapi_extra=openapi.described(
            """curl -u "$ADMIN:" $YEKTA/v1/keys/$KEY_ID/rotate -d '{"grace_seconds": 600}'""",
            KeyMade,
            *openapi.BODY,
            404,
            409,
            503,
            parameters=[openapi.parameter("id", openapi.UUID, "The key.", where="path")],
            body=openapi.json_body(Rotation, {"grace_seconds": 600}, required=False),
        ),
    )
    async def rotate_key(request: Request) -> Response:
        """Give a key a new secret; the old one stays good for the grace."""
        asking = access.staff(request, dependencies, access.ADMINS)
        content = await body.read(request)
        rotation = decoded(content, Rotation) if content.strip() else Rotation()
        try:
            made = await dependencies.keys.rotate(path_id(request), str(asking.key), timedelta(seconds=rotation.grace_seconds))
        except KeyNotFound as error:
            raise not_found(NO_SUCH_KEY) from error
        except NotAllowed as error:
            raise Problem(409, "not_allowed", str(error)) from error
        return json(_made(made))

    @routes.post(
        "/v1/keys/{id}/revoke",
        status_code=204,
        openapi_extra=openapi.described(
            'curl -u "$ADMIN:" -X POST $YEKTA/v1/keys/$KEY_ID/revoke',
            None,
            404,
            503,
            status=204,
            parameters=[openapi.parameter("id", openapi.UUID, "The key.", where="path")],
        ),
    )
    async def revoke_key(request: Request) -> Response:
        """End a key, for good and at once in every process."""
        asking = access.staff(request, dependencies, access.ADMINS)
        try:
            await dependencies.keys.revoke(path_id(request), str(asking.key))
        except KeyNotFound as error:
            raise not_found(NO_SUCH_KEY) from error
        return Response(status_code=204)

    return routes


def shown(key: Key) -> KeyShown:
    """The key without what opens anything."""
    secrets = [SecretShown(secret.hint, secret.since, secret.until) for secret in key.secrets]
    return KeyShown(key.id, key.source, key.role, key.label, key.created, key.revoked, secrets)


def check_zone(name: str) -> None:
    """Raises a 422 problem for what is no time zone."""
    if known_zone(name) is None:
        raise invalid("/zone", "It is no time zone.", "Write one like Asia/Tehran.")


def _made(minted: Minted) -> KeyMade:
    return KeyMade(shown(minted.key), minted.secret)


def _source(wanted: NewKey, zone: str) -> Source | None:
    if wanted.source is None:
        for name in SENDING if wanted.role else ():
            if getattr(wanted, name):
                raise invalid(f"/{name}", "It says how a source sends, and a role sends nothing.", "Leave it out.")
        return None
    check_zone(wanted.zone or zone)
    return Source(wanted.source, wanted.zone or zone, wanted.strict, wanted.clock, wanted.simulated, wanted.types)
