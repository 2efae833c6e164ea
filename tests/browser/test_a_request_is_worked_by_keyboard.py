"""The page of a request and the supervisor's board: every act has a button and a key, and an open board is told what changes."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

from api.desk.catalog import LANGUAGES
from tests.browser.conftest import Desk, shot, spoken
from tests.browser.test_everybody_can_use_the_desk import judged

WHO = {"phone": "0912 555 0177"}
PATIENCE = 30_000


async def opened(desk: Desk, title: str, **more: Any) -> dict[str, Any]:
    answer = await desk.api.client.post("/v1/service-requests", json={"who": WHO, "title": title} | more, auth=(desk.agent, ""))
    assert answer.status_code == 201, answer.text
    await desk.visible(answer.json()["position"])
    return dict(answer.json())


async def ready(page: Page) -> Page:
    """Once the page's script hears keys."""
    await page.locator('html[data-listening="yes"]').wait_for(timeout=PATIENCE)
    return page


async def test_promising_keeping_breaking_passing_on_and_merging_need_no_mouse(desk: Desk) -> None:
    one, two = await opened(desk, "Parcel has not come", priority="high"), await opened(desk, "Parcel still missing")
    page = await desk.signed_in("en")
    await page.goto(f"/requests/{two['id']}")
    await (await ready(page)).keyboard.press("t")
    await expect(page.locator(".asked .tag").first).to_have_text("Open")
    await (await ready(page)).keyboard.press("n")  # of a note that is not written yet: there it is written
    await page.keyboard.type("She calls again")
    await page.keyboard.press("Escape")
    await page.keyboard.press("n")
    await expect(page.locator(".past .told").first).to_have_text("She calls again")
    for text, key, became in (("A call by noon", "k", "kept"), ("A refund", "b", "broken")):
        await (await ready(page)).keyboard.press("p")
        await page.keyboard.type(text)
        await page.keyboard.press("Enter")
        await expect(page.locator(".promises li", has_text=text)).to_be_visible()
        await (await ready(page)).keyboard.press(key)
        await expect(page.locator(f'.promises li[data-state="{became}"]', has_text=text)).to_be_visible()
    for language in LANGUAGES:
        his = await desk.signed_in(language)
        await his.goto("/pop?phone=09125550177")
        await expect(his.locator("#matters .warning")).to_have_text(spoken(language)("warning.broken"))
        await shot(his, f"warning-{language}")
    await (await ready(page)).keyboard.press("a")
    await page.keyboard.press("Control+a")
    await page.keyboard.type("reza")
    await page.keyboard.press("Enter")
    await expect(page.locator("dl.facts")).to_contain_text("reza")
    found = await judged(page, "request")
    await shot(page, "request-en")
    await (await ready(page)).keyboard.press("m")
    await page.keyboard.type("99999999")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("99999999")
    desk.complaints.clear()  # the browser calls an answer that says no an error
    await expect(page.locator("[name=into][aria-invalid]")).to_be_focused()
    await page.keyboard.type(one["number"])
    await page.keyboard.press("Enter")
    await expect(page.locator(f'.notice a[href="/requests/{one["id"]}"]')).to_be_visible()
    stays = await desk.api.get(desk.agent, f"/v1/service-requests/{one['id']}")
    assert stays["merged"] == [two["id"]]
    assert found == []


@pytest.mark.parametrize("language", LANGUAGES)
async def test_what_a_request_refuses_is_said_in_the_readers_language_and_nothing_typed_is_lost(desk: Desk, language: str) -> None:
    say = spoken(language)
    page = await desk.signed_in(language)
    made = await opened(desk, f"Refuses, {language}")
    await page.goto(f"/requests/{made['id']}")
    await page.locator("[name=promise]").fill("A call by noon")
    for day, why in (("1405/13/40", say("error.no_date")), ("1404/01/01", {"fa": "هنوز نیامده", "en": "a time to come"}[language])):
        await page.locator("[name=due]").fill(day)
        await page.locator("[name=due]").press("Enter")
        await expect(page.get_by_role("alert")).to_contain_text(why)
        await expect(page.locator("[name=promise]")).to_have_value("A call by noon")
        await expect(page.locator("[name=due]")).to_have_value(day)
        await expect(page.locator("[name=due][aria-invalid]")).to_be_focused()
        await expect(page.locator("form:has([name=due]) #wrong")).to_contain_text(why)
    await desk.api.client.post(f"/v1/service-requests/{made['id']}/resolve", json={"note": "Done."}, auth=(desk.agent, ""))
    await page.locator("[name=note]").fill("A long note")
    await page.locator("button[formaction$='/escalate']").click()
    await expect(page.get_by_role("alert")).to_contain_text({"fa": "حل‌شده است و این کار", "en": "is resolved and cannot be"}[language])
    await expect(page.locator("[name=note]")).to_have_value("A long note")
    desk.complaints.clear()  # the browser calls an answer that says no an error


async def test_an_open_board_is_told_what_changes(desk: Desk) -> None:
    page = await desk.signed_in("fa", await desk.token("supervisor"))
    await page.goto("/board")
    await page.locator('.live[data-state="live"]').wait_for(timeout=PATIENCE)
    await expect(page.get_by_text("boarded")).to_have_count(0)
    made = await opened(desk, "On the board", queue="boarded")
    row = page.locator("#queues ~ .scroller tr", has_text="boarded")
    await expect(row.locator("td").first).to_have_text("۱")
    assert await judged(page, "board") == []
    await shot(page, "board-fa")
    answer = await desk.api.client.post(f"/v1/service-requests/{made['id']}/cancel", json={}, auth=(desk.agent, ""))
    assert answer.status_code == 200, answer.text
    await expect(row).to_have_count(0)
