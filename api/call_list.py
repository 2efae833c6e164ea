"""Calls that a contact wants, for agents to pull; and what is to be offered to whoever is on the line.

Reading order: TaskShown, router, end.
"""

import csv
import io
from collections.abc import AsyncIterator, Collection
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request, Response
from starlette.responses import StreamingResponse

from aggregates.access import Role
from api import access, body, cursor, customers, looks, openapi, query, witnessing
from api.access import Caller
from api.answers import json, path_id
from api.decoding import decoded
from api.ports import Connection, Dependencies
from api.problem import Problem, not_found
from api.visibility import settled
from projections.contacts import belonging, handing, tasks
from projections.contacts.handing import Again
from projections.contacts.tasks import CALL, CHANNELS, Task
from projections.identity import table as identity
from projections.view import table as views
from projections.view.contacts import latest

STATES = ("open", "taken", "done")
CALLERS: tuple[Role, ...] = ("agent", "supervisor", "marketer", "admin")
PIECE = 500
COLUMNS = ("id", "customer_id", "phone", "rule", "contact", "purpose", "created", "state", "taken_by", "outcome", "note")


HowItWent = Literal["answered", "accepted", "refused", "no_answer", "wrong_number", "later"]


class TaskShown(msgspec.Struct):
    """Something that a person is to do for a customer."""

    id: UUID
    customer_id: UUID
    channel: str  # call, agent_offer, partner_visit, in_app
    rule: str
    contact: str
    purpose: str
    signal: UUID
    created: datetime
    state: Literal["open", "taken", "done"]
    taken_by: str | None
    outcome: str | None
    note: str | None


class TaskList(msgspec.Struct):
    """Tasks, the oldest first."""

    items: list[TaskShown]
    next: str | None = None


class CallOutcome(msgspec.Struct, forbid_unknown_fields=True):
    """How it went."""

    outcome: HowItWent
    note: Annotated[str, msgspec.Meta(max_length=1000, pattern=r"^[^\x00]*$")] = ""


FACTS = {
    "answered": "contact.answered",
    "accepted": "contact.answered",
    "refused": "contact.refused",
    "wrong_number": "contact.refused",
}
"""What an outcome says of the contact; others say nothing of it."""

ID = openapi.parameter("id", openapi.UUID, "The call.", where="path")
CHANNEL = openapi.parameter("channel", {"type": "string", "enum": list(CHANNELS), "default": CALL}, "What kind of task.")
STATE = openapi.parameter("state", {"type": "string", "enum": list(STATES)}, "Only those in this state. Without it: all that are not done.")
FREE = openapi.parameter("state", {"type": "string", "enum": list(STATES), "default": "open"}, "Those in this state.")
BOM = openapi.parameter("bom", {"type": "boolean", "default": False}, "Begin with a byte order mark, by which Excel knows UTF-8.")


