"""Says which records of a table are probably one person's: blocks, compares, learns, scores. The same code evaluates and runs live.

Reading order: Matches, match, scattered, judge, learned, common.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from aggregates.matching.agreement import LEVELS, Bools, Floats, Level, agreements, same_level
from aggregates.matching.alone import alone, believed, firsts
from aggregates.matching.aspects import Ints
from aggregates.matching.blocking import candidates, directed
from aggregates.matching.table import Table
from aggregates.matching.thirds import supported
from aggregates.matching.weights import Sample, Weights, learn, probabilities, scores

Doing = Callable[[str, int, int], None]
"""Hears what is done, and how much of how much is behind it, so that whoever waits for a large table sees it."""


def _nobody(what: str, done: int, total: int) -> None:
    """Hears nothing."""


AT_ONCE = 200_000
LEARNED_FROM = 400_000
RANDOM_PAIRS = 300_000
THRESHOLD = 0.5
SURE, SELDOM = 0.95, 0.1
CLOSED = 0.2  # of the pairs within a group, that are held for one: in fewer, chains of the alike were taken for one
RIVALS = 0.6  # of the bits of a record's best partner: who has less is no rival, only alike


@dataclass(frozen=True, slots=True)
class Matches:
    """The pairs that were compared, and how probable each is a match."""

    table: Table
    weights: Weights
    one: Ints
    other: Ints
    bits: Floats
    probability: Floats

    @property
    def threshold(self) -> float:
        """The probability from which a pair is held for a match."""
        return THRESHOLD


def match(table: Table, doing: Doing = _nobody) -> Matches:
    """Compare the records of a table with each other and say how probable each pair is."""
    if not table.columns or not table.pairs:
        nobody, nothing = np.empty(0, np.int64), np.empty((0, LEVELS))
        return Matches(table, Weights((), nothing, nothing, 0.0, nothing[None], np.empty(0)), nobody, nobody, np.empty(0), np.empty(0))
    doing("looking for pairs", 0, 0)
    one, other = candidates(table)
    if alone(table):
        found = judge(table, believed(table, common(table)), one, other, doing)
        if table.linked:
            return replace(found, probability=firsts(table, one, other, agreements(table, one, other), found.probability))
        return replace(found, probability=supported(one, other, found.probability, table.size))
    found = judge(table, learned(table, one, other, rivals=table.linked, doing=doing), one, other, doing)
    if table.linked:
        return found
    if scattered(found):  # what was learned is what things are alike in; of each the best partners say better what one is
        found = judge(table, learned(table, one, other, rivals=True, doing=doing), one, other, doing)
    return replace(found, probability=supported(one, other, found.probability, table.size))


def scattered(found: Matches) -> bool:
    """Whether few of those who would be one through others are so by themselves: who is one with two is one with both."""
    held = found.probability >= THRESHOLD
    one, other = found.one[held], found.other[held]
    group = np.arange(found.table.size)
    while (group[one] != group[other]).any():
        least = np.minimum(group[one], group[other])
        np.minimum.at(group, one, least)
        np.minimum.at(group, other, least)
        group = group[group]
    sizes = np.bincount(group).astype(float)
    return len(one) < CLOSED * float((sizes * (sizes - 1) / 2).sum())


def judge(table: Table, weights: Weights, one: Ints, other: Ints, doing: Doing = _nobody) -> Matches:
    """How probable these pairs are matches under weights that are known: what is asked of a record that has just changed."""
    bits = np.empty(len(one))
    for start in range(0, len(one), AT_ONCE):
        doing("judging pairs", start, len(one))
        part = slice(start, start + AT_ONCE)
        bits[part] = scores(weights, agreements(table, one[part], other[part]))
    probability = probabilities(bits, weights.share)
    if table.linked and singular(one, other, bits, probability):
        probability = exclusive(one, other, bits, weights.share, table.size)
    return Matches(table, weights, one, other, bits, probability)


def singular(one: Ints, other: Ints, bits: Floats, probability: Floats) -> bool:
    """Whether the data implies that a record has one partner at most: of those that surely have any, few have two as good."""
    sure = probability > SURE
    if not sure.any():
        return False
    second: list[Bools] = []
    for side in (one[sure], other[sure]):
        order = np.lexsort((-bits[sure], side))
        record, found = side[order], bits[sure][order]
        first = np.r_[True, record[1:] != record[:-1]]
        after = np.r_[first[1:], True]  # nobody comes behind the best
        best = np.flatnonzero(first)
        has = ~after[best]
        second.append(has & (found[np.minimum(best + 1, len(found) - 1)] >= RIVALS * found[best]))
    return float(np.concatenate(second).mean()) < SELDOM


def exclusive(one: Ints, other: Ints, bits: Floats, share: float, size: int) -> Floats:
    """The probabilities where a record has one partner at most: of several, each takes from the others."""
    odds = np.exp2(np.clip(bits, -100, 100)) * share / (1 - share)
    rivals = np.bincount(one, odds, size)[one] + np.bincount(other, odds, size)[other] - odds
    return np.asarray(odds / (1 + rivals))


def learned(table: Table, one: Ints, other: Ints, *, rivals: bool, doing: Doing = _nobody) -> Weights:
    """The weights that these records teach, nobody having said which are one. Rivals for one partner may take from each other."""
    step = max(1, -(-len(one) // LEARNED_FROM))
    if rivals:
        of = one % step == 0  # whoever is taken is taken with all whom he was compared with
        one, other = one[of], other[of]
    else:
        one, other = one[::step], other[::step]
    compared = [np.empty((0, len(table.columns)), np.uint8)]
    for start in range(0, len(one), AT_ONCE):
        doing("comparing pairs", start, len(one))
        compared.append(agreements(table, one[start : start + AT_ONCE], other[start : start + AT_ONCE]))
    levels = np.concatenate(compared)
    doing("learning what agreements say", 0, 0)
    expected = 0.2 * (table.size - int(table.side.sum()) if table.linked else table.size)
    return learn(
        [column.name for column in table.columns],
        Sample(levels, common(table), max(table.pairs, 1), expected, step, (one, other) if rivals else None),
    )


def common(table: Table) -> Floats:
    """How common each level is among all pairs: of equal values exactly, of the others as random pairs have it."""
    levels = agreements(table, *random_pairs(table))
    shares = np.zeros((len(table.columns), LEVELS))
    for n, column in enumerate(table.columns):
        seen = np.bincount(levels[:, n], minlength=LEVELS).astype(float)
        same = _agreeing(table, n)
        others = seen[: Level.SAME]
        rest = max(table.pairs - same.sum(), 0.0)
        shares[n, : Level.SAME] = others / max(others.sum(), 1.0) * rest
        np.add.at(shares[n], same_level(column.counts), same)
    return shares / max(table.pairs, 1)


def _agreeing(table: Table, n: int) -> Floats:
    """For each value of a column, the pairs of records that share it."""
    column = table.columns[n]
    if not table.linked:
        return np.asarray(column.counts * (column.counts - 1) / 2)
    second = np.bincount(column.codes[table.side == 1], minlength=len(column.texts))
    return np.asarray(np.where(column.counts > 0, (column.counts - second) * second, 0).astype(float))


def random_pairs(table: Table) -> tuple[Ints, Ints]:
    """Pairs that have nothing to do with each other: the order of a table is a shuffled one, so distance in it means nothing."""
    rows = np.arange(table.size, dtype=np.int64)
    far = max(1, min(RANDOM_PAIRS // max(table.size, 1), table.size // 2))
    ones, others = [], []
    for distance in range(1, far + 1):
        ones.append(rows)
        others.append((rows + distance) % max(table.size, 1))
    one, other = directed(np.concatenate(ones), np.concatenate(others), table)
    apart = one != other
    return one[apart][:RANDOM_PAIRS], other[apart][:RANDOM_PAIRS]
