"""The moments by which an agent judges the desk, in both languages: the ring, the shared number, the unknown caller, what comes of it."""

import asyncio
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from playwright.async_api import Page, expect

from api.desk.catalog import LANGUAGES
from api.desk.numerals import digits
from api.desk.rendering import BUILT
from infra.engines import ports
from projections.service import table as requests
from tests.api.conftest import answered
from tests.browser.conftest import Desk, Mortal, find, shot, spoken
from tests.browser.story import HER_DEVICE, told
from tests.browser.test_everybody_can_use_the_desk import judged

in_both = pytest.mark.parametrize("language", LANGUAGES)


def ring(number: str, extension: str, call_id: str, stage: str = "ringing") -> Any:
    data: dict[str, Any] = {"extension": extension, "direction": "inbound", "number": number}
    if stage != "ringing":
        data = {"extension": extension, "agent": "maryam"}
    return told(f"call.{stage}", timedelta(0), {"phone": number}, source="pbx", call_id=call_id, **data)


async def seated(desk: Desk, extension: str, language: str = "fa", token: str = "") -> Page:
    """An agent at a desk of his own, who has said at which extension he sits."""
    page = await desk.signed_in(language, token or await desk.token("agent"))
    await page.locator("#extension").fill(extension)
    await page.locator("#extension").press("Enter")
    await expect(page.locator("#extension")).to_have_value(extension)
    await page.locator("html[data-listening]").wait_for()
    return page


@in_both
async def test_a_ring_fills_the_desk_it_rings_at_and_no_other(desk: Desk, language: str) -> None:
    page, other = await seated(desk, f"30{language}", language), await seated(desk, f"31{language}", language)
    call_id = f"c-{uuid4()}"
    await desk.happens(ring("+98 912-345-6789", f"30{language}", call_id))
    await expect(page.get_by_role("heading", level=1)).to_have_text("سارا کریمی")
    await expect(page.locator("#call")).to_have_attribute("data-stage", "ringing")
    await expect(page.locator("#ring[aria-live=assertive]")).to_have_text(f"{spoken(language)('call.stage.ringing')} · سارا کریمی")
    await expect(page.locator(".tag.match")).to_be_visible()
    await expect(page.locator("#call-timer")).not_to_be_empty()
    await desk.happens(ring("09123456789", f"30{language}", call_id, "answered"))
    await expect(page.locator("#call")).to_have_attribute("data-stage", "answered")
    await shot(page, f"ring-{language}")
    assert other.url.rstrip("/") == desk.listening.url
    height = await page.evaluate("document.querySelector('#dock').getBoundingClientRect().bottom")
    assert height <= 768


async def test_an_extension_is_the_same_in_any_digits(desk: Desk) -> None:
    page = await desk.signed_in("fa", agent := await desk.token("agent"))
    await page.locator("#extension").fill("۲۰۴ ")
    await page.locator("#extension").press("Enter")
    await expect(page.locator("#extension")).to_have_value("۲۰۴")
    await page.locator("html[data-listening]").wait_for()
    await desk.happens(ring("09123456789", "204", f"c-{uuid4()}"))
    await expect(page.get_by_role("heading", level=1)).to_have_text("سارا کریمی")
    await desk.happens(ring("09123456789", "٢٠٥", call_id := f"c-{uuid4()}"))
    rings = await answered(lambda: desk.api.get(agent, "/v1/calls", extension="۲۰۵"), lambda listed: listed["items"])
    (found,) = rings["items"]
    assert (found["call_id"], found["extension"]) == (call_id, "205")


@in_both
async def test_a_request_by_keyboard_alone_outlives_the_api(desk: Desk, language: str) -> None:
    title, say = f"Parcel has not come, {language}", spoken(language)
    page = await desk.customer(language=language)
    await page.keyboard.press("Alt+KeyN")
    await expect(page.locator("#request-title")).to_be_focused()
    await page.keyboard.type(title)
    await desk.listening.stop()
    await page.keyboard.press("Enter")
    await expect(page.locator("#dock-said")).to_have_text(say("dock.sending"))
    await desk.listening.start()
    await expect(page.locator("#dock-said")).to_have_text(re.compile(rf"^{say('dock.opened', number='.+')}$"))
    await expect(page.locator("#matters .requests")).to_contain_text(title)
    listed = await desk.api.get(desk.agent, "/v1/service-requests", state="live", limit="200")
    assert [item["title"] for item in listed["items"]].count(title) == 1
    desk.complaints.clear()  # the browser tells of the lost line
    await shot(page, f"request-by-keyboard-{language}")
    await page.locator("#matters .requests a", has_text=title).click()
    await page.locator("button[formaction$='/resolve']").click()
    await expect(page.locator(".sla")).to_contain_text(say("sla.done"))


