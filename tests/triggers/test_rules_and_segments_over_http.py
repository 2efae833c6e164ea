"""A marketer's day over HTTP, with a worker behind it: rules and segments are written, published, paused, ended; signals come of them."""

import asyncio
import contextlib
import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import yaml

from api import position
from infra import refolding
from infra.cli.evaluate_rules import rules as evaluate
from tests.api.conftest import until
from tests.api.serving import served
from tests.triggers import replayed
from tests.triggers.marketer import COUNT, Marketer, bought

pytestmark = pytest.mark.engines


async def test_a_published_rule_gives_a_signal_and_says_why(marketer: Marketer) -> None:
    await marketer.publish("triggers", "twice", COUNT)
    first, second = bought("t-1"), bought("t-1")
    after = await marketer.api.send(marketer.key, first, bought("t-1", page="home"), second)
    (signal,) = await marketer.signals("twice", after=after)
    assert signal["cause"] == {"source": "/shop", "id": second["id"]}
    assert (signal["rule"], signal["version"], signal["late"], signal["withdrawn"], signal["quiet"]) == ("twice", 1, False, False, None)
    assert await marketer.signals("twice", customer=signal["customer_id"]) == [signal]
    assert await marketer.signals("twice", customer=str(uuid4())) == []


async def heard(url: str, token: str, rule: str, *, last: str | None = None, begun: asyncio.Event | None = None) -> tuple[str, str]:
    """The cause of the next signal of a rule that a stream tells of, and the place after it."""
    headers = {} if last is None else {"last-event-id": last}
    place = ""
    async with (
        asyncio.timeout(60),
        httpx.AsyncClient(base_url=url, auth=(token, ""), timeout=60) as client,
        client.stream("GET", "/v1/signals/stream", params={"rule": rule}, headers=headers) as answer,
    ):
        async for line in answer.aiter_lines():
            if begun is not None and line == ": listening":
                begun.set()
            if line.startswith("id: "):
                place = line.removeprefix("id: ")
            if line.startswith("data: "):
                return str(json.loads(line.removeprefix("data: "))["cause"]["id"]), place
    raise AssertionError("the stream ended")


async def test_a_listener_goes_on_where_he_stopped_and_is_told_of_a_place_that_was_never_reached(marketer: Marketer) -> None:
    await marketer.publish("triggers", "heard", COUNT.replace("custom.", "heard."))
    buys = [bought(person, type_="heard.bought") for person in ("l-1", "l-1", "l-2", "l-2")]
    async with served(marketer.api) as url:
        begun = asyncio.Event()
        listening = asyncio.create_task(heard(url, marketer.token, "heard", begun=begun))
        await until(begun.is_set)
        await marketer.api.send(marketer.key, *buys[:2])
        cause, place = await listening
        assert cause == buys[1]["id"]
        await marketer.signals("heard", after=await marketer.api.send(marketer.key, *buys[2:]))
        assert (await heard(url, marketer.token, "heard", last=place))[0] == buys[3]["id"]
    for partition in range(4):
        never = {"last-event-id": position.token({partition: 1 << 40})}
        async with asyncio.timeout(60):
            answer = await marketer.api.client.get("/v1/signals/stream", headers=never, auth=(marketer.token, ""))
        assert (answer.status_code, answer.json()["pointer"]) == (422, "/header/Last-Event-ID")


async def test_what_was_before_a_rule_counts_and_gives_no_signal(marketer: Marketer) -> None:
    after = await marketer.api.send(marketer.key, *(bought(person, type_="early.bought") for person in ("b-1", "b-1", "b-2")))
    await marketer.api.get(marketer.token, "/v1/signals", after=after)
    await marketer.publish("triggers", "early", COUNT.replace("custom.", "early."))
    after = await marketer.api.send(marketer.key, *(bought(person, type_="early.bought") for person in ("b-1", "b-2")))
    assert len(await marketer.signals("early", after=after)) == 1  # the one of b-1 began before


