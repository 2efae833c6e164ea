"""One service request on the desk: how it stands, all that happened to it, and whatever may be done with it in its state.

Each act is a form of its own and works without any script; a key presses it. Reading order: ACTS, add, _shown.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from aggregates.normal import persian
from aggregates.service_request.deciding import Command
from aggregates.service_request.request import Request as ServiceRequest
from api import access, customers, looks, requesting
from api.access import Caller
from api.answers import path_id
from api.commands import Key
from api.desk import besides
from api.desk.forms import due, form
from api.desk.locale import Locale
from api.desk.refusals import explained
from api.desk.rendering import HEADERS, locale_of, page
from api.desk.visitor import acting
from api.ports import Connection, Dependencies
from api.problem import Problem
from projections.knowledge import table as knowledge
from projections.service import table
from projections.service.table import Filter, Row
from projections.view.answer import View

ACTS: dict[str, tuple[str, ...]] = {
    "new": ("note", "resolve", "escalate", "cancel"),
    "open": ("wait", "note", "resolve", "escalate", "cancel"),
    "reopened": ("wait", "note", "resolve", "escalate", "cancel"),
    "waiting": ("resume", "note", "resolve", "cancel"),
    "resolved": ("close", "reopen", "note"),
    "closed": ("reopen",),
}
"""What is offered in each state beside the note, the likeliest first; before all of it taking what is live and nobody's."""

KEYS = {"take": "t", "note": "n", "resolve": "r", "escalate": "e", "wait": "w", "resume": "g", "close": "c", "reopen": "o"}
"""One key for what is done often; cancelling has none, for it is not taken back."""

SUGGESTED = 5
OTHERS = 20


class Past(NamedTuple):
    """One thing that happened to a request."""

    at: Any
    title: str
    by: str
    text: str


def add(routes: APIRouter, dependencies: Dependencies) -> None:
    """The routes of one request."""

    @routes.get("/requests/{id}")
    async def one(request: Request) -> Response:
        """A request, all that happened to it, what may be done with it, and the articles that may help."""
        return await _shown(request, dependencies, access.staff(request, dependencies, access.INSIDE))

    @routes.post("/requests/{id}/{verb}")
    async def act(request: Request) -> Response:
        """Do something with a request; why it cannot be done is said on its page."""
        asking = acting(request, dependencies, access.SERVICE)
        fields, id_, verb = await form(request), path_id(request), request.path_params["verb"]
        draft = fields.get("draft", "")
        key = Key(f"{asking.name}\x1f{draft} {verb} {fields.get('promise_id', '')}", f"{id_} {verb}".encode()) if draft else None
        try:
            await requesting.act(dependencies, asking, id_, verb, await _command(dependencies, fields), key)
        except Problem as problem:
            if problem.body.status not in {409, 422}:
                raise
            return await _shown(request, dependencies, asking, problem, fields)
        return RedirectResponse(f"/requests/{id_}", 303, HEADERS)


async def _command(dependencies: Dependencies, fields: dict[str, str]) -> Command:
    """What a form says; a duplicate is named by the number that people call it by."""
    into = None
    if number := persian.plain(fields.get("into", "")).lstrip("#"):
        async with dependencies.pool.connection() as connection:
            into = await table.numbered(connection, number)
        if into is None:
            raise Problem(422, "not_found", f"No request has the number {number}.", pointer="/into")
    return Command(
        note=fields.get("note", "")[:10_000],
        article_id=_id(fields.get("article")),
        owner=fields["owner"].strip()[:256] if "owner" in fields else None,
        queue=fields.get("queue", "").strip()[:256] or None,
        promise=fields.get("promise", "")[:10_000],
        promise_id=fields.get("promise_id", "")[:256],
        due=due(fields.get("due", ""), ZoneInfo(dependencies.zone)),
        into=into,
    )


async def _shown(
    request: Request, dependencies: Dependencies, asking: Caller, wrong: Problem | None = None, typed: Mapping[str, str] | None = None
) -> Response:
    id_, locale, now = path_id(request), locale_of(request, dependencies), dependencies.clock()
    async with dependencies.pool.connection() as connection:
        row = await requesting.load(connection, id_)
        shown, name, others, context = row.request, "", [], ""
        if row.customer is not None:
            await looks.note(request, connection, asking, row.customer, f"request {shown.number}")
            others = await _others(connection, row, now)
            looked = await customers.look(dependencies, await dependencies.schema(), row.customer)
            if looked is not None:
                view = looked.view(row.customer)
                name, context = view.name.display, _context(view, others)
        articles = await knowledge.suggest(connection, f"{shown.title} {shown.category} {shown.note}", context, SUGGESTED)
        scripts = await knowledge.scripts(connection, reason=shown.category) if shown.category else []
        agents = [one.name for one in await table.board(connection, "owner", now) if one.name]
    events = requesting.history(await dependencies.decisions.load(id_))
    may_act = asking.role in access.SERVICE and not (shown.cancelled or shown.merged_into)
    return page(
        request,
        dependencies,
        "request.html",
        200 if wrong is None else wrong.body.status,
        shown=shown,
        customer=row.customer,
        name=name,
        wrong=None if wrong is None else _refused(wrong, locale),
        at="" if wrong is None else _field(wrong, may_act and shown.live, may_act),
        typed=typed or {},
        past=[_past(event, locale) for event in events],
        acts=(*(("take",) if shown.live and not shown.owner else ()), *ACTS[shown.state]) if may_act else (),
        keys=KEYS,
        live=may_act and shown.live,
        others=others,
        agents=sorted({*agents, asking.name}),
        articles=articles,
        scripts=[standing.script for standing in scripts],
        line=besides.line(shown, now),
        draft=str(uuid4()),
        back=f"/requests/{id_}",
    )


def _refused(problem: Problem, locale: Locale) -> str:
    """Why it was not done, in the reader's language."""
    return locale.say("error.no_date") if problem.reason == "no_date" else explained(problem.body.detail, locale)


def _field(problem: Problem, live: bool, may_act: bool) -> str:
    """Which field of the page is wrong; empty where none of those that are shown is."""
    field = (problem.body.pointer or "").removeprefix("/")
    return field if (live and field in ("promise", "due", "owner", "into")) or (may_act and field == "note") else ""


def _context(view: View, others: Sequence[ServiceRequest]) -> str:
    """The words of what else goes on with him: what he has, what he is interested in, what else he asked."""
    words = [subscription.plan for subscription in view.subscriptions] + [lead.interest for lead in view.open.leads]
    return " ".join([*words, *(f"{other.title} {other.category}" for other in others)])


async def _others(connection: Connection, row: Row, now: Any) -> list[ServiceRequest]:
    """What else of his is open: of that this one may be a duplicate."""
    rows = await table.page(connection, Filter(customer=row.customer), now, None, OTHERS, live=True)
    return [other.request for other in rows if other.request.id != row.request.id]


def _past(event: Any, locale: Locale) -> Past:
    tag = str(event.__struct_config__.tag)
    texts: Sequence[Any] = [getattr(event, name, "") for name in ("note", "text", "reason", "into_number", "other_number")]
    score = getattr(event, "score", None)
    text = locale.say("request.score", score=locale.number(score)) if score else next((str(text) for text in texts if text), "")
    text = locale.word("escalated", text) if tag.endswith("escalated") else text
    if not text and (owner := getattr(event, "owner", "")):
        text = f"{locale.say('field.owner')}: \u2068{owner}\u2069"
    return Past(event.at, locale.word("type", tag), event.by, text)


def _id(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
