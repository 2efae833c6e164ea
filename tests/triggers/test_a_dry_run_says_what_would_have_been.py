"""Rules, and a policy, that are tried over what happened: what they would have said, with nothing done."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.triggers.marketer import COUNT, Marketer, bought

pytestmark = pytest.mark.engines


async def test_a_dry_run_says_what_happened_and_does_nothing(marketer: Marketer) -> None:
    await marketer.publish("triggers", "dry", COUNT.replace("custom.", "dry.") + "cooldown: 10d\n")
    now = datetime.now(UTC)
    events = [bought(f"d-{number % 3}", now - timedelta(days=40 - number), "dry.bought") for number in range(30)]
    after = await marketer.api.send(marketer.key, *events)
    live = [one for one in await marketer.signals("dry", after=after) if not one["withdrawn"]]
    ran = await marketer.post("/v1/triggers/dry-run", '{"name": "dry"}')
    assert ran["difference"] == [{"rule": "dry", "both": len(live), "only_here": 0, "only_then": 0, "sent_here": 0, "sent_then": 0}]
    assert {(one["id"], one["occurred_at"]) for one in ran["examples"] if not one["withdrawn"]} <= {
        (o["id"], o["occurred_at"]) for o in live
    }
    none = await marketer.post(
        "/v1/triggers/dry-run", f"rule: dry\n{COUNT.replace('custom.', 'dry.').replace('at_least: 2', 'at_least: 99')}"
    )
    assert none["rules"][0]["signals"] == 0
    assert none["difference"][0]["only_then"] == len(live)
    assert [one for one in await marketer.signals("dry") if not one["withdrawn"]] == live


async def test_a_dry_run_hears_what_came_together_in_the_order_in_which_it_came(marketer: Marketer) -> None:
    await marketer.publish("triggers", "together", COUNT.replace("custom.", "together."))
    now = datetime.now(UTC) - timedelta(seconds=3)
    events = [bought(f"t-{number % 8}", now + timedelta(milliseconds=number), "together.bought") for number in range(24)]
    after = await marketer.api.send(marketer.key, *events)
    live = [(one["id"], one["late"], one["withdrawn"]) for one in await marketer.signals("together", after=after)]
    assert [(late, withdrawn) for _, late, withdrawn in live] == [(False, False)] * 8
    ran = await marketer.post("/v1/triggers/dry-run", '{"name": "together", "examples": 50}')
    assert sorted((one["id"], one["late"], one["withdrawn"]) for one in ran["examples"]) == sorted(live)


async def test_a_consent_that_was_given_years_before_the_range_allows_what_it_says(marketer: Marketer) -> None:
    key, came = await marketer.api.write_key("dry-years", clock="event"), datetime(1998, 6, 1, 12, tzinfo=UTC)
    agreed = bought("dry-years", came - timedelta(days=900), "consent.given", purpose="marketing", channels=["sms"])
    after = await marketer.api.send(key, agreed, bought("dry-years", came, "years.came"))
    await marketer.signals("none", after=after)
    rule = "rule: years\nwhen: {count: years.came, at_least: 1, within: 1h}\ndo: {contact: x, purpose: marketing, prefer: [sms]}\n"
    (ran,) = (await marketer.post("/v1/triggers/dry-run?from=1998-05-30T00:00:00Z&to=1998-06-03T00:00:00Z", rule))["rules"]
    assert (ran["signals"], ran["sent"], ran["silent"]) == (1, 1, {})


async def test_a_dry_run_lets_ties_fall_as_they_do_live_and_keeps_silent_of_what_is_simulated(marketer: Marketer) -> None:
    do = "when: {count: tie.came, at_least: 1, within: 1h}\ndo: {contact: x, purpose: marketing, prefer: [fax]}\ncooldown: 1d\n"
    names = ("m-first", "a-new", "z-new")
    for name in names:
        await marketer.publish("triggers", name, do)
    test = await marketer.api.write_key("tie-tests", simulated=True)
    agreed = [bought(f"tie-{number}", type_="consent.given", purpose="marketing", channels=["fax"]) for number in range(3)]
    await marketer.api.get(marketer.token, "/v1/signals", after=await marketer.api.send(marketer.key, *agreed))
    await marketer.api.send(marketer.key, *(bought(f"tie-{number}", type_="tie.came") for number in range(2)))
    await marketer.api.send(test, bought("tie-2", type_="tie.came"))

    async def silent(name: str) -> list[str]:
        found = (await marketer.api.get(marketer.token, "/v1/decisions", rule=name))["items"]
        return sorted(str(one["reason"]) for one in found)

    async def all_decided() -> bool:
        return [len(await silent(name)) for name in names] == [3, 3, 3]

    await marketer.until(all_decided)
    live = {name: await silent(name) for name in names}
    lost = ["lost to m-first"] * 2 + ["test"]
    assert live == {"m-first": ["None", "None", "test"], "a-new": lost, "z-new": lost}
    for name in names:
        for body in (f'{{"name": "{name}"}}', f"rule: {name}\n{do}"):
            (ran,) = (await marketer.post("/v1/triggers/dry-run", body))["rules"]
            told = [str(None)] * ran["sent"] + [reason for reason, count in ran["silent"].items() for _ in range(count)]
            assert sorted(told) == live[name]
    (new,) = (await marketer.post("/v1/triggers/dry-run", f"rule: b-never-published\n{do}"))["rules"]
    (changed,) = (await marketer.post("/v1/triggers/dry-run", f"rule: m-first\n{do}holdout: 0%\nwait: 0s\ndescription: the same\n"))[
        "rules"
    ]
    (later,) = (await marketer.post("/v1/triggers/dry-run", f"rule: m-first\n{do.replace('1d', '2d')}"))["rules"]
    assert (new["sent"], new["silent"]) == (0, {"lost to m-first": 2, "test": 1})
    assert (changed["sent"], later["sent"], later["silent"]) == (2, 0, {"lost to a-new": 2, "test": 1})
    for name in names:
        await marketer.post(f"/v1/triggers/{name}/retire")


async def test_another_policy_is_tried_over_all_that_contacts_and_nothing_changes(marketer: Marketer) -> None:
    do = "when: {count: try.came, at_least: 1, within: 1h}\ndo: {contact: x, purpose: marketing, prefer: [fax]}\n"
    await marketer.publish("triggers", "tried", do)
    await marketer.publish("triggers", "told", do.replace("{contact: x, purpose: marketing, prefer: [fax]}", "{notify: team:x}"))
    agreed = [bought(f"try-{number}", type_="consent.given", purpose="marketing", channels=["fax"]) for number in range(2)]
    await marketer.api.send(marketer.key, *agreed)
    came = await marketer.api.send(marketer.key, *(bought(f"try-{number}", type_="try.came") for number in range(3)))
    assert len(await marketer.signals("tried", after=came)) == 3

    async def run(policy: str) -> dict[str, dict[str, Any]]:
        body = json.dumps({"policy": policy, "examples": 0})
        ran = await marketer.post("/v1/triggers/dry-run", body)
        assert [one["rule"] for one in ran["difference"]] == [one["rule"] for one in ran["rules"]]
        sent = {one["rule"]: one["sent_then"] for one in ran["difference"]}
        return {one["rule"]: one | {"sent_then": sent[one["rule"]]} for one in ran["rules"]}

    as_it_is, capped = await run("policy: contact\n"), await run("policy: contact\ncaps: [{channels: all, max: 0, within: 7d}]\n")
    assert "told" not in as_it_is
    assert (as_it_is["tried"]["sent"], as_it_is["tried"]["silent"]) == (2, {"consent marketing/fax": 1})
    assert (capped["tried"]["sent"], capped["tried"]["sent_then"]) == (0, 2)
    assert capped["tried"]["silent"] == {"cap all/7d": 2, "consent marketing/fax": 1}
    await marketer.post("/v1/triggers/tried/retire")
    assert "tried" not in await run("policy: contact\n")
