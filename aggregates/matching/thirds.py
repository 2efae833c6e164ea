"""Lets a third record speak: two that are each surely one with it are one with each other, unless they differ too much for that.

Pure. Reading order: supported.
"""

from collections import defaultdict
from itertools import combinations

import numpy as np

from aggregates.matching.agreement import Floats
from aggregates.matching.aspects import Ints

SURE = 0.9
MOST = 32
"""Sure partners of one record that are looked at: a record with more is a blank form, not a person."""

BITS = 24.0
"""No pair is held for surer than this: what is learned without labels knows little of its own mistakes."""


def supported(one: Ints, other: Ints, probability: Floats, size: int) -> Floats:
    """The probabilities, raised where a third record says so.

    Of three records either all are one, or two of them, or none; how likely each of the five is, their three pairs say. So a pair that
    differs loses against two that are sure by as much as it differs, and wins if it differs more.
    """
    chance = np.clip(probability, 2.0**-BITS, 1.0 - 2.0**-BITS)
    odds = chance / (1.0 - chance)
    partners: defaultdict[int, list[tuple[int, float]]] = defaultdict(list)
    sure = np.flatnonzero(probability >= SURE)
    for i, j, how in zip(one[sure].tolist(), other[sure].tolist(), odds[sure].tolist(), strict=True):
        partners[i].append((j, how))
        partners[j].append((i, how))
    thirds: dict[int, tuple[float, float]] = {}
    for found in partners.values():
        if len(found) > MOST:
            continue
        for (i, first), (j, second) in combinations(sorted(found), 2):
            key = i * size + j
            if first * second > np.prod(thirds.get(key, (0.0, 0.0))):
                thirds[key] = (first, second)
    if not thirds:
        return probability
    keys = one * size + other
    order = np.argsort(keys)
    asked = np.fromiter(thirds, np.int64, len(thirds))
    first, second = np.array(list(thirds.values())).T
    found_at = order[np.minimum(np.searchsorted(keys, asked, sorter=order), len(keys) - 1)]
    there = keys[found_at] == asked
    at, first, second = found_at[there], first[there], second[there]
    own = odds[at]
    all_one = first * second * own
    raised = probability.copy()
    raised[at] = np.maximum(probability[at], (all_one + own) / (all_one + own + first + second + 1.0))
    return raised
