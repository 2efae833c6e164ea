"""The addresses for what runs in browsers and for analytics clients: the Segment dialect, in all the spellings that clients have.

Browsers ask first whether another site may send: everybody may, with a write key, and nothing of a visitor's session is looked at.
The script for web pages is in `browser`; what clients ask before they send, in `asked_first`. Reading order: router, spellings, shared.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response

from api import browser, openapi
from api.answering import answer
from api.doors import segment
from api.doors.segment import Taken
from api.ports import Dependencies
from api.problem import Problem

KINDS = ("track", "identify", "page", "screen", "group", "alias")
DAY = "86400"

TRACK = {
    "type": "track",
    "messageId": "m-1",
    "userId": "u-81",
    "event": "Order Completed",
    "timestamp": "2026-05-01T06:30:00Z",
    "properties": {
        "order_id": "o-5001",
        "total": 12.5,
        "currency": "USD",
        "products": [{"sku": "TEA-250", "quantity": 2, "price": 6.25}],
    },
}
EXAMPLES: dict[str, dict[str, Any]] = {
    "track": TRACK,
    "identify": {"messageId": "m-2", "userId": "u-81", "anonymousId": "d-7f3a", "traits": {"email": "sara@example.ir", "city": "Shiraz"}},
    "page": {"messageId": "m-3", "anonymousId": "d-7f3a", "name": "price", "properties": {"url": "https://shop.example/prices"}},
    "screen": {"messageId": "m-4", "anonymousId": "d-7f3a", "name": "Prices"},
    "group": {"messageId": "m-5", "userId": "u-81", "groupId": "acme", "traits": {"name": "Acme"}},
    "alias": {"messageId": "m-6", "previousId": "d-7f3a", "userId": "u-81"},
    "batch": {"batch": [TRACK], "sentAt": "2026-05-01T06:30:01Z"},
}
SAYS = {
    "track": "Something happened.",
    "identify": "Somebody said who they are.",
    "page": "A page was looked at.",
    "screen": "A screen of an app was looked at.",
    "group": "Somebody belongs to an account.",
    "alias": "Two ids are one person's.",
    "batch": "Messages of any kind, each answered for itself.",
}
MESSAGE = {"type": "object", "description": "A message of the Segment dialect; the key may stand in it as `writeKey`."}


def router(dependencies: Dependencies) -> APIRouter:
    """The routes of the dialect."""
    routes = APIRouter(tags=["analytics clients"])
    for kind in ("batch", *KINDS):
        handler = _taking(dependencies, kind)
        routes.add_api_route(
            f"/v1/{kind}", handler, methods=["POST"], name=f"send_{kind}", summary=SAYS[kind], openapi_extra=_described(kind)
        )
        for path in spellings(kind):
            routes.add_api_route(path, handler, methods=["POST"], include_in_schema=False)
        for path in (f"/v1/{kind}", *spellings(kind)):
            routes.add_api_route(path, asked, methods=["OPTIONS"], include_in_schema=False)
    for kind in KINDS:
        for path in (f"/v1/pixel/{kind}", f"/v1/pixel/{kind}/", f"/pixel/v1/{kind}", f"/pixel/v1/{kind}/"):
            routes.add_api_route(path, _showing(dependencies, kind), methods=["GET"], include_in_schema=False)
    routes.add_api_route("/yekta.js", _script, methods=["GET", "HEAD"], include_in_schema=False)
    return routes


def spellings(kind: str) -> tuple[str, ...]:
    """The other addresses that clients have for a kind of message: one letter, a slash behind, a version before, old names."""
    letter = kind[0]
    paths = [
        f"/v1/{kind}/",
        f"/v1/{letter}",
        f"/v1/{letter}/",
        f"/{kind}",
        f"/{kind}/",
        f"/v1/v1/{kind}",
        f"/api/s/{kind}",
        f"/api/s/s2s/{kind}",
        f"/api/public/apps/{kind}",
        f"/sdk/{kind}",
    ]
    if kind == "batch":
        paths += ["/v1/import", "/v1/import/", "/v1/batch/v1/batch", "/v1/batch/batch", "/beacon/v1/batch"]
    return tuple(paths)


def _described(kind: str) -> dict[str, object]:
    curl = f"""curl -u "$KEY:" $YEKTA/v1/{kind} -d '{msgspec.json.encode(EXAMPLES[kind]).decode()}'"""
    content = {"application/json": {"schema": MESSAGE, "example": EXAMPLES[kind]}}
    return openapi.described(curl, Taken, 400, 413, 415, 429, 503, body={"required": True, "content": content})


def _taking(dependencies: Dependencies, kind: str) -> Callable[[Request], Awaitable[Response]]:
    async def taken(request: Request) -> Response:
        try:
            found = await segment.post(request, dependencies, kind)
        except Problem as problem:
            found = answer(problem)  # here and not above: a browser shows its script no answer without these headers
        found.headers.update(shared(request))
        return found

    taken.__doc__ = f"{SAYS[kind]} As analytics clients send it; always answered 200, with what became of each message."
    return taken


def _showing(dependencies: Dependencies, kind: str) -> Callable[[Request], Awaitable[Response]]:
    async def shown(request: Request) -> Response:
        return await segment.looked_at(request, dependencies, kind)

    return shown


async def asked(request: Request) -> Response:
    """Whether another site may send: it may, whatever headers its client adds."""
    allowed = request.headers.get("access-control-request-headers") or "Authorization, Content-Type, X-Retry-Count"
    headers = {
        "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
        "Access-Control-Allow-Headers": allowed,
        "Access-Control-Max-Age": DAY,
        "Access-Control-Allow-Private-Network": "true",
    }
    return Response(status_code=204, headers=headers | shared(request))


async def _script(request: Request) -> Response:
    """The script for web pages, for every site."""
    headers = {
        "Cache-Control": "public, max-age=3600",
        "ETag": browser.TAG,
        "Vary": "Accept-Encoding",
        "Access-Control-Allow-Origin": "*",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "X-Content-Type-Options": "nosniff",
    }
    if request.headers.get("if-none-match") == browser.TAG:
        return Response(status_code=304, headers=headers)
    packed = "gzip" in request.headers.get("accept-encoding", "")
    content = browser.PACKED if packed else browser.SCRIPT
    return Response(content, 200, headers | ({"Content-Encoding": "gzip"} if packed else {}), "text/javascript; charset=utf-8")


def shared(request: Request) -> dict[str, str]:
    """What lets another site's script see the answer. Beacons come with credentials, which are allowed and not looked at."""
    origin = request.headers.get("origin")
    if origin is None:
        return {"Access-Control-Allow-Origin": "*", "Vary": "Origin"}
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Expose-Headers": "Retry-After, Yekta-Position",
        "Vary": "Origin",
    }
