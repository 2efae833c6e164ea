"""Reads the text of a contact policy. Reading order: read, _PolicyReader.policy, then its parts."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from aggregates.contact_policy.budget import PERS, Budget, Per
from aggregates.contact_policy.policy import ALL, DEFAULT, IGNORABLE, STATES, Cap, Policy, Quiet
from aggregates.rules.conditions import CHANNELS, PURPOSES
from aggregates.rules.window import PERIODS, Period
from aggregates.written.node import Node, parse
from aggregates.written.problem import Problem
from aggregates.written.reader import Reader

POLICY_WORDS = (
    "policy", "description", "zone", "priority", "transactional", "quiet", "caps", "counts", "block_while", "prefer", "holdout", "budget",
    "approval",
)  # fmt: skip
TRANSACTIONAL_WORDS = ("ignores", "never_ignores")
NEVER_IGNORED = ("consent_to_channel", "erasure")
QUIET_WORDS = ("from", "to", "then", "expires")
THEN = ("hold", "silent")
APPROVAL = ("required", "none")
CAP_WORDS = ("channels", "max", "within")
BUDGET_WORDS = ("per", "amount", "in", "costs", "stop")
STOP = ("hard",)
LARGEST_AMOUNT = 10**15
PREFER = ("declared", "learned_90d", "default")
LEARNED = r"^learned_[1-9][0-9]{0,3}d$"
"""Also so: what was learned from the responses of any number of days."""

MOST_CONTACTS = 10_000


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says, and what is wrong with it; with problems there is no policy."""

    policy: Policy | None
    problems: tuple[Problem, ...]
    hints: tuple[Problem, ...] = ()  # what may stand so, and is perhaps not meant so


def read(text: str) -> Reading:
    """The policy of a text."""
    root = parse(text)
    return Reading(None, (root,)) if isinstance(root, Problem) else read_node(root)


def read_node(root: Node) -> Reading:
    """The policy of a text that was parsed."""
    reader = _PolicyReader()
    policy = reader.policy(root)
    problems = tuple(sorted(reader.problems, key=lambda problem: problem.line))
    return Reading(None if problems else policy, problems, tuple(reader.hints))