async def test_a_paused_rule_tells_nobody_and_a_retired_one_sees_nothing(marketer: Marketer) -> None:
    await marketer.publish("triggers", "paused", COUNT)
    assert (await marketer.post("/v1/triggers/paused/pause"))["state"] == "paused"
    after = await marketer.api.send(marketer.key, bought("p-1"), bought("p-1"))
    assert [one["quiet"] for one in await marketer.signals("paused", after=after)] == ["paused"]
    assert (await marketer.post("/v1/triggers/paused/resume"))["state"] == "published"
    after = await marketer.api.send(marketer.key, bought("p-2"), bought("p-2"))
    assert [one["quiet"] for one in await marketer.signals("paused", after=after)] == [None, "paused"]
    assert (await marketer.post("/v1/triggers/paused/retire"))["state"] == "retired"
    after = await marketer.api.send(marketer.key, bought("p-3"), bought("p-3"))
    assert len(await marketer.signals("paused", after=after)) == 2
    problem = await marketer.post("/v1/triggers/paused/publish", status=409)
    assert problem["type"] == "/problems/not_possible"


async def test_a_new_text_is_a_new_version(marketer: Marketer) -> None:
    await marketer.publish("triggers", "changing", COUNT)
    draft = await marketer.post("/v1/triggers", f"rule: changing\n{COUNT}cooldown: 1d\n", 201)
    assert (draft["version"], draft["state"]) == (2, "draft")
    shown = await marketer.api.get(marketer.token, "/v1/triggers/changing")
    assert (shown["version"], shown["state"], [one["state"] for one in shown["versions"]]) == (1, "published", ["draft", "published"])
    await marketer.post("/v1/triggers/changing/publish")
    shown = await marketer.api.get(marketer.token, "/v1/triggers/changing")
    assert (shown["version"], [one["state"] for one in shown["versions"]]) == (2, ["published", "retired"])
    after = await marketer.api.send(marketer.key, bought("v-1"), bought("v-1"))
    assert [one["version"] for one in await marketer.signals("changing", after=after)] == [2]
    again = await marketer.post("/v1/triggers", f"rule: changing\n{COUNT}cooldown: 1d\n", 201)
    assert (again["version"], again["state"], again["in_force"]) == (2, "published", True)


async def test_mistakes_are_told_with_line_place_and_the_nearest_word_in_both_languages(marketer: Marketer) -> None:
    text = "rule: wrong\nwhen: {cuont: call.ended, at_least: 3, within: 30d}\ndo: {notify: x}\n"
    english = await marketer.post("/v1/triggers", text, 422)
    first = english["errors"][0]
    assert (first["line"], first["pointer"], first["suggestion"]) == (2, "/when/cuont", "count")
    persian = await marketer.post("/v1/triggers", text, 422, **{"accept-language": "fa-IR,fa;q=0.9,en;q=0.5"})
    assert "سطر" in persian["detail"]
    await marketer.post(
        "/v1/triggers", '{"rule": "as-json", "when": {"count": "a.b", "at_least": 1, "within": "1d"}, "do": {"notify": "x"}}', 201
    )
    for path, text in (("triggers", f"rule: schema\n{COUNT}"), ("segments", f"segment: schema\n{COUNT.partition('do')[0]}")):
        lost = await marketer.post(f"/v1/{path}", text, 422)
        assert lost["pointer"] == f"/{text.partition(':')[0]}", lost
    for path in ("/v1/triggers/schema", "/v1/segments/schema"):
        schema = (await marketer.api.client.get(path)).json()
        assert schema["$schema"].startswith("https://json-schema.org/")
    assert (await marketer.api.client.get("/v1/triggers")).status_code == 401
    agent = httpx.BasicAuth(await marketer.api.token("agent"), "")
    assert (await marketer.api.client.post("/v1/triggers", content=text, auth=agent)).status_code == 403


