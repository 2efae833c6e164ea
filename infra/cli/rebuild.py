"""`yekta rebuild`: new read models from the log, beside live traffic."""

from rich.console import Console

from infra.cli.ending import run
from infra.cli.progress import bar
from infra.refolding import rebuild as rebuild_
from infra.settings import load


def rebuild() -> None:
    """Fold the log into new read models beside live traffic, then switch to them in one transaction.

    The former ones are kept until the next rebuild. Nothing is published or fired.

    Example: `yekta rebuild && yekta verify`
    """
    with bar("folding the log again") as show:
        number = run(rebuild_(load(), show))
    Console().print(f"Read models number {number} are in force.")
