"""The form beside a rule's text: its fields out of the text, and the text out of the fields. What the form has no field for stays.

Reading order: Fields, fields_of, text_of, field_at.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import yaml

from aggregates.rules.window import PERIODS
from aggregates.written.node import Node, parse
from aggregates.written.reader import latin

KINDS = ("count", "sequence", "after", "score", "segment")
ACTS = ("notify", "contact")
CHANGES = ("entered", "left")
NUMBERS = frozenset({"least", "window", "lasting", "rises_to", "rearm_below", "wait", "cooldown", "holdout"})
PLACES = {
    "when/count": "event", "when/more_than": "least", "when/at_least": "least", "when/within": "window", "when/in": "window",
    "when/sequence": "steps", "when/after": "event", "when/for": "lasting", "do/notify": "target", "do/contact": "campaign",
}  # fmt: skip
"""Which field shows what stands in a text, where it is not called the same."""

PREFIX = "f_"
"""Before the names of the form's fields."""


@dataclass(frozen=True, slots=True)
class Fields:
    """What stands in the form, as people write it."""

    rule: str = ""
    kind: str = "count"
    event: str = ""  # that is counted, after which another is missed
    where: str = ""
    least: str = "1"
    window: str = "30d"
    steps: str = ""
    absent: str = ""
    lasting: str = "14d"
    score: str = "churn"
    rises_to: str = "0.7"
    rearm_below: str = "0.6"
    segment: str = ""
    change: str = "entered"
    wait: str = ""
    unless: str = ""
    act: str = "notify"
    target: str = ""
    campaign: str = ""
    purpose: str = "marketing"
    prefer: str = "customer"
    cooldown: str = ""
    holdout: str = ""


def fields_of(text: str) -> Fields | None:
    """The form of a text; None when it is not one rule that the form can show."""
    rule = _mapping(text)
    if rule is None or not isinstance(rule.get("when"), dict) or not isinstance(rule.get("do"), dict):
        return None
    when, do = rule["when"], rule["do"]
    kind = next((kind for kind in KINDS if kind in when), None)
    unless = rule.get("unless") or {}
    if kind is None or not isinstance(unless, dict) or set(unless) - {"event", "since"}:
        return None
    found: dict[str, Any] = {name: rule.get(name) for name in ("rule", "wait", "cooldown", "holdout")} | {"kind": kind}
    found |= {"unless": unless.get("event"), "act": "contact" if "contact" in do else "notify"}
    if "contact" in do:
        found |= {"campaign": do["contact"], "purpose": do.get("purpose"), "prefer": do.get("prefer")}
    else:
        found["target"] = do.get("notify")
    try:
        found |= _condition(kind, when)
        return Fields(**{name: _written(value) for name, value in found.items()})
    except ValueError:
        return None


def text_of(form: Fields, before: str) -> str:
    """The text of a form, with what the text before has besides."""
    rule = _mapping(before) or {}
    when, do = _when(form), _do(form)
    parts: dict[str, Any] = {"rule": form.rule or "…", "when": _first(when) | _said(when)}
    parts |= {"if": rule.get("if"), "wait": form.wait, "unless": _unless(form), "do": _first(do) | _said(do)}
    parts |= {"cooldown": form.cooldown, "holdout": _number(form.holdout)}
    besides = {name: part for name, part in rule.items() if name not in parts}
    written = yaml.safe_dump(
        _said(parts | besides),
        allow_unicode=True,
        sort_keys=False,
        default_flow_style=None,
        width=120,
    )
    return str(written)


def sent(form: Mapping[str, str]) -> Fields:
    """The form as a browser sends it; numbers in whatever digits, as the desk itself writes them in Persian."""
    known = {field.name for field in fields(Fields)}
    values = {name.removeprefix(PREFIX): value.strip() for name, value in form.items() if name.startswith(PREFIX)}
    values |= {name: latin(value) for name, value in values.items() if name in NUMBERS}
    return Fields(**{name: value for name, value in values.items() if name in known})


def field_at(pointer: str) -> str:
    """The field of the form that shows what a mistake points at; empty where none does."""
    parts = [part for part in pointer.split("/") if part]
    first, second, *_ = (*(parts[1:] if parts and parts[0].isdecimal() else parts), "", "")
    name = PLACES.get(f"{first}/{second}", second) if first in ("when", "do") else first
    return name if name in {field.name for field in fields(Fields)} else ""


def _condition(kind: str, when: Mapping[str, Any]) -> dict[str, Any]:
    match kind:
        case "count":
            least = when["more_than"] + 1 if isinstance(when.get("more_than"), int) else when.get("at_least")
            window = when.get("within") or when.get("in")
            return {"event": when["count"], "where": _flow(when.get("where")), "least": least, "window": window}
        case "sequence":
            return {"steps": when["sequence"], "window": when.get("within") or when.get("in")}
        case "after":
            return {"event": when["after"], "absent": when.get("absent"), "lasting": when.get("for")}
    return {name: when.get(name) for name in ("score", "rises_to", "rearm_below", "segment", "change")}


def _when(form: Fields) -> dict[str, Any]:
    window = {"in" if form.window in PERIODS else "within": form.window}
    match form.kind:
        case "sequence":
            return {"sequence": _words(form.steps), **window}
        case "after":
            return {"after": form.event, "absent": form.absent, "for": form.lasting}
        case "score":
            return {"score": form.score, "rises_to": _number(form.rises_to), "rearm_below": _number(form.rearm_below)}
        case "segment":
            return {"segment": form.segment, "change": form.change}
    where = {"where": _mapping(form.where) if form.where.startswith("{") else form.where} if form.where else {}
    return {"count": form.event, **where, "at_least": _number(form.least), **window}


def _do(form: Fields) -> dict[str, Any]:
    if form.act == "contact":
        return {"contact": form.campaign, "purpose": form.purpose, "prefer": _words(form.prefer)}
    return {"notify": form.target}


def _first(parts: Mapping[str, Any]) -> dict[str, Any]:
    """What says which form it is: it stands there empty, too, so that a mistake is told of it and the form can still show it."""
    return dict([next(iter(parts.items()))])


def _said(parts: Mapping[str, Any]) -> dict[str, Any]:
    """What is not empty."""
    return {name: part for name, part in parts.items() if part not in ("", None, [])}


def _unless(form: Fields) -> dict[str, Any] | None:
    return {"event": form.unless, "since": "first_match"} if form.unless else None


def _mapping(text: str) -> dict[str, Any] | None:
    """The one rule of a text, as it is written."""
    root = parse(text)
    plain = root.plain if isinstance(root, Node) else None
    if isinstance(plain, list) and len(plain) == 1:
        plain = plain[0]
    return plain if isinstance(plain, dict) else None


def _words(text: str) -> list[str]:
    return text.replace(",", " ").replace("،", " ").split()


def _number(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _written(value: object) -> str:
    """As it stands in a field. Raises ValueError for what no field can hold."""
    if value is None:
        return ""
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return " ".join(value)
    raise ValueError(value)


def _flow(value: object) -> object:
    """Equality as it is written in one line."""
    if not isinstance(value, dict):
        return value
    return str(yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10_000)).strip()
