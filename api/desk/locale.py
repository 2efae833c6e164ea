"""Speaks to one reader: in his language, his calendar, his digits and his zone, as of the moment the page is made.

Reading order: Locale, chosen.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from aggregates import jalali
from api.desk import numerals
from api.desk.catalog import LANGUAGES, RIGHT_TO_LEFT, messages, plural

COOKIE = "yekta_language"

WHOLE = frozenset({"IRR", "IRT", "JPY", "KRW"})
"""Currencies that are not spent in parts."""

YEAR = timedelta(days=365)
_AGES = (("year", 31_536_000), ("month", 2_592_000), ("day", 86_400), ("hour", 3600), ("minute", 60))


def chosen(cookie: str | None) -> str:
    """The language a reader chose, else the first."""
    return cookie if cookie in LANGUAGES else LANGUAGES[0]


@dataclass(frozen=True, slots=True)
class Locale:
    """How one page speaks."""

    language: str
    zone: ZoneInfo
    now: datetime

    @property
    def direction(self) -> str:
        """Which way the page reads."""
        return "rtl" if self.language in RIGHT_TO_LEFT else "ltr"

    def say(self, key: str, /, count: int | None = None, **values: str) -> str:
        """A message with its values; `count` chooses the plural form and is said in it."""
        message = messages(self.language)[key]
        if isinstance(message, str):
            return message.format(**values) if values else message
        if count is None:
            raise TypeError(f"the message {key} depends on a number")
        return message[plural(count, self.language)].format(count=self.number(count), **values)

    def knows(self, key: str) -> bool:
        """Whether there is such a message: systems may send words that nobody has translated yet."""
        return key in messages(self.language)

    def word(self, group: str, name: str) -> str:
        """What a word of the vocabulary is called; an unknown one stays as it is."""
        message = messages(self.language).get(f"{group}.{name}")
        return message if isinstance(message, str) else name

    def within(self, name: str) -> str:
        """A name as it stands within a sentence."""
        return name[:1].lower() + name[1:]

    def join(self, words: Iterable[str]) -> str:
        """Words as a list."""
        return self.say("list.separator").join(words)

    def digits(self, text: str) -> str:
        """The text with the language's digits; not for what people copy."""
        return numerals.digits(text, self.language)

    def number(self, value: int | Decimal) -> str:
        """A number in groups of three."""
        return numerals.number(value, self.language)

    def judged(self, share: float) -> str:
        """A chance in percent: what was only judged is never impossible and never certain."""
        percent = round(share * 100)
        if percent < 1:
            return self.say("percent.under")
        return self.say("percent.over") if percent > 99 else self.say("percent", share=self.number(percent))

    def money(self, value: str, currency: str, *, rounded: bool = False) -> str:
        """A sum with its currency; `rounded` where it is only an average."""
        if rounded and currency in WHOLE:
            value = str(round(Decimal(value)))
        return self.say("money", amount=self.amount(value, currency), currency=self.word("currency", currency))

    def amount(self, value: str, currency: str) -> str:
        """A sum where its currency stands beside it already, as in a table."""
        return numerals.amount(value, self.language, whole=currency in WHOLE)

    def here(self, at: datetime) -> datetime:
        """The time as clocks of the zone show it; what is too near the end of time for that stays in UTC."""
        try:
            return at.astimezone(self.zone)
        except OverflowError:
            return at.astimezone(UTC)

    def clock(self, at: datetime) -> str:
        """The time of day."""
        return self.digits(f"{self.here(at):%H:%M}")

    def dated(self, at: datetime) -> str:
        """The day of a moment in the calendar of the language."""
        return self.day(self.here(at).date())

    def day(self, day: date) -> str:
        """A day in the calendar of the language."""
        return self._date(day, self.language)

    def numeric(self, at: datetime) -> str:
        """The day of a moment as one types it."""
        day = self.here(at).date()
        return self.digits("{}/{:02}/{:02}".format(*jalali.of(day))) if self.language == "fa" else day.isoformat()

    def month(self, month: date) -> str:
        """The month that begins with this day, by the calendar of the language: where months are others there, in which it lies."""
        if self.language != "fa":
            return self.digits(f"{messages(self.language)[f'gregorian.{month.month}']} {month.year}")
        next_month = (month + timedelta(days=31)).replace(day=1)
        begins, ends = (jalali.of(day) for day in (month, next_month - timedelta(days=1)))
        first, last = (messages("fa")[f"jalali.{one.month}"] for one in (begins, ends))
        return self.digits(f"{first}–{last} {ends.year}" if begins.year == ends.year else f"{first} {begins.year}–{last} {ends.year}")

    def moment(self, at: datetime) -> str:
        """Day and time."""
        return self.say("moment", date=self.dated(at), clock=self.clock(at))

    def other(self, at: datetime) -> str:
        """The moment in the other calendar, to the second: shown on demand, for whoever must tell somebody who lives by it."""
        here = self.here(at)
        others = [self._date(here.date(), language) for language in LANGUAGES if language != self.language]
        return " · ".join([self.say(f"weekday.{here.weekday()}"), *others, self.digits(f"{here:%H:%M:%S}")])

    def heading(self, at: datetime) -> str:
        """The day as the heading of what happened on it: near days by name."""
        day = self.here(at).date()
        name = self.say(f"weekday.{day.weekday()}")
        near = {0: "day.today", 1: "day.yesterday"}.get((self.here(self.now).date() - day).days)
        dated = self.say("day.dated", weekday=name, date=self._date(day, self.language))
        return self.say("day.near", near=self.say(near), date=dated) if near else dated

    def ago(self, at: datetime, now: datetime | None = None) -> str:
        """How long ago, roughly, in one unit; `now` is another's, where time is replayed."""
        seconds = int(((now or self.now) - at).total_seconds())
        if seconds < 0:
            return self.say("ago.ahead")
        for unit, length in _AGES:
            if seconds >= length:
                return self.say(f"ago.{unit}", seconds // length)
        return self.say("ago.now")

    def since(self, at: datetime) -> str:
        """How long ago; of what is more than a year ago the day, which is also right of who lives in a time that is replayed."""
        return self.ago(at) if self.now - at < YEAR else self.dated(at)

    def duration(self, seconds: float) -> str:
        """How long something took, in its two largest units."""
        whole = round(seconds)
        parts = [("hour", whole // 3600), ("minute", whole // 60 % 60), ("second", whole % 60)]
        told = [(unit, count) for unit, count in parts if count][:2] or [("second", 0)]
        return self.say("duration.and").join(self.say(f"duration.{unit}", count) for unit, count in told)

    def _date(self, day: date, language: str) -> str:
        if language == "fa":
            persian = jalali.of(day)
            if persian.year < 1:
                return day.isoformat()
            name = messages(self.language)[f"jalali.{persian.month}"]
            return self.digits(f"{persian.day} {name} {persian.year}")
        name = messages(self.language)[f"gregorian.{day.month}"]
        return self.digits(f"{day.day} {name} {day.year}")
