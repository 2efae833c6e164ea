"""The desk's pages of marketing: rules as sentences and texts, what they would have done, their signals, and segments.

Reading order: add, then Rule, `_rule_page`, `_checked`.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from aggregates.declaration import VERBS
from aggregates.rules import reading, sentence
from aggregates.rules import segment as segments
from aggregates.written.problem import Lang
from aggregates.written.problem import Problem as Written
from api import access, rehearsing
from api.declaring import Declaring
from api.desk.forms import form
from api.desk.locale import Locale
from api.desk.rendering import HEADERS, locale_of, page, part
from api.desk.visitor import acting
from api.ports import Dependencies
from api.problem import Problem, not_found
from api.rehearsing import DryRun, Wanted
from api.segments import check_circle
from api.triggers import LONGEST, READERS, WRITERS
from api.written import named, usable
from projections.declared import table as declared
from projections.declared.table import Row
from projections.segments import table as members
from projections.triggers import happened
from projections.triggers import table as signals

SHOWN = 30
RANGES = (7, 30, 90)
OFFERED: Mapping[str, tuple[str, ...]] = {
    "draft": ("publish",),
    "published": ("pause", "retire"),
    "paused": ("resume", "retire"),
    "retired": (),
}
NEW_RULE = """\
rule: …
when: {count: web.page_viewed, where: {page: price}, at_least: 2, within: 1h}
do: {notify: team:marketing}
cooldown: 7d
"""
NEW_SEGMENT = """\
segment: …
when: {count: sales.order_placed, at_least: 3, within: 90d}
"""

_NUMBER = re.compile(r"(?<![^\s(])\d+(?:\.\d+)?%?(?=[\s).؛،:]|$)")


class Line(NamedTuple):
    """A rule in the list."""

    name: str
    version: int
    state: str
    sentence: str
    week: int  # signals of the last seven days
    sent: int


class Bar(NamedTuple):
    """A day of a dry run, as it is drawn."""

    x: int
    y: int
    height: int
    title: str


def add(routes: APIRouter, dependencies: Dependencies) -> None:
    """The routes of marketing."""
    rules, declared_segments = Declaring(dependencies, "rule"), Declaring(dependencies, "segment")

    @routes.get("/rules")
    async def rule_list(request: Request) -> Response:
        """All rules, each as a sentence, with what it said and sent in the last week."""
        access.staff(request, dependencies, READERS)
        locale, now = locale_of(request, dependencies), dependencies.clock()
        async with dependencies.pool.connection() as connection:
            found = await declared.listed(connection, "rule")
            given = await happened.counted(connection, now - timedelta(days=7))
            sent = await happened.sent(connection, list(found), now - timedelta(days=7), now)
        lines = [_line(rows, locale, dependencies.zone, given, sent) for rows in found.values()]
        return page(request, dependencies, "rules.html", lines=lines)

    @routes.get("/rules/new")
    async def new_rule(request: Request) -> Response:
        """An empty editor."""
        access.staff(request, dependencies, WRITERS)
        return _editor(request, dependencies, "rule", NEW_RULE, ())

    @routes.get("/rules/{name}")
    async def rule(request: Request) -> Response:
        """One rule: its sentence, its text, what became of its contacts, its latest signals."""
        asking = access.staff(request, dependencies, READERS)
        return await _rule_page(request, dependencies, named(request), asking.role)

    @routes.post("/rules")
    async def save_rule(request: Request) -> Response:
        """Keep a text as a draft; with mistakes the editor comes back and says them."""
        asking = acting(request, dependencies, WRITERS)
        text = _text(await form(request))
        read = reading.read(text, dependencies.zone)
        if read.problems or len(read.rules) != 1:
            return _editor(request, dependencies, "rule", text, read.problems, 422)
        await rules.draft(read.rules[0].name, text, read.rules[0].version, asking.name)
        return RedirectResponse(f"/rules/{quote(read.rules[0].name, safe='')}", 303, HEADERS)

    @routes.post("/rules/check")
    async def check_rule(request: Request) -> Response:
        """What a text says, or what is wrong with it, while it is written."""
        acting(request, dependencies, WRITERS)
        return _checked(request, dependencies, "rule", _text(await form(request)))

    @routes.post("/rules/dry-run")
    async def dry_run(request: Request) -> Response:
        """What a text would have done."""
        acting(request, dependencies, WRITERS)
        fields = await form(request)
        text, days = _text(fields), fields.get("days", "")
        read = reading.read(text, dependencies.zone)
        if read.problems:
            return _editor(request, dependencies, "rule", text, read.problems, 422)
        until = dependencies.clock()
        since = until - timedelta(days=int(days) if days in map(str, RANGES) else RANGES[-1])
        ran = await rehearsing.run(dependencies, Wanted(read.rules, None, since, until, 20))
        return page(request, dependencies, "dry_run.html", ran=ran, bars=_bars(ran, locale_of(request, dependencies)), text=text)

    @routes.post("/rules/{name}/{verb}")
    async def command_rule(request: Request) -> Response:
        """Publish, pause, resume or retire."""
        return await _command(request, dependencies, rules, "rules")

    @routes.get("/signals")
    async def signal_list(request: Request) -> Response:
        """The latest signals of all rules; the page keeps itself true."""
        access.staff(request, dependencies, READERS)
        async with dependencies.pool.connection() as connection:
            found = await signals.page(connection, SHOWN)
        return page(request, dependencies, "signals.html", given=found)

    @routes.get("/segments")
    async def segment_list(request: Request) -> Response:
        """All segments, with how many are in them."""
        access.staff(request, dependencies, READERS)
        locale = locale_of(request, dependencies)
        async with dependencies.pool.connection() as connection:
            found = await declared.listed(connection, "segment")
            counts = await members.counts(connection, dependencies.clock())
        lines = [
            (_now(rows), _segment_sentence(_now(rows).text, locale, dependencies.zone), counts.get(name)) for name, rows in found.items()
        ]
        return page(request, dependencies, "segments.html", lines=lines)

    @routes.get("/segments/new")
    async def new_segment(request: Request) -> Response:
        """An empty editor."""
        access.staff(request, dependencies, WRITERS)
        return _editor(request, dependencies, "segment", NEW_SEGMENT, ())

    @routes.get("/segments/{name}")
    async def segment(request: Request) -> Response:
        """One segment: who is in, and how that changed."""
        asking = access.staff(request, dependencies, READERS)
        locale, name = locale_of(request, dependencies), named(request)
        async with dependencies.pool.connection() as connection:
            rows = await declared.one(connection, "segment", name)
            if not rows:
                raise not_found(f"There is no segment named {name}.")
            count = (await members.counts(connection, dependencies.clock(), name)).get(name)
            inside = await members.members(connection, name, SHOWN)
            days = await members.history(connection, name, dependencies.clock() - timedelta(days=30), dependencies.zone)
        now = _now(rows)
        return page(
            request,
            dependencies,
            "segment.html",
            row=now,
            draft=rows[0] if rows[0].state == "draft" else None,
            sentence=_segment_sentence(now.text, locale, dependencies.zone),
            count=count,
            inside=inside,
            days=days,
            verbs=[verb for verb in _offered(rows) if verb in ("publish", "retire")],
            may=asking.role in WRITERS,
        )

    @routes.post("/segments")
    async def save_segment(request: Request) -> Response:
        """Keep a text as a draft."""
        asking = acting(request, dependencies, WRITERS)
        text = _text(await form(request))
        read = segments.read(text, dependencies.zone)
        if read.segment is None:
            return _editor(request, dependencies, "segment", text, read.problems, 422)
        async with dependencies.pool.connection() as connection:
            await check_circle(connection, read.segment, dependencies.zone)
        await declared_segments.draft(read.segment.name, text, read.segment.version, asking.name)
        return RedirectResponse(f"/segments/{quote(read.segment.name, safe='')}", 303, HEADERS)

    @routes.post("/segments/check")
    async def check_segment(request: Request) -> Response:
        """What a text says, or what is wrong with it, while it is written."""
        acting(request, dependencies, WRITERS)
        return _checked(request, dependencies, "segment", _text(await form(request)))

    @routes.post("/segments/{name}/{verb}")
    async def command_segment(request: Request) -> Response:
        """Publish or retire."""
        return await _command(request, dependencies, declared_segments, "segments")


async def _rule_page(request: Request, dependencies: Dependencies, name: str, role: str) -> Response:
    now = dependencies.clock()
    async with dependencies.pool.connection() as connection:
        rows = await declared.one(connection, "rule", name)
        if not rows:
            raise not_found(f"There is no rule named {name}.")
        funnel = await happened.funnel(connection, name, now - timedelta(days=30))
        given = await signals.page(connection, SHOWN, rule=name)
    shown = _now(rows)
    return page(
        request,
        dependencies,
        "rule.html",
        row=shown,
        draft=rows[0] if rows[0].state == "draft" else None,
        versions=rows,
        sentence=_rule_sentence(shown.text, locale_of(request, dependencies), dependencies.zone),
        funnel=funnel,
        given=given,
        verbs=_offered(rows),
        may=role in WRITERS,
        ranges=RANGES,
    )


async def _command(request: Request, dependencies: Dependencies, declaring: Declaring, area: str) -> Response:
    asking = acting(request, dependencies, WRITERS)
    name = named(request)
    verb = next((known for known in VERBS if known == request.path_params["verb"]), None)
    if verb is None:
        raise not_found("There is no such command.")
    await declaring.command(name, verb, asking.name)
    return RedirectResponse(f"/{area}/{quote(name, safe='')}", 303, HEADERS)


def _line(rows: Sequence[Row], locale: Locale, zone: str, given: Mapping[str, int], sent: Mapping[str, int]) -> Line:
    now = _now(rows)
    said = _rule_sentence(now.text, locale, zone)
    return Line(now.name, now.version, now.state, said, given.get(now.name, 0), sent.get(now.name, 0))


def _now(rows: Sequence[Row]) -> Row:
    """The version that counts: in force, else the newest."""
    return next((row for row in rows if row.state in ("published", "paused")), rows[0])


def _offered(rows: Sequence[Row]) -> list[str]:
    """What may be done with it now."""
    states = dict.fromkeys(row.state for row in rows if row is rows[0] or row.state in ("published", "paused"))
    return [verb for state in states for verb in OFFERED[state]]


def _rule_sentence(text: str, locale: Locale, zone: str) -> str:
    read = reading.read(text, zone)
    return " ".join(_numbered(sentence.of_rule(rule, _lang(locale)), locale) for rule in read.rules)


def _segment_sentence(text: str, locale: Locale, zone: str) -> str:
    read = segments.read(text, zone)
    return _numbered(sentence.of_segment(read.segment, _lang(locale)), locale) if read.segment else ""


def _numbered(said: str, locale: Locale) -> str:
    """Numbers, and not names, in the digits of the language."""
    return _NUMBER.sub(lambda found: locale.digits(found[0]), said)


def _lang(locale: Locale) -> Lang:
    return "fa" if locale.language == "fa" else "en"


def _checked(request: Request, dependencies: Dependencies, kind: str, text: str) -> Response:
    locale = locale_of(request, dependencies)
    problems, said = _judged(kind, text, locale, dependencies.zone)
    return HTMLResponse(part(locale, "written.html", problems=problems, sentence=said), headers=HEADERS)


def _judged(kind: str, text: str, locale: Locale, zone: str) -> tuple[list[str], str]:
    found: tuple[Written, ...] = reading.read(text, zone).problems if kind == "rule" else segments.read(text, zone).problems
    problems = [_numbered(problem.text(_lang(locale)), locale) for problem in found]
    if problems:
        return problems, ""
    return [], _rule_sentence(text, locale, zone) if kind == "rule" else _segment_sentence(text, locale, zone)


def _editor(request: Request, dependencies: Dependencies, kind: str, text: str, problems: Sequence[Written], status: int = 200) -> Response:
    locale = locale_of(request, dependencies)
    told = [_numbered(problem.text(_lang(locale)), locale) for problem in problems]
    return page(request, dependencies, "editor.html", status, kind=kind, text=text, problems=told, sentence="", ranges=RANGES)


def _text(fields: Mapping[str, str]) -> str:
    text = fields.get("text", "").replace("\r\n", "\n")
    if len(text) > LONGEST:
        raise Problem(413, "too_large", "No text of a rule is so long.")
    return usable(text)


def _bars(ran: DryRun, locale: Locale) -> list[Bar]:
    """A column a day, the highest as high as the drawing."""
    most = max((day.signals for day in ran.days), default=0)
    return [
        Bar(
            place * 10,
            100 - (height := round(100 * day.signals / most) if most else 0),
            height,
            f"{locale.digits(day.day)}: {locale.number(day.signals)}",
        )
        for place, day in enumerate(ran.days)
    ]
