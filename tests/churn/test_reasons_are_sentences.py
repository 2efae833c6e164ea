"""Each reason of a score is a sentence in Persian and in English that is true of the customer's timeline."""

from typing import Any

import pytest

from aggregates.churn import Definition
from aggregates.contracts import CONTRACTS
from aggregates.fact import Fact
from projections.churn import fold, reasons, telling, wording
from projections.churn.features import features
from projections.churn.fold import SILENT
from projections.churn.kept import Kept, hear
from streams.learning.champion import ignorant
from tests.churn.told import FIRST, fact

DEFINITION = Definition(horizon=90)
CONTRACT = Definition(horizon=90, kind="contractual", grace=30)


def said(topic: str, day: float, *facts: Fact, definition: Definition = DEFINITION) -> tuple[str, str]:
    """Of whom this happened, so many days after the beginning: English, Persian."""
    state = fold.initial()
    for one in facts:
        state = fold.evolve(definition, state, one)
    fa, en = wording.sentence(topic, features(definition, state, FIRST + day), definition, state)
    return en, fa


@pytest.mark.parametrize(
    ("bought", "day", "en", "fa"),
    [
        ((0,), 0, "ordered today for the first time", "امروز برای نخستین بار سفارش داد"),
        ((0,), 1, "no order for 1 day since the first", "۱ روز است که پس از نخستین سفارش سفارشی نداده"),
        ((0, 0.1), 9, "no order for 9 days since the first", "۹ روز است که پس از نخستین سفارش سفارشی نداده"),
        ((0, 21), 95, "no order for 74 days; used to order every 21 days", "۷۴ روز است که سفارشی نداده؛ معمولاً هر ۲۱ روز سفارش می‌داد"),
        # what anybody counts from the days: 200 in two gaps, though most of them were in one
        (
            (0, 1, 200),
            230,
            "no order for 30 days; used to order every 100 days",
            "۳۰ روز است که سفارشی نداده؛ معمولاً هر ۱۰۰ روز سفارش می‌داد",
        ),
        ((0, 1, 2), 2, "ordered today; orders every day on average", "امروز سفارش داد؛ معمولاً هر روز سفارش می‌دهد"),
        ((0, 1_000), 2_234, "no order for 1,234 days; used to order every 1,000 days", None),
    ],
)
def test_how_often_somebody_orders_is_what_anybody_counts(bought: tuple[float, ...], day: float, en: str, fa: str | None) -> None:
    told = said("rhythm", day, *map(fact, bought))
    assert told == (en, fa or "۱٬۲۳۴ روز است که سفارشی نداده؛ معمولاً هر ۱٬۰۰۰ روز سفارش می‌داد")


def test_of_a_line_of_products_its_name_is_told_with_what_is_counted_of_it() -> None:
    phones = Definition(horizon=90, only={"category": ("phones", "tablet*")})
    bought = [fact(day, total="5", currency="USD", category=category) for day, category in ((0, "phones"), (9, "tablets"), (50, "books"))]
    assert said("rhythm", 54, *bought, definition=phones) == (
        "no order for 45 days; used to order every 9 days (category: phones or tablet*)",
        "۴۵ روز است که سفارشی نداده؛ معمولاً هر ۹ روز سفارش می‌داد (دسته: phones یا tablet*)",
    )
    assert said("tenure", 54, *bought, definition=phones)[0] == "a customer for 54 days (category: phones or tablet*)"
    assert "(" not in said("season", 54, *bought, definition=phones)[0]


def test_what_was_said_before_a_purchase_knows_nothing_of_it() -> None:
    heard = hear(DEFINITION, ignorant(90), Kept(), [fact(0.0), fact(10.0), fact(100.0)]).said
    silent = [one for one in heard if one.silent][-1]
    fa, en = wording.sentence("rhythm", silent.scored.features, DEFINITION, silent.scored.state)
    assert (en, fa) == ("no order for 90 days; used to order every 10 days", "۹۰ روز است که سفارشی نداده؛ معمولاً هر ۱۰ روز سفارش می‌داد")


def test_the_last_amount_is_beside_the_usual_one_where_there_are_two() -> None:
    assert said("money", 5, fact(0.0, total="10")) == ("the amount spent", "مبلغ خرید")
    assert said("money", 5, fact(0.0, total="10"), fact(1.0, total="1000"))[0] == "the last order was 1,000 % of the usual amount"


