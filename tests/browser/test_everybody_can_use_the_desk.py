"""WCAG 2.2 AA as axe judges it, on every page, in both languages, by day and by night."""

import pytest
from playwright.async_api import Page

from tests.browser.chromium import AXE
from tests.browser.conftest import Desk, find, shot
from tests.browser.npm import fetched

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["fa", "en"])
async def test_axe_finds_nothing(desk: Desk, language: str, scheme: str) -> None:
    signing = await (await desk.context(language, color_scheme=scheme)).new_page()
    await signing.goto("/")
    desk.complaints.clear()  # the browser tells of the 401
    found = await judged(signing, "sign-in")
    page = await desk.customer(language=language, color_scheme=scheme, reduced_motion="reduce")
    await shot(page, f"customer-{language}-{scheme}")
    await page.goto(f"{page.url.partition('?')[0]}?limit=12")
    await page.locator(".entry summary").first.click()
    await page.locator("#devices summary").click()
    await page.evaluate("document.querySelector('#stale').hidden = false")
    found += await judged(page, "customer")
    await find(page, "سارا")
    found += await judged(page, "results")
    await find(page, "xyzxyz")
    found += await judged(page, "nobody")
    await page.goto("/")
    found += await judged(page, "home")
    await page.goto("/customers/nonsense")
    desk.complaints.clear()  # the browser tells of the 404
    found += await judged(page, "problem")
    assert found == []


async def test_axe_would_find_something(desk: Desk) -> None:
    page = await desk.signed_in()
    await page.evaluate("document.querySelector('main').innerHTML = '<button></button><input>'")
    assert len(await judged(page, "spoilt")) >= 2


async def judged(page: Page, name: str) -> list[str]:
    """What axe finds on a page, with the first element that it finds it on."""
    await page.evaluate((fetched(AXE) / "axe.min.js").read_text("utf-8"))
    options = {"runOnly": RULES, "resultTypes": ["violations"]}
    violations = await page.evaluate("(options) => axe.run(options).then((found) => found.violations)", options)
    first = [one["nodes"][0] for one in violations]
    return [f"{name}: {one['id']}: {node['html'][:200]} {node['failureSummary']}" for one, node in zip(violations, first, strict=True)]
