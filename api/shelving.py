"""Finds the route of a request among those that begin as its path does: four hundred, asked one by one, take up to a millisecond.

Reading order: Shelved, beginning.
"""

from collections.abc import Sequence

from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send

from api.problem import not_found


class Shelved(BaseRoute):
    """Routes with paths, kept by how these begin. In their order the first that fits answers, as if all were asked."""

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        self.routes = routes
        beginnings = [beginning(route.path) for route in routes if isinstance(route, Route)]
        self._shelves = {
            shelf: [route for route, begins in zip(routes, beginnings, strict=True) if begins in (shelf, None)]
            for shelf in {*beginnings, None}
        }

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """The first route that fits wholly, else the first that does but for the method, with the methods of all that do."""
        other: Scope | None = None
        allowed: set[str] = set()
        for route in self._shelves.get(beginning(scope["path"].removeprefix(scope.get("root_path", ""))), self._shelves[None]):
            match, found = route.matches(scope)
            if match is Match.FULL:
                return match, {**found, "route": route}
            if match is Match.PARTIAL:
                allowed |= getattr(route, "methods", None) or set()
                other = other or {**found, "route": route}
        return (Match.NONE, {}) if other is None else (Match.PARTIAL, {**other, "allowed": allowed})

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the route that was found answer; nothing anywhere has a name that PostgreSQL cannot hold."""
        if "\0" in scope["path"]:
            raise not_found("Nothing has such a name.")
        if "allowed" in scope:
            raise HTTPException(405, headers={"Allow": ", ".join(sorted(scope["allowed"]))})
        await scope["route"].handle(scope, receive, send)


def beginning(path: str) -> str | None:
    """The first part of a path, in `/v1` the first two: what the paths of a module have in common. None where a parameter stands there."""
    parts = path.split("/", 3)[1:]
    shelf = "/".join(parts[: 2 if parts[:1] == ["v1"] else 1])
    return None if "{" in shelf else shelf
