"""Tells who gets nothing from Kafka although there is something for him from who is still, and rightly so.

A client may hang for good after a broker was killed: it asks, or believes that it asks, and nothing comes, while to everybody else Kafka
answers. Reading order: Mark, lacking, Watch, looked, overdue.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

OUTSIDE = -1
"""Instead of a partition: the reader has none, nothing of it is under way, and its group does not know it."""

Place = tuple[str, int]
"""Who reads, and a partition of what he reads."""


class Mark(NamedTuple):
    """How far somebody has come who waits for Kafka and for nothing else; where he gets further, or begins anew, it is another mark."""

    tenure: int = 0
    settled: int = 0  # everything before it is done


def lacking(waiting: Mapping[Place, Mark], kept: Mapping[Place, range]) -> dict[Place, Mark]:
    """Those who wait although there is something for them, by the offsets that are kept and may be read."""
    return {place: mark for place, mark in waiting.items() if max(mark.settled, kept[place].start) < kept[place].stop}


@dataclass(frozen=True, slots=True)
class Watch:
    """When we last looked, and since which look each one lacks what is there, always at the same mark."""

    at: float
    since: Mapping[Place, tuple[Mark, float]] = field(default_factory=dict)


def looked(before: Watch, at: float, lack: Mapping[Place, Mark] | None, *, every: float) -> Watch:
    """The watch after another look; `lack` is None where Kafka did not answer.

    Then nobody can be blamed, and afterwards everybody has his time again; so has he when the look came late: this process was frozen, or
    had its hands full, and whoever waits was not served either.
    """
    if lack is None:
        return Watch(at)
    known = before.since if at - before.at <= 2 * every else {}
    return Watch(at, {place: known[place] if place in known and known[place][0] == mark else (mark, at) for place, mark in lack.items()})


def overdue(watch: Watch, patience: float) -> list[Place]:
    """Who has lacked for so long what is there that his client must be hanging."""
    return sorted(place for place, (_, since) in watch.since.items() if watch.at - since >= patience)