def test_amounts_of_two_currencies_do_not_compare() -> None:
    dollars = [fact(0.0, total="10", currency="USD"), fact(1.0, total="20", currency="USD")]
    rials = fact(2.0, total="5000000", currency="IRR")
    assert said("money", 5, *dollars, rials)[0] == "the amount spent"
    more = fact(3.0, total="5000000", currency="irr")
    fewer = [fact(float(day), total=str(amount)) for day, amount in enumerate((100, 100, 100, 100, 20, 20))]
    assert said("money", 9, *fewer) == (
        "the last order was 34 % of the usual amount, the last few about 70 %",
        "آخرین سفارش، ۳۴٪ مبلغ معمول او بود و چند سفارش آخر، حدود ۷۰٪",
    )
    assert said("money", 5, *dollars, rials, more)[0] == "the last order was 100 % of the usual amount"
    untold = [fact(0.0, total="10"), fact(1.0, total="40", currency="USD"), fact(2.0, total="20")]
    assert said("money", 5, *untold)[0] == "the last order was 100 % of the usual amount"


def test_today_is_called_so() -> None:
    assert said("tenure", 0, fact(0.0)) == ("a customer since today", "از امروز مشتری است")
    begun = fact(0.0, "subscription.started", subscription_id="s")
    paid = fact(0.0, "subscription.started", subscription_id="s", ends_at="2024-01-11T00:00:00Z")
    more = fact(0.0, "subscription.started", subscription_id="t", ends_at="2024-01-21T00:00:00Z")
    for day, facts, en in (
        (0, [begun], "the contract began today"),
        (1, [begun], "under contract for 1 day"),
        (9, [paid], "the contract ends in 1 day"),
        (10, [paid], "the contract ends today"),
        (10.3, [paid], "the contract ended today"),
        (12, [paid], "the contract ended 2 days ago"),
        (12, [paid, more], "the last of 2 contracts ends in 8 days"),
        (22, [paid, more], "the last of 2 contracts ended 2 days ago"),
    ):
        assert said("contract", day, *facts, definition=CONTRACT)[0] == en


def test_happenings_and_numbers_are_told_by_name() -> None:
    called: dict[str, Any] = {"reason": "price", "wait_seconds": 90}
    facts = (fact(0.0), fact(1.0, "call.ended", **called), fact(1.1, "call.ended", **called), fact(1.2, "odd", weight=2_345_678, rate=0.5))
    assert said("happened:call.ended|reason=price", 2, *facts) == (
        "call (reason: price): lately, about 2×",
        "گفت‌وگوی تلفنی (دلیل: price): به‌تازگی، حدود ۲ بار",
    )
    assert said("read:call.ended.wait_seconds", 2, *facts) == (
        "call: wait about 90 seconds",
        "گفت‌وگوی تلفنی: انتظار حدود ۹۰ ثانیه",
    )
    assert said("read:odd.weight", 2, *facts) == ("odd: weight about 2,350,000", "odd: weight حدود ۲٬۳۵۰٬۰۰۰")
    assert said("read:odd.rate", 2, *facts) == ("odd: rate about 0.5", "odd: rate حدود ۰٫۵")
    used = [fact(float(day), "used", minutes=number) for day, number in enumerate((100, 100, 100, 100, 20))]
    assert said("read:used.minutes", 5, *used) == (
        "used: duration about 44.7 minutes; usually about 72.5",
        "used: مدت حدود ۴۴٫۷ دقیقه؛ معمولاً حدود ۷۲٫۵",
    )
    assert reasons.topic_of("changed:used.minutes") == "read:used.minutes"
    assert reasons.topic_of("read:discount") == reasons.topic_of("changed:discount") == "discount"
    assert said("discount", 2, fact(0.0, total="80", discount="20")) == (
        "about 20 % off the orders' price",
        "در سفارش‌هایش حدود ۲۰٪ تخفیف گرفت",
    )


def test_what_weighs_nothing_is_no_reason() -> None:
    state = fold.evolve(CONTRACT, fold.initial(), fact(0.0, "subscription.started", subscription_id="s"))
    seen = features(CONTRACT, state, FIRST + 3.0)
    parts = {"one": 0.5, "prior": 0.0, "decayed": 0.0, "contract_age": 0.25, "overdue": 0.0}
    told = reasons.reasons(parts, {"one": 0.5, "contract_age": 0.125}, seen, CONTRACT, state)
    assert [(one.topic, one.en, one.level, one.change) for one in told] == [
        ("everybody", "what is the same for all customers", 0.5, 0.0),
        ("contract", "under contract for 3 days", 0.25, 0.125),
    ]
    assert [one.topic for one in reasons.weightiest(parts, seen, CONTRACT, state, 3)] == ["contract"]


@pytest.mark.parametrize("type_", sorted(CONTRACTS.keys() - SILENT))
def test_every_type_with_a_contract_has_a_name_and_so_have_its_numbers(type_: str) -> None:
    assert type_ in wording.KINDS
    example: dict[str, Any] = {**CONTRACTS[type_].example}
    named = {field for field, _ in telling.numbers(example)} - {"discount"}
    assert named <= wording.FIELDS.keys()
