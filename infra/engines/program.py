"""What a supervised child process is: what to run, how to know that it serves, how to end it."""

import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from streams.ending import end_with

Ready = Callable[[], Awaitable[bool]]


def nothing_to_repair() -> None:
    """Most programs need nothing done between two starts."""


def unexplained(_log: str) -> str | None:
    """Most programs' last words are not known by heart."""
    return None


@dataclass(frozen=True, slots=True)
class Program:
    """One child process, as the supervisor sees it."""

    name: str
    command: tuple[str, ...]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    user: int | None = None  # run as this user (and group): only where an engine refuses root and has no other way
    stop_signal: signal.Signals = signal.SIGTERM
    grace: float = 15.0  # seconds between the polite signal and SIGKILL
    ready: Ready | None = None  # None: alive is enough
    ready_within: float = 60.0
    repair: Callable[[], None] = nothing_to_repair  # before every start: sweeps away what a kill -9 left behind
    explain: Callable[[str], str | None] = unexplained  # from the end of its log to a sentence for a person

    def log_size(self) -> int:
        return self.log.stat().st_size if self.log.exists() else 0

    def last_words(self, since: int, size: int = 8192) -> str:
        """The end of its log, but nothing from before `since`: an earlier life died of its own reasons."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as log:
            log.seek(max(since, self.log_size() - size))
            return log.read().decode(errors="replace")


def before_exec(program: Program, parent: int) -> Callable[[], None]:
    """For `preexec_fn`: become the program's user, and ask the kernel for its stop signal when the supervisor dies.

    Even a kill -9 of the supervisor so ends its children in order. Where the kernel is not Linux an orphan lives on
    until the next `yekta up`, which finds it in the run state and ends it.
    """
    user, signal_number = program.user, program.stop_signal.value

    def between_fork_and_exec() -> None:
        if user is not None:
            os.setgroups([])
            os.setgid(user)
            os.setuid(user)
        end_with(parent, signal_number)

    return between_fork_and_exec
