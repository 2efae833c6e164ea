"""Webhooks over HTTP: another system registers where it wants to hear of us. A secret is answered once, when it is made.

Reading order: NewWebhook, WebhookShown, router, troubles.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Literal
from uuid import UUID, uuid4

import msgspec
from fastapi import APIRouter, Request, Response
from msgspec import UNSET, UnsetType

from aggregates import webhook as webhooks
from aggregates.decision import Overtaken
from aggregates.webhook import AddressRefused, NotAllowed, Webhook, WebhookNotFound
from aggregates.written.problem import nearest
from api import access, body, commands, openapi
from api.answers import json, path_id
from api.decoding import decoded
from api.deliveries import DeliveryShown, delivery_shown
from api.ports import Connection, Dependencies
from api.problem import Problem, invalid, not_found, unavailable
from projections.deliveries import table as deliveries
from projections.deliveries import webhooks as standing
from projections.deliveries.table import Trouble

TEST = "webhook.test"
MOST = 500
ALIASES = {"signal": "signal.*", "signals": "signal.*", "contact": "contact.*", "contacts": "contact.*", "all": "*"}
"""What people write and mean."""

KNOWN = (*webhooks.TYPES, *webhooks.FAMILIES)


class NewWebhook(msgspec.Struct, forbid_unknown_fields=True):
    """Where to post, and what about: `signal.fired`, `signal.withdrawn`, `contact.sent`, `contact.held`, `contact.silent`, or all: `*`."""

    url: Annotated[str, msgspec.Meta(min_length=1, max_length=webhooks.LONGEST_URL)]
    types: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=webhooks.MOST_TYPES)]
    description: Annotated[str, msgspec.Meta(max_length=500)] = ""


class Failing(msgspec.Struct):
    """A webhook that does not take what it is sent: how often in a row, why, and how it goes on."""

    failures: int
    error: str | None
    waiting: int  # deliveries; 10000: as many or more
    next_try: datetime | None


class WebhookShown(msgspec.Struct):
    """A webhook, without its secret."""

    id: UUID
    url: str
    types: tuple[str, ...]
    description: str
    state: Literal["enabled", "disabled"]
    reason: str | None  # why it is disabled
    created: datetime
    secrets: int  # how many sign now: two while one rotates
    failing: Failing | UnsetType = UNSET  # where it is read, and only while it does


class WebhookCreated(msgspec.Struct):
    """A webhook and, this once, its secret."""

    id: UUID
    url: str
    types: tuple[str, ...]
    secret: str | None  # None: it was made before, by the same command
    webhook: WebhookShown


class WebhookList(msgspec.Struct):
    """All webhooks, the oldest first."""

    items: list[WebhookShown]
    next: str | None = None


class SecretRotation(msgspec.Struct, forbid_unknown_fields=True):
    """How long the old secret signs too."""

    grace_seconds: Annotated[int, msgspec.Meta(ge=0, le=30 * 86400)] = 86_400


ID = openapi.parameter("id", openapi.UUID, "The webhook.", where="path")
KEY = openapi.parameter("Idempotency-Key", openapi.TEXT, "The same key is the same webhook, however often it is sent.", where="header")


def router(dependencies: Dependencies) -> APIRouter:
    """The routes of webhooks."""
    routes = APIRouter(tags=["webhooks"])

    @routes.get("/v1/webhooks", openapi_extra=openapi.described('curl -u "$ADMIN:" $YEKTA/v1/webhooks', WebhookList, 503))
    async def list_webhooks(request: Request) -> Response:
        """All webhooks, without their secrets."""
        access.staff(request, dependencies, access.CAMPAIGNERS)
        async with dependencies.pool.connection() as connection:
            held = await standing.every(connection, MOST)
            failing = await troubles(connection, held)
            return json(WebhookList([webhook_shown(one, failing.get(one.id)) for one in held]))

    @routes.post(
        "/v1/webhooks",
        status_code=201,
        openapi_extra=openapi.described(
            """curl -u "$ADMIN:" $YEKTA/v1/webhooks -d '{"url": "https://crm.example.com/yekta", "types": ["signal.fired"]}'""",
            WebhookCreated,
            *openapi.BODY,
            404,
            503,
            status=201,
            parameters=[KEY],
            body=openapi.json_body(NewWebhook, {"url": "https://crm.example.com/yekta", "types": ["signal.fired"]}),
        ),
    )
    async def register_webhook(request: Request) -> Response:
        """Register an address to post to. The answer is the only place where the secret is ever shown: by the same Idempotency-Key the same
        webhook is answered again, without it.

        Addresses of private networks are refused, unless they are named in the setting YEKTA_DELIVERY__ALLOW.
        """
        asking = access.staff(request, dependencies, access.CAMPAIGNERS)
        content = await body.read(request)
        wanted = decoded(content, NewWebhook)
        types = tuple(ALIASES.get(type_, type_) for type_ in wanted.types)
        for place, type_ in enumerate(types):
            if webhooks.unknown_types([type_]):
                near = nearest(type_, KNOWN)
                mend = f"Did you mean {near}?" if near else f"One of {', '.join(KNOWN)}."
                raise invalid(f"/types/{place}", f"{type_!r} is nothing that a webhook can hear of.", mend)
        key = commands.key_of(request, asking, content)
        if (before := await _by(dependencies, key)) is not None:
            return json(_made(before, None), 201)
        remember = None if key is None else partial(key.also, version=1)
        try:
            made = await dependencies.webhooks.register(str(asking.key), wanted.url, types, wanted.description, remember=remember)
        except Overtaken as error:  # the same command, at the same moment
            before = await _by(dependencies, key)
            if before is None:
                raise unavailable("Somebody else decided at the same moment.") from error
            return json(_made(before, None), 201)
        except AddressRefused as error:
            mend = "Name an address of the public Internet, or allow this one in the setting YEKTA_DELIVERY__ALLOW."
            raise Problem(422, "address_refused", str(error), pointer="/url", mend=mend) from error
        return json(_made(made.webhook, made.secret), 201)

    @routes.post(
        "/v1/webhooks/{id}/rotate",
        openapi_extra=openapi.described(
            """curl -u "$ADMIN:" $YEKTA/v1/webhooks/$WEBHOOK/rotate -d '{"grace_seconds": 3600}'""",
            WebhookCreated,
            *openapi.BODY,
            404,
            409,
            503,
            parameters=[ID],
            body=openapi.json_body(SecretRotation, {"grace_seconds": 3600}, required=False),
        ),
    )
    async def rotate_secret(request: Request) -> Response:
        """Give a webhook a new secret; the old one signs beside it for the grace, a day unless told otherwise."""
        asking = access.staff(request, dependencies, access.CAMPAIGNERS)
        content = await body.read(request)
        rotation = decoded(content, SecretRotation) if content.strip() else SecretRotation()
        with _refusing():
            made = await dependencies.webhooks.rotate(path_id(request), str(asking.key), timedelta(seconds=rotation.grace_seconds))
        return json(_made(made.webhook, made.secret))

    @routes.post(
        "/v1/webhooks/{id}/disable",
        openapi_extra=openapi.described(
            'curl -u "$ADMIN:" -X POST $YEKTA/v1/webhooks/$WEBHOOK/disable', WebhookShown, 404, 409, 503, parameters=[ID]
        ),
    )
    async def disable_webhook(request: Request) -> Response:
        """Post nothing to it for now: what waits goes out when it is enabled, what happens meanwhile it is not told."""
        asking = access.staff(request, dependencies, access.CAMPAIGNERS)
        with _refusing():
            return json(webhook_shown(await dependencies.webhooks.disable(path_id(request), str(asking.key), "by hand")))

    @routes.post(
        "/v1/webhooks/{id}/enable",
        openapi_extra=openapi.described(
            'curl -u "$ADMIN:" -X POST $YEKTA/v1/webhooks/$WEBHOOK/enable', WebhookShown, 404, 409, 503, parameters=[ID]
        ),
    )
    async def enable_webhook(request: Request) -> Response:
        """Post to it again, first what waited."""
        asking = access.staff(request, dependencies, access.CAMPAIGNERS)
        with _refusing():
            return json(webhook_shown(await dependencies.webhooks.enable(path_id(request), str(asking.key))))

    @routes.post(
        "/v1/webhooks/{id}/test",
        status_code=202,
        openapi_extra=openapi.described(
            'curl -u "$ADMIN:" -X POST $YEKTA/v1/webhooks/$WEBHOOK/test',
            DeliveryShown,
            404,
            503,
            status=202,
            parameters=[ID],
        ),
    )
    async def test_webhook(request: Request) -> Response:
        """Post `webhook.test` to it, signed like all else; `/v1/deliveries/{id}` says what became of it."""
        access.staff(request, dependencies, access.CAMPAIGNERS)
        id_ = path_id(request)
        message = uuid4()
        lane = f"{deliveries.WEBHOOK}{id_}"
        content = msgspec.json.encode({"type": TEST, "timestamp": dependencies.clock(), "data": {"webhook_id": id_}})
        async with dependencies.pool.connection() as connection:
            await _one(connection, id_)
            await deliveries.add(connection, [deliveries.New(message, message, lane, TEST, "", None, None, content)])
            delivery = await deliveries.one(connection, message)
        assert delivery is not None  # noqa: S101 - it was just written
        return json(delivery_shown(delivery), 202)

    @routes.get(
        "/v1/webhooks/{id}",
        openapi_extra=openapi.described('curl -u "$ADMIN:" $YEKTA/v1/webhooks/$WEBHOOK', WebhookShown, 404, 503, parameters=[ID]),
    )
    async def show_webhook(request: Request) -> Response:
        """One webhook."""
        access.staff(request, dependencies, access.CAMPAIGNERS)
        async with dependencies.pool.connection() as connection:
            held = await _one(connection, path_id(request))
            return json(webhook_shown(held, (await troubles(connection, [held])).get(held.id)))

    @routes.delete(
        "/v1/webhooks/{id}",
        status_code=204,
        openapi_extra=openapi.described(
            'curl -u "$ADMIN:" -X DELETE $YEKTA/v1/webhooks/$WEBHOOK', None, 404, 503, status=204, parameters=[ID]
        ),
    )
    async def delete_webhook(request: Request) -> Response:
        """Forget it for good; what waits for it is given up."""
        asking = access.staff(request, dependencies, access.CAMPAIGNERS)
        with _refusing():
            await dependencies.webhooks.delete(path_id(request), str(asking.key))
        return Response(status_code=204)

    return routes


async def _by(dependencies: Dependencies, key: commands.Key | None) -> Webhook | None:
    """The webhook that the same command made before."""
    async with dependencies.pool.connection() as connection:
        known = await commands.known(connection, key)
        return None if known is None else await _one(connection, known)


async def _one(connection: Connection, id_: UUID) -> Webhook:
    held = await standing.one(connection, id_)
    if held is None:
        raise not_found("No webhook has this id.")
    return held


async def troubles(connection: Connection, held: Sequence[Webhook]) -> dict[UUID, Trouble]:
    """Of these webhooks those that do not take what they are sent."""
    lanes = {f"{deliveries.WEBHOOK}{one.id}": one.id for one in held}
    return {lanes[lane]: trouble for lane, trouble in (await deliveries.troubles(connection, list(lanes))).items()}


def webhook_shown(held: Webhook, trouble: Trouble | None = None) -> WebhookShown:
    """The webhook without what signs."""
    state: Literal["enabled", "disabled"] = "enabled" if held.disabled is None else "disabled"
    failing = UNSET if trouble is None else Failing(trouble.failures, trouble.error or None, trouble.waiting, trouble.due)
    told = (held.id, held.url, held.types, held.description, state, held.reason or None, held.created, len(held.secrets))
    return WebhookShown(*told, failing)


def _made(held: Webhook, secret: str | None) -> WebhookCreated:
    return WebhookCreated(held.id, held.url, held.types, secret, webhook_shown(held))


class _refusing:  # noqa: N801 - reads as a statement
    """What the store refuses, as problems."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, WebhookNotFound):
            raise not_found("No webhook has this id.") from error
        if isinstance(error, NotAllowed):
            raise Problem(409, "not_allowed", str(error)) from error
