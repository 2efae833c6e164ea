"""Says a rule or a segment as a sentence, in English or Persian, for people who read no YAML. Reading order: of_rule, of_segment, parts.

Types of events and scores are called what `named` calls them. Names that somebody gave (campaigns, teams) stand as they are; so do
channels and purposes that are none of the usual. Digits are Latin: whoever shows a sentence writes them as he writes all.
"""

from collections.abc import Callable, Iterable
from datetime import timedelta

from aggregates.rules.pattern import Equals, Expression, Pattern
from aggregates.rules.rule import (
    Absence,
    ConsentIs,
    Contact,
    Count,
    Guard,
    Not,
    PercentileIs,
    Rule,
    ScoreIs,
    ScoreRise,
    SegmentChange,
    SegmentIs,
    Sequence,
    Unless,
)
from aggregates.rules.segment import Segment
from aggregates.rules.window import Rolling, Window
from aggregates.written.problem import Lang

Named = Callable[[str], str]
"""What a type or a score is called where the sentence is read."""

UNITS = ((604_800, "week"), (86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))

WORDS: dict[Lang, dict[str, str]] = {
    "en": {
        "week": "{n} weeks", "day": "{n} days", "hour": "{n} hours", "minute": "{n} minutes", "second": "{n} seconds",
        "one week": "1 week", "one day": "1 day", "one hour": "1 hour", "one minute": "1 minute", "one second": "1 second",
        "and": " and ", "or": " or ", "then": ", then ", "times": "{type} at least {n} times {window}", "once": "{type} {window}",
        "within": "within {span}", "in day": "in a day", "in week": "in a week", "in month": "in a month",
        "in jalali_month": "in a Jalali month", "sequence": "{steps}, in this order, {window}",
        "absent": "after {after} there was no {absent} for {span}", "rise": "the score {score} rises to {height}",
        "rearm": " (again once it was below {height})", "entered": "the customer enters {segment}", "left": "the customer leaves {segment}",
        "score at_least": "the score {of} is at least {height}", "score below": "the score {of} is below {height}",
        "percentile at_least": "{of} is in the highest {rest} of a hundred",
        "percentile below": "{of} is not in the highest {rest} of a hundred",
        "consent": "he allows {purpose}", "consent channel": "he allows {purpose} by {channel}", "member": "he is in {segment}",
        "not": "not: {guard}", "where": "{type} ({where})", "wait": "wait {span}", "unless": "unless {event} came since the first of it",
        "unless within": "unless {event} came in the {span} before", "notify": "tell {target}",
        "contact": "approach the customer with {contact} ({purpose}), by {prefer}", "cooldown": "then leave him alone for {span}",
        "holdout": "keep {share} out to compare with", "when": "When {when}", "if": ", if {checks}", "do": ": {acts}.",
        "segment": "Customers of whom this is so: {checks}.", "name customer": "the channel he prefers",
        "name sms": "SMS", "name email": "e-mail", "name call": "phone", "name agent_offer": "an agent's offer",
        "name partner_visit": "a partner's visit", "name in_app": "a message in the app",
    },
    "fa": {
        "week": "{n} هفته", "day": "{n} روز", "hour": "{n} ساعت", "minute": "{n} دقیقه", "second": "{n} ثانیه",
        "one week": "1 هفته", "one day": "1 روز", "one hour": "1 ساعت", "one minute": "1 دقیقه", "one second": "1 ثانیه",
        "and": " و ", "or": " یا ", "then": "، سپس ", "times": "{type} دست‌کم {n} بار {window} رخ داده باشد",
        "once": "{type} {window} رخ داده باشد",
        "within": "در {span}", "in day": "در یک روز", "in week": "در یک هفته", "in month": "در یک ماه میلادی",
        "in jalali_month": "در یک ماه شمسی", "sequence": "{steps}، به همین ترتیب، {window}",
        "absent": "پس از {after} تا {span} هیچ {absent} نیامد", "rise": "امتیاز {score} به {height} رسید",
        "rearm": " (دوباره، وقتی زیر {height} رفته باشد)", "entered": "مشتری به {segment} درآمد", "left": "مشتری از {segment} بیرون رفت",
        "score at_least": "امتیاز {of} دست‌کم {height} باشد", "score below": "امتیاز {of} کمتر از {height} باشد",
        "percentile at_least": "{of} در {rest} درصد بالا باشد", "percentile below": "{of} در {rest} درصد بالا نباشد",
        "consent": "{purpose} را اجازه داده باشد", "consent channel": "{purpose} را از راه {channel} اجازه داده باشد",
        "member": "در {segment} باشد", "not": "چنین نباشد: {guard}", "where": "{type} ({where})", "wait": "{span} صبر کن",
        "unless": "مگر {event} از آغازِ آن آمده باشد", "unless within": "مگر {event} در {span} پیش از آن آمده باشد",
        "notify": "به {target} خبر بده", "contact": "با {contact} ({purpose}) سراغ مشتری برو، از راه {prefer}",
        "cooldown": "سپس تا {span} کاری به او نداشته باش", "holdout": "{share} را برای مقایسه کنار بگذار", "when": "وقتی {when}",
        "if": "، اگر {checks}", "do": ": {acts}.", "segment": "مشتریانی که برایشان {checks}.", "name customer": "کانالی که خودش می‌پسندد",
        "name sms": "پیامک", "name email": "ایمیل", "name call": "تماس تلفنی", "name agent_offer": "پیشنهاد کارشناس",
        "name partner_visit": "بازدید نماینده", "name in_app": "درون برنامه", "name service": "خدمات", "name retention": "نگهداشت",
        "name marketing": "بازاریابی",
    },
}  # fmt: skip


