"""What pages of rules and of segments share: texts as sentences, the editor that judges while one writes, and commands.

Reading order: editor, unseen, checked, hinted, command, offered.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from markupsafe import Markup

from aggregates.access import Role
from aggregates.contracts import CONTRACTS
from aggregates.declaration import VERBS, Kind
from aggregates.rules import reading, segment, sentence
from aggregates.rules.window import PERIODS
from aggregates.written.problem import Lang
from aggregates.written.problem import Problem as Written
from api import hints, problem
from api.access import Caller
from api.declared import APPROVERS, LONGEST, WRITERS, newest
from api.declaring import Declaring
from api.desk import rule_form
from api.desk.forms import form
from api.desk.locale import Locale
from api.desk.ranging import RANGES
from api.desk.rendering import HEADERS, locale_of, page, part
from api.desk.visitor import acting
from api.desk.wording import told
from api.ports import Dependencies
from api.problem import not_found
from api.segments import circles
from api.written import named, usable
from projections.declared import table as declared
from projections.declared.table import Row


class Since(NamedTuple):
    """What a page showed when somebody began to change a text there."""

    name: str
    number: int  # of the latest decision about it


NAMELESS = "…"
"""What stands in the place of the name until somebody gives one."""

WINDOWS = ("1h", "1d", "7d", "30d", "90d", *PERIODS)
OFFERED: Mapping[str, tuple[str, ...]] = {
    "draft": ("publish", "discard"),
    "awaiting_approval": ("approve", "reject", "discard"),
    "published": ("pause", "retire"),
    "paused": ("resume", "retire"),
    "retired": (),
}
ASKED = {"rule": ("rule.retire", "rule.retire.more"), "segment": ("segment.retire", "segment.retire.more")}
"""What is asked before something is done that is not taken back."""

ALLOWED: Mapping[str, tuple[Role, ...]] = {"approve": APPROVERS, "reject": APPROVERS}

_NUMBER = re.compile(r"(?<![^\s(])\d+(?:\.\d+)?%?(?=[\s).؛،:]|$)")


async def editor(
    request: Request,
    dependencies: Dependencies,
    kind: Kind,
    text: str,
    problems: Sequence[Written],
    status: int = 200,
    since: Since | None = None,
    *,
    overtaken: str = "",
    typed: Mapping[str, str] | None = None,
) -> Response:
    """A text to be written, with what is wrong in it, or is perhaps not meant so; `since` when it is a change of one that there is.

    `overtaken` is what whoever saves is told first, when that would take the place of what his page did not show. `typed` is a form whose
    day for a dry run is none.
    """
    mistakes = told(problems, locale_of(request, dependencies))
    beside = form_beside(text) if kind == "rule" else {}
    doubts = [] if problems else await hinted(request, dependencies, kind, text)
    values: dict[str, Any] = {"kind": kind, "text": text, "problems": mistakes, "sentence": "", "hints": doubts, "ranges": RANGES}
    values["fields"] = [rule_form.field_at(one.pointer) for one in problems]
    values |= {"since": since, "overtaken": overtaken, "back": way_to(kind, since)} | no_day(typed, locale_of(request, dependencies))
    return page(request, dependencies, "editor.html", status, **values, **beside)


def no_day(typed: Mapping[str, str] | None, locale: Locale) -> dict[str, Any]:
    """What is shown of the range of a dry run: as it is at first, or what was typed and is none."""
    days = (typed or {}).get("days", "")
    shown = {"days": int(days) if days in map(str, RANGES) else RANGES[-1], "until": "", "wrong_until": ""}
    return shown if typed is None else shown | {"until": typed.get("until", "")[:32], "wrong_until": locale.say("error.no_date")}


def way_to(kind: Kind, since: Since | None) -> str:
    """Where a text is written: what answers a form stands at an address that cannot be asked for again."""
    return f"/{kind}s/{quote(since.name, safe='')}" if since else f"/{kind}s/new"


def since_of(fields: Mapping[str, str]) -> Since | None:
    """Of what the page showed a change was typed; None on the page of a new one."""
    seen = fields.get("seen", "")
    return Since(fields["of"], int(seen)) if fields.get("of") and seen.isascii() and seen.isdecimal() and len(seen) < 10 else None


def nameless(kind: Kind, name: str) -> list[Written]:
    """What is wrong with a text that still has no name of its own."""
    return [Written(1, f"/{kind}", "empty", {"word": kind})] if name == NAMELESS else []


async def unseen(request: Request, dependencies: Dependencies, kind: Kind, name: str, text: str, since: Since | None) -> Response | None:
    """The editor again, when saving would take the place of what its page did not show: of what somebody wrote or decided since then, or
    of one that has the name already."""
    async with dependencies.pool.connection() as connection:
        rows = await declared.one(connection, kind, name)
    seen = since.number if since is not None and since.name == name else None
    number = max((row.number for row in rows), default=seen)
    if number is None or number == seen or (seen is None and newest(rows).text == text):
        return None
    taken = "rule.taken" if kind == "rule" else "segment.taken"
    overtaken = taken if seen is None else "knowledge.overtaken"
    return await editor(request, dependencies, kind, text, (), 409, Since(name, number), overtaken=overtaken)


async def checked(request: Request, dependencies: Dependencies, kind: Kind, text: str) -> Response:
    """What a text says, and what of it is perhaps not meant so; or what is wrong with it: a part of a page."""
    locale = locale_of(request, dependencies)
    said, problems = of_rules(text, locale, dependencies.zone) if kind == "rule" else of_segment(text, locale, dependencies.zone)
    problems = problems or await unsaved(dependencies, kind, text)
    doubts = [] if problems else await hinted(request, dependencies, kind, text)
    at = [rule_form.field_at(one.pointer) for one in problems]
    content = part(locale, "written.html", problems=told(problems, locale), fields=at, sentence=said, hints=doubts)
    return HTMLResponse(content, headers=HEADERS)


async def unsaved(dependencies: Dependencies, kind: Kind, text: str) -> Sequence[Written]:
    """What is wrong with a text that reads well, so that it would not be saved: a second rule, a name that leads elsewhere."""
    if kind == "rule":
        return reading.read_one(text, dependencies.zone).problems
    read = segment.read_one(text, dependencies.zone)
    if read.segment is None:
        return read.problems
    async with dependencies.pool.connection() as connection:
        return await circles(connection, read.segment, read.segments, dependencies.zone)


async def hinted(request: Request, dependencies: Dependencies, kind: Kind, text: str) -> list[Markup]:
    """What may stand in a text that is right, and is perhaps not meant so, in the reader's language."""
    async with dependencies.pool.connection() as connection:
        return told(await hints.found(dependencies, connection, kind, text), locale_of(request, dependencies))


