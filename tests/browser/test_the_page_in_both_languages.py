"""What a customer's page shows, in Persian and in English, to each role, with and without a script."""

import re
from datetime import timedelta

from playwright.async_api import expect

from api.desk.catalog import LANGUAGES
from tests.browser.conftest import Desk, find, shot, spoken
from tests.browser.story import told

LATIN_DIGITS = re.compile(r"[0-9]")


async def test_in_persian_it_reads_from_the_right_by_the_persian_calendar(desk: Desk) -> None:
    page = await desk.customer()
    assert await page.evaluate("[document.documentElement.lang, document.documentElement.dir]") == ["fa", "rtl"]
    numbers, who = await page.locator(".column.numbers").bounding_box(), await page.locator(".column.who").bounding_box()
    assert numbers is not None
    assert who is not None
    assert who["x"] > numbers["x"]
    await expect(page.locator("#numbers")).to_contain_text("۵۶٬۷۰۰٬۰۰۰ ریال")
    await expect(page.locator("#numbers")).to_contain_text("۱ لغوشده")
    assert LATIN_DIGITS.search(await page.locator("#numbers").inner_text()) is None
    phone = page.locator("#who [data-copy]").first
    await expect(phone).to_have_text("۰۹۱۲ ۳۴۵ ۶۷۸۹")
    await expect(phone).to_have_attribute("dir", "ltr")
    await expect(page.locator("#matters")).to_contain_text("۹۸٬۰۰۰٬۰۰۰ ریال")
    await expect(page.locator(".tag.match")).to_have_text("شناخته‌شده با شمارهٔ مشتری")
    await shot(page, "customer-fa")


async def test_in_english_it_reads_from_the_left_by_the_gregorian_calendar(desk: Desk) -> None:
    page = await desk.customer(language="en")
    assert await page.evaluate("[document.documentElement.lang, document.documentElement.dir]") == ["en", "ltr"]
    numbers, who = await page.locator(".column.numbers").bounding_box(), await page.locator(".column.who").bounding_box()
    assert numbers is not None
    assert who is not None
    assert who["x"] < numbers["x"]
    await expect(page.locator("#numbers")).to_contain_text("56,700,000 IRR")
    await expect(page.locator(".consents li").first).to_contain_text("withdrawn")
    await expect(page.locator(".entry", has_text="loyalty.points_earned")).to_contain_text("120")
    await shot(page, "customer-en")


async def test_dates_are_those_of_the_browsers_own_persian_calendar(desk: Desk) -> None:
    page = await desk.customer()
    differing = await page.locator(".day").evaluate_all(
        """(days) => days.map((day) => [
            day.querySelector("h3").textContent.split(" · ").at(-1),
            new Intl.DateTimeFormat("fa-IR-u-ca-persian", {timeZone: "Asia/Tehran", weekday: "long", day: "numeric", month: "long",
              year: "numeric"}).formatToParts(new Date(day.querySelector("time").dateTime))
          ]).map(([shown, parts]) => {
            const part = (type) => parts.find((one) => one.type === type).value;
            return [shown, `${part("weekday")} ${part("day")} ${part("month")} ${part("year")}`];
          }).filter(([shown, expected]) => shown !== expected)"""
    )
    assert differing == []


async def test_the_language_is_changed_on_the_page_and_remembered(desk: Desk) -> None:
    page = await desk.customer()
    await page.get_by_role("button", name="English").click()
    await expect(page.get_by_role("heading", name="Open matters")).to_be_visible()
    await page.goto("/")
    await expect(page.get_by_role("heading", name="Who is it?")).to_be_visible()
    await page.get_by_role("button", name="فارسی").click()
    await expect(page.get_by_role("heading", name="چه کسی است؟")).to_be_visible()


async def test_every_currency_stands_for_itself(desk: Desk) -> None:
    page = await desk.customer("10043", "en")
    await expect(page.locator(".worth .big dd")).to_have_text(["353.10 EUR", "35.31 USD"])
    await expect(page.locator("#matters .nothing")).to_have_text(["No open request"])
    await expect(page.locator("#who")).to_contain_text("Never asked")


async def test_what_is_not_known_is_never_nought(desk: Desk) -> None:
    page = await desk.customer("سارا احمدی", "en")
    await expect(page.locator("#numbers")).to_contain_text("Not enough history yet")
    await expect(page.locator("#who")).to_contain_text("Only heard of, never met")
    assert not re.search(r"(?<![\d.,])0(?![\d.,])", await page.locator("#numbers").inner_text())


async def test_without_a_script_everything_can_be_read(desk: Desk) -> None:
    page = await desk.signed_in(java_script_enabled=False)
    await page.locator("#q").fill("10042")
    await page.locator("#q").press("Enter")
    await page.locator(".found a").click()
    newest = page.locator(".day h3").first
    await expect(newest).to_contain_text("۱۴")
    at_first = await newest.inner_text()
    while await page.locator("a", has_text="قدیمی‌ترها").count():
        async with page.expect_event("load"):  # of a page that is still on its way nobody knows how it ends
            await page.locator("a", has_text="قدیمی‌ترها").click()
    await expect(page.get_by_text("نخستین تماس", exact=True)).to_be_visible()
    await expect(newest).not_to_have_text(at_first)
    await page.get_by_role("link", name="بازگشت به تازه‌ترین‌ها").click()
    await expect(newest).to_have_text(at_first)


