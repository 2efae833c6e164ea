"""The small things every route does: answer a struct as JSON, read an id out of the path."""

from typing import Any
from uuid import UUID

import msgspec
from fastapi import Request, Response

from api.problem import not_found

_encoder = msgspec.json.Encoder()


def json(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """The content as a JSON answer."""
    return Response(_encoder.encode(content), status, headers, "application/json")


def path_id(request: Request, name: str = "id") -> UUID:
    """An id in the path; what is no uuid is the id of nothing."""
    try:
        return UUID(request.path_params[name])
    except ValueError as error:
        raise not_found("Nothing has this id: it is not a uuid.") from error


def sent_path(request: Request) -> str:
    """The path as it was sent: what was percent-encoded still is, so that an encoded slash is none."""
    return str(request.scope["raw_path"].decode("latin-1")).partition("?")[0]
