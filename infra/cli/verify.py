"""`yekta verify`: is what people see what the log says?"""

import json
import sys
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from infra.cli.ending import run
from infra.cli.progress import bar
from infra.cli.status import REBUILD
from infra.refolding import verify as verify_
from infra.settings import load


def verify(*, json_: Annotated[bool, Parameter(name="--json")] = False) -> None:
    """Fold the log again apart from the live tables and compare, customer by customer.

    Ends with a non-zero exit code and the customers that differ when live is not what the log says. The doors go on accepting;
    folding waits for the moment of the comparison.

    Example: `yekta verify --json`

    Parameters
    ----------
    json_
        Print one JSON object.
    """
    with bar("folding the log again") as show:
        verdict = run(verify_(load(), show))
    if json_:
        names = ("customers", "events", "touchpoints", "hash", "differing", "different", "how", "missing", "equal", "outdated")
        print(json.dumps({name: getattr(verdict, name) for name in names}))
    else:
        table = Table(show_header=False)
        table.add_row("customers", f"{verdict.customers:,}")
        table.add_row("events", f"{verdict.events:,}")
        table.add_row("records of touchpoints", f"{verdict.touchpoints:,}")
        table.add_row("hash over all customers", verdict.hash)
        differ = [line for customer, why in verdict.how.items() for line in (customer, *(f"  {sentence}" for sentence in why))]
        table.add_row("customers that differ", "\n".join((f"{verdict.differing:,}", *differ)))
        table.add_row("touchpoints not visible", f"{len(verdict.missing):,}" + "".join(f"\n{event}" for event in verdict.missing))
        if verdict.outdated:
            table.add_row("live read models", REBUILD)
        Console().print(table)
    sys.exit(0 if verdict.equal else 1)
