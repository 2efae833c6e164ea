"""Learns from customers as they live what agreements say of them, nobody having said who is one: the weights by which `customers` judges.

What files are learned from is a table whole; here it is some of all customers with everybody who shares a key with them, and the values of
all, counted. How little is seen of a column, so much stays of what was believed of it. Pure. Reading order: Seen, estimated.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import numpy as np

from aggregates.matching.agreement import LEVELS, Bools, Floats, Level, Levels, same_level
from aggregates.matching.customers import COLUMNS, WORTH_ONE, WORTH_TWO, Record, agreed, begin, differing, rows, somebody, tabulated
from aggregates.matching.matching import random_pairs
from aggregates.matching.table import MISSING, Table
from aggregates.matching.weights import Sample, Weights, beliefs, learn

FEWEST = 30
"""Pairs that meet by a key, from which something is learned."""

DOUBLED = 0.05
"""Of a hundred customers, how many have a double, as a first guess."""

IDENTIFYING = frozenset({"email", "phone", "national_id"})
"""Of these nothing is learned: two who share one are one customer already, so those who are left differ, one person's or not."""

BELIEVED, MOST = 3.0, 0.6
"""So much more often than is believed at first one person's records may differ: beyond that a household was learned, or namesakes."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What is learned from: some customers and the pairs they meet in; how many customers there are, what part of all pairs this is."""

    records: Mapping[UUID, Record]
    pairs: Sequence[tuple[UUID, UUID]]
    customers: int
    part: float = 1.0


def estimated(seen: Seen, holders: Callable[[str], int]) -> Weights | None:
    """The weights that these customers teach; none where too few meet. `holders` says how many customers have a value."""
    if len(seen.pairs) < FEWEST:
        return None
    table = tabulated(seen.records, holders)
    levels = agreed(table, *rows(table, seen.pairs))
    known = (levels != Level.UNKNOWN).any(axis=0)
    columns = [column for column, is_known in zip(COLUMNS, known, strict=True) if is_known]
    if IDENTIFYING.issuperset(columns):
        return None
    all_pairs = seen.customers * (seen.customers - 1) // 2
    first = begin()
    sample = Sample(
        levels[:, known],
        _common(table, seen.customers)[known],
        all_pairs,
        DOUBLED * seen.customers,
        1 / seen.part,
        held={n: (first.m[known][n], first.u[known][n]) for n, column in enumerate(columns) if column in IDENTIFYING},
        most={n: min(BELIEVED * differing(column), MOST) for n, column in enumerate(columns)},
    )
    return _blended(learn(columns, sample), known, levels, all_pairs)


def _common(table: Table, customers: int) -> Floats:
    """How common each level is among all pairs: of equal values by how many have them, of the others as pairs at random have it."""
    real = somebody(table)
    one, other = random_pairs(table)
    met = real[one] & real[other]
    levels = agreed(table, one[met], other[met])
    shares = np.zeros((len(COLUMNS), LEVELS))
    for column in table.columns:
        n = COLUMNS.index(column.name)
        codes = column.codes[real]
        codes = codes[codes != MISSING]
        same = np.bincount(same_level(column.counts)[codes], np.maximum(column.counts[codes] - 1, 0), LEVELS).astype(float)
        same /= max(real.sum(), 1) * max(customers - 1, 1)
        others = np.bincount(levels[:, n], minlength=LEVELS).astype(float)
        others[Level.SAME :] = 0.0
        shares[n] = same + others / max(others.sum(), 1.0) * max(1.0 - same.sum(), 0.0)
    return shares


def _blended(learned: Weights, known: Bools, levels: Levels, all_pairs: int) -> Weights:
    """What was learned of the columns that are known, with so much of the first beliefs as little was seen of one person's agreements."""
    first = begin()
    m, u = first.m.copy(), first.u.copy()
    related = np.repeat(u[None], len(learned.related), axis=0)
    likely = beliefs(learned, levels[:, known])[0]
    for place, n in enumerate(np.flatnonzero(known).tolist()):
        if COLUMNS[n] in IDENTIFYING:
            related[:, n] = u[n]
            continue
        equal = float(learned.m[place, Level.SAME :].sum())
        scale = np.ones(
            LEVELS
        )  # as in the first beliefs: equal values are one level of one person's, rare among strangers as they are rare
        scale[Level.SAME :] = equal / np.maximum(learned.m[place, Level.SAME :], 1e-12)
        ones = float(likely[levels[:, n] != Level.UNKNOWN].sum())
        m[n] = (WORTH_ONE * first.m[n] + ones * learned.m[place] * scale) / (WORTH_ONE + ones)
        u[n] = (WORTH_TWO * first.u[n] + all_pairs * learned.u[place] * scale) / (WORTH_TWO + all_pairs)
        related[:, n] = learned.related[:, place] * scale
    return replace(learned, columns=COLUMNS, m=np.minimum(m, 1.0), u=np.minimum(u, 1.0), related=np.minimum(related, 1.0))
