"""Routes are looked for among those that begin as the path does, and what answers is what would have answered had all been asked."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route

from api.shelving import Shelved
from tests.api.conftest import Api

PARTS = st.sampled_from(["v1", "customers", "requests", "new", "{id}", "{rest:path}", "{kind}.gif"])
PATHS = st.lists(PARTS, max_size=4, unique=True).map(lambda parts: "/" + "/".join(parts))
ROUTES = st.lists(st.tuples(PATHS, st.sampled_from(["GET", "POST", "DELETE"])), max_size=8)
ASKED = st.lists(st.sampled_from(["v1", "customers", "requests", "new", "7", "a.gif", ""]), max_size=5).map("/".join)


@given(ROUTES, ASKED, st.sampled_from(["", "/"]), st.sampled_from(["GET", "POST"]))
def test_the_same_route_answers_as_if_all_were_asked(described: list[tuple[str, str]], path: str, root: str, method: str) -> None:
    routes = [Route(path, _nothing, methods=[method]) for path, method in described]
    scope = {"type": "http", "path": root + path, "method": method, "root_path": ""}
    assert _found(Shelved(routes), scope) == _asked_one_by_one(routes, scope)


def test_every_route_of_the_api_is_found_under_its_own_path(api: Api) -> None:
    (shelved,) = [route for route in api.app.routes if isinstance(route, Shelved)]
    assert len(shelved.routes) > 400
    for route in shelved.routes:
        assert isinstance(route, Route)
        path = route.path_format.format_map(_Filled())
        for method in route.methods or ():
            scope = {"type": "http", "path": path, "method": method, "root_path": ""}
            found = _found(shelved, scope)
            assert found == _asked_one_by_one(shelved.routes, scope)
            assert found is not None
            assert found[0] is Match.FULL


async def test_whoever_asks_by_a_wrong_method_is_told_all_that_there_are(api: Api) -> None:
    for path, method, allowed in (
        ("/v1/events", "DELETE", "GET, HEAD, POST"),
        ("/v1/pauses", "PUT", "DELETE, GET, HEAD, POST"),
        ("/v1/customers", "POST", "GET, HEAD"),
        ("/v1/signals/stream", "POST", "GET"),
    ):
        answer = await api.client.request(method, path)
        assert (answer.status_code, answer.headers["allow"], answer.json()["status"]) == (405, allowed, 405)
    assert (await api.client.delete("/v1/nothing")).status_code == 404


class _Filled(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "7"


def _found(shelved: Shelved, scope: dict[str, Any]) -> tuple[Match, BaseRoute] | None:
    match, found = shelved.matches(scope)
    return None if match is Match.NONE else (match, found["route"])


def _asked_one_by_one(routes: Any, scope: dict[str, Any]) -> tuple[Match, BaseRoute] | None:
    matches = [(route.matches(scope)[0], route) for route in routes]
    return next((one for wanted in (Match.FULL, Match.PARTIAL) for one in matches if one[0] is wanted), None)


async def _nothing(request: Request) -> Response:
    return Response(str(request.url))
