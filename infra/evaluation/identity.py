"""Measures the duplicates matcher on any table of records whose truth is known: reads the files, runs the live code, counts.

Nothing is learned from the truth: it is opened after the matcher has spoken. Reading order: Report, evaluated, measured.
"""

import resource
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aggregates.matching.agreement import Floats
from aggregates.matching.aspects import Ints
from aggregates.matching.matching import Doing, Matches, match
from aggregates.matching.table import tabulate
from infra.evaluation.known import Truth, ordered, read_records, read_truth


@dataclass(frozen=True, slots=True)
class Quality:
    """How well the pairs above a threshold agree with the truth."""

    threshold: float
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class Report:
    """What an evaluation prints."""

    records: int
    true_pairs: int
    candidate_pairs: int
    candidate_recall: float  # the share of the true pairs that was looked at
    expected_matches: float  # by the probabilities alone
    own: Quality
    best: Quality
    columns: dict[str, str]
    seconds: float
    memory_mb: float


def evaluated(records: Path, second: Path | None, truth: Path, doing: Doing) -> Report:
    """Run the matcher over the records and hold what it says against the truth. Raises Refusal."""
    doing("reading records", 0, 0)
    first = read_records(records)
    other = read_records(second) if second else None
    began = time.perf_counter()
    matches = match(tabulate(first, other), doing)
    seconds = time.perf_counter() - began
    known = read_truth(truth, first, other)
    return measured(matches, known, seconds)


def measured(matches: Matches, truth: Truth, seconds: float) -> Report:
    """Precision, recall and F1 of the pairs, at the matcher's own threshold and at the one that hindsight would choose."""
    ids = matches.table.ids
    linked = matches.table.linked
    named = ((ids[i], ids[j]) for i, j in zip(matches.one.tolist(), matches.other.tolist(), strict=True))
    right = np.fromiter((((a, b) if linked else ordered(a, b)) in truth for a, b in named), bool, len(matches.one))
    order = np.argsort(-matches.probability, kind="stable")
    probability, hits = matches.probability[order], np.cumsum(right[order])
    return Report(
        matches.table.size,
        len(truth),
        len(matches.one),
        float(right.sum()) / len(truth),
        float(matches.probability.sum()),
        _at(matches.threshold, probability, hits, len(truth)),
        _at(_best(probability, hits, len(truth)), probability, hits, len(truth)),
        {column.name: str(column.kind) for column in matches.table.columns},
        seconds,
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


def _best(probability: Floats, hits: Ints, true: int) -> float:
    """The threshold with the best F1; pairs of one probability stand or fall together."""
    if not len(probability):
        return 1.0
    f1 = 2 * hits / (np.arange(1, len(hits) + 1) + true)
    last_of_its_kind = np.r_[probability[1:] != probability[:-1], True]
    return float(probability[int(np.argmax(np.where(last_of_its_kind, f1, -1.0)))])


def _at(threshold: float, probability: Floats, hits: Ints, true: int) -> Quality:
    said = int((probability >= threshold).sum())
    hit = int(hits[said - 1]) if said else 0
    precision, recall = hit / said if said else 0.0, hit / true
    return Quality(threshold, precision, recall, 2 * hit / (said + true))
