"""The desk's addresses: search at `/`, a customer's page, signing in and out. Every page is whole without any script.

Whatever goes wrong below a route becomes a page that says what to do, in the reader's language. Reading order: router, DeskRoute.
"""

import re
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, cast

import psycopg
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import HTTPException, RequestValidationError
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute
from psycopg_pool import PoolTimeout
from starlette.exceptions import HTTPException as Unserved

from aggregates.sealing import KeyDestroyed
from api import access, query, session
from api.answering import write_down
from api.answers import path_id
from api.desk import (
    accounts,
    besides,
    board,
    call_list,
    calling,
    contacting,
    dead_letters,
    identity,
    knowledge,
    live,
    marketing,
    models,
    provided,
    rating,
    requests,
    service_request,
    sources,
    unsubscribing,
)
from api.desk.catalog import LANGUAGES
from api.desk.forms import form
from api.desk.locale import COOKIE
from api.desk.looking import look, met
from api.desk.rendering import HEADERS, locale_of, page, static
from api.desk.visitor import enter, from_here, way_back
from api.ports import Dependencies
from api.problem import Problem, erased, not_found
from api.visibility import settled
from api.watching import Watching
from projections.calls import table as seats
from projections.churn import reading as churn
from projections.erasure import table as erasure
from projections.search import table as searching
from projections.service import table as service
from projections.view import table as views

FOUND = 20
LONGEST = 200
"""So many characters are searched for."""

MINE = 8
YEAR = 365 * 86_400
COMMAND = "yekta keys create --role agent"


def router(dependencies: Dependencies) -> APIRouter:
    """The routes of the desk."""
    watching = Watching(dependencies)
    routes = APIRouter(route_class=_route_class(dependencies), include_in_schema=False)

    @routes.get("/")
    async def home(request: Request) -> Response:
        """The search, and what it found; a one-time token in the address opens the desk."""
        token = query.text(request, "token")
        if token is not None:
            return await _entered(request, dependencies, token, "/", "sign_in.spent")
        asking = access.staff(request, dependencies, access.EVERYONE)
        words, unreadable = query.words(request, "q", LONGEST)
        found = await _found(dependencies, words) if words and not unreadable else None
        locale = locale_of(request, dependencies)
        seat = await desk_at(dependencies, asking)
        before, _, after = locale.say("search.hint", key="\0").partition("\0")
        return page(
            request,
            dependencies,
            "home.html",
            422 if unreadable else 200,
            query=words,
            unreadable=unreadable,
            longest=LONGEST,
            found=None if found is None else found[:FOUND],
            more=found is not None and len(found) > FOUND,
            hint=(before, after),
            at_home=found is None,
            **seat,
        )

    @routes.get("/customers/{id}")
    async def customer(request: Request) -> Response:
        """All of one customer."""
        asking = access.staff(request, dependencies, access.EVERYONE)
        await settled(request, dependencies)
        values = await look(request, dependencies, path_id(request), asking)
        return page(request, dependencies, "customer.html", **values)

    @routes.get("/customers/{id}/score")
    async def score(request: Request) -> Response:
        """How a customer's score went, as a line and as a table."""
        asking = access.staff(request, dependencies, access.INSIDE)
        async with dependencies.pool.connection() as connection:
            id_, name = await met(request, dependencies, connection, asking, "score")
            points = await churn.history(connection, id_, query.text(request, "model", 64) or "churn")
        return page(request, dependencies, "score.html", id=id_, name=name, points=points, line=plotted(points))

    @routes.get("/customers/{id}/live")
    async def customer_live(request: Request) -> Response:
        """What changes on a customer's page, for as long as it is open."""
        asking = access.staff(request, dependencies, access.INSIDE)
        return await live.stream(request, dependencies, watching, path_id(request), asking.role)

    calling.add(routes, dependencies, watching)
    requests.add(routes, dependencies)
    service_request.add(routes, dependencies)
    knowledge.add(routes, dependencies)
    board.add(routes, dependencies)
    call_list.add(routes, dependencies)
    rating.add(routes, dependencies)
    unsubscribing.add(routes, dependencies)
    sources.add(routes, dependencies)
    identity.add(routes, dependencies)
    accounts.add(routes, dependencies)
    provided.add(routes, dependencies, lambda request, wanted, wrong, status: _sign_in(request, dependencies, wanted, wrong, status))
    dead_letters.add(routes, dependencies)
    marketing.add(routes, dependencies, watching)
    contacting.add(routes, dependencies)
    models.add(routes, dependencies)

    @routes.post("/sign-in")
    async def sign_in(request: Request) -> Response:
        """A staff token becomes a session."""
        from_here(request)
        fields = await form(request)
        return await _entered(request, dependencies, fields.get("token", "").strip(), way_back(fields.get("back", "/")), "sign_in.wrong")

    @routes.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        """The browser forgets its session."""
        from_here(request)
        answer = RedirectResponse("/", 303, HEADERS)
        session.close_session(answer)
        return answer

    @routes.post("/language")
    async def language(request: Request) -> Response:
        """The language of every page from now on."""
        from_here(request)
        fields = await form(request)
        answer = RedirectResponse(way_back(fields.get("back", "/")), 303, HEADERS)
        if fields.get("language") in LANGUAGES:
            answer.set_cookie(COOKIE, fields["language"], max_age=YEAR, samesite="lax", secure=request.url.scheme == "https", httponly=True)
        return answer

    @routes.get("/desk/{version}/{name}")
    async def desk_asset(version: str, name: str) -> Response:
        """Style, script and icons."""
        found = static(name, version)
        if found is None:
            raise not_found("There is no such asset.")
        return found

    return routes


