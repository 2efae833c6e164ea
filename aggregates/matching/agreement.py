"""Says how far two records agree in each column: a level, from "different" to "the same rare value". Weights are learned per level.

The levels are the same for all kinds of columns; what earns them is the kind's own. Reading order: Level, agreements, _likeness.
"""

from collections.abc import Callable, Mapping, Sequence, Set
from enum import IntEnum
from itertools import combinations

import numpy as np
import numpy.typing as npt
from rapidfuzz.distance import OSA, JaroWinkler
from rapidfuzz.process import cpdist, extractOne

from aggregates.matching.aspects import Ints
from aggregates.matching.kinds import Kind
from aggregates.matching.table import MISSING, Column, Table

Levels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Same = Callable[[str], Bools]
"""Which of the pairs have an aspect in common."""


class Level(IntEnum):
    """How two values agree, from least to most. Above SAME, each step halves the number of records that share the value."""

    UNKNOWN = 0  # missing in one of the two: says nothing
    DIFFERENT = 1
    FAINT = 2
    ALIKE = 3
    SIMILAR = 4
    CLOSE = 5
    NEAR = 6  # one slip of the hand
    VARIANT = 7  # another way to write the same: spaces, sound, swapped parts, a part left out
    SWAPPED = 8  # it changed places with another column: given name and surname, day and month
    SAME = 9


BUCKETS = 16
LEVELS = Level.SAME + BUCKETS
FEW = 12
"""Words of a text, or of two short ones together, that are all looked at for misspellings."""


def agreements(table: Table, one: Ints, other: Ints) -> Levels:
    """The level of each pair (a row) in each column, for the records `one[i]` and `other[i]`."""
    levels = np.empty((len(one), len(table.columns)), np.uint8)
    for n, column in enumerate(table.columns):
        levels[:, n] = _column_agreements(column, column.codes[one], column.codes[other])
    _find_swapped(table, one, other, levels)
    return levels


