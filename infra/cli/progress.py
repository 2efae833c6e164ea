"""The one progress bar of commands that work through the log."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from infra import waiting


@contextmanager
def bar(what: str) -> Iterator[Callable[[waiting.Progress], None]]:
    """Shows how far it is, on stderr, and goes away at the end."""
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=None)

        def show(at: waiting.Progress) -> None:
            progress.update(task, completed=at.done, total=at.total)

        yield show
