"""What was sent is read back: by id, by identifier, by search, as a timeline, and as of a time."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from api import position
from tests.api.conftest import Api, answered
from tests.api.events import event, order

ORDER = {"order_id": "o-1", "lines": [], "total": "5", "currency": "USD"}

pytestmark = pytest.mark.engines


async def test_a_customer_is_found_by_any_spelling_of_his_phone(live: Api) -> None:
    key, agent = await live.write_key(), await live.token("agent")
    at = await live.send(key, event("spelling", data={"url": "https://shop.example/", "who": {"phone": "0912 555 0101"}}))
    views = [
        await live.get(agent, f"/v1/customers/by/phone/{spelling}", after=at)
        for spelling in ("09125550101", "%2B989125550101", "۰۹۱۲۵۵۵۰۱۰۱", "0098 912 555 0101")
    ]
    assert len({view["customer_id"] for view in views}) == 1
    assert views[0]["contact_points"][0] | {"value": "+989125550101"} == views[0]["contact_points"][0]
    assert views[0]["events"] == 1
    found = await live.get(agent, "/v1/customers", q="5550101")
    assert [hit["customer_id"] for hit in found["items"]] == [views[0]["customer_id"]]
    again = await live.get(agent, f"/v1/customers/{views[0]['customer_id']}")
    assert again["customer_id"] == views[0]["customer_id"]


async def test_a_score_of_a_model_that_is_not_there_is_refused_with_those_that_are(live: Api) -> None:
    key, agent = await live.write_key(), await live.token("agent")
    at = await live.send(key, event("scored", data={"url": "https://shop.example/", "who": {"phone": "0912 555 0177"}}))
    customer = (await live.get(agent, "/v1/customers/by/phone/09125550177", after=at))["customer_id"]
    either: list[dict[str, Any]] = [{}, {"name": "churn"}]
    for named in either:
        assert (await live.get(agent, f"/v1/customers/{customer}/score", **named))["status"] == "unknown"
    wrong = await live.get(agent, f"/v1/customers/{customer}/score", name="chrun", status=404)
    assert (wrong["pointer"], wrong["mend"]) == ("/query/name", "Write one of: churn.")


async def test_a_number_finds_whose_it_is_in_any_spelling(live: Api) -> None:
    key, agent = await live.write_key(), await live.token("agent")
    quote = {"quote_id": "Q-كد-۷۷", "total": "1", "currency": "IRR", "who": {"customer_number": "78"}}
    at = await live.send(key, event("spelt", type="sales.quote_sent", data=quote))
    found = await live.get(agent, "/v1/customers", q="q-کد-77", after=at)
    assert [hit["matched"] for hit in found["items"]] == [["reference"]]


async def test_who_is_found_is_shown_page_by_page(live: Api) -> None:
    key, agent = await live.write_key(), await live.token("agent")
    for number in range(5):
        who = {"email": f"page{number}@turned.example"}
        at = await live.send(key, event(f"turned {number}", data={"url": "https://shop.example/", "who": who}))
        await live.get(agent, "/v1/customers", q=f"page{number}@turned.example", after=at)
    everybody = (await live.get(agent, "/v1/customers", q="page"))["items"]
    shown: list[Any] = []
    further: dict[str, Any] = {}
    for most in (2, 2, 1):
        page = await live.get(agent, "/v1/customers", q="page", limit="2", **further)
        assert len(page["items"]) == most
        shown += page["items"]
        further = {"cursor": page["next"]}
    assert page["next"] is None
    assert shown == everybody
    await live.get(agent, "/v1/customers", q="page", cursor="nonsense", status=422)


async def test_nobody_is_not_found(live: Api) -> None:
    agent = await live.token("agent")
    await live.get(agent, "/v1/customers/by/phone/09129999999", status=404)
    await live.get(agent, "/v1/customers/by/phone/nonsense", status=422)
    await live.get(agent, f"/v1/customers/{uuid4()}", status=404)
    await live.get(agent, f"/v1/customers/{uuid4()}/timeline", status=404)
    await live.get(agent, "/v1/customers", q=" ", status=422)


async def test_whoever_waits_for_one_event_waits_for_nothing_else(live: Api) -> None:
    """Its position names it. It is waited for as well where it moves an identifier, is nobody's, or becomes a dead letter on its way."""
    key, agent = await live.write_key(), await live.token("agent")

    async def alone(sent: dict[str, Any]) -> str:
        answer = await live.client.post("/v1/events", json=sent, auth=(key, ""))
        at = answer.headers["yekta-position"]
        assert position.read(at)[1] is not None
        return str(at)

    def seen(name: str, page: str, **who: str) -> dict[str, Any]:
        return event(name, data={"url": f"https://shop.example/{page}", "who": who})

    for name, who in (("one", {"phone": "0912 555 7707"}), ("two", {"customer_number": "9777"})):
        at = await alone(seen(f"alone-{name}", "a", **who))
        assert (await live.get(agent, "/v1/customers/by/{}/{}".format(*next(iter(who.items()))), after=at))["events"] == 1
    at = await alone(seen("alone-both", "a", phone="0912 555 7707", customer_number="9777"))
    assert (await live.get(agent, "/v1/customers/by/customer_number/9777", after=at))["events"] == 3
    for odd in (seen("alone-nobody", "a"), seen("alone-both", "b", customer_number="9777")):
        at = await alone(odd)
        assert (await live.get(agent, "/v1/customers/by/customer_number/9777", after=at))["events"] == 3


