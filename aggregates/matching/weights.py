"""Learns from the records alone how much each agreement says: Fellegi and Sunter's m and u, by expectation and maximisation.

For every column and level, m is how often two records of one person agree so, u how often two of different persons do. All pairs of the
table take part: those that no block brought together count as different persons, which keeps u and the share of matches honest
although the pairs looked at were chosen for being alike. Reading order: Weights, Sample, learn, scores.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from aggregates.matching.agreement import LEVELS, Bools, Floats, Level, Levels
from aggregates.matching.aspects import Ints
from aggregates.matching.codes import MARK
from aggregates.matching.kinds import changes

ROUNDS = 60
RELATED_FIRST = 12  # rounds in which namesakes and households find their class, before what a match is may bend to the data
STILL = 1e-5
PRIOR_AGREEING = 4.0  # pairs that each level's m is pulled by, so that a level seen once proves nothing
STRANGERS = 2.5  # for each match expected, so many pairs hold those related by one column for strangers in all others
MOST_DIFFERENT = 0.3  # matches do not differ more often in a column: else it is namesakes or households that were learned
CODES_DIFFERENT = 0.05  # nor in their codes: what is described alike and has another code is another thing
FEWEST = 5.0  # pairs that are related, from which it is asked whether they are one
APART = 0.5  # a family differs in more than this part of what tells people apart for life; who differs in less is badly written


@dataclass(frozen=True, slots=True)
class Weights:
    """What agreement says, by column and level: the shares among matches and others, and the share of matches among all pairs."""

    columns: tuple[str, ...]
    m: Floats  # columns × levels
    u: Floats
    share: float
    related: Floats  # classes × columns × levels: how those agree who are not one, and are alike for one column each, or of one household
    shares: Floats  # classes: how many of all pairs are so related

    @property
    def bits(self) -> Floats:
        """What each level of each column speaks for (or against) a match, in bits."""
        return _known(np.log2(np.maximum(self.m, TINY) / np.maximum(self.u, TINY)))


TINY = 1e-12
NOBODY = 1e-300  # a class that is not there does not come into being


def _known(logarithms: Floats) -> Floats:
    """What is not known says nothing."""
    logarithms[..., Level.UNKNOWN] = 0.0
    return logarithms


@dataclass(frozen=True, slots=True)
class Sample:
    """What is learned from: the pairs that were looked at, how common every level is among all pairs, and how many pairs there are."""

    levels: Levels  # pairs × columns
    common: Floats  # columns × levels: share of all pairs
    pairs: int
    expected: float  # matches, as a first guess
    each: float = 1.0  # how many pairs one row stands for, when not all were taken
    rivals: tuple[Ints, Ints] | None = None  # between two tables: the two records of each row, of which each has hardly two partners
    held: Mapping[int, tuple[Floats, Floats]] = field(default_factory=dict)  # columns whose m and u are known, and are not learned
    most: Mapping[int, float] = field(default_factory=dict)  # of columns in which matches seldom differ: how often they do at most


@dataclass(frozen=True, slots=True)
class _Patterns:
    """The sample's rows, each kind of them once."""

    levels: Levels
    times: Floats  # how many pairs agree so
    of: Ints  # which pattern each row is
    rivals: tuple[Ints, Ints] | None

    def beliefs(self, weights: Weights) -> Floats:
        """How many pairs of each pattern are matches, strangers, related. Rivals for one partner take from each other."""
        likely = beliefs(weights, self.levels)
        if self.rivals is not None:
            odds = (likely[0] / np.maximum(1.0 - likely[0], TINY))[self.of]
            total = sum((np.bincount(side, odds)[side] for side in self.rivals), -odds)
            left = np.bincount(self.of, odds / (1.0 + total), len(self.levels)) / np.bincount(self.of, minlength=len(self.levels))
            likely[1:] *= (1.0 - left) / np.maximum(1.0 - likely[0], TINY)
            likely[0] = left
        return np.asarray(likely * self.times)


