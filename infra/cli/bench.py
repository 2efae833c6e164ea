"""`yekta bench`: how fast is it here, and against what."""

import logging
import sys
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import msgspec
import structlog
from cyclopts import Parameter
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from infra.bench import ground, quix
from infra.bench.report import Report
from infra.bench.run import WANTS, OnStep, Plan, run
from infra.bench.table import footing, table
from infra.cli.up import run_until_stopped
from infra.errors import Refusal
from infra.settings import load

QUICK = Plan(
    rounds=3,
    events=10_000,
    sizes=(2_000, 20_000),
    stretch=4_000,
    seconds=2.0,
    reads=100,
    history=4_000,
    pending=100_000,
    examples=8_000,
    burst=10_000,
)
MILLION = 1_000_000


def bench(
    *,
    only: Annotated[list[str] | None, Parameter(consume_multiple=True)] = None,
    quick: bool = False,
    full: bool = False,
    events: int | None = None,
    rounds: int | None = None,
    existing_engines: bool = False,
    quix_python: Path = quix.INTERPRETER,
    json: bool = False,
) -> None:
    """Measure Yekta against the barest program that does the same, and print one table with ratios.

    Starts engines of its own in a throw-away folder. Takes about fifteen minutes; the machine should have nothing else to do.

    Example: `yekta bench --quick --only floor customer`

    Parameters
    ----------
    only
        Of floor, resolve, customer, rules, churn, timers, end-to-end, quix, door, visible, webhook, burst, desk, view, memory, growth,
        identity: only these, and what they need.
    quick
        Fewer rounds over fewer events: a first impression in two minutes.
    full
        The cost per event also with a million events in the store.
    events
        Events of one pass over a backlog.
    rounds
        How often each is measured; the table has the medians.
    existing_engines
        Use the engines that the settings name, or that run in the home, in databases and topics of its own, removed at the end.
    quix_python
        An interpreter that has quixstreams; infra/bench/quix.lock has the versions.
    json
        Print one JSON object.
    """
    plan = _plan(only, quick=quick, full=full, events=events, rounds=rounds, interpreter=quix_python)
    # What children do is in their logs; of our own clients only failures matter, and those are raised.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    settings = load()
    found: list[Report] = []
    with _steps() as on_step:
        ready = ground.existing(settings) if existing_engines else ground.own(settings)
        run_until_stopped(_run(ready, plan, on_step, found))
    if not found:
        sys.exit(130)
    report = found[0]
    if json:
        sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
        return
    console = Console(soft_wrap=not sys.stdout.isatty(), width=None if sys.stdout.isatty() else 200)
    console.print(table(report))
    console.print(footing(report), highlight=False)


async def _run(ready: AbstractAsyncContextManager[ground.Ground], plan: Plan, on_step: OnStep, found: list[Report]) -> None:
    on_step("starting Kafka and PostgreSQL")
    async with ready as here:
        found.append(await run(here, plan, on_step))


def _plan(only: list[str] | None, *, quick: bool, full: bool, events: int | None, rounds: int | None, interpreter: Path) -> Plan:
    plan = QUICK if quick else Plan()
    unknown = sorted(set(only or ()) - WANTS.keys())
    if unknown:
        raise Refusal(f"There is no measurement {unknown[0]}.", f"There are {', '.join(WANTS)}.")
    if min(events or 1, rounds or 1) < 1:
        raise Refusal("Less than one event or one round measures nothing.")
    return replace(
        plan,
        only=frozenset(only or WANTS),
        rounds=rounds or plan.rounds,
        events=events or plan.events,
        sizes=(*plan.sizes, MILLION) if full else plan.sizes,
        interpreter=interpreter,
    )


@contextmanager
def _steps() -> Iterator[OnStep]:
    """Shows on stderr what is being measured."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda what: console.print(what, soft_wrap=True)
        return
    with Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=console, transient=True) as progress:
        task = progress.add_task("", total=None)
        yield lambda what: progress.update(task, description=what)