def router(dependencies: Dependencies) -> APIRouter:
    """The routes of the call list."""
    routes = APIRouter(tags=["contacts"])

    @routes.get(
        "/v1/call-list",
        openapi_extra=openapi.described(
            'curl -u "$AGENT:" "$YEKTA/v1/call-list?state=open"',
            TaskList,
            422,
            503,
            504,
            parameters=[STATE, CHANNEL, openapi.CURSOR, openapi.LIMIT, openapi.AFTER],
        ),
    )
    async def call_list(request: Request) -> Response:
        """What is to be called, the oldest first; without what must not be called any more."""
        access.staff(request, dependencies, CALLERS)
        await settled(request, dependencies)
        limit = query.limit(request)
        channel = query.choice(request, "channel", CHANNELS) or CALL
        after = cursor.place(query.text(request, "cursor"))
        asked = query.choice(request, "state", STATES)
        states = ("open", "taken") if asked is None else (asked,)
        async with dependencies.pool.connection() as connection:
            found = await tasks.page(connection, limit + 1, channel, states=states, after=after)
            shown = found[:limit]
            standing = await handing.looked(connection, dependencies.rechecks, shown)
        following = cursor.token(shown[-1].created, shown[-1].id) if len(found) > limit else None
        return json(TaskList([task_shown(task) for task in standing if task.state in states], following))

    @routes.get(
        "/v1/call-list.csv",
        openapi_extra=openapi.described(
            'curl -u "$ADMIN:" $YEKTA/v1/call-list.csv', {"type": "string"}, 422, 503, parameters=[FREE, CHANNEL, BOM], media="text/csv"
        ),
    )
    async def call_list_as_csv(request: Request) -> StreamingResponse:
        """What is open and may be called now, for a dialler or a spreadsheet, with the phone met last; what is taken or done by its state.

        Before what begins like a formula stands a '.
        """
        asking = access.staff(request, dependencies, access.CAMPAIGNERS)
        channel = query.choice(request, "channel", CHANNELS) or CALL
        marked = query.choice(request, "bom", ("true", "false", "1", "0")) in ("true", "1")
        lines = _lines(request, dependencies, asking, channel, query.choice(request, "state", STATES) or "open", marked=marked)
        return StreamingResponse(lines, media_type="text/csv", headers={"Content-Disposition": 'attachment; filename="call-list.csv"'})

    @routes.post(
        "/v1/call-list/take",
        openapi_extra=openapi.described('curl -u "$AGENT:" -X POST $YEKTA/v1/call-list/take', TaskList, 422, 503, parameters=[CHANNEL]),
    )
    async def take_next(request: Request) -> Response:
        """Take the call that waits longest and may be made now: of all who ask, one gets it. No items: nothing waits."""
        asking = access.staff(request, dependencies, CALLERS)
        channel = query.choice(request, "channel", CHANNELS) or CALL
        async with dependencies.pool.connection() as connection:
            task = await handing.take_next(connection, dependencies.rechecks, asking.name, channel)
        return json(TaskList([task_shown(task)] if task else []))

    @routes.post(
        "/v1/call-list/{id}/take",
        openapi_extra=openapi.described(
            'curl -u "$AGENT:" -X POST $YEKTA/v1/call-list/$CALL/take', TaskShown, 404, 409, 503, parameters=[ID]
        ),
    )
    async def take_this(request: Request) -> Response:
        """Take this call, if it may still be made. After an hour in which nothing was said of it another may."""
        asking = access.staff(request, dependencies, CALLERS)
        id_ = path_id(request)
        async with dependencies.pool.connection() as connection:
            task = await tasks.one(connection, id_)
            if task is None:
                raise not_found("No call has this id.")
            taken = await handing.take(connection, dependencies.rechecks, asking.name, task)
            if taken is None:  # perhaps only since it was read
                raise _others(await tasks.one(connection, id_) or task)
        if isinstance(taken, Again):
            raise _not_now(taken)
        return json(task_shown(taken))

    @routes.post(
        "/v1/call-list/{id}/outcome",
        openapi_extra=openapi.described(
            """curl -u "$AGENT:" $YEKTA/v1/call-list/$CALL/outcome -d '{"outcome": "no_answer"}'""",
            TaskShown,
            *openapi.BODY,
            404,
            409,
            503,
            parameters=[ID],
            body=openapi.json_body(CallOutcome, {"outcome": "no_answer"}),
        ),
    )
    async def say_outcome(request: Request) -> Response:
        """Say how it went; the call is off the list then, and the customer's answer is a fact. Said again, it is answered the same."""
        asking = access.staff(request, dependencies, CALLERS)
        said = decoded(await body.read(request), CallOutcome)
        return json(task_shown(await end(dependencies, asking, path_id(request), said.outcome, said.note)))

    @routes.get(
        "/v1/customers/{id}/offers",
        openapi_extra=openapi.described(
            'curl -u "$AGENT:" $YEKTA/v1/customers/$CUSTOMER/offers', TaskList, 404, 422, 503, 504, parameters=[customers.ID, openapi.AFTER]
        ),
    )
    async def offers(request: Request) -> Response:
        """What may be offered to a customer now, and what he is to be called for. What is shown here counts as offered."""
        access.staff(request, dependencies, CALLERS)
        await settled(request, dependencies)
        async with dependencies.pool.connection() as connection:
            customer = await customers.present(connection, await dependencies.schema(), path_id(request))
            found = await tasks.open_of(connection, await belonging.merged(connection, customer))
            shown = await handing.offered(connection, dependencies.rechecks, found)
        return json(TaskList([task_shown(task) for task in shown]))

    return routes


