"""docs/api.md: what each key may do, and that the page knows every operation."""

import asyncio
from collections.abc import MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import Any, get_args

import httpx
import pytest

from aggregates.access import Role
from tests.api.conftest import Api

pytestmark = pytest.mark.engines

PAGE = Path(__file__).parents[2] / "docs" / "api.md"
PUBLIC = {
    "/v1/schemas",
    "/v1/mappings/schema",
    "/v1/triggers/schema",
    "/v1/segments/schema",
    "/v1/schemas/{type}",
    "/v1/schemas/{type}/v{version}",
    "/asyncapi.json",
    "/healthz",
    "/readyz",
    "/metrics",
}
SOMEBODY = "00000000-0000-0000-0000-000000000001"


def table() -> dict[str, list[str]]:
    """Operation to what each kind of key may do."""
    rows = [[cell.strip() for cell in line.strip("|\n").split("|")] for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    return {row[0].strip("`"): row[1:] for row in rows}


async def test_the_table_has_every_operation(api: Api) -> None:
    document = (await api.client.get("/openapi.json")).json()
    known = {f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods if path not in PUBLIC}
    assert set(table()) == known


async def test_each_key_may_do_what_the_table_says_and_nothing_else(api: Api) -> None:
    roles: tuple[Role, ...] = get_args(Role)
    keys = [await api.write_key(), *[await api.token(role) for role in roles]]
    for operation, allowed in table().items():
        method, path = operation.split(" ")
        for name in ("{source}", "{id}", "{kind}", "{value}"):
            path = path.replace(name, SOMEBODY)
        assert len(allowed) == len(keys)
        statuses = await asyncio.gather(*(answered(api, method, path, key) for key in keys))
        for status, answer in zip(statuses, allowed, strict=True):
            assert (status != 403) is (answer != "no"), f"{operation}: {answer}, answered {status}"


async def answered(api: Api, method: str, path: str, key: str) -> int:
    """The status of the answer, as soon as it has one: who is let in to a stream is told for as long as he listens."""
    request = httpx.Request(method, f"http://yekta{path}")
    *_, signed = httpx.BasicAuth(key, "").auth_flow(request)
    headers = [(name.lower(), value) for name, value in signed.headers.raw]
    scope: dict[str, Any] = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http"}
    scope |= {"path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "", "headers": headers}
    scope |= {"client": ("127.0.0.1", 1), "server": ("yekta", 80)}
    status: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    told: list[dict[str, Any]] = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> dict[str, Any]:
        return told.pop() if told else await asyncio.Future()

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            status.set_result(message["status"])

    answering: asyncio.Future[None] = asyncio.create_task(api.app(scope, receive, send))
    first: set[asyncio.Future[Any]] = {answering, status}
    await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
    answering.cancel()
    with suppress(asyncio.CancelledError):
        await answering
    return status.result()
