"""People see why a customer is one, make two one, take it back, and ask for what would come of it before."""

from math import log2
from typing import Any

import pytest

from tests.api.conftest import Api, answered
from tests.api.events import event

pytestmark = pytest.mark.engines


async def decide(live: Api, token: str, path: str, status: int = 200, **asked: Any) -> Any:
    """What the API answers to a command."""
    answer = await live.client.post(path, json=asked, auth=(token, ""))
    assert answer.status_code == status, answer.text
    return answer.json()


def page(id_: str, **who: Any) -> dict[str, Any]:
    """A page view of whoever these identifiers name."""
    return event(id_, data={"url": "https://shop.example/", "who": who})


def known(view: Any) -> Any:
    """What is known of a customer, without what says when it was looked at."""
    return {name: value for name, value in view.items() if name not in {"at", "position", "windows", "customer_id", "merged_from"}}


async def test_a_merge_by_a_person_can_be_seen_explained_and_taken_back(live: Api) -> None:
    key, agent = await live.write_key("merging"), await live.token("agent")
    at = await live.send(
        key, page("m1", phone="09121110001"), page("m2", phone="09121110001", device="md1"), page("m3", email="m@x.ir", device="md2")
    )
    one = await live.get(agent, "/v1/customers/by/phone/09121110001", after=at)
    other = await live.get(agent, "/v1/customers/by/email/m@x.ir")
    merge = f"/v1/customers/{one['customer_id']}/merge"
    preview = await decide(live, agent, merge + "?preview=true", **{"with": other["customer_id"]})
    assert preview["dry_run"]
    assert preview["event_id"] is None
    merged = await decide(live, agent, merge, **{"with": other["customer_id"], "reason": "he said so"})
    winner = await live.get(agent, f"/v1/customers/{merged['customer_id']}", after=merged["position"])
    assert winner["events"] == 3
    (loser,) = merged["merged"]
    answer = await live.client.get(f"/v1/customers/{loser}", auth=(agent, ""))
    assert answer.json()["merged_from"] == loser
    assert answer.headers["location"] == f"/v1/customers/{merged['customer_id']}"

    why = await live.get(agent, f"/v1/customers/{loser}/identity", why="phone:0912 111 0001,email:M@x.ir")
    assert why["merged_from"] == loser
    assert [link["rule"] for link in why["why"]] == ["person"]
    assert {shown["value"] for shown in why["identifiers"]} == {"+989121110001", "m@x.ir", "md1", "md2"}
    assert [step["what"] for step in why["history"]] == ["founded", "joined"]

    split = f"/v1/customers/{winner['customer_id']}/split"
    asked: Any = {"identifiers": [{"kind": "email", "value": "m@x.ir"}]}
    preview = await decide(live, agent, split + "?preview=true", **asked)
    assert (preview["stay"]["events"], preview["go"]["events"]) == (2, 1)
    assert {shown["value"] for shown in preview["go"]["identifiers"]} == {"m@x.ir", "md2"}
    done = await decide(live, agent, split, **asked)
    apart = await live.get(agent, "/v1/customers/by/email/m@x.ir", after=done["position"])
    assert known(apart) == known(other)
    assert apart["customer_id"] == other["customer_id"]
    assert known(await live.get(agent, f"/v1/customers/{one['customer_id']}")) == known(one)


async def test_evidence_never_joins_again_what_a_person_split(live: Api) -> None:
    key, agent = await live.write_key("splitting"), await live.token("agent")
    at = await live.send(key, page("s1", phone="09121110002"), page("s2", email="s@x.ir"), page("s3", phone="09121110002", email="s@x.ir"))
    one = await live.get(agent, "/v1/customers/by/phone/09121110002", after=at)
    assert one["events"] == 3
    explained = await live.get(agent, f"/v1/customers/{one['customer_id']}/identity", why="phone:09121110002,email:s@x.ir")
    (link,) = explained["why"]
    assert (link["rule"], link["type"]) == ("named_together", "web.page_viewed")
    done = await decide(live, agent, f"/v1/customers/{one['customer_id']}/split", event=link["event_id"])
    again = await live.send(key, page("s4", phone="09121110002", email="s@x.ir"))
    by_phone = await live.get(agent, "/v1/customers/by/phone/09121110002", after=done["position"])
    by_email = await live.get(agent, "/v1/customers/by/email/s@x.ir", after=again)
    assert by_phone["customer_id"] != by_email["customer_id"]
    assert (by_phone["events"], by_email["events"]) == (1, 3)


