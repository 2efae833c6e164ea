"""Whose CPU time a measurement took, and whose memory: on a shared machine seconds on the wall say less than seconds of CPU.

A process counts with all that it started. Reading order: Meter, Cost.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec
import psutil

OWN = "processes"
POSTGRES = "postgres"
KAFKA = "kafka"


@dataclass(frozen=True, slots=True)
class Reading:
    """A moment, and the CPU seconds that each party had used until then."""

    at: float
    cpu: Mapping[str, float]


class Cost(msgspec.Struct, frozen=True):
    """CPU time of user and system for one event, in microseconds; null for engines that run elsewhere."""

    processes: float | None  # those that are measured: a worker, two workers, a door
    postgres: float | None
    kafka: float | None

    @property
    def total(self) -> float:
        """All of it."""
        return sum(part for part in (self.processes, self.postgres, self.kafka) if part is not None)


class Meter:
    """Reads the CPU time of some processes and of the engines."""

    def __init__(self, engines: Mapping[str, int], own: Iterable[int]) -> None:
        self._parties = {name: (pid,) for name, pid in engines.items()} | {OWN: tuple(own)}

    def read(self) -> Reading:
        """Now."""
        return Reading(time.perf_counter(), {name: sum(_cpu(pid) for pid in pids) for name, pids in self._parties.items()})


def cost(begin: Reading, end: Reading, events: int) -> Cost:
    """What one of so many events cost between two readings."""

    def of(party: str) -> float | None:
        return (end.cpu[party] - begin.cpu[party]) / events * 1e6 if party in end.cpu else None

    return Cost(of(OWN), of(POSTGRES), of(KAFKA))


def resident(pid: int) -> float:
    """RSS of one process, in MB; none of one that ended, of which whoever waits for it has more to say."""
    try:
        return float(psutil.Process(pid).memory_info().rss) / 2**20
    except psutil.NoSuchProcess:
        return 0.0


def memory(pid: int) -> tuple[float, float]:
    """RSS of the largest of a process and its children, and the memory of all of them with what they share counted once; in MB."""
    sizes = []
    for process in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
        try:
            full = process.memory_full_info()
        except psutil.Error:  # a backend that ended meanwhile
            continue
        sizes.append((full.rss, getattr(full, "pss", full.rss)))
    return max(rss for rss, _ in sizes) / 2**20, sum(pss for _, pss in sizes) / 2**20


def _cpu(pid: int) -> float:
    """Seconds of a process and its children; of those that ended too, for PostgreSQL's backends come and go."""
    total = 0.0
    parent = psutil.Process(pid)
    for process in (parent, *parent.children(recursive=True)):
        try:
            times = process.cpu_times()
        except psutil.Error:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total
