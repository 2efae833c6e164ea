"""Accounts of companies and households over HTTP: people in roles, accounts above and below, and what all of them come to together.

Members are named by an identifier and stay who they are. Reading order: AccountView, router, view.
"""

from datetime import datetime
from typing import Literal
from uuid import UUID, uuid4

import msgspec
from fastapi import APIRouter, Request, Response

from aggregates.decision import Also, Decision, Overtaken
from aggregates.identity import strongest
from aggregates.touchpoint import derive
from api import access, body, cursor, customers, explaining, masks, openapi, query
from api.answers import json, path_id
from api.decoding import decoded
from api.identity import DECIDERS, present
from api.ports import Connection, Dependencies
from api.problem import Problem, invalid, not_found
from api.visibility import settled
from projections.accounts import table
from projections.accounts.fold import Folded, folded
from projections.accounts.table import Account
from projections.view.answer import View
from projections.view.traits import Name

Role = Literal["decides", "influences", "uses", "pays", "member"]
KIND = openapi.parameter("kind", {"type": "string", "enum": ["account", "household"]}, "Only accounts of companies, or only households.")
ID = openapi.parameter("id", openapi.UUID, "The account or household.", where="path")
PER_VIEW = 200


class AccountShown(msgspec.Struct, frozen=True):
    """An account of a company, or a household."""

    id: UUID
    kind: str
    name: str
    reference: str | None  # what the company's own systems call it
    parent: UUID | None
    at: datetime | None
    members: int
    how: Literal["declared", "address"] = "declared"


class Accounts(msgspec.Struct, frozen=True):
    """Accounts, the newest first."""

    items: list[AccountShown]
    next: str | None = None


class MemberShown(msgspec.Struct, frozen=True):
    """Somebody who belongs to it."""

    customer_id: UUID
    name: Name
    roles: list[str]
    since: datetime | None
    account_id: UUID  # where he belongs: this account, or one below it
    events: int
    last_seen: datetime | None


class AccountView(msgspec.Struct, frozen=True):
    """An account and all that its members' events come to; the members stay who they are."""

    account: AccountShown
    above: list[AccountShown]  # the nearest first
    below: list[AccountShown]
    members: list[MemberShown]  # of it and of all below it
    together: Folded


class AccountWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An account to be opened."""

    name: str
    kind: Literal["account", "household"] = "account"
    reference: str | None = None
    parent: UUID | None = None


class MemberWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who belongs to it, in which roles."""

    customer_id: UUID
    role: Role = "member"


class MemberGone(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who does not belong to it any more."""

    customer_id: UUID


EXAMPLE = {"name": "شرکت یکتا", "kind": "account"}
DESCRIBED = (400, 404, 409, 413, 415, 422, 503)


def router(dependencies: Dependencies) -> APIRouter:
    """The routes of accounts."""
    routes = APIRouter(tags=["accounts"])

    @routes.get(
        "/v1/accounts",
        openapi_extra=openapi.described(
            'curl -u "$AGENT:" "$YEKTA/v1/accounts?kind=account"',
            Accounts,
            422,
            503,
            504,
            parameters=[KIND, openapi.parameter("q", openapi.TEXT, "Part of the name."), openapi.CURSOR, openapi.LIMIT, openapi.AFTER],
        ),
    )
    async def listed(request: Request) -> Response:
        """Accounts of companies and households."""
        access.staff(request, dependencies, access.INSIDE)
        await settled(request, dependencies)
        limit, kind, words = query.limit(request), query.choice(request, "kind", ("account", "household")), query.text(request, "q", 100)
        async with dependencies.pool.connection() as connection:
            found = await table.page(connection, limit + 1, kind=kind, words=words, after=cursor.place(query.text(request, "cursor")))
        following = cursor.token(found[limit - 1].at, found[limit - 1].id) if len(found) > limit else None
        return json(Accounts([shown(one) for one in found[:limit]], following))

    @routes.get(
        "/v1/households",
        openapi_extra=openapi.described(
            'curl -u "$AGENT:" $YEKTA/v1/households', Accounts, 422, 503, 504, parameters=[openapi.LIMIT, openapi.AFTER]
        ),
    )
    async def households(request: Request) -> Response:
        """Households: those that were declared, and those whose members told the same address."""
        access.staff(request, dependencies, access.INSIDE)
        await settled(request, dependencies)
        limit = query.limit(request)
        async with dependencies.pool.connection() as connection:
            found = [shown(one) for one in await table.page(connection, limit, kind="household")]
            for key, members in await table.at_one_address(connection, limit - len(found)) if len(found) < limit else ():
                found.append(by_address(key, members))
        return json(Accounts(found))

    @routes.get(
        "/v1/accounts/{id}",
        openapi_extra=openapi.described(
            'curl -u "$AGENT:" $YEKTA/v1/accounts/$ACCOUNT', AccountView, 404, 422, 503, 504, parameters=[ID, openapi.AFTER]
        ),
    )
    async def one(request: Request) -> Response:
        """An account, its people, and what their events come to together."""
        asking = access.staff(request, dependencies, access.INSIDE)
        await settled(request, dependencies)
        async with dependencies.pool.connection() as connection:
            return json(await view(dependencies, connection, path_id(request), asking.role))

    @routes.post(
        "/v1/accounts",
        openapi_extra=openapi.described(
            'curl -u "$AGENT:" $YEKTA/v1/accounts -d \'' + msgspec.json.encode(EXAMPLE).decode() + "'",
            AccountShown,
            *DESCRIBED,
            body=openapi.json_body(AccountWanted, EXAMPLE),
            status=201,
        ),
    )
    async def open_account(request: Request) -> Response:
        """Open an account or declare a household."""
        asking = access.staff(request, dependencies, DECIDERS)
        wanted = decoded(await body.read(request), AccountWanted)
        if not wanted.name.strip() or len(wanted.name) > 200 or "\0" in wanted.name + (wanted.reference or ""):
            raise invalid("/name", "An account has a name of at most 200 characters.")
        id_, at = uuid4(), dependencies.clock()
        async with dependencies.pool.connection() as connection:
            if wanted.parent is not None and await table.one(connection, wanted.parent) is None:
                raise invalid("/parent", "No account has this id.")
            if wanted.reference and await table.taken(connection, wanted.reference):
                raise Problem(409, "already_there", "An account with this reference is there already.", pointer="/reference")
            values = (id_, wanted.kind, wanted.name.strip(), wanted.reference, wanted.parent, at)
            told = {"by": asking.name, "at": at, **msgspec.to_builtins(wanted)}
            await _record(dependencies, id_, "opened", told, (table.OPEN, values))
            made = await table.one(connection, id_)
        assert made is not None  # noqa: S101 - it was written a moment ago
        return json(shown(made), 201)

    @routes.post("/v1/accounts/{id}/join", openapi_extra=_described("join", MemberWanted, {"role": "decides"}))
    async def join(request: Request) -> Response:
        """A customer belongs to it, in a role: he decides, influences, uses or pays."""
        asking = access.staff(request, dependencies, DECIDERS)
        wanted = decoded(await body.read(request), MemberWanted)
        id_, at = path_id(request), dependencies.clock()
        async with dependencies.pool.connection() as connection:
            await _account(connection, id_)
            customer = await present(dependencies, connection, wanted.customer_id, "/customer_id")
            known = await explaining.known(dependencies, connection, customer)
            if not known.owned:
                raise invalid("/customer_id", "This customer has no identifier by which he could be named.")
            token = strongest(known.owned, known.rules)
            also = table.JOIN, (id_, token, wanted.role, at, asking.name or str(asking.key))
            told = {"by": asking.name, "at": at, "identifier": token, "role": wanted.role}
            await _record(dependencies, id_, "joined", told, also)
            return json(await view(dependencies, connection, id_, asking.role))

    @routes.post("/v1/accounts/{id}/leave", openapi_extra=_described("leave", MemberGone, {}))
    async def leave(request: Request) -> Response:
        """A customer does not belong to it any more."""
        asking = access.staff(request, dependencies, DECIDERS)
        wanted = decoded(await body.read(request), MemberGone)
        id_ = path_id(request)
        async with dependencies.pool.connection() as connection:
            await _account(connection, id_)
            customer = await present(dependencies, connection, wanted.customer_id, "/customer_id")
            told = {"by": asking.name, "at": dependencies.clock(), "customer": customer}
            await _record(dependencies, id_, "left", told, (table.LEAVE, (id_, customer)))
            return json(await view(dependencies, connection, id_, asking.role))

    return routes


def _described(verb: str, struct: type[msgspec.Struct], more: dict[str, str]) -> dict[str, object]:
    example = {"customer_id": "6f1c1d3e-7a35-5d0e-9a53-7d1f3c6b2a10", **more}
    sent = '{"customer_id": "\'$CUSTOMER\'"' + "".join(f', "{name}": "{value}"' for name, value in more.items()) + "}"
    return openapi.described(
        f"curl -u \"$AGENT:\" $YEKTA/v1/accounts/$ACCOUNT/{verb} -d '{sent}'",
        AccountView,
        *DESCRIBED,
        410,
        parameters=[ID],
        body=openapi.json_body(struct, example),
    )


async def _record(dependencies: Dependencies, id_: UUID, what: str, told: dict[str, object], also: Also) -> None:
    for _ in range(5):
        before = await dependencies.decisions.load(id_)
        version = before[-1].version + 1 if before else 1
        try:
            await dependencies.decisions.record([Decision(id_, version, f"account.{what}", msgspec.json.encode(told))], [also])
        except Overtaken:
            continue
        return
    raise Problem(409, "overtaken", "Others change this account at this very moment.")


async def _account(connection: Connection, id_: UUID) -> Account:
    found = await table.one(connection, id_)
    if found is None:
        raise not_found("No account has this id.")
    return found


def shown(one: Account) -> AccountShown:
    """An account, to be answered."""
    return AccountShown(one.id, one.kind, one.name, one.reference, one.parent, one.at, one.members)


def by_address(key: bytes, members: list[UUID]) -> AccountShown:
    """A household that nobody declared: its id follows from the address."""
    return AccountShown(derive("household", key.hex()), "household", "", None, None, None, len(members), "address")


async def view(dependencies: Dependencies, connection: Connection, id_: UUID, role: str) -> AccountView:
    """An account with its people; a household may also be one of a shared address. Raises a 404 problem."""
    account = await table.one(connection, id_)
    if account is None:
        for key, living in await table.at_one_address(connection, 10_000):
            if derive("household", key.hex()) == id_:
                seen = await _views(dependencies, living, role)
                people = [_member(view, ["member"], None, id_) for view in seen]
                return AccountView(by_address(key, living), [], [], people, folded(seen))
        raise not_found("No account has this id.")
    above: list[AccountShown] = []
    up = account.parent
    while up is not None and (parent := await table.one(connection, up)) is not None and len(above) < 20:
        above.append(shown(parent))
        up = parent.parent
    members = await table.members(connection, await table.tree(connection, id_))
    seen = await _views(dependencies, list(dict.fromkeys(member.customer for member in members)), role)
    people = []
    for one in seen:
        his = [member for member in members if member.customer == one.customer_id]
        people.append(_member(one, sorted({member.role for member in his}), min(member.since for member in his), his[0].account))
    return AccountView(shown(account), above, [shown(child) for child in await table.below(connection, id_)], people, folded(seen))


async def _views(dependencies: Dependencies, members: list[UUID], role: str) -> list[View]:
    """The members' views as this role may see them."""
    schema, found = await dependencies.schema(), []
    for customer in members[:PER_VIEW]:
        looked = await customers.look(dependencies, schema, customer)
        if looked is not None:
            found.append(masks.view(looked.view(customer), role))
    return found


def _member(view: View, roles: list[str], since: datetime | None, account: UUID) -> MemberShown:
    return MemberShown(view.customer_id, view.name, roles, since, account, view.events, view.last_seen)
