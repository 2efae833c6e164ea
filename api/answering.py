"""Lets every failure, the framework's own too, be answered as a problem, and none with a stack trace.

Reading order: install, answer.
"""

import traceback
from http import HTTPStatus
from typing import Any

import msgspec
import psycopg
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from psycopg_pool import PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from aggregates.sealing import KeyDestroyed, KeyMissing
from api.problem import MEDIA_TYPE, Problem, invalid, unavailable

DETAILS = {404: "There is nothing at this address.", 405: "What is at this address is not asked for by this method."}
"""What the framework says of a request, without the address: that may name somebody."""

log = structlog.get_logger(__name__)


def answer(problem: Problem) -> Response:
    """The HTTP answer of a problem."""
    return Response(msgspec.json.encode(problem.body), problem.body.status, problem.headers, MEDIA_TYPE)


def write_down(error: Exception) -> None:
    """Log where something failed that nobody expected, but not what: the message of an exception may hold what somebody sent."""
    frames = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)[-8:]]
    log.error("unexpected", error=type(error).__name__, frames=frames)


def install(app: FastAPI) -> None:
    """Answer whatever the routes of this app raise."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(HTTPException, _framework)
    app.add_exception_handler(RequestValidationError, _parameters)
    app.add_exception_handler(KeyDestroyed, _erased)
    app.add_exception_handler(KeyMissing, _missing)
    app.add_exception_handler(psycopg.OperationalError, _database)
    app.add_exception_handler(PoolTimeout, _database)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _unexpected)


async def _problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 - registered for this type
    return answer(error)


async def _framework(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this type
    reason = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_").replace("-", "_")
    return answer(Problem(error.status_code, reason, DETAILS.get(error.status_code, f"{error.detail}."), headers=error.headers))


async def _parameters(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this type
    first: dict[str, Any] = error.errors()[0]
    pointer = "".join(f"/{part}" for part in first["loc"])
    return answer(invalid(pointer, f"{first['msg']}."))


async def _erased(_: Request, __: Exception) -> Response:
    return answer(Problem(410, "erased", "What this was sealed with was destroyed by an erasure: it is gone for ever."))


async def _missing(_: Request, error: Exception) -> Response:
    log.critical("data_key_missing", why=str(error))
    return answer(Problem(500, "data_key_missing", str(error), mend="Ask the operator: nothing is lost that a backup has."))


async def _database(request: Request, error: Exception) -> Response:
    log.warning("database_unavailable", path=request.scope.get("route_path", request.url.path), error=type(error).__name__)
    return answer(unavailable("The read models cannot be reached; events are accepted all the same."))


async def _gone(_: Request, __: Exception) -> Response:
    """Nobody hears it; it is counted as the failure of whoever hung up, not as ours."""
    return answer(Problem(400, "unreadable", "The connection ended before the request did."))


async def _unexpected(_: Request, error: Exception) -> Response:
    write_down(error)
    return answer(Problem(500, "unexpected", "Something failed here; it was written down.", mend="Try again, then ask the operator."))
