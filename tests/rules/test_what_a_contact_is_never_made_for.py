"""Signals that are signals and no reason to approach anybody: withdrawn, imported, simulated, or only shown by who turns out to be one."""

from tests.rules.contacting import MORNING, NIGHT, POLICY, allowed, contact
from tests.rules.telling import at, evaluated, event, results


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
