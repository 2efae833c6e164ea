"""The counts of what came from each source (infra/migrations/0700_sources.sql).

Reading order: Arrived, count, Seen, seen, pace, refusals.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from psycopg import AsyncConnection

Connection = AsyncConnection[tuple[Any, ...]]

SLOT = 10
"""Seconds that are counted together."""

KEPT = timedelta(hours=1)
MINUTE = timedelta(seconds=60)


class Arrived(NamedTuple):
    """One event that the log has."""

    source: str
    type: str
    at: datetime  # when it was received


def slot(at: datetime) -> datetime:
    """The ten seconds that a moment is in."""
    return at.replace(second=at.second - at.second % SLOT, microsecond=0)


async def count(connection: Connection, partition: int, arrived: Sequence[Arrived]) -> None:
    """Count the events of a batch. It is written with the batch's position, so that none counts twice."""
    if not arrived:
        return
    types: dict[tuple[str, str], tuple[int, datetime, datetime]] = {}
    slots: Counter[tuple[str, datetime]] = Counter()
    for source, type_, at in arrived:
        events, first, last = types.get((source, type_), (0, at, at))
        types[source, type_] = (events + 1, min(first, at), max(last, at))
        slots[source, slot(at)] += 1
    seen_rows = [(source, type_, *values) for (source, type_), values in sorted(types.items())]
    pace_rows = [(source, at, events) for (source, at), events in sorted(slots.items())]
    await connection.execute(
        "INSERT INTO sources.seen (source, type, partition, events, first, last)"
        " SELECT s, t, %s, e, f, l"
        " FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::timestamptz[], %s::timestamptz[]) n (s, t, e, f, l)"
        " ON CONFLICT (source, type, partition) DO UPDATE SET events = seen.events + excluded.events,"
        " first = least(seen.first, excluded.first), last = greatest(seen.last, excluded.last)",
        (partition, *(list(column) for column in zip(*seen_rows, strict=True))),
    )
    await connection.execute(
        "INSERT INTO sources.pace (source, slot, partition, events)"
        " SELECT s, a, %s, e FROM unnest(%s::text[], %s::timestamptz[], %s::bigint[]) n (s, a, e)"
        " ON CONFLICT (source, slot, partition) DO UPDATE SET events = pace.events + excluded.events",
        (partition, *(list(column) for column in zip(*pace_rows, strict=True))),
    )
    newest = max(at for _, _, at in arrived)
    await connection.execute("DELETE FROM sources.pace WHERE partition = %s AND slot < %s", (partition, newest - KEPT))


class Seen(NamedTuple):
    """A type that a source sent."""

    source: str
    type: str
    events: int
    first: datetime
    last: datetime


async def seen(connection: Connection, sources: Iterable[str]) -> list[Seen]:
    """What these sources sent, the latest type first."""
    cursor = await connection.execute(
        "SELECT source, type, sum(events)::bigint, min(first), max(last) FROM sources.seen WHERE source = ANY(%s)"
        " GROUP BY source, type ORDER BY max(last) DESC, type",
        (list(sources),),
    )
    return [Seen(*row) for row in await cursor.fetchall()]


async def names(connection: Connection) -> set[str]:
    """Every source that anything came from."""
    cursor = await connection.execute("SELECT DISTINCT source FROM sources.seen UNION SELECT DISTINCT source FROM letters.letters")
    return {row[0] for row in await cursor.fetchall()}


async def pace(connection: Connection, sources: Iterable[str], now: datetime) -> dict[str, float]:
    """Events a second of the last minute, by source."""
    cursor = await connection.execute(
        "SELECT source, sum(events)::float8 FROM sources.pace WHERE source = ANY(%s) AND slot > %s GROUP BY source",
        (list(sources), now - MINUTE),
    )
    return {source: events / MINUTE.total_seconds() for source, events in await cursor.fetchall()}


class Refusals(NamedTuple):
    """So many events of a source were refused for one reason at one place."""

    source: str
    reason: str
    pointer: str
    letters: int
    open: int
    last: datetime


async def refusals(connection: Connection, sources: Iterable[str]) -> list[Refusals]:
    """What was refused of these sources, by reason and place, the most frequent first."""
    cursor = await connection.execute(
        "SELECT source, reason, regexp_replace(pointer, '/[0-9]+(?=/|$)', '/*', 'g') AS spot, count(*),"
        " count(*) FILTER (WHERE status = 'open'), max(recorded)"
        " FROM letters.letters WHERE source = ANY(%s) GROUP BY source, reason, spot ORDER BY count(*) DESC, reason, spot",
        (list(sources),),
    )
    return [Refusals(*row) for row in await cursor.fetchall()]