async def test_a_timeline_is_paged_filtered_and_opened(live: Api) -> None:
    key, agent = await live.write_key(), await live.token("agent")
    who = {"customer_number": "9001", "phone": "0912 555 0202"}
    sent = [order(f"t{number}", who=who) | {"time": f"2026-05-0{number + 1}T10:00:00Z"} for number in range(5)]
    sent.append(event("t-view", data={"url": "https://shop.example/t", "who": who}) | {"time": "2026-05-09T10:00:00Z"})
    at = await live.send(key, *sent)
    customer = (await live.get(agent, "/v1/customers/by/customer_number/9001", after=at))["customer_id"]
    path = f"/v1/customers/{customer}/timeline"
    seen: list[str] = []
    query: dict[str, Any] = {"limit": "4"}
    while True:
        page = await live.get(agent, path, **query)
        seen += [item["id"] for item in page["items"]]
        assert len(seen) <= len(sent)
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert seen == ["t-view", "t4", "t3", "t2", "t1", "t0"]
    first = (await live.get(agent, path, limit="1"))["items"][0]
    assert first["data"] == {"url": "https://shop.example/t", "who": who}
    assert first["channel"] == "web"
    assert [item["id"] for item in (await live.get(agent, path, channel="web"))["items"]] == ["t-view"]
    assert len((await live.get(agent, path, type="sales.order_placed"))["items"]) == 5
    until = await live.get(agent, path, since="2026-05-02T00:00:00Z", until="2026-05-04T00:00:00Z")
    assert [item["id"] for item in until["items"]] == ["t2", "t1"]
    assert (await live.get(agent, path, channel="call"))["items"] == []


async def test_the_view_is_as_it_was_and_as_it_was_known(live: Api) -> None:
    key, agent = await live.write_key(), await live.token("agent")
    who = {"customer_number": "9002"}
    at = await live.send(
        key, order("early", who=who) | {"time": "2026-05-01T10:00:00Z"}, order("late", who=who) | {"time": "2026-06-01T10:00:00Z"}
    )
    view = await live.get(agent, "/v1/customers/by/customer_number/9002", after=at)
    assert view["orders"]["placed"] == 2
    path = f"/v1/customers/{view['customer_id']}"
    then = await live.get(agent, path, as_of="2026-05-15T00:00:00Z")
    assert then["orders"]["placed"] == 1
    assert then["as_of"] == then["at"] == "2026-05-15T00:00:00Z"
    assert then["windows"]["30d"]["sales"]["events"] == 1
    await live.get(agent, path, as_of="2026-04-01T00:00:00Z", status=404)
    await live.get(agent, path, known_at="2026-05-15T00:00:00Z", status=404)
    recorded = (await live.get(agent, f"{path}/timeline"))["items"][0]["recorded"]
    assert (await live.get(agent, path, known_at=recorded))["orders"]["placed"] == 2
    await live.get(agent, path, as_of="2026-05-15T00:00:00", status=422)