async def end(dependencies: Dependencies, asking: Caller, id_: UUID, outcome: str, note: str) -> Task:
    """Take a task off the list, and tell the log what the customer answered: of the contact, so of whoever he is now. Raises problems."""
    async with dependencies.pool.connection() as connection:
        ended = await handing.end(connection, id_, asking.name, outcome, note)
        if ended is None:
            task = await tasks.one(connection, id_)
            if task is None:
                raise not_found("No call has this id.")
            if (task.state, task.taken_by, task.outcome, task.note) != ("done", asking.name, outcome, note):
                raise _others(task)
            ended = task  # he said so before, and did not hear the answer
    if (type_ := FACTS.get(outcome)) is not None:
        answer = {"signal": str(ended.signal), "channel": ended.channel, "contact": ended.contact, "reason": note}
        answer = {name: value for name, value in answer.items() if value}
        await witnessing.tell(dependencies, f"outcome.{ended.id}", type_, {}, answer)
    return ended


def task_shown(task: Task) -> TaskShown:
    """The task as the API says it."""
    return TaskShown(
        task.id,
        task.customer_id,
        task.channel,
        task.rule,
        task.contact,
        task.purpose,
        task.signal,
        task.created,
        task.state,  # type: ignore[arg-type]  # the table checks it
        task.taken_by or None,
        task.outcome or None,
        task.note or None,
    )


def _others(task: Task) -> Problem:
    if task.state == "done":
        return Problem(409, "already_done", f"It is done: {task.outcome}.")
    return Problem(409, "already_taken", f"{task.taken_by} has it.", mend="Take another one.")


def _not_now(again: Again) -> Problem:
    if again.result == "silent":
        return Problem(409, "not_to_be_made", f"This contact must not be made any more: {again.reason}.", mend="Take another one.")
    return Problem(409, "has_to_wait", f"This contact has to wait: {again.reason}.", mend="Take another one.")


async def _lines(
    request: Request, dependencies: Dependencies, asking: Caller, channel: str, state: str, *, marked: bool
) -> AsyncIterator[str]:
    yield ("\ufeff" if marked else "") + _line(COLUMNS)
    after: tuple[datetime, UUID] | None = None
    while True:
        schema = await dependencies.schema()  # before a connection is held: it may need one itself
        async with dependencies.pool.connection() as connection:
            found = await tasks.page(connection, PIECE, channel, states=(state,), after=after)
            standing = [task for task in await handing.ready(connection, dependencies.rechecks, found) if task.state == state]
            phones = await _phones(connection, schema, {task.customer_id for task in standing})
        async with dependencies.pool.connection() as connection:
            await looks.note_all(request, connection, asking, [customer for customer, phone in phones.items() if phone], "call-list")
        for task in standing:
            told = task._asdict() | {"phone": phones[task.customer_id]}
            yield _line([_cell(told[column]) for column in COLUMNS])
        if len(found) < PIECE:
            return
        after = (found[-1].created, found[-1].id)


async def _phones(connection: Connection, schema: str, customers: Collection[UUID]) -> dict[UUID, str]:
    """At which number each is reached, whoever he turned out to be since; empty: none is known."""
    became = {customer: customer for customer in customers}
    states = await views.load(connection, schema, customers)
    for gone in became.keys() - states.keys():
        became[gone] = await identity.successor(connection, gone) or gone
    states |= await views.load(connection, schema, set(became.values()) - states.keys())
    return {customer: latest(states[now].contacts, "phone") if now in states else "" for customer, now in became.items()}


def _cell(value: object) -> str:
    """A cell that no spreadsheet takes for a formula."""
    text = value.isoformat() if isinstance(value, datetime) else str(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _line(cells: object) -> str:
    written = io.StringIO()
    csv.writer(written).writerow(cells)  # type: ignore[arg-type]  # any iterable
    return written.getvalue()