def _column_agreements(column: Column, a: Ints, b: Ints) -> Levels:
    """One column's levels; each two different values are compared once, whichever comes first."""
    levels = np.full(len(a), Level.DIFFERENT, np.uint8)
    same = a == b
    levels[same] = same_level(column.counts)[a[same]]
    differ = np.flatnonzero(~same & (a != MISSING) & (b != MISSING))
    low, high = np.minimum(a[differ], b[differ]), np.maximum(a[differ], b[differ])
    size = np.int64(len(column.texts))
    distinct, back = np.unique(low * size + high, return_inverse=True)
    levels[differ] = _likeness(column, distinct // size, distinct % size)[back]
    levels[(a == MISSING) | (b == MISSING)] = Level.UNKNOWN
    return levels


def same_level(counts: Ints) -> Levels:
    """The level that sharing each value earns: the rarer the value, the higher."""
    steps = np.floor(np.log2(np.maximum(counts, 2))).astype(np.int64) - 1
    return (Level.SAME + BUCKETS - 1 - np.minimum(steps, BUCKETS - 1)).astype(np.uint8)


def _find_swapped(table: Table, one: Ints, other: Ints, levels: Levels) -> None:
    """Two columns whose values changed places: one of them says so, the other says nothing, as it is the same slip."""
    for kind in (Kind.NAME, Kind.PHONE, Kind.EMAIL, Kind.DIGITS):
        alike = [n for n, column in enumerate(table.columns) if column.kind is kind]
        for n, m in combinations(alike, 2):
            low = np.flatnonzero((levels[:, n] != Level.UNKNOWN) & (levels[:, m] != Level.UNKNOWN))
            low = low[np.minimum(levels[low, n], levels[low, m]) < Level.CLOSE]
            low = low[np.maximum(levels[low, n], levels[low, m]) < Level.SWAPPED]
            a, b = one[low], other[low]
            first, second = table.columns[n], table.columns[m]
            there = first.everywhere[first.codes[a]] == second.everywhere[second.codes[b]]
            back = second.everywhere[second.codes[a]] == first.everywhere[first.codes[b]]
            swapped = low[there & back]
            levels[swapped, n], levels[swapped, m] = Level.SWAPPED, Level.UNKNOWN


def _likeness(column: Column, a: Ints, b: Ints) -> Levels:
    """The level of each two different values of a column, neither missing."""
    if not len(a):
        return np.empty(0, np.uint8)
    ones = [column.texts[code] for code in a.tolist()]
    others = [column.texts[code] for code in b.tolist()]

    def same(aspect: str) -> Bools:
        of = column.aspects[aspect]
        return np.asarray((of[a] == of[b]) & (of[a] != 0))

    return LIKENESS[column.kind](ones, others, column, same)


def _names(a: Sequence[str], b: Sequence[str], column: Column, same: Same) -> Levels:
    lengths = np.minimum(_lengths(a), _lengths(b))
    winkler = cpdist(a, b, scorer=JaroWinkler.normalized_similarity, dtype=np.float32)
    slips = cpdist(a, b, scorer=OSA.distance, dtype=np.uint8)
    if column.aspects["parts"].max() > 1:
        x, y = [_alphabetical(text) for text in a], [_alphabetical(text) for text in b]
        winkler = np.maximum(winkler, cpdist(x, y, scorer=JaroWinkler.normalized_similarity, dtype=np.float32))
        slips = np.minimum(slips, cpdist(x, y, scorer=OSA.distance, dtype=np.uint8))
    levels = _stepped(winkler, (0.72, 0.80, 0.87, 0.93), Level.FAINT)
    levels[(slips == 2) & (lengths >= 7)] = np.maximum(levels[(slips == 2) & (lengths >= 7)], Level.CLOSE)
    levels[(slips == 1) & (lengths >= 3)] = Level.NEAR
    levels[same("sound") | same("joined") | _one_holds_the_other(a, b)] = Level.VARIANT
    levels[(lengths == 1) & same("initial")] = Level.ALIKE
    return levels


def _alphabetical(text: str) -> str:
    return " ".join(sorted(text.split())) if " " in text else text


def _one_holds_the_other(a: Sequence[str], b: Sequence[str]) -> Bools:
    """Names of several parts: in another order, or one of three left out."""
    several = np.fromiter((" " in x and " " in y for x, y in zip(a, b, strict=True)), bool, len(a))
    for i in np.flatnonzero(several).tolist():
        parts, others = set(a[i].split()), set(b[i].split())
        several[i] = parts <= others or others <= parts
    return several


def _texts(a: Sequence[str], b: Sequence[str], column: Column, same: Same) -> Levels:
    """Free text: the words shared, each by its rarity; a misspelt word counts in part."""
    words = {text: frozenset(text.split()) for text in {*a, *b}}
    norms = {text: sum(column.rarity[word] ** 2 for word in of) ** 0.5 for text, of in words.items()}
    likeness = np.zeros(len(a))
    for i, (x, y) in enumerate(zip(a, b, strict=True)):
        norm = norms[x] * norms[y]
        both = words[x] & words[y]
        shared = sum([column.rarity[word] ** 2 for word in both])
        few = len(words[x]) + len(words[y]) <= FEW
        if few or 0.15 * norm < shared < 0.93 * norm:
            shared += _misspelt(words[x] - both, words[y] - both, column.rarity)
        likeness[i] = shared / norm if norm else 0.0
    return _stepped(likeness, (0.2, 0.35, 0.5, 0.65, 0.8, 0.93), Level.FAINT)


def _companies(a: Sequence[str], b: Sequence[str], column: Column, same: Same) -> Levels:
    """Names of companies: rare words weigh, as in texts; the spaces and one slip do not, as in names."""
    levels = _texts(a, b, column, same)
    levels[(cpdist(a, b, scorer=OSA.distance, dtype=np.uint8) == 1) & (np.minimum(_lengths(a), _lengths(b)) >= 3)] = Level.NEAR
    levels[same("sound") | same("joined")] = Level.VARIANT
    return levels


def _misspelt(ones: Set[str], others: Set[str], rarity: Mapping[str, float]) -> float:
    """What words are worth that are nearly the same in both; of very long texts only the rarest are looked at."""
    left = _rarest(others, rarity)
    worth = 0.0
    for word in _rarest(ones, rarity) if left else ():
        found = extractOne(word, left, scorer=JaroWinkler.normalized_similarity, score_cutoff=0.88)
        if found:
            worth += found[1] * rarity[word] * rarity[found[0]]
            del left[found[2]]
            if not left:
                break
    return worth


def _rarest(words: Set[str], rarity: Mapping[str, float]) -> list[str]:
    return sorted((word for word in words if len(word) > 3), key=lambda word: (-rarity[word], word))[:FEW]


def _digits(a: Sequence[str], b: Sequence[str], column: Column, same: Same) -> Levels:
    lengths = np.maximum(_lengths(a), _lengths(b))
    slips = cpdist(a, b, scorer=OSA.distance, dtype=np.uint8)
    levels = np.full(len(a), Level.DIFFERENT, np.uint8)
    levels[(slips == 3) & (lengths >= 9)] = Level.ALIKE
    levels[(slips == 2) & (lengths >= 4)] = Level.FAINT
    levels[(slips == 2) & (lengths >= 7)] = Level.CLOSE
    levels[(slips == 1) & (lengths >= 2)] = Level.SIMILAR
    levels[(slips == 1) & (lengths >= 4)] = Level.NEAR
    levels[same("stripped") | ((slips == 1) & same("sorted"))] = Level.VARIANT  # zeros lost in front; two neighbours changed places
    return levels


def _dates(a: Sequence[str], b: Sequence[str], column: Column, same: Same) -> Levels:
    levels = np.minimum(_digits(a, b, column, same), Level.NEAR).astype(np.uint8)
    year, month, day = same("year"), same("month"), same("day")
    far = levels < Level.CLOSE
    levels[far & year] = Level.FAINT
    levels[far & (year.astype(int) + month + day == 2)] = Level.SIMILAR
    levels[year & ~month & ~day & same("sorted") & _day_and_month_swapped(a, b)] = Level.VARIANT
    return levels


def _day_and_month_swapped(a: Sequence[str], b: Sequence[str]) -> Bools:
    return np.fromiter((x[4:6] == y[6:] and x[6:] == y[4:6] for x, y in zip(a, b, strict=True)), bool, len(a))


def _emails(a: Sequence[str], b: Sequence[str], column: Column, same: Same) -> Levels:
    levels = _stepped(cpdist(a, b, scorer=JaroWinkler.normalized_similarity, dtype=np.float32), (0.85, 0.93), Level.FAINT)
    slips = cpdist(a, b, scorer=OSA.distance, dtype=np.uint8)
    levels[slips == 2] = Level.CLOSE
    levels[slips == 1] = Level.NEAR
    levels[same("mailbox")] = Level.VARIANT
    return levels


def _amounts(a: Sequence[str], b: Sequence[str], column: Column, same: Same) -> Levels:
    x, y = np.array(a, np.float64), np.array(b, np.float64)
    apart = np.abs(x - y) / np.maximum(np.maximum(np.abs(x), np.abs(y)), 1e-12)
    return _stepped(-apart, (-0.4, -0.2, -0.1, -0.04, -0.01, -0.001), Level.FAINT)


def _stepped(likeness: npt.NDArray[np.floating], steps: Sequence[float], first: Level) -> Levels:
    """DIFFERENT below the first step, then one level higher with each."""
    reached = np.searchsorted(np.array(steps), likeness, side="right")
    return np.where(reached == 0, int(Level.DIFFERENT), int(first) + reached - 1).astype(np.uint8)


def _lengths(texts: Sequence[str]) -> Ints:
    return np.fromiter(map(len, texts), np.int64, len(texts))


LIKENESS: dict[Kind, Callable[[Sequence[str], Sequence[str], Column, Same], Levels]] = {
    Kind.NAME: _names,
    Kind.COMPANY: _companies,
    Kind.TEXT: _texts,
    Kind.DATE: _dates,
    Kind.PHONE: _digits,
    Kind.EMAIL: _emails,
    Kind.DIGITS: _digits,
    Kind.NUMBER: _amounts,
}
