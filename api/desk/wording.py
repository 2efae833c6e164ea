"""Says what is wrong with a text and what went wrong on the way out, in the reader's language; codes stand apart and read as machines do.

Reading order: told, went, capped.
"""

import re
from collections.abc import Sequence

from markupsafe import Markup, escape

from aggregates.contact_policy.policy import ALL
from aggregates.rules.sentence import lasting
from aggregates.written.messages import MEANT, MESSAGES, PLACE
from aggregates.written.problem import Lang, Problem
from aggregates.written.span import span
from api.desk.locale import Locale

_NUMBER = re.compile(r"\d+(?:\.\d+)?%?")
_CODE = Markup('<bdi dir="ltr" class="code">{}</bdi>')

_WAYS = frozenset({"way", "channel"})
"""What a way out is called in sentences: by deliveries, and by what is wrong with a text."""

_WENT = tuple(
    (re.compile(pattern), key)
    for pattern, key in (
        (r"no phone number of the customer is known", "went.no_phone"),
        (r"no e-mail address of the customer is known", "went.no_email"),
        (r"it names no customer", "went.nobody"),
        (r"nothing was decided about it", "went.undecided"),
        (r"(?:it was )?withdrawn", "went.withdrawn"),
        (r"nothing is set up that would send by (?P<way>\S+)", "went.no_way"),
        (r"the webhook was deleted", "went.deleted"),
        (r"its secret was erased: register it anew", "went.no_secret"),
        (r"the receiver answered (?P<word>410): it is gone", "went.gone"),
        (r"answered (?P<word>\d+)", "went.answered"),
        (r"no answer within (?P<word>\S+) s", "went.unanswered"),
        (r"the gateway did not say that it took the message", "went.not_taken"),
        (r"the gateway refused the number", "went.no_such_number"),
        (r"the mail server refused the address", "went.no_such_address"),
        (r"the mail server answered (?P<word>\d+)", "went.mail_answered"),
        (r"(?P<word>\w+): the mail server cannot be used", "went.mail_away"),
        (r"the message center is not connected", "went.center_away"),
        (r"the message center did not answer within (?P<word>\S+) s", "went.center_unanswered"),
        (r"the message center answered (?P<word>\S+)", "went.center_answered"),
        (r"the message center has it, and has not said that it takes it", "went.center_unsaid"),
        (r"it could not be sent: (?P<word>\w+)", "went.unsendable"),
        (r"\w+: (?P<word>\S+) has no address", "went.no_host"),
        (r"(?P<word>[A-Z]\w+(?:Error|Timeout))(?:: .*)?", "went.no_connection"),
        (r"(?P<host>\S+) is at (?P<address>\S+), which is not .* (?P<setting>YEKTA_\w+=\S+)\.", "went.inside"),
        (r"It is no address: .*", "went.no_address"),
        (r"It is no absolute http or https address without a user and a fragment\.", "went.no_address"),
        (r"Only https goes beyond .* (?P<word>YEKTA_\w+) .*", "went.no_https"),
        (r"A webhook names at least one of .*", "went.no_types"),
        (r"This webhook is registered already: .*", "went.registered"),
        (r"The webhook changed since it was looked at: .*", "went.changed"),
        (r"The webhook was deleted: register another\.", "went.over"),
        (r"Others change this webhook .*", "went.busy"),
    )
)


def told(problems: Sequence[Problem], locale: Locale) -> list[Markup]:
    """Each mistake in a text as a line: where, what, and what to write instead."""
    lang: Lang = "fa" if locale.language == "fa" else "en"
    lines = []
    for one in problems:
        place = {"line": locale.digits(str(one.line)), "pointer": _CODE.format(one.pointer or "/")}
        lines.append(_framed(PLACE[lang], **place, message=_message(one, lang, locale)))
    return lines


def went(error: str, locale: Locale) -> Markup:
    """What went wrong with a delivery or an address; what nobody has translated stays as it was noted."""
    for pattern, key in _WENT:
        if found := pattern.fullmatch(error):
            return _framed(locale.say(key), **{name: _named(name, value, locale) for name, value in found.groupdict().items()})
    return Markup('<bdi lang="en" dir="ltr">{}</bdi>').format(error)


def capped(cap: str, locale: Locale) -> str:
    """The cap that kept somebody silent, as its reason names it: `all/7d`, `sms,call/1d`."""
    channels, _, written = cap.rpartition("/")
    within = span(written)
    ways = locale.say("capped.all") if channels == ALL else locale.join(locale.word("way", one) for one in channels.split(","))
    lang: Lang = "fa" if locale.language == "fa" else "en"
    return locale.say("capped.within", ways=ways, span=locale.digits(lasting(within, lang))) if within else cap


def _message(problem: Problem, lang: Lang, locale: Locale) -> Markup:
    message = _framed(MESSAGES[problem.code][lang], **{name: _named(name, value, locale) for name, value in problem.words.items()})
    return message + _framed(MEANT[lang], _word(problem.suggestion, locale)) if problem.suggestion else message


def _named(name: str, value: str, locale: Locale) -> Markup:
    """A way out by its name, if it has one; anything else as it was noted."""
    return escape(locale.word("way", value)) if name in _WAYS and locale.knows(f"way.{value}") else _word(value, locale)


def _word(value: str, locale: Locale) -> Markup:
    """A word of what was written: a number in the reader's digits, anything else apart from the sentence around it."""
    return escape(locale.digits(value)) if _NUMBER.fullmatch(value) else Markup('<bdi class="code">{}</bdi>').format(value)


def _framed(sentence: str, *words: str, **values: str) -> Markup:
    return escape(sentence).format(*words, **values)
