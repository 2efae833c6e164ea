"""`yekta demo`: everything of `yekta up`, with real orders and simulated channels loaded, and lines to try."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import platformdirs
import uvloop
from cyclopts import Parameter
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from infra import waiting
from infra.cli.api import listening
from infra.cli.up import notice, run_until_stopped, show
from infra.cli.up import waiting as starting
from infra.demo import cdnow, fetching, progress, sources, try_it
from infra.demo.feed import VERSION, Sent, feed
from infra.demo.simulated.person import CAST
from infra.endpoints import endpoints
from infra.errors import Refusal
from infra.everything import everything
from infra.home import Home
from infra.run_state import RunState
from infra.running import AlreadyRunsError
from infra.settings import Settings
from infra.settings import load as load_settings
from infra.topic_ids import topic_ids
from infra.topics import topic_names

_said = Console(stderr=True, highlight=False)


def demo(
    *,
    load: Annotated[bool, Parameter(negative="--no-load")] = True,
    customers: int = cdnow.KNOWN.customers,
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
    _invite(state.api_url, keys, await sources.visit(settings))


async def _load(settings: Settings, url: str, keys: dict[str, str], customers: int) -> None:
    """Send what this home does not have yet, wait until it is in the views, and count it."""
    file = Home(settings.home).folder / "demo.json"
    touchpoints = topic_names(settings.kafka.prefix).touchpoints
    ids = await topic_ids(endpoints(settings).kafka_client_kwargs, [touchpoints])
    wanted = progress.Progress(ids[touchpoints], customers, VERSION)
    kept = progress.read(file)
    if kept is not None and kept.covers(wanted):
        return
    from infra.demo import counts, loading

    with _bars() as bars:
        preparing = bars.add_task("Preparing the data", total=None)
        orders, events = await asyncio.to_thread(_prepared, _cache(settings), customers)
        bars.remove_task(preparing)
        sending = bars.add_task("Sending through the door", total=len(events))
        begin = kept.goes_on(wanted) if kept is not None else wanted
        done = await loading.load(url, keys, events, file, begin, lambda sent: bars.update(sending, completed=sent))
        await _caught_up(settings, bars)
    totals = cdnow.totals(orders)
    if customers == cdnow.KNOWN.customers and totals != cdnow.KNOWN:
        raise Refusal(f"The data is not CDNOW's: {counts.said(totals)}.")
    await counts.check(settings, totals)
    progress.write(file, progress.checked(done))
    simulated = sum(one.source != cdnow.SOURCE for one in events)
    _said.print(f"Loaded and counted: {counts.said(totals)}, and {simulated:,} simulated events around them.")


def _prepared(cache: Path, customers: int) -> tuple[list[cdnow.Order], list[Sent]]:
    orders = cdnow.of_some(cdnow.read(fetching.cdnow(cache)), customers, CAST)
    return orders, feed(orders)


def _cache(settings: Settings) -> Path:
    return (settings.cache or platformdirs.user_cache_path("yekta")) / "demo"


async def _caught_up(settings: Settings, bars: Progress) -> None:
    folding = bars.add_task("Catching up", total=None)
    await waiting.wait(settings, lambda at: bars.update(folding, completed=at.done, total=at.total))


@contextmanager
def _bars() -> Iterator[Progress]:
    columns: tuple[Any, ...] = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate())
    with Progress(*columns, TextColumn("left:"), TimeRemainingColumn(), console=_said, transient=True) as bars:
        yield bars


class _Rate(ProgressColumn):
    """How many events a second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f}/s" if task.speed else "", style="progress.data.speed")


def _invite(url: str, keys: dict[str, str], token: str) -> None:
    """The address that opens the desk, and lines to paste."""
    out = Console(soft_wrap=True, highlight=False)
    out.print(f"\nOpen the desk (once, within a day):  [bold]{url}/?token={token}[/]")
    for number, line in enumerate(try_it.lines(url, keys), 1):
        out.print(f"\n[dim]# {number}. {line.shows}[/]")
        out.print(line.command, markup=False)
    out.print()
