"""Keeps child processes alive: starts them in order, brings back the one that dies, stops all in the reverse order.

Reading order: Supervisor.start, _keep (one task a child), stop.
"""

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic

from infra.engines.program import Program, before_exec
from infra.errors import REFUSED, SAYS, Refusal, refusal_of

_STEADY = 10.0  # a child that lived this long died of something new
_LONGEST_PAUSE = 10.0
_LARGEST_LOG = 20 * 1024 * 1024
_KILLED = {signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT}  # by somebody, not of a reason of its own


@dataclass(slots=True)
class Child:
    """A program and the process that runs it now."""

    program: Program
    process: asyncio.subprocess.Process = field(init=False)
    started: float = field(init=False)
    log_begins: int = field(init=False)  # where this life's part of the log begins
    quick_deaths: int = 0
    serving: bool = False
    keeper: asyncio.Task[None] | None = field(default=None, repr=False)

    @property
    def pid(self) -> int:
        return self.process.pid


Notice = Callable[[str, str], None]  # the child's name, what happened to it
Changed = Callable[[], None]  # some child has another pid


class Supervisor:
    """The parent of every child process of one home."""

    def __init__(self, *, notice: Notice, changed: Changed) -> None:
        self._notice = notice
        self._changed = changed
        self._children: dict[str, Child] = {}

    @property
    def children(self) -> dict[str, Child]:
        """In the order they were started."""
        return dict(self._children)

    async def start(self, program: Program) -> None:
        """Return when the program serves; raise Refusal when it does not come up even at the second try."""
        try:
            child = await self._first_start(program)
        except OSError as error:
            raise refusal_of(error) or Refusal(f"{program.name} could not be started: {error.strerror}.") from error
        child.keeper = asyncio.create_task(self._keep(child), name=f"keep {program.name}")

    async def stop(self) -> None:
        """End every child, the last started first, each politely and then for certain."""
        for child in reversed(self._children.values()):
            await self._retire(child)

    async def end(self, name: str) -> None:
        """End one child for good."""
        await self._retire(self._children.pop(name))
        self._changed()

    async def _retire(self, child: Child) -> None:
        if child.keeper is not None:
            child.keeper.cancel()
            with suppress(asyncio.CancelledError):
                await child.keeper
        await self._end(child)

    async def _first_start(self, program: Program) -> Child:
        for trial in (1, 2):
            child = Child(program)
            await self._spawn(child)
            self._children[program.name] = child
            self._changed()
            if await self._comes_up(child):
                return child
            explained = self._why(child)
            await self._end(child)
            if trial == 2 or explained is not None:
                break
        del self._children[program.name]
        raise Refusal(explained or f"{program.name} did not start{self._last_line(child)}.", f"Its log is {program.log}.")

    async def _keep(self, child: Child) -> None:
        """Wait for its death, start it again; sooner when it lived long, later when it dies at once again and again."""
        while True:
            code = await child.process.wait()
            lived = monotonic() - child.started
            child.serving = False
            child.quick_deaths = 0 if lived > _STEADY else child.quick_deaths + 1
            self._notice(child.program.name, self._obituary(child, code))
            await asyncio.sleep(min(_LONGEST_PAUSE, 0.25 * 2**child.quick_deaths) if child.quick_deaths > 1 else 0)
            while not await self._bring_back(child):
                pass

    async def _bring_back(self, child: Child) -> bool:
        """Start it again and tell how that went; False, after a pause, when there is no process at all."""
        try:
            await self._spawn(child)
        except Exception as error:  # noqa: BLE001  whatever it is (a full disk, no more processes), a dead keeper would not help
            known = refusal_of(error) if isinstance(error, OSError) else None
            self._notice(child.program.name, f"could not be started: {known.sentence if known else error}")
            await asyncio.sleep(_LONGEST_PAUSE)
            return False
        self._changed()
        if await self._comes_up(child):
            self._notice(child.program.name, _return_of(child))
        elif child.process.returncode is None:
            self._notice(child.program.name, "runs but does not answer; it is ended and started again")
            await self._end(child)
        return True

    async def _spawn(self, child: Child) -> None:
        program = child.program
        program.repair()
        program.log.parent.mkdir(parents=True, exist_ok=True)
        if program.log.exists() and program.log.stat().st_size > _LARGEST_LOG:
            program.log.replace(program.log.with_suffix(".log.1"))
        child.log_begins = program.log_size()
        with program.log.open("ab") as log:
            child.process = await asyncio.create_subprocess_exec(
                *program.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **program.environment},
                start_new_session=True,  # Ctrl-C in the terminal is for the supervisor, which stops them in order
                preexec_fn=before_exec(program, os.getpid()),
            )
        child.started = monotonic()

    async def _comes_up(self, child: Child) -> bool:
        """Ask until it serves, dies, or its time is over."""
        try:
            async with asyncio.timeout(child.program.ready_within):
                while child.process.returncode is None:
                    if child.program.ready is None or await child.program.ready():
                        child.serving = True
                        return True
                    await asyncio.sleep(0.05)
        except TimeoutError:
            pass
        return False

    async def _end(self, child: Child) -> None:
        process = child.process
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.send_signal(child.program.stop_signal)
            try:
                async with asyncio.timeout(child.program.grace):
                    await process.wait()
            except TimeoutError:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        child.serving = False

    def _why(self, child: Child) -> str | None:
        """What a person can do something about, when it is that."""
        said = child.program.last_words(since=child.log_begins)
        if child.process.returncode == REFUSED:  # a program of ours, with its sentence somewhere in its last words
            sentences = [line.removeprefix(SAYS) for line in said.splitlines() if line.startswith(SAYS)]
            return sentences[-1] if sentences else None
        return child.program.explain(said)

    def _obituary(self, child: Child, code: int) -> str:
        if -code in _KILLED:
            return f"was killed by signal {-code}"
        ended = f"ended with code {code}" if code >= 0 else f"ended by signal {-code}"
        why = self._why(child)
        return f"{ended}: {why} It is tried again." if why else f"{ended}{self._last_line(child)}"

    def _last_line(self, child: Child) -> str:
        """Of an unknown failure, the last thing said is most often the reason."""
        lines = child.program.last_words(since=child.log_begins).strip().splitlines()
        return f": {lines[-1].strip()[:200].rstrip('.')}" if lines else ""


def _return_of(child: Child) -> str:
    if child.program.ready is None:  # nobody asked whether it serves
        return "is started again"
    return f"is back after {monotonic() - child.started:.1f} s"
