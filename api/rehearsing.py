"""Dry runs over HTTP: what a rule would have done over a past range, and how that differs from what happened. Nothing is written or sent.

Reading order: Wanted, DryRun, router, run, of_policy, `_in_order`, `_summed`.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from fastapi import APIRouter, Request, Response

from aggregates.contact_policy import reading as policies
from aggregates.contact_policy.policy import Policy
from aggregates.rules import reading
from aggregates.rules.rule import Contact, Rule
from aggregates.written.problem import Lang
from api import access, body, openapi, query
from api.answers import json
from api.declared import LONGEST, WRITERS, newest
from api.declaring import unknown
from api.ports import Connection, Dependencies, Rehearsed, Said
from api.problem import invalid
from api.signals import Cause
from api.triggers import AS_JSON, EXAMPLE
from api.written import decoded, language, refused
from projections.declared import table as declared
from projections.triggers import happened

RANGE = timedelta(days=90)
LONGEST_RANGE = timedelta(days=3_660)
EARLIEST = 1900
_LAST = datetime.max.replace(tzinfo=UTC)
EXAMPLES = 20
MOST_EXAMPLES = 200


class OutcomeShown(msgspec.Struct, frozen=True):
    """What would have become of a contact."""

    outcome: str
    channel: str | None
    at: datetime
    until: datetime | None
    reason: str | None


class Example(msgspec.Struct, frozen=True):
    """A signal that would have been given, and the outcome of its contact."""

    id: UUID
    rule: str
    version: int
    customer_id: UUID
    cause: Cause
    occurred_at: datetime
    recorded_at: datetime
    late: bool
    withdrawn: bool
    outcome: OutcomeShown | None


class RuleRun(msgspec.Struct, frozen=True):
    """What one rule would have done."""

    rule: str
    version: int
    signals: int
    late: int
    withdrawn: int
    customers: int
    sent: int
    held: int
    silent: dict[str, int]  # by reason


class Difference(msgspec.Struct, frozen=True):
    """Held against what happened in the range: signals that stand, by cause and customer; contacts that went out."""

    rule: str
    both: int
    only_here: int
    only_then: int
    sent_here: int
    sent_then: int


class DayRun(msgspec.Struct, frozen=True):
    """A day of the dry run, in the installation's zone."""

    day: str
    signals: int
    sent: int


