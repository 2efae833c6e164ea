"""The desk's editors of rules, segments and the policy: what is wrong, odd, taken or overtaken is said as one writes, before it is kept."""

import pytest
from playwright.async_api import expect

from aggregates.written.messages import MESSAGES
from api.desk.catalog import LANGUAGES
from tests.browser.conftest import Desk, shot, spoken
from tests.browser.test_everybody_can_use_the_desk import judged
from tests.triggers.marketer import Marketer

pytestmark = pytest.mark.engines


RULE = "rule: {name}\nwhen: {{count: a.b, at_least: {count}, within: 1h}}\ndo: {{notify: team:x}}\n"


SEGMENT = "segment: {name}\nwhen: {{count: a.b, at_least: {count}, within: 1h}}\n"


@pytest.mark.parametrize("language", LANGUAGES)
async def test_where_a_text_is_wrong_is_readable_in_both_directions(desk: Desk, marketer: Marketer, language: str) -> None:
    page = await desk.signed_in(language, marketer.token)
    await page.goto("/rules/new")
    await page.locator("#text").fill("rule: x\nwhen: {count: a.b, at_leest: 3, within: 1h}\ndo: {notify: x}\n")
    wrong = page.locator("#judged .wrong li").first
    await expect(wrong.locator("bdi[dir=ltr]").first).to_have_text("/when/at_leest")
    await expect(wrong.locator("bdi", has_text="at_least").last).to_have_text("at_least")
    await expect(wrong).to_contain_text({"fa": "سطر ۲،", "en": "line 2,"}[language])
    assert await judged(page, f"wrong-{language}") == []
    one = "- rule: {}\n  when: {{count: a.b, at_least: 3, within: 1h}}\n  do: {{notify: team:x}}\n"
    await page.locator("#text").fill(one.format("x") + one.format("y"))
    await expect(page.locator("#judged .wrong li")).to_contain_text([MESSAGES["many_rules"][language]])
    await page.locator("#text").fill("rule: x\nwhen: {count: a.b, at_leest: 3, within: 1h}\ndo: {notify: x}\n")
    await expect(wrong).to_contain_text("at_leest")
    await wrong.scroll_into_view_if_needed()
    await shot(page, f"wrong-{language}")
    await page.goto("/contacts/policy")
    await page.locator("#text").fill("policy: contact\ncaps:\n  - {chanels: all, max: 3, within: 7d}\n")
    await page.locator("form.editor .primary").click()
    notice = page.locator(".notice").first
    await expect(notice.locator("bdi[dir=ltr]").first).to_have_text("/caps/0/chanels")
    await expect(notice).to_contain_text({"fa": "سطر ۳،", "en": "line 3,"}[language])
    desk.complaints.clear()  # the browser tells of the 422
    assert await judged(page, f"policy-{language}") == []
    await shot(page, f"policy-{language}")


