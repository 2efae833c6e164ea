"""What a run found, as it is printed with --json: stable names, medians, and the rounds they are the medians of.

Reading order: Report, Row, Ratio; schema.
"""

import os
import platform
import sys
from importlib.metadata import version
from typing import Any, Literal

import msgspec
import psutil

from infra.bench.usage import Cost

PACKAGES = ("yekta", "aiokafka", "psycopg", "msgspec", "faust-streaming", "fastapi", "uvloop")


class Ratio(msgspec.Struct, frozen=True):
    """A row held against others of the same run."""

    of: str  # the row or rows that it is held against
    by: Literal["rate", "cpu", "latency", "memory"]
    value: float  # median of the rounds' own ratios
    at_least: float | None = None  # the target, where there is one
    at_most: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without one."""
        if self.at_least is not None:
            return self.value >= self.at_least
        return None if self.at_most is None else self.value <= self.at_most


class Row(msgspec.Struct, frozen=True):
    """One line of the table. What does not apply is null."""

    name: str
    what: str
    group: str
    events: int | None = None  # in one round
    rate: float | None = None  # events per second, median
    rates: list[float] = []  # of each round
    p50_ms: float | None = None  # median of the rounds
    p99_ms: float | None = None
    cpu_us: Cost | None = None  # CPU time for one event, median
    memory_mb: float | None = None  # with what several processes share counted once
    rss_mb: float | None = None  # of the process, of an engine's largest
    ratios: list[Ratio] = []
    at_most_ms: float | None = None  # the target for p99, where there is one
    p50_at_most_ms: float | None = None  # the target for p50, where there is one
    note: str = ""
    skipped: str = ""  # why it was not measured


class Machine(msgspec.Struct, frozen=True):
    """Where it ran."""

    cores: int
    processor: str
    memory_gb: float
    system: str
    load_before: float  # processes that wanted a core in the minute before: others' work, on a shared machine


class Workload(msgspec.Struct, frozen=True):
    """What was measured with."""

    seed: int
    events: int  # of one pass over a backlog
    customers: int
    merges: int
    types: dict[str, int]
    event_bytes: float  # of an event as it is posted, on average
    record_bytes: float  # of its record in the log, sealed


class Report(msgspec.Struct, frozen=True):
    """One run."""

    machine: Machine
    versions: dict[str, str]
    workload: Workload
    rounds: int
    seconds: float
    rows: list[Row]


def machine() -> Machine:
    """This machine."""
    return Machine(
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        processor=_processor(),
        memory_gb=round(psutil.virtual_memory().total / 2**30, 1),
        system=f"{platform.system()} {platform.release()}",
        load_before=round(os.getloadavg()[0], 2),
    )


def versions(engines: dict[str, str]) -> dict[str, str]:
    """Of Python, of the packages that matter and of the engines."""
    return {"python": platform.python_version(), **engines, **{name: version(name) for name in PACKAGES}}


def schema() -> dict[str, Any]:
    """The JSON Schema of a report."""
    return msgspec.json.schema(Report)


def _processor() -> str:
    if sys.platform.startswith("linux"):
        with open("/proc/cpuinfo") as info:  # noqa: PTH123 - not a file of ours
            for line in info:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
