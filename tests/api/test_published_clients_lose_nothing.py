"""The published clients, unmodified, over a line that fails in every way it can: each of their calls is in the timeline once."""

import asyncio
import os
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests import clients
from tests.api.conftest import Api
from tests.api.flaky import FATES, flaky
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


@pytest.mark.parametrize(
    ("name", "words", "user", "expected"),
    [
        ("segment-python", (sys.executable, clients.HERE / "in_python.py", "segment"), "segment-python-user", SEGMENT),
        ("rudder-python", (sys.executable, clients.HERE / "in_python.py", "rudder"), "rudder-python-user", SEGMENT),
        ("segment-node", (NODE, clients.HERE / "segment_node.mjs"), "node-user", SEGMENT),
        ("rudder-node", (NODE, clients.HERE / "rudder_node.mjs"), "rudder-user", RUDDER),
    ],
)
async def test_each_call_lands_exactly_once(live: Api, name: str, words: tuple[object, ...], user: str, expected: dict[str, int]) -> None:
    key, agent = await live.write_key(name), await live.token("agent")
    folder = await asyncio.to_thread(clients.installed)
    async with served(live) as url, flaky(url) as line:
        said = await run(*[str(word) for word in words], line.url, key, within=folder)
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
