"""The SQL of calls in progress. Stages only go forward, whatever order the log has them in.

A call that went on and of which nothing was heard for too long is `lost`: its end was never told. When it was heard of counts, not what
the clock of a call center says. Reading order: Call, put, going_on, load.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from psycopg import AsyncConnection

from projections.view.matters import LONGEST_CALL

Connection = AsyncConnection[tuple[Any, ...]]

RANKS = {"ringing": 1, "answered": 2, "abandoned": 3, "ended": 4, "wrapped_up": 5}

NEWS = timedelta(seconds=15)
"""What changed longer ago is no news to a page that listens."""


class Call(NamedTuple):
    """A call as it stands, and the sealed event that has its number."""

    key: str
    call_id: str
    stage: str
    direction: str
    queue: str
    extension: str
    agent: str
    who: Sequence[str]
    rang_at: datetime | None
    at: datetime
    record: bytes


COLUMNS = "key, call_id, stage, direction, queue, extension, agent, who, rang_at, at, record"


async def put(connection: Connection, calls: Sequence[Call]) -> None:
    """Write what is known of calls, each event of a call after those before it; what an event does not say stays."""
    waiting = list(calls)
    while waiting:
        first = {(call.key, call.call_id): call for call in reversed(waiting)}
        await _put(connection, list(first.values()))
        waiting = [call for call in waiting if first[call.key, call.call_id] is not call]


async def _put(connection: Connection, calls: Sequence[Call]) -> None:
    """One event of each of these calls."""
    rows = sorted((*call[:7], " ".join(call.who), *call[8:], RANKS[call.stage]) for call in calls)
    await connection.execute(
        f"INSERT INTO service.calls AS known ({COLUMNS}, rank, changed)"
        " SELECT key, call_id, stage, direction, queue, extension, agent, string_to_array(who, ' '), rang_at, at, record, rank,"
        " clock_timestamp() FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[],"
        " %s::timestamptz[], %s::timestamptz[], %s::bytea[], %s::int[])"
        " AS n(key, call_id, stage, direction, queue, extension, agent, who, rang_at, at, record, rank)"
        " ON CONFLICT (key, call_id) DO UPDATE SET"
        " stage = CASE WHEN excluded.rank > known.rank THEN excluded.stage ELSE known.stage END,"
        " at = CASE WHEN excluded.rank > known.rank THEN excluded.at ELSE known.at END,"
        " rank = GREATEST(known.rank, excluded.rank),"
        " direction = COALESCE(NULLIF(excluded.direction, ''), known.direction),"
        " queue = COALESCE(NULLIF(excluded.queue, ''), known.queue),"
        " extension = COALESCE(NULLIF(excluded.extension, ''), known.extension),"
        " agent = COALESCE(NULLIF(excluded.agent, ''), known.agent),"
        " rang_at = COALESCE(excluded.rang_at, known.rang_at),"
        " who = CASE WHEN excluded.stage = 'ringing' OR known.who = '{}' THEN excluded.who ELSE known.who END,"
        " record = CASE WHEN excluded.stage = 'ringing' OR known.who = '{}' THEN excluded.record ELSE known.record END,"
        " changed = clock_timestamp()",
        [list(column) for column in zip(*rows, strict=True)],
    )


async def wrapped_up(connection: Connection, calls: Collection[tuple[str, datetime]]) -> None:
    """The desk says that these calls are done with, whichever system they came through."""
    if not calls:
        return
    done = sorted(dict(reversed(list(calls))).items())  # of what is said twice the first counts
    await connection.execute(
        "UPDATE service.calls SET stage = 'wrapped_up', rank = 5, at = d.at, changed = clock_timestamp()"
        " FROM unnest(%s::text[], %s::timestamptz[]) AS d(call_id, at) WHERE service.calls.call_id = d.call_id AND rank < 5",
        ([call_id for call_id, _ in done], [at for _, at in done]),
    )


async def news(connection: Connection, extensions: Collection[str]) -> list[Call]:
    """Calls at these extensions of which something changed a moment ago, the latest last."""
    cursor = await connection.execute(
        f"SELECT {COLUMNS} FROM service.calls WHERE extension = ANY(%s) AND changed > clock_timestamp() - %s ORDER BY changed",
        (list(extensions), NEWS),
    )
    return [Call(*row) for row in await cursor.fetchall()]


async def going_on(connection: Connection, extension: str | None, now: datetime, limit: int) -> list[Call]:
    """Calls that ring or are talked at an extension, or at any, the latest first."""
    values: list[Any] = [RANKS["abandoned"], now - LONGEST_CALL]
    at = ""
    if extension is not None:
        at = " AND extension = %s"
        values.append(extension)
    cursor = await connection.execute(
        f"SELECT {COLUMNS} FROM service.calls WHERE rank < %s AND changed >= %s{at} ORDER BY changed DESC LIMIT %s", (*values, limit)
    )
    return [Call(*row) for row in await cursor.fetchall()]


async def load(connection: Connection, call_id: str, now: datetime) -> Call | None:
    """The call of this id as it stands now; of several systems' the latest."""
    cursor = await connection.execute(
        f"SELECT {COLUMNS}, rank < %s AND changed < %s FROM service.calls WHERE call_id = %s ORDER BY changed DESC LIMIT 1",
        (RANKS["abandoned"], now - LONGEST_CALL, call_id),
    )
    row = await cursor.fetchone()
    if row is None:
        return None
    call = Call(*row[:-1])
    return call._replace(stage="lost") if row[-1] else call


async def extension_of(connection: Connection, agent: str) -> str:
    """At which extension an agent sits; empty: nobody said."""
    row = await (await connection.execute("SELECT extension FROM service.extensions WHERE agent = %s", (agent,))).fetchone()
    return str(row[0]) if row else ""


async def sit(connection: Connection, agent: str, extension: str) -> None:
    """The agent sits at this extension from now on; whoever sat there sits nowhere. An empty one: nowhere."""
    async with connection.transaction():
        await connection.execute("DELETE FROM service.extensions WHERE agent = %s OR extension = %s", (agent, extension))
        if extension:
            await connection.execute("INSERT INTO service.extensions (agent, extension) VALUES (%s, %s)", (agent, extension))
    await connection.execute("NOTIFY yekta_changed, 'extensions'")