class DryRun(msgspec.Struct, frozen=True):
    """What would have been."""

    since: datetime
    until: datetime
    events: int
    rules: list[RuleRun]
    difference: list[Difference]
    days: list[DayRun]
    examples: list[Example]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be run."""

    rules: tuple[Rule, ...]
    policy: Policy | None
    since: datetime
    until: datetime
    examples: int


def router(dependencies: Dependencies) -> APIRouter:
    """The route of dry runs."""
    routes = APIRouter(tags=["marketing"])

    @routes.post(
        "/v1/triggers/dry-run",
        openapi_extra=openapi.described(
            f'curl -u "$ADMIN:" "$YEKTA/v1/triggers/dry-run?from=2024-01-01T00:00:00Z" --data-binary \'{EXAMPLE}\'',
            DryRun,
            404,
            413,
            415,
            422,
            503,
            parameters=[
                openapi.parameter("from", openapi.TIME, "Where the range begins; 90 days before its end, if absent."),
                openapi.parameter("to", openapi.TIME, "Where it ends; now, if absent."),
            ],
            body={
                "required": True,
                "content": {
                    "application/yaml": {"schema": openapi.TEXT, "example": EXAMPLE},
                    "application/json": {"schema": {"type": "object"}, "example": {"rule": AS_JSON, "from": "2024-01-01T00:00:00Z"}},
                },
            },
        ),
    )
    async def dry_run(request: Request) -> Response:
        """Run a rule over the past: its text, YAML or JSON, or `{"rule": text or object, "policy": text or object, "from": …, "to": …}`,
        or `{"name": "a rule that is declared"}`. Published rules that contact compete with it, as they would. With a policy alone it is
        these that are run."""
        access.staff(request, dependencies, WRITERS)
        wanted = await _wanted(request, await body.read(request, LONGEST), dependencies)
        return json(await run(dependencies, wanted))

    return routes


def _unheard(share: float) -> None:
    """Nobody asks how far it is."""
    del share


async def run(dependencies: Dependencies, wanted: Wanted, reached: Callable[[float], None] = _unheard) -> DryRun:
    """Run it, with the rules that would compete, and hold it against what happened; `reached` hears how much of the range is done."""
    names = [rule.name for rule in wanted.rules]
    async with dependencies.pool.connection() as connection:
        rules = await _in_order(connection, wanted, dependencies.zone)
    by_name = {rule.name: rule for rule in rules}
    wanted = replace(wanted, rules=tuple([by_name[name] for name in names]))
    found = await dependencies.rehearsals.rehearse(rules, wanted.policy, wanted.since, wanted.until, reached)
    async with dependencies.pool.connection() as connection:
        then = await happened.signals(connection, names, wanted.since, wanted.until)
        sent = await happened.sent(connection, names, wanted.since, wanted.until)
    return await asyncio.to_thread(_summed, wanted, found, then, sent, dependencies.zone)


def _summed(wanted: Wanted, found: Rehearsed, then: set[tuple[str, UUID, str]], sent: dict[str, int], zone: str) -> DryRun:
    mine = [one for one in found.signals if any(one.rule == rule.name for rule in wanted.rules)]
    by_rule = {rule.name: [one for one in mine if one.rule == rule.name] for rule in wanted.rules}
    runs = [_run(rule, by_rule[rule.name]) for rule in wanted.rules]
    differences = []
    for one in runs:
        here = {(said.rule, said.customer, said.cause) for said in by_rule[one.rule] if not said.withdrawn}
        past = {each for each in then if each[0] == one.rule}
        differences.append(Difference(one.rule, len(here & past), len(here - past), len(past - here), one.sent, sent.get(one.rule, 0)))
    days: dict[str, list[int]] = {}
    for said in mine:
        day = days.setdefault(said.occurred_at.astimezone(ZoneInfo(zone)).date().isoformat(), [0, 0])
        day[0] += not said.withdrawn
        day[1] += said.candidacy is not None and said.candidacy.outcome == "sent"
    return DryRun(
        wanted.since,
        wanted.until,
        found.events,
        runs,
        differences,
        [DayRun(day, *counts) for day, counts in sorted(days.items())],
        [_example(one) for one in mine[-wanted.examples :][::-1]] if wanted.examples else [],
    )


def _run(rule: Rule, said: Sequence[Said]) -> RuleRun:
    outcomes = [one.candidacy for one in said if one.candidacy is not None]
    silent = Counter(one.reason or "" for one in outcomes if one.outcome == "silent")
    return RuleRun(
        rule.name,
        rule.version,
        len(said),
        sum(one.late for one in said),
        sum(one.withdrawn for one in said),
        len({one.customer for one in said}),
        sum(one.outcome == "sent" for one in outcomes),
        sum(one.outcome == "held" for one in outcomes),
        dict(silent.most_common()),
    )


def _example(one: Said) -> Example:
    outcome = one.candidacy
    return Example(
        one.id,
        one.rule,
        one.version,
        one.customer,
        Cause(one.source, one.cause),
        one.occurred_at,
        one.recorded_at,
        one.late,
        one.withdrawn,
        None if outcome is None else OutcomeShown(outcome.outcome, outcome.channel, outcome.at, outcome.until, outcome.reason),
    )


async def _in_order(connection: Connection, wanted: Wanted, zone: str) -> list[Rule]:
    """These rules, and the published ones that contact if one of these does, in the order in which they are in force: by it ties fall.

    What is not published as it stands here would be the last, as it will be when it is.
    """
    begun = await declared.begun(connection, "rule")
    placed = {rule.name: (_LAST, "", at, rule) for at, rule in enumerate(wanted.rules)}
    contacting = any(isinstance(rule.do, Contact) for rule in wanted.rules)
    for name, rows in (await declared.listed(connection, "rule")).items():
        current = next((row for row in rows if row.state in ("published", "paused")), None)
        if current is None:
            continue
        since = begun.get((name, current.version), current.at)
        if name in placed:
            rule = placed[name][-1]
            same = reading.read(current.text, wanted.policy.zone if wanted.policy else zone).rules
            if [replace(one, version=rule.version) for one in same] == [rule]:
                placed[name] = (since, name, current.version, replace(rule, version=current.version))
        elif contacting and current.state == "published":
            for rule in reading.read(current.text, zone).rules:
                if isinstance(rule.do, Contact):
                    placed[name] = (since, name, current.version, replace(rule, version=current.version))
    return [rule for *_, rule in sorted(placed.values(), key=lambda place: place[:3])]


async def _wanted(request: Request, content: bytes, dependencies: Dependencies) -> Wanted:
    text = decoded(content)
    asked = _envelope(text)
    lang, zone = language(request), dependencies.zone
    until = _time(asked, "to") or query.time(request, "to") or dependencies.clock()
    since = _time(asked, "from") or query.time(request, "from") or until - (RANGE if until.year >= EARLIEST else timedelta())
    if since.year < EARLIEST or not timedelta() < until - since <= LONGEST_RANGE:
        raise invalid("/from", "The range begins before it ends, and is no longer than ten years.")
    policy = _policy(asked["policy"], lang) if asked.get("policy") else None
    if asked.get("name"):
        async with dependencies.pool.connection() as connection:
            rows = await declared.one(connection, "rule", str(asked["name"]))
        if not rows:
            raise unknown("rule", lang)
        text = newest(rows).text
    elif policy and not (asked.get("rules") or asked.get("rule")):
        return await of_policy(dependencies, policy, since.astimezone(UTC), until.astimezone(UTC), _examples(asked))
    elif asked:
        text = _as_text(asked.get("rules") or asked.get("rule"))
    rules = rules_of(text, policy.zone if policy else zone, lang)
    return Wanted(rules, policy, since.astimezone(UTC), until.astimezone(UTC), _examples(asked))


async def of_policy(dependencies: Dependencies, policy: Policy, since: datetime, until: datetime, examples: int = 0) -> Wanted:
    """What every published rule that contacts would have done under another policy."""
    async with dependencies.pool.connection() as connection:
        found = await declared.listed(connection, "rule")
    texts = [row.text for rows in found.values() for row in rows if row.state == "published"]
    rules = [rule for text in texts for rule in reading.read(text, policy.zone).rules if isinstance(rule.do, Contact)]
    return Wanted(tuple(rules), policy, since, until, examples)


def _examples(asked: dict[str, Any]) -> int:
    examples = asked.get("examples", EXAMPLES)
    if not isinstance(examples, int) or not 0 <= examples <= MOST_EXAMPLES:
        raise invalid("/examples", f"Examples are a number from 0 to {MOST_EXAMPLES}.")
    return examples


def rules_of(text: str, zone: str, lang: Lang) -> tuple[Rule, ...]:
    """The rules of a text. Raises a problem that says everything that is wrong."""
    read = reading.read(text, zone)
    if read.problems:
        raise refused(read.problems, lang)
    return read.rules


def _envelope(text: str) -> dict[str, Any]:
    """The object around a rule; empty where the text is the rule itself."""
    try:
        asked = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return {}
    return asked if isinstance(asked, dict) and "when" not in asked else {}


def _as_text(rule: object) -> str:
    if isinstance(rule, str):
        return rule
    if isinstance(rule, dict | list):
        return msgspec.json.encode(rule).decode()
    raise invalid("/rule", "There is no rule to run.", 'Send {"rule": …}, or the text of the rule itself.')


def _policy(policy: object, lang: Lang) -> Policy:
    read = policies.read(_as_text(policy))
    if read.policy is None:
        raise refused(read.problems, lang)
    return read.policy


def _time(asked: dict[str, Any], name: str) -> datetime | None:
    value = asked.get(name)
    if value is None:
        return None
    try:
        at = msgspec.convert(value, datetime, strict=False)
    except (msgspec.ValidationError, ValueError, OverflowError) as error:
        raise invalid(f"/{name}", "This is no time as RFC 3339 has it.", "Write 2026-05-01T10:00:00+03:30.") from error
    return query.in_utc(at, f"/{name}")