def learn(columns: Sequence[str], sample: Sample) -> Weights:
    """The weights under which the sample is likeliest, of those in which who is related is not who is the same."""
    levels, of, counts = np.unique(sample.levels, axis=0, return_inverse=True, return_counts=True)
    patterns = _Patterns(levels, np.asarray(counts * sample.each, np.float64), of.reshape(-1), sample.rivals)
    related = ~np.array([column.endswith(MARK) for column in columns], bool)  # nobody inherits a code
    related[list(sample.held)] = False
    weights = _learned(columns, sample, patterns, related)
    while (posing := _posing(weights, sample, patterns)) is not None:
        related[posing] = False
        weights = _learned(columns, sample, patterns, related)
    return weights


def _learned(columns: Sequence[str], sample: Sample, patterns: _Patterns, related: Bools) -> Weights:
    """The weights under which the sample is likeliest, where some may be related by these columns."""
    weights = _first_guess(columns, sample)
    weights = replace(weights, shares=weights.shares * related)
    telling = _telling(columns, sample)
    most = np.array([_most(sample, column, n) for n, column in enumerate(columns)])
    for n in range(ROUNDS):
        before = weights
        weights = _maximised(weights, sample, patterns.levels, patterns.beliefs(weights))
        if n < RELATED_FIRST:
            weights = replace(weights, m=before.m, share=before.share)
        elif len(weights.related) == len(columns) and telling[apart := weights.m[:, Level.DIFFERENT] >= most].sum() > APART:
            weights = _with_household(weights, apart)
        elif float(np.abs(weights.m - before.m).max()) < STILL:
            break
    return weights


def _posing(weights: Weights, sample: Sample, patterns: _Patterns) -> int | None:
    """The column by which more are related than are one, and who then differ in nothing more often than one does: they are one."""
    columns = len(weights.columns)
    most = int(np.argmax(weights.shares[:columns]))
    if columns < 2 or weights.shares[most] <= max(weights.share, FEWEST / sample.pairs):
        return None
    likely = patterns.beliefs(weights)[2 + most]
    for n in range(columns):
        seen = np.bincount(patterns.levels[:, n], likely, LEVELS)[1:]
        if seen[0] > MOST_DIFFERENT * seen.sum():
            return None
    return most


def scores(weights: Weights, levels: Levels) -> Floats:
    """What the agreements of each pair say together, in bits, against strangers and the related; the share of matches is not in it."""
    one, *others = beliefs_in_bits(weights, levels)
    return np.asarray(one - np.logaddexp2.reduce(others) - np.log2(weights.share / (1 - weights.share)))


def beliefs(weights: Weights, levels: Levels) -> Floats:
    """For each pair how probable it is a match, of strangers, or related by each column: one row for each."""
    bits = beliefs_in_bits(weights, levels)
    return np.asarray(np.exp2(bits - np.logaddexp2.reduce(bits)))


def beliefs_in_bits(weights: Weights, levels: Levels) -> Floats:
    """The logarithm of how often each pair's agreements are met: in a match, between strangers, in those related by each column."""
    strangers = max(1 - weights.share - float(weights.shares.sum()), TINY)
    met = _known(np.log2(np.maximum(np.concatenate([weights.m[None], weights.u[None], weights.related]), TINY)))
    total = np.repeat(np.log2(np.r_[weights.share, strangers, np.maximum(weights.shares, NOBODY)])[:, None], len(levels), axis=1)
    for n in range(levels.shape[1]):
        total += met[:, n, levels[:, n]]
    return np.asarray(total)


def probabilities(bits: Floats, share: float) -> Floats:
    """How probable it is that a pair with so many bits is a match."""
    odds = np.exp2(np.clip(bits, -500, 500)) * share / (1 - share)
    return np.asarray(odds / (1 + odds))


def _telling(columns: Sequence[str], sample: Sample) -> Floats:
    """The part that each column has in telling people apart for life: by how seldom strangers agree in it."""
    lasting = np.array([not changes(column) for column in columns])
    lasting[list(sample.held)] = False
    rare = -np.log2(np.maximum(sample.common[:, Level.SAME :].sum(axis=1), 1.0 / sample.pairs)) * lasting
    return np.asarray(rare / max(rare.sum(), TINY))


