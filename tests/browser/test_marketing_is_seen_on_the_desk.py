"""The desk's pages of marketing: signals come by themselves; what is said of rules and contacts is said in the reader's language."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import quote
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import expect

from aggregates.written import standing
from api.desk.catalog import LANGUAGES
from api.desk.locale import Locale
from projections.deliveries import table as deliveries
from projections.triggers import table as signals
from tests.browser.conftest import Desk, shot, spoken
from tests.browser.test_everybody_can_use_the_desk import judged
from tests.triggers.marketer import Marketer, bought

pytestmark = pytest.mark.engines


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_new_signal_comes_by_itself_and_moves_nobody(desk: Desk, marketer: Marketer, language: str) -> None:
    say = spoken(language)
    page = await desk.signed_in(language, marketer.token)
    for path in ("/signals", "/rules/bought-once"):
        await page.goto(path)
        await page.locator("html[data-listening]").wait_for()
        rows = page.locator("#given tbody tr")
        if not await rows.count():
            await expect(page.get_by_text(say("signal.none"))).to_be_visible()
        await marketer.api.send(marketer.key, bought(f"one-{language}{len(path)}"))
        before = await rows.count() + 1
        await expect(rows).to_have_count(before)
        await expect(page.get_by_text(say("signal.none"))).to_be_hidden()
        await expect(page.locator("#news")).to_have_text(say("signal.new", rule="bought-once"))
        await rows.first.locator("a").last.focus()
        held = await rows.first.get_attribute("id")
        await page.set_viewport_size({"width": 1000, "height": 260})
        await page.evaluate("scrollTo(0, document.querySelector('#given tbody tr').getBoundingClientRect().top - 150)")
        top = await rows.first.evaluate("(row) => row.getBoundingClientRect().top")
        await marketer.api.send(marketer.key, *(bought(f"many-{language}{len(path)}-{number}") for number in range(3)))
        await expect(rows).to_have_count(before + 3)
        assert await page.evaluate("document.activeElement.closest('tr').id") == held
        assert abs(await page.locator(f"#{held}").evaluate("(row) => row.getBoundingClientRect().top") - top) < 1
        await page.set_viewport_size({"width": 1366, "height": 768})
        await page.evaluate("scrollTo(0, 0)")  # where nothing lies half below the bar
        assert await judged(page, path) == []
        await shot(page, f"signals-{language}-{len(path)}")


async def test_a_signal_that_is_withdrawn_says_so_where_it_stands_and_a_page_that_lost_the_line_catches_up(
    desk: Desk, marketer: Marketer
) -> None:
    say = spoken("fa")
    page = await desk.signed_in("fa", marketer.token)
    await page.goto("/signals")
    await page.locator('.live[data-state="live"]').wait_for()
    await marketer.api.send(marketer.key, bought("withdrawn"))
    await expect(page.locator("#news")).to_have_text(say("signal.new", rule="bought-once"))
    rows = page.locator("#given tbody tr")
    first, count = str(await rows.first.get_attribute("id")), await rows.count()
    await rows.first.locator("a").last.focus()
    given = UUID(first.removeprefix("s-"))
    async with marketer.api.made.pool.connection() as connection:
        (customer,) = await (await connection.execute("SELECT customer_id FROM signals.given WHERE id = %s", (given,))).fetchone() or ()
        await signals.withdraw(connection, [(customer, given)])
    await expect(page.locator(f"#{first}")).to_contain_text(say("signal.withdrawn"))
    assert await page.evaluate("document.activeElement.closest('tr').id") == first
    await desk.listening.stop()
    await page.locator('.live[data-state="stale"]').wait_for()
    await desk.listening.start()
    desk.complaints.clear()  # the browser tells of the line
    await marketer.api.send(marketer.key, bought("meanwhile"))
    await expect(rows).to_have_count(count + 1)
    await page.locator('.live[data-state="live"]').wait_for()
    desk.complaints.clear()


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_paused_rule_says_so_and_resumes_by_the_next_key_and_none_is_retired_unasked(
    desk: Desk, marketer: Marketer, language: str
) -> None:
    say, name = spoken(language), f"stands-{language}"
    await marketer.publish("triggers", name, "when: {count: a.b, at_least: 2, within: 1h}\ndo: {notify: team:x}\n")
    page, stale = await desk.signed_in(language, marketer.token), await desk.signed_in(language, marketer.token)
    for one in (page, stale):
        await one.goto(f"/rules/{name}")
    state = page.locator("h1 .tag")
    await page.locator("[formaction$='/pause']").click()
    await expect(state).to_have_text(say("rule.state.paused"))
    await expect(page.get_by_text(say("rule.paused"))).to_be_in_viewport()
    await expect(page.locator("h1")).to_be_in_viewport()
    await stale.locator("[formaction$='/pause']").click()
    await expect(stale.locator("main")).to_contain_text(standing.said("changed", {"name": name}, "fa" if language == "fa" else "en"))
    await page.keyboard.press("Tab")
    await expect(page.locator("[formaction$='/resume']")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(state).to_have_text(say("rule.state.published"))
    for decided, becomes in (("a.button", "published"), ("button", "retired")):
        await page.locator("[formaction$='/retire']").click()
        await expect(page.locator("main h1")).to_contain_text(name)
        await expect(page.get_by_text(say("rule.retire.more"))).to_be_visible()
        assert await judged(page, f"sure-{language}") == []
        await page.locator(f"main .deciding {decided}").click()
        await expect(state).to_have_text(say(f"rule.state.{becomes}"))
    desk.complaints.clear()  # the browser tells of the 409


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_second_person_finds_what_waits_for_him_above_what_is_in_force_and_approves_it_by_keyboard(
    desk: Desk, marketer: Marketer, language: str
) -> None:
    say, name = spoken(language), f"zz-second-{language}"
    rule = "when: {{count: a.b, at_least: {}, within: 1h}}\ndo: {{notify: team:x}}\n"
    await marketer.publish("triggers", name, rule.format(2))
    admin = await desk.token("admin")
    await desk.api.client.put("/v1/contact-policy", content="policy: contact\napproval: required\n", auth=(admin, ""))
    try:
        await marketer.post("/v1/triggers", f"rule: {name}\n{rule.format(3)}", 201)
        await marketer.post(f"/v1/triggers/{name}/publish")
        page = await desk.signed_in(language, await desk.token("marketer"))
        await page.locator(".ways > a[href='/rules']").press("Enter")
        row = page.locator("main tbody tr").first
        await expect(row).to_contain_text(name)
        await expect(row).to_contain_text(say("rule.state.published"))
        await expect(row).to_contain_text(say("rule.state.awaiting_approval"))
        await row.locator("a").press("Enter")
        await page.locator("[formaction$='/approve']").press("Enter")
        await expect(page.locator(".past li").first).to_contain_text(say("rule.state.published"))
        await expect(page.locator("[formaction$='/pause']")).to_be_visible()
    finally:
        await desk.api.client.put("/v1/contact-policy", content="policy: contact\n", auth=(admin, ""))


@pytest.mark.parametrize("language", LANGUAGES)
async def test_who_looks_at_a_segment_may_have_all_of_it_as_a_file(desk: Desk, marketer: Marketer, language: str) -> None:
    name, type_ = f"file-{language}", f"file.{language}"
    await marketer.publish("segments", name, f"when: {{count: {type_}, at_least: 1, within: 1h}}\n")
    at = await marketer.api.send(marketer.key, *(bought(f"{language}-{number}", type_=type_) for number in range(31)))
    await desk.visible(at)
    page = await desk.signed_in(language, marketer.token)
    await page.goto(f"/segments/{name}")
    await expect(page.locator("[aria-labelledby=members-title] tbody tr")).to_have_count(30)
    await expect(page.locator("main")).to_contain_text(
        Locale(language, ZoneInfo("Asia/Tehran"), datetime.now(UTC)).say("segment.latest", 30)
    )
    file = await page.get_by_role("link", name=spoken(language)("segment.export")).get_attribute("href")
    lines = (await (await page.request.get(str(file))).text()).splitlines()
    assert (lines[0], len(lines)) == ("customer_id,since", 32)


OUTCOMES = [
    *[("sent", "sms", None, 20)] * 40,
    *[("silent", None, "holdout", 20)] * 20,
    *[("silent", None, reason, 1) for reason in ("block_while open_complaint", "consent marketing/sms", "budget", "cap all/7d")],
]


RESTED = [("sent", "sms", None, 400), ("silent", None, "budget", 425), ("sent", "sms", None, 431)]


@pytest.fixture(scope="module")
async def decided(marketer: Marketer) -> Marketer:
    """What became of the candidates of a rule, and what went wrong on the way out."""
    await marketer.publish("triggers", "winback", "when: {count: a.b, at_least: 9, within: 1h}\ndo: {notify: team:x}\n")
    await marketer.publish("triggers", "rested", "when: {count: a.b, at_least: 9, within: 1h}\ndo: {notify: team:x}\n")
    errors = ("no phone number of the customer is known", "the mail server answered 550", "cap all/7d", "as a later version says it")
    async with marketer.api.made.pool.connection() as connection:
        for rule, outcome, channel, reason, days in [*(("winback", *one) for one in OUTCOMES), *(("rested", *one) for one in RESTED)]:
            await connection.execute(
                "INSERT INTO contacts.decisions (customer_id, signal, rule, version, contact, purpose, outcome, channel, at, reason,"
                " occurred, wanted, want) SELECT %s, %s, %s, 1, 'spring', 'marketing', %s, %s, decided, %s, decided, decided, ''"
                " FROM (SELECT now() - make_interval(days => %s) AS decided) AS day",
                (uuid4(), uuid4(), rule, outcome, channel, reason, days),
            )
        for error in errors:
            await deliveries.add(connection, [deliveries.New(id_ := uuid4(), id_, "sms", "contact.sent", "winback", None, None, b"")])
            await connection.execute("UPDATE contacts.deliveries SET state = 'failed', error = %s WHERE id = %s", (error, id_))
    return marketer


@pytest.mark.parametrize("language", LANGUAGES)
async def test_what_became_of_a_rules_contacts_is_said_in_the_readers_language(desk: Desk, decided: Marketer, language: str) -> None:
    say = spoken(language)
    page = await desk.signed_in(language, decided.token)
    await page.goto("/rules/winback")
    uplift = page.locator("#uplift")
    await expect(uplift).to_contain_text(say("uplift.verdict.unsure"))
    await expect(uplift).to_contain_text({"fa": "+۸٫۸", "en": "\N{MINUS SIGN}16.1 to +8.8"}[language])
    funnel = page.locator("[aria-labelledby=funnel-title]")
    for told in ("silenced.holdout", "silenced.budget", "blocking.open_complaint", "silenced.consent", "purpose.marketing", "way.sms"):
        await expect(funnel).to_contain_text(say(told))
    if language == "fa":
        assert not re.search("holdout|open_complaint|consent|sms", await funnel.inner_text())
    assert await judged(page, f"rule-{language}") == []
    await uplift.scroll_into_view_if_needed()
    await shot(page, f"uplift-{language}")
    await page.goto("/rules/bought-once")
    await expect(uplift).to_contain_text(say("uplift.verdict.nobody"))


def today(language: str) -> str:
    """As the desk writes it."""
    now = datetime.now(UTC)
    return Locale(language, ZoneInfo("Asia/Tehran"), now).dated(now)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_of_a_rule_that_rests_the_days_to_its_last_candidate_are_shown(desk: Desk, decided: Marketer, language: str) -> None:
    say, locale = spoken(language), Locale(language, ZoneInfo("Asia/Tehran"), datetime.now(UTC))
    last = locale.dated(datetime.now(UTC) - timedelta(days=400))
    page = await desk.signed_in(language, decided.token)
    await page.goto("/contacts")
    row = page.locator("main table").first.locator("tr", has_text="rested")
    await expect(row).to_contain_text(say("contacting.rested", date=last))
    await expect(row.locator("td").first).to_have_text(locale.number(2))
    await expect(page.locator("main table").first.locator("tr", has_text="winback").locator(".until")).to_have_count(0)
    await page.goto("/rules")
    sent = page.locator("main tr", has_text="rested").locator("td").last
    await expect(sent).to_have_text(f"{locale.number(1)}{say('contacting.rested', date=last)}")
    await expect(page.locator("main tr", has_text="winback").locator("td").last).to_have_text(locale.number(0))
    await page.goto("/rules/rested")
    await expect(page.locator("#funnel-title")).to_have_text(say("rule.funnel.until", date=last))
    await expect(page.locator("[aria-labelledby=funnel-title] tbody tr")).to_have_count(2)
    await page.goto("/rules/winback")
    await expect(page.locator("#funnel-title")).to_have_text(say("rule.funnel"))


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_dry_run_says_why_nobody_was_reached_in_the_readers_language(desk: Desk, decided: Marketer, language: str) -> None:
    page = await desk.signed_in(language, decided.token)
    days = [today(language)]
    await decided.api.send(decided.key, bought(f"dry-{language}", type_="dry.bought"))
    await page.goto("/rules/new")
    do = "do: {contact: spring, purpose: marketing, prefer: [sms]}"
    await page.locator("#text").fill(f"rule: dry\nwhen: {{count: dry.bought, at_least: 1, within: 1h}}\n{do}\n")
    await page.locator("[formaction='/rules/dry-run']").click()
    main = page.locator("main")
    await expect(main).to_contain_text(spoken(language)("silenced.consent"))
    await expect(main).to_contain_text(spoken(language)("way.sms"))
    if language == "fa":
        assert not re.search("consent|sms", await main.inner_text())
    assert await judged(page, f"dry-run-{language}") == []
    await shot(page, f"dry-run-{language}")
    assert await page.locator(".bars rect").count() == 91  # of each day, whether anything was signalled on it or not
    days.append(today(language))  # another one at midnight
    assert await page.locator(".ends bdi").last.inner_text() in days
    assert re.search(f"({'|'.join(days)}): [1-9۱-۹]", "\n".join(await page.locator(".bars title").all_text_contents()))
    text = await page.locator("#text").input_value()
    assert do in text
    await page.go_back()  # whoever goes back to what he wrote finds it
    await expect(page.locator("#text")).to_have_value(re.compile("rule: dry"))
    await expect(page.get_by_text(spoken(language)("unsent.here"))).to_be_visible()
    await page.locator("#text").fill(text.replace("[sms]", "[call]"))
    await page.locator("[name=days]").select_option("7")
    await page.locator("[formaction='/rules/dry-run']").click()
    await expect(main).to_contain_text(spoken(language)("way.call"))
    await expect(page.locator("[name=days]")).to_have_value("7")


@pytest.mark.parametrize(("language", "none", "day"), [("fa", "۱۳۷۷/۱۳/۰۱", "۱۳۷۷/۰۳/۱۲"), ("en", "1998-13-01", "1998-06-02")])
async def test_a_dry_run_goes_to_the_day_that_is_named_and_enter_there_puts_nothing_in_force(
    desk: Desk, marketer: Marketer, language: str, none: str, day: str
) -> None:
    say, type_ = spoken(language), f"past.{language}"
    key = await marketer.api.write_key(f"past-{language}", clock="event")
    happened = datetime(1998, 6, 1, 12, tzinfo=UTC)
    await desk.visible(await marketer.api.send(key, bought(f"past-{language}", happened, type_)))
    page = await desk.signed_in(language, marketer.token)
    for path, area in (("/rules/new", "rules"), ("/contacts/policy", "contacts/policy")):
        await page.goto(path)
        if area == "rules":
            rule = f"rule: past\nwhen: {{count: {type_}, at_least: 1, within: 1h}}\ndo: {{notify: team:x}}\n"
            await page.locator("#text").fill(rule)
        until = page.locator("[name=until]")
        await until.fill(none)
        await until.press("Enter")
        await expect(page.locator("[name=until][aria-invalid]")).to_be_focused()
        await expect(page.locator("#until-wrong")).to_have_text(say("error.no_date"))
        assert await judged(page, f"no-day-{area}-{language}") == []
        await until.fill("")
        await until.press("Enter")
        await expect(page.get_by_text(say("dry.replayed", date="\0").partition("\0")[0])).to_be_visible()
        assert page.url.endswith(f"/{area}/dry-run")
    await page.goto("/rules/new")
    await page.locator("#text").fill(rule)
    await until.fill(day)
    await page.locator("[name=days]").select_option("7")
    await until.press("Enter")
    await expect(page.locator("main tbody td").first).to_have_text({"fa": "۱", "en": "1"}[language])
    await expect(page.locator(".scaled li").first).to_have_text({"fa": "۱", "en": "1"}[language])
    await expect(until).to_have_value(day)
    desk.complaints.clear()  # the browser tells of the 422


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_dry_run_that_takes_long_says_so_until_it_is_there_and_ends_with_the_page(
    desk: Desk, marketer: Marketer, language: str
) -> None:
    say, page = spoken(language), await desk.signed_in(language, marketer.token)
    running = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'yekta-dry-run' AND datname = current_database()"

    async def runs() -> bool:
        async with marketer.api.made.pool.connection() as connection:
            return await (await connection.execute(running)).fetchone() != (0,)

    async def ended() -> bool:
        return not await runs()

    async with marketer.api.made.pool.connection() as held, held.transaction():
        await held.execute("LOCK TABLE streams.quantiles IN ACCESS EXCLUSIVE MODE")
        for path, text in (
            ("rules/new", "rule: long\nwhen: {count: a.b, at_least: 1, within: 1h}\ndo: {notify: team:x}\n"),
            ("contacts/policy", "policy: contact\n"),
        ):
            await page.goto(f"/{path}")
            await page.locator("#text").fill(text)
            await page.locator("[formaction$='/dry-run']").click()
            await expect(page.get_by_text(say("dry.going"))).to_be_visible()
            assert await page.locator(".so-far progress:visible").count() == 1
            assert await judged(page, f"trying-{language}") == []
            await shot(page, f"trying-{language}-{path[:5]}")
            if path == "rules/new":
                await marketer.until(runs)
                await page.goto("/rules")
                await marketer.until(ended)
    await expect(page.locator("main article h1")).to_have_text(say("contacting.tried"))
    await expect(page.get_by_text(say("dry.going"))).to_be_hidden()
    assert await page.locator("#text").input_value() == "policy: contact\n"


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_changed_cap_shows_who_would_become_silent_beside_what_was_sent(desk: Desk, decided: Marketer, language: str) -> None:
    say, page, type_ = spoken(language), await desk.signed_in(language, decided.token), f"try.{language}"
    do = "do: {contact: x, purpose: survey, prefer: [sms]}\n"
    await decided.publish("triggers", f"tried-{language}", f"when: {{count: {type_}, at_least: 1, within: 1h}}\n{do}")
    agreed = bought(f"try-{language}", type_="consent.given", purpose="survey")
    came = await decided.api.send(decided.key, agreed, bought(f"try-{language}", type_=type_))
    assert await decided.signals(f"tried-{language}", after=came)
    await page.goto("/contacts/policy")
    policy = "policy: contact\ncaps: [{channels: all, max: 0, within: 7d}]\n"
    await page.locator("#text").fill(policy)
    await page.locator("[name=days]").select_option("30")
    await page.locator("[formaction='/contacts/policy/dry-run']").click()
    await expect(page.locator("main table")).to_contain_text(say("capped.all"))
    assert await judged(page, f"policy-run-{language}") == []
    await shot(page, f"policy-run-{language}")
    assert await page.locator("#text").input_value() == policy
    await expect(page.locator("[name=days]")).to_have_value("30")
    await page.locator("#text").fill("policy: contact\ncaps: [{channels: al, max: 0, within: 7d}]\n")
    await page.locator("[formaction='/contacts/policy/dry-run']").click()
    await expect(page.locator("#hints")).to_contain_text("all")
    await page.goto("/contacts/policy")
    assert policy != await page.locator("#text").input_value()


@pytest.mark.parametrize("language", LANGUAGES)
async def test_why_one_customer_was_not_approached_is_a_press_away_from_his_page(desk: Desk, decided: Marketer, language: str) -> None:
    say, person, rule = spoken(language), f"why-{language}", f"asked-{language}"
    do = "do: {contact: x, purpose: marketing, prefer: [sms]}\n"
    await decided.publish("triggers", rule, f"when: {{count: why.{language}, at_least: 1, within: 1h}}\n{do}")
    assert await decided.signals(rule, after=await decided.api.send(decided.key, bought(person, type_=f"why.{language}")))
    page = await desk.signed_in(language)  # an agent: customers ask him
    found = await decided.api.get(decided.token, f"/v1/customers/by/customer_number/{person}")
    await page.goto(f"/customers/{found['customer_id']}")
    await page.get_by_role("link", name=say("contacting.of_customer")).click()
    row = page.locator("main tbody tr")
    await expect(row).to_have_count(1)
    for told in (rule, say("silenced.consent"), say("purpose.marketing"), say("way.sms")):
        await expect(row).to_contain_text(told)
    assert await judged(page, f"decisions-{language}") == []
    looks = await decided.api.get(await decided.api.token("admin"), "/v1/access-log", customer=found["customer_id"])
    assert "decisions" in {one["what"] for one in looks["items"]}


@pytest.mark.parametrize("language", LANGUAGES)
async def test_of_two_agents_one_has_the_next_call_and_says_how_it_went(desk: Desk, decided: Marketer, language: str) -> None:
    say, person, rule = spoken(language), f"call-{language}", f"call-{language}"
    do = "do: {contact: spring, purpose: survey, prefer: [call]}\n"
    await decided.publish("triggers", rule, f"when: {{count: call.{language}, at_least: 1, within: 1h}}\n{do}")
    who = {"who": {"customer_number": person, "phone": f"0912111{LANGUAGES.index(language):04d}"}}
    agreed = bought(person, type_="consent.given", purpose="survey") | {"data": who | {"purpose": "survey"}}
    assert await decided.signals(rule, after=await decided.api.send(decided.key, agreed, bought(person, type_=f"call.{language}")))

    async def waits() -> bool:
        return bool((await decided.api.get(decided.token, "/v1/call-list", state="open"))["items"])

    await decided.until(waits)
    pages = [await desk.signed_in(language, await decided.api.token("agent")) for _ in range(2)]
    for page in pages:
        await page.goto("/calls")
        await expect(page.locator("[aria-labelledby=waiting-title] tbody tr")).to_have_count(1)
        assert "0912" not in await page.locator("main").inner_html()  # whom, is told to who takes it
    await asyncio.gather(*(page.get_by_role("button", name=say("call_list.take")).click() for page in pages))
    for page in pages:
        await expect(page.locator("article, .notice")).to_have_count(1)
    has, has_not = sorted(pages, key=lambda page: "?none" in page.url)
    await expect(has_not.locator(".notice")).to_have_text(say("call_list.none"))
    await expect(has.locator("article a[href^='tel:+989121110']")).to_have_count(1)
    assert await judged(has, f"call-list-{language}") == []
    await shot(has, f"call-list-{language}")
    await has.locator("[name=note]").press("Enter")  # says nothing of itself
    await expect(has.locator("article")).to_have_count(1)
    await has.locator("[name=outcome]").select_option("accepted")
    await has.locator("[name=note]").fill("Friday")
    await has.locator("[name=note]").press("Enter")
    await expect(has.locator("article")).to_have_count(0)
    (done,) = [one for one in (await decided.api.get(decided.token, "/v1/call-list", state="done"))["items"] if one["rule"] == rule]
    assert (done["outcome"], done["note"]) == ("accepted", "Friday")


@pytest.mark.parametrize("language", LANGUAGES)
async def test_what_went_wrong_and_who_stopped_it_is_said_in_the_readers_language(desk: Desk, decided: Marketer, language: str) -> None:
    say = spoken(language)
    page = await desk.signed_in(language, decided.token)
    await page.goto("/contacts/deliveries")
    await page.locator("button[value='channel:call']").click()
    await expect(page.locator(".tag.mark").first).to_contain_text(say("way.call"))
    await expect(page.locator("[aria-labelledby=stop-title]")).to_contain_text("marketer ")
    table = page.locator("table")
    for told in (
        say("went.no_phone"),
        say("silenced.cap"),
        {"fa": "پاسخ ۵۵۰", "en": "answered 550"}[language],
        "as a later version says it",
    ):
        await expect(table).to_contain_text(told)
    assert await judged(page, f"deliveries-{language}") == []
    await shot(page, f"deliveries-{language}")
    await page.locator("button[value='resume']").click()
    await page.goto("/contacts/webhooks")
    await page.locator("[name=url]").fill("https://10.1.2.3/hook")
    await page.locator("form.editor .primary").click()
    notice = page.locator(".notice")
    await expect(notice).to_contain_text(re.sub(r"\{.*", "", say("went.inside").partition("} ")[2]))
    await expect(notice.locator("bdi").first).to_have_text("10.1.2.3")
    desk.complaints.clear()  # the browser tells of the 422
    assert await judged(page, f"webhooks-{language}") == []
    await shot(page, f"webhooks-{language}")
    await page.locator("[name=url]").fill(f"https://example.com/{language}")
    await page.locator("form.editor .primary").click()
    await page.locator("button[value=disable]").first.click()
    await expect(page.locator("ul.open")).to_contain_text(say("disabled.by hand"))
    await page.locator("button[value=delete]").first.click()
    await expect(page.locator("main h1")).to_contain_text("https://")
    assert await judged(page, f"deleting-{language}") == []
    await page.locator("main .primary").click()
    await expect(page.locator("main h1")).to_have_text(say("contacting.webhooks"))


@pytest.mark.parametrize("language", LANGUAGES)
async def test_what_went_out_is_sent_again_only_when_that_is_meant_and_the_list_stays_as_filtered(
    desk: Desk, decided: Marketer, language: str
) -> None:
    say, lane = spoken(language), f"webhook:{uuid4()}"
    async with decided.api.made.pool.connection() as connection:
        await deliveries.add(connection, [deliveries.New(id_ := uuid4(), id_, lane, "contact.sent", "winback", None, None, b"")])
        await connection.execute("UPDATE contacts.deliveries SET state = 'sent', ended = now() WHERE id = %s", (id_,))
    page = await desk.signed_in(language, decided.token)
    await page.goto(filtered := f"{desk.url}/contacts/deliveries?lane={quote(lane, safe='')}&state=sent")
    again, row = page.get_by_role("button", name=say("contacting.resend")), page.locator("main tbody tr")
    await again.click()
    await expect(page.locator("main h1")).to_have_text(say("contacting.resending"))
    assert await judged(page, f"resending-{language}") == []
    await page.get_by_role("link", name=say("not_him.cancel")).click()
    await expect(page).to_have_url(filtered)
    await expect(row).to_have_count(1)
    await again.click()
    await again.click()
    await expect(page).to_have_url(filtered)
    await expect(row).to_have_count(0)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_of_several_webhooks_one_sees_which_does_not_take_what(desk: Desk, decided: Marketer, language: str) -> None:
    say = spoken(language)
    lanes: dict[str, str] = {}
    for host in ("crm", "dialler"):
        made = {"url": f"https://{host}.{language}.example/{'a-long-path-' * 9}", "types": ["contact.*"]}
        answer = await decided.api.client.post("/v1/webhooks", json=made, auth=(decided.token, ""))
        lanes[host] = f"webhook:{answer.json()['id']}"
    error = "ConnectError: All connection attempts failed"
    async with decided.api.made.pool.connection() as connection:
        for lane in lanes.values():
            await deliveries.add(connection, [deliveries.New(id_ := uuid4(), id_, lane, "contact.sent", "winback", None, None, b"")])
            await connection.execute(
                "UPDATE contacts.deliveries SET attempts = 4, error = %s, due = now() + interval '1 hour' WHERE id = %s", (error, id_)
            )
            await connection.execute("UPDATE contacts.lanes SET failures = 3 WHERE lane = %s", (lane,))
    page = await desk.signed_in(language, decided.token)
    await page.set_viewport_size({"width": 390, "height": 800})
    await page.goto("/contacts/webhooks")
    one = page.locator("li", has_text=f"crm.{language}.example")
    await expect(one).to_contain_text(say("went.no_connection", word="ConnectError"))
    box = await one.locator("bdi").first.bounding_box()
    assert box is not None
    assert box["width"] > 250  # the whole breadth of a phone
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await shot(page, f"receivers-{language}")
    await one.get_by_role("link").click()
    rows = page.locator("main tbody tr")
    await expect(rows).to_have_count(1)
    await expect(rows).to_contain_text(f"crm.{language}.example")
    await page.locator(".filter a", has_text=say("delivery.waiting")).click()
    await expect(rows).to_have_count(1)
    await page.get_by_role("link", name=say("contacting.every_way")).click()
    await expect(rows.filter(has_text=f"dialler.{language}.example")).to_have_count(1)
    assert await judged(page, f"receivers-{language}") == []
    await page.goto("/contacts/webhooks")
    for host in lanes:
        await page.locator("li", has_text=f"{host}.{language}.example").locator("button[value=delete]").click()
        await page.locator("main .deciding .primary").click()


async def test_nobody_is_led_where_his_role_may_not_go(desk: Desk) -> None:
    for role in ("supervisor", "analyst"):
        page = await desk.signed_in("en", await desk.token(role))
        for path in ("/rules", "/segments", "/signals", "/contacts", "/contacts/policy", "/contacts/deliveries"):
            await page.goto(path)
            links = await page.locator("main a").evaluate_all("(links) => links.map((link) => new URL(link.href).pathname)")
            for link in sorted({*links} - {path}):
                assert (await page.request.get(link)).status != 403, f"{role} is led from {path} to {link}"


@pytest.mark.parametrize("language", LANGUAGES)
async def test_another_day_of_a_replayed_history_shows_what_had_happened_by_then(desk: Desk, marketer: Marketer, language: str) -> None:
    """What rules and segments say then is recorded in the data's own time, long before anybody told us the rest."""
    await marketer.publish("segments", f"replayed-{language}", f"when: {{count: replayed.{language}, at_least: 1, within: 30d}}\n")
    key = await marketer.api.write_key(f"replaying-{language}", clock="event")
    days = [datetime(1998, month, 1, 12, tzinfo=UTC) for month in (1, 6)]
    person, traits = f"replayed-{language}", {"name": "Claire Rogers"}
    await marketer.api.send(key, *(bought(person, day, f"replayed.{language}") for day in days))
    told = bought(person, days[0], "profile.reported", traits=traits)
    await desk.visible(await marketer.api.send(key, told))
    page = await desk.customer(person, language)
    await expect(page.locator(".entry", has_text=spoken(language)("type.segment.left")).first).to_be_visible()
    await page.goto(f"{page.url.partition('?')[0]}?as_of=1998-03-10")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Claire Rogers")
    await expect(page.locator(".as-of")).to_contain_text(spoken(language)("asof.told_later", date="\0").partition("\0")[2])
    await expect(page.locator(".entry", has_text=spoken(language)("type.segment.left"))).to_have_count(1)
