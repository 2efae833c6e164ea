"""Reads the text of rules: one rule, or a list of them. Reading order: read, Rules.rule, then its parts.

What is wrong is gathered as problems with their places; a rule with a problem is not among the rules.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import cast

from aggregates.addressing import DECLARED, DOTS
from aggregates.rules.conditions import CHANNELS, COUNT_WORDS, HIGHEST, LOWEST, MOST_CHECKS, PURPOSES, SCORES, Conditions
from aggregates.rules.pattern import Pattern
from aggregates.rules.rule import (
    CHANGES,
    Absence,
    Contact,
    Notify,
    Rule,
    ScoreRise,
    SegmentChange,
    Sequence,
    Unless,
    When,
)
from aggregates.written.node import Node, parse
from aggregates.written.problem import Problem
from aggregates.written.reader import Members

MOST_STEPS = 20

RULE_WORDS = ("rule", "version", "description", "when", "if", "unless", "wait", "do", "cooldown", "holdout")
WHEN_WORDS: Mapping[str, tuple[str, ...]] = {
    "count": COUNT_WORDS,
    "sequence": ("sequence", "within", "in"),
    "after": ("after", "absent", "for"),
    "score": ("score", "rises_to", "rearm_below"),
    "segment": ("segment", "change"),
}
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


class Rules(Conditions):
    """Reads rules and their parts."""

    def __init__(self, zone: str) -> None:
        super().__init__(zone)
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
        self.share(name, members, ("rises_to", "rearm_below"))
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