@pytest.mark.parametrize(("language", "day"), [("fa", "۱۴۰۵/۱۲/۰۵"), ("en", "2027-02-24")])
async def test_what_is_typed_survives_a_reload_and_becomes_a_fact(desk: Desk, language: str, day: str) -> None:
    promise, say = f"فردا زنگ می‌زنیم، {language}", spoken(language)
    page = await desk.customer(language=language)
    await page.keyboard.press("Alt+KeyW")
    await expect(page.locator("#outcome")).to_be_focused()
    await page.locator("#dock [name=promise]").fill(promise)
    await page.locator("#dock [name=due]").fill(day)
    await page.reload()
    await expect(page.locator("#dock [name=promise]")).to_have_value(promise)
    await page.locator("#wrap-up .primary").click()
    await expect(page.locator("#dock-said")).to_have_text(say("dock.saved"))
    await expect(page.locator("#matters .promise")).to_contain_text(promise)
    await expect(page.locator("#matters .promise")).to_contain_text("۵ اسفند ۱۴۰۵" if language == "fa" else "24 February 2027")
    await expect(page.locator(".entry").first).to_contain_text(say("type.call.wrapped_up"))
    await page.reload()
    await expect(page.locator("#dock [name=promise]")).to_have_value("")
    await shot(page, f"desk-{language}")


@in_both
async def test_a_call_is_recorded_as_solved_only_by_who_says_so(desk: Desk, language: str) -> None:
    note, say = f"Only a note, {language}", spoken(language)
    page = await desk.customer(language=language)
    await expect(page.locator("#outcome")).to_have_value("")
    await page.locator("#dock [name=note]").fill(note)
    await page.locator("#wrap-up .primary").click()
    await expect(page.locator("#dock-said")).to_have_text(say("dock.saved"))
    entry = page.locator(".entry", has_text=note)
    await expect(entry).to_have_count(1)
    await expect(entry).not_to_contain_text(say("outcome.solved"))


async def test_nothing_moves_when_the_dock_says_what_became_of_it(desk: Desk) -> None:
    page = await desk.customer()
    top = "document.querySelector('#dock').getBoundingClientRect().top"
    for width in (1366, 900):
        await page.set_viewport_size({"width": width, "height": 768})
        await page.evaluate("document.querySelector('#dock-said').textContent = ''")
        before = await page.evaluate(top)
        await page.locator("#dock [name=note]").fill(f"At {width}")
        await page.locator("#wrap-up .primary").click()
        await expect(page.locator("#dock-said")).to_have_text(spoken("fa")("dock.saved"))
        assert await page.evaluate(top) == before


@pytest.mark.parametrize(("language", "wrong", "over"), [("fa", "۱۴۰۵/۱۳/۰۱", "۱۴۰۴/۰۱/۰۱"), ("en", "tomorrow", "2020-02-24")])
async def test_a_day_that_is_none_or_is_over_is_said_and_nothing_typed_is_lost(desk: Desk, language: str, wrong: str, over: str) -> None:
    say = spoken(language)
    page = await desk.customer(language=language)
    await page.locator("#dock [name=promise]").fill("A call")
    for day, why in ((wrong, "error.no_date"), (over, "error.past_promise")):
        await page.locator("#dock [name=due]").fill(day)
        await page.locator("#wrap-up .primary").click()
        await expect(page.locator("#dock-said")).to_have_text(say(why))
        await expect(page.locator("#dock [name=promise]")).to_have_value("A call")
        await expect(page.locator("#dock [name=due]")).to_have_value(day)
        await expect(page.locator("#dock [name=due][aria-invalid]")).to_be_focused()
        await expect(page.locator("#dock [name=due]")).to_have_accessible_description(say(why))
    desk.complaints.clear()  # the browser tells of the 422
    assert await judged(page, f"dock-wrong-{language}") == []
    await shot(page, f"dock-wrong-{language}")
    await page.locator("#dock [name=promise]").fill("")
    await page.locator("#dock [name=due]").fill("")
    await expect(page.locator("#dock [aria-invalid]")).to_have_count(0)


