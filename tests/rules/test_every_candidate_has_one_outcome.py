"""The contact policy, sentence by sentence, and against the oracle."""

from collections.abc import Iterable
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregates.identifier import Token
from tests.rules import histories, policy_oracle
from tests.rules.oracle import moment, span
from tests.rules.telling import at, evaluated, evaluation, event, results

POLICY = """
policy: contact
zone: Asia/Tehran
priority: [service, retention, marketing]
transactional: {ignores: [caps, cooldown, quiet, block_while], never_ignores: [consent_to_channel, erasure]}
quiet: {from: "21:00", to: "09:00", then: hold, expires: 24h}
caps:
  - {channels: all, max: 3, within: 7d}
  - {channels: [call, partner_visit], max: 1, within: 30d}
counts: [sms, email, call, agent_offer, partner_visit]
block_while: {open_complaint: all, in_call: [sms, email, call]}
prefer: [declared, learned_90d, default]
"""

MORNING = at(1, 8)
NIGHT = at(1, 20)  # half past eleven in Tehran


def contact(name: str = "offer", purpose: str = "marketing", **parts: Any) -> dict[str, Any]:
    prefer = parts.pop("prefer", ["sms"])
    return {
        "rule": name,
        "when": {"count": f"shop.{name}", "at_least": 1, "within": "1m"},
        "do": {"contact": f"{name}-1", "purpose": purpose, "prefer": prefer},
        **parts,
    }


def allowed(purpose: str = "marketing", **data: Any) -> dict[str, Any]:
    return event("consent.given", at(0), purpose=purpose, **data)


def test_a_contact_that_nothing_speaks_against_is_sent() -> None:
    answer = evaluated(contact(), [allowed(), event("shop.offer", MORNING)], POLICY)
    (outcome,) = answer["outcomes"]
    assert outcome == {
        "signal": answer["signals"][0]["id"],
        "rule": "offer",
        "customer_id": answer["signals"][0]["customer_id"],
        "outcome": "sent",
        "channel": "sms",
        "at": "2026-03-02T08:00:00Z",
        "until": None,
        "reason": None,
    }


def test_a_notice_to_our_own_people_is_no_candidate() -> None:
    rule = contact() | {"do": {"notify": "team:crm"}}
    answer = evaluated(rule, [event("shop.offer", NIGHT)], POLICY)
    assert (len(answer["signals"]), answer["outcomes"]) == (1, [])


def test_without_consent_to_purpose_and_channel_there_is_silence() -> None:
    assert results(evaluated(contact(), [event("shop.offer", MORNING)], POLICY)) == [("offer", "silent", "consent marketing/sms")]
    other = allowed("retention")
    assert results(evaluated(contact(), [other, event("shop.offer", MORNING)], POLICY)) == [("offer", "silent", "consent marketing/sms")]
    email = allowed(channels=["email"])
    assert results(evaluated(contact(), [email, event("shop.offer", MORNING)], POLICY)) == [("offer", "silent", "consent marketing/sms")]


def test_consent_ends_when_it_is_withdrawn_or_runs_out() -> None:
    withdrawn = event("consent.withdrawn", at(0, 1), purpose="marketing")
    assert results(evaluated(contact(), [allowed(), withdrawn, event("shop.offer", MORNING)], POLICY))[0][2] == "consent marketing/sms"
    short = allowed(valid_until="2026-03-02T08:00:00Z")
    assert results(evaluated(contact(), [short, event("shop.offer", MORNING)], POLICY))[0][2] == "consent marketing/sms"


@pytest.mark.parametrize(("first", "second"), [("1", "2"), ("2", "1"), ("k", "l"), ("l", "k")])
def test_of_two_words_at_the_same_time_the_one_with_the_later_id_counts(first: str, second: str) -> None:
    given, withdrawn = allowed(id_=first), event("consent.withdrawn", at(0), second, purpose="marketing")
    ended = allowed(id_=second, valid_until="2026-03-01T00:05:00Z")
    for other in (withdrawn, ended):
        for arrived in ([given, other], [other, given]):
            said = results(evaluated(contact(), [*arrived, event("shop.offer", MORNING)], POLICY))
            assert said == [("offer", "silent", "consent marketing/sms") if second > first else ("offer", "sent", "sms")]


