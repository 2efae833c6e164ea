"""What stands around the customer: who looked at him and why, calls at an extension, articles and scripts."""

import asyncio
import re
from typing import Any, get_args
from urllib.parse import quote
from uuid import uuid4

import pytest
from psycopg import AsyncConnection

from aggregates.access import Role
from api.desk.navigation import ways
from tests.api.conftest import Api, answered
from tests.api.events import event

pytestmark = pytest.mark.engines


async def post(api: Api, token: str, path: str, status: int, **content: Any) -> Any:
    answer = await api.client.post(path, json=content, auth=(token, ""))
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_every_look_is_written_down_with_who_what_and_why(live: Api) -> None:
    key, admin = await live.write_key("crm"), await live.token("admin")
    agent = (await live.made.keys.create("tests", role="agent", label="narges")).secret
    await live.token("agent")
    at = await live.send(key, event("look-1", data={"url": "u", "who": {"phone": "09124440011"}}))
    customer = (await live.get(agent, "/v1/customers/by/phone/09124440011", after=at))["customer_id"]
    await live.client.get(f"/v1/customers/{customer}/timeline", auth=(agent, ""), headers={"Yekta-Reason": "complaint 17"})
    looks = (await live.get(admin, "/v1/access-log", customer=customer))["items"]
    assert [(look["who"], look["role"], look["what"], look["why"]) for look in looks] == [
        ("narges", "agent", "timeline", "complaint 17"),
        ("narges", "agent", "view", ""),
    ]
    page = await live.get(admin, "/v1/access-log", who="narges", limit="1")
    assert (await live.get(admin, "/v1/access-log", who="narges", limit="1", cursor=page["next"]))["items"][0]["what"] == "view"
    await live.get(agent, "/v1/access-log", status=403)


async def test_whoever_looks_at_why_a_customer_is_one_is_written_down_too(live: Api) -> None:
    key, admin, agent = await live.write_key("crm"), await live.token("admin"), await live.token("agent")
    at = await live.send(key, event("look-3", data={"url": "u", "who": {"phone": "09124440013", "email": "look3@example.ir"}}))
    customer = (await live.get(admin, "/v1/customers/by/phone/09124440013", after=at))["customer_id"]
    await live.get(agent, f"/v1/customers/{customer}/identity")
    for page in (f"/customers/{customer}/identity", f"/customers/{customer}/not-this-person?phone=09124440013"):
        assert (await live.client.get(page, auth=(agent, ""))).status_code == 200
    looks = (await live.get(admin, "/v1/access-log", customer=customer))["items"]
    assert [(look["role"], look["what"]) for look in looks] == [("agent", "identity")] * 3 + [("admin", "view")]


async def test_a_look_whose_connection_breaks_is_told_to_come_again(live: Api) -> None:
    key, agent = await live.write_key("crm"), await live.token("agent")
    at = await live.send(key, event("look-2", data={"url": "u", "who": {"phone": "09124440012"}}))
    customer = (await live.get(agent, "/v1/customers/by/phone/09124440012", after=at))["customer_id"]
    async with await AsyncConnection.connect(live.world.endpoints.dsn) as other:
        await other.execute("LOCK TABLE access.looks")
        asked = asyncio.create_task(live.client.get(f"/v1/customers/{customer}", auth=(agent, "")))
        broken = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE relation = 'access.looks'::regclass AND NOT granted"
        await answered(lambda: other.execute(broken), lambda ended: ended.rowcount)
        assert (await asked).status_code == 503
    assert (await live.get(agent, f"/v1/customers/{customer}"))["customer_id"] == customer


async def test_a_call_is_listed_where_it_rings_and_wrapped_up_as_a_fact(live: Api) -> None:
    key, agent, analyst = await live.write_key("pbx"), await live.token("agent"), await live.token("analyst")
    call = f"c-{uuid4()}"
    data = {"call_id": call, "direction": "inbound", "number": "۰۹۱۲۴۴۴۰۰۲۲", "extension": "777"}
    at = await live.send(key, event("ring-1", type="call.ringing", source="/pbx", data=data))
    customer = (await live.get(agent, "/v1/customers/by/phone/09124440022", after=at))["customer_id"]
    listed = await answered(  # calls are read beside the views, and no position says how far
        lambda: live.get(agent, "/v1/calls", extension="777"), lambda listed: listed["items"]
    )
    (shown,) = listed["items"]
    assert (shown["stage"], shown["number"], shown["customers"]) == ("ringing", "+989124440022", [customer])
    assert (await live.get(analyst, "/v1/calls", extension="777"))["items"][0]["number"] == "•••0022"
    for _ in range(2):
        done = await post(live, agent, f"/v1/calls/{call}/wrap-up", 200, outcome="promised", promise="A call", request_id="w-1")
    timeline = await live.get(agent, f"/v1/customers/{customer}/timeline", after=done["position"])
    assert [item["type"] for item in timeline["items"]] == ["call.wrapped_up", "call.ringing"]
    assert timeline["items"][0]["data"]["promise"] == "A call"


