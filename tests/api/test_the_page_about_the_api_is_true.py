"""docs/api.md: what each key may do, and that the page knows every operation."""

import asyncio
from pathlib import Path
from typing import get_args

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
    """The status of the answer; who is let in to a stream is told for as long as he listens."""
    try:
        async with asyncio.timeout(3):
            return (await api.client.request(method, path, auth=(key, ""))).status_code
    except TimeoutError:
        assert path.endswith(("/stream", "/tail")), path
        return 200
