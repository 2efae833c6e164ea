"""Carries out what is written in articles and scripts, and reads their versions. API and desk both do it here.

Reading order: record, restored, versions, script.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from aggregates.decision import Overtaken
from aggregates.knowledge import writing
from aggregates.knowledge.script import Script
from aggregates.knowledge.writing import ArticleWritten, NotPossible, ScriptWritten, Written
from api.ports import Dependencies
from api.problem import Problem, not_found
from projections.knowledge import table

Decide = Callable[[Sequence[Written], datetime], Written | None]
"""What is written, seen the versions so far; None: it stands so already."""


class Newest(NamedTuple):
    """The newest version after a command, and its number."""

    written: Written
    version: int


async def record(dependencies: Dependencies, kind: str, name: str, decide: Decide) -> Newest:
    """Write a version, found from then on. Raises a 409 problem when somebody else wrote one, or when there is none to restore."""
    before = await versions(dependencies, kind, name)
    try:
        written = decide(before, dependencies.clock())
        if written is None:
            return Newest(before[-1], len(before))
        version = len(before) + 1
        kept = (
            table.article_kept(UUID(name), version, written) if isinstance(written, ArticleWritten) else table.script_kept(version, written)
        )
        await dependencies.decisions.record([writing.decision(kind, name, version, written)], [kept])
    except (NotPossible, Overtaken) as error:
        raise Problem(409, "not_possible", str(error)) from error
    return Newest(written, version)


async def restored(dependencies: Dependencies, kind: str, name: str, version: int, by: str, seen: int | None = None) -> Newest:
    """Write an older version again. Raises a 404 problem when nothing was ever written under this name, a 409 problem as `record` does."""

    def decide(before: Sequence[Written], at: datetime) -> Written | None:
        if not before:
            raise not_found(f"There is no such {kind}.")
        return writing.restore(before, version, at, by, seen)

    return await record(dependencies, kind, name, decide)


async def versions(dependencies: Dependencies, kind: str, name: str) -> list[Written]:
    """All versions, the first first."""
    return writing.replay(await dependencies.decisions.load(writing.id_of(kind, name)))


async def script(dependencies: Dependencies, name: str, version: int | None) -> tuple[Script, int] | None:
    """A script in the version that was asked for, else the newest."""
    if version is None:
        async with dependencies.pool.connection() as connection:
            return await table.script(connection, name)
    before = await versions(dependencies, "script", name)
    written = before[version - 1] if 0 < version <= len(before) else None
    return (written.content, version) if isinstance(written, ScriptWritten) else None
