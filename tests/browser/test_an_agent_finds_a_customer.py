"""Signing in, and finding somebody by whatever the caller says."""

import pytest
from playwright.async_api import expect

from projections.search import table as searching
from tests.browser.conftest import Desk, find, shot


async def test_a_staff_token_opens_the_page_that_was_wanted(desk: Desk) -> None:
    page = await (await desk.context("en")).new_page()
    await page.goto("/?q=10042")
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    await page.get_by_label("Staff token").fill("ys_nonsense")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("opens nothing")
    await expect(page.get_by_label("Staff token")).to_be_focused()
    await shot(page, "sign-in-wrong")
    await page.get_by_label("Staff token").fill(desk.agent)
    await page.keyboard.press("Enter")
    await expect(page.locator(".found a")).to_have_count(1)
    await page.get_by_role("button", name="Sign out").click()
    await page.goto("/")
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert all("Failed to load resource" in complaint for complaint in desk.complaints)
    desk.complaints.clear()  # the browser tells of the 401 and the 403


async def test_a_one_time_address_opens_the_desk_once(desk: Desk) -> None:
    minted = await desk.api.made.keys.create("tests", role="agent", once=True)
    await desk.api._known(minted.secret)
    page = await (await desk.context("en")).new_page()
    await page.goto(f"/?token={minted.secret}")
    await page.wait_for_url(f"{desk.listening.url}/")
    await expect(page.get_by_role("searchbox")).to_be_focused()
    other = await (await desk.context("en")).new_page()
    await other.goto(f"/?token={minted.secret}")
    await expect(other.get_by_role("alert")).to_contain_text("used already")
    desk.complaints.clear()  # the browser tells of the 403


async def test_another_site_can_neither_sign_in_nor_out(desk: Desk) -> None:
    context = await desk.context()
    for path in ("/sign-in", "/sign-out", "/language"):
        answer = await context.request.post(path, form={"token": desk.agent}, headers={"Origin": "https://elsewhere.example"})
        assert answer.status == 403
    assert all(cookie["name"] == "yekta_language" for cookie in await context.cookies())


async def test_any_spelling_finds_her(desk: Desk) -> None:
    page = await desk.signed_in()
    for query in (
        *("سارا کریمی", "سارا كريمي", "کريمی سارا", "کریم"),
        *("09123456789", "+98 912 345 67 89", "۰۹۱۲ ۳۴۵ ۶۷۸۹", "٠٩١٢٣٤٥٦٧٨٩", "0098-912-345-6789", "6789"),
        *("SARA.karimi@example.ir", "10042", "۱۰۰۴۲", "o-4711", "c-1001"),
    ):
        await page.goto("/")
        await find(page, query)
        await expect(page.locator(".found a").filter(has_text="سارا کریمی")).to_have_count(1)
        await expect(page.locator("#q")).to_have_value(query)


async def test_several_are_told_apart_and_nobody_is_told_kindly(desk: Desk) -> None:
    page = await desk.signed_in("fa")
    await shot(page, "home-fa")
    await find(page, "سارا")
    await expect(page.get_by_role("heading", level=1)).to_have_text("۲ مشتری")
    await expect(page.locator(".found a")).to_have_count(2)
    await shot(page, "found-fa")
    await find(page, "هیچ‌کس")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("«هیچ‌کس»")
    await shot(page, "nobody-fa")


async def test_the_keyboard_is_enough(desk: Desk) -> None:
    page = await desk.signed_in("en")
    await expect(page.locator("#q")).to_be_focused()
    await page.keyboard.type("سارا")
    await page.keyboard.press("Enter")
    await page.locator(".found").wait_for()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowUp")
    await expect(page.locator(".found a").first).to_be_focused()
    await page.keyboard.press("Enter")
    await page.locator('.live[data-state="live"]').wait_for()
    await page.keyboard.press("j")
    await page.keyboard.press("j")
    await expect(page.locator(".entry summary").nth(1)).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator(".entry details").nth(1)).to_have_attribute("open", "")
    for key, focused in (("2", "#name"), ("3", "#matters-title"), ("4", "#score-title"), ("5", "#timeline-title"), ("1", "#q")):
        await page.keyboard.press(f"Alt+{key}")
        await expect(page.locator(focused)).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.locator("#q")).not_to_be_focused()


async def test_keys_go_by_their_place_because_a_persian_layout_types_other_signs(desk: Desk) -> None:
    page = await desk.customer()
    await page.evaluate(
        "document.body.dispatchEvent(new KeyboardEvent('keydown', {code: 'KeyJ', key: 'ت', bubbles: true, cancelable: true}))"
    )
    await expect(page.locator(".entry summary").first).to_be_focused()


async def test_what_nobody_expected_is_told_on_a_page(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        raise ZeroDivisionError

    page = await desk.signed_in("en")
    monkeypatch.setattr(searching, "search", broken)
    answer = await page.goto("/?q=sara")
    assert answer is not None
    assert answer.status == 500
    desk.complaints.clear()  # the browser tells of the 500
    assert "Something went wrong here" in await page.locator("main").inner_text()
