"""Which features the learner takes up: the fixed ones from the start, a company's own once enough labelled examples showed them.

A name that is met now and then (a product's, an employee's) never becomes a feature, and there is a bound to all.
Reading order: Vocabulary, admit, matrix.
"""

import struct
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import islice

import numpy as np
from msgspec import Struct

from projections.churn.features import CHANGED, HAPPENED, LATELY, SAID
from streams.learning.logistic import Array

FIXED = (
    *("one", "prior", "orders", "frequency", "rate", "silence", "gone", "tenure", "young", "first", "gap", "last_gap", "late", "spread"),
    *("fresh", "slowing", "renewal", "money", "last_money", "trading_down", "winter", "spring", "own_season"),
    *("contract_age", "ends_within", "left", "overdue"),
)

USUAL = 0.3
DEVIATIONS = {
    "one": 0.5,
    "slowing": 0.6,
    "trading_down": 0.6,
    "winter": 0.1,
    "spring": 0.1,
    HAPPENED: 0.7,
    LATELY: 1.0,
    CHANGED: 0.6,
    SAID: 0.5,
}
"""How far a weight may be from 0 before anything was learnt, where it is not as usual. Seasons need years to be told from trends;
slowing is a small number that tells much, and so is how far he trades down, and what a number of his own has changed by."""

OWN = (HAPPENED, LATELY, SAID)
"""How names begin that may be dozens: beliefs of them stay narrow, but for how often each type was met."""

ENOUGH = 50
"""Labelled examples that must show a name."""

MOST = 96
"""Names beside the fixed ones."""

WAITING = 2_000
"""Names that are counted while they wait."""


class Vocabulary(Struct, frozen=True):
    """The features' places, and what waits to become one."""

    names: tuple[str, ...]
    places: dict[str, int]
    waiting: dict[str, int]


def named(names: tuple[str, ...] = FIXED, waiting: Mapping[str, int] | None = None) -> Vocabulary:
    """The vocabulary of these names."""
    return Vocabulary(names, {name: place for place, name in enumerate(names)}, dict(waiting or {}))


def admit(vocabulary: Vocabulary, examples: Sequence[Mapping[str, float]]) -> Vocabulary:
    """The vocabulary after a day of examples."""
    if len(vocabulary.names) >= len(FIXED) + MOST:
        return vocabulary
    places, waiting = vocabulary.places, dict(vocabulary.waiting)
    if unknown := set[str]().union(*examples) - places.keys():  # mostly there is none
        for features in examples:
            for name in unknown & features.keys():
                waiting[name] = waiting.get(name, 0) + 1
    ready = sorted((-count, name) for name, count in waiting.items() if count >= ENOUGH)
    taken = [name for _, name in ready][: len(FIXED) + MOST - len(vocabulary.names)]
    for name in taken:
        del waiting[name]
    if len(waiting) > WAITING:
        waiting = dict(sorted(waiting.items(), key=lambda item: (-item[1], item[0]))[: WAITING // 2])
    names = (*vocabulary.names, *taken)
    return named(names, waiting) if taken else Vocabulary(names, places, waiting)


@lru_cache(maxsize=64)
def deviations(names: tuple[str, ...], width: float = 1.0) -> Array:
    """What is believed of the weights of these names; `width` times as far for those that every customer has, and that are few. Asked for
    by each expert on each day, of names that rarely change."""
    return np.array([deviation(name) * (width if _far(name) else 1.0) for name in names])


def _far(name: str) -> bool:
    """Whether a belief may be wide: a type may be a sure sign, like a closed account; of the words that it is said with, most are none."""
    return not name.startswith(OWN) or (name.startswith(HAPPENED) and "|" not in name)


def deviation(name: str) -> float:
    """What is believed of a name's weight."""
    return DEVIATIONS.get(name, DEVIATIONS.get(name.partition(":")[0] + ":", USUAL))


def matrix(vocabulary: Vocabulary, examples: Sequence[Mapping[str, float]]) -> Array:
    """Customers as numbers in their places, one a row."""
    width, nothing = len(vocabulary.names), dict.fromkeys(vocabulary.names, 0.0)
    packed = struct.Struct(f"{width}d").pack  # half of what it costs to hand numpy one number after another
    rows = [packed(*islice({**nothing, **features}.values(), width)) for features in examples]  # what has no place comes after what has
    return np.frombuffer(bytearray().join(rows), np.float64).reshape(len(rows), width)
