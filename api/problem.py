"""Says what went wrong in one shape everywhere: RFC 9457 problem details, with where it is (`pointer`) and how to mend it.

Reading order: Problem, answer, install.
"""

import traceback
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
import psycopg
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from psycopg_pool import PoolTimeout
from starlette.exceptions import HTTPException

from aggregates.refusal import Refusal
from aggregates.sealing import KeyDestroyed

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 2

log = structlog.get_logger(__name__)


class Mistake(msgspec.Struct, omit_defaults=True):
    """One mistake in a text."""

    line: int
    pointer: str
    code: str
    detail: str
    suggestion: str | None = None  # the nearest valid word


class ProblemDetails(msgspec.Struct, omit_defaults=True):
    """The body of every answer that is not a success."""

    type: str  # "/problems/<reason>", a page that explains it
    title: str
    status: int
    detail: str
    pointer: str | None = None  # RFC 6901, into what was sent
    mend: str | None = None  # what to do about it
    dead_letter: str | None = None  # under which id the bytes are kept
    errors: tuple[Mistake, ...] = ()  # all that is wrong in a text that a person wrote


class Problem(Exception):
    """Raised anywhere below a route; it becomes the answer."""

    def __init__(
        self,
        status: int,
        reason: str,
        detail: str,
        *,
        pointer: str | None = None,
        mend: str | None = None,
        dead_letter: str | None = None,
        headers: Mapping[str, str] | None = None,
        errors: tuple[Mistake, ...] = (),
    ) -> None:
        super().__init__(detail)
        self.reason = reason
        self.headers = dict(headers or {})
        self.body = ProblemDetails(f"/problems/{reason}", title_of(reason), status, detail, pointer, mend, dead_letter, errors)


def title_of(reason: str) -> str:
    """`unknown_key` reads "Unknown key"."""
    return reason.replace("_", " ").capitalize()


def of_refusal(status: int, refusal: Refusal, dead_letter: str | None = None) -> Problem:
    """The problem that says why an event was refused."""
    return Problem(status, refusal.reason, refusal.detail, pointer=refusal.pointer, mend=refusal.mend, dead_letter=dead_letter)


def unauthorised() -> Problem:
    """No key, or none that we know."""
    return Problem(
        401,
        "unknown_key",
        "The request carries no key that is known here.",
        mend="Send the key as the Basic user name or as a Bearer token.",
        headers={"WWW-Authenticate": 'Basic realm="yekta", charset="UTF-8"'},
    )


def forbidden(detail: str, mend: str | None = None) -> Problem:
    """Known, but not allowed."""
    return Problem(403, "forbidden", detail, mend=mend)


def not_found(detail: str) -> Problem:
    """There is no such thing, or not for who asks."""
    return Problem(404, "not_found", detail)


def invalid(pointer: str, detail: str, mend: str | None = None) -> Problem:
    """A parameter or a body that cannot be understood."""
    return Problem(422, "invalid_request", detail, pointer=pointer, mend=mend)


def unavailable(detail: str) -> Problem:
    """Something behind the API is away for a moment."""
    return Problem(
        503, "unavailable", detail, mend="Send the same request again after a moment.", headers={"Retry-After": str(RETRY_SECONDS)}
    )


def answer(problem: Problem) -> Response:
    """The HTTP answer of a problem."""
    return Response(msgspec.json.encode(problem.body), problem.body.status, problem.headers, MEDIA_TYPE)


def write_down(error: Exception) -> None:
    """Log where something failed that nobody expected, but not what: the message of an exception may hold what somebody sent."""
    frames = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)[-8:]]
    log.error("unexpected", error=type(error).__name__, frames=frames)


def install(app: FastAPI) -> None:
    """Let every failure, the framework's own too, be answered as a problem, and none with a stack trace."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(HTTPException, _framework)
    app.add_exception_handler(RequestValidationError, _parameters)
    app.add_exception_handler(KeyDestroyed, _erased)
    app.add_exception_handler(psycopg.OperationalError, _database)
    app.add_exception_handler(PoolTimeout, _database)
    app.add_exception_handler(Exception, _unexpected)


async def _problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 - registered for this type
    return answer(error)


async def _framework(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this type
    reason = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_").replace("-", "_")
    detail = f"{request.method} {request.url.path}: {error.detail}."
    return answer(Problem(error.status_code, reason, detail, headers=error.headers))


async def _parameters(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this type
    first: dict[str, Any] = error.errors()[0]
    pointer = "".join(f"/{part}" for part in first["loc"])
    return answer(invalid(pointer, f"{first['msg']}."))


async def _erased(_: Request, __: Exception) -> Response:
    return answer(Problem(410, "erased", "What this was sealed with was destroyed by an erasure: it is gone for ever."))


async def _database(request: Request, error: Exception) -> Response:
    log.warning("database_unavailable", path=request.scope.get("route_path", request.url.path), error=type(error).__name__)
    return answer(unavailable("The read models cannot be reached; events are accepted all the same."))


async def _unexpected(_: Request, error: Exception) -> Response:
    write_down(error)
    return answer(Problem(500, "unexpected", "Something failed here; it was written down.", mend="Try again, then ask the operator."))
