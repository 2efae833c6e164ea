"""Says which signals stand, by brute force: every rule over the full history of one customer, with no state kept between two facts.

Written from docs/rules.md alone, on purpose slow and plain, and independent of the code that it judges: it reads rules and events as the
plain JSON they are. Reading order: standing, rises, then one function for each form of condition.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

Rule = dict[str, Any]
Event = dict[str, Any]


class Fact(NamedTuple):
    """An event in the order in which facts count: time, then id."""

    at: datetime
    id: str
    event: Event


class Rise(NamedTuple):
    """The condition came true that was false before."""

    at: datetime
    cause: Fact
    first: Fact
    by_timer: bool


class Stands(NamedTuple):
    """A signal that stands in the end."""

    rule: str
    cause: str
    occurred: datetime


def standing(rule: Rule, events: Sequence[Event], end: datetime, zone: str = "Asia/Tehran") -> list[Stands]:
    """The signals of one rule over all events of one customer, in any order; `end` is the last recorded time."""
    facts = sorted((Fact(moment(event["time"]), event["id"], event) for event in events), key=lambda fact: (fact.at, fact.id))
    wait, cooldown = span(rule.get("wait", "0s")), span(rule.get("cooldown", "0s"))
    found: list[Stands] = []
    until: datetime | None = None
    for rise in rises(rule["when"], facts, zone):
        by_timer = rise.by_timer or bool(wait)
        due = rise.at + wait
        if rise.cause.event.get("yektabackfill") or (until is not None and rise.at < until):
            continue
        known = [fact for fact in facts if (fact.at <= due if by_timer else fact[:2] <= rise.cause[:2])]
        if stopped(rule.get("unless"), known, rise.first, due) or not allowed(rule.get("if"), known, due, zone):
            continue
        if by_timer and due > end:
            continue
        found.append(Stands(rule["rule"], rise.cause.id, due))
        until = due + cooldown
    return found


def rises(when: dict[str, Any], facts: list[Fact], zone: str) -> list[Rise]:
    """Every moment at which a condition came true, in order."""
    if "count" in when:
        return list(of_counts(when, facts, zone))
    if "sequence" in when:
        return list(of_sequences(when, facts, zone))
    if "after" in when:
        return sorted(of_absences(when, facts), key=lambda rise: rise.at)
    return list(of_switches(when, facts))


def of_counts(when: dict[str, Any], facts: list[Fact], zone: str) -> Iterator[Rise]:
    counted = [fact for fact in facts if matches(fact, {"event": when["count"], "where": when.get("where")})]
    least = when["at_least"] if "at_least" in when else when["more_than"] + 1
    for index, fact in enumerate(counted):
        before = [one for one in counted[:index] if within(when, one.at, fact.at, zone)]
        after = [one for one in counted[: index + 1] if within(when, one.at, fact.at, zone)]
        if len(before) < least <= len(after):
            yield Rise(fact.at, fact, after[0], by_timer=False)


def of_sequences(when: dict[str, Any], facts: list[Fact], zone: str) -> Iterator[Rise]:
    steps = when["sequence"]
    relevant = [fact for fact in facts if any(matches(fact, step) for step in steps)]
    for index, fact in enumerate(relevant):
        before = [one for one in relevant[:index] if within(when, one.at, fact.at, zone)]
        after = [one for one in relevant[: index + 1] if within(when, one.at, fact.at, zone)]
        if not has_run(steps, before) and has_run(steps, after):
            first = next(one for one in after if matches(one, steps[0]))
            yield Rise(fact.at, fact, first, by_timer=False)


def has_run(steps: list[Any], facts: list[Fact]) -> bool:
    return any(all(matches(fact, step) for fact, step in zip(run, steps, strict=True)) for run in combinations(facts, len(steps)))


def of_absences(when: dict[str, Any], facts: list[Fact]) -> Iterator[Rise]:
    for index, fact in enumerate(facts):
        if not matches(fact, when["after"]):
            continue
        opened = False  # whether an `after` fact since the last `absent` fact came before this one
        if not matches(fact, when["absent"]):
            for earlier in facts[:index]:
                if matches(earlier, when["absent"]):
                    opened = False
                if matches(earlier, when["after"]):
                    opened = True
        due = fact.at + span(when["for"])
        came = any(matches(later, when["absent"]) and later.at <= due for later in facts[index + 1 :])
        if not opened and not came:
            yield Rise(due, fact, fact, by_timer=True)


def of_switches(when: dict[str, Any], facts: list[Fact]) -> Iterator[Rise]:
    on = False
    for fact in facts:
        type_, data = fact.event["type"], fact.event["data"]
        if "score" in when and type_ == "score.given" and data["score"] == when["score"]:
            if not on and data["value"] >= when["rises_to"]:
                on = True
                yield Rise(fact.at, fact, fact, by_timer=False)
            elif on and data["value"] < when.get("rearm_below", when["rises_to"]):
                on = False
        if "segment" in when and type_ in ("segment.entered", "segment.left") and data["segment"] == when["segment"]:
            here = type_ == f"segment.{when['change']}"
            if here and not on:
                yield Rise(fact.at, fact, fact, by_timer=False)
            on = here


def stopped(unless: Any, known: list[Fact], first: Fact, due: datetime) -> bool:
    for one in [] if unless is None else unless if isinstance(unless, list) else [unless]:
        for fact in known:
            if matches(fact, one):
                if isinstance(one, dict) and "within" in one:
                    if due - fact.at < span(one["within"]):
                        return True
                elif fact[:2] >= first[:2]:
                    return True
    return False


def allowed(checks: Any, known: list[Fact], at: datetime, zone: str) -> bool:
    return all(holds(check, known, at, zone) for check in ([] if checks is None else checks if isinstance(checks, list) else [checks]))


def holds(check: dict[str, Any], known: list[Fact], at: datetime, zone: str) -> bool:
    if "not" in check:
        return not holds(check["not"], known, at, zone)
    if "score" in check:
        given = [
            fact.event["data"]["value"] for fact in known if matches(fact, {"event": "score.given", "where": {"score": check["score"]}})
        ]
        return bool(given) and (given[-1] >= check["at_least"] if "at_least" in check else given[-1] < check["below"])
    if "segment" in check:
        words = [fact for fact in known if fact.event["type"].startswith("segment.") and fact.event["data"]["segment"] == check["segment"]]
        return bool(words) and words[-1].event["type"] == "segment.entered"
    if "consent" in check:
        return consents(known, check["consent"], check["channel"], at)
    counted = [fact for fact in known if matches(fact, {"event": check["count"]}) and within(check, fact.at, at, zone)]
    return bool(len(counted) >= check["at_least"])


def consents(known: list[Fact], purpose: str, channel: str, at: datetime) -> bool:
    """The latest word; two at the same time go by their ids."""
    said = [
        (fact.at, fact.id, fact.event["type"] == "consent.given")
        for fact in known
        if fact.event["type"] in ("consent.given", "consent.withdrawn")
        and fact.event["data"]["purpose"] == purpose
        and channel in fact.event["data"].get("channels", [channel])
    ]
    return bool(said) and max(said)[2]


def matches(fact: Fact, pattern: Any) -> bool:
    if isinstance(pattern, str):
        return bool(fact.event["type"] == pattern)
    where = pattern.get("where") or {}
    return fact.event["type"] == pattern["event"] and all(fact.event["data"].get(name) == value for name, value in where.items())


def within(when: dict[str, Any], fact: datetime, at: datetime, zone: str) -> bool:
    if "within" in when:
        return at - span(when["within"]) < fact <= at
    one, other = fact.astimezone(ZoneInfo(zone)).date(), at.astimezone(ZoneInfo(zone)).date()
    return bool(period(when["in"], one) == period(when["in"], other))


NOWRUZ = {1403: date(2024, 3, 20), 1404: date(2025, 3, 21), 1405: date(2026, 3, 21), 1406: date(2027, 3, 21)}


def period(name: str, day: date) -> Any:
    if name == "day":
        return day
    if name == "month":
        return day.year, day.month
    if name == "week":
        return (day + timedelta(days=2)).isocalendar()[:2]  # Saturday as ISO's Monday
    year, new_year = max((year, first) for year, first in NOWRUZ.items() if first <= day)
    passed = (day - new_year).days
    return year, passed // 31 if passed < 186 else 6 + (passed - 186) // 30


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def span(text: str) -> timedelta:
    units = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
    return sum((timedelta(**{units[unit]: int(number)}) for number, unit in re.findall(r"(\d+)([smhdw])", text)), timedelta())