async def test_whoever_is_left_without_events_is_not_taken_for_the_other_and_can_become_one_with_him_again(live: Api) -> None:
    key, agent = await live.write_key("bare"), await live.token("agent")
    for number, who in enumerate(({"customer_number": "B-1", "phone": "09121117001"}, {"email": "b@x.ir"})):
        at = await live.send(key, page(f"b{number}", **who))
        await live.get(agent, f"/v1/customers/by/{next(iter(who))}/{next(iter(who.values()))}", after=at)
    at = await live.send(key, page("b2", customer_number="B-1", email="b@x.ir"))
    one = await live.get(agent, "/v1/customers/by/email/b@x.ir", after=at)
    apart = [{"kind": "customer_number", "value": "B-1"}, {"kind": "email", "value": "b@x.ir"}]
    split = await decide(live, agent, f"/v1/customers/{one['customer_id']}/split", identifiers=apart)
    assert (split["stay"]["events"], split["go"]["events"]) == (0, 3), "each was decided by the number or the address"
    other = await live.get(agent, "/v1/customers/by/email/b@x.ir", after=split["position"])
    assert (other["events"], other["customer_id"] != one["customer_id"]) == (3, True)
    await live.get(agent, "/v1/customers/by/phone/09121117001", status=404)
    bare = f"/v1/customers/{one['customer_id']}"
    await live.get(agent, bare, status=404)
    assert (await live.get(agent, f"{bare}/timeline"))["items"] == []
    assert [held["kind"] for held in (await live.get(agent, f"{bare}/identity"))["identifiers"]] == ["phone"]
    merged = await decide(live, agent, f"/v1/customers/{other['customer_id']}/merge", **{"with": one["customer_id"]})
    assert (await live.get(agent, "/v1/customers/by/phone/09121117001", after=merged["position"]))["events"] == 3


async def test_what_cannot_be_decided_is_said(live: Api) -> None:
    key, agent, analyst = await live.write_key("wrong"), await live.token("agent"), await live.token("analyst")
    at = await live.send(key, page("w1", phone="09121110003"))
    one = await live.get(agent, "/v1/customers/by/phone/09121110003", after=at)
    path = f"/v1/customers/{one['customer_id']}"
    assert (await decide(live, agent, f"{path}/merge", 409, **{"with": one["customer_id"]}))["type"] == "/problems/already_one"
    assert (await decide(live, agent, f"{path}/split", 409, identifiers=[]))["type"] == "/problems/nothing_to_split"
    nobody = "6f1c1d3e-7a35-5d0e-9a53-7d1f3c6b2a10"
    assert (await decide(live, agent, f"{path}/merge", 422, **{"with": nobody}))["pointer"] == "/with"
    assert (await decide(live, agent, f"/v1/customers/{nobody}/split", 404, identifiers=[]))["title"] == "Not found"
    await decide(live, analyst, f"{path}/merge", 403, **{"with": nobody})
    seen = await live.get(analyst, f"{path}/identity")
    assert seen["identifiers"][0]["value"] == "•••0003"


