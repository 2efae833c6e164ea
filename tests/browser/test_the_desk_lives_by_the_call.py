"""The moments by which an agent judges the desk: the ring, the shared number, the unknown caller, what comes of the call."""

import asyncio
import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from playwright.async_api import Page, expect

from api.desk.rendering import BUILT
from tests.browser.conftest import Desk, find, shot
from tests.browser.story import told

SARA = "۰۹۱۲ ۳۴۵ ۶۷۸۹"
HEADING = {"fa": "سارا کریمی", "en": "سارا کریمی"}


def ring(number: str, extension: str, call_id: str, stage: str = "ringing") -> Any:
    data: dict[str, Any] = {"extension": extension, "direction": "inbound", "number": number}
    if stage != "ringing":
        data = {"extension": extension, "agent": "maryam"}
    return told(f"call.{stage}", timedelta(0), {"phone": number}, source="pbx", call_id=call_id, **data)


async def seated(desk: Desk, extension: str, language: str = "fa", **options: Any) -> Page:
    """An agent at a desk of his own, who has said at which extension he sits."""
    page = await desk.signed_in(language, await desk.token("agent"), **options)
    await page.locator("#extension").fill(extension)
    await page.locator("#extension").press("Enter")
    await expect(page.locator("#extension")).to_have_value(extension)
    await page.locator("html[data-listening]").wait_for()
    return page


@pytest.mark.parametrize("language", ["fa", "en"])
async def test_a_ring_fills_the_desk_it_rings_at_and_no_other(desk: Desk, language: str) -> None:
    page, other = await seated(desk, f"30{language}", language), await seated(desk, f"31{language}", language)
    call_id = f"c-{uuid4()}"
    await desk.happens(ring("+98 912-345-6789", f"30{language}", call_id))
    await expect(page.get_by_role("heading", level=1)).to_have_text("سارا کریمی")
    await expect(page.locator("#call")).to_have_attribute("data-stage", "ringing")
    await expect(page.locator(".tag.match")).to_be_visible()
    await expect(page.locator("#call-timer")).not_to_be_empty()
    await desk.happens(ring("09123456789", f"30{language}", call_id, "answered"))
    await expect(page.locator("#call")).to_have_attribute("data-stage", "answered")
    await shot(page, f"ring-{language}")
    assert other.url.rstrip("/") == desk.listening.url
    height = await page.evaluate("document.querySelector('#dock').getBoundingClientRect().bottom")
    assert height <= 768


async def test_a_request_by_keyboard_alone_outlives_the_api(desk: Desk) -> None:
    page = await desk.customer(language="en")
    await page.keyboard.press("Alt+KeyN")
    await expect(page.locator("#request-title")).to_be_focused()
    await page.keyboard.type("Parcel has not come")
    await desk.listening.stop()
    await page.keyboard.press("Enter")
    await expect(page.locator("#dock-said")).to_have_text("Sending…")
    await desk.listening.start()
    await expect(page.locator("#dock-said")).to_contain_text("is open", timeout=15_000)
    await expect(page.locator("#matters .requests")).to_contain_text("Parcel has not come", timeout=15_000)
    listed = await desk.api.get(desk.agent, "/v1/service-requests", state="live", limit="200")
    assert [item["title"] for item in listed["items"]].count("Parcel has not come") == 1
    desk.complaints.clear()  # the browser tells of the lost line
    await page.locator("#matters .requests a").first.click()
    await page.locator("button[formaction$='/resolve']").click()
    await expect(page.locator(".sla")).to_contain_text("done")


async def test_what_is_typed_survives_a_reload_and_becomes_a_fact(desk: Desk) -> None:
    page = await desk.customer()
    await page.keyboard.press("Alt+KeyW")
    await expect(page.locator("#outcome")).to_be_focused()
    await page.locator("#dock [name=promise]").fill("فردا زنگ می‌زنیم")
    await page.locator("#dock [name=due]").fill("۱۴۰۵/۱۲/۰۵")
    await page.reload()
    await expect(page.locator("#dock [name=promise]")).to_have_value("فردا زنگ می‌زنیم")
    await page.locator("#wrap-up .primary").click()
    await expect(page.locator("#dock-said")).to_have_text("ثبت شد")
    await expect(page.locator("#matters .promise")).to_contain_text("فردا زنگ می‌زنیم")
    await expect(page.locator(".entry").first).to_contain_text("جمع‌بندی تماس")
    await page.reload()
    await expect(page.locator("#dock [name=promise]")).to_have_value("")
    await shot(page, "desk-fa")


async def test_an_unknown_number_opens_the_form_and_the_form_makes_a_customer(desk: Desk) -> None:
    page = await seated(desk, "320")
    await desk.happens(ring("۰۹۳۳ ۰۰۰ ۱۱۲۲", "320", f"c-{uuid4()}"))
    await expect(page.locator("#new-phone")).to_have_value("+989330001122")
    await expect(page.locator("#new-name")).to_be_focused()
    await page.locator("#new-name").fill("نیما تازه")
    await shot(page, "newcomer-fa")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("نیما تازه", timeout=15_000)


async def test_a_shared_number_asks_which_and_shows_nothing_before(desk: Desk) -> None:
    both = [
        told(
            "profile.reported", timedelta(days=3), {"customer_number": number, "phone": "09350004455"}, source="crm", traits={"name": name}
        )
        for number, name in (("70001", "پدر رضایی"), ("70002", "پسر رضایی"))
    ]
    await desk.visible(await desk.happens(*both))
    page = await desk.signed_in()
    await page.goto("/pop?phone=0935%20000%204455")
    title = page.get_by_role("heading", level=1)
    if await title.text_content() != "چند مشتری این شماره را دارند":
        pytest.skip("identity made one of both")
    await expect(page.locator("main")).not_to_contain_text("رضایی")
    await shot(page, "chooser-fa")
    await page.locator(".found a").nth(1).click()
    await expect(title).to_have_text(re.compile("رضایی"))


