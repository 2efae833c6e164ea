"""Says what went wrong in one shape everywhere: RFC 9457 problem details, with where it is (`pointer`) and how to mend it.

How a problem becomes an answer is in `api.answering`: workers and commands know problems too, and start faster without the web framework.
"""

from collections.abc import Mapping
from uuid import UUID

import msgspec

from aggregates.refusal import Refusal

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 2
RECEIPTS = "/v1/erasures"
"""Where the receipts of erasures are."""


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
    receipt: str | None = None  # of the erasure: where it is
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
        receipt: str | None = None,
        headers: Mapping[str, str] | None = None,
        errors: tuple[Mistake, ...] = (),
    ) -> None:
        super().__init__(detail)
        self.reason = reason
        self.headers = dict(headers or {})
        self.body = ProblemDetails(f"/problems/{reason}", title_of(reason), status, detail, pointer, mend, dead_letter, receipt, errors)


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


def receipt_at(erasure: UUID | str) -> str:
    """Where the receipt of an erasure is."""
    return f"{RECEIPTS}/{erasure}"


def erased(erasure: UUID) -> Problem:
    """Somebody was here, and was erased."""
    return Problem(
        410,
        "customer_erased",
        "This customer was erased: nothing is known of him any more.",
        mend="The receipt says who asked for it, when and why.",
        receipt=receipt_at(erasure),
    )


def invalid(pointer: str, detail: str, mend: str | None = None) -> Problem:
    """A parameter or a body that cannot be understood."""
    return Problem(422, "invalid_request", detail, pointer=pointer, mend=mend)


def unavailable(detail: str) -> Problem:
    """Something behind the API is away for a moment."""
    return Problem(
        503, "unavailable", detail, mend="Send the same request again after a moment.", headers={"Retry-After": str(RETRY_SECONDS)}
    )