async def test_conflicts_wait_once_for_a_person_who_decides_and_whoever_looks_at_them_is_written_down(live: Api) -> None:
    key, agent, admin = await live.write_key("conflicts"), await live.token("agent"), await live.token("admin")
    at = await live.send(key, page("c1", customer_number="c-1", phone="09121110004"), page("c2", customer_number="c-2", email="c@x.ir"))
    await live.get(agent, "/v1/customers/by/phone/09121110004", after=at)  # else whoever comes first decides what is in conflict
    await live.send(key, page("c3", phone="09121110004", email="c@x.ir"))
    at = await live.send(key, page("c4", phone="09121110004", email="c@x.ir"), page("c5", customer_number="c-9", phone="09121110004"))
    await live.get(agent, "/v1/customers/by/phone/09121110004", after=at)
    items = (await live.get(agent, "/v1/identity/conflicts", limit="10"))["items"]
    by_reason = {item["reason"]: item for item in items}
    merge, link = by_reason["merge: more than 1 of customer_number"], by_reason["link: more than 1 of customer_number"]
    assert merge["times"] == 2
    assert {party["value"] for party in merge["parties"]} == {"+989121110004", "c@x.ir"}
    shown = await live.client.get("/identity", auth=(agent, ""))
    assert shown.status_code == 200
    assert 'data-copy="+989121110004">۰۹۱۲ ۱۱۱ ۰۰۰۴<' in shown.text  # as people say it, in the reader's digits
    for party in merge["parties"]:
        looks = (await live.get(admin, "/v1/access-log", customer=party["customer_id"]))["items"]
        assert [look["role"] for look in looks if look["what"] == "identity"] == ["agent"] * 2
    apart = await decide(live, agent, f"/v1/identity/conflicts/{link['id']}/keep-apart")
    done = await decide(live, agent, f"/v1/identity/conflicts/{merge['id']}/merge", reason="two numbers")
    one = await live.get(agent, "/v1/customers/by/customer_number/c-1", after=done["position"])
    assert one["customer_id"] == (await live.get(agent, "/v1/customers/by/customer_number/c-2"))["customer_id"]
    assert apart["event_id"] != done["event_id"]
    assert (await live.get(agent, "/v1/identity/conflicts"))["items"] == []
    decided = (await live.client.get("/v1/identity/conflicts?status=decided", auth=(agent, ""))).json()["items"]
    assert {item["status"] for item in decided} == {"merged", "kept_apart"}
    again = await decide(live, agent, f"/v1/identity/conflicts/{merge['id']}/merge", 409)
    assert again["type"] == "/problems/already_decided"


def told(id_: str, who: dict[str, Any], **traits: str) -> dict[str, Any]:
    """What a system says of a customer."""
    return event(id_, type="profile.reported", data={"traits": traits, "who": who})


async def waiting(live: Api, token: str, name: str) -> list[Any]:
    """The pairs with somebody of this name."""
    items = (await live.get(token, "/v1/duplicates", limit="100"))["items"]
    return [item for item in items if name in (item["one"]["name"], item["other"]["name"])]


async def test_possible_duplicates_wait_with_their_evidence(live: Api) -> None:
    key, agent = await live.write_key("duplicates"), await live.token("agent")
    await live.send(
        key,
        told("d1", {"phone": "09121110005"}, name="سارا کریمی", birth_date="1990-05-01", city="شیراز"),
        told("d2", {"email": "sara@x.ir"}, name="سارا كريمي", birth_date="1990-05-01", city="شیراز"),
        told("d3", {"email": "ali@x.ir"}, name="علی رضایی", birth_date="1985-02-03", city="تهران"),
        told("d4", {"phone": "09121110006"}, name="علی رضائی", birth_date="1985-02-03", city="تهران"),
        told("d5", {"phone": "09121110007"}, name="مینا احمدی", birth_date="1971-02-03", city="تهران"),
    )
    (sara,) = await answered(lambda: waiting(live, agent, "سارا کریمی"))  # comparing follows, and nothing says when
    (ali,) = await answered(lambda: waiting(live, agent, "علی رضایی"))
    assert not await waiting(live, agent, "مینا احمدی")
    assert sara["probability"] > 0.9
    assert {part["field"]: part["agreement"] for part in sara["evidence"]} == {
        "name": "same_rare",
        "birth_date": "same_rare",
        "city": "same_rare",
    }
    rejected = await decide(live, agent, f"/v1/duplicates/{ali['id']}/reject", reason="twins")
    accepted = await decide(live, agent, f"/v1/duplicates/{sara['id']}/accept", reason="she says so")
    one = await live.get(agent, "/v1/customers/by/email/sara@x.ir", after=accepted["position"])
    assert one["customer_id"] == (await live.get(agent, "/v1/customers/by/phone/09121110005"))["customer_id"]
    again = await live.send(key, told("d6", {"email": "ali@x.ir"}, name="علی رضایی", city="تهران"))
    await live.get(agent, "/v1/customers/by/email/ali@x.ir", after=again)
    assert rejected["event_id"] != accepted["event_id"]
    assert await waiting(live, agent, "علی رضایی") == await waiting(live, agent, "سارا کریمی") == []
    gone = await live.client.post(f"/v1/duplicates/{sara['id']}/accept", auth=(agent, ""))
    assert gone.status_code == 404
    entered = await live.client.post("/sign-in", data={"token": agent}, headers={"sec-fetch-site": "same-origin"})
    live.client.cookies.clear()
    headers = {"cookie": f"yekta_language=en; yekta_session={entered.cookies['yekta_session']}", "sec-fetch-site": "same-origin"}
    late = await live.client.post(f"/identity/duplicates/{sara['id']}", data={"do": "reject"}, headers=headers)
    assert (late.status_code, "Somebody decided that meanwhile" in late.text) == (409, True)
    assert 'name="back" value="/identity"' in late.text


