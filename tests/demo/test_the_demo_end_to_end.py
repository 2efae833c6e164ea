"""The demo on real engines: a slice of the history goes through the door, is folded, counted, and can be tried."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.desk.navigation import ways
from infra import visiting, waiting
from infra.cli.demo import _load
from infra.demo import cdnow, counts, history, loading, marketing, progress, sources, try_it
from infra.demo.cdnow import Order
from infra.demo.history import Brought
from infra.demo.simulated.person import CAST, CHURNER, TWICE_KNOWN, person
from infra.engines import ports
from infra.errors import Refusal
from infra.everything import everything
from infra.home import Home
from infra.settings import Settings
from tests.api.conftest import breath
from tests.conftest import World
from tests.demo import readme
from tests.streams.house import house

pytestmark = pytest.mark.engines

CUSTOMERS = 300
SHELL = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
"""A shell in which the virtual environment is active."""

needs_curl = pytest.mark.skipif(not (shutil.which("curl") and shutil.which("bash")), reason="the lines to paste need bash and curl")


class Demo:
    """A running demo."""

    def __init__(self, settings: Settings, url: str, keys: dict[str, str], brought: Brought) -> None:
        self.settings, self.url, self.keys, self.brought = settings, url, keys, brought

    async def get(self, path: str) -> dict[str, Any]:
        async with httpx.AsyncClient(base_url=self.url, auth=(self.keys[sources.READER_NAME], ""), timeout=60) as client:
            answer = await client.get(path)
            assert answer.status_code == 200, answer.text
            found: dict[str, Any] = answer.json()
            return found


@pytest.fixture(scope="module")
async def demo(shared_world: World) -> AsyncIterator[Demo]:
    """API and worker as child processes on the session's engines, and the slice brought."""
    api = shared_world.settings.api.model_copy(update={"port": ports.choose(None)})
    settings = shared_world.settings.model_copy(update={"api": api})
    async with everything(settings, notice=print) as here:
        assert here.state.api_url is not None
        keys = await sources.keys(settings)
        brought = await history.bring(settings, here.state.api_url, keys, CUSTOMERS, lambda *_: None)
        assert brought is not None
        yield Demo(settings, here.state.api_url, keys, brought)


def test_it_counts_what_the_data_holds(demo: Demo, orders: list[Order]) -> None:
    assert demo.brought.real == cdnow.totals(cdnow.of_some(orders, CUSTOMERS, CAST))
    assert demo.brought.simulated > 500


async def test_a_second_run_sends_nothing(demo: Demo) -> None:
    steps: list[str] = []
    assert await history.bring(demo.settings, demo.url, demo.keys, CUSTOMERS, lambda what, *_: steps.append(what)) is None
    assert steps == []


async def test_sending_all_again_changes_nothing(demo: Demo) -> None:
    file = Home(demo.settings.home).folder / "demo.json"
    kept = progress.read(file)
    file.unlink()
    assert await history.bring(demo.settings, demo.url, demo.keys, CUSTOMERS, lambda *_: None) == demo.brought
    assert progress.read(file) == kept


