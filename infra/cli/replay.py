"""`yekta replay --with-model N`: what another model would have said, without side effects."""

import asyncio
import json
import os
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from infra.settings import load


def replay(
    *, with_model: int, name: str = "churn", customer: UUID | None = None, json_: Annotated[bool, Parameter(name="--json")] = False
) -> None:
    """Say what a snapshot would have said of everything that is remembered, beside what was said. Nothing is written or published.

    Example: `yekta replay --with-model 7`

    Parameters
    ----------
    with_model
        The snapshot's number; `yekta learn` lists them.
    name
        Which model.
    customer
        Of one customer only.
    json_
        Print one JSON object.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from infra import judging

    found = asyncio.run(judging.replay(load(), name, with_model, customer))
    if json_:
        by = {title: dict(judged._asdict()) for title, judged in found.by.items()}
        changed = [{"customer": str(whose), "day": _day(day), "given": was, "with_model": now} for whose, day, was, now in found.changed]
        plain = {"model": found.model, "examples": found.examples, "labelled": found.labelled, "moved": found.moved}
        print(json.dumps(plain | {"metrics": by, "changed": changed}))
        return
    out = Console(soft_wrap=True)
    table = Table(title=f"{found.labelled:,} labelled of {found.examples:,} remembered; {found.moved:,} would be off by 0.1")
    for heading in ("", "AUC", "log-loss", "calibration error"):
        table.add_column(heading, justify="left" if not heading else "right")
    for title, judged in found.by.items():
        table.add_row(title, *["–" if one is None else f"{one:.4f}" for one in judged])
    out.print(table)
    changes = Table(title="Where they differ most")
    for heading in ("customer", "day", "as given", f"snapshot {found.model}"):
        changes.add_column(heading)
    for whose, day, was, now in found.changed:
        changes.add_row(str(whose), _day(day), f"{was:.3f}", f"{now:.3f}")
    out.print(changes)


def _day(day: int) -> str:
    return f"{datetime.fromtimestamp(day * 86_400, UTC):%Y-%m-%d}"
