"""The desk while the phone rings: who it is, what is written down of the call, and what goes on from it.

Every form can be sent twice: its draft has an id, and what is told twice under it happened once. Reading order: add, pop, dock.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import msgspec
from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from markupsafe import Markup

from aggregates.normal.persian import plain
from aggregates.sealing import text
from aggregates.service_request.deciding import NewRequest
from api import access, calls, customers, looks, position, query, requesting, uniting, witnessing
from api.answers import json, path_id
from api.calls import WrapUp, wrap_up
from api.commands import Key
from api.desk import live
from api.desk.call import call_id
from api.desk.forms import due, form
from api.desk.refusals import explained
from api.desk.rendering import HEADERS, locale_of, page
from api.desk.visitor import acting
from api.ports import Connection, Dependencies
from api.problem import Problem, invalid, not_found
from api.visibility import settled
from api.watching import Watching
from projections.calls import table

SEEN = 5.0
"""How long a page waits for what it was just told to be visible."""


def add(routes: APIRouter, dependencies: Dependencies, watching: Watching) -> None:
    """The routes of calls and of the dock."""

    @routes.get("/pop")
    async def pop(request: Request) -> Response:
        """Fills the desk for a number or a call: the customer, a choice of several, or the form for a new one."""
        access.staff(request, dependencies, access.INSIDE)
        await settled(request, dependencies)
        return await _pop(request, dependencies)

    @routes.get("/live")
    async def desk_live(request: Request) -> Response:
        """Calls for a desk at which nobody is shown."""
        asking = access.staff(request, dependencies, access.EVERYONE)
        return await live.waiting(request, dependencies, watching, asking)

    @routes.post("/extension")
    async def extension(request: Request) -> Response:
        """At which extension the agent sits."""
        asking = acting(request, dependencies, access.EVERYONE)
        fields = await form(request)
        async with dependencies.pool.connection() as connection:
            await table.sit(connection, asking.name, plain(fields.get("extension", ""))[:64])
        return RedirectResponse("/", 303, HEADERS)

    @routes.post("/newcomers")
    async def newcomer(request: Request) -> Response:
        """Somebody of whom nothing was known: what he says of himself is a fact."""
        acting(request, dependencies, access.SERVICE)
        fields = await form(request)
        who = {kind: value for kind in ("phone", "email") if (value := fields.get(kind, "").strip())}
        if not who:
            return await _newcomer(request, dependencies, fields, locale_of(request, dependencies).say("pop.needs"))
        traits = {name: value for name in ("name", "city") if (value := fields.get(name, "").strip())}
        try:
            id_ = _of_draft(dependencies, fields, who, traits)
            at = await witnessing.tell(dependencies, id_, "profile.reported", who, {"traits": traits})
        except Problem as problem:
            if problem.body.status != 422:
                raise
            locale, wrong = locale_of(request, dependencies), problem.body
            why = Markup(" ").join([explained(wrong.detail, locale), explained(wrong.mend or "", locale)])
            return await _newcomer(request, dependencies, fields, why, wrong.pointer or "")
        await dependencies.awaiting.reached(position.offsets(at), None, SEEN)
        parameters = {"phone": who["phone"]} if "phone" in who else {"email": who["email"]}
        call = {"call": fields["call"]} if fields.get("call") else {}
        return RedirectResponse(f"/pop?{urlencode(parameters | call | {'known': '1'})}", 303, HEADERS)

    @routes.post("/customers/{id}/wrap-up")
    async def wrapping_up(request: Request) -> Response:
        """Outcome, note and promise of a call, or of a contact without one."""
        asking = acting(request, dependencies, access.SERVICE)
        fields, customer = await form(request), path_id(request)
        zone = ZoneInfo(dependencies.zone)
        promised = due(fields.get("due", ""), zone)
        if promised is not None and promised.date() < dependencies.clock().astimezone(zone).date():  # what is sent late may be for today
            raise Problem(422, "past_promise", "A promise is for a time to come.", pointer="/due")
        wanted = WrapUp(
            fields.get("outcome", ""), fields.get("note", ""), fields.get("promise", ""), promised, fields.get("draft", ""), customer
        )
        of_call = fields.get("call") or f"desk-{fields.get('draft') or uuid4()}"
        at = await wrap_up(dependencies, asking.name, of_call, _of_draft(dependencies, fields, asking.name, wanted), wanted)
        return _done(request, {"position": at}, f"/customers/{customer}?after={at}")

    @routes.post("/customers/{id}/requests")
    async def opening(request: Request) -> Response:
        """A service request for the customer."""
        asking = acting(request, dependencies, access.SERVICE)
        fields, customer = await form(request), path_id(request)
        title = fields.get("title", "").strip()
        if not title:
            raise invalid("/title", locale_of(request, dependencies).say("dock.request.title"))
        priority: Any = fields.get("priority", "normal")
        if priority not in ("urgent", "high", "normal", "low"):
            raise invalid("/priority", "There is no such priority.")
        call_ids = (fields["call"],) if fields.get("call") else ()
        wanted = NewRequest(
            title[:256], fields.get("note", "")[:10_000], fields.get("category", "")[:256], priority, "", asking.name, call_ids
        )
        draft = fields.get("draft", "")
        key = Key(f"{asking.name}\x1f{draft}", f"desk {customer}".encode()) if draft else None
        async with dependencies.pool.connection() as connection:
            who = await requesting.identifier_of(dependencies, connection, customer)
        done = await requesting.open_for(dependencies, asking, who, wanted, key)
        locale = locale_of(request, dependencies)
        said = locale.say("dock.opened", number=locale.digits(done.row.request.number))
        return _done(request, {"said": said, "number": done.row.request.number, "position": done.at}, f"/customers/{customer}")

    @routes.get("/customers/{id}/not-this-person")
    async def preview(request: Request) -> Response:
        """What would go to a new customer when the number that he called from is not his."""
        asking = access.staff(request, dependencies, access.SERVICE)
        customer = path_id(request)
        async with dependencies.pool.connection() as connection:
            go = await _calls_from(request, dependencies, connection, customer)
            divided = await uniting.split(dependencies, connection, asking, customer, go=go, dry_run=True)
            await looks.note(request, connection, asking, customer, "identity")
            looked = await customers.look(dependencies, await dependencies.schema(), customer)
        name = looked.view(customer).name.display if looked is not None else ""
        values: dict[str, Any] = {"divided": divided, "phone_value": go[0].value, "call": call_id(request)}
        return page(request, dependencies, "not_him.html", id=customer, name=name, **values)

    @routes.post("/customers/{id}/not-this-person")
    async def separate(request: Request) -> Response:
        """The number goes to a customer of its own, and the desk with it."""
        asking = acting(request, dependencies, access.SERVICE)
        fields, customer = await form(request), path_id(request)
        async with dependencies.pool.connection() as connection:
            go = [uniting.Named("phone", fields.get("phone", ""))]
            divided = await uniting.split(dependencies, connection, asking, customer, go=go, reason="not this person")
        if divided.position:
            await dependencies.awaiting.reached(position.offsets(divided.position), None, SEEN)
        parameters = {"phone": go[0].value} | ({"call": fields["call"]} if fields.get("call") else {})
        return RedirectResponse(f"/pop?{urlencode(parameters | {'known': '1'})}", 303, HEADERS)


def _of_draft(dependencies: Dependencies, fields: Mapping[str, str], *told: Any) -> str:
    """The id of what a form tells: sent again it is the same fact, and with something changed another, of the same draft."""
    draft = fields.get("draft")
    return f"{draft}-{text(dependencies.secrets.digest('body', msgspec.json.encode(told)))}" if draft else str(uuid4())


async def _pop(request: Request, dependencies: Dependencies) -> Response:
    id_ = call_id(request)
    async with dependencies.pool.connection() as connection:
        call = await table.load(connection, id_, dependencies.clock()) if id_ else None
        said = query.text(request, "phone", 64)
        number = said or (await calls.number_of(dependencies, connection, call) if call is not None else None)
        number = number if number and calls.is_number(number) else None
        found: list[UUID] = []
        if number:
            number, found = await calls.of_number(dependencies, connection, number)
        elif call is not None:
            found = await calls.customers_of(connection, call.who)
        elif (email := query.text(request, "email", 256)) is not None:
            found = await calls.of_email(dependencies, connection, email)
        elif id_ and said is None:
            raise not_found("No call has this id.")
        known = await _known(dependencies, found)
    suffix = {"by": "phone"} | ({"call": id_} if id_ else {})
    told = query.text(request, "known")  # who it is was said a moment ago: whoever owns the number now
    named = [one for one in known if (one[0] == found[0] if told else one[2])]
    if len(named) == 1:
        return RedirectResponse(f"/customers/{named[0][0]}?{urlencode(suffix)}", 303, HEADERS)
    values: dict[str, Any] = {"call": call, "call_scripts": [], "number": number or "", "draft": str(uuid4()), "suffix": urlencode(suffix)}
    if len(named) > 1:
        return page(request, dependencies, "chooser.html", candidates=named, **values)
    return page(request, dependencies, "newcomer.html", typed={}, wrong="", pointer="", **values)


async def _newcomer(request: Request, dependencies: Dependencies, fields: Mapping[str, str], wrong: str, pointer: str = "") -> Response:
    """The form again, with what is wrong and all that was typed."""
    async with dependencies.pool.connection() as connection:
        call = await table.load(connection, fields["call"], dependencies.clock()) if fields.get("call") else None
    values: dict[str, Any] = {
        "call": call,
        "call_scripts": [],
        "suffix": "",
        "number": "",
        "typed": fields,
        "wrong": wrong,
        "pointer": pointer,
        "back": "/pop",
    }
    return page(request, dependencies, "newcomer.html", 422, draft=fields.get("draft") or str(uuid4()), **values)


async def _known(dependencies: Dependencies, found: list[UUID]) -> list[tuple[UUID, str, bool, Any]]:
    """Of each his id, the first letters of his name, whether more is known of him than that he calls, and when he was met last."""
    schema, known = await dependencies.schema(), []
    for customer in found:
        looked = await customers.look(dependencies, schema, customer)
        if looked is not None:
            view = looked.view(customer)
            only_rings = set(view.channels) <= {"call"} and view.events <= 3 and not view.name.display
            initials = " ".join(f"{word[0]}." for word in view.name.display.split()[:3])
            known.append((customer, initials, not only_rings, view.last_seen))
    return known


async def _calls_from(request: Request, dependencies: Dependencies, connection: Connection, customer: UUID) -> list[uniting.Named]:
    """The number of the call, or the one named; else that by which the customer is known."""
    number = query.text(request, "phone", 64)
    id_ = call_id(request)
    if not number and id_ and (call := await table.load(connection, id_, dependencies.clock())) is not None:
        number = await calls.number_of(dependencies, connection, call)
    if not number:
        number = (await requesting.identifier_of(dependencies, connection, customer)).get("phone")
    if not number:
        raise Problem(409, "nothing_to_split", "There is no number to take away.")
    return [uniting.Named("phone", number)]


def _done(request: Request, content: dict[str, Any], back: str) -> Response:
    """JSON for the page's script; without one the page again."""
    if "application/json" in request.headers.get("accept", ""):
        return json(content, headers=dict(HEADERS))
    return RedirectResponse(back, 303, HEADERS)
