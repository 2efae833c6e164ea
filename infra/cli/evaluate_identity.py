"""`yekta evaluate identity`: the duplicates matcher over a table of records, beside the truth."""

import dataclasses
import json as encoder
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter


def identity(*, records: list[Path], truth: Path, json: Annotated[bool, Parameter(negative=())] = False) -> None:
    """Find possible duplicates among records, or between two tables of them, and compare with the truth.

    Parameters
    ----------
    records
        CSV with a header: a column `id`, and columns of any names and languages. Given twice, pairs are sought between the two tables.
    truth
        CSV of pairs `id_a,id_b` that are the same person's. Nothing is learned from it.
    json
        Print one JSON object.
    """
    from infra.cli.progress import steps
    from infra.errors import Refusal
    from infra.evaluation.identity import Quality, evaluated

    if len(records) > 2:
        raise Refusal("Records come from one table, or from two that are to be linked.", "Give --records once or twice.")
    with steps() as doing:
        report = evaluated(records[0], records[1] if len(records) > 1 else None, truth, doing)
    if json:
        print(encoder.dumps(dataclasses.asdict(report), ensure_ascii=False))
        return

    def line(name: str, quality: Quality) -> str:
        return f"{name:<14}{quality.threshold:>10.4f}{quality.precision:>10.4f}{quality.recall:>10.4f}{quality.f1:>10.4f}"

    print(f"{'':<14}{'threshold':>10}{'precision':>10}{'recall':>10}{'F1':>10}")
    print(line("own", report.own))
    print(line("best", report.best))
    print(f"{report.records:,} records, {report.true_pairs:,} true pairs; {report.candidate_pairs:,} pairs compared,")
    print(f"{report.candidate_recall:.2%} of the true ones among them; {report.seconds:.1f} s, {report.memory_mb:.0f} MB")
    print("columns: " + ", ".join(f"{name} ({kind})" for name, kind in report.columns.items()))