def form_beside(text: str) -> dict[str, Any]:
    """What the form beside a rule's text is made of."""
    choices = {"kinds": rule_form.KINDS, "acts": rule_form.ACTS, "changes": rule_form.CHANGES}
    return choices | {"form_beside": True, "form": rule_form.fields_of(text), "types": sorted(CONTRACTS), "windows": WINDOWS}


async def command(request: Request, dependencies: Dependencies, declaring: Declaring, area: str) -> Response:
    """Carry out what a button says; what is not taken back is asked first."""
    verb = next((known for known in VERBS if known == request.path_params["verb"]), None)
    if verb is None:
        raise not_found("There is no such command.")
    asking = acting(request, dependencies, ALLOWED.get(verb, WRITERS))
    name, fields, locale = named(request), await form(request), locale_of(request, dependencies)
    address, number = f"/{area}/{quote(name, safe='')}", fields.get("number", "")
    if verb == "retire" and "sure" not in fields:
        asked, more = ASKED[declaring.kind]
        values: dict[str, Any] = {"asked": locale.say(asked, name=f"\u2068{name}\u2069"), "more": locale.say(more)}
        values |= {"action": f"{address}/{verb}", "sent": {"number": number}, "does": locale.word("rule.verb", verb), "back": address}
        return page(request, dependencies, "sure.html", **values)
    seen = int(number) if number.isascii() and number.isdecimal() and len(number) < 10 else None
    await declaring.command(name, verb, asking, seen, _lang(locale))
    return RedirectResponse(f"{address}#stands", 303, HEADERS)


def offered(rows: Sequence[Row], asking: Caller) -> list[str]:
    """What he may do with it now; nobody is offered to approve what he wrote."""
    alone = {"approve"} if rows[0].written_by == asking.name else set()
    states = dict.fromkeys(row.state for row in rows if row is rows[0] or row.state in ("published", "paused"))
    verbs = dict.fromkeys(verb for state in states for verb in OFFERED[state])
    return [verb for verb in verbs if asking.role in ALLOWED.get(verb, WRITERS) and verb not in alone]


def of_rules(text: str, locale: Locale, zone: str) -> tuple[str, Sequence[Written]]:
    """What a text of rules says; or what is wrong in it."""
    read = reading.read(text, zone)
    said = (
        "" if read.problems else " ".join(_numbered(sentence.of_rule(rule, _lang(locale), _named(locale)), locale) for rule in read.rules)
    )
    return said, read.problems


def of_segment(text: str, locale: Locale, zone: str) -> tuple[str, Sequence[Written]]:
    """What a text of a segment says; or what is wrong in it."""
    read = segment.read(text, zone)
    said = _numbered(sentence.of_segment(read.segment, _lang(locale), _named(locale)), locale) if read.segment else ""
    return said, read.problems


def text_of(fields: Mapping[str, str]) -> str:
    """The text of a form."""
    text = fields.get("text", "").replace("\r\n", "\n")
    if len(text) > LONGEST:
        raise problem.Problem(413, "too_large", "No text of a rule is so long.")
    return usable(text)


def _numbered(said: str, locale: Locale) -> str:
    """Numbers, and not names, in the digits and with the signs of the language."""
    if locale.language != "fa":
        return said
    return _NUMBER.sub(lambda found: locale.digits(found[0]).replace(".", "٫").replace("%", "٪"), said)


def _named(locale: Locale) -> sentence.Named:
    """What types and scores are called on the desk, as everywhere there; one that nobody has named stands as it is."""

    def named(name: str) -> str:
        if locale.knows(f"type.{name}"):
            return locale.say("sentence.type", type=locale.word("type", name))
        return locale.word("scored", name)

    return named


def _lang(locale: Locale) -> Lang:
    return "fa" if locale.language == "fa" else "en"
