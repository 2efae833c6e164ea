"""The contact policy, sentence by sentence."""

from typing import Any

import pytest

from tests.rules.contacting import MORNING, NIGHT, POLICY, allowed, contact
from tests.rules.telling import at, evaluated, event, results


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
