"""Any outside system asks first, and reserves: one policy for all who approach a customer. Reading order: Ask, Answered, router."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request, Response
from msgspec import UNSET, UnsetType

from aggregates.contact_policy.candidate import Candidate
from aggregates.normal import NotAnIdentifier, normalise
from aggregates.touchpoint import derive
from api import access, body, customers, hints, openapi
from api.access import Caller
from api.answers import json
from api.decoding import decoded
from api.ports import Connection, Dependencies
from api.problem import Mistake, Problem, forbidden, invalid, not_found
from api.written import language
from projections.contacts import decisions, reserving, table
from projections.contacts.decisions import Decision
from projections.contacts.want import Want
from projections.deliveries import table as deliveries
from projections.identity import table as identity
from projections.view import table as views

ROLES = ("agent", "supervisor", "marketer", "admin")
SAID: dict[str, Literal["allowed", "held", "refused"]] = {"sent": "allowed", "held": "held", "silent": "refused"}
UNKNOWN, TEST, PAUSED = "unknown customer", "test", "paused"
PRINTABLE = r"^[^\x00-\x1f]*$"

Word = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"^[a-z][a-z0-9_-]*$")]


RequestId = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=PRINTABLE)]


class Ask(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Who is to be approached, for what, by which channel; `request_id`, one's own, makes asking twice the same as asking once."""

    request_id: RequestId
    customer_id: UUID | None = None
    who: dict[str, Any] | None = None  # identifiers instead: {"phone": "0912…"}
    channel: Word | None = None
    channels: Annotated[tuple[Word, ...], msgspec.Meta(max_length=20)] = ()  # or several, in the order of preference
    purpose: Word = "marketing"
    contact: Annotated[str, msgspec.Meta(max_length=100, pattern=PRINTABLE)] = ""  # with what: a campaign


class Cancel(msgspec.Struct, forbid_unknown_fields=True):
    """The contact that one asked for and does not make."""

    request_id: RequestId


class Answered(msgspec.Struct):
    """`allowed` is reserved: it counts from now on. `held` until a time: ask again then, with the same `request_id`. `refused` says why."""

    id: UUID
    request_id: str
    customer_id: UUID | None
    outcome: Literal["allowed", "held", "refused"]
    channel: str | None
    at: datetime
    until: datetime | None
    reason: str | None  # what did it: `cap all/7d`, `quiet`, `consent marketing/sms` …
    hints: tuple[Mistake, ...] | UnsetType = UNSET  # what may stand so, and is perhaps not meant so


CHECK = """\
curl -u "$KEY:" $YEKTA/v1/contacts/check -d '{
  "request_id": "spring-17-0912", "who": {"phone": "09121234567"}, "channel": "sms", "purpose": "marketing", "contact": "spring"}'"""


