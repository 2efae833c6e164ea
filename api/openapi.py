"""Describes the API: what each operation takes and answers, with a `curl` that works when pasted (tests run every one).

Answers are msgspec structs; their JSON Schemas become the document's components. Reading order: described, document.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from fastapi import FastAPI
from starlette.routing import BaseRoute

from api.problem import MEDIA_TYPE, ProblemDetails

TITLES = {
    400: "What was sent is not JSON",
    401: "No key, or an unknown one",
    403: "The key may not do this",
    404: "There is no such thing",
    409: "Not in the state in which this can be done",
    410: "It was erased",
    413: "Too large",
    415: "Nothing could be read",
    422: "It was understood and refused",
    429: "The source sent too much",
    503: "Something behind the API is away for a moment",
    504: "It did not become visible in time",
}

BODY = (400, 413, 415, 422)
"""What an operation may answer because it takes a body: see `api.body` and `api.decoding`."""


def parameter(name: str, schema: Mapping[str, Any], description: str, *, where: str = "query", required: bool = False) -> dict[str, Any]:
    """A parameter in a path or a query."""
    return {"name": name, "in": where, "required": required or where == "path", "schema": dict(schema), "description": description}


TEXT = {"type": "string"}
UUID = {"type": "string", "format": "uuid"}
TIME = {"type": "string", "format": "date-time"}

AFTER = parameter("after", TEXT, "A position that a POST answered: wait until what was sent there is visible (at most 10 s).")
LIMIT = parameter("limit", {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}, "How many items to answer.")
CURSOR = parameter("cursor", TEXT, "`next` of the answer before.")


def described(
    curl: str,
    answers: Any | None,
    *problems: int,
    parameters: Sequence[Mapping[str, Any]] = (),
    body: Mapping[str, Any] | None = None,
    status: int = 200,
    media: str = "application/json",
    public: bool = False,
    headers: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """`openapi_extra` of a route: `answers` is the struct of its success, `problems` the statuses it may answer besides."""
    content = {media: {"schema": schema(answers)}} if answers is not None else {}
    success: dict[str, Any] = {"description": "Done."}
    if content:
        success["content"] = content
    if headers:
        success["headers"] = dict(headers)
    responses: dict[str, Any] = {str(status): success}
    for problem in sorted({*problems, *(() if public else (401, 403))}):
        responses[str(problem)] = {"description": TITLES[problem], "content": {MEDIA_TYPE: {"schema": schema(ProblemDetails)}}}
    extra: dict[str, Any] = {"x-curl": curl, "responses": responses}
    if not public:
        extra["security"] = [{"basic": []}, {"bearer": []}]
    if parameters:
        extra["parameters"] = [dict(each) for each in parameters]
    if body is not None:
        extra["requestBody"] = dict(body)
    return extra


def json_body(struct: Any, example: Any, *, required: bool = True) -> dict[str, Any]:
    """A JSON request body."""
    return {"required": required, "content": {"application/json": {"schema": schema(struct), "example": example}}}


class Schemas:
    """Collects the structs that operations speak of, so that each becomes one component."""

    def __init__(self) -> None:
        self._references: dict[Any, dict[str, Any]] = {}  # finding one goes through all that it is made of: a fifth of a start

    def refer(self, struct: Any) -> dict[str, Any]:
        """A reference to the struct's component."""
        known = self._references.get(struct)
        if known is None:
            (known,), _ = msgspec.json.schema_components([struct], ref_template="#/components/schemas/{name}")
            self._references[struct] = known
        return dict(known)

    def components(self) -> dict[str, Any]:
        """The JSON Schemas of all of them, and of what they are made of."""
        _, components = msgspec.json.schema_components(self._references, ref_template="#/components/schemas/{name}")
        plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(components))  # a default of () is no JSON
        return plain


SCHEMAS = Schemas()


def schema(struct: Any) -> dict[str, Any]:
    """A reference to a struct's component, or the JSON Schema itself when it is one."""
    return dict(struct) if isinstance(struct, Mapping) else SCHEMAS.refer(struct)


def document(app: FastAPI, routes: Sequence[BaseRoute]) -> dict[str, Any]:
    """The OpenAPI document: the routes, our components instead of the framework's, and each curl in its description."""
    from fastapi.openapi.utils import get_openapi

    made = get_openapi(title=app.title, version=app.version, description=_INTRODUCTION, routes=routes)
    made["components"] = {
        "schemas": SCHEMAS.components(),
        "securitySchemes": {
            "basic": {"type": "http", "scheme": "basic", "description": "The key as user name, no password."},
            "bearer": {"type": "http", "scheme": "bearer"},
        },
    }
    for path in made["paths"].values():
        for operation in path.values():
            _complete(operation)
    return made


def _complete(operation: dict[str, Any]) -> None:
    curl = operation.pop("x-curl", None)
    if curl is not None:
        operation["description"] = f"{operation.get('description', '')}\n\n```sh\n{curl}\n```".strip()
    # The framework adds an empty 200 and its own 422 to what the route says of itself.
    responses = operation["responses"]
    if not responses.get("200", {}).get("content", {}).get("application/json", {"schema": 1}).get("schema"):
        del responses["200"]["content"]
    for status, response in list(responses.items()):
        if "HTTPValidationError" in str(response) or (status == "200" and response.get("description") == "Successful Response"):
            del responses[status]


_INTRODUCTION = """\
Events come in through `POST /v1/events`, as CloudEvents 1.0; customers are read under `/v1/customers`.

A key goes as the Basic user name or as a Bearer token: a *write key* sends events of its own source and asks what became of them, a
*staff token* reads, by its role. Problems are RFC 9457. Times are RFC 3339. A `position` says where the log was when something was
accepted; every GET that takes `after=<position>` waits until that is visible.
"""