async def test_what_an_address_does_not_know_and_others_do_is_not_passed_over(live: Api) -> None:
    key, agent = await live.write_key(), await live.token("agent")
    at = await live.send(key, order("narrow", who={"customer_number": "9009"}))
    view = await live.get(agent, "/v1/customers/by/customer_number/9009", after=at)
    path = f"/v1/customers/{view['customer_id']}"
    for name, hint in (("as_of", "until"), ("known_at", "recorded")):
        refused = await live.get(agent, f"{path}/timeline", status=422, **{name: "2026-05-15T00:00:00Z"})
        assert (refused["pointer"], hint in refused["mend"]) == (f"/query/{name}", True)
    assert (await live.get(agent, path, status=422, since="2026-05-15T00:00:00Z"))["pointer"] == "/query/since"
    assert (await live.get(agent, "/v1/call-list", status=422, type="call"))["pointer"] == "/query/type"
    for path_ in ("/v1/calls", f"{path}/stream"):
        assert (await live.get(agent, path_, status=422, after=at))["pointer"] == "/query/after"
    assert (await live.get(agent, path, of_mine="x"))["customer_id"] == view["customer_id"]
    assert "items" in await live.get(agent, "/v1/events", state="unattributed", channel="web")


async def test_of_replayed_time_the_view_as_it_was_known_is_of_that_time_too(live: Api) -> None:
    key, agent = await live.write_key("archive", clock="event"), await live.token("agent")
    at = await live.send(key, order("replayed", who={"customer_number": "9004"}) | {"time": "2019-05-01T10:00:00Z"})
    view = await live.get(agent, "/v1/customers/by/customer_number/9004", after=at)
    path = f"/v1/customers/{view['customer_id']}"
    recorded = (await live.get(agent, f"{path}/timeline", type="sales.order_placed"))["items"][0]["recorded"]
    for known_at in (recorded, "2100-01-01T00:00:00Z"):
        known = await live.get(agent, path, known_at=known_at)
        assert [known[name] for name in ("clock", "at", "windows")] == ["event", view["at"], view["windows"]]


async def test_a_time_that_cannot_be_or_is_not_told_does_not_move_the_now_of_replayed_time(live: Api) -> None:
    key, agent = await live.write_key("archive", clock="event"), await live.token("agent")
    who = {"customer_number": "9005"}
    at = await live.send(key, order("believed", who=who) | {"time": "2019-05-01T10:00:00Z"})
    path = "/v1/customers/by/customer_number/9005"
    before = await live.get(agent, path, after=at)
    untimed = order("untimed", who=who)
    del untimed["time"]
    at = await live.send(key, untimed, order("future", who=who) | {"time": "2150-01-01T00:00:00Z"})
    after = await live.get(agent, path, after=at)
    assert (after["events"], after["flagged"]["future"]) == (3, 1)
    assert [after[name] for name in ("clock", "at", "windows")] == ["event", before["at"], before["windows"]]


async def test_a_merged_customer_is_answered_by_the_one_that_stayed(live: Api) -> None:
    key, agent = await live.write_key(), await live.token("agent")
    one, other = {"phone": "09125550303"}, {"email": "merged@example.ir"}
    at = await live.send(key, event("m1", data={"url": "u", "who": one}))
    stays = await live.get(agent, "/v1/customers/by/phone/09125550303", after=at)
    at = await live.send(key, event("m2", data={"url": "u", "who": other}))
    goes = await live.get(agent, "/v1/customers/by/email/merged@example.ir", after=at)
    assert stays["customer_id"] != goes["customer_id"]
    at = await live.send(key, event("m3", data={"url": "u", "who": one | other}))
    whole = await live.get(agent, "/v1/customers/by/phone/09125550303", after=at)
    assert whole["events"] == 3
    answer = await live.client.get(f"/v1/customers/{goes['customer_id']}", auth=(agent, ""))
    assert answer.status_code == 200, answer.text
    assert answer.json()["customer_id"] == stays["customer_id"]
    assert answer.json()["merged_from"] == goes["customer_id"]
    assert answer.headers["content-location"] == f"/v1/customers/{stays['customer_id']}"
    timeline = await live.get(agent, f"/v1/customers/{goes['customer_id']}/timeline")
    assert {item["id"] for item in timeline["items"]} == {"m1", "m2", "m3"}