async def test_not_this_person_takes_two_keys(desk: Desk) -> None:
    who = {"customer_number": "70009", "phone": "09350007788"}
    await desk.visible(await desk.happens(told("profile.reported", timedelta(days=3), who, source="crm", traits={"name": "مادر امینی"})))
    page = await desk.signed_in()
    await page.goto("/pop?phone=09350007788")
    await expect(page.get_by_role("heading", level=1)).to_have_text("مادر امینی")
    await page.keyboard.press("Alt+KeyX")
    await expect(page.get_by_role("heading", level=1)).to_have_text("این شخص نیست")
    await expect(page.get_by_role("button", name="جدا کن")).to_be_focused()
    await shot(page, "not-him-fa")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).not_to_have_text("این شخص نیست", timeout=15_000)
    await expect(page.get_by_role("heading", level=1)).not_to_have_text("مادر امینی")
    await find(page, "70009")
    await expect(page.locator(".found a")).to_contain_text("مادر امینی")


async def test_a_ring_comes_where_nobody_looks_too(desk: Desk) -> None:
    page = await seated(desk, "340", "en")
    await page.goto("/knowledge")
    await page.locator("html[data-listening]").wait_for()
    await asyncio.gather(desk.happens(ring("09123456789", "340", f"c-{uuid4()}")), expect(page.locator("#call")).to_be_visible())


@pytest.mark.skipif("htmx.js" not in BUILT, reason="without htmx a script has a page of its own")
async def test_a_script_runs_beside_the_customer_until_the_offer_may_not_be_made(desk: Desk) -> None:
    offer, who = f"offer-{uuid4()}", {"customer_number": f"n-{uuid4()}"}
    boss, agent = (await desk.token("supervisor"), ""), (await desk.token("agent"), "")
    await written(await desk.signed_in("en", boss[0]), offer)
    given = told("consent.given", timedelta(hours=1), who, source="crm", purpose="marketing")
    await desk.visible(await desk.happens(given))
    asked = {"request_id": offer, "who": who, "channel": "agent_offer", "contact": offer}
    assert (await desk.api.client.post("/v1/contacts/check", json=asked, auth=agent)).json()["outcome"] == "allowed"
    survey = {"request_id": f"how {offer}", "who": who, "channel": "sms", "contact": "how-content", "purpose": "service"}
    assert (await desk.api.client.post("/v1/contacts/check", json=survey, auth=agent)).json()["outcome"] == "refused"  # no offer's matter
    page = await desk.customer(who["customer_number"], "en")
    await page.locator("#offer a[data-htmx-powered]").click()  # what htmx has not met yet goes to a page of its own
    await expect(page.locator("#script .say")).to_have_text("Still content?")
    steps = [{"id": "ask", "say": "Say nothing."}]
    script = {"name": offer, "title": offer, "for_offer": offer, "steps": steps}
    assert (await desk.api.client.post("/v1/scripts", json=script, auth=boss)).status_code == 201
    await page.get_by_role("link", name="No", exact=True).click()
    await expect(page.locator("#script .say")).to_have_text("A fifth off.")  # the version that the conversation began with
    await expect(page.locator("#name")).to_be_visible()
    await desk.happens(told("consent.withdrawn", timedelta(0), who, source="crm", purpose="marketing"))
    await expect(page.locator("#offer.silence")).to_contain_text("did not agree")
    await expect(page.locator("#script .say")).to_have_count(0)


async def written(page: Page, offer: str) -> None:
    """A script for this offer, written on the desk without a mouse."""
    await page.goto("/knowledge/new-script")
    await expect(page.locator("#title")).to_be_focused()
    await page.keyboard.type(offer)
    await page.locator("#offer").fill(offer)
    await page.locator("#step-1-title").fill("ask")
    await page.locator("#step-1-say").fill("Still content?")
    await page.locator("#step-1-answer-1").fill("No")
    await page.get_by_role("button", name="Add a step").press("Enter")
    await expect(page.locator("#step-2-title")).to_be_focused()
    await page.keyboard.type("off")
    await page.locator("#step-2-say").fill("A fifth off.")
    await page.locator("#step-1-next-1").select_option("2")
    await page.locator("#step-1-answer-1").press("Enter")
    await expect(page.locator(".steps h3")).to_have_text(["1. ask", "2. off"])


async def test_a_part_that_cannot_be_read_leaves_the_others(desk: Desk) -> None:
    page = await desk.customer(language="en")
    who = {"customer_number": "10042"}
    async with desk.api.made.pool.connection() as connection:
        await connection.execute("ALTER TABLE service.requests RENAME TO hidden")
        try:
            await desk.happens(told("loyalty.points_earned", timedelta(0), who, source="loyalty", points=1))
            await expect(page.locator("#matters .failed-now")).to_be_visible()
            await expect(page.locator("#matters")).to_contain_text("Open quote")
            await page.reload()
            await expect(page.locator("#matters .failed")).to_be_visible()
            await expect(page.locator("#numbers .worth").first).to_be_visible()
        finally:
            await connection.execute("ALTER TABLE service.hidden RENAME TO requests")
    await expect(page.locator("#matters .failed")).to_have_count(0, timeout=15_000)
