"""The desk's pages of rules: as sentences and texts, what they would have done, what they brought. Reading order: add, `_rule_page`."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse

from aggregates.declaration import OPEN
from aggregates.rules import reading
from api import access
from api.access import Caller
from api.declared import READERS, WRITERS, counting, newest
from api.declaring import Declaring
from api.desk import bringing, rule_form, segments, signalling
from api.desk.forms import form
from api.desk.locale import Locale
from api.desk.ranging import RANGES, asked, replayed
from api.desk.rendering import HEADERS, locale_of, page, part
from api.desk.signalling import SHOWN, live_at
from api.desk.trying import tried
from api.desk.visitor import acting
from api.desk.written import (
    NAMELESS,
    checked,
    command,
    editor,
    form_beside,
    hinted,
    nameless,
    of_rules,
    offered,
    since_of,
    text_of,
    unseen,
    way_to,
)
from api.ports import Dependencies
from api.problem import Problem, not_found
from api.rehearsing import DryRun, Wanted
from api.watching import Watching
from api.written import named
from projections.contacts import decisions
from projections.contacts.decisions import Share
from projections.declared import table as declared
from projections.declared.table import Row
from projections.triggers import happened
from projections.triggers import table as signals

NEW_RULE = f"""\
rule: {NAMELESS}
when: {{count: web.page_viewed, where: {{page: price}}, at_least: 2, within: 1h}}
do: {{notify: team:marketing}}
cooldown: 7d
"""


class Line(NamedTuple):
    """A rule in the list."""

    name: str
    version: int
    state: str
    sentence: str
    week: int  # signals of the last seven days
    sent: int
    awaiting: bool  # a version of it, the approval of a second person


class Bar(NamedTuple):
    """A day of a dry run, as it is drawn."""

    x: int
    y: int
    height: int
    title: str
    day: str


def add(routes: APIRouter, dependencies: Dependencies, watching: Watching) -> None:
    """The routes of marketing: rules and signals, and segments, of which rules speak."""
    segments.add(routes, dependencies)
    signalling.add(routes, dependencies, watching)
    rules = Declaring(dependencies, "rule")

    @routes.get("/rules")
    async def rule_list(request: Request) -> Response:
        """All rules, each as a sentence, with what it said and sent in the last week."""
        access.staff(request, dependencies, READERS)
        locale, now = locale_of(request, dependencies), dependencies.clock()
        async with dependencies.pool.connection() as connection:
            found = await declared.listed(connection, "rule")
            given = await happened.counted(connection, now - timedelta(days=7))
            shares, resting = await decisions.recent(connection, now, timedelta(days=7))
        sent = Counter[str]()
        for share in shares:
            sent[share.rule] += share.candidates if share.outcome == "sent" else 0
        lines = [_line(rows, locale, dependencies.zone, given, sent) for rows in found.values()]
        lines.sort(key=lambda line: not line.awaiting)  # what waits for somebody stands above
        return page(request, dependencies, "rules.html", lines=lines, resting=resting, writers=WRITERS)

    @routes.get("/rules/new")
    async def new_rule(request: Request) -> Response:
        """An empty editor."""
        access.staff(request, dependencies, WRITERS)
        return await editor(request, dependencies, "rule", NEW_RULE, ())

    @routes.get("/rules/{name}")
    async def rule(request: Request) -> Response:
        """One rule: its sentence, its text, what became of its contacts, its latest signals."""
        asking = access.staff(request, dependencies, READERS)
        return await _rule_page(request, dependencies, named(request), asking)

    @routes.post("/rules")
    async def save_rule(request: Request) -> Response:
        """Keep a text as a draft; with mistakes the editor comes back and says them."""
        asking = acting(request, dependencies, WRITERS)
        fields = await form(request)
        text, since = text_of(fields), since_of(fields)
        read = reading.read_one(text, dependencies.zone)
        if read.problems:
            return await editor(request, dependencies, "rule", text, read.problems, 422, since)
        if problems := nameless("rule", read.rules[0].name):
            return await editor(request, dependencies, "rule", text, problems, 422, since)
        if told := await unseen(request, dependencies, "rule", read.rules[0].name, text, since):
            return told
        await rules.draft(read.rules[0].name, text, read.rules[0].version, asking)
        return RedirectResponse(f"/rules/{quote(read.rules[0].name, safe='')}", 303, HEADERS)

    @routes.post("/rules/check")
    async def check_rule(request: Request) -> Response:
        """What a text says, or what is wrong with it, while it is written."""
        acting(request, dependencies, WRITERS)
        return await checked(request, dependencies, "rule", text_of(await form(request)))

    @routes.post("/rules/form")
    async def form_of_text(request: Request) -> Response:
        """The form that shows what a text says: a part of a page."""
        acting(request, dependencies, WRITERS)
        text = text_of(await form(request))
        return HTMLResponse(part(locale_of(request, dependencies), "rule_form.html", **form_beside(text)), headers=HEADERS)

    @routes.post("/rules/text")
    async def text_of_form(request: Request) -> Response:
        """The text that says what the form shows: alone for the page that asks while one writes, else in the editor."""
        acting(request, dependencies, WRITERS)
        fields = await form(request)
        text = rule_form.text_of(rule_form.sent(fields), text_of(fields))
        if "part" in request.query_params:
            return PlainTextResponse(text, headers=HEADERS)
        problems = reading.read_one(text, dependencies.zone).problems
        return await editor(request, dependencies, "rule", text, problems, since=since_of(fields))

    @routes.post("/rules/dry-run")
    async def dry_run(request: Request) -> Response:
        """What a text would have done."""
        acting(request, dependencies, WRITERS)
        fields = await form(request)
        text, since, locale = text_of(fields), since_of(fields), locale_of(request, dependencies)
        read = reading.read(text, dependencies.zone)
        if read.problems:
            return await editor(request, dependencies, "rule", text, read.problems, 422, since)
        try:
            past = asked(fields, dependencies.clock(), locale.zone)
        except Problem:
            return await editor(request, dependencies, "rule", text, (), 422, since, typed=fields)
        again: dict[str, Any] = {"text": text, "ranges": RANGES, "days": past.days, "until": past.said}
        again |= {"since": since, "back": way_to("rule", since)}

        async def found(ran: DryRun) -> dict[str, Any]:
            drawn = {"bars": _bars(ran, locale), "most": max((day.signals for day in ran.days), default=0)}
            return drawn | {"ran": ran, "replayed": await replayed(dependencies, past.since, locale)}

        return await tried(request, dependencies, "dry_run.html", Wanted(read.rules, None, past.since, past.until, 20), found, **again)

    @routes.post("/rules/{name}/{verb}")
    async def command_rule(request: Request) -> Response:
        """Publish, approve, reject, throw away, pause, resume or retire."""
        return await command(request, dependencies, rules, "rules")


async def _rule_page(request: Request, dependencies: Dependencies, name: str, asking: Caller) -> Response:
    now, locale = dependencies.clock(), locale_of(request, dependencies)
    async with dependencies.pool.connection() as connection:
        rows = await declared.one(connection, "rule", name)
        if not rows:
            raise not_found("There is no rule of this name.")
        shares, resting = await decisions.recent(connection, now, timedelta(days=30), name)
        given = await signals.page(connection, SHOWN, rule=name)
        uplift = await bringing.brought(connection, await dependencies.schema(), name, now, locale)
    shown, zone = counting(rows), dependencies.zone
    text = newest(rows).text
    return page(
        request,
        dependencies,
        "rule.html",
        row=shown,
        draft=rows[0] if rows[0].state in OPEN else None,
        versions=rows,
        sentence=of_rules(shown.text, locale, zone)[0],
        awaiting=of_rules(rows[0].text, locale, zone)[0] if rows[0].state == "awaiting_approval" else "",
        number=max(row.number for row in rows),
        funnel=_funnel(shares),
        until=resting.get(name),
        rested=locale.numeric(resting[name]) if name in resting else "",
        uplift=uplift,
        uplift_goal=bringing.GOAL,
        uplift_days=bringing.DAYS,
        given=given,
        stream=live_at(name),
        verbs=offered(rows, asking),
        may=asking.role in WRITERS,
        ranges=RANGES,
        hints=await hinted(request, dependencies, "rule", text),
        **(form_beside(text) if asking.role in WRITERS else {}),
    )


def _line(rows: Sequence[Row], locale: Locale, zone: str, given: Mapping[str, int], sent: Mapping[str, int]) -> Line:
    now = counting(rows)
    said, _ = of_rules(now.text, locale, zone)
    awaiting = rows[0].state == "awaiting_approval"
    return Line(now.name, now.version, now.state, said, given.get(now.name, 0), sent.get(now.name, 0), awaiting)


def _funnel(shares: Sequence[Share]) -> list[tuple[str, str, int]]:
    """What became of a rule's candidates: outcome, reason and how many, the most first."""
    counts = Counter[tuple[str, str]]()
    for share in shares:
        counts[share.outcome, share.reason or ""] += share.candidates
    return [(*what, count) for what, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]


def _bars(ran: DryRun, locale: Locale) -> list[Bar]:
    """A column a day, those on which nothing was signalled too, the highest as high as the drawing."""
    signals = {date.fromisoformat(day.day): day.signals for day in ran.days}
    if not signals:
        return []
    most, first, last = max(signals.values()), min(locale.here(ran.since).date(), *signals), max(locale.here(ran.until).date(), *signals)
    bars = []
    for place in range((last - first).days + 1):
        day = first + timedelta(days=place)
        count, said = signals.get(day, 0), locale.day(day)
        height = round(100 * count / most) if most else 0
        bars.append(Bar(place * 10, 100 - height, height, f"{said}: {locale.number(count)}", said))
    return bars
