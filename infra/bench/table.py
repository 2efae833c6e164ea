"""The report as people read it: one table, and below it what it was measured on and with.

Reading order: table, footing.
"""

from rich.table import Table

from infra.bench.report import Ratio, Report, Row


def table(report: Report) -> Table:
    """All rows; groups are separated by lines."""
    made = Table(title=f"Medians of {report.rounds}" if report.rounds > 1 else "One round", title_justify="left")
    made.add_column("what")
    for column in ("events/s", "p50 ms", "p99 ms", "CPU µs/event", "PostgreSQL", "Kafka", "sum", "MB"):
        made.add_column(column, justify="right")
    made.add_column("against")
    for row, following in zip(report.rows, [*report.rows[1:], None], strict=True):
        made.add_row(*_cells(row), end_section=following is not None and following.group != row.group)
    return made


def footing(report: Report) -> str:
    """The machine, the versions and the workload, in a few lines."""
    machine, workload = report.machine, report.workload
    types = ", ".join(f"{name} {count / sum(workload.types.values()):.0%}" for name, count in workload.types.items())
    versions = ", ".join(f"{name} {version}" for name, version in report.versions.items())
    where = f"{machine.cores} cores, {machine.processor}, {machine.memory_gb:.0f} GB, {machine.system}"
    return (
        f"{where}; load before the run {machine.load_before:.1f}; {report.seconds:.0f} s\n{versions}\n"
        f"{workload.events:,} events a pass of {workload.customers:,} customers: {types}; {workload.merges} merges;"
        f" {workload.event_bytes:.0f} bytes an event, {workload.record_bytes:.0f} sealed; seed {workload.seed}"
    )


def _cells(row: Row) -> tuple[str, ...]:
    if row.skipped:
        return (row.what, *[""] * 8, f"skipped: {row.skipped}")
    cpu = row.cpu_us
    targets = [_target("p50", row.p50_ms, row.p50_at_most_ms), _target("p99", row.p99_ms, row.at_most_ms)]
    return (
        row.what,
        _number(row.rate),
        _number(row.p50_ms, 2),
        _number(row.p99_ms, 2),
        *((_number(part, 1) for part in (cpu.processes, cpu.postgres, cpu.kafka, cpu.total)) if cpu else [""] * 4),
        _number(row.memory_mb),
        "\n".join([*map(_ratio, row.ratios), *filter(None, [*targets, row.note])]),
    )


def _target(name: str, value: float | None, most: float | None) -> str:
    return "" if most is None else f"{name} {_sign((value or 0) <= most)} target ≤ {most:.0f} ms"


def _ratio(ratio: Ratio) -> str:
    """`by` cpu says how many events the same CPU time takes."""
    said = f"{ratio.value:.2f} × {ratio.of}" + ("" if ratio.by == "rate" else f" ({ratio.by})")
    if ratio.met is None:
        return said
    bound = f"≥ {ratio.at_least}" if ratio.at_least is not None else f"≤ {ratio.at_most}"
    return f"{said} {_sign(ratio.met)} target {bound}"


def _sign(met: bool) -> str:
    return "✓" if met else "✗"


def _number(value: float | None, digits: int = 0) -> str:
    return "" if value is None else f"{value:,.{digits}f}"
