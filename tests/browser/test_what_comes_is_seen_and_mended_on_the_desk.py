"""Who looks after the channels sees events land and what was refused and why, corrects, tries and replays it: one letter, or many."""

import asyncio
import shlex

import pytest
from playwright.async_api import Page, expect

from tests.api.events import order
from tests.browser.conftest import Desk, shot
from tests.browser.test_everybody_can_use_the_desk import judged

pytestmark = pytest.mark.engines


async def letters(desk: Desk, page: Page, source: str, count: int) -> None:
    """The page of a source's letters, once they are listed."""
    async with asyncio.timeout(60):
        while await page.locator("li[data-reason]").count() != count:
            answer = await page.goto(f"/dead-letters?source={source}")
            assert answer is not None
            assert answer.ok


@pytest.mark.parametrize("language", ["fa", "en"])
async def test_an_integrator_pastes_a_line_and_sees_the_first_event_land(desk: Desk, language: str) -> None:
    page = await desk.signed_in(language, await desk.token("admin"))
    await page.goto("/sources")
    assert await judged(page, "sources") == []
    await page.locator("#name").fill(f"first-{language}")
    await page.locator("form button.primary").click()
    live = await page.locator("#tail-state").get_attribute("data-live")
    await page.locator("#tail-state").get_by_text(live or "").wait_for()
    words = shlex.split(await page.locator("#snippet-curl").inner_text())
    curl = await asyncio.create_subprocess_exec(*words, "--silent", "--fail-with-body", stdout=asyncio.subprocess.PIPE)
    said, _ = await curl.communicate()
    assert curl.returncode == 0, said
    await page.locator("#tail li").first.wait_for()
    assert "web.page_viewed first-1" in await page.locator("#tail").inner_text()
    assert await page.locator("#tail-waiting").is_hidden()
    await shot(page, f"source-{language}")
    assert await judged(page, "source") == []


async def test_a_letter_is_opened_corrected_tried_and_replayed(desk: Desk) -> None:
    key = await desk.api.write_key("bad-till")
    refused = await desk.api.client.post("/v1/events", json=order("mend-me", total=12.5), auth=(key, ""))
    assert refused.status_code == 422
    page = await desk.signed_in("fa", await desk.token("supervisor"))
    await letters(desk, page, "bad-till", 1)
    await shot(page, "dead-letters-fa")
    await page.locator("li[data-reason] a").first.click()
    assert "12.5" in await page.locator("#failing").inner_text()
    await expect(page.locator("main")).to_contain_text("باید متن باشد و عدد است.")
    await page.locator("#correction").fill('[{"op": "replace", "path": "/data/total", "value": "twelve"}]')
    await page.get_by_role("button", name="آزمودن").click()
    await expect(page.locator('[data-status="refused"]')).to_have_count(1)
    await expect(page.locator('[data-status="refused"]')).to_contain_text("چنان‌که باید نوشته نشده است.")
    await expect(page.locator("main [lang=en]")).to_have_count(0)
    await page.locator("#correction").fill('[{"op": "replace", "path": "/data/total", "value": "12.50"}]')
    await page.get_by_role("button", name="آزمودن").click()
    await expect(page.locator('[data-status="would_replay"]')).to_have_count(1)
    await shot(page, "dead-letter-fa")
    assert await judged(page, "letter") == []
    await page.get_by_role("button", name="بازپخش", exact=True).click()
    await expect(page.locator('[data-status="replayed"]')).to_have_count(1)
    await expect(page.locator("#correction")).to_have_count(0)


async def test_a_mapping_mends_all_refused_rows_of_its_files(desk: Desk) -> None:
    key = await desk.api.write_key("bad-list")
    cells = {"تاریخ": "1404/08/30", "موبایل": "09121234567", "کد کالا": "TEA", "تعداد": "1", "پول": "۱۹۵٬۰۰۰"}
    rows = [{"row": number, "id": f"r-{number}", "cells": cells} for number in (2, 3)]
    sent = {"file": "azar.csv", "type": "reseller.sale_reported", "mapping": {"name": "bad-list"}, "rows": rows}
    await desk.api.client.post("/v1/imports", json=sent, auth=(key, ""))
    page = await desk.signed_in("en", await desk.token("admin"))
    await letters(desk, page, "bad-list", 2)
    await page.goto("/dead-letters?mapping=bad-list")
    await page.locator("#correction").fill("type: reseller.sale_reported\ncolumns: {پول: {field: totl}}")
    await page.get_by_role("button", name="Replay all").click()
    assert "Did you mean total?" in await page.locator("[role=alert] .notice").inner_text(timeout=10_000)
    desk.complaints.clear()  # the browser told of the 422
    await page.locator("#correction").fill("columns: {پول: {field: total, unit: تومان}}")
    await page.get_by_role("button", name="Try").click()
    await expect(page.locator('[data-status="would_replay"]')).to_have_count(2)
    await shot(page, "dead-letters-en")
    assert await judged(page, "letters") == []
    await page.get_by_role("button", name="Replay all").click()
    await expect(page.locator('[data-status="replayed"]')).to_have_count(2)


async def test_an_agent_is_told_that_this_is_not_his(desk: Desk) -> None:
    page = await desk.signed_in("en")
    await expect(page.locator('a[href="/dead-letters"]')).to_have_count(0)
    answer = await page.request.get("/dead-letters")
    assert answer.status == 403
