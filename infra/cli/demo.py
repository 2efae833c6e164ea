"""`yekta demo`: everything of `yekta up`, with real orders and simulated channels loaded, and lines to try."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import uvloop
from cyclopts import Parameter, validators
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from infra import visiting
from infra.cli.api import listening
from infra.cli.up import notice, run_until_stopped, show
from infra.cli.up import waiting as starting
from infra.demo import cdnow, history, sources, try_it
from infra.errors import SAYS
from infra.everything import everything
from infra.run_state import RunState
from infra.running import AlreadyRunsError
from infra.settings import Settings
from infra.settings import load as load_settings

_said = Console(stderr=True, highlight=False)


def demo(
    *,
    load: Annotated[bool, Parameter(negative="--no-load")] = True,
    customers: Annotated[int, Parameter(validator=validators.Number(gte=1))] = cdnow.KNOWN.customers,
    port: int | None = None,
    workers: int | None = None,
) -> None:
    """Start everything here, load the demo's data the first time, and print what to try. Ctrl-C stops all.

    The data: every order of CDNOW's customers of 1997, and simulated calls, visits and reseller sales around them.

    Parameters
    ----------
    load
        Load the data; --no-load starts without.
    customers
        Load only the first so many customers, and those of the story.
    port
        Where the API listens, instead of YEKTA_API__PORT.
    workers
        How many worker processes, instead of YEKTA_WORKERS.
    """
    settings = load_settings(api=listening(None, port), **({} if workers is None else {"workers": workers}))
    wanted = min(customers, cdnow.KNOWN.customers) if load else 0
    try:
        run_until_stopped(_demo(settings, wanted))
    except AlreadyRunsError as already:
        uvloop.run(_in_what_runs(settings, already.state, wanted))


async def _demo(settings: Settings, customers: int) -> None:
    with starting() as start:
        async with everything(settings, notice=notice, progress=start.jars) as here:
            start.done()
            await _ready(settings, here.state, customers, "runs")
            await asyncio.Event().wait()


async def _in_what_runs(settings: Settings, state: RunState, customers: int) -> None:
    """Another process has the home up: load into it, print the same, and leave it alone."""
    if state.api_url is None:
        show(settings, state, "is being started by another process")
        return
    await _ready(settings, state, customers, "already runs")


async def _ready(settings: Settings, state: RunState, customers: int, what: str) -> None:
    """All that the demo shows is there; say so."""
    assert state.api_url is not None  # noqa: S101 - both callers have an API
    keys = await sources.keys(settings)
    if customers:
        await _load(settings, state.api_url, keys, customers)
    show(settings, state, what)
    _invite(state.api_url, keys, await visiting.address(settings, state.api_url, sources.BY))


async def _load(settings: Settings, url: str, keys: dict[str, str], customers: int) -> None:
    with _bars() as step:
        brought = await history.bring(settings, url, keys, customers, step, _say)
    if brought is not None:
        _said.print(
            f"Loaded and counted: {cdnow.said(brought.real)}, and {brought.simulated:,} simulated events around them.", soft_wrap=True
        )


def _say(sentence: str) -> None:
    """A line above the bars."""
    _said.print(f"{SAYS}{sentence}", markup=False, soft_wrap=True)


@contextmanager
def _bars() -> Iterator[history.OnStep]:
    """A bar for each step, as it comes up."""
    columns: tuple[Any, ...] = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate())
    with Progress(
        *columns, TextColumn("left:"), TimeRemainingColumn(), console=_said, transient=True, disable=not _said.is_terminal
    ) as bars:
        tasks: dict[str, TaskID] = {}

        def step(what: str, done: int, total: int | None) -> None:
            if what not in tasks:
                _still(bars)
                if not _said.is_terminal:
                    _said.print(f"{what} …")
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done, total=total)

        yield step


def _still(bars: Progress) -> None:
    """What came before is done."""
    for task in bars.tasks:
        bars.update(task.id, total=task.total or 1, completed=task.total or 1)


class _Rate(ProgressColumn):
    """How many events a second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f}/s" if task.speed else "", style="progress.data.speed")


def _invite(url: str, keys: dict[str, str], address: str) -> None:
    """The address that opens the desk, and lines to paste."""
    out = Console(soft_wrap=True, highlight=False)
    out.print(f"\n{visiting.line(address)}")
    for number, line in enumerate(try_it.lines(url, keys), 1):
        out.print(f"\n[dim]# {number}. {line.shows}[/]")
        out.print(line.command, markup=False)
    out.print()