async def test_lists_of_what_a_merged_customer_has_are_of_the_one_that_stayed(live: Api) -> None:
    key, agent, admin = await live.write_key("crm"), await live.token("agent"), await live.token("admin")
    one, other = {"phone": "09125550505"}, {"email": "lists@example.ir"}
    at = await live.send(key, event("m4", data={"url": "u", "who": one}))
    stays = (await live.get(agent, "/v1/customers/by/phone/09125550505", after=at))["customer_id"]
    at = await live.send(key, event("m5", data={"url": "u", "who": other}))
    goes = (await live.get(agent, "/v1/customers/by/email/lists@example.ir", after=at))["customer_id"]
    for who in (one, other):
        made = await live.client.post("/v1/service-requests", json={"who": who, "title": "Late"}, auth=(agent, ""))
        asked = {"request_id": f"lists-{len(who)}-{next(iter(who))}", "who": who, "channel": "sms", "purpose": "service"}
        checked = await live.client.post("/v1/contacts/check", json=asked, auth=(key, ""))
        assert (made.status_code, checked.status_code) == (201, 200)
    at = await live.send(key, event("m6", data={"url": "u", "who": one | other}))
    await live.get(agent, f"/v1/customers/{stays}", after=at)
    for path in ("/v1/service-requests", "/v1/decisions", "/v1/signals", "/v1/deliveries"):
        whole = await live.get(admin, path, customer=stays)
        assert await live.get(admin, path, customer=goes) == whole
        assert len(whole["items"]) == (2 if path in ("/v1/service-requests", "/v1/decisions") else 0)
        await live.get(admin, path, customer="no-id", status=422)


async def test_the_fate_of_an_event_is_told(live: Api) -> None:
    key, agent = await live.write_key("fate"), await live.token("agent")
    answer = await live.client.post("/v1/events", json=event("f1"), auth=(key, ""))
    path = "/v1/events/%2Fweb%2Fshop/f1"
    at_once = await live.get(key, path)
    assert at_once["state"] in {"accepted", "attributed", "visible"}
    fate = await live.get(key, path, after=answer.json()["position"])
    assert fate["state"] == "visible"
    assert fate["event_id"] == answer.json()["event_id"]
    assert UUID(fate["customer_id"])
    assert (await live.get(agent, path, key="fate"))["event_id"] == fate["event_id"]
    assert (await live.get(agent, "/v1/events//web/shop/f1", key="fate"))["state"] == "visible"
    await live.get(await live.write_key("another"), path, status=404)
    await live.get(key, "/v1/events/%2Fweb%2Fshop/never", status=404)


async def test_an_event_of_nobody_is_listed_as_such(live: Api) -> None:
    key, agent = await live.write_key("nobody"), await live.token("agent")
    at = await live.send(key, event("n1", data={"url": "https://shop.example/nobody"}))
    assert (await live.get(key, "/v1/events/%2Fweb%2Fshop/n1", after=at))["state"] == "unattributed"
    listed = await live.get(agent, "/v1/events", state="unattributed")
    assert "n1" in [item["id"] for item in listed["items"]]


async def test_a_refused_event_is_found_under_its_id_with_its_dead_letter(live: Api) -> None:
    key = await live.write_key("refused")
    answer = await live.client.post("/v1/events", json=order("r1", total=1), auth=(key, ""))

    async def fate() -> Any:
        return (await live.client.get("/v1/events/%2Fsales/r1", auth=(key, ""))).json()

    told = await answered(fate, lambda told: told.get("state") == "refused")  # the list of dead letters follows the log
    assert told["refused"]["reason"] == "wrong_money"
    assert told["refused"]["pointer"] == "/data/total"
    assert told["refused"]["dead_letter"] == answer.json()["dead_letter"]


async def test_what_was_sent_is_visible_after_its_position(live: Api) -> None:
    key, agent = await live.write_key(), await live.token("agent")
    for number in range(20):
        who = {"customer_number": f"93{number}"}
        at = await live.send(key, event(f"after-{number}", data={"url": "u", "who": who}))
        assert (await live.get(agent, f"/v1/customers/by/customer_number/93{number}", after=at))["events"] == 1


