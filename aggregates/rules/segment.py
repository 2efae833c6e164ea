"""A segment that a marketer wrote: customers of whom something is so, as long as it is. Reading order: Segment, read, read_one."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from aggregates.rules.conditions import Conditions
from aggregates.rules.reading import astray, by_line
from aggregates.rules.rule import Guard
from aggregates.written.node import Node, parse
from aggregates.written.problem import Problem

SEGMENT_WORDS = ("segment", "version", "description", "when")


@dataclass(frozen=True, slots=True)
class Segment:
    """One version of a segment: all that `when` asks, in the words of a rule's `if`."""

    name: str
    checks: tuple[Guard, ...]
    version: int = 1


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says, and what is wrong with it; with problems there is no segment."""

    segment: Segment | None
    problems: tuple[Problem, ...]
    hints: tuple[Problem, ...] = ()
    segments: tuple[Problem, ...] = ()  # where others are named: a hint, where there is none of that name


def read(text: str, zone: str) -> Reading:
    """The segment of a text; calendar months are those of the zone, the policy's."""
    root = parse(text)
    return Reading(None, (root,)) if isinstance(root, Problem) else _read_node(root, zone)


def read_one(text: str, zone: str) -> Reading:
    """The segment of a text that is to be kept: its name must lead to it."""
    root = parse(text)
    if isinstance(root, Problem):
        return Reading(None, (root,))
    found, lost = _read_node(root, zone), astray(root, "segment")
    return replace(found, segment=None, problems=tuple(by_line([*found.problems, *lost]))) if lost else found


def _read_node(root: Node, zone: str) -> Reading:
    if isinstance(root.value, tuple) and len(root.value) == 1:
        root = root.value[0]
    reader = _Segments(zone)
    segment = reader.whole_segment(root)
    problems = tuple(by_line(reader.problems))
    return Reading(None if problems else segment, problems, tuple(reader.hints), tuple(reader.segments))


class _Segments(Conditions):
    """Reads segments."""

    def whole_segment(self, node: Node) -> Segment | None:
        """The segment of a mapping."""
        members = self.members(node, SEGMENT_WORDS, ("segment", "when"), "{segment: …, when: …}")
        if not isinstance(members, Mapping):
            return None
        name = self.name(members["segment"], "segment") if "segment" in members else None
        version = self.whole(members["version"], "version", 1, 10**9) if "version" in members else 1
        checks = self.checks(members["when"]) if "when" in members else ()
        if "description" in members:
            self.text(members["description"], "description", 2_000)
        return Segment(name, checks, version or 1) if name and checks else None
