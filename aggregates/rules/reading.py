"""Reads the text of rules: one rule, or a list of them. Reading order: read, Rules.rule, then its parts.

What is wrong is gathered as problems with their places; a rule with a problem is not among the rules.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Literal, cast, get_args, get_origin, get_type_hints

from aggregates.addressing import DECLARED, DOTS
from aggregates.contracts import CONTRACTS
from aggregates.contracts.fields import Amount, Money
from aggregates.contracts.shape import is_kind, members
from aggregates.rules.cel.expression import NotUnderstood, expression, fields_named, never_read
from aggregates.rules.pattern import Equals, Expression, Pattern
from aggregates.rules.rule import (
    CHANGES,
    Absence,
    ConsentIs,
    Contact,
    Count,
    Guard,
    Not,
    Notify,
    PercentileIs,
    Rule,
    ScoreIs,
    ScoreRise,
    SegmentChange,
    SegmentIs,
    Sequence,
    Unless,
    When,
)
from aggregates.rules.window import PERIODS, Calendar, Rolling, Window
from aggregates.written.node import Node, parse
from aggregates.written.problem import Problem, nearest
from aggregates.written.reader import Members, Reader
from aggregates.written.span import span

CHANNELS = ("sms", "email", "call", "agent_offer", "partner_visit", "in_app")
PURPOSES = ("service", "retention", "marketing")
SCORES = ("churn", "value")
"""The usual ones; there may be others."""

NEARLY = 0.85
"""How much a type must be like one with a contract for a hint: its last word alone, like a shop's own `order_placed`, is not enough."""

HOUR = timedelta(hours=1)

ABSENT = ("missing", "exactly_one")
MOST_COUNTED = 1_000
MOST_STEPS = 20
MOST_CHECKS = 10
LOWEST, HIGHEST = -1e15, 1e15

RULE_WORDS = ("rule", "version", "description", "when", "if", "unless", "wait", "do", "cooldown", "holdout")
WHEN_WORDS: Mapping[str, tuple[str, ...]] = {
    "count": ("count", "where", "more_than", "at_least", "within", "in"),
    "sequence": ("sequence", "within", "in"),
    "after": ("after", "absent", "for"),
    "score": ("score", "rises_to", "rearm_below"),
    "segment": ("segment", "change"),
}
IF_WORDS: Mapping[str, tuple[str, ...]] = {
    "percentile": ("percentile", "at_least", "below"),
    "score": ("score", "at_least", "below"),
    "consent": ("consent", "channel"),
    "segment": ("segment",),
    "count": WHEN_WORDS["count"],
    "not": ("not",),
}
EVENT_WORDS = ("event", "where")
UNLESS_WORDS = ("event", "where", "since", "within")
SINCE = ("first_match",)
DO_WORDS = ("notify", "contact", "purpose", "prefer")

PURPOSE = "marketing"
"""Of a contact that names no purpose: the one that asks for most consent."""

PREFER = ("customer",)


@dataclass(frozen=True, slots=True)
class Named:
    """Where a text says with what customers are approached, and by which channels."""

    line: int
    pointer: str
    contact: str
    prefer: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says, and what is wrong with it."""

    rules: tuple[Rule, ...]
    problems: tuple[Problem, ...]
    hints: tuple[Problem, ...] = ()  # what may stand so, and is perhaps not meant so
    segments: tuple[Problem, ...] = ()  # where segments are named: a hint, where there is none of that name
    contacts: tuple[Named, ...] = ()


def read_one(text: str, zone: str) -> Reading:
    """The rule of a text that is to be kept: only one may stand there, and its name must lead to it."""
    root = parse(text)
    if isinstance(root, Problem):
        return Reading((), (root,))
    read = read_node(root, zone)
    if not read.problems and isinstance(root.value, tuple) and len(root.value) > 1:
        return Reading((), tuple([Problem(node.line, node.pointer, "many_rules") for node in root.value[1:]]))
    lost = astray(root, "rule")
    return replace(read, rules=(), problems=tuple(by_line([*read.problems, *lost]))) if lost else read


def astray(root: Node, word: str) -> list[Problem]:
    """Where a text has a name at which nobody would find it; what is in force by such a name is still read."""
    one = root.value[0] if isinstance(root.value, tuple) and len(root.value) == 1 else root
    node = one.value.get(word) if isinstance(one.value, Mapping) else None
    if node is None or not isinstance(node.value, str) or node.value.strip() not in (*DOTS, *DECLARED):
        return []
    return [Problem(node.line, node.pointer, "leads_elsewhere", {"word": node.value.strip()})]


def by_line(problems: Iterable[Problem]) -> list[Problem]:
    """As one meets them in the text."""
    return sorted(problems, key=lambda problem: problem.line)


def read(text: str, zone: str) -> Reading:
    """The rules of a text; calendar months are those of the zone, the policy's."""
    root = parse(text)
    if isinstance(root, Problem):
        return Reading((), (root,))
    return read_node(root, zone)