@pytest.mark.parametrize(
    ("role", "phone", "money", "traits"),
    [("agent", "+989125550404", True, True), ("analyst", "•••0404", True, True), ("partner", "•••0404", False, False)],
)
async def test_each_role_sees_what_it_may(live: Api, role: Any, phone: str, money: bool, traits: bool) -> None:
    key = await live.write_key()
    who = {"phone": "09125550404", "customer_number": "9404"}
    at = await live.send(
        key,
        order("mask-1", who=who),
        event("mask-2", type="web.identified", data={"who": who, "traits": {"name": "Sara", "phone": "09125550404", "tier": "gold"}}),
    )
    view = await live.get(await live.token(role), "/v1/customers/by/customer_number/9404", after=at)
    assert {point["value"] for point in view["contact_points"] if point["kind"] == "phone"} == {phone}
    assert bool(view["orders"]["worth"]) is money
    assert any(window.get("sales", {}).get("money") for window in view["windows"].values()) in {money, False}
    assert ("tier" in view["traits"]) is traits
    items = (await live.get(await live.token(role), f"/v1/customers/{view['customer_id']}/timeline"))["items"]
    assert ("9125550404" in str(items)) is (role == "agent")
    assert ("12.50" in str(items)) is money


async def test_an_analyst_sees_no_phone_number_however_deep_it_is_or_its_name_is_spelt(live: Api) -> None:
    key = await live.write_key()
    who, number = {"customer_number": "9405"}, "+989125550405"
    traits: dict[str, Any] = {"work": {"phone": number}, "friends": [{"mobile": number}], "tel": {"home": number}, "cell": [number]}
    traits |= {"mobile_phone": number, "homePhone": number, "تلفن همراه": number}
    traits |= {"phone_model": "X 12", "has_mobile": True, "microphone": "12345678"}
    at = await live.send(key, event("deep", type="web.identified", data={"who": who, "traits": traits}))
    view = await live.get(await live.token("analyst"), "/v1/customers/by/customer_number/9405", after=at)
    items = (await live.get(await live.token("analyst"), f"/v1/customers/{view['customer_id']}/timeline"))["items"]
    for seen in ({name: trait["value"] for name, trait in view["traits"].items()}, items[0]["data"]["traits"]):
        assert number not in str(seen)
        assert (seen["work"], seen["friends"], seen["cell"]) == ({"phone": "•••0405"}, [{"mobile": "•••0405"}], ["•••0405"])
        assert (seen["phone_model"], seen["has_mobile"], seen["microphone"]) == ("X 12", True, "12345678")


async def test_write_keys_read_nothing_but_their_events_fates(live: Api) -> None:
    key = await live.write_key()
    for path in ("/v1/customers?q=a", f"/v1/customers/{uuid4()}", "/v1/events?state=unattributed", f"/v1/customers/{uuid4()}/stream"):
        assert (await live.client.get(path, auth=(key, ""))).status_code == 403, path


@pytest.mark.parametrize(
    ("language", "said"), [("fa", ("اشتراک‌ها", "۴۰٫۰۰ دلار", "از چه می‌آید")), ("en", ("Contracts", "40.00 USD", "What it is made of"))]
)
async def test_who_only_has_a_contract_is_worth_what_he_paid_for_it(live: Api, language: str, said: tuple[str, ...]) -> None:
    key, agent, who = await live.write_key(), await live.token("agent"), {"email": f"contract-{language}@x.ir"}
    paid = {"who": who, "subscription_id": f"s-{language}", "amount": "20", "currency": "USD", "period": "month"}
    happened = [
        event(f"{verb} {language}", type=f"subscription.{verb}", time=f"2026-0{month}-01T00:00:00Z", data=paid)
        for month, verb in ((1, "started"), (2, "renewed"))
    ]
    at = await live.send(key, *happened, event(f"order {language}", type="sales.order_placed", data=ORDER | {"who": who}))
    customer = (await live.get(agent, f"/v1/customers/by/email/{who['email']}", after=at))["customer_id"]
    value = (await live.get(agent, f"/v1/customers/{customer}/score"))["value"]
    assert (value["revenue"], value["contracts"], value["value"]) == ("45.00", "40.00", "45.00")
    page = await live.client.get(
        f"/customers/{customer}", headers={"Authorization": f"Bearer {agent}", "Cookie": f"yekta_language={language}"}
    )
    assert page.status_code == 200
    assert all(one in page.text for one in said)