async def test_what_may_stand_and_is_perhaps_not_meant_is_hinted_at(marketer: Marketer) -> None:
    await marketer.publish("segments", "hinted", "when: {count: hint.came, at_least: 1, within: 3s}\n")
    rule = "rule: hinting\nwhen: {segment: hintd, change: left}\ndo: {contact: x, purpose: markting}\n"
    for draft in (await marketer.post("/v1/triggers", rule, 201), await marketer.post("/v1/triggers/hinting/publish")):
        (segment, purpose) = draft["hints"]
        assert (segment["line"], segment["pointer"], segment["code"], segment["suggestion"]) == (2, "/when/segment", "no_segment", "hinted")
        assert (purpose["pointer"], purpose["suggestion"]) == ("/do/purpose", "marketing")
    persian = await marketer.post("/v1/triggers", rule + "cooldown: 1d\n", 201, **{"accept-language": "fa"})
    assert "آیا منظورتان hinted است" in persian["hints"][0]["detail"]
    asking = "segment: hinting\nwhen: [{segment: hinted}, {not: {segment: nope}}]\n"
    (nope,) = (await marketer.post("/v1/segments", asking, 201))["hints"]
    assert (nope["pointer"], "suggestion" in nope) == ("/when/1/not/segment", False)
    right = await marketer.post("/v1/triggers", rule.replace("hintd", "hinted").replace("markting", "marketing"), 201)
    assert "hints" not in right
    policy = "policy: contact\ncaps: [{channels: [cal], max: 1, within: 7d}]\n"
    answer = await marketer.api.client.put("/v1/contact-policy", content=policy, auth=(marketer.token, ""))
    assert [(one["pointer"], one["suggestion"]) for one in answer.json()["hints"]] == [("/caps/0/channels/0", "call")]
    answer = await marketer.api.client.put("/v1/contact-policy", content="policy: contact\n", auth=(marketer.token, ""))
    assert "hints" not in answer.json()
    await marketer.post("/v1/triggers/hinting/retire")


async def test_where_one_rule_is_asked_for_two_are_a_mistake_as_any_other(marketer: Marketer) -> None:
    two = "".join(f"- rule: {name}\n  when: {{count: a.b, at_least: 1, within: 1d}}\n  do: {{notify: x}}\n" for name in ("one", "two"))
    english = await marketer.post("/v1/triggers", two, 422)
    assert [(one["line"], one["pointer"], one["code"]) for one in english["errors"]] == [(4, "/1", "many_rules")]
    assert english["pointer"] == "/1"
    persian = await marketer.post("/v1/triggers", two, 422, **{"accept-language": "fa"})
    assert "قاعده" in persian["detail"]


@pytest.mark.parametrize(("path", "kind"), [("/v1/triggers", "rule"), ("/v1/segments", "segment")])
async def test_what_was_never_published_is_thrown_away(marketer: Marketer, path: str, kind: str) -> None:
    when = "when: {count: thrown.came, at_least: 1, within: 1h}\n"
    text = f"{kind}: thrown\n{when}" + ("do: {notify: x}\n" if kind == "rule" else "")
    await marketer.post(path, text, 201)
    gone = await marketer.post(f"{path}/thrown/retire")
    assert (gone["version"], gone["state"], gone["in_force"]) == (1, "retired", False)
    await marketer.post(f"{path}/thrown/retire", status=409)
    assert (await marketer.post(path, text, 201))["version"] == 2
    assert (await marketer.post(f"{path}/thrown/publish"))["in_force"]
    await marketer.post(path, text.replace("1h", "2h"), 201)
    gone = await marketer.post(f"{path}/thrown/discard")
    assert (gone["version"], gone["state"], gone["in_force"]) == (3, "retired", False)
    shown = await marketer.api.get(marketer.token, f"{path}/thrown")
    assert (shown["version"], shown["state"], shown["text"]) == (2, "published", text)
    assert (await marketer.post(f"{path}/thrown/discard"))["state"] == "published"
    await marketer.post(f"{path}/thrown/retire")
    persian = {"accept-language": "fa"}
    assert "thrown پیش‌نویسی ندارد" in (await marketer.post(f"{path}/thrown/publish", status=409, **persian))["detail"]
    assert "به این نام نیست" in (await marketer.post(f"{path}/unheard-of/discard", status=404, **persian))["detail"]


SIGNAL = ("id", "rule", "version", "customer_id", "cause", "occurred_at", "recorded_at", "late", "withdrawn")
OUTCOME = ("signal", "rule", "customer_id", "outcome", "channel", "at", "until", "reason")


