"""Turns a topic and the features it was told from into one sentence, in Persian and in English. Reading order: sentence."""

import math
from collections.abc import Mapping

from projections.churn.features import HAPPENED, LATELY, READ, SAID, Features
from projections.churn.state import Reading

DIGITS = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")

KINDS = {
    "complaint": ("شکایت", "complaint"),
    "call.ended": ("گفت‌وگوی تلفنی", "call"),
    "call.abandoned": ("تماس بی‌پاسخ", "abandoned call"),
    "web.page_viewed": ("بازدید از سایت", "page view"),
    "web.cart_updated": ("تغییر سبد خرید", "change of the cart"),
    "sales.order_cancelled": ("لغو سفارش", "cancelled order"),
    "sales.order_returned": ("مرجوعی", "return"),
    "reseller.return_reported": ("مرجوعی", "return"),
    "consent.withdrawn": ("پس گرفتن رضایت", "withdrawn consent"),
    "sales.visit_held": ("دیدار فروشنده", "sales visit"),
}
"""Types that have a name of their own; another is told as it is written."""

Both = tuple[str, str]
"""Persian, English."""


def sentence(topic: str, features: Features, horizon: int, readings: Mapping[str, Reading]) -> Both:
    """What is so, not whether it is good: that is what the number beside it says."""
    if topic == "rhythm":
        return _rhythm(features, horizon)
    if topic == "tenure":
        days = _days(features.get("tenure", 0.0), horizon)
        return f"{_fa(days)} روز است که مشتری است", f"a customer for {_count(days, 'day')}"
    if topic == "money":
        return _money(features)
    if topic == "contract":
        return _contract(features, horizon)
    if topic.startswith(HAPPENED):
        return _happened(topic.removeprefix(HAPPENED), features)
    if topic.startswith(SAID):
        field, _, word = topic.removeprefix(SAID).partition("=")
        return f"{field}: {word}", f"{field}: {word}"
    if topic.startswith(READ) and topic != "read:discount":
        return _read(topic, readings)
    return FIXED.get(topic, FIXED["everybody"])


FIXED: dict[str, Both] = {
    "discount": ("سهم تخفیف در سفارش‌هایش", "the share of discounts in the orders"),
    "season": ("فصل سال", "the season"),
    "everybody": ("آنچه برای همهٔ مشتریان یکسان است", "what is the same for all customers"),
}


def _rhythm(features: Features, horizon: int) -> Both:
    """The last order, beside how often he used to order."""
    if "prior" not in features:
        return "هنوز سفارشی نداده است", "has not ordered yet"
    silent = _days(features.get("silence", 0.0), horizon)
    fa = f"{_fa(silent)} روز است که سفارشی نداده" if silent else "امروز سفارش داد"
    en = f"no order for {_count(silent, 'day')}" if silent else "ordered today"
    if "gap" not in features:
        return f"{fa}؛ سفارش نخست او بود", f"{en}; it was the first"
    usual = max(1, round(math.exp(features["gap"]) * horizon))
    every = f"{_fa(usual)} روز" if usual > 1 else "روز"
    return f"{fa}؛ معمولاً هر {every} سفارش می‌داد", f"{en}; used to order every {_count(usual, 'day') if usual > 1 else 'day'}"


def _money(features: Features) -> Both:
    ratio = math.exp(features.get("last_money", 0.0))
    share = round(100.0 * ratio)
    return f"آخرین سفارش، {_fa(share)}٪ مبلغ معمول او بود", f"the last order was {share} % of the usual amount"


def _contract(features: Features, horizon: int) -> Both:
    if "left" not in features:
        days = _days(features.get("contract_age", 0.0), horizon)
        return f"قراردادش {_fa(days)} روز است که برقرار است", f"the contract has run for {_count(days, 'day')}"
    if features.get("overdue", 0.0) > 0.0:
        days = _days(features["overdue"], horizon)
        return f"قراردادش {_fa(days)} روز پیش به پایان رسید", f"the contract ended {_count(days, 'day')} ago"
    days = _days(features["left"], horizon)
    return f"{_fa(days)} روز تا پایان قرارداد مانده است", f"the contract ends in {_count(days, 'day')}"


def _happened(kind: str, features: Features) -> Both:
    """How much of it there was, counted as it fades, and whether it is fresh."""
    type_, _, about = kind.partition("|")
    fa, en = KINDS.get(type_, (type_, type_))
    if about:
        fa, en = f"{fa} ({about})", f"{en} ({about})"
    weight = math.expm1(features.get(HAPPENED + kind, 0.0))
    if weight < 0.5:
        return f"{fa}: دیگر نه", f"{en}: not any more"
    fresh = math.expm1(features.get(LATELY + kind, 0.0)) >= 0.5
    return (
        f"{fa}: {'به‌تازگی' if fresh else 'پیش‌تر'}، حدود {_fa(round(weight))} بار",
        f"{en}: {'lately' if fresh else 'earlier'}, about {round(weight)}×",
    )


def _read(topic: str, readings: Mapping[str, Reading]) -> Both:
    """What was read, and not what is left of it in the feature, which fades."""
    name = topic.removeprefix(READ)
    reading = readings.get(name)
    if reading is None:
        return f"{name}: دیگر نه", f"{name}: not any more"
    number = math.sinh(min(reading.mean, 40.0))
    return f"{name}: حدود {_fa(f'{number:.3g}')}", f"{name}: about {number:.3g}"


def _days(feature: float, horizon: int) -> int:
    return round(math.expm1(feature) * horizon)


def _count(number: int, unit: str) -> str:
    return f"{number:,} {unit}" if number == 1 else f"{number:,} {unit}s"


def _fa(number: object) -> str:
    return str(number).translate(DIGITS)
