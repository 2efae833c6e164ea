"""Reads what rules and segments ask: an event with what must be so in it, a span of time, what must be so of the customer.

What is wrong is gathered as problems with their places. Reading order: Conditions.checks, then its parts.
"""

import re
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from typing import Any, Literal, cast, get_args, get_origin, get_type_hints

from aggregates.contracts import CONTRACTS
from aggregates.contracts.fields import Amount, Money
from aggregates.contracts.shape import is_kind, members
from aggregates.rules.cel.expression import NotUnderstood, expression, fields_named, never_read
from aggregates.rules.pattern import Equals, Expression, Pattern
from aggregates.rules.rule import (
    ConsentIs,
    Count,
    Guard,
    Not,
    PercentileIs,
    ScoreIs,
    SegmentIs,
    When,
)
from aggregates.rules.window import PERIODS, Calendar, Rolling, Window
from aggregates.written.node import Node
from aggregates.written.problem import Problem, nearest
from aggregates.written.reader import Members, Reader
from aggregates.written.span import span

CHANNELS = ("sms", "email", "call", "agent_offer", "partner_visit", "in_app")
PURPOSES = ("service", "retention", "marketing")
SCORES = ("churn", "value")
"""The usual ones; there may be others."""

SHARES = ("churn",)
"""Of these those that are never more than 1."""

NEARLY = 0.85
"""How much a type must be like one with a contract for a hint: its last word alone, like a shop's own `order_placed`, is not enough."""

HOUR = timedelta(hours=1)

ABSENT = ("missing", "exactly_one")
MOST_COUNTED = 1_000
MOST_CHECKS = 10
LOWEST, HIGHEST = -1e15, 1e15

COUNT_WORDS = ("count", "where", "more_than", "at_least", "within", "in")
IF_WORDS: Mapping[str, tuple[str, ...]] = {
    "percentile": ("percentile", "at_least", "below"),
    "score": ("score", "at_least", "below"),
    "consent": ("consent", "channel"),
    "segment": ("segment",),
    "count": COUNT_WORDS,
    "not": ("not",),
}
EVENT_WORDS = ("event", "where")

_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?\Z", re.ASCII)