async def test_the_same_log_gives_the_same_from_files_and_over_http(
    marketer: Marketer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    api, events = marketer.api, replayed.log()
    answer = await api.client.put("/v1/contact-policy", content=replayed.POLICY, auth=(marketer.token, ""))
    assert answer.status_code == 200, answer.text
    for rule in yaml.safe_load(replayed.RULES):
        await marketer.publish("triggers", rule.pop("rule"), yaml.safe_dump(rule))
    key = await api.write_key(replayed.SOURCE, clock="event")
    await api.get(marketer.token, "/v1/signals", after=await api.send(key, *events))
    lines = [json.dumps(event | {"yektakey": replayed.SOURCE}) for event in events]
    for name, text in (("rules", replayed.RULES), ("policy", replayed.POLICY), ("events", "\n".join(lines))):
        (tmp_path / name).write_text(text, "utf-8")
    evaluate(rules=tmp_path / "rules", policy=tmp_path / "policy", events=tmp_path / "events", json=True)
    files = json.loads(capsys.readouterr().out)
    wanted = sorted_of(files["signals"], SIGNAL), sorted_of(files["outcomes"], OUTCOME)

    async def live() -> tuple[list[Any], list[Any]]:
        found: dict[str, list[Any]] = {"signals": [], "decisions": []}
        for path in found:
            for rule in yaml.safe_load(replayed.RULES):
                found[path] += (await api.get(marketer.token, f"/v1/{path}", rule=rule["rule"], limit="200"))["items"]
        return sorted_of(found["signals"], SIGNAL), sorted_of(found["decisions"], OUTCOME)

    async def same() -> bool:
        return await live() == wanted

    async def asked() -> bool:  # once more, as they are given to somebody who calls
        calls = (await api.get(agent, "/v1/call-list", state="open"))["items"]
        waiting = (await api.get(marketer.token, "/v1/deliveries", lane="call", rule="replayed-calls", state="waiting"))["items"]
        return not waiting and (len([one for one in calls if one["rule"] == "replayed-calls"]) == 2 or await live() != wanted)

    agent = await api.token("agent")
    with contextlib.suppress(AssertionError):  # what differs is said below
        await marketer.until(same)
        await marketer.until(asked)
    assert await live() == wanted
    reasons = {one["reason"] for one in files["outcomes"]}
    assert reasons >= {None, "lost to replayed-steps", "consent marketing/kiosk", "cap kiosk/30d"}


def sorted_of(items: list[dict[str, Any]], names: tuple[str, ...]) -> list[dict[str, Any]]:
    return sorted(({name: item[name] for name in names} for item in items), key=str)


async def test_where_the_policy_says_so_a_second_person_publishes(marketer: Marketer) -> None:
    api, other = marketer.api, Marketer(marketer.api, await marketer.api.token("supervisor"), marketer.key)
    admin = (await api.token(), "")

    async def policy(text: str, token: tuple[str, str], status: int = 200) -> None:
        answer = await api.client.put("/v1/contact-policy", content=text, auth=token)
        assert answer.status_code == status, answer.text

    await policy("{policy: contact, approval: required}", admin)
    try:
        await policy("{policy: contact}", (marketer.token, ""), 403)  # who is bound by it does not lift it
        await marketer.post("/v1/triggers", f"rule: approved\n{COUNT}", 201)
        asked = await marketer.post("/v1/triggers/approved/publish")
        assert (asked["state"], asked["in_force"]) == ("awaiting_approval", False)
        problem = await marketer.post("/v1/triggers/approved/approve", status=409)
        assert "somebody other" in problem["detail"]
        shown = await api.get(other.token, "/v1/triggers/approved")
        changed = await other.post(f"/v1/triggers/approved/approve?number={shown['number'] + 1}", status=409)
        assert "changed" in changed["detail"]
        assert (await other.post("/v1/triggers/approved/reject"))["state"] == "draft"
        assert (await marketer.post("/v1/triggers/approved/publish"))["state"] == "awaiting_approval"
        approved = await other.post("/v1/triggers/approved/approve")
        assert (approved["state"], approved["in_force"]) == ("published", True)
        (version,) = (await api.get(marketer.token, "/v1/triggers/approved"))["versions"]
        assert version["approved_by"] not in (None, version["written_by"])
    finally:
        await policy("{policy: contact, approval: none}", admin)
    after = await api.send(marketer.key, bought("a-1"), bought("a-1"))
    assert len(await marketer.signals("approved", after=after)) == 1


async def test_the_log_folded_again_is_the_same_with_rules_in_force(marketer: Marketer) -> None:
    verdict = await refolding.verify(marketer.api.world.settings)
    assert verdict.equal