async def test_another_wrap_up_under_the_key_of_one_is_refused_and_the_same_counts_once(live: Api) -> None:
    key, agent, other = await live.write_key("pbx"), await live.token("agent"), await live.token("agent")
    at = await live.send(key, event("wrapped", data={"url": "u", "who": {"phone": "09124440044"}}))
    customer = (await live.get(agent, "/v1/customers/by/phone/09124440044", after=at))["customer_id"]
    path = f"/v1/calls/c-{uuid4()}/wrap-up"

    async def told(token: str, name: str, **content: Any) -> tuple[int, Any]:
        sent = {"customer_id": customer} | content
        answer = await live.client.post(path, json=sent, headers={"Idempotency-Key": name}, auth=(token, ""))
        return answer.status_code, answer.json()

    assert (await told(agent, "w-1", due="x"))[0] == 422  # what was refused has no key
    together = await asyncio.gather(*(told(agent, "w-1", outcome="solved", note=note) for note in ("a", "b", "a")))
    assert sorted(status for status, _ in together) in ([200, 200, 422], [200, 422, 422])
    (first,) = {note for note, (status, _) in zip(("a", "b", "a"), together, strict=True) if status == 200}
    status, done = await told(agent, "w-1", outcome="solved", note=first)
    assert status == 200
    for token, wanted in ((agent, {"outcome": "promised", "note": first}), (other, {"outcome": "solved", "note": first})):
        status, problem = await told(token, "w-1", **wanted)
        assert (status, problem["type"], problem["pointer"]) == (422, "/problems/key_used", "/header/Idempotency-Key")
    assert (await told(agent, "\x7f"))[0] == (await told(agent, "k" * 201))[0] == 422
    status, done = await told(other, "w-2", outcome="lost")
    timeline = await live.get(agent, f"/v1/customers/{customer}/timeline", after=done["position"])
    assert [item["data"].get("outcome") for item in timeline["items"]] == ["lost", "solved", None]


async def test_a_call_whose_id_has_a_slash_is_wrapped_up_too(live: Api) -> None:
    key, agent = await live.write_key("pbx"), await live.token("agent")
    call = f"pbx/{uuid4()}"
    data = {"call_id": call, "direction": "inbound", "number": "09124440066"}
    at = await live.send(key, event("ring-slash", type="call.ringing", source="/pbx", data=data))
    customer = (await live.get(agent, "/v1/customers/by/phone/09124440066", after=at))["customer_id"]
    for path in (quote(call, safe=""), call):
        done = await post(live, agent, f"/v1/calls/{path}/wrap-up", 200, outcome="solved", customer_id=customer, request_id="w-1")
        assert done["call_id"] == call
    timeline = await live.get(agent, f"/v1/customers/{customer}/timeline", after=done["position"])
    assert [(item["type"], item["data"]["call_id"]) for item in timeline["items"]] == [("call.wrapped_up", call), ("call.ringing", call)]


@pytest.mark.parametrize(
    ("call", "sent", "pointer"),
    [
        ("c-1", {"due": "2026-12-01T10:00:00"}, "/due"),
        ("c-1", {"due": "tomorrow"}, "/due"),
        ("c-1", {"service_request_id": "s" * 10_001}, "/service_request_id"),
        ("c-1", {"service_request_id": "1017"}, "/service_request_id"),
        ("c-1", {"service_request_id": "7f3a1c52-0000-4000-8000-000000000000"}, "/service_request_id"),
        ("c" * 600, {}, "/path/id"),
    ],
)
async def test_a_wrong_wrap_up_is_pointed_into_as_it_was_sent(live: Api, call: str, sent: dict[str, Any], pointer: str) -> None:
    key, agent = await live.write_key("pbx"), await live.token("agent")
    at = await live.send(key, event("pointed", data={"url": "u", "who": {"phone": "09124440077"}}))
    customer = (await live.get(agent, "/v1/customers/by/phone/09124440077", after=at))["customer_id"]
    refused = await post(live, agent, f"/v1/calls/{call}/wrap-up", 422, customer_id=customer, **sent)
    assert refused["pointer"] == pointer


