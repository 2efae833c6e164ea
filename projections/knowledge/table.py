"""The SQL of articles and scripts. Reading order: Article, write, search, script."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from psycopg import AsyncConnection

from aggregates.knowledge.script import Script, Step
from aggregates.knowledge.words import words

Connection = AsyncConnection[tuple[Any, ...]]

_steps = msgspec.json.Decoder(tuple[Step, ...])
COUNTED = "(SELECT count(*) FROM service.resolved_by r WHERE r.article = a.id)"


class Article(NamedTuple):
    """What somebody wrote down so that others need not find it out again."""

    id: UUID
    title: str
    body: str
    category: str
    resolved: int  # how many requests it resolved


async def write(connection: Connection, article: Article, by: str) -> None:
    """Keep an article; one of the same id is replaced."""
    await connection.execute(
        "INSERT INTO service.articles (id, title, body, category, by, words)"
        " VALUES (%s, %s, %s, %s, %s, setweight(array_to_tsvector(%s), 'A') || array_to_tsvector(%s))"
        " ON CONFLICT (id) DO UPDATE SET title = excluded.title, body = excluded.body, category = excluded.category,"
        " by = excluded.by, words = excluded.words, live = true, changed = now()",
        (article.id, article.title, article.body, article.category, by, _set(article.title), _set(f"{article.category} {article.body}")),
    )


async def search(connection: Connection, text: str, limit: int, *, some: bool = False) -> list[Article]:
    """Articles with all these words, or with `some` of them; the best first, of equals those that resolved most."""
    asked = _set(text)[:50]
    if not asked:
        return []
    cursor = await connection.execute(
        f"SELECT a.id, a.title, a.body, a.category, {COUNTED} FROM service.articles a,"
        " (SELECT string_agg(quote_literal(word), %s)::tsquery AS wanted FROM unnest(%s::text[]) word) q"
        " WHERE a.live AND a.words @@ q.wanted ORDER BY ts_rank(a.words, q.wanted) DESC, 5 DESC, a.title LIMIT %s",
        (" | " if some else " & ", asked, limit),
    )
    return [Article(*row) for row in await cursor.fetchall()]


async def newest(connection: Connection, limit: int) -> list[Article]:
    """Articles, those changed last first."""
    cursor = await connection.execute(
        f"SELECT a.id, a.title, a.body, a.category, {COUNTED} FROM service.articles a WHERE a.live ORDER BY a.changed DESC, a.id LIMIT %s",
        (limit,),
    )
    return [Article(*row) for row in await cursor.fetchall()]


async def article(connection: Connection, id_: UUID) -> Article | None:
    """One article."""
    cursor = await connection.execute(
        f"SELECT a.id, a.title, a.body, a.category, {COUNTED} FROM service.articles a WHERE a.id = %s AND a.live", (id_,)
    )
    row = await cursor.fetchone()
    return Article(*row) if row else None


async def put_script(connection: Connection, script: Script, by: str) -> None:
    """Keep a script; one of the same name is replaced."""
    await connection.execute(
        "INSERT INTO service.scripts (name, title, for_reason, for_offer, steps, by) VALUES (%s, %s, %s, %s, %s, %s)"
        " ON CONFLICT (name) DO UPDATE SET title = excluded.title, for_reason = excluded.for_reason, for_offer = excluded.for_offer,"
        " steps = excluded.steps, by = excluded.by, live = true, changed = now()",
        (script.name, script.title, script.for_reason, script.for_offer, msgspec.json.encode(script.steps).decode(), by),
    )


async def script(connection: Connection, name: str) -> Script | None:
    """One script."""
    found = await _scripts(connection, "AND name = %s", (name,))
    return found[0] if found else None


async def scripts(connection: Connection, *, reason: str | None = None, offer: str | None = None) -> list[Script]:
    """Scripts, of all or for a reason of calls or an offer."""
    if reason is not None:
        return await _scripts(connection, "AND for_reason = %s", (reason,))
    if offer is not None:
        return await _scripts(connection, "AND for_offer = %s", (offer,))
    return await _scripts(connection, "", ())


async def _scripts(connection: Connection, condition: str, values: Sequence[Any]) -> list[Script]:
    cursor = await connection.execute(
        "SELECT name, title, steps::text, for_reason, for_offer FROM service.scripts"
        f" WHERE live {condition} ORDER BY title, name LIMIT 200",
        tuple(values),
    )
    return [Script(name, title, _steps.decode(steps), reason, offer) for name, title, steps, reason, offer in await cursor.fetchall()]


def _set(text: str) -> list[str]:
    return sorted(set(words(text)))