@pytest.mark.parametrize("until", ["2026-03-02T00:00:00", "garbage", 7, ["2027-01-01"]])
def test_a_consent_whose_end_nobody_can_read_allows_nothing(until: Any) -> None:
    assert results(evaluated(contact(), [allowed(valid_until=until), event("shop.offer", MORNING)], POLICY))[0][1] == "silent"


@pytest.mark.parametrize(("channels", "outcome"), [("sms", "sent"), ("email", "silent"), (7, "silent"), ([], "silent"), ([7], "silent")])
def test_a_consent_is_for_the_channels_that_can_be_understood_and_for_no_other(channels: Any, outcome: str) -> None:
    assert results(evaluated(contact(), [allowed(channels=channels), event("shop.offer", MORNING)], POLICY))[0][1] == outcome


@pytest.mark.parametrize(("channels", "outcome"), [("email", "sent"), ("sms", "silent"), (7, "silent"), ([], "silent"), ([7], "silent")])
def test_a_withdrawal_of_channels_that_cannot_be_understood_is_of_all(channels: Any, outcome: str) -> None:
    withdrawn = event("consent.withdrawn", at(0, 1), purpose="marketing", channels=channels)
    assert results(evaluated(contact(), [allowed(), withdrawn, event("shop.offer", MORNING)], POLICY))[0][1] == outcome


def test_the_next_channel_is_tried_when_one_is_closed() -> None:
    rule = contact(prefer=["sms", "call"])
    assert results(evaluated(rule, [allowed(channels=["call"]), event("shop.offer", MORNING)], POLICY)) == [("offer", "sent", "call")]


def test_the_channel_that_the_customer_named_is_his_own() -> None:
    rule = contact(prefer=["customer", "sms"])
    named = event("profile.reported", at(0), traits={"preferred_channel": "Email"})
    assert results(evaluated(rule, [allowed(), named, event("shop.offer", MORNING)], POLICY)) == [("offer", "sent", "email")]
    assert results(evaluated(rule, [allowed(), event("shop.offer", MORNING)], POLICY)) == [("offer", "sent", "sms")]


def test_where_a_rule_names_no_channel_and_the_customer_neither_those_that_count_are_tried() -> None:
    rule = contact(prefer=["customer"])
    assert results(evaluated(rule, [allowed(channels=["call"]), event("shop.offer", MORNING)], POLICY)) == [("offer", "sent", "call")]


def test_in_quiet_hours_a_contact_is_held_until_they_end() -> None:
    answer = evaluated(contact(), [allowed(), event("shop.offer", NIGHT)], POLICY)
    (outcome,) = answer["outcomes"]
    assert (outcome["outcome"], outcome["at"], outcome["until"], outcome["reason"]) == (
        "held",
        "2026-03-02T20:00:00Z",
        "2026-03-03T05:30:00Z",
        "quiet",
    )
    later = evaluated(contact(), [allowed(), event("shop.offer", NIGHT), event("shop.closed", at(2, 12))], POLICY)
    assert [(one["outcome"], one["at"]) for one in later["outcomes"]] == [("sent", "2026-03-03T05:30:00Z")]


def test_what_was_held_is_decided_again() -> None:
    end = event("shop.closed", at(3))
    withdrawn = event("consent.withdrawn", at(1, 22), purpose="marketing")
    assert results(evaluated(contact(), [allowed(), event("shop.offer", NIGHT), withdrawn, end], POLICY))[0][2] == "consent marketing/sms"
    stoppable = contact(unless={"event": "call.answered", "since": "first_match"})
    answered = event("call.answered", at(1, 21), call_id="k")
    assert results(evaluated(stoppable, [allowed(), event("shop.offer", NIGHT), answered, end], POLICY))[0][2] == "unless"
    loyal = contact() | {"if": {"segment": "loyal"}}
    entered, left = (event(f"segment.{word}", at(1, hour), segment="loyal") for word, hour in (("entered", 0), ("left", 22)))
    assert results(evaluated(loyal, [allowed(), entered, event("shop.offer", NIGHT), left, end], POLICY))[0][2] == "if"