def router(dependencies: Dependencies) -> APIRouter:
    """The route where others ask first."""
    routes = APIRouter(tags=["contacts"])

    @routes.post(
        "/v1/contacts/check",
        openapi_extra=openapi.described(
            CHECK,
            Answered,
            *openapi.BODY,
            503,
            body=openapi.json_body(
                Ask, {"request_id": "spring-17-0912", "who": {"phone": "09121234567"}, "channel": "sms", "purpose": "marketing"}
            ),
        ),
    )
    async def check_contact(request: Request) -> Response:
        """Whether a customer may be approached now; if so, the contact is reserved and counts. While it is paused nothing is decided."""
        asking = _asking(request, dependencies)
        wanted = decoded(await body.read(request), Ask)
        channels = (*((wanted.channel,) if wanted.channel else ()), *wanted.channels)
        asked = ",".join(dict.fromkeys(channels)).encode()
        if not channels:
            raise invalid("/channel", "The channel is missing.", "Name one, or several in `channels`.")
        told = hints.of_request(_places(wanted), wanted.purpose, language(request)) or UNSET
        async with dependencies.pool.connection() as connection:
            customer = await _customer(connection, dependencies, wanted)
            now = dependencies.clock()
            id_ = _id(asking, wanted.request_id)
            if customer is None and await table.requested(connection, id_) is not None:
                raise _another_request()
            paused = {scope for scope, _, _ in await deliveries.pauses(connection)}
            channels = () if deliveries.EVERYTHING in paused else tuple(c for c in channels if deliveries.CHANNEL + c not in paused)
            simulated = asking.source is not None and asking.source.simulated
            if customer is None or simulated or not channels:
                reason = UNKNOWN if customer is None else TEST if simulated else PAUSED
                return json(Answered(id_, wanted.request_id, customer, "refused", None, now, None, reason, told))
            schema = await dependencies.schema()
            looked = await customers.look(dependencies, schema, customer)
            now = looked.at if looked else now
            candidate = Candidate(
                id_,
                f"check:{_who_asks(asking)}",
                0,
                customer,
                wanted.purpose,
                tuple(dict.fromkeys(channels)),
                0.0,
                now,
                now,
                0,
                campaign=wanted.contact,
            )
            cause = {"source": _who_asks(asking), "id": wanted.request_id}
            async with connection.transaction():
                want = Want(candidate, wanted.contact, cause, now, late=False, blob=b"", asked=asked)
                try:
                    await reserving.request(connection, schema, dependencies.secrets, want, now)
                except reserving.AnotherRequest as error:
                    raise _another_request() from error
                decision = await decisions.one(connection, customer, id_)
        assert decision is not None  # noqa: S101 - it was just decided
        return json(_answered(decision, wanted.request_id, told))

    @routes.post(
        "/v1/contacts/cancel",
        openapi_extra=openapi.described(
            """curl -u "$KEY:" $YEKTA/v1/contacts/cancel -d '{"request_id": "spring-17-0912"}'""",
            Answered,
            400,
            404,
            413,
            415,
            422,
            503,
            body=openapi.json_body(Cancel, {"request_id": "spring-17-0912"}),
        ),
    )
    async def cancel_contact(request: Request) -> Response:
        """What was allowed is not made after all, and counts no more; asked for again under the same `request_id` it stays refused."""
        asking = _asking(request, dependencies)
        wanted = decoded(await body.read(request), Cancel)
        async with dependencies.pool.connection() as connection, connection.transaction():
            decision = await reserving.cancel(connection, _id(asking, wanted.request_id), dependencies.clock())
        if decision is None:
            raise not_found("You asked for no contact under this request_id.")
        return json(_answered(decision, wanted.request_id))

    return routes


def _asking(request: Request, dependencies: Dependencies) -> Caller:
    """A system or somebody who approaches customers. Raises a 403 problem for any other."""
    asking = access.caller(request, dependencies)
    if asking.source is None and asking.role not in ROLES:
        raise forbidden(f"This needs a write key, or the role {' or '.join(ROLES)}.", "Ask an admin for one.")
    return asking


def _id(asking: Caller, request_id: str) -> UUID:
    return derive("contact", str(asking.key) if asking.source is None else asking.source.name, request_id)


def _answered(decision: Decision, request_id: str, hinted: tuple[Mistake, ...] | UnsetType = UNSET) -> Answered:
    stands = (decision.channel, decision.at, decision.until, decision.reason)
    return Answered(decision.signal, request_id, decision.customer_id, SAID[decision.outcome], *stands, hinted)


def _places(wanted: Ask) -> dict[str, str]:
    """The channels that are asked for, by where they stand."""
    several = {f"/channels/{place}": channel for place, channel in enumerate(wanted.channels)}
    return {"/channel": wanted.channel, **several} if wanted.channel else several


async def _customer(connection: Connection, dependencies: Dependencies, wanted: Ask) -> UUID | None:
    """Who is meant; None: nobody that is known."""
    if (wanted.customer_id is None) == (wanted.who is None):
        raise invalid("", "Say who is meant, once.", "Send either `customer_id` or `who`.")
    if wanted.customer_id is not None:
        schema = await dependencies.schema()
        if await views.load(connection, schema, [wanted.customer_id]):
            return wanted.customer_id
        return await identity.successor(connection, wanted.customer_id)
    for kind, given in (wanted.who or {}).items():
        for value in given if isinstance(given, list) else [given]:
            try:
                identifier = normalise(kind, str(value))
            except NotAnIdentifier as error:
                raise invalid(f"/who/{kind}", f"This is no {kind}: {error.why}.", error.mend) from error
            owner = await identity.owner(connection, dependencies.secrets.token(identifier))
            if owner is not None:
                return owner
    return None


def _another_request() -> Problem:
    return Problem(422, "key_used", "Another request came with this request_id.", pointer="/request_id", mend="Give every request its own.")


def _who_asks(asking: Caller) -> str:
    return asking.source.name if asking.source is not None else asking.role
