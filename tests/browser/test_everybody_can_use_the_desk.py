"""WCAG 2.2 AA as axe judges it, on every page, in both languages, by day and by night."""

import re

import pytest
from playwright.async_api import Page, expect

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


@pytest.mark.parametrize(("language", "scheme"), [("fa", "dark"), ("en", "light")])
async def test_axe_finds_nothing_where_texts_are_written(desk: Desk, language: str, scheme: str) -> None:
    boss = await desk.token("supervisor")
    step = {"id": "ask", "say": "Which?", "answers": [{"text": "This", "next": "ask"}]}
    await desk.api.client.post("/v1/scripts", json={"name": "which", "title": f"Which, {language}", "steps": [step]}, auth=(boss, ""))
    made = (await desk.api.client.post("/v1/articles", json={"title": "Gloves", "body": "Wear them."}, auth=(boss, ""))).json()
    await desk.api.client.post("/v1/articles", json={"id": made["id"], "title": "Gloves", "body": "Wear two."}, auth=(boss, ""))
    page = await desk.signed_in(language, boss, color_scheme=scheme)
    found: list[str] = []
    article, script = f"/knowledge/articles/{made['id']}", "/knowledge/scripts/which"
    for path in ("/knowledge", article, f"{article}/edit", script, f"{script}/edit", "/knowledge/new-script"):
        await page.goto(path)
        found += await judged(page, path)
    await page.goto(f"{script}/edit")
    await shot(page, f"script-form-{language}")
    await page.goto("/knowledge/new-script")
    await page.locator("form .primary").evaluate("(save) => (save.form.noValidate = true)")
    await page.locator("form .primary").click()
    await expect(page.locator("#title-wrong")).to_be_visible()
    await expect(page.locator("#title")).to_be_focused()
    desk.complaints.clear()  # the browser tells of the 422
    found += await judged(page, "script-wrong")
    await page.goto(article)
    await shot(page, f"versions-{language}")
    await page.locator(".versions button").click()
    await expect(page.locator(".body")).to_have_text("Wear them.")
    assert found == []


async def test_axe_would_find_something(desk: Desk) -> None:
    page = await desk.signed_in()
    await page.evaluate("document.querySelector('main').innerHTML = '<button></button><input>'")
    assert len(await judged(page, "spoilt")) >= 2


async def test_a_rule_is_written_in_a_form_while_its_text_follows_and_the_other_way_round(desk: Desk) -> None:
    marketer = await desk.token("marketer")
    found: list[str] = []
    for language in ("fa", "en"):
        page = await desk.signed_in(language, marketer)
        await page.goto("/rules/new")
        await page.locator("#f-rule").fill(f"formed-{language}")
        await page.locator("#f-kind").select_option("after")
        await page.locator("#f-event").fill("sales.order_cancelled")
        await page.locator("#f-absent").fill("sales.order_placed")
        assert await page.locator("#f-steps").is_hidden()
        await page.locator("#f-act").select_option("contact")
        await page.locator("#f-campaign").fill("winback")
        await expect(page.locator("#text")).to_have_value(re.compile("contact: winback"))
        await page.locator("#judged .notice").wait_for()
        text = await page.locator("#text").input_value()
        assert "when: {after: sales.order_cancelled, absent: sales.order_placed, for: 14d}" in text
        found += await judged(page, f"form-{language}")
        await shot(page, f"rule-form-{language}")
        await page.locator("#f-lasting").fill("soon")
        await expect(page.locator("#f-lasting")).to_have_attribute("aria-invalid", "true")
        await expect(page.locator("#f-lasting")).to_have_accessible_description(re.compile("/when/for"))
        await expect(page.locator("#rule-form [aria-invalid]")).to_have_count(1)
        found += await judged(page, f"form-wrong-{language}")
        await page.locator("#f-lasting").fill("14d")
        await expect(page.locator("#rule-form [aria-invalid]")).to_have_count(0)
        await page.locator("#text").fill(text.replace("for: 14d", "for: 3d"))
        await expect(page.locator("#f-lasting")).to_have_value("3d")
        await page.locator("#text").fill(text.replace("after:", "aftr:"))
        await page.locator("#rule-form .nothing").wait_for()
        await page.locator("#judged .wrong").wait_for()
    assert found == []


async def judged(page: Page, name: str) -> list[str]:
    """What axe finds on a page, with the first element that it finds it on."""
    await page.evaluate((fetched(AXE) / "axe.min.js").read_text("utf-8"))
    options = {"runOnly": RULES, "resultTypes": ["violations"]}
    violations = await page.evaluate("(options) => axe.run(options).then((found) => found.violations)", options)
    first = [one["nodes"][0] for one in violations]
    return [f"{name}: {one['id']}: {node['html'][:200]} {node['failureSummary']}" for one, node in zip(violations, first, strict=True)]