def test_what_cannot_go_out_before_it_expires_is_silent() -> None:
    strict = POLICY.replace("expires: 24h", "expires: 6h")
    assert results(evaluated(contact(), [allowed(), event("shop.offer", NIGHT)], strict)) == [("offer", "silent", "quiet")]
    silent = POLICY.replace("then: hold", "then: silent")
    assert results(evaluated(contact(), [allowed(), event("shop.offer", NIGHT)], silent)) == [("offer", "silent", "quiet")]


def test_a_cap_counts_contacts_of_all_its_channels_in_its_window() -> None:
    offers = [event("shop.offer", at(day, 8)) for day in (1, 2, 3, 4, 8)]
    assert results(evaluated(contact(), [allowed(), *offers], POLICY)) == [
        ("offer", "sent", "sms"),
        ("offer", "sent", "sms"),
        ("offer", "sent", "sms"),
        ("offer", "silent", "cap all/7d"),
        ("offer", "sent", "sms"),  # the first is exactly seven days old, and out
    ]


def test_the_offer_of_an_agent_and_the_visit_of_a_reseller_count_too() -> None:
    visit = event("contact.made", at(0, 9), channel="partner_visit")
    calling = contact(prefer=["call"])
    answer = evaluated(calling, [allowed(), visit, event("shop.offer", MORNING)], POLICY)
    assert results(answer) == [("offer", "silent", "cap call,partner_visit/30d")]
    made = [event("contact.made", at(0, hour), channel="agent_offer") for hour in (7, 8, 9)]
    assert results(evaluated(contact(), [allowed(), *made, event("shop.offer", MORNING)], POLICY)) == [("offer", "silent", "cap all/7d")]


def test_nobody_is_approached_while_a_complaint_is_open_or_he_is_in_a_call() -> None:
    complaint = event("service.request_opened", at(0), request_id="q1", category="complaint")
    assert results(evaluated(contact(), [allowed(), complaint, event("shop.offer", MORNING)], POLICY))[0][2] == "block_while open_complaint"
    resolved = event("service.request_resolved", at(0, 5), request_id="q1")
    assert results(evaluated(contact(), [allowed(), complaint, resolved, event("shop.offer", MORNING)], POLICY))[0][1] == "sent"
    call = event("call.answered", at(1, 7, 59), call_id="k1")
    assert results(evaluated(contact(), [allowed(), call, event("shop.offer", MORNING)], POLICY))[0][2] == "block_while in_call"
    ended = event(
        "call.ended",
        at(
            1,
            7,
            59,
        ),
        call_id="k1",
    )
    assert results(evaluated(contact(), [allowed(), call, ended, event("shop.offer", MORNING)], POLICY))[0][1] == "sent"


def test_a_transactional_contact_ignores_what_the_policy_says_but_never_consent() -> None:
    rule = contact(purpose="service")
    made = [event("contact.made", at(1, hour), channel="sms") for hour in (7, 8, 9)]
    call = event("call.answered", at(1, 19, 59), call_id="k1")
    facts = [*made, call, event("shop.offer", NIGHT)]
    assert results(evaluated(rule, [allowed("service"), *facts], POLICY)) == [("offer", "sent", "sms")]
    assert results(evaluated(rule, facts, POLICY)) == [("offer", "silent", "consent service/sms")]


def both(when: Any) -> list[dict[str, Any]]:
    return [allowed(), allowed("retention"), event("shop.offer", when)]


def test_of_several_candidates_the_purpose_that_comes_first_wins_and_the_others_know_to_whom_they_lost() -> None:
    save = contact("save", "retention") | {"when": contact()["when"]}
    answer = evaluated([contact(), save], both(MORNING), POLICY)
    assert sorted(results(answer)) == [("offer", "silent", "lost to save"), ("save", "sent", "sms")]


def test_of_equal_purposes_the_older_wins() -> None:
    older = contact("older") | {"when": {"count": "shop.older", "at_least": 1, "within": "1m"}}
    facts = [allowed(), event("shop.older", at(1, 19)), event("shop.offer", NIGHT), event("shop.closed", at(3))]
    assert results(evaluated([contact(), older], facts, POLICY)) == [("older", "sent", "sms"), ("offer", "silent", "lost to older")]


def test_one_who_cannot_be_contacted_wins_nothing() -> None:
    save = contact("save", "retention") | {"when": contact()["when"]}
    answer = evaluated([contact(), save], [allowed(), event("shop.offer", MORNING)], POLICY)
    assert sorted(results(answer)) == [("offer", "sent", "sms"), ("save", "silent", "consent retention/sms")]


