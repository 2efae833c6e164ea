"""Shows commands' progress: one bar where they work through the log, or step after step where they do different things."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeElapsedColumn

from infra import waiting


@contextmanager
def bar(what: str) -> Iterator[Callable[[waiting.Progress], None]]:
    """Shows how far it is, on a terminal's stderr, and goes away at the end."""
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with _transient(*columns) as progress:
        task = progress.add_task("", total=None)

        def show(at: waiting.Progress) -> None:
            progress.update(task, completed=at.done, total=at.total)

        yield show


@contextmanager
def steps() -> Iterator[Callable[[str, int, int], None]]:
    """Shows what is done, and how far it is where that is known (a total that is not 0), on a terminal's
    stderr; goes away at the end."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[far]}"), TimeElapsedColumn())
    with _transient(*columns) as progress:

        def show(what: str, done: int, total: int) -> None:
            if not any(task.description == what and task.total == (total or None) for task in progress.tasks):
                for task in progress.tasks:
                    progress.remove_task(task.id)
                progress.add_task(what, total=total or None, far="")
            progress.update(progress.tasks[0].id, completed=done, far=f"{done:,}/{total:,}" if total else "")

        yield show


def _transient(*columns: ProgressColumn) -> Progress:
    said = Console(stderr=True)
    return Progress(*columns, console=said, transient=True, disable=not said.is_terminal)
