"""Judges tables of one text: with nothing beside it that agrees or differs, nothing can be learned from the records themselves.

How probable a match is at each likeness is therefore given: the mean of many tables of names (of places, clubs, works, people, species)
whose truth is known, in which it is much the same. Pure. Reading order: PROBABLE, believed, firsts.
"""

import numpy as np

from aggregates.matching.agreement import LEVELS, Floats, Level, Levels
from aggregates.matching.aspects import Ints
from aggregates.matching.kinds import Kind
from aggregates.matching.table import Table
from aggregates.matching.weights import Weights

PROBABLE = {Level.FAINT: 0.002, Level.ALIKE: 0.04, Level.SIMILAR: 0.12, Level.CLOSE: 0.37, Level.NEAR: 0.61, Level.VARIANT: 0.84}
"""That two texts are of one thing, by their likeness."""

FIRST = {Level.FAINT: 0.2, Level.ALIKE: 0.43, Level.SIMILAR: 0.59, Level.CLOSE: 0.74, Level.NEAR: 0.82, Level.VARIANT: 0.93}
"""The same where none of the other table is as like."""

SAME, NEVER = 0.97, 1e-7


def alone(table: Table) -> bool:
    """Whether a text is all there is."""
    return len(table.columns) == 1 and table.columns[0].kind is Kind.TEXT


def believed(table: Table, common: Floats) -> Weights:
    """The weights under which each likeness is as probable a match as is given, for levels that are so common among all pairs."""
    chance = np.full(LEVELS, SAME)
    chance[: Level.SAME] = [PROBABLE.get(Level(level), NEVER) for level in range(Level.SAME)]
    u = np.maximum(common[0], 1.0 / max(table.pairs, 1))
    matched = u * chance / (1.0 - chance)
    share = float(matched.sum() / (1.0 + matched.sum()))
    return Weights((table.columns[0].name,), (matched / matched.sum())[None], u[None], share, np.empty((0, 1, LEVELS)), np.empty(0))


def firsts(table: Table, one: Ints, other: Ints, levels: Levels, probability: Floats) -> Floats:
    """The probabilities between two tables: who of the smaller one is liked best by one alone, is his; the others lose what he wins."""
    smaller = one if 2 * int(table.side.sum()) > table.size else other
    level = levels[:, 0].astype(np.int64)
    best = np.zeros(table.size, np.int64)
    np.maximum.at(best, smaller, level)
    at_best = level == best[smaller]
    many = np.bincount(smaller[at_best], minlength=table.size)[smaller]
    first = at_best & (many == 1)
    chance = np.full(LEVELS, SAME)
    chance[: Level.SAME] = [FIRST.get(Level(level), NEVER) for level in range(Level.SAME)]
    raised = np.where(first, np.maximum(chance[level], probability), probability / np.maximum(many, 1))
    taken = np.zeros(table.size)
    np.maximum.at(taken, smaller, np.where(first, raised, 0.0))
    return np.asarray(np.where(first, raised, np.minimum(raised, 1.0 - taken[smaller])))