def customers(count: int) -> list[dict[str, Any]]:
    who = [{"customer_number": f"n-{number}"} for number in range(count)]
    given = [event("consent.given", at(0), who=one, purpose="marketing") for one in who]
    return [*given, *(event("shop.offer", MORNING, who=one) for one in who)]


def test_the_hold_out_is_a_share_that_a_replay_draws_again_and_another_salt_otherwise() -> None:
    rule, facts = contact(holdout="10%"), customers(600)

    def kept_out(salt: str) -> list[str]:
        answer = evaluated(rule, facts, POLICY, salt)
        return [one["customer_id"] for one in answer["outcomes"] if one["reason"] == "holdout"]

    assert 30 <= len(kept_out("a")) <= 90
    assert kept_out("a") == kept_out("a")
    assert kept_out("a") != kept_out("b")


def test_the_hold_out_is_drawn_last_among_those_who_could_be_contacted() -> None:
    everybody = contact(holdout="100%")
    assert results(evaluated(everybody, [event("shop.offer", MORNING)], POLICY)) == [("offer", "silent", "consent marketing/sms")]
    assert results(evaluated(everybody, [allowed(), event("shop.offer", MORNING)], POLICY)) == [("offer", "silent", "holdout")]
    save = contact("save", "retention", holdout="100%") | {"when": contact()["when"]}
    assert sorted(results(evaluated([contact(), save], both(MORNING), POLICY))) == [("offer", "sent", "sms"), ("save", "silent", "holdout")]


def test_the_hold_out_of_the_policy_is_kept_out_of_every_rule() -> None:
    nobody = POLICY + "holdout: 100%\n"
    assert results(evaluated(contact(), [allowed(), event("shop.offer", MORNING)], nobody)) == [("offer", "silent", "holdout")]


def test_a_signal_that_was_withdrawn_before_its_contact_went_out_contacts_nobody() -> None:
    silent = contact() | {"when": {"after": "shop.left", "absent": "shop.seen", "for": "1d"}}
    left, late = event("shop.left", at(0, 20)), event("shop.seen", at(1), recorded=at(1, 22))
    answer = evaluated(silent, [allowed(), left, event("shop.closed", at(1, 21)), late, event("shop.closed", at(4))], POLICY)
    assert ([one["withdrawn"] for one in answer["signals"]], results(answer)) == ([True], [("offer", "silent", "withdrawn")])


def test_what_is_held_is_silent_as_soon_as_its_customer_is_one_for_whom_its_signal_does_not_stand() -> None:
    monthly = contact() | {"when": {"count": "shop.offer", "at_least": 1, "in": "month"}}
    phone, email = {"phone": "+989121234567"}, {"email": "sara@example.ir"}
    earlier, later = event("shop.offer", at(1, 8), who=phone), event("shop.offer", NIGHT, who=email)
    consents = [event("consent.given", at(0), who=who, purpose="marketing") for who in (phone, email)]
    one = event("shop.seen", at(1, 21), who=phone | email)
    answer = evaluated(monthly, [*consents, earlier, later, one], POLICY)
    assert results(answer) == [("offer", "sent", "sms"), ("offer", "silent", "withdrawn")]


def test_what_shows_only_that_customers_are_one_contacts_nobody_and_what_the_fact_shows_that_says_so_does() -> None:
    thrice = contact() | {"when": {"count": "shop.offer", "at_least": 3, "within": "1d"}}
    phone, email = {"phone": "+989121234567"}, {"email": "sara@example.ir"}
    consents = [event("consent.given", at(0), who=who, purpose="marketing") for who in (phone, email)]
    two = [event("shop.offer", at(1, 8), who=phone), event("shop.offer", at(1, 9), who=email)]
    by_itself = event("shop.offer", at(1, 10), who=phone | email)
    assert results(evaluated(thrice, [*consents, *two, by_itself], POLICY)) == [("offer", "sent", "sms")]
    third, seen = event("shop.offer", at(1, 10), who=email), event("shop.seen", at(1, 11), who=phone | email)
    assert results(evaluated(thrice, [*consents, *two, third, seen], POLICY)) == [("offer", "silent", "moved")]


