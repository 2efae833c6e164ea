"""The desk in a real browser, over the real API and a real worker.

`desk` has an API that listens, a worker behind it and the story's customers in it; each test opens pages of its own. Screenshots go to
`artefacts/`, which is not kept.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self
from zoneinfo import ZoneInfo

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.async_api import Browser, BrowserContext, Error, Page, expect

from aggregates.access import Role
from api.desk.locale import Locale
from infra.engines import ports
from tests.api.conftest import Api, running, serving, until
from tests.browser import story
from tests.browser.chromium import NoBrowser, chromium, launched
from tests.conftest import World
from tests.triggers.marketer import Marketer

ARTEFACTS = Path(__file__).parents[2] / "artefacts"
LAPTOP = {"width": 1366, "height": 768}

expect.set_options(timeout=60_000)  # most wait for a whole trip, from a door to the page, on a machine that may be busy


@pytest.fixture(scope="session")
async def browser(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    """One Chromium for all tests."""
    try:
        chromium()
    except NoBrowser as error:
        pytest.skip(str(error))
    async with launched(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


class Listening:
    """The API on a port of its own; it can be stopped and started again, as if it had died."""

    def __init__(self, app: FastAPI) -> None:
        self._app, self._port = app, ports.choose()
        self.url = f"http://127.0.0.1:{self._port}"
        self._server: uvicorn.Server | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        config = uvicorn.Config(self._app, port=self._port, log_config=None, lifespan="off", timeout_graceful_shutdown=0)
        server = self._server = uvicorn.Server(config)
        self._task = asyncio.create_task(server.serve())
        await until(lambda: server.started)

    async def stop(self) -> None:
        assert self._server is not None
        assert self._task is not None
        self._server.should_exit = True
        await self._task


class Mortal:
    """A process of the installation: killed, it leaves no word behind, and it can be started again."""

    def __init__(self, world: World, name: str, *command: str) -> None:
        self._world, self._name, self._command = world, name, command
        self._lives = AsyncExitStack()
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self._process = await self._lives.enter_async_context(running(self._world, self._name, *self._command))

    async def kill(self) -> None:
        """kill -9."""
        assert self._process is not None
        self._process.kill()
        await self._process.wait()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._lives.aclose()


@dataclass
class Desk:
    """The desk of one world, and the pages that were opened on it."""

    api: Api
    listening: Listening
    worker: Mortal
    browser: Browser
    write_key: str
    agent: str
    contexts: list[BrowserContext] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    elsewhere: str = ""  # where another process than this one serves the pages

    @property
    def url(self) -> str:
        """Where its pages are."""
        return self.elsewhere or self.listening.url

    async def context(self, language: str = "fa", **options: Any) -> BrowserContext:
        """A browser that knows nothing yet but its language."""
        opened = await self.browser.new_context(base_url=self.url, viewport=LAPTOP, **options)  # type: ignore[arg-type]
        await opened.add_cookies([{"name": "yekta_language", "value": language, "url": self.url}])
        opened.on("weberror", lambda error: self.complaints.append(str(error.error)))
        opened.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        self.contexts.append(opened)
        return opened

    async def signed_in(self, language: str = "fa", token: str = "", **options: Any) -> Page:
        """A page of somebody who is signed in; an agent unless another token is given."""
        opened = await self.context(language, **options)
        answer = await opened.request.post("/sign-in", form={"token": token or self.agent}, max_redirects=0)
        assert answer.ok, await answer.text()
        page = await opened.new_page()
        await page.goto("/")
        return page

    async def customer(self, query: str = "10042", language: str = "fa", **options: Any) -> Page:
        """The live page of a customer, found by a query."""
        page = await self.signed_in(language, **options)
        await find(page, query)
        await page.locator(".found a").first.click()
        await page.locator('.live[data-state="live"]').wait_for()
        return page

    async def token(self, role: Role) -> str:
        return await self.api.token(role)

    async def happens(self, *events: Any) -> str:
        """Have events accepted."""
        return await self.api.send(self.write_key, *events)

    async def visible(self, position: str) -> None:
        """Wait until what was accepted is in the views."""
        async with asyncio.timeout(120):
            await self.api.get(self.agent, "/v1/customers", q="nobody", after=position)


@asynccontextmanager
async def listening(app: FastAPI) -> AsyncIterator[Listening]:
    """The application, heard on loopback."""
    here = Listening(app)
    await here.start()
    try:
        yield here
    finally:
        await here.stop()


@pytest.fixture(scope="module")
async def told(browser: Browser, shared_world: World) -> AsyncIterator[Desk]:
    """The desk after the story."""
    worker = Mortal(shared_world, "w1", "worker", "--name", "w1")
    async with serving(shared_world) as api, worker, listening(api.app) as here:
        desk = Desk(api, here, worker, browser, await api.write_key("channels"), await api.token("agent"))
        for events in (story.first(), [*story.sara(), *story.others()]):
            await desk.visible(await desk.happens(*events))
        yield desk


@pytest.fixture
async def desk(told: Desk) -> AsyncIterator[Desk]:
    """The desk, and proof that no page complained: of the policy, a script or an answer."""
    told.complaints.clear()
    yield told
    for context in told.contexts:
        await context.close()
    told.contexts.clear()
    assert told.complaints == []


@pytest.fixture(scope="module")
async def marketer(told: Desk) -> Marketer:
    """Somebody who has published a rule."""
    made = await Marketer.of(told.api)
    await made.publish("triggers", "bought-once", "when: {count: custom.bought, at_least: 1, within: 1h}\ndo: {notify: team:x}\n")
    return made


def spoken(language: str) -> Callable[..., str]:
    """What the desk says in a language."""
    return Locale(language, ZoneInfo("Asia/Tehran"), datetime.now(UTC)).say


async def find(page: Page, query: str) -> None:
    """Search from any page, by keyboard."""
    await page.keyboard.press("/")
    await page.locator("#q").fill(query)
    await page.keyboard.press("Enter")
    await page.locator(".count, .lead h1").filter(visible=True).first.wait_for()


async def shot(page: Page, name: str) -> None:
    """Keep what the page looks like; on a machine so busy that Chromium cannot draw, no test fails for want of a picture."""
    ARTEFACTS.mkdir(exist_ok=True)
    with contextlib.suppress(Error):
        await page.screenshot(path=ARTEFACTS / f"{name}.png")
