"""Where a customer ends what he gets: a page of his own without signing in, by the address that a contact brought him.

A look at the page says nothing; only a press of its button does, or the mail program that presses it for him (RFC 8058), so that
whatever fetches links ahead ends nothing. Reading order: add.
"""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from aggregates import unsubscribing
from api import customers, requesting, witnessing
from api.answers import path_id
from api.desk.rendering import page
from api.ports import Connection, Dependencies
from api.problem import not_found
from projections.contacts import decisions
from projections.contacts.decisions import Decision
from projections.view.contacts import latest

BY = {"email": "email"}
"""By which identifier a channel reaches him, where it is not the phone."""


def add(routes: APIRouter, dependencies: Dependencies) -> None:
    """The routes of unsubscribing."""

    @routes.get("/unsubscribe/{id}/{channel}/{signature}")
    async def asked(request: Request) -> Response:
        """The question."""
        async with dependencies.pool.connection() as connection:
            contact = await _contact(connection, request, dependencies)
        return _page(request, dependencies, contact)

    @routes.post("/unsubscribe/{id}/{channel}/{signature}")
    async def ended(request: Request) -> Response:
        """He takes his consent back, as if a channel had told of it: answered once the log has it. Twice in a second it is said once."""
        channel = str(request.path_params["channel"])
        async with dependencies.pool.connection() as connection:
            contact = await _contact(connection, request, dependencies)
            who = await _who(connection, dependencies, contact.customer_id, channel)
        data = {"purpose": contact.purpose, "channels": [channel], "evidence": f"the address in contact {contact.signal}"}
        id_ = f"unsubscribe.{contact.signal}.{int(dependencies.clock().timestamp())}"
        await witnessing.tell(dependencies, id_, unsubscribing.CONTRACT, who, data)
        return _page(request, dependencies, contact, done=True)


async def _contact(connection: Connection, request: Request, dependencies: Dependencies) -> Decision:
    """The contact that the address came with; of one that went with an erasure nothing is said to whoever has the address."""
    id_, channel, signature = path_id(request), str(request.path_params["channel"]), str(request.path_params["signature"])
    if unsubscribing.opens(id_, channel, signature, dependencies.secrets):
        found = await decisions.about(connection, id_)
        if found is not None:
            return found
    raise not_found("There is nothing to end here.")


async def _who(connection: Connection, dependencies: Dependencies, customer: UUID, channel: str) -> dict[str, object]:
    """By the address at which he was reached, so that what he said goes with it."""
    customer, looked = await customers.looked(dependencies, connection, customer)
    kind = BY.get(channel, "phone")
    value = latest(looked.state.contacts, kind) if looked is not None else ""
    return {kind: value} if value else await requesting.identifier_of(dependencies, connection, customer)


def _page(request: Request, dependencies: Dependencies, contact: Decision, *, done: bool = False) -> Response:
    shown = {"way": request.path_params["channel"], "purpose": contact.purpose, "done": done}
    return page(request, dependencies, "unsubscribing.html", visitor=None, **shown)