async def test_a_phone_is_copied_as_machines_take_it(desk: Desk) -> None:
    page = await desk.customer(permissions=["clipboard-read", "clipboard-write"])
    await page.evaluate("getSelection().selectAllChildren(document.querySelector('#who [data-copy]'))")
    await page.keyboard.press("Control+c")
    assert await page.evaluate("navigator.clipboard.readText()") == "+989123456789"


async def test_a_name_that_attacks_is_only_a_name(desk: Desk) -> None:
    page = await desk.customer("09120000002")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("<script>")
    assert "taken" not in (await page.title()).partition("<")[0]
    assert await page.locator("main img, main script").count() == 0


async def test_a_partner_sees_neither_money_nor_a_way_to_reach_her(desk: Desk) -> None:
    page = await desk.signed_in("en", token=await desk.token("partner"))
    await find(page, "10042")
    await page.locator(".found a").click()
    await page.locator("#matters").wait_for()
    shown = await page.locator("main").inner_text()
    assert "IRR" not in shown
    assert "6789" not in await page.locator("main").inner_html() or "•••6789" in shown
    assert "912 345" not in shown


async def test_who_is_unknown_and_what_is_forbidden_is_a_page_that_says_so(desk: Desk) -> None:
    for language in LANGUAGES:
        page = await desk.signed_in(language)
        for path, error in (("/customers/11111111-1111-4111-8111-111111111111", 404), ("/requests/nonsense", "404.other"), ("/board", 403)):
            await page.goto(path)
            await expect(page.get_by_role("heading", level=1)).to_have_text(spoken(language)(f"error.{error}"))
            await expect(page.locator("main")).to_contain_text(spoken(language)(f"error.{error}.more"))
        await shot(page, f"forbidden-{language}")
    desk.complaints.clear()  # the browser tells of the 404 and the 403


async def test_nothing_sticks_out_at_any_width(desk: Desk) -> None:
    page = await desk.customer()
    for width in (390, 768, 1366, 1920):
        await page.set_viewport_size({"width": width, "height": 844})
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        for column in (".column.who", ".column.centre", ".column.numbers"):
            assert await page.locator(column).evaluate("(element) => element.scrollWidth <= element.clientWidth")
        await shot(page, f"customer-fa-{width}")


async def test_paper_has_all_of_a_customer_and_nothing_that_is_pressed(desk: Desk) -> None:
    page = await desk.customer()
    await page.emulate_media(media="print")
    for width in (720, 1080):  # A4, upright and across
        await page.set_viewport_size({"width": width, "height": 700})
        await expect(page.locator("#dock")).to_be_hidden()
        await expect(page.locator(".as-of-slider")).to_be_hidden()
        cut = "(all) => all.filter((one) => one.scrollHeight > one.clientHeight + 1 || one.scrollWidth > one.clientWidth + 1).length"
        assert await page.locator(".column, .scroller").evaluate_all(cut) == 0
        assert await page.evaluate("document.documentElement.scrollWidth") <= width


async def test_a_card_that_is_a_whole_page_stands_clear_of_the_edge_and_holds_long_lines(desk: Desk) -> None:
    admin = await desk.token("admin")
    text = f"policy: contact\ncaps:\n  - {{channels: [sms, email, call, agent_offer, partner_visit], max: 3, within: 30d}}\n# {'x' * 200}\n"
    assert (await desk.api.client.put("/v1/contact-policy", content=text, auth=(admin, ""))).is_success
    reader, page = await desk.signed_in("en", await desk.token("supervisor")), await desk.signed_in("fa", admin)
    for narrow in (reader, page):
        await narrow.set_viewport_size({"width": 390, "height": 844})
    await reader.goto("/contacts/policy")
    assert await reader.evaluate("document.documentElement.scrollWidth") <= 390
    assert await reader.locator("pre.card").evaluate("(element) => element.scrollWidth <= element.clientWidth")
    await page.goto("/access-log")
    card = await page.locator(".page.card").bounding_box()
    assert card is not None
    assert card["x"] == 390 - card["x"] - card["width"] > 8
    await desk.api.client.put("/v1/contact-policy", content="policy: contact\n", auth=(admin, ""))


async def test_a_name_without_a_space_in_it_widens_nothing(desk: Desk) -> None:
    who, traits = {"phone": "09125550199"}, {"name": "ا" * 300}
    await desk.visible(await desk.happens(told("web.identified", timedelta(0), who, source="web", traits=traits)))
    page = await desk.customer("09125550199")
    address = page.url.partition("?")[0]
    for path in (address, f"{address}/score"):
        await page.goto(path)
        for width in (390, 768, 1366):
            await page.set_viewport_size({"width": width, "height": 844})
            assert await page.evaluate("document.documentElement.scrollWidth") <= width
