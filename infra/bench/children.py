"""The programs that are measured, each in a process of its own: started, watched while something is waited for, and ended.

They speak by lines: a program says when it is ready on stdout, and begins when it is told on stdin. Reading order: Child, child, until.
"""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from infra.engines.program import Program, before_exec
from infra.errors import Refusal

READY_WITHIN = 60.0
DONE_WITHIN = 900.0
LOOK = 0.05


@dataclass(frozen=True, slots=True)
class Child:
    """A running program."""

    name: str
    process: asyncio.subprocess.Process
    log: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    def check(self) -> None:
        """Raise Refusal when it ended: what it was to show will not come."""
        if self.process.returncode is not None:
            raise Refusal(f"The program {self.name} ended with code {self.process.returncode} while it was measured: {self._last_words()}")

    async def says(self, word: str, within: float = READY_WITHIN) -> None:
        """Wait until it says this word."""
        assert self.process.stdout is not None  # noqa: S101 - `child` made it a pipe
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                async for line in self.process.stdout:
                    if line.decode(errors="replace").strip() == word:
                        return
                await self.process.wait()
        self.check()
        raise Refusal(f"The program {self.name} did not say '{word}' within {within:.0f} s.")

    def _last_words(self) -> str:
        """The exception that it ended with, or the last line of its log."""
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return next((line for line in reversed(lines) if re.match(r"[\w.]+: ", line)), lines[-1] if lines else "it said nothing")

    def tell(self, word: str) -> None:
        """Say a word to it."""
        assert self.process.stdin is not None  # noqa: S101 - `child` made it a pipe
        self.process.stdin.write(f"{word}\n".encode())


@asynccontextmanager
async def child(
    name: str, *arguments: str, environment: Mapping[str, str], logs: Path, python: str = sys.executable
) -> AsyncIterator[Child]:
    """Run `python -P arguments`; it is ended for certain at the end, and by the kernel should this process be killed."""
    path = logs / f"{name}.log"
    program = Program(name=name, command=(python, "-P", *arguments), log=path)
    # Only what is measured decides: settings of the shell would change what children do.
    inherited = {variable: value for variable, value in os.environ.items() if not variable.startswith("YEKTA_")}
    with path.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *program.command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            env={**inherited, "PYTHONUNBUFFERED": "1", **environment},
            start_new_session=True,
            preexec_fn=before_exec(program, os.getpid()),
        )
    try:
        yield Child(name, process, path)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def until(
    what: str, condition: Callable[[], Awaitable[bool]], children: Iterable[Child], *, within: float = DONE_WITHIN, look: float = LOOK
) -> None:
    """Wait for a condition while the children live. Raises Refusal when one ends, or when it does not come."""
    watched = list(children)
    try:
        async with asyncio.timeout(within):
            while not await condition():
                for one in watched:
                    one.check()
                await asyncio.sleep(look)
    except TimeoutError:
        raise Refusal(f"Waited {within:.0f} s in vain until {what}.") from None
