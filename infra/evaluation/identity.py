"""Measures the duplicates matcher on any table of records whose truth is known: reads the files, runs the live code, counts.

Nothing is learned from the truth: it is opened after the matcher has spoken. Reading order: Report, evaluated, measured.
"""

import csv
import resource
import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aggregates.matching.agreement import Floats
from aggregates.matching.aspects import Ints
from aggregates.matching.matching import Matches, match
from aggregates.matching.table import Records, tabulate
from infra.errors import Refusal

Truth = frozenset[tuple[str, str]]


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


def evaluated(records: Path, second: Path | None, truth: Path) -> Report:
    """Run the matcher over the records and hold what it says against the truth. Raises Refusal."""
    first = read_records(records)
    other = read_records(second) if second else None
    began = time.perf_counter()
    matches = match(tabulate(first, other))
    seconds = time.perf_counter() - began
    known = read_truth(truth, first, other)
    return measured(matches, known, seconds)


def measured(matches: Matches, truth: Truth, seconds: float) -> Report:
    """Precision, recall and F1 of the pairs, at the matcher's own threshold and at the one that hindsight would choose."""
    ids = matches.table.ids
    linked = matches.table.linked
    named = ((ids[i], ids[j]) for i, j in zip(matches.one.tolist(), matches.other.tolist(), strict=True))
    right = np.fromiter((((a, b) if linked else _ordered(a, b)) in truth for a, b in named), bool, len(matches.one))
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


def read_records(path: Path) -> Records:
    """The records of a CSV file by id. Raises Refusal."""
    records: dict[str, dict[str, str]] = {}
    lines = _lines(path)
    header = [name.strip() for name in next(lines, [])]
    place = next((n for n, name in enumerate(header) if name.lower() == "id"), None)
    if place is None:
        raise Refusal(f"{path} has no column id.", "Its first line must name the columns, and one of them must be id.")
    for line in lines:
        if len(line) <= place:
            continue
        identity = line[place].strip()
        if identity in records:
            raise Refusal(f"{path} has two records with the id {identity}.", "Every record needs an id of its own.")
        records[identity] = {name: value for n, (name, value) in enumerate(zip(header, line, strict=False)) if n != place}
    return records


def read_truth(path: Path, first: Collection[str], second: Collection[str] | None) -> Truth:
    """The true pairs, each once, among records that are there; between two tables either column may be the first's. Raises Refusal."""
    lines = _lines(path)
    header = next(lines, [])
    named = [name.strip().lower() for name in header[:2]] == ["id_a", "id_b"]
    truth = set()
    for line in lines if named else _again(header, lines):
        a, b = (line[0].strip(), line[1].strip()) if len(line) > 1 else ("", "")
        if second is None:
            if a in first and b in first and a != b:
                truth.add(_ordered(a, b))
        elif a in first and b in second:
            truth.add((a, b))
        elif b in first and a in second:
            truth.add((b, a))
    if not truth:
        raise Refusal(
            f"{path} has no pair of records that are there.", "It must have two columns, id_a and id_b, with the ids of the records."
        )
    return frozenset(truth)


def _ordered(a: str, b: str) -> tuple[str, str]:
    return (a, b) if a <= b else (b, a)


def _again(first: list[str], rest: Iterable[list[str]]) -> Iterator[list[str]]:
    yield first
    yield from rest


def _lines(path: Path) -> Iterator[list[str]]:
    """The lines of a CSV file, its separator found out. Raises Refusal."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            head = file.readline()
            file.seek(0)
            yield from csv.reader(file, delimiter=max(",;\t|", key=head.count))
    except UnicodeDecodeError:
        raise Refusal(f"{path} is not UTF-8.", "Save it as UTF-8.") from None
    except FileNotFoundError:
        raise Refusal(f"There is no file {path}.") from None