async def desk_at(dependencies: Dependencies, asking: access.Caller) -> dict[str, Any]:
    """What an idle desk shows: the agent's extension, what he has to see to, and what nobody sees to."""
    if asking.role not in access.SERVICE:
        return {"seated": False}
    now = dependencies.clock()
    async with dependencies.pool.connection() as connection:
        extension = await seats.extension_of(connection, asking.name)
        rows = await service.page(connection, service.Filter(owner=asking.name), now, None, MINE, live=True)
        queues = await service.board(connection, "queue", now)
    return {
        "seated": True,
        "extension": extension,
        "mine": [besides.line(row.request, now) for row in rows],
        "unowned": sum(queue.unowned for queue in queues),
        "late": sum(queue.late for queue in queues),
    }


def plotted(points: Sequence[churn.Point]) -> str:
    """The points of a line in a box of 100 by 100, time along and score up; a score stands until the next one is given."""
    if len(points) < 2:
        return ""
    begin, end = points[0].at.timestamp(), points[-1].at.timestamp()
    long = end - begin or 1.0
    line, before = [], points[0].score
    for point in points:
        along = f"{100 * (point.at.timestamp() - begin) / long:.2f}"
        line += [f"{along},{100 - 100 * before:.2f}", f"{along},{100 - 100 * point.score:.2f}"]
        before = point.score
    return " ".join(line)


async def _found(dependencies: Dependencies, words: str) -> list[searching.Found]:
    schema = await dependencies.schema()
    async with dependencies.pool.connection() as connection:
        found = await views.find(connection, schema, words, FOUND + 1)
        if not found and (gone := await erasure.of_words(connection, words)):
            raise erased(gone)
    return found


async def _entered(request: Request, dependencies: Dependencies, token: str, wanted: str, wrong: str) -> Response:
    """The desk opens by itself from a page of its own: a redirect from another site's link would come without the new cookie."""
    entered = await enter(token, dependencies)
    if entered is None:
        return _sign_in(request, dependencies, wanted, wrong, 403)
    answer = page(request, dependencies, "opening.html", wanted=wanted, back=wanted, visitor=None)
    session.open_session(request, answer, *entered, dependencies.secrets)
    return answer


