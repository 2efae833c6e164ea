"""Articles and scripts as decisions: each writing makes a version, and none is lost. An older one comes back by being written again.

Whatever is read of them elsewhere is the newest version. Reading order: Article, ArticleWritten, ScriptWritten, write, restore, differs.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from aggregates.decision import Decision
from aggregates.knowledge.script import Script
from aggregates.touchpoint import derive


class Article(msgspec.Struct, frozen=True):
    """What somebody wrote down so that others need not find it out again."""

    title: str
    body: str
    category: str = ""


class ArticleWritten(msgspec.Struct, frozen=True, tag="article.written"):
    """The article says this from now on."""

    content: Article
    at: datetime
    by: str
    restored: int = 0  # the version that it says again


class ScriptWritten(msgspec.Struct, frozen=True, tag="script.written"):
    """The script leads like this from now on; who is in the middle of it goes on with the version that he began."""

    content: Script
    at: datetime
    by: str
    restored: int = 0


Content = Article | Script
Written = ArticleWritten | ScriptWritten


class NotPossible(Exception):
    """Somebody else wrote a version since, or there is no such version."""


def id_of(kind: str, name: str) -> UUID:
    """The id of the decisions about an article (by its id) or a script (by its name)."""
    return derive(kind, name)


def write(before: Sequence[Written], content: Content, at: datetime, by: str, seen: int | None = None) -> Written | None:
    """Write a version; nothing is said again when it stands so already. `seen` is the version that the writer looked at."""
    _as_seen(before, seen)
    return None if before and before[-1].content == content else _written(content, at, by)


def restore(before: Sequence[Written], version: int, at: datetime, by: str, seen: int | None = None) -> Written | None:
    """Write an older version again, as a new one: what was said in between stays known."""
    _as_seen(before, seen)
    if not 0 < version <= len(before):
        raise NotPossible(f"There is no version {version}.")
    content = before[version - 1].content
    return None if before[-1].content == content else _written(content, at, by, version)


def decision(kind: str, name: str, version: int, event: Written) -> Decision:
    """The event as its store keeps it."""
    return Decision(id_of(kind, name), version, str(event.__struct_config__.tag), msgspec.json.encode(event))


def replay(decisions: Iterable[Decision]) -> list[Written]:
    """All versions, the first first: the number of each is its place."""
    return [_decoder.decode(decision.state) for decision in decisions]


def _written(content: Content, at: datetime, by: str, restored: int = 0) -> Written:
    return ArticleWritten(content, at, by, restored) if isinstance(content, Article) else ScriptWritten(content, at, by, restored)


def _as_seen(before: Sequence[Written], seen: int | None) -> None:
    if seen is not None and seen != len(before):
        raise NotPossible(f"Somebody wrote version {len(before)} since you looked at version {seen}: read it first.")


_decoder: msgspec.json.Decoder[Written] = msgspec.json.Decoder(Written)
