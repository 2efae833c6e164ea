"""`yekta status`: how everything is, in one table."""

import asyncio
import sys
from typing import Annotated

import msgspec
from cyclopts import Parameter
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from infra import status as statuses
from infra.settings import load

NOT_KNOWN = "not known"
REBUILD = "were folded by another release: run `yekta rebuild`, beside live traffic"


def status(*, json_: Annotated[bool, Parameter(name="--json")] = False) -> None:
    """Show engines, lag and rate of each processor, the age of what people see, and how much is kept.

    Ends with a non-zero exit code when something needs a person: an engine or a process is down, a partition stands still, a worker
    dies again and again at the same record.

    Example: `yekta status --json`

    Parameters
    ----------
    json_
        Print one JSON object.
    """
    seen = asyncio.run(statuses.status(load()))
    if json_:
        print(msgspec.json.encode(seen).decode())
    else:
        _show(seen)
    sys.exit(0 if seen.well else 1)


def _show(seen: statuses.Status) -> None:
    console = Console()
    table = Table("what", "how", show_header=False)
    for name, engine in (("Kafka", seen.kafka), ("PostgreSQL", seen.postgres)):
        why = f": {escape(engine.why)}" if engine.why else ""
        table.add_row(name, f"up at {engine.at}" if engine.up else f"[red]down[/red] at {engine.at}{why}")
    for name, runs in seen.processes.items():
        if name not in {"kafka", "postgres"}:
            table.add_row(name, "runs" if runs else "[red]does not run[/red]")
    table.add_row("customers", _number(seen.customers))
    table.add_row("events attributed", _number(seen.events))
    table.add_row("open dead letters", _number(seen.dead_letters))
    table.add_row("age of the view", "everything is visible" if seen.view_age_seconds == 0 else _seconds(seen.view_age_seconds))
    table.add_row("read models", f"{seen.read_models or NOT_KNOWN}{'; ' + REBUILD if seen.rebuild_wanted else ''}")
    console.print(table)
    hops = Table("processor", "lag", "records/s", "last progress", "stands still")
    for name, hop in seen.hops.items():
        hops.add_row(
            name,
            _number(hop.lag),
            f"{hop.rate:,.0f}",
            _seconds(hop.idle_seconds),
            Text("; ".join(hop.halted), "red") if hop.halted else "no",
        )
    console.print(hops)
    for name, hop in seen.hops.items():
        if hop.let_go and hop.let_go_at:
            console.print(
                f"[red]{hop.let_go:,} records of {statuses.HOPS[name]} were let go unread[/red]: nobody read them for as long as Kafka"
                f" keeps them; last noticed {hop.let_go_at.astimezone():%Y-%m-%d %H:%M}. Who sent them must send them again.",
                soft_wrap=True,
            )


def _number(number: int | None) -> str:
    return NOT_KNOWN if number is None else f"{number:,}"


def _seconds(seconds: float | None) -> str:
    return NOT_KNOWN if seconds is None else f"{seconds:,.1f} s ago"
