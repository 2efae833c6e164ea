"""yekta.js on the pages of a shop, and a published browser client beside it: offline and back, at unload, asked not to track."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page

from api import browser as script
from tests import clients
from tests.api.conftest import Api, breath, serving, working
from tests.api.flaky import FATES, flaky
from tests.browser.conftest import listening
from tests.browser.shop import Shop, opened
from tests.conftest import World

pytestmark = pytest.mark.engines

BATCH = "**/v1/b"


@dataclass
class Street:
    """A shop, a browser in front of it, and Yekta behind it."""

    api: Api
    shop: Shop
    yekta: str
    browser: Browser
    agent: str

    async def visitor(self, **options: Any) -> BrowserContext:
        """Somebody new."""
        return await self.browser.new_context(base_url=self.shop.url, **options)

    async def told(self, page: Page, types: dict[str, int]) -> list[dict[str, Any]]:
        """What the timeline of this browser's device holds, once it holds all that was expected, and nothing else."""
        device = await page.evaluate("JSON.parse(localStorage['yekta.device'])")
        return await self.told_of(device, types)

    async def told_of(self, device: str, types: dict[str, int]) -> list[dict[str, Any]]:
        found: Counter[str] = Counter()
        items: list[dict[str, Any]] = []
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(60):
                while found.total() < sum(types.values()):  # what a page sends is acknowledged to nobody but the page
                    owner = await self.api.client.get(f"/v1/customers/by/device/{device}", auth=(self.agent, ""))
                    if owner.status_code == 200:
                        customer = owner.json()["customer_id"]
                        items = (await self.api.get(self.agent, f"/v1/customers/{customer}/timeline", limit="100"))["items"]
                        found = Counter(item["type"] for item in items if item["type"] != "score.given")
                    await breath()
        assert found == Counter(types)
        return items


@pytest.fixture(scope="module")
async def street(browser: Browser, shared_world: World) -> AsyncIterator[Street]:
    umd = await asyncio.to_thread(clients.installed) / "node_modules" / "@segment" / "analytics-next" / "dist" / "umd"
    async with serving(shared_world) as api, working(shared_world), listening(api.app) as here:
        key, agent = await api.write_key("shop"), await api.token("agent")
        async with opened(here.url, key, umd) as shop:
            yield Street(api, shop, here.url, browser, agent)


def data(items: list[dict[str, Any]], type_: str) -> list[dict[str, Any]]:
    return [item["data"] for item in items if item["type"] == type_]


async def test_the_script_is_small_and_kept(street: Street) -> None:
    assert len(script.PACKED) < 4096
    answer = await street.api.client.get("/yekta.js")
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.text == script.SCRIPT.decode()
    again = await street.api.client.get("/yekta.js", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


async def test_views_products_forms_and_what_the_page_says(street: Street) -> None:
    context = await street.visitor(locale="fa-IR")
    page = await context.new_page()
    await page.goto("/tea?utm_source=mail&utm_campaign=autumn")
    await page.wait_for_function("!!(window.yekta && yekta.track)")
    await page.goto("/prices")
    await page.wait_for_function("!!(window.yekta && yekta.track)")
    await page.locator("form button").click()
    await page.evaluate("history.pushState({}, '', '/prices/cups')")
    await page.evaluate(
        "yekta.identify('u-77', {email: 'visitor@example.ir', name: 'Visitor'}); yekta.track('Video Played', {title: 'Tea'})"
    )
    items = await street.told(
        page,
        {
            "web.page_viewed": 3,
            "web.product_viewed": 2,
            "web.form_submitted": 1,
            "web.shop_opened": 2,
            "web.video_played": 1,
            "web.identified": 1,
        },
    )
    views = {view["url"].removeprefix(street.shop.url): view for view in data(items, "web.page_viewed")}
    assert set(views) == {"/tea?utm_source=mail&utm_campaign=autumn", "/prices", "/prices/cups"}
    assert views["/prices"]["page"] == "price"
    assert views["/tea?utm_source=mail&utm_campaign=autumn"]["campaign"] == "autumn"
    assert views["/prices"]["locale"] == "fa-IR"
    assert {(one["sku"], one["price"]) for one in data(items, "web.product_viewed")} == {("TEA-250", "18.50"), ("CUP-1", "9.5")}
    (form,) = data(items, "web.form_submitted")
    assert (form["form"], form["fields"]) == ("contact", {"email": None, "pin": None, "topic": "delivery"})
    assert "secret@example.ir" not in str(items)
    customer = await street.api.get(street.agent, "/v1/customers/by/email/visitor@example.ir")
    assert customer["customer_id"] == (await street.api.get(street.agent, "/v1/customers/by/user_id/u-77"))["customer_id"]
    assert [one["name"] for one in await context.cookies()] == []
    await context.close()


async def test_what_happens_offline_is_told_when_the_line_is_back_and_once(street: Street) -> None:
    context = await street.visitor()
    page = await context.new_page()
    async with page.expect_response(BATCH):
        await page.goto("/one")
    await context.set_offline(True)
    for n in range(3):
        await page.evaluate("(n) => { history.pushState({}, '', '/offline-' + n); yekta.track('Seen Offline', {n}) }", n)
    await page.wait_for_function("JSON.parse(localStorage['yekta.queue']).length === 6")
    await context.set_offline(False)
    await street.told(page, {"web.page_viewed": 4, "web.shop_opened": 1, "web.seen_offline": 3})
    await page.wait_for_function("JSON.parse(localStorage['yekta.queue']).length === 0")
    await context.close()


async def test_a_server_that_is_away_costs_nothing(street: Street) -> None:
    context = await street.visitor()
    page = await context.new_page()
    answers = iter([500, 429, 503])

    async def fail(route: Any) -> None:
        status = next(answers, None)
        if status is None:
            await route.continue_()
        else:
            await route.fulfill(status=status, headers={"Access-Control-Allow-Origin": "*"})

    await context.route(BATCH, fail)
    await page.goto("/one")
    await street.told(page, {"web.page_viewed": 1, "web.shop_opened": 1})
    assert next(answers, None) is None
    await context.close()


async def test_what_is_left_at_unload_goes_with_a_beacon_and_counts_once(street: Street) -> None:
    context = await street.visitor()
    page = await context.new_page()
    async with page.expect_response(BATCH):
        await page.goto("/one")
    device = await page.evaluate("JSON.parse(localStorage['yekta.device'])")
    await page.wait_for_function("JSON.parse(localStorage['yekta.queue']).length === 0")
    await page.evaluate("window.fetch = () => new Promise(() => {}); yekta.track('Left')")
    await page.goto("about:blank")
    expected = {"web.page_viewed": 1, "web.shop_opened": 1, "web.left": 1}
    await street.told_of(device, expected)
    again = await context.new_page()
    async with again.expect_response(BATCH):
        await again.goto("/two")
    await street.told_of(device, expected | {"web.page_viewed": 2, "web.shop_opened": 2})
    await context.close()


@pytest.mark.parametrize(
    "signal", ["Object.defineProperty(navigator, 'doNotTrack', {get: () => '1'})", "Navigator.prototype.globalPrivacyControl = true"]
)
async def test_who_asks_not_to_be_tracked_is_not(street: Street, signal: str) -> None:
    context = await street.visitor()
    await context.add_init_script(signal)
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url) if "/v1/" in request.url else None)
    page = await context.new_page()
    await page.goto("/tea")
    await page.wait_for_function("!!(window.yekta && yekta.track)")
    await page.evaluate("yekta.track('Secret'); yekta.identify('u-secret', {email: 'a@b.ir'}); yekta.flush()")
    assert await page.evaluate("Object.keys(localStorage)") == []
    assert asked == []
    async with page.expect_response(BATCH):
        await page.evaluate("yekta.consent(true)")
    await street.told(page, {"consent.given": 1, "web.page_viewed": 1, "web.product_viewed": 2})
    await context.close()