@pytest.mark.parametrize(("language", "number"), [("fa", "۰۹۳۳ ۰۰۰ ۱۱۲۲"), ("en", "0098 933 000 1133")])
async def test_an_unknown_number_opens_the_form_and_the_form_makes_a_customer(desk: Desk, language: str, number: str) -> None:
    page = await seated(desk, f"32{language}", language)
    await desk.happens(ring(number, f"32{language}", f"c-{uuid4()}"))
    await expect(page.locator("#new-phone")).to_have_value("+۹۸۹۳۳۰۰۰۱۱۲۲" if language == "fa" else "+989330001133")
    await expect(page.get_by_role("heading", level=1)).to_have_text(spoken(language)("pop.unknown"))
    await expect(page.locator("#new-name")).to_be_focused()
    await page.locator("#new-name").fill(f"نیما تازه {language}")
    await shot(page, f"newcomer-{language}")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text(f"نیما تازه {language}")


@in_both
async def test_a_number_that_is_none_opens_the_form_and_what_was_typed_there_stays(desk: Desk, language: str) -> None:
    say = spoken(language)
    page = await desk.signed_in(language, await desk.token("agent"))
    await page.goto("/pop?phone=anonymous")
    await expect(page.get_by_role("heading", level=1)).to_have_text(say("pop.unknown"))
    await expect(page.locator("#new-phone")).to_have_value("")
    await page.locator("#new-name").fill("نیما")
    for number, why in (("", say("pop.needs")), ("0912", {"fa": "ده رقم دارد", "en": "has ten digits"}[language])):
        await page.locator("#new-phone").fill(number)
        await page.locator("#new-phone").press("Enter")
        await expect(page.get_by_role("alert")).to_contain_text(why)
        await expect(page.locator("#new-name")).to_have_value("نیما")
        await expect(page.locator("#new-phone")).to_have_value(number)
        await expect(page.locator("#new-phone")).to_be_focused()
    assert await judged(page, f"newcomer-wrong-{language}") == []
    desk.complaints.clear()  # the browser tells of the 422
    await page.locator("#new-phone").fill("0934 111 22 3" + {"fa": "3", "en": "4"}[language])
    await page.locator("#new-phone").press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("نیما")


@in_both
async def test_a_shared_number_asks_which_and_shows_nothing_before(desk: Desk, language: str) -> None:
    both = [
        told(
            "profile.reported", timedelta(days=3), {"customer_number": number, "phone": "09350004455"}, source="crm", traits={"name": name}
        )
        for number, name in (("70001", "پدر رضایی"), ("70002", "پسر رضایی"))
    ]
    await desk.visible(await desk.happens(*both))
    page = await desk.signed_in(language)
    await page.goto("/pop?phone=0935%20000%204455")
    title = page.get_by_role("heading", level=1)
    await expect(title).to_have_text(spoken(language)("pop.several"))
    await expect(page.locator(".found a").first).to_be_focused()
    for private in ("رضایی", "7000", "4455", "۴۴۵۵"):
        await expect(page.locator("main")).not_to_contain_text(private)
    await shot(page, f"chooser-{language}")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(title).to_have_text(re.compile("رضایی"))


@in_both
async def test_not_this_person_names_whose_number_goes_and_enter_alone_separates_nobody(desk: Desk, language: str) -> None:
    number, say = f"70009{language}", spoken(language)
    phone = "09350007788" if language == "fa" else "09350007799"
    mother = told("profile.reported", timedelta(days=3), {"customer_number": number, "phone": phone}, traits={"name": "مادر امینی"})
    await desk.visible(await desk.happens(mother))
    page = await desk.signed_in(language)
    await page.goto(f"/pop?phone={phone}")
    title = page.get_by_role("heading", level=1)
    await expect(title).to_have_text("مادر امینی")
    await page.keyboard.press("Alt+KeyX")
    await expect(title).to_have_text(say("not_him.title"))
    await expect(page.locator("section.page")).to_be_focused()
    for named in ("مادر امینی", digits(f"{phone[:4]} {phone[4:7]} {phone[7:]}", language)):
        await expect(page.locator("h1 + p")).to_contain_text(named)
    await shot(page, f"not-him-{language}")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("button", name=say("not_him.confirm"))).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(title).not_to_have_text(say("not_him.title"))
    await expect(title).not_to_have_text("مادر امینی")
    await find(page, number)
    await expect(page.locator(".found a")).to_contain_text("مادر امینی")


async def test_a_ring_comes_where_nobody_looks_too(desk: Desk) -> None:
    page = await seated(desk, "340", "en")
    await page.goto("/knowledge")
    await page.locator("html[data-listening]").wait_for()
    await asyncio.gather(desk.happens(ring("09123456789", "340", f"c-{uuid4()}")), expect(page.locator("#call")).to_be_visible())


