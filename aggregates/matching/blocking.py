"""Finds the pairs that are worth comparing, without looking at all: records that share a key, for many complementary keys.

Every column gives features (the value, its sound, its beginning, its rarest words); every feature, and every two features of different
columns, is a scheme of keys. Schemes are used in the order of what they cost, the most telling first, until the pairs that are allowed
are spent; a block that is too large is skipped, as a more telling scheme splits it. So two records that agree, however roughly, on any
two columns of some weight are met. Reading order: candidates, features, schemes.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import combinations

import numpy as np

from aggregates.matching.aspects import Ints, numbered
from aggregates.matching.kinds import Kind
from aggregates.matching.table import MISSING, Column, Table

LARGEST = 400
"""Records that may share one key: all their pairs are looked at, so the work of a block is bounded."""

WORDS = 5
"""The rarest words of a text by which it is looked up, among those that more than one record has."""

Keys = Ints
"""Records × keys: by what each record is looked up; 0 is no key."""


def allowed(size: int) -> int:
    """How many pairs are looked at: some for every record, more for each when there are few."""
    return 12 * size + min(100 * size, 400_000)


def candidates(table: Table, most: int | None = None) -> tuple[Ints, Ints]:
    """The pairs to compare, each once, as two arrays of row numbers; the first of a pair is the smaller (or of the first source)."""
    most = allowed(table.size) if most is None else most
    size = np.int64(max(table.size, 1))
    met = np.empty(0, np.int64)
    waiting: list[Ints] = []
    held = 0
    for keys in _by_cost(table, most):
        one, other = _pairs(keys, table)
        waiting.append(np.unique(one * size + other))
        held += len(waiting[-1])
        if held > most // 4:
            met, waiting, held = _union(met, waiting), [], 0
        if len(met) >= most:
            break
    met = _union(met, waiting)
    return met // size, met % size


def _union(met: Ints, waiting: list[Ints]) -> Ints:
    return np.unique(np.concatenate([met, *waiting]))


def _by_cost(table: Table, most: int) -> Iterator[Keys]:
    """The schemes' keys, cheapest scheme first. Only what each costs is kept, not its keys: those are made again when it is its turn."""
    kept = features(table)
    schemes = [(_cost(keys), n, n) for n, (_, keys) in enumerate(kept)]
    for n, m in combinations(range(len(kept)), 2):
        if kept[n][0] != kept[m][0]:
            schemes.append((_cost(_joined(kept[n][1], kept[m][1])), n, m))
    for cost, n, m in sorted(schemes):
        if 0 < cost <= most:
            yield kept[n][1] if n == m else _joined(kept[n][1], kept[m][1])


def features(table: Table) -> list[tuple[int, Keys]]:
    """What records can be looked up by: the number of the column, and the keys. Two words of one text are a feature of their own."""
    found = [(n, keys[column.codes]) for n, column in enumerate(table.columns) for keys in _readings(column)]
    return [(n, keys) for n, keys in found if len(np.unique(keys)) > 2]


def _readings(column: Column) -> Iterator[Keys]:
    """For each code of a column the keys it has in each feature."""
    if column.kind is Kind.NUMBER:
        return
    yield np.arange(len(column.texts), dtype=np.int64)[:, None]
    match column.kind:
        case Kind.NAME | Kind.COMPANY:
            yield column.aspects["sound"][:, None]
            yield _single(text[:3] if len(text) > 3 else "" for text in column.texts)
            yield _single(text[-4:] if len(text) > 5 else "" for text in column.texts)
            if column.aspects["parts"].mean() > 1.3:
                yield _words(column)[:, :3]
        case Kind.TEXT:
            words = _words(column)
            yield words
            yield np.hstack([_joined(words[:, n : n + 1], words[:, m : m + 1]) for n, m in combinations(range(WORDS), 2)])
        case Kind.EMAIL:
            yield column.aspects["mailbox"][:, None]
        case _:
            half = max(2, max(map(len, column.texts)) // 2)
            yield _single(text[:half] for text in column.texts)
            yield _single(text[-half:] for text in column.texts)
            if half > 2:
                yield column.aspects["sorted"][:, None]


def _single(texts: Iterable[str]) -> Keys:
    return numbered(texts)[:, None]


def _words(column: Column) -> Keys:
    """The rarest words of each text that another record has too; the words of one record in the order of the alphabet."""
    times = Counter[str]()
    for text, count in zip(column.texts, column.counts.tolist(), strict=True):
        times.update(dict.fromkeys(text.split(), count))
    number = {word: n for n, word in enumerate(sorted(times), 1)}
    keys = np.zeros((len(column.texts), WORDS), np.int64)
    for code, text in enumerate(column.texts):
        shared = sorted((times[word], word) for word in set(text.split()) if times[word] > 1)[:WORDS]
        for place, key in enumerate(sorted(number[word] for _, word in shared)):
            keys[code, place] = key
    return keys


def _joined(one: Keys, other: Keys) -> Keys:
    """The keys of two features together: every one of the first with every one of the second; 0 where either is none."""
    a, b = one[:, :, None], other[:, None, :]
    return np.where((a == MISSING) | (b == MISSING), MISSING, a * (other.max() + 1) + b).reshape(len(one), -1)


def _cost(keys: Keys) -> int:
    """How many pairs the blocks of a scheme hold."""
    _, sizes = np.unique(keys[keys != MISSING], return_counts=True)
    sizes = sizes[sizes <= LARGEST]
    return int((sizes * (sizes - 1) // 2).sum())


def _pairs(keys: Keys, table: Table) -> tuple[Ints, Ints]:
    """All pairs of records with the same key, in blocks that are not too large."""
    rows, places = np.nonzero(keys != MISSING)
    ordered = keys[rows, places]
    order = np.argsort(ordered, kind="stable")
    rows, ordered = rows[order], ordered[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(rows) else np.empty(0, np.int64)
    sizes = np.diff(np.r_[starts, len(rows)])
    ones, others = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for size in np.unique(sizes[(sizes > 1) & (sizes <= LARGEST)]).tolist():
        blocks = rows[starts[sizes == size][:, None] + np.arange(size)]
        first, second = np.triu_indices(size, 1)
        ones.append(blocks[:, first].ravel())
        others.append(blocks[:, second].ravel())
    return directed(np.concatenate(ones), np.concatenate(others), table)


def directed(one: Ints, other: Ints, table: Table) -> tuple[Ints, Ints]:
    """The pairs that count, the record of the first source, or of the smaller number, first."""
    if not table.linked:
        return np.minimum(one, other), np.maximum(one, other)
    across = table.side[one] != table.side[other]
    one, other = one[across], other[across]
    turned = table.side[one] == 1
    return np.where(turned, other, one), np.where(turned, one, other)
