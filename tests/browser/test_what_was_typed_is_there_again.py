"""Whoever sent a form that nobody took finds in it what he typed: his session was over, or nobody answered."""

from contextlib import suppress
from typing import Any
from uuid import uuid4

import pytest
from playwright.async_api import Error, Page, expect

from aggregates.access import Role
from tests.api.conftest import until
from tests.browser.conftest import Desk, shot, spoken

WORDS = "آنچه نباید گم شود"
FORMS = {
    "an article": ("supervisor", "/knowledge/articles/new", {'[name="title"]': "دستکش", '[name="body"]': WORDS}),
    "a rule": ("marketer", "/rules/new", {"#text": f"rule: {WORDS}"}),
    "a segment": ("marketer", "/segments/new", {"#text": f"segment: {WORDS}"}),
    "a contact policy": ("marketer", "/contacts/policy", {"#text": f"policy: {WORDS}"}),
    "a newcomer": ("agent", "/pop?phone=09351239876", {"#new-name": WORDS}),
}


async def session_ends(page: Page) -> None:
    """Twelve hours have passed, or an admin revoked the key."""
    await page.context.clear_cookies(name="yekta_session")


async def signs_in(page: Page, token: str, language: str = "fa") -> None:
    await expect(page.locator("#wrong")).to_have_text(spoken(language)("sign_in.again"))
    await expect(page.locator('form[action="/sign-in"] [name="back"]')).not_to_have_value("/")  # nobody is faster than the page's script
    await page.locator("#token").fill(token)
    await page.locator("#token").press("Enter")


async def request_of(desk: Desk, title: str) -> str:
    body: dict[str, Any] = {"who": {"phone": "09120000001"}, "title": title}
    made = await desk.api.client.post("/v1/service-requests", json=body, auth=(desk.agent, ""))
    return f"/requests/{made.json()['id']}"


@pytest.mark.parametrize("what", FORMS)
async def test_what_was_typed_when_the_session_was_over_is_in_its_form_again(desk: Desk, what: str) -> None:
    role: Role
    role, path, typed = FORMS[what]  # type: ignore[assignment]
    token = await desk.token(role)
    page = await desk.signed_in(token=token)
    await page.goto(path)
    for field, text in typed.items():
        await page.locator(field).fill(text)
    await session_ends(page)
    await page.locator("main form .primary").click()
    await signs_in(page, token)
    desk.complaints.clear()  # the browser tells of the 401
    await expect(page.locator("main .notice[role=status]", has_text=spoken("fa")("unsent.here"))).to_be_visible()
    assert page.url == f"{desk.url}{path}"
    for field, text in typed.items():
        await expect(page.locator(field)).to_have_value(text)


@pytest.mark.parametrize("language", ["fa", "en"])
async def test_a_note_is_sent_once_more_after_signing_in_and_counts_once(desk: Desk, language: str) -> None:
    path = await request_of(desk, f"Lost at noon, {language}")
    page = await desk.signed_in(language)
    await page.goto(path)
    await page.locator('[name="note"]').fill(WORDS)
    await session_ends(page)
    await page.locator('[formaction$="/note"]').click()
    await signs_in(page, desk.agent, language)
    desk.complaints.clear()  # the browser tells of the 401
    await expect(page.locator('[name="note"]')).to_have_value(WORDS)
    await shot(page, f"unsent-{language}")
    await page.locator('[formaction$="/note"]').click()
    await expect(page.locator(".past .told")).to_have_text([WORDS])
    await page.goto(path)
    await expect(page.locator('[name="note"]')).to_have_value("")


async def test_a_script_that_had_grown_is_whole_again(desk: Desk) -> None:
    token = await desk.token("supervisor")
    page = await desk.signed_in(token=token)
    await page.goto("/knowledge/new-script")
    await page.locator("#title").fill(f"متن {uuid4()}")
    await page.locator('[formaction$="do=step"]').click()
    await page.locator("textarea").nth(1).fill(WORDS)
    await session_ends(page)
    await page.locator("main form .primary").click()
    await signs_in(page, token)
    desk.complaints.clear()  # the browser tells of the 401
    await expect(page.locator("textarea").nth(1)).to_have_value(WORDS)


async def test_what_nobody_answered_is_in_its_form_when_one_goes_back(desk: Desk) -> None:
    path = await request_of(desk, "Nobody answers")
    page = await desk.signed_in()
    await page.goto(path)
    await page.locator('[name="note"]').fill(WORDS)
    await page.route("**/note", lambda route: route.abort())
    with suppress(Error):  # it may be told that the page is gone
        await page.locator('[formaction$="/note"]').click()
    await until(lambda: page.url.startswith("chrome-error:") or any("htmx:error" in told for told in desk.complaints))
    if page.url.startswith("chrome-error:"):  # without htmx, whose page stays
        await page.wait_for_load_state()
        await page.go_back()
    desk.complaints.clear()  # the browser tells that it was not sent
    await expect(page.locator('[name="note"]')).to_have_value(WORDS)


async def test_somebody_else_who_signs_in_is_not_given_what_another_typed(desk: Desk) -> None:
    page = await desk.signed_in(token=await desk.token("supervisor"))
    await page.goto("/knowledge/articles/new")
    for field in ("title", "body"):
        await page.locator(f'[name="{field}"]').fill(WORDS)
    await session_ends(page)
    await page.locator("main form .primary").click()
    await signs_in(page, await desk.token("admin"))
    desk.complaints.clear()  # the browser tells of the 401
    await expect(page.locator(".tools .me")).to_contain_text(spoken("fa")("role.admin"))
    await expect(page.locator('[name="body"]')).to_have_value("")


async def test_a_draft_of_an_article_that_somebody_changed_meanwhile_does_not_take_its_place_unasked(desk: Desk) -> None:
    boss = await desk.token("supervisor")
    written = {"title": "Cold packs", "body": "One a day."}
    made = (await desk.api.client.post("/v1/articles", json=written, auth=(boss, ""))).json()
    page = await desk.signed_in(token=boss)
    await page.goto(f"/knowledge/articles/{made['id']}/edit")
    await page.locator('[name="body"]').fill(WORDS)
    await page.goto("/")
    await desk.api.client.post("/v1/articles", json={"id": made["id"], "title": "Cold packs", "body": "Two a day."}, auth=(boss, ""))
    await page.goto(f"/knowledge/articles/{made['id']}/edit")
    await expect(page.locator('[name="body"]')).to_have_value(WORDS)
    await page.locator("main form .primary").click()
    await expect(page.locator("main .wrong")).to_contain_text(spoken("fa")("knowledge.overtaken"))
    desk.complaints.clear()  # the browser tells of the 409
    newest = await desk.api.get(boss, f"/v1/articles/{made['id']}")
    assert newest["body"] == "Two a day."