async def test_why_it_takes_long_to_catch_up_is_said(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def nothing(*_: object) -> None:
        """Nothing is set up or sent: what is waited for is there already."""

    monkeypatch.setattr(waiting, "QUIET", 0.2)
    monkeypatch.setattr(marketing, "set_up", nothing)
    monkeypatch.setattr(loading, "load", nothing)
    monkeypatch.setattr(history, "_prepared", lambda *_: ([], []))
    said = ""
    async with house(world, lambda _: ()) as home:
        await home.send("1")
        loads = asyncio.create_task(_load(world.settings, "http://127.0.0.1:1", {sources.MARKETER_NAME: ""}, CUSTOMERS))
        async with asyncio.timeout(60):
            while "yekta: Nothing has moved for 0.2 s: `yekta status` shows" not in said:
                await asyncio.sleep(0.1)
                said += capsys.readouterr().err
        loads.cancel()
        await asyncio.gather(loads, return_exceptions=True)


async def test_a_mismatch_is_said_plainly(demo: Demo) -> None:
    one_too_many = cdnow.Totals(demo.brought.real.orders + 1, demo.brought.real.customers, demo.brought.real.dollars)
    with pytest.raises(Refusal, match="do not hold what was sent"):
        await counts.check(demo.settings, one_too_many)


async def test_its_keys_are_made_once(demo: Demo) -> None:
    assert await sources.keys(demo.settings) == demo.keys


async def test_one_view_unifies_four_channels(demo: Demo, orders: list[Order]) -> None:
    view = await demo.get(f"/v1/customers/by/customer_number/{CHURNER}")
    assert {"sales", "web", "call", "reseller"} <= set(view["channels"])
    total = sum((order.dollars for order in orders if order.customer == CHURNER), Decimal(0))
    assert view["orders"]["worth"]["USD"]["total"] == str(total)
    assert view["clock"] == "event"
    for kind, value in (("phone", person(CHURNER).phone), ("email", person(CHURNER).email)):
        assert (await demo.get(f"/v1/customers/by/{kind}/{value}"))["customer_id"] == view["customer_id"]


async def test_marketing_heard_the_silence_in_its_own_time(demo: Demo) -> None:
    view = await demo.get(f"/v1/customers/by/customer_number/{CHURNER}")
    decisions: list[dict[str, Any]] = []
    async with asyncio.timeout(30):
        while not decisions or decisions[0]["outcome"] == "held":  # until all that was sent until then is in the views
            await breath()
            decisions = (await demo.get(f"/v1/customers/{view['customer_id']}/decisions"))["items"]
    (one,) = decisions
    assert (one["rule"], one["outcome"], one["channel"]) == ("regular-gone-quiet", "sent", "call")
    assert one["occurred_at"].startswith("1998-01-21")  # half a year after his fourth order from the last, with no event of his


async def test_every_area_opens_for_whoever_signs_in_by_the_printed_address(demo: Demo) -> None:
    async with httpx.AsyncClient(base_url=demo.url, follow_redirects=True, timeout=60) as browser:
        address = await visiting.address(demo.settings, demo.url, "tests")
        async with asyncio.timeout(60):
            while (await browser.get(address)).status_code != 200:  # the door has not heard of the token yet
                pass
        opened = {place.address: (await browser.get(place.address)).status_code for place in ways("admin")}
    assert opened == dict.fromkeys(opened, 200)


@needs_curl
async def test_the_lines_to_try_do_what_they_say(demo: Demo) -> None:
    newcomer, by_phone, four_channels, tie = try_it.lines(demo.url, demo.keys)
    assert run(newcomer.command)["status"] == "accepted"
    assert run(by_phone.command)["name"]["display"] == "Sara Karimi"  # type: ignore[index]
    assert "reseller" in run(four_channels.command)["channels"]  # type: ignore[operator]

    caller = await demo.get(f"/v1/customers/by/phone/{person(TWICE_KNOWN).phone}")
    customer = await demo.get(f"/v1/customers/by/customer_number/{TWICE_KNOWN}")
    assert caller["customer_id"] != customer["customer_id"]
    assert run(tie.command)["status"] == "accepted"
    await waiting.wait(demo.settings, within=60)
    caller, customer = (
        await demo.get(f"/v1/customers/by/phone/{person(TWICE_KNOWN).phone}"),
        await demo.get(f"/v1/customers/by/customer_number/{TWICE_KNOWN}"),
    )
    assert caller["customer_id"] == customer["customer_id"]
    assert {"sales", "web", "call", "reseller"} <= set(customer["channels"])


@needs_curl
async def test_the_readme_can_be_pasted(demo: Demo) -> None:
    posted, by_phone, four_channels = (json.loads(line) for line in pasted(readme.to_try(demo.url), demo.settings).splitlines())
    assert posted["status"] == "accepted"
    assert by_phone["name"]["display"] == "سارا کریمی"
    assert {"sales", "web", "call", "reseller"} <= set(four_channels["channels"])


def run(command: str) -> dict[str, object]:
    """What a line prints when it is pasted into a shell."""
    found: dict[str, object] = json.loads(subprocess.run(["bash", "-c", command], capture_output=True, check=True, env=SHELL).stdout)
    return found


def pasted(lines: str, settings: Settings) -> str:
    """What lines print when they are pasted in the repository's folder, in the home of these settings, one answer a line."""
    script = f'set -euo pipefail\ncurl() {{ command curl --fail-with-body "$@"; echo; }}\n{lines}'
    environment = SHELL | settings.environment()
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, cwd=readme.README.parent, env=environment)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout
