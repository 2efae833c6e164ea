"""Answers what analytics clients ask before they send: whether their key is known here, and where to send.

Their makers answer this from a server of their own. A client that is told of that one address too needs no other than this one.
Reading order: router, segment, rudder.
"""

from typing import Any

from fastapi import APIRouter, Request, Response

from aggregates.source import Source
from api import access
from api.answering import answer
from api.answers import json
from api.doors.segment import keys
from api.ports import Dependencies
from api.problem import Problem
from api.web import asked, shared

SEGMENT = "/v1/projects/{key}/settings"
RUDDER = ("/sourceConfig", "/sourceConfig/")
MANY_TIMES = {"Cache-Control": "private, max-age=300"}


def router(dependencies: Dependencies) -> APIRouter:
    """The routes of settings; each is asked from other sites' pages."""
    routes = APIRouter(include_in_schema=False)

    async def segment_settings(request: Request) -> Response:
        key = request.path_params["key"]
        try:
            access.source(dependencies, [key])
        except Problem as problem:
            return _seen(request, answer(problem))
        return _seen(request, json(segment(key, request.url.scheme, request.url.netloc), headers=MANY_TIMES))

    async def rudder_settings(request: Request) -> Response:
        try:
            source = access.source(dependencies, keys(request, {}))
        except Problem as problem:
            return _seen(request, answer(problem))
        return _seen(request, json(rudder(source, request.query_params.get("writeKey", "")), headers=MANY_TIMES))

    routes.add_api_route(SEGMENT, segment_settings, methods=["GET"])
    routes.add_api_route(SEGMENT, asked, methods=["OPTIONS"])
    for path in RUDDER:
        routes.add_api_route(path, rudder_settings, methods=["GET"])
        routes.add_api_route(path, asked, methods=["OPTIONS"])
    return routes


def segment(key: str, scheme: str, host: str) -> dict[str, Any]:
    """The settings of a project, as Segment's libraries want them: everything goes here, and nothing to any other tool."""
    return {
        "integrations": {"Segment.io": {"apiKey": key, "apiHost": f"{host}/v1", "protocol": scheme}},
        "plan": {"track": {"__default": {"enabled": True, "integrations": {}}}},
        "metrics": {"sampleRate": 0},
        "analyticsNextEnabled": True,
    }


def rudder(source: Source, key: str) -> dict[str, Any]:
    """The configuration of a source, as RudderStack's libraries want it: enabled, without destinations, telling nobody of errors."""
    quiet = {"statsCollection": {"errors": {"enabled": False}, "metrics": {"enabled": False}}}
    made = {"id": source.name, "name": source.name, "writeKey": key, "enabled": True, "workspaceId": "yekta", "config": quiet}
    return {"isHosted": True, "source": made | {"connections": [], "destinations": []}}


def _seen(request: Request, answered: Response) -> Response:
    answered.headers.update(shared(request))
    return answered