def test_who_was_approached_for_a_signal_that_being_one_with_another_undid_is_approached_in_the_next_episode() -> None:
    daily = contact() | {"when": {"count": "shop.offer", "at_least": 1, "in": "day"}}
    phone, email = {"phone": "+989121234567"}, {"email": "sara@example.ir"}
    consents = [event("consent.given", at(0), who=who, purpose="marketing") for who in (phone, email)]
    others, his = event("shop.offer", at(1, 6), who=email), event("shop.offer", at(1, 8), who=phone)
    tomorrow = event("shop.offer", at(2, 8), who=phone | email)
    answer = evaluated(daily, [*consents, others, his, tomorrow], POLICY)
    assert ([one["withdrawn"] for one in answer["signals"]], results(answer)) == ([False, True, False], [("offer", "sent", "sms")] * 3)


def test_what_the_fact_undoes_that_says_who_is_one_was_never_said() -> None:
    rule = contact() | {"when": {"count": "shop.offer", "at_least": 2, "within": "1d"}, "unless": {"event": "shop.seen"}}
    phone, email = {"phone": "+989121234567"}, {"email": "sara@example.ir"}
    two = [event("shop.offer", at(1, 8), who=phone), event("shop.offer", at(1, 9), who=email)]
    late = event("shop.seen", at(1, 8, 30), who=phone | email, recorded=at(1, 10))
    assert evaluated(rule, [*two, late], POLICY)["signals"] == []


def test_a_signal_that_is_fired_anew_after_its_contact_went_out_does_not_contact_twice() -> None:
    twice = contact() | {"when": {"count": "shop.offer", "at_least": 2, "within": "5d"}}
    facts = [allowed(), event("shop.offer", at(1, 8)), event("shop.offer", at(3, 8)), event("shop.offer", at(2, 8), recorded=at(3, 9))]
    assert results(evaluated(twice, facts, POLICY)) == [("offer", "sent", "sms"), ("offer", "silent", "cooldown")]


def test_what_an_import_shows_is_a_signal_and_contacts_nobody() -> None:
    twice = contact() | {"when": {"count": "shop.offer", "at_least": 2, "within": "5d"}}
    facts = [allowed(), event("shop.offer", at(3, 8)), event("shop.offer", at(2, 8), recorded=at(3, 9), backfill=True)]
    answer = evaluated(twice, facts, POLICY)
    assert ([one["late"] for one in answer["signals"]], results(answer)) == ([True], [("offer", "silent", "backfill")])


def test_what_a_simulated_source_shows_is_a_signal_and_contacts_nobody() -> None:
    facts = [allowed(), event("shop.offer", MORNING, simulated=True), event("shop.offer", at(3, 8))]
    assert results(evaluated(contact(), facts, POLICY)) == [("offer", "silent", "test"), ("offer", "sent", "sms")]


def test_what_a_simulated_source_says_of_consent_allows_nothing_and_takes_back() -> None:
    made_up = event("consent.given", at(0), purpose="marketing", simulated=True)
    asks = contact() | {"if": {"consent": "marketing", "channel": "sms"}}
    offer = event("shop.offer", MORNING)
    assert results(evaluated(contact(), [made_up, offer], POLICY)) == [("offer", "silent", "consent marketing/sms")]
    assert results(evaluated(asks, [made_up, offer], POLICY)) == []
    assert results(evaluated(asks, [allowed(), made_up, offer], POLICY)) == [("offer", "sent", "sms")]
    taken_back = event("consent.withdrawn", at(0, 1), purpose="marketing", simulated=True)
    assert results(evaluated(contact(), [allowed(), taken_back, offer], POLICY)) == [("offer", "silent", "consent marketing/sms")]


def test_whether_a_signal_is_a_test_its_cause_says_in_whichever_order_the_facts_came() -> None:
    twice = contact() | {"when": {"count": "shop.offer", "at_least": 2, "within": "5d"}}
    for first, then in (True, ("sent", "sms")), (False, ("silent", "test")):
        offers = [event("shop.offer", at(2, 8), simulated=first), event("shop.offer", at(2, 9), simulated=not first)]
        late = [offers[1], offers[0] | {"yektarecordedtime": at(2, 10).isoformat()}]
        for arrived in offers, late:
            assert results(evaluated(twice, [allowed(), *arrived, event("shop.closed", at(3))], POLICY)) == [("offer", *then)]