def of_rule(rule: Rule, lang: Lang, named: Named = str) -> str:
    """The whole rule."""
    say = _Saying(lang, named)
    acts = [say.word("wait", span=say.span(rule.wait))] if rule.wait else []
    match rule.do:
        case Contact(campaign, purpose, prefer):
            channels = say.join("or", map(say.name, prefer))
            acts.append(say.word("contact", contact=campaign, purpose=say.name(purpose), prefer=channels))
        case notify:
            acts.append(say.word("notify", target=notify.target))
    acts += [say.unless(one) for one in rule.unless]
    if rule.cooldown:
        acts.append(say.word("cooldown", span=say.span(rule.cooldown)))
    if rule.holdout:
        acts.append(say.word("holdout", share=f"{rule.holdout * 100:g}%"))
    checks = say.word("if", checks=say.guards(rule.checks)) if rule.checks else ""
    return say.word("when", when=say.when(rule)) + checks + say.word("do", acts=say.join("semicolon", acts))


def of_segment(segment: Segment, lang: Lang, named: Named = str) -> str:
    """The whole segment."""
    say = _Saying(lang, named)
    return say.word("segment", checks=say.guards(segment.checks))


def lasting(span: timedelta, lang: Lang) -> str:
    """A time in words."""
    return _Saying(lang).span(span)


class _Saying:
    """The parts, in one language."""

    def __init__(self, lang: Lang, named: Named = str) -> None:
        self._words, self._named = WORDS[lang], named
        self._semicolon = "; " if lang == "en" else "؛ "

    def word(self, code: str, **words: object) -> str:
        return self._words[code].format(**words)

    def name(self, name: str) -> str:
        """A channel or a purpose."""
        return self._words.get(f"name {name}", name)

    def join(self, code: str, parts: Iterable[str]) -> str:
        return (self._semicolon if code == "semicolon" else self._words[code]).join(parts)

    def span(self, span: timedelta) -> str:
        left, said = int(span.total_seconds()), []
        for size, name in UNITS:
            if size == 604_800 and left % size:
                continue  # whole weeks only
            count, left = divmod(left, size)
            if count:
                said.append(self.word(f"one {name}") if count == 1 else self.word(name, n=count))
        return self.join("and", said) or self.word("second", n=0)

    def pattern(self, pattern: Pattern) -> str:
        match pattern.where:
            case Equals(fields):
                where = self.join("and", [f"{name} = {value}" for name, value in fields])
            case Expression(text):
                where = text
            case _:
                return self._named(pattern.type)
        return self.word("where", type=self._named(pattern.type), where=where)

    def window(self, window: Window) -> str:
        return self.word("within", span=self.span(window.within)) if isinstance(window, Rolling) else self.word(f"in {window.period}")

    def count(self, count: Count) -> str:
        said = {"type": self.pattern(count.pattern), "window": self.window(count.window)}
        return self.word("once", **said) if count.least == 1 else self.word("times", n=count.least, **said)

    def when(self, rule: Rule) -> str:
        match rule.when:
            case Count() as count:
                return self.count(count)
            case Sequence(steps, window):
                return self.word("sequence", steps=self.join("then", map(self.pattern, steps)), window=self.window(window))
            case Absence(after, absent, lasting):
                return self.word("absent", after=self.pattern(after), absent=self.pattern(absent), span=self.span(lasting))
            case ScoreRise(score, height, below):
                rearm = self.word("rearm", height=f"{below:g}") if below != height else ""
                return self.word("rise", score=self._named(score), height=f"{height:g}") + rearm
            case SegmentChange(segment, change):
                return self.word(change, segment=segment)

    def guards(self, guards: Iterable[Guard]) -> str:
        return self.join("and", map(self.guard, guards))

    def guard(self, guard: Guard) -> str:
        match guard:
            case Count() as count:
                return self.count(count)
            case ScoreIs(of, low, high):
                return (
                    self.word("score at_least", of=self._named(of), height=f"{low:g}")
                    if low is not None
                    else self.word("score below", of=self._named(of), height=f"{high:g}")
                )
            case PercentileIs(of, low, high):
                bound = low if low is not None else high
                return self.word(
                    "percentile at_least" if low is not None else "percentile below", of=self._named(of), rest=f"{100 - (bound or 0):g}"
                )
            case ConsentIs(purpose, channel):
                purpose = self.name(purpose)
                return (
                    self.word("consent channel", purpose=purpose, channel=self.name(channel))
                    if channel
                    else self.word("consent", purpose=purpose)
                )
            case SegmentIs(segment):
                return self.word("member", segment=segment)
            case Not(inner):
                return self.word("not", guard=self.guard(inner))

    def unless(self, unless: Unless) -> str:
        event = self.pattern(unless.pattern)
        return (
            self.word("unless", event=event)
            if unless.within is None
            else self.word("unless within", event=event, span=self.span(unless.within))
        )
