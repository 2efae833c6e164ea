"""Turns YAML or JSON into values that know where they stand, so that a mistake can be shown in its line. Reading order: Node, parse.

Scalars are read as YAML 1.2's core schema reads them: `no` is a word, `21:00` a text, a date a text. JSON is read by the same parser.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import yaml

from aggregates.refusal import pointer_to
from aggregates.written.problem import Problem
from aggregates.written.unread import why

LONGEST = 1 << 20
MOST = 20_000
"""Values in one text; aliases count each time, so that a small text cannot mean a large one."""

DEEPEST = 24
PARSED = 64
"""Levels that are parsed, so that the place is known of what is deeper than may be."""

_INTEGER = re.compile(r"[-+]?[0-9]+\Z", re.ASCII)
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z", re.ASCII)
_WORDS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NOTHING = {"", "~", "null", "Null", "NULL"}

Scalar = None | bool | int | float | str


@dataclass(frozen=True, slots=True)
class Node:
    """A value and its place in the text."""

    value: "Scalar | Mapping[str, Node] | tuple[Node, ...]"
    line: int  # counted from 1
    pointer: str  # RFC 6901
    names: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))  # of a mapping: the line of each name

    @property
    def plain(self) -> object:
        """The value without places."""
        if isinstance(self.value, Mapping):
            return {name: node.plain for name, node in self.value.items()}
        if isinstance(self.value, tuple):
            return [node.plain for node in self.value]
        return self.value


def parse(text: str) -> Node | Problem:
    """The value of a text, or why it has none."""
    if len(text) > LONGEST:
        return Problem(1, "", "too_long", {"limit": f"{LONGEST:,}"})
    if text.lstrip("\ufeff \t\r\n")[:1] in {"{", "["}:
        text = text.replace("\t", " ")  # JSON may be indented by tabs, which YAML forbids; within its texts there are none
    try:
        return _Conversion().whole([root for root in yaml.compose_all(text, Loader=_Loader) if not _is_empty(root)])
    except _Mistake as mistake:
        return mistake.problem
    except yaml.YAMLError as error:
        return why(error)
    except RecursionError:
        return Problem(1, "", "too_deep")


class _Mistake(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # it has no types
    """Stops at what `_Conversion` would refuse: the parser takes seconds for a text of thousands of brackets, and nobody else is heard."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.count = 0
        self.depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        self.count += parent is None or index is not None  # names of a mapping have none
        if self.count > MOST:
            raise _Mistake(Problem(self._at(), "", "too_many_values", {"limit": f"{MOST:,}"}))
        if self.depth > PARSED:
            raise _Mistake(Problem(self._at(), "", "too_deep"))
        self.depth += 1
        node: yaml.Node | None = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def _at(self) -> int:
        line: int = self.peek_event().start_mark.line
        return line + 1


class _Conversion:
    """From the parser's nodes to ours, within limits."""

    def __init__(self) -> None:
        self.count = 0

    def whole(self, roots: Sequence[yaml.Node]) -> Node:
        """What a text says; several YAML documents in it are a list of what they say."""
        if not roots:
            return Node({}, 1, "")
        if len(roots) == 1:
            return self.convert(roots[0], (), 0)
        items = [item for root in roots for item in (root.value if isinstance(root, yaml.SequenceNode) else (root,))]
        return Node(tuple(self.convert(item, (index,), 1) for index, item in enumerate(items)), 1, "")

    def convert(self, node: yaml.Node, path: tuple[str | int, ...], depth: int) -> Node:
        self.count += 1
        line, pointer = node.start_mark.line + 1, pointer_to(*path)
        if depth > DEEPEST:
            raise _Mistake(Problem(line, pointer, "too_deep"))
        if self.count > MOST:
            raise _Mistake(Problem(line, pointer, "too_many_values", {"limit": f"{MOST:,}"}))
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, path, depth, line, pointer)
        if isinstance(node, yaml.SequenceNode):
            items = tuple(self.convert(item, (*path, index), depth + 1) for index, item in enumerate(node.value))
            return Node(items, line, pointer)
        return Node(_scalar(node), line, pointer)

    def mapping(self, node: yaml.MappingNode, path: tuple[str | int, ...], depth: int, line: int, pointer: str) -> Node:
        members: dict[str, Node] = {}
        names: dict[str, int] = {}
        for key, value in node.value:
            at = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise _Mistake(Problem(at, pointer, "name_is_no_word"))
            name = _text(key.value)
            if name in members:
                raise _Mistake(Problem(at, pointer_to(*path, name), "twice", {"word": name, "line": str(names[name])}))
            names[name] = at
            members[name] = self.convert(value, (*path, name), depth + 1)
        return Node(members, line, pointer, names)


def _is_empty(root: yaml.Node) -> bool:
    """A document in which nothing is written."""
    return isinstance(root, yaml.ScalarNode) and root.style is None and not root.value


def _scalar(node: yaml.ScalarNode) -> Scalar:
    text = _text(node.value)
    if node.style is not None:  # quoted, or a block of text
        return text
    if text in _NOTHING:
        return None
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.match(text) and len(text) < 20:
        return int(text)
    return float(text) if _NUMBER.match(text) else text


def _text(text: str) -> str:
    """JSON escapes characters beyond the basic plane as two halves, which the YAML parser leaves apart."""
    if any("\ud800" <= character <= "\udfff" for character in text):
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
