"""Pages of identity: a pair is decided with one key, a customer is drawn, a split is shown before it is done; axe finds nothing."""

from typing import Any

from playwright.async_api import Locator, Page, expect

from tests.api.conftest import answered
from tests.api.events import event
from tests.browser.conftest import Desk, shot
from tests.browser.test_everybody_can_use_the_desk import judged


def said(id_: str, email: str, **traits: str) -> dict[str, object]:
    """What a system says of somebody."""
    return event(f"who-{id_}", type="profile.reported", data={"traits": traits, "who": {"email": email}})


async def shown(page: Page, what: Locator, count: int) -> None:
    """Reload the page until so much of something is on it: nothing says when."""

    async def seen() -> int:
        await page.reload()
        return await what.count()

    await answered(seen, lambda seen: seen >= count)


async def test_a_pair_is_decided_by_one_key_and_taken_back_on_the_customers_page(desk: Desk) -> None:
    same = {"birth_date": "1990-05-01", "city": "یزد"}
    await desk.visible(
        await desk.happens(
            said("1", "mina@x.ir", name="مینا صالحی", **same),
            said("2", "mina@y.ir", name="مينا صالحي", **same),
            event("who-3", data={"url": "u", "who": {"email": "mina@x.ir", "device": "who-d"}}),
        )
    )
    page = await desk.signed_in()
    await page.goto("/identity")
    await shown(page, page.get_by_text("مینا صالحی"), 1)  # comparing follows
    await shot(page, "identity-fa")
    found = await judged(page, "identity")
    customer = await page.locator("#pairs-title ~ .scroller th a").first.get_attribute("href")
    await page.keyboard.press("m")
    await expect(page.get_by_text("مینا صالحی")).to_have_count(0)
    await page.goto(f"{customer}/identity")
    await shown(page, page.locator(".graph circle"), 3)  # the merge is on its way
    await page.locator("input[name^='id:email']").last.check()
    await page.locator("button[value=preview]").click()
    await shot(page, "customer-identity-fa")
    found += await judged(page, "customer identity")
    await page.set_viewport_size({"width": 390, "height": 800})
    word = await page.locator(".graph text").first.bounding_box()
    assert word is not None
    assert word["height"] > 12  # it is read, and not guessed: the graph is scrolled, and the page is not
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await shot(page, "customer-identity-narrow")
    found += await judged(page, "customer identity, narrow")
    await page.set_viewport_size({"width": 1366, "height": 768})
    await page.locator("button[value=split]").click()
    await expect(page.locator(".graph circle").nth(2)).to_have_count(0)
    await expect(page.locator(".graph")).to_be_visible()
    assert found == []


async def test_a_company_has_a_page_and_stands_on_its_peoples_pages(desk: Desk) -> None:
    async def made(path: str, **content: object) -> dict[str, Any]:
        answer = await desk.api.client.post(path, json=content, auth=(desk.agent, ""))
        assert answer.is_success, answer.text
        return dict(answer.json())

    page = await desk.customer("10042", "en")
    customer = page.url.partition("?")[0].rpartition("/")[2]
    above = await made("/v1/accounts", name="Yekta Holding")
    company = await made("/v1/accounts", name="Yekta Shop", parent=above["id"], reference="YS-1")
    await made(f"/v1/accounts/{company['id']}/join", customer_id=customer, role="decides")
    await page.reload()
    await page.get_by_role("link", name="Yekta Shop").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Yekta Shop")
    await expect(page.locator("table.written tbody")).to_contain_text("decides")
    found = await judged(page, "account")
    await shot(page, "account-en")
    await page.get_by_role("link", name="Yekta Holding").click()
    await expect(page.locator("table.written tbody")).to_contain_text("Yekta Shop")
    await page.goto("/accounts?words=Holding")
    await expect(page.locator(".found li")).to_have_count(1)
    found += await judged(page, "accounts")
    assert found == []
