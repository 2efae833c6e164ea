"""The desk's pages of marketing: signals come by themselves."""

import pytest
from playwright.async_api import expect

from api.desk.catalog import LANGUAGES
from tests.browser.conftest import Desk, shot, spoken
from tests.browser.test_everybody_can_use_the_desk import judged
from tests.triggers.marketer import Marketer, bought

pytestmark = pytest.mark.engines


@pytest.fixture(scope="module")
async def marketer(told: Desk) -> Marketer:
    made = await Marketer.of(told.api)
    await made.publish("triggers", "bought-once", "when: {count: custom.bought, at_least: 1, within: 1h}\ndo: {notify: team:x}\n")
    return made


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_new_signal_comes_by_itself_and_moves_nobody(desk: Desk, marketer: Marketer, language: str) -> None:
    say = spoken(language)
    page = await desk.signed_in(language, marketer.token)
    for path in ("/signals", "/rules/bought-once"):
        await page.goto(path)
        await page.locator("html[data-listening]").wait_for()
        rows = page.locator("#given tbody tr")
        if not await rows.count():
            await expect(page.get_by_text(say("signal.none"))).to_be_visible()
        await marketer.api.send(marketer.key, bought(f"one-{language}{len(path)}"))
        before = await rows.count() + 1
        await expect(rows).to_have_count(before)
        await expect(page.get_by_text(say("signal.none"))).to_be_hidden()
        await expect(page.locator("#news")).to_have_text(say("signal.new", rule="bought-once"))
        await rows.first.locator("a").last.focus()
        held = await rows.first.get_attribute("id")
        await page.set_viewport_size({"width": 1000, "height": 260})
        await page.evaluate("scrollTo(0, document.querySelector('#given tbody tr').getBoundingClientRect().top - 150)")
        top = await rows.first.evaluate("(row) => row.getBoundingClientRect().top")
        await marketer.api.send(marketer.key, *(bought(f"many-{language}{len(path)}-{number}") for number in range(3)))
        await expect(rows).to_have_count(before + 3)
        assert await page.evaluate("document.activeElement.closest('tr').id") == held
        assert abs(await page.locator(f"#{held}").evaluate("(row) => row.getBoundingClientRect().top") - top) < 1
        await page.set_viewport_size({"width": 1366, "height": 768})
        assert await judged(page, path) == []
        await shot(page, f"signals-{language}-{len(path)}")