@pytest.mark.skipif("htmx.js" not in BUILT, reason="without htmx a script has a page of its own")
@in_both
async def test_a_script_runs_beside_the_customer_until_the_offer_may_not_be_made(desk: Desk, language: str) -> None:
    offer, who = f"offer-{uuid4()}", {"customer_number": f"n-{uuid4()}"}
    boss, agent = (await desk.token("supervisor"), ""), (await desk.token("agent"), "")
    await written(await desk.signed_in(language, boss[0]), offer, language)
    given = told("consent.given", timedelta(hours=1), who, source="crm", purpose="marketing")
    await desk.visible(await desk.happens(given))
    asked = {"request_id": offer, "who": who, "channel": "agent_offer", "contact": offer}
    assert (await desk.api.client.post("/v1/contacts/check", json=asked, auth=agent)).json()["outcome"] == "allowed"
    survey = {"request_id": f"how {offer}", "who": who, "channel": "sms", "contact": "how-content", "purpose": "service"}
    assert (await desk.api.client.post("/v1/contacts/check", json=survey, auth=agent)).json()["outcome"] == "refused"  # no offer's matter
    page = await desk.customer(who["customer_number"], language)
    await page.locator("#offer a[data-htmx-powered]").click()  # what htmx has not met yet goes to a page of its own
    await expect(page.locator("#script .say")).to_have_text("Still content?")
    steps = [{"id": "ask", "say": "Say nothing."}]
    script = {"name": offer, "title": offer, "for_offer": offer, "steps": steps}
    assert (await desk.api.client.post("/v1/scripts", json=script, auth=boss)).status_code == 201
    await page.get_by_role("link", name="No", exact=True).click()
    await expect(page.locator("#script .say")).to_have_text("A fifth off.")  # the version that the conversation began with
    await expect(page.locator("#name")).to_be_visible()
    await shot(page, f"script-{language}")
    await desk.happens(told("consent.withdrawn", timedelta(0), who, source="crm", purpose="marketing"))
    why = spoken(language)("silent.consent", purpose=spoken(language)("purpose.marketing"))
    await expect(page.locator("#offer.silence")).to_contain_text(why)
    await expect(page.locator("#script .say")).to_have_count(0)
    await shot(page, f"silence-{language}")


async def written(page: Page, offer: str, language: str) -> None:
    """A script for this offer, written on the desk without a mouse."""
    await page.goto("/knowledge/new-script")
    await expect(page.locator("#title")).to_be_focused()
    await page.keyboard.type(offer)
    await page.locator("#offer").fill(offer)
    await page.locator("#step-1-title").fill("ask")
    await page.locator("#step-1-say").fill("Still content?")
    await page.locator("#step-1-answer-1").fill("No")
    await page.get_by_role("button", name=spoken(language)("script.add_step")).press("Enter")
    await expect(page.locator("#step-2-title")).to_be_focused()
    await page.keyboard.type("off")
    await page.locator("#step-2-say").fill("A fifth off.")
    await page.locator("#step-1-next-1").select_option("2")
    await page.locator("#step-1-answer-1").press("Enter")
    await expect(page.locator(".steps h3")).to_have_text(["۱. ask", "۲. off"] if language == "fa" else ["1. ask", "2. off"])