class Conditions(Reader):
    """Reads conditions and their parts."""

    def __init__(self, zone: str) -> None:
        super().__init__()
        self.calendar_zone = zone
        self.segments: list[Problem] = []

    def checks(self, node: Node) -> tuple[Guard, ...]:
        nodes = self.items(node, "[{score: churn, at_least: 0.5}]") if isinstance(node.value, tuple) else (node,)
        if len(nodes) > MOST_CHECKS:
            self.note(node, "too_many_values", limit=str(MOST_CHECKS))
        return tuple(guard for one in nodes if (guard := self.guard(one)))

    def guard(self, node: Node) -> Guard | None:
        return cast("Guard | None", self.formed(node, IF_WORDS, "{percentile: value, at_least: 90}", self.check))

    def check(self, node: Node, members: Members, form: str) -> Guard | None:
        match form:
            case "count":
                return self.count(node, members)
            case "not":
                guard = self.guard(members["not"])
                return Not(guard) if guard else None
            case "consent":
                return self.consent(members)
            case "segment":
                segment = self.named_segment(members["segment"])
                return SegmentIs(segment) if segment else None
            case _:
                return self.height(node, members, form)

    def count(self, node: Node, members: Members) -> Count | None:
        pattern = self.pattern(members["count"], "count", members.get("where"))
        least = self.whole(members["at_least"], "at_least", 1, MOST_COUNTED) if "at_least" in members else None
        if "more_than" in members:
            most = self.whole(members["more_than"], "more_than", 0, MOST_COUNTED - 1)
            least = None if most is None else most + 1
        bound = self.one(node, members, ("more_than", "at_least"))
        window = self.window(node, members)
        return Count(pattern, least, window) if pattern and bound and least and window else None

    def consent(self, members: Members) -> ConsentIs | None:
        purpose = self.text(members["consent"], "consent", 64)
        channel = self.text(members["channel"], "channel", 64) if "channel" in members else ""
        self.own(members["consent"], purpose, PURPOSES)
        if channel:
            self.own(members["channel"], channel, CHANNELS)
        return ConsentIs(purpose.lower(), channel.lower()) if purpose and channel is not None else None

    def share(self, name: str | None, members: Members, words: Collection[str]) -> None:
        """A score of ours that is a share, and is compared with what is none: perhaps it is meant in parts of a hundred."""
        for word in words:
            value = members[word].value if word in members else None
            if name in SHARES and isinstance(value, int | float) and value > 1:
                self.hint(members[word], "share", f"{value / 100:g}" if value <= 100 else "", word=str(name))

    def height(self, node: Node, members: Members, form: str) -> ScoreIs | PercentileIs | None:
        low, high = (0, 100) if form == "percentile" else (LOWEST, HIGHEST)
        name = self.text(members[form], form, 64)
        self.own(members[form], name, SCORES)
        bound = self.one(node, members, ("at_least", "below"))
        value = self.number(members[bound], bound, low, high) if bound else None
        if form == "score":
            self.share(name, members, ("at_least", "below"))
        if name is None or value is None:
            return None
        made = PercentileIs if form == "percentile" else ScoreIs
        return made(name, at_least=value) if bound == "at_least" else made(name, below=value)

    def named_segment(self, node: Node) -> str | None:
        name = self.text(node, "segment", 64)
        if name:
            self.segments.append(Problem(node.line, node.pointer, "no_segment", {"word": name}))
        return name

    def formed(
        self, node: Node, forms: Mapping[str, tuple[str, ...]], like: str, inner: Callable[[Node, Members, str], When | Guard | None]
    ) -> When | Guard | None:
        """What has one of several forms; where a word is not known, what else is wrong is found by the form that is meant."""
        known = [word for words in forms.values() for word in words]
        members = self.members(node, known, like=like)
        if members is None:
            return None
        unknown = [name for name in node.names if name not in known]
        form = self.one(node, members, tuple(forms))
        fits = form is not None and self.fitting(node, members, form, forms[form])
        if form is None and isinstance(node.value, Mapping) and not any(name in members for name in forms):
            meant = {near: name for name in unknown if (near := nearest(name, known)) in forms}
            form, members = next(iter(meant), None), {**members, **{near: node.value[name] for near, name in meant.items()}}
        if form is None:
            return None
        before = len(self.problems)
        made = inner(node, members, form)
        if unknown:  # what is missing here may be what was meant by it
            self.problems[before:] = [one for one in self.problems[before:] if one.pointer != node.pointer or one.code not in ABSENT]
        return made if fits else None

    def fitting(self, node: Node, members: Members, form: str, words: tuple[str, ...]) -> bool:
        """Whether only words of one form stand here; others are known, but not with this one."""
        for name in members:
            if name not in words:
                self.problems.append(Problem(node.names[name], f"{node.pointer}/{name}", "not_together", {"one": name, "other": form}))
        wrong = {problem.pointer for problem in self.problems}
        return not any(f"{node.pointer}/{name}" in wrong for name in node.names)

    def window(self, node: Node, members: Members) -> Window | None:
        within = self.span(members["within"], "within") if "within" in members else None
        chosen = self.choice(members["in"], "in", PERIODS) if "in" in members else None
        match self.one(node, members, ("within", "in")):
            case "within":
                return Rolling(within) if within else None
            case "in":
                return next((Calendar(period, self.calendar_zone) for period in PERIODS if period == chosen), None)
            case _:
                return None

    def pattern(self, node: Node, word: str, where: Node | None = None) -> Pattern | None:
        """A type, or `{event: type, where: …}`."""
        if not isinstance(node.value, Mapping):
            type_ = self.heard(node, word)
        else:
            members = self.members(node, EVENT_WORDS, ("event",), "{event: …, where: …}")
            if members is None:
                return None
            if where and "where" in members:
                self.note(members["where"], "not_together", one="where", other="where")
                return None
            type_ = self.heard(members["event"], "event") if "event" in members else None
            where = members.get("where", where)
        before = len(self.problems)
        condition = self.where(where, type_) if where else None
        return Pattern(type_, condition) if type_ and len(self.problems) == before else None

    def heard(self, node: Node, word: str) -> str | None:
        """The type of an event that is waited for: of one that is nearly a type with a contract it is said, since it would never come."""
        type_ = self.type(node, word)
        self.own(node, type_, CONTRACTS, NEARLY)
        return type_

    def where(self, node: Node, type_: str | None) -> Equals | Expression | None:
        known = get_type_hints(CONTRACTS[type_].data, include_extras=True) if type_ and type_ in CONTRACTS else {}
        if isinstance(node.value, str):
            return self.expression(node, known)
        if not isinstance(node.value, Mapping) or not node.value:
            self.note(node, "not_mapping", like="{page: price}, or an expression like 'data.total > 500'")
            return None
        equal: list[tuple[str, str | int | float | bool]] = []
        for name, member in node.value.items():
            if isinstance(member.value, str | int | float | bool):
                equal.append((name, member.value))
                self.own(member, name.partition(".")[0], known)
                if name in known and (meant := differing(member.value, known[name])) is not None:
                    self.hint(member, "never_equal", meant, word=name, given=plain(member.value))
            else:
                self.note(member, "no_value", word=name)
        return Equals(tuple(equal))

    def expression(self, node: Node, known: Collection[str]) -> Expression | None:
        text = self.text(node, "where", 4_000)
        try:
            if text is not None:
                expression(text)
                for one in never_read(text):
                    hours = span(one.text) if one.function == "duration" else None  # days are no unit of CEL
                    self.hint(node, "cel_never", f"{hours // HOUR}h" if hours else "", word=one.function, given=one.text[:100])
                for name in fields_named(text):
                    self.own(node, name, known)
                return Expression(text)
        except NotUnderstood as error:
            self.note(node, error.code, error.suggestion, **error.words)
        return None


def differing(value: str | float | bool, field: Any) -> str | None:
    """What was perhaps meant by a value that a field never has, like a number where texts stand; None where it may have it."""
    kinds = members(field)
    if is_kind(field, Amount) or is_kind(field, Money):  # a number is as good
        return None
    if choices := [choice for kind in kinds if get_origin(kind) is Literal for choice in get_args(kind)]:
        return None if value in choices else nearest(str(value), choices)
    if str in kinds:
        return None if isinstance(value, str) else f'"{plain(value)}"'
    if isinstance(value, bool):
        return None if bool in kinds else ""
    if isinstance(value, str):
        return value.strip() if _NUMBER.match(value.strip()) else ""
    return None if {int, float} & set(kinds) else ""


def plain(value: str | float | bool) -> str:
    """As it is written."""
    return str(value).lower() if isinstance(value, bool) else str(value)