async def test_by_what_they_are_judged_is_shown(live: Api) -> None:
    agent, marketer = await live.token("agent"), await live.token("marketer")
    assert (await live.client.get("/v1/duplicates/weights", auth=(await live.write_key("weights"), ""))).status_code == 403
    shown = await live.get(agent, "/v1/duplicates/weights")
    assert (shown["version"], shown["at"], shown["customers"], shown["pairs"]) == (0, None, 0, 0)
    assert shown == await live.get(marketer, "/v1/duplicates/weights")
    fields = {field["field"]: field["levels"] for field in shown["fields"]}
    assert {"name", "birth_date", "phone", "email"} <= fields.keys()
    for levels in fields.values():
        assert [level["rarity"] for level in levels if level["agreement"] == "same"] == list(range(16))
        for level in levels:
            assert level["bits"] == pytest.approx(log2(level["m"] / level["u"]), abs=0.01)
        assert levels[0]["agreement"] == "different"
        assert levels[0]["bits"] < 0 < levels[-1]["bits"]


async def test_an_account_folds_its_peoples_events_and_leaves_them_who_they_are(live: Api) -> None:
    key, agent = await live.write_key("accounts"), await live.token("agent")
    at = await live.send(
        key,
        page("a1", email="boss@x.ir"),
        page("a2", email="boss@x.ir"),
        event("a3", type="account.joined", data={"account": "acme", "traits": {"name": "Acme"}, "who": {"email": "user@x.ir"}}),
    )
    boss = await live.get(agent, "/v1/customers/by/email/boss@x.ir", after=at)
    (acme,) = (await live.get(agent, "/v1/accounts", q="acme"))["items"]
    assert (acme["name"], acme["members"]) == ("Acme", 1)
    holding = await live.client.post("/v1/accounts", json={"name": "Holding", "reference": "holding"}, auth=(agent, ""))
    below = await live.client.post("/v1/accounts", json={"name": "Branch", "parent": holding.json()["id"]}, auth=(agent, ""))
    assert (holding.status_code, below.status_code) == (201, 201)
    path = f"/v1/accounts/{below.json()['id']}"
    joined = await decide(live, agent, f"{path}/join", customer_id=boss["customer_id"], role="decides")
    assert [member["roles"] for member in joined["members"]] == [["decides"]]
    whole = await live.get(agent, f"/v1/accounts/{holding.json()['id']}")
    assert (whole["together"]["events"], whole["below"][0]["name"]) == (2, "Branch")
    assert (await live.get(agent, f"/v1/customers/{boss['customer_id']}"))["events"] == 2
    assert (await decide(live, agent, f"{path}/leave", customer_id=boss["customer_id"]))["members"] == []
    assert (await decide(live, agent, "/v1/accounts", 409, name="Again", reference="holding"))["pointer"] == "/reference"


async def test_who_told_the_same_address_may_be_a_household(live: Api) -> None:
    key, agent = await live.write_key("households"), await live.token("agent")
    home, same = "شیراز، خیابان زند، پلاک ۱۲", "شيراز خيابان زند پلاک 12"
    await live.send(key, told("h1", {"email": "h1@x.ir"}, address=home), told("h2", {"email": "h2@x.ir"}, address=same))
    found = (await answered(lambda: live.get(agent, "/v1/households"), lambda listed: listed["items"]))["items"]  # comparing follows
    assert (found[0]["how"], found[0]["members"]) == ("address", 2)
    assert (await live.get(agent, f"/v1/accounts/{found[0]['id']}"))["together"]["events"] == 2