async def test_a_part_that_cannot_be_read_leaves_the_others(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(connection: Any, *_: object) -> None:
        await connection.execute("SELECT * FROM service.hidden")  # only here: a worker whose tables are gone ends

    pages = [await desk.customer(language=language) for language in LANGUAGES]
    who = {"customer_number": "10042"}
    with monkeypatch.context() as patched:
        patched.setattr(requests, "of_customer", away)
        await desk.happens(told("loyalty.points_earned", timedelta(0), who, source="loyalty", points=1))
        for language, page in zip(LANGUAGES, pages, strict=True):
            await expect(page.locator("#matters .failed-now")).to_contain_text(spoken(language)("region.failed"))
            await expect(page.locator("#matters")).to_contain_text(spoken(language)("matter.quote"))
            await shot(page, f"part-away-{language}")
            await page.reload()
            await expect(page.locator("#matters .failed")).to_be_visible()
            await expect(page.locator("#numbers .worth").first).to_be_visible()
    for page in pages:
        await expect(page.locator("#matters .failed")).to_have_count(0)


async def answering(url: str) -> None:
    """Wait until the API at this address takes events and knows every key."""

    async def ready() -> bool:
        try:
            return (await client.get("/readyz")).is_success
        except httpx.TransportError:
            return False

    async with httpx.AsyncClient(base_url=url) as client:
        await answered(ready)


async def at_all(pages: dict[str, Page], action: Any) -> None:
    """The same on both desks at once."""
    await asyncio.gather(*(action(page, spoken(language), language) for language, page in pages.items()))


async def test_a_kill_of_worker_and_api_in_the_middle_of_a_call_loses_nothing(desk: Desk) -> None:
    tokens = [await desk.token("agent") for _ in LANGUAGES]
    port = ports.choose(None)
    api = Mortal(desk.api.world, "api", "api", "--port", str(port))
    there = replace(desk, elsewhere=f"http://127.0.0.1:{port}")
    call = {language: f"c-{uuid4()}" for language in LANGUAGES}

    async def happens(*events: Any) -> None:
        """Told to the API that serves the desks: it is the one that knows what it accepted."""
        async with httpx.AsyncClient(base_url=there.url, auth=(desk.write_key, ""), timeout=60) as client:
            assert (await client.post("/v1/events", json=list(events))).is_success

    async def rung(page: Page, _: Any, language: str) -> None:
        await expect(page.locator("#call")).to_have_attribute("data-stage", "ringing")
        await page.locator('.live[data-state="live"]').wait_for()

    async def written(page: Page, say: Any, language: str) -> None:
        await expect(page.get_by_role("alert")).to_contain_text(say("live.stale"))
        await page.locator("#dock [name=note]").fill(f"Typed without a worker, {language}")
        await page.locator("#wrap-up .primary").click()
        await expect(page.locator("#dock-said")).to_have_text(say("dock.saved"))
        await shot(page, f"worker-killed-{language}")

    async def asked(page: Page, say: Any, language: str) -> None:
        await page.keyboard.press("Alt+KeyN")
        await page.keyboard.type(f"Asked without an API, {language}")
        await page.keyboard.press("Enter")
        await expect(page.locator("#dock-said")).to_have_text(say("dock.sending"))
        await expect(page.locator("#live-word")).to_have_text(say("live.stale.short"))
        await shot(page, f"api-killed-{language}")

    async def opened(page: Page, say: Any, language: str) -> None:
        await expect(page.locator("#dock-said")).to_have_text(re.compile(rf"^{say('dock.opened', number='.+')}$"))
        await expect(page.get_by_role("alert")).to_contain_text(say("live.stale"))  # it does not know what it accepted

    async def whole(page: Page, say: Any, language: str) -> None:
        await expect(page.locator('.live[data-state="live"]')).to_be_visible()
        await expect(page.locator("#matters .requests")).to_contain_text(f"Asked without an API, {language}")
        await expect(page.locator(".entry", has_text=f"Typed without a worker, {language}")).to_have_count(1)
        await expect(page.locator("#call")).to_have_attribute("data-stage", "wrapped_up")
        await expect(page.get_by_role("alert")).to_be_hidden()

    async with api:
        await answering(there.url)
        seats = zip(LANGUAGES, tokens, strict=True)
        pages = {language: await seated(there, f"35{language}", language, token) for language, token in seats}
        await happens(*(ring("09123456789", f"35{language}", call[language]) for language in LANGUAGES))
        await at_all(pages, rung)
        await desk.worker.kill()
        await happens(told("web.page_viewed", timedelta(0), HER_DEVICE, source="web", url="https://shop.example/k", title="Unseen"))
        await happens(*(ring("09123456789", f"35{language}", call[language], "answered") for language in LANGUAGES))
        await at_all(pages, written)
        await api.kill()
        await at_all(pages, asked)
        await api.start()
        await at_all(pages, opened)
        await desk.worker.start()
        await at_all(pages, whole)
        for page in pages.values():
            await page.context.close()  # whom they listen to is about to end
    listed = await desk.api.get(desk.agent, "/v1/service-requests", state="live", limit="200")
    titles = [item["title"] for item in listed["items"]]
    assert [titles.count(f"Asked without an API, {language}") for language in LANGUAGES] == [1, 1]
    desk.complaints.clear()  # the browser tells of the lost line


async def test_who_sends_with_the_button_stays_on_it_unless_a_field_is_wrong(desk: Desk) -> None:
    page = await desk.customer()
    button = page.locator("#wrap-up button")
    for due in ("1405/13/35", ""):
        await page.locator("#wrap-up [name=due]").fill(due)
        await page.locator("#wrap-up [name=note]").fill("asked for gloves")
        await button.focus()
        await page.keyboard.press("Enter")
        await expect(page.locator("#dock-said")).to_have_class(re.compile("wrong") if due else "said")
        await expect(button).to_be_enabled()
        await expect(page.locator("#wrap-up [name=due]") if due else button).to_be_focused()
    desk.complaints.clear()  # the browser tells of the 422
