"""Lets whatever the API reads be asked for its head alone, as monitors and checkers of links do (RFC 9110, section 9.3.2).

Not what streams, which has no end to leave out; nor what pages and pixels answer, for of these some do something when they are asked.
"""

from collections.abc import Iterable
from copy import copy

from fastapi.routing import APIRoute
from starlette.routing import BaseRoute


def heads(routes: Iterable[BaseRoute]) -> list[BaseRoute]:
    """A route to the head of each that has one; the server leaves the body out."""
    return [_head(route) for route in routes if isinstance(route, APIRoute) and route.methods == {"GET"} and _ends(route)]


def _head(route: APIRoute) -> APIRoute:
    head = copy(route)
    head.methods = {"HEAD"}
    head.include_in_schema = False
    return head


def _ends(route: APIRoute) -> bool:
    """Whether it is described, and as something with an end."""
    success = (route.openapi_extra or {}).get("responses", {}).get("200", {})
    return route.include_in_schema and "text/event-stream" not in success.get("content", {})