async def test_a_call_is_wrapped_up_with_the_request_that_goes_on_from_there(live: Api) -> None:
    agent = await live.token("agent")
    request = await post(live, agent, "/v1/service-requests", 201, who={"phone": "09124440088"}, title="مرسوله نرسید")
    customer = (await live.get(agent, "/v1/customers/by/phone/09124440088", after=request["position"]))["customer_id"]
    sent = {"customer_id": customer, "service_request_id": request["id"].upper()}
    done = await post(live, agent, "/v1/calls/c-goes-on/wrap-up", 200, **sent)
    timeline = await live.get(agent, f"/v1/customers/{customer}/timeline", after=done["position"])
    assert timeline["items"][0]["data"]["request_id"] == request["id"]


async def test_what_was_changed_in_a_form_before_it_is_sent_again_is_told_too(live: Api) -> None:
    key, agent = await live.write_key("pbx"), await live.token("agent")
    session = (await live.client.post("/sign-in", data={"token": agent})).cookies["yekta_session"]
    live.client.cookies.clear()
    headers = {"Cookie": f"yekta_session={session}", "Origin": "http://yekta", "Sec-Fetch-Site": "same-origin"}
    at = await live.send(key, event("drafted", data={"url": "u", "who": {"phone": "09124440055"}}))
    customer = (await live.get(agent, "/v1/customers/by/phone/09124440055", after=at))["customer_id"]
    for city in ("ری", "قم", "قم"):
        sent = await live.client.post("/newcomers", data={"phone": "09124440055", "city": city, "draft": "d-1"}, headers=headers)
        assert sent.status_code == 303, sent.text
    for note in ("a", "ab", "ab"):
        sent = await live.client.post(f"/customers/{customer}/wrap-up", data={"note": note, "draft": "d-2"}, headers=headers)
        assert sent.status_code == 303, sent.text
    at = sent.headers["location"].partition("after=")[2]
    items = (await live.get(agent, f"/v1/customers/{customer}/timeline", after=at))["items"]
    told = [item["data"].get("note") or item["data"].get("traits") for item in items if item["source"] == "/yekta/desk"]
    assert told == ["ab", "a", {"city": "قم"}, {"city": "ری"}]


async def test_articles_are_found_in_any_spelling_and_counted_where_they_helped(live: Api) -> None:
    agent, boss = await live.token("agent"), await live.token("supervisor")
    title, body = "گم شدن مرسوله‌های پستی", "نخست از پستچی بپرسید؛ کدهای رهگیری را بخواهید."
    made = await post(live, boss, "/v1/articles", 201, title=title, body=body, category="delivery")
    for words in ("مرسوله", "مرسولهها", "كد رهگيري", "POST nothing"):
        found = (await live.get(agent, "/v1/articles", q=words))["items"]
        assert (made["id"] in [one["id"] for one in found]) is not words.startswith("POST"), words
    request = await post(live, agent, "/v1/service-requests", 201, who={"phone": "09124440033"}, title="مرسوله نرسید")
    refused = await post(live, agent, f"/v1/service-requests/{request['id']}/resolve", 422, article_id=request["id"])
    assert refused["pointer"] == "/article_id"
    await post(live, agent, f"/v1/service-requests/{request['id']}/resolve", 200, article_id=made["id"])
    assert (await live.get(agent, "/v1/articles", q="رهگیری"))["items"][0]["resolved"] == 1
    await post(live, agent, "/v1/articles", 403, title="x", body="y")


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("کتاب‌هایشان", ("کتاب", "کتاب ها", "کتاب های", "کتابهایتان")),
        ("کودکانشان", ("کودک", "کودکان", "کودکی")),
        ("مشتریان", ("مشتری", "مشتریانمان", "مشتری‌ها")),
        ("راهنمای دوستان", ("دوست", "دوستی", "دوستانشان", "دوست‌ها")),
        ("درخت کهنسال", ("درختان", "درختانتان")),
        ("لباستان", ("لباس", "لباس‌ها")),
        ("نمایشگر بزرگ ترین", ("نمایشگرها بزرگترهایشان",)),
        ("invoices", ("invoice", "Invoiced", "invoicing")),
        ("our policy", ("policies",)),
    ],
)
async def test_an_article_is_found_whatever_endings_a_word_has(api: Api, written: str, asked: tuple[str, ...]) -> None:
    agent, boss = await api.token("agent"), await api.token("supervisor")
    made = await post(api, boss, "/v1/articles", 201, title=written, body=".")
    for words in asked:
        assert [one["id"] for one in (await api.get(agent, "/v1/articles", q=words))["items"]] == [made["id"]], words


