"""Answers what is wrong in a text that a person wrote, in his language: every mistake with its line, place and the nearest valid word."""

import re
from collections.abc import Sequence

from fastapi import Request

from aggregates.written.problem import Lang
from aggregates.written.problem import Problem as Written
from aggregates.written.standing import said
from api.problem import Mistake, Problem, invalid

MEND = {"en": "Correct the lines that are named, and send it again.", "fa": "سطرهای نام‌برده را درست کنید و دوباره بفرستید."}


UNUSABLE = re.compile(r"\\u[dD][89a-fA-F]|\\u0000|\\x00|\\U0000[dD][89a-fA-F]|\0")
"""Escapes of what no text can hold, in YAML and in JSON."""

CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def decoded(content: bytes) -> str:
    """The text of a body. Raises a 422 problem when it is none."""
    try:
        return usable(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise Problem(422, "invalid_rule", f"The text is not UTF-8 at byte {error.start}.", mend="Send it as UTF-8.") from error


def usable(text: str) -> str:
    """The text, if everything in it can be kept."""
    if UNUSABLE.search(text):
        raise invalid("/", "The text has escapes of NUL or of halves of characters.", "Write the characters themselves, and no NUL.")
    return text


def named(request: Request) -> str:
    """The name in the path; one that nothing can have is that of nothing."""
    name = str(request.path_params["name"])
    if len(name) > 200 or CONTROL.search(name):
        raise Problem(404, "not_found", said("nothing", {}, language(request)), headers={"Content-Language": language(request)})
    return name


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
    mistakes = tuple([mistake(one, lang) for one in problems[:50]])
    first = problems[0]
    return Problem(
        422, reason, first.text(lang), pointer=first.pointer, mend=MEND[lang], errors=mistakes, headers={"Content-Language": lang}
    )


def mistake(problem: Written, lang: Lang) -> Mistake:
    """One of them, as an answer has it."""
    return Mistake(problem.line, problem.pointer, problem.code, problem.message(lang), problem.suggestion or None)