def _first_guess(columns: Sequence[str], sample: Sample) -> Weights:
    """Matches agree nearly always, and where they do, on values as rare as agreeing records have them; the related in one column."""
    tiny = 1.0 / sample.pairs
    u = np.maximum(sample.common, tiny)
    m = np.zeros_like(u)
    same = np.maximum(sample.common[:, Level.SAME :], tiny) ** 0.5
    m[:, Level.SAME :] = 0.75 * same / same.sum(axis=1, keepdims=True)
    m[:, Level.DIFFERENT : Level.SAME] = np.array([0.08, 0.01, 0.01, 0.02, 0.03, 0.05, 0.04, 0.01])
    never = sample.common[:, Level.SAME :].sum(axis=1) == 0  # two tables with words of their own: how they agree is yet to be seen
    m[never] = u[never] / u[never].sum(axis=1, keepdims=True)
    for n, (one, two) in sample.held.items():
        m[n], u[n] = one, two
    related = np.repeat(u[None], len(columns), axis=0)
    shares = np.empty(len(columns))
    for n in range(len(columns)):
        agreeing = u[n] * (np.arange(LEVELS) >= Level.CLOSE)
        shares[n] = 0.1 * agreeing.sum() / len(columns)
        related[n, n] = agreeing / agreeing.sum()
    return Weights(tuple(columns), m, u, min(0.5, sample.expected / sample.pairs), related, shares)


def _with_household(weights: Weights, apart: Bools) -> Weights:
    """The weights with one more class: those who agree like one person, but in the columns in which too many of the matches differ.

    People who live together share a name, a street, a telephone: no one column makes them alike. Who differs only in what changes in a
    life has moved.
    """
    household = np.where(apart[:, None], weights.u, weights.m)
    related = np.concatenate([weights.related, household[None]])
    return replace(weights, related=related, shares=np.r_[weights.shares, weights.share / 2], share=weights.share / 2)


def _maximised(weights: Weights, sample: Sample, patterns: Levels, likely: Floats) -> Weights:
    """The weights that the present beliefs make likeliest."""
    m, u, related = np.empty_like(weights.m), np.empty_like(weights.u), np.empty_like(weights.related)
    strangers = STRANGERS * max(sample.expected, float(likely[0].sum()))
    for n in range(len(weights.columns)):
        if n in sample.held:
            m[n], u[n], related[:, n] = weights.m[n], weights.u[n], weights.related[:, n]
            continue
        agreed = np.bincount(patterns[:, n], likely[0], LEVELS)
        known = np.r_[0.0, agreed[1:]]
        prior = _smooth(known)
        m[n] = _agreeing((known + PRIOR_AGREEING * prior) / (known.sum() + PRIOR_AGREEING), _most(sample, weights.columns[n], n))
        others = np.maximum(sample.common[n] * sample.pairs - agreed, 0.0)
        others[0] = 0.0
        floor = 0.5 * prior + 0.02
        u[n] = (others + floor) / (others + floor).sum()
        for k in range(len(weights.related)):
            seen = np.bincount(patterns[:, n], likely[2 + k], LEVELS)
            seen[0] = 0.0
            if k < len(weights.columns):
                most = STRANGERS * float(seen.sum()) if sample.rivals else 0.0  # between two tables rivals keep the alike apart
                before, held = weights.related[k, n] if k == n else u[n], max(strangers, most)
            else:
                before, held = weights.related[k, n], PRIOR_AGREEING
            related[k, n] = (seen + held * before) / (seen.sum() + held)
    matched = min(0.5, max(float(likely[0].sum()), 0.5) / sample.pairs)
    shares = likely[2:].sum(axis=1) / sample.pairs
    return replace(weights, m=np.maximum(m, 1e-9), u=u, share=matched, related=related, shares=shares)


def _most(sample: Sample, column: str, n: int) -> float:
    """How often matches differ in a column at most."""
    return CODES_DIFFERENT if column.endswith(MARK) else sample.most.get(n, MOST_DIFFERENT)


def _agreeing(m: Floats, most: float) -> Floats:
    """The shares among matches, of which not too many may differ."""
    if m[Level.DIFFERENT] <= most:
        return m
    kept = m * (1 - most) / (1 - m[Level.DIFFERENT])
    kept[Level.DIFFERENT] = most
    return np.asarray(kept)


def _smooth(agreed: Floats) -> Floats:
    """What a level is expected to have when nothing was seen of it: something of its neighbours', something of all."""
    wide = np.convolve(agreed, [0.25, 0.5, 0.25], mode="same") + 0.002 * (agreed.sum() + 1)
    wide[0] = 0.0
    return np.asarray(wide / wide.sum())