async def test_an_article_that_was_written_while_one_ending_was_taken_off_is_found_as_before(api: Api) -> None:
    agent, boss = await api.token("agent"), await api.token("supervisor")
    made = await post(api, boss, "/v1/articles", 201, title="کارخانه‌ای", body=".")
    async with api.made.pool.connection() as connection:
        kept = "UPDATE service.articles SET words = array_to_tsvector(ARRAY['همسایگان', 'service']) WHERE id = %s"
        await connection.execute(kept, (made["id"],))
    for words in ("همسایگانشان", "همسایگانتان service", "service"):
        assert [one["id"] for one in (await api.get(agent, "/v1/articles", q=words))["items"]] == [made["id"]], words


async def test_a_script_leads_somewhere_with_every_answer(live: Api) -> None:
    agent, boss = await live.token("agent"), await live.token("supervisor")
    steps = [{"id": "ask", "say": "Which?", "answers": [{"text": "This", "next": "end"}]}, {"id": "end", "say": "Thank you."}]
    await post(live, boss, "/v1/scripts", 201, name="which", title="Which", for_reason="question", steps=steps)
    assert [one["name"] for one in (await live.get(agent, "/v1/scripts", reason="question"))["items"]] == ["which"]
    lost = await post(live, boss, "/v1/scripts", 422, name="lost", title="Lost", steps=steps[:1])
    assert "end" in lost["detail"]


@pytest.mark.parametrize("name", [".", ".."])
async def test_no_script_has_a_name_that_clients_take_out_of_an_address(live: Api, name: str) -> None:
    steps = [{"id": "ask", "say": "What?"}]
    refused = await post(live, await live.token("supervisor"), "/v1/scripts", 422, name=name, title="Lost", steps=steps)
    assert refused["pointer"] == "/name"


async def test_an_article_keeps_its_versions_and_an_older_one_is_found_again(live: Api) -> None:
    agent, boss = await live.token("agent"), await live.token("supervisor")
    made = await post(live, boss, "/v1/articles", 201, title="Vouchers", body="Ask for the zebra code.")
    path = f"/v1/articles/{made['id']}"
    assert made["version"] == 1
    await post(live, boss, "/v1/articles", 201, id=made["id"], title="Vouchers", body="Ask for the giraffe code.", version=1)
    stale = await post(live, boss, "/v1/articles", 409, id=made["id"], title="Vouchers", body="Ask nothing.", version=1)
    assert "version 2" in stale["detail"]
    assert (await live.get(agent, "/v1/articles", q="zebra"))["items"] == []
    assert (await post(live, boss, f"{path}/restore", 200, version=1))["version"] == 3
    assert [one["version"] for one in (await live.get(agent, "/v1/articles", q="zebra"))["items"]] == [3]
    versions = (await live.get(agent, f"{path}/versions"))["items"]
    assert [(one["version"], one["restored"]) for one in versions] == [(3, 1), (2, None), (1, None)]
    assert [(line["change"], line["text"]) for line in versions[0]["changes"]] == [
        ("removed", "Ask for the giraffe code."),
        ("added", "Ask for the zebra code."),
    ]
    await post(live, boss, f"{path}/restore", 409, version=9)
    await post(live, agent, f"{path}/restore", 403, version=1)
    await post(live, boss, f"/v1/articles/{uuid4()}/restore", 404, version=1)


