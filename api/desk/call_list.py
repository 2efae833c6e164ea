"""The desk's list of calls that contacts want: one takes the next, calls, and says how it went; of two who ask nobody gets the same.

The same functions as the API's do the work. Reading order: Mine, add.
"""

from typing import Any, NamedTuple
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from api import access, customers, looks
from api.access import Caller
from api.answers import path_id
from api.call_list import CALLERS, end
from api.desk.forms import form
from api.desk.rendering import page
from api.desk.visitor import acting
from api.ports import Connection, Dependencies
from api.problem import invalid
from projections.contacts import handing, tasks
from projections.contacts.tasks import CALL, Task
from projections.knowledge import table as knowledge
from projections.view.contacts import latest

SHOWN = 30
ANSWERS = ("answered", "accepted", "refused", "no_answer", "wrong_number")
"""How a call went; who is to be called later again is promised it on his page."""

LONGEST_NOTE = 1_000


class Mine(NamedTuple):
    """A call that somebody has to make."""

    task: Task
    name: str
    phone: str
    script: str  # by which it is made; empty: there is none
    title: str


def add(routes: APIRouter, dependencies: Dependencies) -> None:
    """The routes of the call list."""

    @routes.get("/calls")
    async def listed(request: Request) -> Response:
        """What one has to call, and what waits for anybody: whom, is told to who takes it."""
        asking = access.staff(request, dependencies, CALLERS)
        async with dependencies.pool.connection() as connection:
            mine = [
                await _mine(request, dependencies, connection, asking, task) for task in await tasks.taken(connection, asking.name, CALL)
            ]
            found = await tasks.page(connection, SHOWN + 1, CALL, states=("open",))
            waiting = [task for task in await handing.ready(connection, dependencies.rechecks, found[:SHOWN]) if task.state == "open"]
        shown: dict[str, Any] = {"mine": mine, "waiting": waiting, "more": len(found) > SHOWN, "answers": ANSWERS}
        shown["exports"] = asking.role in access.CAMPAIGNERS
        return page(request, dependencies, "call_list.html", empty="none" in request.query_params, **shown)

    @routes.post("/calls/take")
    async def take(request: Request) -> Response:
        """Have the call that waits longest and may be made now."""
        asking = acting(request, dependencies, CALLERS)
        async with dependencies.pool.connection() as connection:
            task = await handing.take_next(connection, dependencies.rechecks, asking.name, CALL)
        return RedirectResponse(f"/calls#call-{quote(str(task.id))}" if task else "/calls?none", 303)

    @routes.post("/calls/{id}/outcome")
    async def say_outcome(request: Request) -> Response:
        """Say how it went."""
        asking = acting(request, dependencies, CALLERS)
        fields = await form(request)
        outcome = fields.get("outcome", "")
        if outcome not in ANSWERS:
            raise invalid("/outcome", "Say how it went.")
        await end(dependencies, asking, path_id(request), outcome, fields.get("note", "").strip()[:LONGEST_NOTE])
        return RedirectResponse("/calls", 303)


async def _mine(request: Request, dependencies: Dependencies, connection: Connection, asking: Caller, task: Task) -> Mine:
    customer, looked = await customers.looked(dependencies, connection, task.customer_id)
    await looks.note(request, connection, asking, customer, "call-list")
    scripts = await knowledge.scripts(connection, offer=task.contact)
    script = (scripts[0].script.name, scripts[0].script.title) if scripts else ("", "")
    if looked is None:
        return Mine(task, "", "", *script)
    return Mine(task, looked.view(customer).name.display, latest(looked.state.contacts, "phone"), *script)