def test_what_is_missed_because_of_a_simulated_source_contacts_nobody() -> None:
    missed = contact() | {"when": {"after": "shop.offer", "absent": "shop.bought", "for": "1d"}}
    of_it = [event("shop.offer", at(1, 8), simulated=True), event("shop.bought", at(3, 8))]
    real = [event("shop.offer", at(4, 8)), event("shop.offer", at(4, 9), simulated=True), event("shop.bought", at(6, 8))]
    assert results(evaluated(missed, [allowed(), *of_it, *real], POLICY)) == [("offer", "silent", "test"), ("offer", "sent", "sms")]


def test_of_several_that_wait_only_those_whose_cause_is_simulated_contact_nobody() -> None:
    waits = contact(wait="1h", unless={"event": "shop.bought", "within": "30m"})
    offers = [event("shop.offer", at(1, 8), simulated=True), event("shop.offer", at(1, 8, 30))]
    assert results(evaluated(waits, [allowed(), *offers, event("shop.closed", at(2))], POLICY)) == [("offer", "silent", "test")]
    stopping = event("shop.bought", at(1, 8, 45))
    for first, then in (False, ("silent", "test")), (True, ("sent", "sms")):
        offers = [event("shop.offer", at(1, 8), simulated=first), event("shop.offer", at(1, 8, 30), simulated=not first)]
        answer = evaluated(waits, [allowed(), *offers, stopping, event("shop.closed", at(2))], POLICY)
        assert results(answer) == [("offer", *then)]


def test_whose_fact_comes_first_by_its_id_says_whether_what_is_missed_is_simulated() -> None:
    missed = contact() | {"when": {"after": "shop.offer", "absent": "shop.bought", "for": "1d"}}
    for simulated, then in (True, ("silent", "test")), (False, ("sent", "sms")):
        offers = [event("shop.offer", at(1, 8), "z", simulated=not simulated), event("shop.offer", at(1, 8), "a", simulated=simulated)]
        assert results(evaluated(missed, [allowed(), *offers, event("shop.closed", at(3))], POLICY)) == [("offer", *then)]


def test_a_contact_that_is_told_of_with_its_signal_counts_once() -> None:
    capped = "{policy: contact, zone: UTC, caps: [{channels: all, max: 2, within: 7d}]}"
    facts = [allowed(), event("shop.offer", at(1, 8), "first")]
    (first,) = evaluated(contact(), facts, capped)["signals"]
    made = event("contact.made", at(1, 9), channel="sms", signal=first["id"])
    other = event("contact.made", at(1, 10), channel="sms", signal="another system's")
    again = event("shop.offer", at(2, 8))
    assert results(evaluated(contact(), [*facts, made, again], capped))[-1] == ("offer", "sent", "sms")
    assert results(evaluated(contact(), [*facts, made, other, again], capped))[-1] == ("offer", "silent", "cap all/7d")


def test_an_open_complaint_blocks_whatever_else_he_asked_for_since() -> None:
    blocking = "{policy: contact, zone: UTC, block_while: {open_complaint: all}}"
    complaint = event("service.request_opened", at(1), request_id="r-0", category="complaint")
    others = [event("service.request_opened", at(1, 0, number), request_id=f"r-{number}") for number in range(1, 1_200)]
    facts = [allowed(), complaint, *others, event("shop.offer", at(3, 8))]
    assert results(evaluated(contact(), facts, blocking)) == [("offer", "silent", "block_while open_complaint")]
    resolved = [event(f"service.request_{verb}", at(2, hour), request_id="r-0") for hour, verb in enumerate(("resolved", "reopened"))]
    some = [allowed(), complaint, *others[:100], *resolved]
    assert results(evaluated(contact(), [*some, event("shop.offer", at(3, 8))], blocking)) == [
        ("offer", "silent", "block_while open_complaint")
    ]


