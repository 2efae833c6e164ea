"""What runs in a home and where, kept in `.yekta/run.json` so that other commands, and the next `up`, find it."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import msgspec
import psutil

from infra.home import write_private

_SAME_START = 2.0  # seconds: the system's idea of a start time wanders a little when its clock is set


class Process(msgspec.Struct, frozen=True):
    """A process that cannot be mistaken for a later one with its number."""

    pid: int
    started: float

    @classmethod
    def of(cls, pid: int) -> "Process | None":
        try:
            return cls(pid, psutil.Process(pid).create_time())
        except psutil.Error:
            return None

    def runs(self) -> bool:
        try:
            process = psutil.Process(self.pid)
            return bool(abs(process.create_time() - self.started) < _SAME_START and process.status() != psutil.STATUS_ZOMBIE)
        except psutil.Error:
            return False


class RunState(msgspec.Struct, frozen=True, forbid_unknown_fields=False):
    """The addresses of one home. Ports outlive the processes: the next run takes them again."""

    supervisor: Process | None = None
    kafka_port: int | None = None
    kafka_controller_port: int | None = None
    postgres_port: int | None = None
    postgres_served: bool = False  # once, with data of this home: if that is gone it is lost, and not yet to be made
    api_url: str | None = None
    children: dict[str, Process] = {}

    def runs(self) -> bool:
        return self.supervisor is not None and self.supervisor.runs()


def read(path: Path) -> RunState:
    """The state last written; an empty one when there is none, or none that can be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=RunState)
    except (FileNotFoundError, NotADirectoryError, msgspec.MsgspecError):
        return RunState()


def write(path: Path, state: RunState) -> None:
    write_private(path, msgspec.json.format(msgspec.json.encode(state), indent=2).decode() + "\n")


def end_orphans(state: RunState, *, within: float = 20.0) -> list[str]:
    """End the children of a supervisor that is gone (it was killed, and so could not): the last started first."""
    ended = []
    for name, child in reversed(state.children.items()):
        if not child.runs():
            continue
        ended.append(name)
        with suppress(ProcessLookupError):
            os.kill(child.pid, signal.SIGINT if name == "postgres" else signal.SIGTERM)
        if not gone(child, within):
            with suppress(ProcessLookupError):
                os.kill(child.pid, signal.SIGKILL)
            gone(child, within)
    return ended


def gone(child: Process, within: float) -> bool:
    """Whether it ends in that many seconds: for processes that are nobody's children here, and so cannot be waited for."""
    deadline = time.monotonic() + within
    while child.runs():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