def read_node(root: Node, zone: str) -> Reading:
    """The rules of a text that was parsed."""
    reader = Rules(zone)
    nodes = root.value if isinstance(root.value, tuple) else (root,)
    if not nodes or root.value == {}:
        reader.note(root, "no_rules")
        return Reading((), tuple(reader.problems))
    rules: list[Rule] = []
    lines: dict[str, int] = {}
    for node in nodes:
        rule, name = reader.rule(node), _named(node)
        if name and name in lines:
            reader.note(node, "same_name", word=name, line=str(lines[name]))
        elif rule:
            rules.append(rule)
        lines.setdefault(name, node.line)
    return Reading(tuple(rules), tuple(by_line(reader.problems)), tuple(reader.hints), tuple(reader.segments), tuple(reader.contacts))


def _named(node: Node) -> str:
    """What a rule is called, whatever else is wrong with it."""
    name = node.value.get("rule") if isinstance(node.value, Mapping) else None
    return name.value.strip() if name is not None and isinstance(name.value, str) else ""


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


_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?\Z", re.ASCII)


class Rules(Reader):
    """Reads rules and their parts."""

    def __init__(self, zone: str) -> None:
        super().__init__()
        self.calendar_zone = zone
        self.segments: list[Problem] = []
        self.contacts: list[Named] = []

    def rule(self, node: Node) -> Rule | None:
        before = len(self.problems)
        members = self.members(node, RULE_WORDS, ("rule", "when", "do"), "{rule: …, when: …, do: …}")
        if members is None:
            return None
        name = self.name(members["rule"], "rule") if "rule" in members else None
        when = self.when(members["when"]) if "when" in members else None
        do = self.do(members["do"]) if "do" in members else None
        rule = Rule(
            name or "",
            when or _NO_CONDITION,
            do or Notify(""),
            (self.whole(members["version"], "version", 1, 10**9) if "version" in members else None) or 1,
            self.checks(members["if"]) if "if" in members else (),
            self.unless(members["unless"]) if "unless" in members else (),
            self.optional_span(members, "wait"),
            self.optional_span(members, "cooldown"),
            (self.percent(members["holdout"], "holdout") if "holdout" in members else None) or 0.0,
        )
        if "description" in members:
            self.text(members["description"], "description", 2_000)
        if rule.holdout and isinstance(do, Notify):
            self.hint(members["holdout"], "keeps_nobody")
        return rule if len(self.problems) == before and name and when and do else None

    def optional_span(self, members: Members, word: str) -> timedelta:
        return (self.span(members[word], word, zero=True) if word in members else None) or timedelta()

    def when(self, node: Node) -> When | None:
        return cast("When | None", self.formed(node, WHEN_WORDS, "{count: …}", self.condition))

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

    def condition(self, node: Node, members: Members, form: str) -> When | None:
        match form:
            case "count":
                return self.count(node, members)
            case "sequence":
                return self.sequence(node, members)
            case "after":
                return self.absence(node, members)
            case "score":
                return self.score(node, members)
            case _:
                return self.segment(node, members)

    def fitting(self, node: Node, members: Members, form: str, words: tuple[str, ...]) -> bool:
        """Whether only words of one form stand here; others are known, but not with this one."""
        for name in members:
            if name not in words:
                self.problems.append(Problem(node.names[name], f"{node.pointer}/{name}", "not_together", {"one": name, "other": form}))
        wrong = {problem.pointer for problem in self.problems}
        return not any(f"{node.pointer}/{name}" in wrong for name in node.names)

    def count(self, node: Node, members: Members) -> Count | None:
        pattern = self.pattern(members["count"], "count", members.get("where"))
        least = self.whole(members["at_least"], "at_least", 1, MOST_COUNTED) if "at_least" in members else None
        if "more_than" in members:
            most = self.whole(members["more_than"], "more_than", 0, MOST_COUNTED - 1)
            least = None if most is None else most + 1
        bound = self.one(node, members, ("more_than", "at_least"))
        window = self.window(node, members)
        return Count(pattern, least, window) if pattern and bound and least and window else None

    def sequence(self, node: Node, members: Members) -> Sequence | None:
        items = self.items(members["sequence"], "[sales.quote_sent, call.abandoned]")
        if len(items) > MOST_STEPS:
            self.note(members["sequence"], "too_many_values", limit=str(MOST_STEPS))
        steps = [self.pattern(item, "sequence") for item in items]
        window = self.window(node, members)
        known = tuple(step for step in steps if step)
        return Sequence(known, window) if known and len(known) == len(items) and window else None

    def absence(self, node: Node, members: Members) -> Absence | None:
        for word in ("absent", "for"):
            if word not in members:
                self.note(node, "missing", word=word)
        after = self.pattern(members["after"], "after")
        absent = self.pattern(members["absent"], "absent") if "absent" in members else None
        lasting = self.span(members["for"], "for") if "for" in members else None
        return Absence(after, absent, lasting) if after and absent and lasting else None

    def score(self, node: Node, members: Members) -> ScoreRise | None:
        name = self.text(members["score"], "score", 64)
        self.own(members["score"], name, SCORES)
        if "rises_to" not in members:
            self.note(node, "missing", word="rises_to")
        height = self.number(members["rises_to"], "rises_to", LOWEST, HIGHEST) if "rises_to" in members else None
        below = self.number(members["rearm_below"], "rearm_below", LOWEST, HIGHEST) if "rearm_below" in members else height
        if height is not None and below is not None and below > height:
            self.note(members["rearm_below"], "rearm_above")
            return None
        return ScoreRise(name, height, below) if name and height is not None and below is not None else None

    def segment(self, node: Node, members: Members) -> SegmentChange | None:
        name = self.named_segment(members["segment"])
        if "change" not in members:
            self.note(node, "missing", word="change")
            return None
        change = self.choice(members["change"], "change", CHANGES)
        return SegmentChange(name, "entered" if change == "entered" else "left") if name and change else None

    def named_segment(self, node: Node) -> str | None:
        name = self.text(node, "segment", 64)
        if name:
            self.segments.append(Problem(node.line, node.pointer, "no_segment", {"word": name}))
        return name

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

    def consent(self, members: Members) -> ConsentIs | None:
        purpose = self.text(members["consent"], "consent", 64)
        channel = self.text(members["channel"], "channel", 64) if "channel" in members else ""
        self.own(members["consent"], purpose, PURPOSES)
        if channel:
            self.own(members["channel"], channel, CHANNELS)
        return ConsentIs(purpose.lower(), channel.lower()) if purpose and channel is not None else None

    def height(self, node: Node, members: Members, form: str) -> ScoreIs | PercentileIs | None:
        low, high = (0, 100) if form == "percentile" else (LOWEST, HIGHEST)
        name = self.text(members[form], form, 64)
        self.own(members[form], name, SCORES)
        bound = self.one(node, members, ("at_least", "below"))
        value = self.number(members[bound], bound, low, high) if bound else None
        if name is None or value is None:
            return None
        made = PercentileIs if form == "percentile" else ScoreIs
        return made(name, at_least=value) if bound == "at_least" else made(name, below=value)

    def unless(self, node: Node) -> tuple[Unless, ...]:
        nodes = self.items(node, "[{event: call.answered}]") if isinstance(node.value, tuple) else (node,)
        if len(nodes) > MOST_CHECKS:
            self.note(node, "too_many_values", limit=str(MOST_CHECKS))
        return tuple(one for each in nodes if (one := self.stop(each)))

    def stop(self, node: Node) -> Unless | None:
        if isinstance(node.value, str):
            pattern = self.pattern(node, "unless")
            return Unless(pattern) if pattern else None
        members = self.members(node, UNLESS_WORDS, ("event",), "{event: call.answered, since: first_match}")
        if members is None:
            return None
        if "since" in members and "within" in members:
            self.note(members["within"], "not_together", one="within", other="since")
        if "since" in members:
            self.choice(members["since"], "since", SINCE)
        type_ = self.heard(members["event"], "event") if "event" in members else None
        before = len(self.problems)
        where = self.where(members["where"], type_) if "where" in members else None
        pattern = Pattern(type_, where) if type_ and len(self.problems) == before else None
        within = self.span(members["within"], "within") if "within" in members else None
        return Unless(pattern, within) if pattern else None

    def do(self, node: Node) -> Notify | Contact | None:
        members = self.members(node, DO_WORDS, like="{notify: team:retention} or {contact: winback, purpose: marketing}")
        if members is None:
            return None
        form = self.one(node, members, ("notify", "contact"))
        purpose = self.usual(members["purpose"], "purpose", PURPOSES) if "purpose" in members else PURPOSE
        prefer = self.channels(members["prefer"]) if "prefer" in members else PREFER
        if form is None:
            return None
        if form == "notify":
            target = self.text(members["notify"], "notify")
            return Notify(target) if self.fitting(node, members, form, ("notify",)) and target else None
        named = members["contact"]
        campaign = self.text(named, "contact")
        if campaign and prefer:
            self.contacts.append(Named(named.line, named.pointer, campaign, prefer))
        return Contact(campaign, purpose, prefer) if campaign and purpose and prefer else None

    def channels(self, node: Node) -> tuple[str, ...]:
        nodes = (node,) if isinstance(node.value, str) else self.items(node, "[customer, sms, call]")
        names = [self.usual(one, "prefer", (*PREFER, *CHANNELS)) for one in nodes]
        return tuple(dict.fromkeys(name for name in names if name))


_NO_CONDITION = SegmentChange("", "entered")