def test_a_request_is_a_complaint_as_it_was_opened_last() -> None:
    blocking = "{policy: contact, zone: UTC, block_while: {open_complaint: all}}"
    offered = event("shop.offer", at(3, 8))

    def becomes(*requests: dict[str, Any]) -> str | None:
        return results(evaluated(contact(), [allowed(), *requests, offered], blocking))[-1][2]

    def said(verb: str, when: float, **data: Any) -> dict[str, Any]:
        return event(f"service.request_{verb}", at(when), request_id="r-1", **data)

    complaint, another = said("opened", 1, category="complaint"), said("opened", 2, category="delivery")
    assert becomes(complaint, another) == "sms"
    assert becomes(complaint, said("closed", 1.5), another) == "sms"
    assert becomes(another, said("opened", 2.5, category="complaint")) == "block_while open_complaint"
    assert becomes(another, said("opened", 1, category="complaint", recorded=at(3))) == "sms", "also when it is told late"
    assert becomes(complaint, said("resolved", 2, reason="solved"), said("reopened", 2.5)) == "block_while open_complaint"
    mail, both = {"email": "a@x.ir"}, {"email": "a@x.ir", "customer_number": "c-1"}
    apart = [said("opened", 1, category="complaint", who=mail), said("reopened", 2), event("shop.seen", at(2, 1), who=both)]
    assert becomes(*apart) == "block_while open_complaint", "also of two who turn out to be one"


@given(histories.contacting(), histories.policies(), histories.in_order())
@settings(max_examples=150, deadline=None)
def test_in_a_log_in_order_every_outcome_is_the_oracles(
    rules: list[dict[str, Any]], policy: dict[str, Any], events: list[dict[str, Any]]
) -> None:
    end = max((moment(one["time"]) for one in events), default=at(0))
    person = policy_oracle.Person("", events)
    assert decisions(evaluated(rules, events, policy)) == in_text(policy_oracle.outcomes(rules, policy, [person], end))


@given(st.integers(0, 2**32))
@settings(max_examples=150, deadline=None)
def test_hold_outs_and_budgets_over_several_customers_are_the_oracles(number: int) -> None:
    rules, policy, told = histories.dense(Random(number))
    events = sorted([one for some in told.values() for one in some], key=lambda one: (one["time"], one["id"]))
    run = evaluation(rules, events, policy, "pepper")
    people = [
        policy_oracle.Person(str(run.people.known(Token(f"customer_number:{number}"))), some) for number, some in sorted(told.items())
    ]
    end = max(moment(one["time"]) for one in events)
    expected = policy_oracle.outcomes(rules, policy, people, end, "pepper")
    assert decisions(evaluated(rules, events, policy, "pepper")) == in_text(expected)


def decisions(answer: dict[str, Any]) -> list[policy_oracle.Result]:
    """The outcomes that an evaluation says, as the oracle says them."""
    causes = {signal["id"]: signal["cause"]["id"] for signal in answer["signals"]}
    return in_text(
        policy_oracle.Result(
            one["rule"],
            causes[one["signal"]],
            one["outcome"],
            one["channel"],
            moment(one["at"]),
            moment(one["until"]) if one["until"] else None,
            one["reason"],
        )
        for one in answer["outcomes"]
    )


def in_text(results: Iterable[policy_oracle.Result]) -> list[policy_oracle.Result]:
    return sorted(results, key=str)


@given(histories.contacting(), histories.policies(), histories.events())
@settings(max_examples=150, deadline=None)
def test_in_whatever_order_facts_come_no_cap_is_exceeded_and_each_candidate_has_one_outcome(
    rules: list[dict[str, Any]], policy: dict[str, Any], events: list[dict[str, Any]]
) -> None:
    consents = [
        event("consent.given", histories.START, id_=f"z{n}", who={"customer_number": f"c-{n}"}, purpose="marketing") for n in (1, 2)
    ]
    answer = evaluated(rules, [*consents, *events], policy)
    assert sorted(one["signal"] for one in answer["outcomes"]) == sorted(one["id"] for one in answer["signals"])
    bound = [rule["rule"] for rule in rules if rule["do"]["purpose"] != "service"]
    sent = [one for one in answer["outcomes"] if one["outcome"] == "sent" and one["rule"] in bound]
    for cap in policy.get("caps", []):
        channels = policy["counts"] if cap["channels"] == "all" else cap["channels"]
        for last in sent:
            window = [
                one
                for one in sent
                if one["customer_id"] == last["customer_id"]
                and one["channel"] in channels
                and moment(last["at"]) - span(cap["within"]) < moment(one["at"]) <= moment(last["at"])
            ]
            assert len(window) <= cap["max"] or last["channel"] not in channels