class _PolicyReader(Reader):
    """Reads a policy and its parts."""

    def policy(self, node: Node) -> Policy | None:
        members = self.members(node, POLICY_WORDS, like="{policy: contact, zone: Asia/Tehran, …}")
        if members is None:
            return None
        if "description" in members:
            self.text(members["description"], "description", 2_000)
        counts = self.names(members["counts"], "counts") if "counts" in members else ()
        return Policy(
            (self.name(members["policy"], "policy") if "policy" in members else None) or DEFAULT.name,
            (self.zone(members["zone"], "zone") if "zone" in members else None) or DEFAULT.zone,
            self.names(members["priority"], "priority", PURPOSES) if "priority" in members else DEFAULT.priority,
            self.ignores(members["transactional"]) if "transactional" in members else frozenset(),
            self.quiet(members["quiet"]) if "quiet" in members else None,
            self.caps(members["caps"], counts) if "caps" in members else (),
            counts,
            self.blocks(members["block_while"]) if "block_while" in members else {},
            self.preferences(members["prefer"]) if "prefer" in members else DEFAULT.prefer,
            (self.percent(members["holdout"], "holdout") if "holdout" in members else None) or 0.0,
            "approval" in members and self.choice(members["approval"], "approval", APPROVAL) == "required",
            self.budget(members["budget"]) if "budget" in members else None,
        )

    def names(self, node: Node, word: str, usual: tuple[str, ...] = CHANNELS) -> tuple[str, ...]:
        names = [self.usual(one, word, usual) for one in self.items(node, "[sms, email]")]
        return tuple(dict.fromkeys(name for name in names if name))

    def choices(self, node: Node, word: str, choices: tuple[str, ...]) -> tuple[str, ...]:
        chosen = [self.choice(one, word, choices) for one in self.items(node, f"[{', '.join(choices)}]")]
        return tuple(dict.fromkeys(one for one in chosen if one))

    def preferences(self, node: Node) -> tuple[str, ...]:
        nodes = self.items(node, f"[{', '.join(PREFER)}]")
        learned = [one for one in nodes if isinstance(one.value, str) and re.fullmatch(LEARNED, one.value)]
        chosen = [str(one.value) if one in learned else self.choice(one, "prefer", PREFER) for one in nodes]
        return tuple(dict.fromkeys(one for one in chosen if one))

    def ignores(self, node: Node) -> frozenset[str]:
        members = self.members(node, TRANSACTIONAL_WORDS, like="{ignores: [caps, quiet]}")
        if members is None:
            return frozenset()
        if "never_ignores" in members:
            self.choices(members["never_ignores"], "never_ignores", NEVER_IGNORED)
        return frozenset(self.choices(members["ignores"], "ignores", IGNORABLE)) if "ignores" in members else frozenset()

    def quiet(self, node: Node) -> Quiet | None:
        members = self.members(node, QUIET_WORDS, ("from", "to"), '{from: "21:00", to: "09:00", then: hold}')
        if members is None:
            return None
        start, end = [self.clock(members[word]) if word in members else None for word in ("from", "to")]
        then = self.choice(members["then"], "then", THEN) if "then" in members else "hold"
        expires = self.span(members["expires"], "expires") if "expires" in members else None
        if start is not None and start == end:
            self.note(members["to"], "quiet_all_day")
        return Quiet(start, end, then == "hold", expires) if start is not None and end is not None else None

    def caps(self, node: Node, counts: tuple[str, ...]) -> tuple[Cap, ...]:
        return tuple(cap for one in self.items(node, "[{channels: all, max: 3, within: 7d}]") if (cap := self.cap(one, counts)))

    def cap(self, node: Node, counts: tuple[str, ...]) -> Cap | None:
        members = self.members(node, CAP_WORDS, CAP_WORDS, "{channels: all, max: 3, within: 7d}")
        if members is None:
            return None
        channels = self.channels(members["channels"], "channels") if "channels" in members else None
        most = self.whole(members["max"], "max", 0, MOST_CONTACTS) if "max" in members else None
        within = self.span(members["within"], "within") if "within" in members else None
        if channels is None or most is None or within is None:
            return None
        if channels and counts:
            self.uncounted(members["channels"], counts)
        return Cap(channels, most, within, str(members["within"].value))

    def channels(self, node: Node, word: str) -> tuple[str, ...] | None:
        """Channels; none is all."""
        usual = (*CHANNELS, ALL)
        if isinstance(node.value, str):
            name = self.usual(node, word, usual)
            names: tuple[str, ...] = (name,) if name else ()
        else:
            names = self.names(node, word, usual)
        return () if ALL in names else names or None

    def uncounted(self, node: Node, counts: tuple[str, ...]) -> None:
        """Say of which channels nothing counts: no contact by them would ever be capped."""
        told = {hint.pointer for hint in self.hints}
        for one in node.value if isinstance(node.value, tuple) else (node,):
            if (name := str(one.value).lower()) not in counts and one.pointer not in told:
                self.hint(one, "not_counted", word=name)

    def blocks(self, node: Node) -> Mapping[str, tuple[str, ...]]:
        members = self.members(node, STATES, like="{open_complaint: all}")
        found = {state: self.channels(member, state) for state, member in (members or {}).items()}
        return {state: channels for state, channels in found.items() if channels is not None}

    def budget(self, node: Node) -> Budget | None:
        """Without an amount it binds nothing."""
        members = self.members(node, BUDGET_WORDS, like="{per: campaign, amount: 1000000, in: jalali_month, costs: {sms: 150}}") or {}
        per = self.choice(members["per"], "per", PERS) if "per" in members else PERS[0]
        period = self.choice(members["in"], "in", PERIODS) if "in" in members else "jalali_month"
        costs = self.costs(members["costs"]) if "costs" in members else {}
        if "stop" in members:
            self.choice(members["stop"], "stop", STOP)
        amount = self.whole(members["amount"], "amount", 0, LARGEST_AMOUNT) if "amount" in members else None
        if amount is None or per is None or period is None:
            return None
        return Budget(amount, cast("Period", period), costs, cast("Per", per))

    def costs(self, node: Node) -> Mapping[str, int]:
        if not isinstance(node.value, Mapping) or not node.value:
            self.note(node, "not_mapping", like="{sms: 150, call: 9000}")
            return {}
        found: dict[str, int] = {}
        for name, member in node.value.items():
            channel = self.usual(Node(name, node.names.get(name, member.line), member.pointer), "costs", CHANNELS)
            cost = self.whole(member, name, 0, LARGEST_AMOUNT)
            if channel is not None and cost is not None:
                found[channel] = cost
        return found