def _sign_in(request: Request, dependencies: Dependencies, wanted: str, wrong: str | None, status: int, sent: bool = False) -> Response:
    about = locale_of(request, dependencies).say("sign_in.about", command="\0").partition("\0")
    return page(
        request,
        dependencies,
        "sign_in.html",
        status,
        wanted=wanted,
        wrong=wrong,
        about=about[::2],
        provider=dependencies.provider.name if dependencies.provider else "",
        command=COMMAND,
        back=wanted,
        untaken=sent,
        visitor=None,
    )


_OF_ONE = re.compile(r"/(?:customers|rules|segments|requests)/[^/]+")

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
Answering = Callable[[Request, Exception], Coroutine[Any, Any, Response]]


def _route_class(dependencies: Dependencies) -> type[APIRoute]:
    """Routes whose failures are pages."""

    class DeskRoute(APIRoute):
        def get_route_handler(self) -> Handler:
            handle = super().get_route_handler()

            async def handled(request: Request) -> Response:
                try:
                    return await handle(request)
                except Problem as problem:
                    return _failed(request, dependencies, problem.body.status, problem.reason, problem)
                except KeyDestroyed:
                    return _failed(request, dependencies, 410, "erased")
                except (psycopg.OperationalError, PoolTimeout):
                    return _failed(request, dependencies, 503, "unavailable")
                except (HTTPException, RequestValidationError):
                    raise
                except Exception as error:  # noqa: BLE001 - who looks at a page is told on a page
                    write_down(error)
                    return _failed(request, dependencies, 500, "unexpected")

            return handled

    return DeskRoute


def told_on_pages(app: FastAPI, dependencies: Dependencies) -> None:
    """Whoever follows a wrong address in a browser is told so on a page; what asks the API is answered as ever."""
    answered = cast("Answering", app.exception_handlers[Unserved])

    async def nowhere(request: Request, error: Exception) -> Response:
        path = request.url.path
        browsed = request.method == "GET" and "text/html" in request.headers.get("accept", "") and not path.startswith("/v1/")
        if not (browsed and isinstance(error, Unserved) and error.status_code in (404, 405)):
            return await answered(request, error)
        values = {"error": "error.404.other", "again": "", "receipt": "", "erased": "", "field": "", "said": ""}
        return page(request, dependencies, "problem.html", error.status_code, **values)

    app.add_exception_handler(Unserved, nowhere)


def _failed(request: Request, dependencies: Dependencies, status: int, reason: str, problem: Problem | None = None) -> Response:
    """The page for what went wrong; without a session, the one to sign in on. Of who was erased it names the receipt."""
    pointer, receipt = (problem.body.pointer or "", problem.body.receipt or "") if problem is not None else ("", "")
    locale = locale_of(request, dependencies)
    sent = request.method != "GET"
    wanted = "/" if sent else way_back(request.url.path + (f"?{request.url.query}" if request.url.query else ""))
    if request.url.path.endswith("/live"):
        return Response(status_code=status, headers=HEADERS)
    if status == 401:
        return _sign_in(request, dependencies, wanted, "sign_in.again" if sent or reason == "session_over" else None, 401, sent)
    told = (reason, "form" if sent and status in (400, 413, 422) else str(status))  # an address that is wrong, or what was typed
    error = next((f"error.{name}" for name in told if locale.knows(f"error.{name}")), "error.other")
    if status == 409 and (whose := _OF_ONE.match(request.url.path)):
        wanted = whose[0]
    if status == 404 and not request.url.path.startswith("/customers/"):
        error = "error.404.other"
    said = problem.body.detail if problem is not None and problem.headers.get("Content-Language") == locale.language else ""
    forgotten = request.path_params.get("id", "") if receipt else ""
    number = receipt.rpartition("/")[2]
    return page(
        request,
        dependencies,
        "problem.html",
        status,
        error=error,
        said=said,
        again="error.look" if status == 409 else "error.again" if status >= 500 else "",
        back=wanted,
        receipt=number,
        erased=forgotten,
        untaken=sent,
        field=pointer.removeprefix("/"),
    )