@pytest.mark.parametrize("kind", ["rule", "segment"])
async def test_who_saved_what_cannot_be_kept_is_led_to_it_and_to_why(desk: Desk, marketer: Marketer, kind: str) -> None:
    page = await desk.signed_in("fa", marketer.token, java_script_enabled=kind == "segment")
    await page.set_viewport_size({"width": 360, "height": 740})
    await page.goto(f"/{kind}s/new")
    text = page.locator("#text")
    await text.fill(f"{kind}: refused")
    await page.locator("form.editor .primary").click()
    await expect(text).to_be_focused()
    await expect(page.locator("#judged .wrong")).to_be_in_viewport()
    await expect(text).to_have_attribute("aria-invalid", "true")
    desk.complaints.clear()  # the browser tells of the 422
    if kind == "segment":
        await text.fill("segment: taken\nwhen: {count: a.b, at_least: 3, within: 1h}\n")
        await expect(page.locator("#judged .wrong")).to_have_count(0)
        await expect(text).not_to_have_attribute("aria-invalid", "true")


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_name_that_is_nearly_a_usual_one_is_told_while_one_writes_and_where_it_was_kept(
    desk: Desk, marketer: Marketer, language: str
) -> None:
    page = await desk.signed_in(language, marketer.token)
    do = "{contact: spring, purpose: marketting, prefer: [smss]}"
    await page.goto("/rules/new")
    await page.locator("#text").fill(f"rule: hinted-{language}\nwhen: {{segment: no-such, change: left}}\ndo: {do}\n")
    told = page.locator(".hints li")
    await expect(told).to_have_count(3)
    assert await judged(page, f"hints-{language}") == []
    await page.locator("form.editor .primary").click()
    await page.wait_for_url("**/rules/hinted-*")
    for line, word, meant in ((2, "no-such", ""), (3, "marketting", "marketing"), (3, "smss", "sms")):
        hint = told.filter(has_text=word)
        await expect(hint).to_contain_text(meant)
        await expect(hint).to_contain_text({"fa": f"سطر {'۰۱۲۳'[line]}،", "en": f"line {line},"}[language])
    await shot(page, f"hints-{language}")
    await page.goto("/segments/new")
    await page.locator("#text").fill(f"segment: hinted-{language}\nwhen: {{segment: no-such}}\n")
    await expect(told).to_contain_text("no-such")
    await page.locator("form.editor .primary").click()
    await page.wait_for_url("**/segments/hinted-*")
    await expect(told).to_contain_text("no-such")
    await page.goto("/contacts/policy")
    await page.locator("#text").fill(f"policy: contact-{language}\ncaps:\n  - {{channels: [smss], max: 3, within: 7d}}\n")
    await page.locator("form.editor .primary").click()
    await expect(told).to_contain_text("smss")
    await expect(told).to_contain_text({"fa": "سطر ۳،", "en": "line 3,"}[language])
    assert await judged(page, f"policy-hints-{language}") == []
    await shot(page, f"policy-hints-{language}")


@pytest.mark.parametrize("language", LANGUAGES)
async def test_who_was_slower_is_told_so_and_led_back(desk: Desk, marketer: Marketer, language: str) -> None:
    say, name = spoken(language), f"raced-{language}"
    await marketer.post("/v1/triggers", f"rule: {name}\nwhen: {{count: a.b, at_least: 9, within: 1h}}\ndo: {{notify: team:x}}\n", 201)
    page = await desk.signed_in(language, marketer.token)
    await page.goto(f"/rules/{name}")
    await marketer.post(f"/v1/triggers/{name}/publish")
    await page.locator(f"[formaction='/rules/{name}/publish']").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(say("error.409"))
    desk.complaints.clear()  # the browser tells of the 409
    await page.get_by_role("link", name=say("error.look"), exact=True).click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text(say("rule.state.published"))


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_segment_in_a_circle_and_a_policy_that_lifts_approval_are_refused_where_they_are_written(
    desk: Desk, marketer: Marketer, language: str
) -> None:
    page, one, other = await desk.signed_in(language, marketer.token), f"round-{language}", f"about-{language}"
    await marketer.post("/v1/segments", f"segment: {one}\nwhen: {{count: a.b, at_least: 9, within: 1h}}\n", 201)
    await marketer.post("/v1/segments", f"segment: {other}\nwhen: {{segment: {one}}}\n", 201)
    await page.goto(f"/segments/{one}")
    await page.locator("#text").fill(text := f"segment: {one}\nwhen: {{segment: {other}}}\n")
    await page.locator("form.editor .primary").click()
    await expect(page.locator("#judged .wrong")).to_contain_text("/when/segment")
    await expect(page.locator("#text")).to_have_value(text)
    bound = "policy: contact\napproval: required\n"
    await desk.api.client.put("/v1/contact-policy", content=bound, auth=(await desk.token("admin"), ""))
    await page.goto("/contacts/policy")
    await page.locator("#text").fill("policy: contact\nholdout: 5%\n")
    await page.locator("form.editor .primary").click()
    await expect(page.get_by_role("alert")).to_have_text(spoken(language)("contacting.lifts_approval"))
    await expect(page.locator("#text")).to_have_value("policy: contact\nholdout: 5%\n")
    desk.complaints.clear()  # the browser tells of the 422 and the 403
    await desk.api.client.put("/v1/contact-policy", content="policy: contact\n", auth=(await desk.token("admin"), ""))


