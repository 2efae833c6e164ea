"""The SQL of articles and scripts. Reading order: Article, article_kept, search, suggest, script."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from psycopg import AsyncConnection

from aggregates.decision import Also
from aggregates.knowledge.script import Script, Step
from aggregates.knowledge.words import less, spoken, stems, words
from aggregates.knowledge.writing import ArticleWritten, ScriptWritten

Connection = AsyncConnection[tuple[Any, ...]]

WORDS = 50
"""So many words of a text are looked for."""

_steps = msgspec.json.Decoder(tuple[Step, ...])
FIELDS = (
    "a.id, a.title, a.body, a.category, (SELECT count(*) FROM service.resolved_by r WHERE r.article = a.id), a.version, a.by, a.changed"
)


class Article(NamedTuple):
    """The newest version of an article, and how much it helped."""

    id: UUID
    title: str
    body: str
    category: str
    resolved: int  # how many requests it resolved
    version: int
    by: str
    changed: datetime


class Standing(NamedTuple):
    """The newest version of a script."""

    script: Script
    version: int


def article_kept(id_: UUID, version: int, written: ArticleWritten) -> Also:
    """The statement that keeps this version as the newest, found by its words."""
    content = written.content
    statement = (
        "INSERT INTO service.articles (id, title, body, category, by, changed, version, words)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, setweight(array_to_tsvector(%s), 'A') || array_to_tsvector(%s))"
        " ON CONFLICT (id) DO UPDATE SET title = excluded.title, body = excluded.body, category = excluded.category,"
        " by = excluded.by, changed = excluded.changed, version = excluded.version, words = excluded.words, live = true"
    )
    said = (id_, content.title, content.body, content.category, written.by, written.at, version)
    return statement, (*said, _set(content.title), _set(f"{content.category} {content.body}"))


def script_kept(version: int, written: ScriptWritten) -> Also:
    """The statement that keeps this version as the newest."""
    script = written.content
    statement = (
        "INSERT INTO service.scripts (name, title, for_reason, for_offer, steps, by, changed, version)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"
        " ON CONFLICT (name) DO UPDATE SET title = excluded.title, for_reason = excluded.for_reason, for_offer = excluded.for_offer,"
        " steps = excluded.steps, by = excluded.by, changed = excluded.changed, version = excluded.version, live = true"
    )
    steps = msgspec.json.encode(script.steps).decode()
    return statement, (script.name, script.title, script.for_reason, script.for_offer, steps, written.by, written.at, version)


async def search(connection: Connection, text: str, limit: int) -> list[Article]:
    """Articles with all these words; the best first, of equals those that resolved most."""
    return await _found(connection, " & ", _spoken(text), [], limit)


async def suggest(connection: Connection, text: str, context: str, limit: int) -> list[Article]:
    """Articles with some of the words of a request, then those with words of what else is known of the customer."""
    return await _found(connection, " | ", _spoken(text), _spoken(context), limit)


async def _found(connection: Connection, joined: str, asked: list[str], besides: list[str], limit: int) -> list[Article]:
    if not asked and not besides:
        return []
    cursor = await connection.execute(
        f"SELECT {FIELDS} FROM service.articles a,"
        " (SELECT %(asked)s::tsquery AS wanted) q, (SELECT %(besides)s::tsquery AS context) c"
        " WHERE a.live AND (a.words @@ q.wanted OR a.words @@ c.context)"
        " ORDER BY coalesce(ts_rank(a.words, q.wanted), 0) DESC,"
        " coalesce(ts_rank(a.words, c.context), 0) DESC, 5 DESC, a.title LIMIT %(limit)s",
        {"asked": joined.join(map(_any, asked)) or None, "besides": " | ".join(map(_any, besides)) or None, "limit": limit},
    )
    return [Article(*row) for row in await cursor.fetchall()]


async def newest(connection: Connection, limit: int) -> list[Article]:
    """Articles, those changed last first."""
    cursor = await connection.execute(
        f"SELECT {FIELDS} FROM service.articles a WHERE a.live ORDER BY a.changed DESC, a.id LIMIT %s",
        (limit,),
    )
    return [Article(*row) for row in await cursor.fetchall()]


async def article(connection: Connection, id_: UUID) -> Article | None:
    """One article."""
    cursor = await connection.execute(f"SELECT {FIELDS} FROM service.articles a WHERE a.id = %s AND a.live", (id_,))
    row = await cursor.fetchone()
    return Article(*row) if row else None


async def known(connection: Connection, id_: UUID) -> bool:
    """Whether there is, or was, an article of this id."""
    cursor = await connection.execute("SELECT EXISTS (SELECT 1 FROM service.articles WHERE id = %s)", (id_,))
    return await cursor.fetchone() == (True,)


async def script(connection: Connection, name: str) -> Standing | None:
    """One script."""
    found = await _scripts(connection, "AND name = %s", (name,))
    return found[0] if found else None


async def scripts(connection: Connection, *, reason: str | None = None, offer: str | None = None) -> list[Standing]:
    """Scripts, of all or for a reason of calls or an offer."""
    if reason is not None:
        return await _scripts(connection, "AND for_reason = %s", (reason,))
    if offer is not None:
        return await _scripts(connection, "AND for_offer = %s", (offer,))
    return await _scripts(connection, "", ())


async def _scripts(connection: Connection, condition: str, values: Sequence[Any]) -> list[Standing]:
    cursor = await connection.execute(
        "SELECT name, title, steps::text, for_reason, for_offer, version FROM service.scripts"
        f" WHERE live {condition} ORDER BY title, name LIMIT 200",
        tuple(values),
    )
    return [
        Standing(Script(name, title, _steps.decode(steps), reason, offer), version)
        for name, title, steps, reason, offer, version in await cursor.fetchall()
    ]


def _spoken(text: str) -> list[str]:
    return sorted(set(spoken(text)))[:WORDS]


def _any(word: str) -> str:
    """A word for a tsquery: without all its endings, or as articles have it that were written while only one was taken off."""
    return "(" + " | ".join(f"'{form}'" for form in dict.fromkeys((*stems(word), less(word), word))) + ")"


def _set(text: str) -> list[str]:
    return sorted(set(words(text)))
