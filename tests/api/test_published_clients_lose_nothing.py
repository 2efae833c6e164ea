"""The published clients, unmodified, over a line that fails in every way it can: each of their calls is in the timeline once."""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from tests import clients
from tests.api.conftest import Api
from tests.api.flaky import FATES, Flaky, flaky
from tests.api.serving import served
from tests.browser.npm import NODE

pytestmark = pytest.mark.engines

SEGMENT = {"web.identified": 1, "web.page_viewed": 1, "web.clicked_something": 5, "account.joined": 1}
RUDDER = {"web.identified": 1, "web.clicked_something": 5}


async def run(*words: str, within: Path) -> str:
    """What the client said, once it was done."""
    started = await asyncio.create_subprocess_exec(
        *words, cwd=within, env=dict(os.environ), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    async with asyncio.timeout(90):
        said, _ = await started.communicate()
    assert started.returncode == 0, said.decode()
    return said.decode()


CLIENTS: dict[str, tuple[tuple[object, ...], str, dict[str, int]]] = {
    "segment-python": ((sys.executable, clients.HERE / "in_python.py", "segment"), "segment-python-user", SEGMENT),
    "rudder-python": ((sys.executable, clients.HERE / "in_python.py", "rudder"), "rudder-python-user", SEGMENT),
    "segment-node": ((NODE, clients.HERE / "segment_node.mjs"), "node-user", SEGMENT),
    "rudder-node": ((NODE, clients.HERE / "rudder_node.mjs"), "rudder-user", RUDDER),
}


class Called(NamedTuple):
    """A client that was done, and the line that it had."""

    key: str
    line: Flaky
    said: str


@pytest.fixture(scope="module")
async def called(live: Api) -> AsyncIterator[Mapping[str, "asyncio.Task[Called]"]]:
    """All clients at once, each over a line of its own: what takes them long is waiting for the next attempt."""
    folder = await asyncio.to_thread(clients.installed)

    async def calls(name: str, url: str) -> Called:
        key = await live.write_key(name)
        async with flaky(url) as line:
            return Called(key, line, await run(*map(str, CLIENTS[name][0]), line.url, key, within=folder))

    async with served(live) as url:
        yield (tasks := {name: asyncio.create_task(calls(name, url)) for name in CLIENTS})
        await asyncio.gather(*tasks.values(), return_exceptions=True)


@pytest.mark.parametrize("name", CLIENTS)
async def test_each_call_lands_exactly_once(live: Api, called: Mapping[str, "asyncio.Task[Called]"], name: str) -> None:
    _, user, expected = CLIENTS[name]
    agent, (key, line, said) = await live.token("agent"), await called[name]
    assert line.statuses[: len(FATES)] == list(FATES), said
    assert line.left == []
    last = await live.client.post("/v1/track", json={"event": "The End", "userId": user, "messageId": "end"}, auth=(key, ""))
    at = last.json()["position"]
    customer = (await live.get(agent, f"/v1/customers/by/user_id/{user}", after=at))["customer_id"]
    items = (await live.get(agent, f"/v1/customers/{customer}/timeline", limit="200"))["items"]
    assert Counter(item["type"] for item in items if item["type"] != "score.given") == Counter(expected | {"web.the_end": 1})


async def test_a_client_with_a_header_and_addresses_of_its_own(live: Api) -> None:
    key, agent = await live.write_key("jitsu"), await live.token("agent")
    folder = await asyncio.to_thread(clients.installed)
    async with served(live) as url:
        await run(str(NODE), str(clients.HERE / "jitsu.mjs"), url, key, within=folder)
    at = await live.send(key, {"specversion": "1.0", "id": "end", "source": "x", "type": "x.y"})
    customer = (await live.get(agent, "/v1/customers/by/email/jitsu@example.ir", after=at))["customer_id"]
    items = (await live.get(agent, f"/v1/customers/{customer}/timeline"))["items"]
    assert Counter(item["type"] for item in items if item["type"] != "score.given") == {
        "web.identified": 1,
        "web.page_viewed": 1,
        "web.clicked_something": 5,
    }
