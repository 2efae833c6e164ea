"""Which channel a customer answers, and what contacts may cost: as values, and from files."""

from typing import Any

import pytest

from aggregates.contact_policy.learned import learned, share
from projections.contacts.fold import named
from tests.rules.contacting import allowed, contact
from tests.rules.telling import at, evaluated, event, results

QUARTER = at(90) - at(0)
LEARNING = "{policy: contact, zone: UTC, counts: [sms, email, call], prefer: [declared, learned_90d, default]}"
BUDGET = "{{policy: contact, zone: Asia/Tehran, budget: {{per: {per}, amount: 300, in: {period}, costs: {{sms: 150}}}}}}"


def test_few_answers_are_drawn_towards_what_is_believed() -> None:
    assert share(0, 0) == pytest.approx(0.2)
    assert share(1, 1) == pytest.approx(2 / 6)
    assert share(60, 100) == pytest.approx(61 / 105)
    assert share(3, 1) == pytest.approx(4 / 8)  # answers of contacts that we did not make


def test_the_channel_that_is_answered_most_readily_is_learned() -> None:
    made = [(at(day), channel) for day in range(6) for channel in ("sms", "email")]
    assert learned(made, [], QUARTER, at(6)) == ""
    assert learned(made, [(at(1), "email", True)], QUARTER, at(6)) == "email"
    both = [(at(1), "email", True), (at(1), "sms", True), (at(2), "sms", True)]
    assert learned(made, both, QUARTER, at(6)) == "sms"
    assert learned(made, [*both, *[(at(3), "sms", False)] * 9], QUARTER, at(6)) == "email"  # refusals weigh as contacts in vain
    assert learned(made, both, QUARTER, at(91.5)) == "sms"  # the email of the first day is forgotten
    assert learned(made, both, QUARTER, at(92)) == ""  # at the end of its window an answer is out
    assert learned(made, [(at(7), "email", True)], QUARTER, at(6)) == ""  # what is still to come says nothing


def sent(policy: str, *receipts: dict[str, Any], traits: str = "") -> str:
    """By which channel he is approached after two contacts and these receipts."""
    told = [event("profile.reported", at(0), traits={"preferred_channel": traits})] if traits else []
    rules = [contact("first", prefer=["sms"]), contact("second", prefer=["email"]), contact("third", prefer=["customer", "call"])]
    earlier = [event("shop.first", at(1)), event("shop.second", at(2))]
    answer = evaluated(rules, [allowed(), *told, *earlier, *receipts, event("shop.third", at(5))], policy)
    ((_, result, channel),) = [one for one in results(answer) if one[0] == "third"]
    assert result == "sent"
    return str(channel)


def test_a_receipt_decides_where_nothing_was_declared() -> None:
    assert sent(LEARNING) == "call"
    assert sent(LEARNING, event("contact.clicked", at(3), channel="email")) == "email"
    assert sent(LEARNING, event("contact.opened", at(3))) == "email"  # of his latest
    assert sent(LEARNING, event("contact.delivered", at(3), channel="email")) == "call"
    assert sent(LEARNING, event("contact.refused", at(3), channel="email")) == "call"
    assert sent(LEARNING, event("contact.clicked", at(3), channel="email"), traits="sms") == "sms"
    assert (
        sent(LEARNING.replace("declared, learned_90d", "learned_1d, declared"), event("contact.clicked", at(3), channel="email")) == "call"
    )


def test_a_receipt_that_names_a_signal_is_of_that_contact_and_counts_once() -> None:
    rules = [contact("first", prefer=["sms"]), contact("second", prefer=["email"])]
    before = [allowed(), event("shop.first", at(1), "one"), event("shop.second", at(2), "two")]
    signals = {one["rule"]: one["id"] for one in evaluated(rules, before, LEARNING)["signals"]}
    opened = [event(f"contact.{verb}", at(3), signal=signals["first"]) for verb in ("opened", "clicked", "answered", "refused")]
    third = [contact("third", prefer=["customer", "call"])]
    answer = evaluated([*rules, *third], [*before, *opened, event("shop.third", at(5))], LEARNING)
    assert results(answer)[-1] == ("third", "sent", "sms")


def test_receipts_that_name_no_signal_are_of_his_latest_contact_by_the_channel_which_counts_once() -> None:
    several = [event(f"contact.{verb}", at(3, hours), channel="sms") for hours, verb in enumerate(("opened", "clicked", "answered"))]
    assert sent(LEARNING, event("contact.answered", at(3), channel="email"), *several) == "email"  # one of one, as by sms
    refused = event("contact.refused", at(3, 12), channel="sms")
    assert sent(LEARNING, *several, refused) == "sms"
    rules = [contact("first", prefer=["sms"]), contact("second", prefer=["email"]), contact("third", prefer=["customer", "call"])]
    before = [allowed(), event("shop.first", at(1), "one"), event("shop.second", at(2), "two")]
    (first, _) = evaluated(rules, before, LEARNING)["signals"]
    same = [event("contact.opened", at(3), signal=first["id"]), event("contact.clicked", at(3, 1), channel="sms")]
    other = event("contact.clicked", at(4), channel="email")
    assert results(evaluated(rules, [*before, *same, other, event("shop.third", at(5))], LEARNING))[-1] == ("third", "sent", "email")


def test_a_message_id_names_the_signal_of_its_e_mail() -> None:
    signal = "2446bfd3-bc4f-5d3e-902d-051a32ac3ee4"
    for said in (signal, f"<{signal}@shop.example>", f"{signal}@{'long.' * 20}example", f" <{signal.upper()}@shop.example> "):
        assert named({"signal": said}) == signal
    assert [named({"signal": said}) for said in ("<k8-17@gateway.example>", "", None)] == ["<k8-17@gateway.example>", "", ""]


def outcomes(per: str, period: str, *days: float, rules: int = 1) -> list[tuple[str, str, str | None]]:
    """What becomes of contacts of different customers, one after another."""
    names = ["offer", "other"][:rules]
    facts = []
    for number, day in enumerate(days):
        who = {"customer_number": f"c-{number}"}
        facts += [allowed(who=who), event(f"shop.{names[number % rules]}", at(day), who=who)]
    facts.sort(key=lambda fact: str(fact["time"]))
    return results(evaluated([contact(name) for name in names], facts, BUDGET.format(per=per, period=period)))


def test_a_budget_of_a_campaign_holds_for_all_customers_until_the_period_is_over() -> None:
    ok, over = ("offer", "sent", "sms"), ("offer", "silent", "budget")
    assert outcomes("campaign", "day", 1.1, 1.2, 1.3, 2.1) == [ok, ok, over, ok]
    assert outcomes("campaign", "jalali_month", 1, 2, 3, 19, 20) == [ok, ok, over, over, ok]  # the month turns on 21 March
    assert outcomes("campaign", "month", 1, 2, 24) == [ok, ok, over]


def test_campaigns_have_budgets_of_their_own_unless_all_share_one() -> None:
    assert [one[1] for one in outcomes("campaign", "month", 1, 2, 3, 4, rules=2)] == ["sent"] * 4
    assert [one[1:] for one in outcomes("all", "month", 1, 2, 3, 4, rules=2)] == [("sent", "sms")] * 2 + [("silent", "budget")] * 2


def test_a_channel_without_a_cost_is_open_when_the_money_is_spent() -> None:
    policy = "{policy: contact, zone: UTC, budget: {amount: 100, costs: {sms: 150}}}"
    facts = [allowed(), event("shop.offer", at(1))]
    assert results(evaluated(contact(prefer=["sms", "email"]), facts, policy)) == [("offer", "sent", "email")]