async def test_a_conversation_goes_on_with_the_script_that_it_began_with(live: Api) -> None:
    agent, boss = await live.token("agent"), await live.token("supervisor")
    first = [{"id": "ask", "say": "Which?", "answers": [{"text": "This", "next": "old"}]}, {"id": "old", "say": "As it was."}]
    second = [{"id": "ask", "say": "Which one?", "answers": [{"text": "This", "next": "new"}]}, {"id": "new", "say": "As it is."}]
    await post(live, boss, "/v1/scripts", 201, name="turn", title="Turn", steps=first)
    assert (await post(live, boss, "/v1/scripts", 201, name="turn", title="Turn", steps=second, version=1))["version"] == 2
    assert [step["id"] for step in (await live.get(agent, "/v1/scripts/turn"))["steps"]] == ["ask", "new"]
    assert [step["id"] for step in (await live.get(agent, "/v1/scripts/turn", version="1"))["steps"]] == ["ask", "old"]
    await live.get(agent, "/v1/scripts/turn", version="3", status=404)
    opened = await live.client.post("/sign-in", data={"token": boss}, headers={"sec-fetch-site": "same-origin"})
    cookies = {**opened.cookies, "yekta_language": "en"}
    live.client.cookies.clear()
    running = await live.client.get("/knowledge/scripts/turn?version=1&step=old", headers=cookie(cookies))
    assert "As it was." in running.text
    assert "A newer version came out" in running.text
    restored = await live.client.post(
        "/knowledge/scripts/turn/restore", data={"version": "1"}, headers=cookie(cookies) | {"sec-fetch-site": "same-origin"}
    )
    assert restored.status_code == 303
    assert (await live.get(agent, "/v1/scripts/turn"))["version"] == 3


async def test_who_is_overtaken_while_he_writes_keeps_what_he_typed(live: Api) -> None:
    boss = await live.token("supervisor")
    made = await post(live, boss, "/v1/articles", 201, title="Gloves", body="Wear them.")
    opened = await live.client.post("/sign-in", data={"token": boss}, headers={"sec-fetch-site": "same-origin"})
    headers = cookie({**opened.cookies, "yekta_language": "en"}) | {"sec-fetch-site": "same-origin"}
    live.client.cookies.clear()
    page = f"/knowledge/articles/{made['id']}"
    await post(live, boss, "/v1/articles", 201, id=made["id"], title="Gloves", body="Wear two.")
    late = await live.client.post(page, data={"title": "Gloves", "body": "Wear three.", "version": "1"}, headers=headers)
    assert (late.status_code, "Wear three." in late.text, "Somebody else wrote" in late.text) == (409, True, True)
    again = await live.client.post(page, data={"title": "Gloves", "body": "Wear three.", "version": "2"}, headers=headers)
    assert again.status_code == 303
    assert "Wear three." in (await live.client.get(page, headers=headers)).text


async def test_a_script_is_written_on_the_desk_by_whoever_may_write_it(live: Api) -> None:
    boss, agent = await live.token("supervisor"), await live.token("agent")
    headers = await signed_in(live, boss)
    first = {"title": "Lost keys", "reason": "keys", "step-1-title": "ask", "step-1-say": "Where?", "step-1-answer-1": "Home"}
    astray = await live.client.post("/knowledge/scripts", data=first | {"step-1-next-1": "2"}, headers=headers)
    assert (astray.status_code, astray.text.count('id="step-1-next-1-wrong"')) == (422, 1)
    assert "This answer leads nowhere" in astray.text
    longer = await live.client.post("/knowledge/scripts/form?do=step", data=first | {"step-1-next-1": "2"}, headers=headers)
    assert 'id="step-3-title"' in longer.text
    assert (await live.get(agent, "/v1/scripts", reason="keys"))["items"] == []
    whole = first | {"step-1-next-1": "2", "step-2-title": "home", "step-2-say": "Under the mat."}
    saved = await live.client.post("/knowledge/scripts", data=whole, headers=headers)
    assert (saved.status_code, saved.headers["location"]) == (303, "/knowledge/scripts/Lost-keys")
    assert "Under the mat." in (await live.client.get(saved.headers["location"], headers=headers)).text
    steps = (await live.get(agent, "/v1/scripts/Lost-keys"))["steps"]
    assert [(step["id"], [answer["next"] for answer in step["answers"]]) for step in steps] == [("ask", ["home"]), ("home", [])]
    again = await live.client.post("/knowledge/scripts", data=whole, headers=headers)
    assert (again.status_code, "There is a script of this name" in again.text) == (409, True)
    await post(live, boss, "/v1/scripts", 201, name="Lost-keys", title="Lost keys", steps=steps)
    late = whole | {"name": "Lost-keys", "version": "1", "step-2-say": "In the lock."}
    overtaken = await live.client.post("/knowledge/scripts", data=late, headers=headers)
    assert (overtaken.status_code, "In the lock." in overtaken.text, "Somebody else wrote" in overtaken.text) == (409, True, True)
    assert (await live.client.post("/knowledge/scripts", data=late | {"version": "2"}, headers=headers)).status_code == 303
    edited = await live.client.get("/knowledge/scripts/Lost-keys/edit", headers=headers)
    assert (edited.status_code, "In the lock." in edited.text) == (200, True)
    assert (await live.client.post("/knowledge/scripts", data=late | {"name": "Nobodys"}, headers=headers)).status_code == 404
    below = await signed_in(live, agent)
    assert (await live.client.post("/knowledge/scripts", data=whole, headers=below)).status_code == 403
    assert (await live.client.get("/knowledge/new-script", headers=below)).status_code == 403


