"""The sentences about what cannot be done with a rule or a segment as it stands, in both languages."""

from collections.abc import Mapping

from aggregates.written.problem import Lang

KINDS = {"rule": {"en": "rule", "fa": "قاعده‌ای"}, "segment": {"en": "segment", "fa": "بخش‌بندی‌ای"}}

STATES = {
    "draft": {"en": "a draft", "fa": "پیش‌نویس"},
    "awaiting_approval": {"en": "awaiting approval", "fa": "در انتظار تأیید"},
    "published": {"en": "published", "fa": "منتشرشده"},
    "paused": {"en": "paused", "fa": "متوقف"},
    "retired": {"en": "retired", "fa": "بازنشسته"},
}

VERBS = {
    "pause": {"en": "be paused", "fa": "متوقف"},
    "resume": {"en": "be resumed", "fa": "از سر گرفته"},
    "retire": {"en": "be retired", "fa": "بازنشسته"},
}

SENTENCES = {
    "unknown": {"en": "There is no {kind} of this name.", "fa": "{kind} به این نام نیست."},
    "nothing": {"en": "Nothing has such a name.", "fa": "هیچ چیز چنین نامی ندارد."},
    "changed": {
        "en": "Somebody changed {name} since you looked at it: read it again.",
        "fa": "پس از آنکه {name} را دیدید کسی آن را عوض کرده است: دوباره بخوانیدش.",
    },
    "not_in_force": {
        "en": "{name} is {state}: only what is published or paused can {verb}.",
        "fa": "{name} {state} است: تنها آنچه منتشرشده یا متوقف است {verb} می‌شود.",
    },
    "nothing_awaits": {
        "en": "{name} is {state}: nothing of it awaits approval.",
        "fa": "{name} {state} است: چیزی از آن در انتظار تأیید نیست.",
    },
    "may_change": {
        "en": "Nobody asked for {name} to be published: its draft may still change.",
        "fa": "کسی انتشار {name} را نخواسته است: پیش‌نویس آن هنوز شاید عوض شود.",
    },
    "by_another": {
        "en": "{name} awaits the approval of somebody other than {author}, who wrote it.",
        "fa": "{name} در انتظار تأیید کسی جز {author} است که آن را نوشته است.",
    },
    "no_draft": {
        "en": "There is no draft of {name}: post its text first.",
        "fa": "{name} پیش‌نویسی ندارد: نخست متن آن را بفرستید.",
    },
    "is_paused": {"en": "{name} is paused: resume it.", "fa": "{name} متوقف است: از سرش بگیرید."},
    "others": {"en": "Others are changing {name} at this moment.", "fa": "همین دم دیگران {name} را عوض می‌کنند."},
}


def said(code: str, words: Mapping[str, str], lang: Lang = "en") -> str:
    """The sentence; kinds, states and verbs are said in its language."""
    named = {"kind": KINDS, "state": STATES, "verb": VERBS}
    told = {name: named[name][word][lang] if name in named else word for name, word in words.items()}
    return SENTENCES[code][lang].format(**told)
