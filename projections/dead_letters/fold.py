"""The pure half of the dead letters: which letters a batch of records holds, and which were replayed.

The first record of a letter stands, and so does the first replay, whatever comes again. Reading order: Folded, fold.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from aggregates import dead_letter
from aggregates.dead_letter import DeadLetter, Replayed

Record = tuple[int, int, bytes | None, bytes | None, Iterable[tuple[str, bytes | None]]]
"""Partition, offset, key, value and headers of a record of `dead-letters`."""


@dataclass(frozen=True, slots=True)
class Folded:
    """What a batch adds."""

    letters: dict[UUID, DeadLetter] = field(default_factory=dict)
    replays: dict[UUID, Replayed] = field(default_factory=dict)
    foreign: tuple[tuple[int, int], ...] = ()  # (partition, offset) of records that Yekta did not write


def fold(records: Iterable[Record]) -> Folded:
    """Letters and replays of a batch, the first of each."""
    letters: dict[UUID, DeadLetter] = {}
    replays: dict[UUID, Replayed] = {}
    foreign: list[tuple[int, int]] = []
    for partition, offset, key, value, headers in records:
        try:
            content = dead_letter.read(key, value, headers)
        except (KeyError, ValueError):
            foreign.append((partition, offset))
            continue
        if isinstance(content, DeadLetter):
            letters.setdefault(content.id, content)
        else:
            replays.setdefault(content.letter, content)
    return Folded(letters, replays, tuple(foreign))
