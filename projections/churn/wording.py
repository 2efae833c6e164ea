"""Turns a topic and what it was told from into one sentence, in Persian and in English. Reading order: sentence, named."""

import math

from aggregates.churn import Definition
from projections.churn.features import HAPPENED, LATELY, READ, SAID, Features
from projections.churn.state import State

DIGITS = str.maketrans("0123456789,.", "۰۱۲۳۴۵۶۷۸۹٬٫")

KINDS = {
    "complaint": ("شکایت", "complaint"),
    "call.ringing": ("زنگ تلفن", "ringing call"),
    "call.queued": ("انتظار در صف تلفن", "call in a queue"),
    "call.answered": ("پاسخ به تلفن", "answered call"),
    "call.ended": ("گفت‌وگوی تلفنی", "call"),
    "call.abandoned": ("تماس بی‌پاسخ", "abandoned call"),
    "call.wrapped_up": ("جمع‌بندی تماس", "call summed up"),
    "web.page_viewed": ("بازدید از سایت", "page view"),
    "web.product_viewed": ("بازدید از کالا", "product view"),
    "web.cart_updated": ("تغییر سبد خرید", "change of the cart"),
    "web.form_submitted": ("پر کردن فرم", "form sent"),
    "sales.order_placed": ("سفارش", "order"),
    "sales.order_cancelled": ("لغو سفارش", "cancelled order"),
    "sales.order_returned": ("مرجوعی", "return"),
    "sales.payment_received": ("پرداخت", "payment"),
    "sales.visit_held": ("دیدار فروشنده", "sales visit"),
    "sales.quote_sent": ("پیش‌فاکتور", "quote"),
    "reseller.sale_reported": ("خرید از نماینده", "purchase from a reseller"),
    "reseller.return_reported": ("مرجوعی", "return"),
    "reseller.lead_registered": ("معرفی از سوی نماینده", "lead of a reseller"),
    "consent.given": ("رضایت", "consent"),
    "consent.withdrawn": ("پس گرفتن رضایت", "withdrawn consent"),
    "subscription.started": ("آغاز قرارداد", "contract begun"),
    "subscription.renewed": ("تمدید قرارداد", "contract renewed"),
    "subscription.cancelled": ("لغو قرارداد", "contract cancelled"),
    "service.request_opened": ("درخواست", "request"),
    "service.request_changed": ("تغییر درخواست", "request changed"),
    "service.request_linked": ("پیوند درخواست", "request linked"),
    "service.request_noted": ("یادداشت روی درخواست", "note on a request"),
    "service.request_waiting": ("درخواست در انتظار مشتری", "request that waits for the customer"),
    "service.request_resumed": ("ادامهٔ درخواست", "request taken up again"),
    "service.request_promised": ("قول به مشتری", "promise"),
    "service.promise_kept": ("قولی که نگه داشته شد", "promise kept"),
    "service.promise_broken": ("قولی که شکسته شد", "promise broken"),
    "service.request_escalated": ("ارجاع درخواست به سطح بالاتر", "request escalated"),
    "service.request_resolved": ("درخواست حل‌شده", "request resolved"),
    "service.satisfaction_asked": ("پرسش از رضایت", "satisfaction asked"),
    "service.request_rated": ("امتیاز رضایت", "rating"),
    "service.request_reopened": ("باز شدن دوبارهٔ درخواست", "request opened again"),
    "service.request_closed": ("درخواست بسته‌شده", "request closed"),
    "service.request_cancelled": ("درخواست لغوشده", "request cancelled"),
    "service.request_merged": ("یکی شدن درخواست‌ها", "requests merged"),
    "contact.made": ("تماس ما", "contact by us"),
    "contact.delivered": ("پیام رسیده", "message delivered"),
    "contact.opened": ("پیام بازشده", "message opened"),
    "contact.clicked": ("کلیک روی پیام", "message clicked"),
    "contact.answered": ("پاسخ به تماس ما", "contact answered"),
    "contact.refused": ("رد تماس ما", "contact refused"),
}
"""Types that have a name of their own; another is told as it is written."""

FIELDS = {
    "campaign": ("کمپین", "campaign"),
    "category": ("دسته", "category"),
    "channel": ("کانال", "channel"),
    "direction": ("جهت", "direction"),
    "duration_seconds": ("مدت", "duration"),
    "form": ("فرم", "form"),
    "hold_seconds": ("نگه داشتن پشت خط", "time on hold"),
    "interest": ("علاقه", "interest"),
    "level": ("سطح", "level"),
    "method": ("روش", "method"),
    "minutes": ("مدت", "duration"),
    "name": ("نام", "name"),
    "outcome": ("نتیجه", "outcome"),
    "page": ("صفحه", "page"),
    "payment": ("روش پرداخت", "payment"),
    "period": ("دوره", "period"),
    "plan": ("طرح", "plan"),
    "position": ("جایگاه در صف", "place in the queue"),
    "price": ("قیمت", "price"),
    "priority": ("اولویت", "priority"),
    "purpose": ("هدف", "purpose"),
    "quantity": ("تعداد", "quantity"),
    "queue": ("صف", "queue"),
    "reason": ("دلیل", "reason"),
    "reseller": ("نماینده", "reseller"),
    "score": ("امتیاز", "score"),
    "shipping": ("هزینهٔ ارسال", "shipping"),
    "store": ("فروشگاه", "store"),
    "talk_seconds": ("گفت‌وگو", "talk"),
    "value": ("ارزش", "value"),
    "wait_seconds": ("انتظار", "wait"),
}
"""The same of fields."""