async def test_a_search_that_cannot_be_read_says_so_beside_its_field(live: Api) -> None:
    headers = await signed_in(live, await live.token("agent"))
    for path, name, most in (("/", "q", 200), ("/knowledge", "words", 200), ("/accounts", "words", 100)):
        for typed in ("\u0633" * (most + 1), "sara\0" + "\u0633" * 3):
            refused = await live.client.get(path, params={name: typed}, headers=headers)
            assert (refused.status_code, "Nothing was searched for" in refused.text) == (422, True), refused.text
            assert f'value="{typed.replace(chr(0), "")[:most]}"' in refused.text
            assert refused.text.count('id="q"') == 1
        for typed in ("\u0633" * most, "sara\tahmadi", " "):
            assert (await live.client.get(path, params={name: typed}, headers=headers)).status_code == 200


async def test_the_language_can_be_changed_on_the_answer_to_a_form(live: Api) -> None:
    headers = await signed_in(live, await live.token("admin"))
    rule = {"text": "rule: spoken\nwhen: {count: a.b, at_least: 9, within: 1h}\ndo: {notify: team:x}\n"}
    hook = await live.client.post("/contacts/webhooks", data={"url": "https://93.184.215.14/hook", "types": "*"}, headers=headers)
    (at,) = re.findall(r'action="(/contacts/webhooks/[^"]+)"', hook.text)
    await live.client.post("/rules", data=rule, headers=headers)
    for path, fields in (
        (at, {"do": "rotate"}),
        (at, {"do": "delete"}),
        ("/rules/spoken/retire", {}),
        ("/contacts/policy/dry-run", {"text": "policy: nothing"}),
        ("/contacts/policy/dry-run", {"text": "policy: contact\n", "until": "never"}),
        ("/rules/dry-run", rule | {"until": "never"}),
        ("/rules/text", rule),
        ("/rules/dry-run", rule),
        ("/rules/dry-run", rule | {"of": "spoken", "seen": "1"}),
        ("/segments", {"text": "nothing"}),
        ("/newcomers", {}),
        (f"/knowledge/articles/{uuid4()}", {"title": "No body"}),
    ):
        answer = await live.client.post(path, data=fields, headers=headers)
        (back,) = re.findall('name="back" value="([^"]*)"', answer.text)
        assert (path, back, (await live.client.get(back, headers=headers)).status_code) == (path, back, 200)
    assert at in (await live.client.get("/contacts/webhooks", headers=headers)).text  # it was only asked about
    assert (await live.client.post(at, data={"do": "delete", "sure": "yes"}, headers=headers)).status_code == 303
    assert at not in (await live.client.get("/contacts/webhooks", headers=headers)).text


async def signed_in(live: Api, token: str) -> dict[str, str]:
    """What a browser of somebody sends with each request."""
    opened = await live.client.post("/sign-in", data={"token": token}, headers={"sec-fetch-site": "same-origin"})
    live.client.cookies.clear()
    return cookie({**opened.cookies, "yekta_language": "en"}) | {"sec-fetch-site": "same-origin"}


def cookie(cookies: dict[str, str]) -> dict[str, str]:
    """The cookies of a browser, sent with one request only."""
    return {"cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}


@pytest.mark.parametrize("role", get_args(Role))
async def test_each_page_that_a_role_is_shown_the_way_to_is_read_with_its_token_too(live: Api, role: Role) -> None:
    token = await live.token(role)
    for way in ways(role):
        answer = await live.client.get(way.address, auth=(token, ""))
        assert (way.address, answer.status_code) == (way.address, 200)
        assert f'href="{way.address}" aria-current="page"' in answer.text
