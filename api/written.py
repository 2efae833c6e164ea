"""Answers what is wrong in a text that a person wrote, in his language: every mistake with its line, place and the nearest valid word."""

from collections.abc import Sequence

from fastapi import Request

from aggregates.written.problem import Lang
from aggregates.written.problem import Problem as Written
from api.problem import Mistake, Problem

MEND = {"en": "Correct the lines that are named, and send it again.", "fa": "سطرهای نام‌برده را درست کنید و دوباره بفرستید."}


def language(request: Request) -> Lang:
    """Persian, where the one who asks would rather have it than English."""
    wanted: dict[str, float] = {}
    for part in request.headers.get("accept-language", "").lower().split(","):
        name, _, quality = part.strip().partition(";q=")
        try:
            wanted[name.partition("-")[0]] = max(wanted.get(name.partition("-")[0], 0.0), float(quality or 1))
        except ValueError:
            continue
    return "fa" if wanted.get("fa", 0) > wanted.get("en", 0) else "en"


def refused(problems: Sequence[Written], lang: Lang, reason: str = "invalid_rule") -> Problem:
    """The problem that says all of them; its pointer is the first one's."""
    mistakes = tuple([Mistake(one.line, one.pointer, one.code, one.message(lang), one.suggestion or None) for one in problems[:50]])
    first = problems[0]
    return Problem(
        422, reason, first.text(lang), pointer=first.pointer, mend=MEND[lang], errors=mistakes, headers={"Content-Language": lang}
    )