UNITS = {"seconds": ("ثانیه", "second"), "minutes": ("دقیقه", "minute"), "hours": ("ساعت", "hour"), "days": ("روز", "day")}
"""What is counted by a field whose name ends so."""

TOLD = 0.2
"""By how much a number, as a logarithm, differs from what is usual before that is told: a fifth."""

Both = tuple[str, str]
"""Persian, English."""


def sentence(topic: str, features: Features, definition: Definition, state: State) -> Both:
    """What is so, not whether it is good: that is what the number beside it says. Of a line of products its name is told with it, for of
    others there may have been more."""
    fa, en = _sentence(topic, features, definition.horizon, state)
    if not definition.only or topic not in OF_A_LINE:
        return fa, en
    said = [(FIELDS.get(field, (field, field)), words) for field, words in definition.only.items()]
    line = ["، ".join(f"{name[0]}: {' یا '.join(words)}" for name, words in said), ", ".join(f"{n[1]}: {' or '.join(w)}" for n, w in said)]
    return f"{fa} ({line[0]})", f"{en} ({line[1]})"


OF_A_LINE = frozenset({"rhythm", "tenure", "money", "contract", "discount"})
"""What is counted of the purchases or contracts that the definition is about."""


def _sentence(topic: str, features: Features, horizon: int, state: State) -> Both:
    if topic == "rhythm":
        return _rhythm(features, horizon, state)
    if topic == "tenure":
        days = _days(features.get("tenure", 0.0), horizon)
        return (f"{_fa(days)} روز است که مشتری است", f"a customer for {_count(days, 'day')}") if days else TODAY["tenure"]
    if topic == "money":
        return _money(features, state)
    if topic == "contract":
        return _contract(features, horizon, state)
    if topic.startswith(HAPPENED):
        return _happened(topic.removeprefix(HAPPENED), features)
    if topic.startswith(SAID):
        field, _, word = topic.removeprefix(SAID).partition("=")
        fa, en = FIELDS.get(field, (field, field))
        return f"{fa}: {word}", f"{en}: {word}"
    if topic == "discount":
        return _discount(state)
    if topic.startswith(READ):
        return _read(topic.removeprefix(READ), state)
    return FIXED.get(topic, FIXED["everybody"])


def named(topic: str) -> Both:
    """What a company's own types and fields speak of, in a few words."""
    if topic.startswith((HAPPENED, LATELY)):
        return _kind(topic.partition(":")[2])
    if topic.startswith(READ):
        type_, field = _apart(topic.removeprefix(READ))
        return f"{type_[0]}: {field[0]}", f"{type_[1]}: {field[1]}"
    if topic.startswith(SAID):
        field_, _, word = topic.removeprefix(SAID).partition("=")
        fa, en = FIELDS.get(field_, (field_, field_))
        return f"{fa}: {word}", f"{en}: {word}"
    return topic, topic


TODAY: dict[str, Both] = {
    "tenure": ("از امروز مشتری است", "a customer since today"),
    "first": ("امروز برای نخستین بار سفارش داد", "ordered today for the first time"),
    "began": ("قراردادش امروز آغاز شد", "the contract began today"),
    "ended": ("قراردادش امروز به پایان رسید", "the contract ended today"),
    "ends": ("قراردادش امروز به پایان می‌رسد", "the contract ends today"),
}
"""Where the number of days is none."""

FIXED: dict[str, Both] = {
    "discount": ("سهم تخفیف در سفارش‌هایش", "the share of discounts in the orders"),
    "season": ("فصل سال", "the season"),
    "everybody": ("آنچه برای همهٔ مشتریان یکسان است", "what is the same for all customers"),
}


def _rhythm(features: Features, horizon: int, state: State) -> Both:
    """The last order, beside how often he used to order: on average, as anybody can count it from the days of his orders."""
    rhythm = state.rhythm
    if rhythm is None or "prior" not in features:
        return "هنوز سفارشی نداده است", "has not ordered yet"
    silent = _days(features.get("silence", 0.0), horizon)
    if not rhythm.gaps:
        since = f"{_fa(silent)} روز است که پس از نخستین سفارش سفارشی نداده", f"no order for {_count(silent, 'day')} since the first"
        return since if silent else TODAY["first"]
    usual = max(1, round((math.floor(rhythm.last) - math.floor(rhythm.first)) / rhythm.gaps))
    fa, en = (f"{_fa(usual)} روز", _count(usual, "day")) if usual > 1 else ("روز", "day")
    if not silent:
        return f"امروز سفارش داد؛ معمولاً هر {fa} سفارش می‌دهد", f"ordered today; orders every {en} on average"
    return (
        f"{_fa(silent)} روز است که سفارشی نداده؛ معمولاً هر {fa} سفارش می‌داد",
        f"no order for {_count(silent, 'day')}; used to order every {en}",
    )