@pytest.mark.parametrize("language", LANGUAGES)
async def test_who_writes_a_new_one_under_a_name_that_is_taken_is_told_first(desk: Desk, marketer: Marketer, language: str) -> None:
    say, name = spoken(language), f"taken-{language}"
    page = await desk.signed_in(language, marketer.token)
    for kind, api, text in (("rule", "triggers", RULE), ("segment", "segments", SEGMENT)):
        await marketer.post(f"/v1/{api}", text.format(name=name, count=2), 201)
        await page.goto(f"/{kind}s/new")
        await page.locator("#text").fill(mine := text.format(name=name, count=4))
        await page.locator("form.editor .primary").click()
        await expect(page.get_by_role("alert")).to_contain_text(say(f"{kind}.taken"))
        await expect(page.locator("#text")).to_have_value(mine)
        assert await judged(page, f"taken-{kind}-{language}") == []
        desk.complaints.clear()  # the browser tells of the 409
        await page.locator("form.editor .primary").click()
        await page.wait_for_url(f"**/{kind}s/{name}")
        await expect(page.locator("#text")).to_have_value(mine)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_who_writes_over_what_another_wrote_meanwhile_is_told_first(desk: Desk, marketer: Marketer, language: str) -> None:
    say, name = spoken(language), f"shared-{language}"
    page = await desk.signed_in(language, marketer.token)
    for api, area, text in (("triggers", "rules", RULE), ("segments", "segments", SEGMENT)):
        await marketer.post(f"/v1/{api}", text.format(name=name, count=2), 201)
        await page.goto(f"/{area}/{name}")
        await page.locator("#text").fill(mine := text.format(name=name, count=4))
        await marketer.post(f"/v1/{api}", text.format(name=name, count=3), 201)
        await page.locator("form.editor .primary").click()
        await expect(page.get_by_role("alert")).to_contain_text(say("knowledge.overtaken"))
        await expect(page.locator("#text")).to_have_value(mine)
        assert await judged(page, f"overtaken-{area}") == []
        await page.locator("form.editor .primary").click()
        await page.wait_for_url(f"**/{area}/{name}")
        await expect(page.locator("#text")).to_have_value(mine)
    admin = await desk.token("admin")
    await page.goto("/contacts/policy")
    await page.locator("#text").fill(f"policy: mine-{language}\n")
    await desk.api.client.put("/v1/contact-policy", content=f"policy: theirs-{language}\n", auth=(admin, ""))
    await page.locator("form.editor .primary").click()
    await expect(page.get_by_role("alert")).to_contain_text(say("knowledge.overtaken"))
    assert "theirs" in (await desk.api.get(admin, "/v1/contact-policy"))["text"]
    assert await judged(page, "overtaken-policy") == []
    desk.complaints.clear()  # the browser tells of the 409
    await page.locator("form.editor .primary").click()
    await expect(page.get_by_role("alert")).to_have_count(0)
    assert "mine" in (await desk.api.get(admin, "/v1/contact-policy"))["text"]


async def test_what_has_no_name_yet_is_not_kept(desk: Desk, marketer: Marketer) -> None:
    page = await desk.signed_in("en", marketer.token)
    for area, name in (("rules", "rule"), ("segments", "segment")):
        await page.goto(f"/{area}/new")
        await page.locator("form.editor .primary").click()
        await expect(page.locator("#judged .wrong")).to_contain_text(f"{name} is empty")
        assert "…" not in {
            one["name"] for one in (await desk.api.get(marketer.token, f"/v1/{'triggers' if name == 'rule' else area}"))["items"]
        }
    desk.complaints.clear()  # the browser tells of the 422


@pytest.mark.parametrize(("language", "said"), [("en", "leads to something else"), ("fa", "به جای دیگری می‌رسد")])
async def test_what_has_a_name_that_leads_elsewhere_is_not_kept(desk: Desk, marketer: Marketer, language: str, said: str) -> None:
    page = await desk.signed_in(language, marketer.token)
    for area in ("rules", "segments"):
        await page.goto(f"/{area}/new")
        text = page.locator("form.editor textarea[name=text]")
        await text.fill((await text.input_value()).replace("…", "schema", 1))
        await expect(page.locator("#judged .wrong")).to_contain_text(said)
        await page.locator("form.editor .primary").click()
        await expect(page.locator("#judged .wrong")).to_contain_text(said)
        assert (await page.request.get(f"/{area}/schema")).status == 404
    desk.complaints.clear()  # the browser tells of the 422
