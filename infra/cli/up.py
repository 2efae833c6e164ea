"""`yekta up`: the engines, the API and the workers of one home, kept alive until Ctrl-C."""

import asyncio
import signal
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any

import uvloop
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from infra import visiting
from infra.cli.api import listening
from infra.cli.status import REBUILD
from infra.database import place
from infra.endpoints import endpoints
from infra.everything import everything
from infra.home import Home
from infra.run_state import RunState
from infra.running import AlreadyRunsError
from infra.settings import Settings, load
from infra.status import rebuild_wanted

_NOT_WORTH_SHOWING = 1.0  # seconds
_said = Console(stderr=True, highlight=False)


def up(*, port: int | None = None, workers: int | None = None) -> None:
    """Start everything here: the engines, the API and the workers. Ctrl-C stops all.

    Parameters
    ----------
    port
        Where the API listens, instead of YEKTA_API__PORT.
    workers
        How many worker processes, instead of YEKTA_WORKERS.
    """
    settings = load(api=listening(None, port), **({} if workers is None else {"workers": workers}))
    try:
        run_until_stopped(_up(settings))
    except AlreadyRunsError as already:
        show(settings, already.state, "already runs" if already.state.api_url else "is being started by another process")


async def _up(settings: Settings) -> None:
    with waiting() as progress:
        async with everything(settings, notice=notice, progress=progress.jars) as here:
            progress.done()
            show(settings, here.state, "runs")
            if await rebuild_wanted(endpoints(settings)):
                notice("read models", REBUILD)
            if settings.oidc.issuer is None and here.state.api_url is not None:
                await _invite(settings, here.state.api_url)
            await asyncio.Event().wait()


async def _invite(settings: Settings, url: str) -> None:
    """Nobody signs in through a provider here: who starts it gets in, and makes keys for the others."""
    out = Console(soft_wrap=True, highlight=False)
    out.print(f"\n{visiting.line(await visiting.address(settings, url, 'yekta up'))}")
    out.print("Keys for channel systems and for people: `yekta keys create --help`.")


def run_until_stopped(work: Coroutine[Any, Any, None]) -> None:
    """Run `work` on uvloop; Ctrl-C or SIGTERM cancels it once, and then lets it end what it started."""

    async def stoppable() -> None:
        loop = asyncio.get_running_loop()
        task = loop.create_task(work)

        def stop() -> None:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                loop.add_signal_handler(number, notice, "yekta", "is stopping already")
            notice("yekta", "stops everything it started")
            task.cancel()

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, stop)
        with suppress(asyncio.CancelledError):
            await task

    uvloop.run(stoppable())


def notice(name: str, what: str) -> None:
    """Tell what happened to a child process; where nobody can hear it (a log on a full disk) its keeper must live on all the same."""
    with suppress(OSError):
        _said.print(f"[dim]{datetime.now().astimezone():%H:%M:%S}[/] [bold]{escape(name)}[/] {escape(what)}", soft_wrap=True)


class Waiting:
    """What a person sees while the engines start."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._start = progress.add_task("Starting Kafka, PostgreSQL, the API and the workers", total=None)
        self._jars: TaskID | None = None

    def jars(self, done: int, of: int) -> None:
        """The jars take seconds once per user, and nothing ever after: only then are they shown."""
        if self._jars is None:
            if (self._progress.tasks[self._start].elapsed or 0) < _NOT_WORTH_SHOWING:
                return
            self._jars = self._progress.add_task("Fetching Kafka (once)", total=of)
        self._progress.update(self._jars, completed=done)

    def done(self) -> None:
        self._progress.stop()


@contextmanager
def waiting() -> Iterator[Waiting]:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=_said, transient=True, disable=not _said.is_terminal) as progress:
        yield Waiting(progress)


def show(settings: Settings, state: RunState, what: str) -> None:
    """A table of what runs where."""
    here = endpoints(settings)
    table = Table("what", "where", title=f"Yekta {what} in {settings.home}", title_justify="left", show_header=False)
    table.add_row("API and desk", state.api_url or "starting")
    table.add_row("Kafka", here.bootstrap_servers)
    table.add_row(
        "PostgreSQL",
        f"{place(here.dsn)} (DSN in {Home(settings.home).postgres_dsn})" if settings.embeds_postgres else place(here.dsn),
    )
    table.add_row("processes", ", ".join(f"{name} {process.pid}" for name, process in state.children.items()))
    table.add_row("logs", str(Home(settings.home).logs))
    Console(soft_wrap=True).print(table)