def _money(features: Features, state: State) -> Both:
    if state.rhythm is None or state.rhythm.purses < 2:
        return "مبلغ خرید", "the amount spent"
    share = round(100.0 * math.exp(features.get("last_money", 0.0)))
    fa, en = f"آخرین سفارش، {_fa(f'{share:,}')}٪ مبلغ معمول او بود", f"the last order was {share:,} % of the usual amount"
    if state.rhythm.purses <= 3 or abs(down := features.get("trading_down", 0.0)) < TOLD:
        return fa, en
    few = round(100.0 * math.exp(down))
    return f"{fa} و چند سفارش آخر، حدود {_fa(f'{few:,}')}٪", f"{en}, the last few about {few:,} %"


def _contract(features: Features, horizon: int, state: State) -> Both:
    """How long there is one, or when it ends: of several the last."""
    if "left" not in features:
        days = _days(features.get("contract_age", 0.0), horizon)
        return (f"{_fa(days)} روز است که قرارداد دارد", f"under contract for {_count(days, 'day')}") if days else TODAY["began"]
    several = len(state.contracts)
    fa, en = (f"آخرین قرارداد از {several} قراردادش".translate(DIGITS), f"the last of {several} contracts") if several > 1 else ("", "")
    fa, en = fa or "قراردادش", en or "the contract"
    if features.get("overdue", 0.0) > 0.0:
        days = _days(features["overdue"], horizon)
        return (f"{fa} {_fa(days)} روز پیش به پایان رسید", f"{en} ended {_count(days, 'day')} ago") if days else TODAY["ended"]
    days = _days(features["left"], horizon)
    return (f"{_fa(days)} روز تا پایان {fa} مانده است", f"{en} ends in {_count(days, 'day')}") if days else TODAY["ends"]


def _happened(kind: str, features: Features) -> Both:
    """How much of it there was, counted as it fades, and whether it is fresh."""
    fa, en = _kind(kind)
    weight = math.expm1(features.get(HAPPENED + kind, 0.0))
    if weight < 0.5:
        return f"{fa}: دیگر نه", f"{en}: not any more"
    fresh = math.expm1(features.get(LATELY + kind, 0.0)) >= 0.5
    return (
        f"{fa}: {'به‌تازگی' if fresh else 'پیش‌تر'}، حدود {_fa(f'{round(weight):,}')} بار",
        f"{en}: {'lately' if fresh else 'earlier'}, about {round(weight):,}×",
    )


def _discount(state: State) -> Both:
    known = state.readings.get("discount")
    share = 0 if known is None else round(100.0 * known.mean)
    return (f"در سفارش‌هایش حدود {_fa(share)}٪ تخفیف گرفت", f"about {share} % off the orders' price") if share else FIXED["discount"]


def _read(name: str, state: State) -> Both:
    """What was read, and not what is left of it in the feature, which fades; and what is usual of him, where that is another number."""
    type_, field = _apart(name)
    reading = state.readings.get(name)
    if reading is None:
        return f"{type_[0]}: {field[0]} دیگر نه", f"{type_[1]}: {field[1]} not any more"
    written, usual = (_written(math.sinh(min(mean, 40.0))) for mean in (reading.mean, reading.usual))
    fa, en = UNITS.get(name.rpartition(".")[2].rpartition("_")[2], ("", ""))
    fa, en = f" {fa}" if fa else "", f" {en}{'' if written == '1' else 's'}" if en else ""
    told = f"{type_[0]}: {field[0]} حدود {_fa(written)}{fa}", f"{type_[1]}: {field[1]} about {written}{en}"
    if abs(reading.mean - reading.usual) < TOLD or written == usual:
        return told
    return f"{told[0]}؛ معمولاً حدود {_fa(usual)}", f"{told[1]}; usually about {usual}"


def _kind(kind: str) -> Both:
    """A kind of happenings, and what they were said to be about."""
    type_, _, about = kind.partition("|")
    fa, en = KINDS.get(type_, (type_, type_))
    if not about:
        return fa, en
    field, _, word = about.partition("=")
    its = FIELDS.get(field, (field, field))
    return f"{fa} ({its[0]}: {word})", f"{en} ({its[1]}: {word})"


def _apart(name: str) -> tuple[Both, Both]:
    """The type and the field of a number."""
    type_, _, field = name.rpartition(".")
    return KINDS.get(type_, (type_, type_)), FIELDS.get(field, (field, field))


def _written(number: float) -> str:
    """A number with as many digits as it has to say."""
    return f"{float(f'{number:.3g}'):,.0f}" if abs(number) >= 1_000.0 else "0" if abs(number) < 0.005 else f"{number:.3g}"


def _days(feature: float, horizon: int) -> int:
    return round(math.expm1(feature) * horizon)


def _count(number: int, unit: str) -> str:
    return f"{number:,} {unit}" if number == 1 else f"{number:,} {unit}s"


def _fa(number: int | str) -> str:
    return (f"{number:,}" if isinstance(number, int) else number).translate(DIGITS)
