"""Whoever has an erased customer on the screen is told within a second, on a page that anybody can use; nothing of him stays typed."""

from datetime import timedelta

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Desk, shot
from tests.browser.story import told
from tests.browser.test_everybody_can_use_the_desk import judged


@pytest.mark.parametrize(
    ("language", "said", "number", "elsewhere"),
    [("fa", "پاک شده", "شمارهٔ رسید", "جست‌وجوی کسی دیگر"), ("en", "Erased", "Number of the receipt", "Search for somebody else")],
)
async def test_an_open_page_of_him_becomes_one_that_says_so(desk: Desk, language: str, said: str, number: str, elsewhere: str) -> None:
    who = {"customer_number": f"to-erase-{language}"}
    traits = {"name": f"Erased {language}"}
    await desk.visible(await desk.happens(told("profile.reported", timedelta(0), who, traits=traits)))
    page = await desk.customer(who["customer_number"], language)
    address = page.url
    await page.evaluate("localStorage.setItem('yekta:wrap-up:' + location.pathname.split('/')[2], '{\"note\": \"half a sentence\"}')")
    admin = await desk.token("admin")
    customer = address.partition("/customers/")[2].partition("?")[0]
    receipt = (await desk.api.client.post(f"/v1/customers/{customer}/erase", json={"why": "case 7"}, auth=(admin, ""))).json()
    await expect(page.get_by_role("heading", level=1)).to_have_text(said)
    await expect(page.get_by_text(number)).to_contain_text(receipt["id"])
    assert await page.evaluate("Object.keys(localStorage).filter((key) => key.includes(location.pathname.split('/')[2])).length") == 0
    await shot(page, f"erased-{language}")
    assert await judged(page, "erased") == []
    await page.get_by_role("link", name=elsewhere).focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("searchbox")).to_be_focused()
    await page.goto(address)
    await expect(page.get_by_role("heading", level=1)).to_have_text(said)
    desk.complaints.clear()  # the browser tells of the 410