async def test_rules_are_published_and_hold_from_there_on(live: Api) -> None:
    key, agent, admin = await live.write_key("rules"), await live.token("agent"), await live.token("admin")
    built_in = await live.get(agent, "/v1/identity-rules")
    assert (built_in["version"], built_in["in_force"]) == (0, True)
    phone = next(kind for kind in built_in["kinds"] if kind["kind"] == "phone")
    kinds = [kind for kind in built_in["kinds"] if kind["kind"] != "phone"] + [phone | {"blocked": ["021 8877 6655"]}]
    wrong = await live.client.put("/v1/identity-rules", json={"kinds": [phone | {"blocked": ["nothing"]}]}, auth=(admin, ""))
    assert (wrong.status_code, wrong.json()["pointer"]) == (422, "/kinds/0/blocked/0")
    assert (await live.client.put("/v1/identity-rules", json={"kinds": kinds}, auth=(agent, ""))).status_code == 403
    answer = await live.client.put("/v1/identity-rules", json={"kinds": kinds}, auth=(admin, ""))
    assert (answer.status_code, answer.json()["version"]) == (200, 1)
    await answered(lambda: live.get(agent, "/v1/identity-rules"), lambda rules: rules["in_force"])  # once every partition has met them
    at = await live.send(key, page("r1", phone="02188776655", email="r1@x.ir"), page("r2", phone="02188776655", email="r2@x.ir"))
    one = await live.get(agent, "/v1/customers/by/email/r1@x.ir", after=at)
    assert one["customer_id"] != (await live.get(agent, "/v1/customers/by/email/r2@x.ir"))["customer_id"]
    fired = {rule["rule"]: rule["times"] for rule in (await live.get(agent, "/v1/identity-rules"))["fired"]}
    assert fired["blocked:phone"] == 2
    device = next(kind for kind in built_in["kinds"] if kind["kind"] == "device") | {"ttl_days": 30}
    kinds = [kind for kind in kinds if kind["kind"] != "device"] + [device]
    assert (await live.client.put("/v1/identity-rules", json={"kinds": kinds}, auth=(admin, ""))).json()["version"] == 2
    await answered(lambda: live.get(agent, "/v1/identity-rules"), lambda rules: rules["in_force"])
    long_ago = page("r3", device="left-behind", email="r3@x.ir") | {"time": "2026-01-01T10:00:00+03:30"}
    await live.get(agent, "/v1/customers/by/email/r3@x.ir", after=await live.send(key, long_ago))
    at = await live.send(key, page("r4", device="left-behind"))
    first = await live.get(agent, "/v1/customers/by/email/r3@x.ir", after=at)
    somebody = await live.get(agent, "/v1/customers/by/device/left-behind")
    assert (somebody["customer_id"] != first["customer_id"], first["events"], somebody["events"]) == (True, 1, 1)


async def test_a_published_rule_says_whom_to_believe_and_what_it_displaced_is_shown(live: Api) -> None:
    key, agent, admin = await live.write_key("believing"), await live.token("agent"), await live.token("admin")
    before = await live.get(agent, "/v1/identity-rules")
    document = {name: before[name] for name in ("kinds", "other", "most")}
    wrong = await live.client.put("/v1/identity-rules", json=document | {"traits": [{"trait": "name", "by": ["source"]}]}, auth=(admin, ""))
    assert (wrong.status_code, wrong.json()["pointer"]) == (422, "/traits/0/sources")
    told: Any = {"who": {"email": "w@x.ir"}, "traits": {"name": "Proven Wise"}, "verified": ["name"]}
    proven = event("w1", type="profile.reported", data=told)
    later = event("w2", type="profile.reported", time="2026-05-02T10:00:00Z", data={"who": told["who"], "traits": {"name": "Later Wild"}})
    at = await live.send(key, proven, later)
    assert (await live.get(agent, "/v1/customers/by/email/w@x.ir", after=at))["name"]["display"] == "Later Wild"
    rules = document | {"traits": [{"trait": "name", "by": ["verified"]}]}
    answer = await live.client.put("/v1/identity-rules", json=rules, auth=(admin, ""))
    assert answer.json()["traits"] == [{"trait": "name", "by": ["verified"], "sources": []}]
    view = await live.get(agent, "/v1/customers/by/email/w@x.ir")
    assert view["name"]["display"] == "Proven Wise"
    assert view["traits"]["name"]["verified"]
    assert [(one["value"], one["verified"]) for one in view["traits"]["name"]["displaced"]] == [("Later Wild", False)]
    (hit,) = (await live.get(agent, "/v1/customers", q="later wild"))["items"]
    assert hit["name"] == "Proven Wise"
    assert (await live.client.put("/v1/identity-rules", json=document, auth=(admin, ""))).status_code == 200
    assert (await live.get(agent, "/v1/customers/by/email/w@x.ir"))["name"]["display"] == "Later Wild"