async def test_nothing_is_told_before_consent_nor_after_its_withdrawal(street: Street) -> None:
    context = await street.visitor()
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url) if "/v1/" in request.url else None)
    page = await context.new_page()
    await page.goto("/asking")
    await page.wait_for_function("!!(window.yekta && yekta.track)")
    await page.evaluate("yekta.track('Too Early')")
    assert await page.evaluate("Object.keys(localStorage)") == []
    async with page.expect_response(BATCH):
        await page.evaluate("yekta.consent(true)")
    device = await page.evaluate("JSON.parse(localStorage['yekta.device'])")
    await page.wait_for_function("JSON.parse(localStorage['yekta.queue']).length === 0")
    async with page.expect_response(BATCH):
        await page.evaluate("yekta.consent(false); yekta.track('Too Late')")
    assert await page.evaluate("localStorage['yekta.device']") is None
    await street.told_of(device, {"consent.given": 1, "consent.withdrawn": 1, "web.page_viewed": 1})
    before = len(asked)
    await page.goto("/tea")
    await page.wait_for_function("!!(window.yekta && yekta.track)")
    await page.evaluate("yekta.track('Much Too Late'); yekta.flush()")
    assert len(asked) == before
    await context.close()


async def test_the_published_browser_client_of_segment_loses_nothing(street: Street) -> None:
    context = await street.visitor()
    page = await context.new_page()
    async with flaky(street.yekta) as line:
        await page.goto("/segment")
        await page.evaluate(
            """async ([host, writeKey]) => {
              const settings = { integrations: { 'Segment.io': { apiKey: writeKey } } };
              const own = { integrations: { 'Segment.io': { apiHost: host.replace('http://', '') + '/v1', protocol: 'http' } } };
              const [analytics] = await AnalyticsNext.AnalyticsBrowser.load({ writeKey, cdnSettings: settings }, own);
              window.analytics = analytics;
              await analytics.page('price');
              await analytics.track('Product Viewed', { product_id: 'TEA-250', price: 18.5, currency: 'EUR' });
              await analytics.identify('segment-browser', { email: 'browser@example.ir' });
              await analytics.track('Clicked Something');
            }""",
            [line.url, street.shop.key],
        )
        device = await page.evaluate("analytics.user().anonymousId()")
        items = await street.told_of(
            device, {"web.page_viewed": 1, "web.product_viewed": 1, "web.identified": 1, "web.clicked_something": 1}
        )
    assert line.statuses[: len(FATES)] == list(FATES)
    assert data(items, "web.page_viewed")[0]["url"] == f"{street.shop.url}/segment"
    await context.close()
