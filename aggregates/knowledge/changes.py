"""Says what changed from one version to the next, line by line, for people. Reading order: Line, lines, changes."""

from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

from aggregates.knowledge.writing import Article, Content


class Line(NamedTuple):
    """A line that came or went."""

    change: Literal["added", "removed"]
    text: str


def lines(content: Content) -> list[str]:
    """A text as lines that can be compared: of a script a line for each thing that is said, and where each answer leads."""
    if isinstance(content, Article):
        return [content.title, *filter(None, (content.category,)), *(line for line in content.body.splitlines() if line.strip())]
    found = [content.title, *filter(None, (content.for_reason, content.for_offer))]
    called = {step.id: step.called for step in content.steps}
    for step in content.steps:
        found += (f"{step.called}: {line}" for line in step.say.splitlines() if line.strip())
        leads = ((answer, called.get(answer.next, answer.next)) for answer in step.answers)
        found += (f"{step.called}: «{answer.text}»" + (f" → {next_}" if next_ else "") for answer, next_ in leads)
    return found


def changes(before: Content | None, after: Content) -> list[Line]:
    """The lines that went and those that came, in their order; of a first version all came."""
    return list(_changes([] if before is None else lines(before), lines(after)))


def _changes(before: list[str], after: list[str]) -> Iterator[Line]:
    for operation, start, end, begin, stop in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if operation != "equal":
            yield from (Line("removed", line) for line in before[start:end])
            yield from (Line("added", line) for line in after[begin:stop])
