"""`yekta learn`: what was learnt, and by which snapshot scores are given."""

import asyncio
import os
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from infra.settings import load


def learn(*, name: str = "churn", rollback: Annotated[int | None, Parameter(name="--rollback")] = None) -> None:
    """List the snapshots of a model; with --rollback N have scores given by snapshot N from now on.

    After a rollback another snapshot becomes champion again only when it is better on labels that neither had learnt.

    Example: `yekta learn --rollback 7`

    Parameters
    ----------
    name
        Which model.
    rollback
        The number of the snapshot to go back to.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from infra import judging

    settings, out = load(), Console(soft_wrap=True)
    if rollback is not None:
        asyncio.run(judging.roll_back(settings, name, rollback))
        out.print(f"Scores of {name} are given by snapshot {rollback} from now on.")
        return
    one, model = asyncio.run(judging.snapshots(settings, name))
    table = Table(title=f"{name} {one.definition.version}: {one.learnt:,} labels learnt, looking {one.definition.horizon} days ahead")
    for heading in ("snapshot", "written", "labels", "learnt through", "champion since", "checksum"):
        table.add_column(heading, justify="right" if heading in ("snapshot", "labels") else "left")
    for snapshot in model.snapshots:
        since = f"{snapshot.since:%Y-%m-%d %H:%M}" if snapshot.since else ""
        table.add_row(
            f"{'→ ' if snapshot.champion else ''}{snapshot.number}",
            f"{snapshot.created:%Y-%m-%d %H:%M}",
            f"{snapshot.labels:,}",
            str(snapshot.through or ""),
            since,
            snapshot.checksum[:12],
        )
    out.print(table)
    if model.refused:
        out.print(f"Snapshot {model.champion} is not loaded, so nobody is given a score: {model.refused}")
        out.print("`yekta learn --rollback N` has another one give them; where none is loaded, publish the definition again as it is.")
