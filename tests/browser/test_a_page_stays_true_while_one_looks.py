"""What happens while a customer's page is open: it comes by itself, and moves nothing that somebody reads or types."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Locator, Page, expect

from aggregates import jalali
from api.desk.catalog import LANGUAGES
from tests.browser import story
from tests.browser.conftest import Desk, find, shot, spoken
from tests.browser.story import HER_DEVICE, told
from tests.browser.test_everybody_can_use_the_desk import judged

TEHRAN = ZoneInfo("Asia/Tehran")


def newest(page: Page) -> Locator:
    """The first entry of what the customer did; a score may be given at any moment beside it."""
    return page.locator(".entry").filter(has_not_text="score.given").first


@pytest.mark.parametrize(("language", "age"), [("fa", "همین حالا"), ("en", "just now")])
async def test_a_new_event_comes_and_takes_nothing_from_who_types(desk: Desk, language: str, age: str) -> None:
    title = f"Just now, {language}"
    page = await desk.customer(language=language)
    await page.locator("#q").fill("half a w")
    await page.keyboard.press("ArrowLeft")
    await desk.happens(told("web.page_viewed", timedelta(0), HER_DEVICE, source="web", url="https://shop.example/", title=title))
    await expect(newest(page)).to_contain_text(title)
    await expect(page.locator("#news")).to_have_text(spoken(language)("live.new", title=spoken(language)("type.web.page_viewed")))
    await expect(page.locator("#q")).to_be_focused()
    assert await page.evaluate("[q.value, q.selectionStart]") == ["half a w", 7]
    await expect(page.locator("#who")).to_contain_text(age)
    await shot(page, f"live-{language}")


async def test_what_is_being_read_stays_where_it_is(desk: Desk) -> None:
    page = await desk.customer()
    await page.goto(f"{page.url}&limit=60")
    await page.locator('.live[data-state="live"]').wait_for()
    await page.mouse.wheel(0, 1200)
    # Of what is asked again and again only the first is allowed by the desk's policy for scripts.
    while await page.evaluate("scrollY") <= 600:
        await page.wait_for_timeout(20)
    middle = await _kept(page, 20)
    before = await _top(middle)
    await desk.happens(told("web.page_viewed", timedelta(0), HER_DEVICE, source="web", url="https://shop.example/2", title="بالای دید"))
    await expect(newest(page)).to_contain_text("بالای دید")
    await expect(middle).to_be_in_viewport()
    assert abs(await _top(middle) - before) < 1
    third = await _kept(page, 3)
    await third.locator("summary").focus()
    top = await _top(third)
    await desk.happens(told("web.page_viewed", timedelta(0), HER_DEVICE, source="web", url="https://shop.example/3", title="باز هم"))
    await expect(newest(page)).to_contain_text("باز هم")
    await expect(third.locator("summary")).to_be_focused()
    assert abs(await _top(third) - top) < 1


async def test_a_late_event_takes_its_place_among_the_others(desk: Desk) -> None:
    page = await desk.customer()
    ago = story.days(2) + timedelta(minutes=1)
    await desk.happens(told("web.page_viewed", ago, HER_DEVICE, source="web", url="https://shop.example/late", title="دیررسیده"))
    late = page.locator(".entry", has_text="دیررسیده")
    await expect(late).to_contain_text("دیررس")
    times = await page.locator(".entry").evaluate_all("(entries) => entries.map((entry) => Date.parse(entry.dataset.at))")
    assert times == sorted(times, reverse=True)
    assert await page.locator(".day").evaluate_all("(days) => new Set(days.map((day) => day.dataset.day)).size === days.length")


async def test_a_filtered_page_takes_only_what_belongs_on_it(desk: Desk) -> None:
    page = await desk.customer()
    await page.locator(".filter a", has_text="مرکز تماس").click()
    await page.locator('.live[data-state="live"]').wait_for()
    calls = await page.locator(".entry").count()
    await desk.happens(
        told("web.page_viewed", timedelta(0), HER_DEVICE, source="web", url="https://shop.example/4", title="جای دیگر"),
        told("call.abandoned", timedelta(0), story.HER_PHONE, source="pbx", call_id="c-77", queue="فروش"),
    )
    await expect(page.locator(".entry")).to_have_count(calls + 1)
    await expect(newest(page)).to_contain_text("منصرف شد")
    await expect(page.locator(".entry", has_text="جای دیگر")).to_have_count(0)


async def test_older_events_come_on_demand_and_each_once(desk: Desk) -> None:
    page = await desk.customer()
    shown = await page.locator(".entry").count()
    await page.locator("[data-older]").click()
    await expect(page.locator(".entry summary").nth(shown)).to_be_focused()
    while await page.locator("[data-older]").count():
        before = await page.locator(".entry").count()
        await page.locator("[data-older]").click()
        await expect(page.locator(".entry").nth(before)).to_be_attached()
    await expect(page.get_by_text("نخستین تماس", exact=True)).to_be_visible()
    ids = await page.locator(".entry").evaluate_all("(entries) => entries.map((entry) => entry.id)")
    assert len(ids) == len(set(ids)) > shown
    await expect(page.get_by_role("link", name="بازگشت به تازه‌ترین‌ها")).to_have_count(0)
    days = await page.locator(".day").evaluate_all("(days) => days.map((day) => day.dataset.day)")
    assert days == sorted(set(days), reverse=True)


async def test_a_trait_leads_to_the_event_that_said_so(desk: Desk) -> None:
    page = await desk.customer()
    await page.locator(".known > div", has_text="شیراز").locator("a.said").click()
    await expect(page.locator(".entry:target")).to_contain_text("گزارش پروفایل")
    await expect(newest(page)).to_have_attribute("id", page.url.partition("#")[2])
    await page.get_by_role("link", name="بازگشت به تازه‌ترین‌ها").click()
    await page.locator('.live[data-state="live"]').wait_for()


async def test_the_page_follows_a_customer_who_became_one_with_another(desk: Desk) -> None:
    pages = {language: await desk.customer("0935 111 2233", language) for language in LANGUAGES}
    before = pages["fa"].url
    for language, page in pages.items():
        await expect(page.get_by_role("heading", level=1)).to_have_text(spoken(language)("customer.nameless"))
    await desk.happens(told("profile.reported", timedelta(0), story.BEFORE | {"email": "mina@example.ir"}, source="crm", traits={}))
    for language, page in pages.items():
        await expect(page.get_by_role("heading", level=1)).to_have_text("مینا راد")
        await expect(page.locator(".entry", has_text=spoken(language)("type.web.form_submitted"))).to_have_count(1)
        await expect(page.locator(".notice")).to_contain_text({"fa": "یکی شدند", "en": "became one"}[language])
        assert before.startswith(page.url)
        await page.locator('.live[data-state="live"]').wait_for()
        await shot(page, f"merged-{language}")
    await desk.happens(told("web.page_viewed", timedelta(0), story.BEFORE, source="web", url="https://shop.example/", title="پس از آن"))
    for page in pages.values():
        await expect(newest(page)).to_contain_text("پس از آن")


async def test_a_page_whose_api_died_says_so_and_goes_on_when_it_is_back(desk: Desk) -> None:
    pages = {language: await desk.customer(language=language) for language in LANGUAGES}
    await desk.listening.stop()
    for language, page in pages.items():
        await expect(page.get_by_role("alert")).to_contain_text(spoken(language)("live.stale"))
        await expect(page.locator("#live-word")).to_have_text(spoken(language)("live.stale.short"))
        await expect(page.locator("#stale-age")).to_contain_text({"fa": "ثانیه پیش", "en": "seconds ago"}[language])
        await shot(page, f"stale-{language}")
    await desk.happens(told("web.page_viewed", timedelta(0), HER_DEVICE, source="web", url="https://shop.example/5", title="در غیبت"))
    await desk.listening.start()
    for page in pages.values():
        await expect(page.locator('.live[data-state="live"]')).to_be_visible()
        await expect(page.get_by_role("alert")).to_be_hidden()
        await expect(newest(page)).to_contain_text("در غیبت")
    desk.complaints.clear()  # the browser tells of the lost line


async def test_what_was_opened_in_a_region_stays_open(desk: Desk) -> None:
    page = await desk.customer()
    await page.locator("#devices summary").click()
    await find_focus_elsewhere(page)
    await desk.happens(told("sales.order_placed", timedelta(0), story.SARA, order_id="o-6001", lines=[], total="1000000", currency="IRR"))
    await expect(page.locator("#numbers")).to_contain_text("۵۷٬۷۰۰٬۰۰۰ ریال")
    await expect(page.locator("#devices")).to_have_attribute("open", "")
    assert page.url
    await find(page, "o-6001")
    await expect(page.locator(".found a")).to_have_count(1)


async def find_focus_elsewhere(page: Page) -> None:
    await page.locator("#q").focus()


async def _kept(page: Page, place: int) -> Locator:
    """The entry that is at this place now, wherever it is later."""
    return page.locator(f"[id='{await page.locator('.entry').nth(place).get_attribute('id')}']")


async def _top(entry: Locator) -> float:
    box = await entry.bounding_box()
    assert box is not None
    return box["y"]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_page_of_another_day_shows_nothing_of_today(desk: Desk, language: str) -> None:
    page = await desk.customer(language=language)
    await page.locator("#as-of").fill("120")
    await page.locator("#as-of").press("Enter")
    await expect(page.locator(".as-of")).to_contain_text({"fa": "پس از آن گفته شد", "en": "as it was told later"}[language])
    await shot(page, f"as-of-{language}")
    await expect(page.locator("#offer")).to_have_count(0)
    await expect(page.locator("#dock")).to_have_count(0)
    await expect(page.locator("#as-of")).to_have_value("120")
    assert await page.locator(".entry").count() > 0
    await expect(page.locator("main")).not_to_contain_text("q-77")  # a quote of three days ago
    day = (datetime.now(TEHRAN) - timedelta(days=120)).date()
    for said in (day.isoformat(), "-".join(map(str, jalali.of(day)))):
        await page.goto(f"{page.url.partition('?')[0]}?as_of={said}")
        await expect(page.locator(".as-of")).to_be_visible()
        assert 119 <= int(await page.locator("#as-of").input_value()) <= 120  # the end of that day
    sales = page.locator("nav.filter a, .filter a", has_text=spoken(language)("channel.sales"))
    await sales.click()
    await expect(sales).to_have_attribute("aria-current", "true")
    await expect(page.locator(".as-of")).to_be_visible()  # whoever looks at one channel of that day does not come to today
    await page.goto(f"{page.url.partition('?')[0]}?as_of={day}&limit=1")
    await page.locator("[data-older]").evaluate("(older) => location.assign(older.href)")
    await expect(page.get_by_role("link", name=spoken(language)("timeline.newest"))).to_be_visible()
    await expect(page.locator(".as-of")).to_be_visible()
    await page.locator(".as-of a").click()
    await expect(page.locator("#dock")).to_be_visible()
    await expect(page.locator(".as-of")).to_have_count(0)
    await expect(page.locator(".entry", has_text=spoken(language)("type.web.page_viewed")).first).to_be_visible()  # of two days ago


@pytest.mark.parametrize(
    ("language", "said", "number", "elsewhere"),
    [("fa", "پاک شده", "شمارهٔ رسید", "جست‌وجوی کسی دیگر"), ("en", "Erased", "Number of the receipt", "Search for somebody else")],
)
async def test_an_open_page_of_somebody_erased_becomes_one_that_says_so(
    desk: Desk, language: str, said: str, number: str, elsewhere: str
) -> None:
    who = {"customer_number": f"to-erase-{language}"}
    traits = {"name": f"Erased {language}"}
    await desk.visible(await desk.happens(told("profile.reported", timedelta(0), who, traits=traits)))
    opened = {"who": who, "title": "To be gone"}
    asked = (await desk.api.client.post("/v1/service-requests", json=opened, auth=(desk.agent, ""))).json()
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
    for gone in (address, f"/customers/{customer}/score", f"/requests/{asked['id']}", f"/?q={asked['number']}"):
        await page.goto(gone)
        await expect(page.get_by_role("heading", level=1)).to_have_text(said)
        await expect(page.get_by_text(number)).to_contain_text(receipt["id"])
    desk.complaints.clear()  # the browser tells of the 410
