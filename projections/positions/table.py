"""The positions table. A position moves in the transaction of the effects it stands for, and only for the owner that knows where it stood.

Reading order: Assigned, assigned, evict, move, reached.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from psycopg.types.json import Jsonb

from projections.rows import Connection, Cursor

PAUSE = 0x50415553  # "PAUS"
"""The advisory lock that whoever must see both hops at rest holds; resolving waits for it, doors do not."""

CHANNEL = "yekta_changed"
"""One NOTIFY a batch: `processor partition`."""


@dataclass(frozen=True, slots=True)
class Assigned:
    """Where a partition stands when a worker gets it."""

    next_offset: int
    written: int  # everything before it is in PostgreSQL, though perhaps not published
    tenure: int  # who moves the position must be of this one
    deaths: int  # assignments at this very position without progress, this one included
    tries: int  # how often the record at this very position was tried alone, and never answered
    shorter: bool  # the log was once found to end before the position
    newest: datetime | None  # recorded time of the newest record handled
    let_go: int = 0  # records that were passed just now: the log let them go before anybody read them


async def assigned(
    connection: Connection, processor: str, partition: int, topic: str, topic_id: str, end: int, *, attempt: bool, beginning: int = 0
) -> Assigned | str:
    """Read where to begin; whoever had the partition until now can write no more. Waits for what he has under way.

    An `attempt` is counted unless the log, which ends at `end`, has nothing new. What is before the log's `beginning` is passed, and how
    much that was is counted. A sentence when the topic is not the one that the position was taken in.
    """
    await connection.execute(
        "INSERT INTO streams.positions (processor, partition, topic, topic_id, next_offset) VALUES (%s, %s, %s, %s, 0)"
        " ON CONFLICT DO NOTHING",
        (processor, partition, topic, topic_id),
    )
    cursor = await connection.execute(
        "UPDATE streams.positions SET deaths = CASE WHEN next_offset < %s THEN LEAST(deaths + %s, 1000) ELSE 0 END, halted = '',"
        " tenure = tenure + 1 WHERE processor = %s AND partition = %s"
        " RETURNING next_offset, written, tenure, deaths, CASE WHEN trying = next_offset THEN tries ELSE 0 END, shorter, newest, topic_id",
        (end, int(attempt), processor, partition),
    )
    row = await cursor.fetchone()
    assert row is not None  # noqa: S101 - inserted above
    *assignment, known = row
    if known != topic_id:
        return (
            f"Topic {topic} was made anew (id {topic_id}, the database knows {known}): what the database holds is not in this log."
            " Restore the topic, or rebuild into an empty database."
        )
    found = Assigned(*assignment)
    if found.next_offset >= beginning:
        return found
    await connection.execute(
        "UPDATE streams.positions SET next_offset = %(beginning)s, written = GREATEST(written, %(beginning)s), progress_at = now(),"
        " deaths = 0, tries = 0, let_go = let_go + %(beginning)s - next_offset, let_go_at = now()"
        " WHERE processor = %(processor)s AND partition = %(partition)s",
        {"beginning": beginning, "processor": processor, "partition": partition},
    )
    passed_by = beginning - found.next_offset
    return Assigned(beginning, max(found.written, beginning), found.tenure, 0, 0, found.shorter, found.newest, passed_by)


async def patience(connection: Connection, seconds: float) -> None:
    """From here on whatever this transaction waits for too long raises `psycopg.errors.LockNotAvailable`."""
    await connection.execute("SELECT set_config('lock_timeout', %s, true)", (f"{seconds * 1000:.0f}ms",))


async def evict(connection: Connection, processor: str, partition: int) -> int:
    """End the session that holds a partition in a transaction of its own; how many that were.

    For owners that stand still: in the middle of a COPY no time limit of PostgreSQL reaches them. Who merely was slow loses one batch,
    which was another's by now.
    """
    cursor = await connection.execute(
        "SELECT pg_terminate_backend(l.pid) FROM streams.positions p"
        " JOIN pg_locks l ON l.locktype = 'transactionid' AND l.granted AND l.transactionid = p.xmax"
        " WHERE p.processor = %s AND p.partition = %s AND l.pid <> pg_backend_pid()",
        (processor, partition),
    )
    return len(await cursor.fetchall())


async def move(
    connection: Connection,
    processor: str,
    partition: int,
    *,
    tenure: int,
    before: int,
    after: int,
    written: int,
    published: Mapping[int, int] | None = None,
    newest: datetime | None = None,
) -> Cursor:
    """Move the position from `before` to `after`; no row when the partition has another owner by now: then nothing may be written."""
    return await connection.execute(
        "WITH moved AS (UPDATE streams.positions SET next_offset = %(after)s, written = GREATEST(written, %(written)s),"
        " published = published || %(published)s, newest = COALESCE(%(newest)s, newest), progress_at = now(),"
        " deaths = CASE WHEN next_offset < %(after)s THEN 0 ELSE deaths END,"
        " tries = CASE WHEN next_offset < %(after)s THEN 0 ELSE tries END"
        " WHERE processor = %(processor)s AND partition = %(partition)s AND next_offset = %(before)s AND tenure = %(tenure)s RETURNING 1)"
        " SELECT pg_notify(%(channel)s, %(what)s) FROM moved",
        {
            "processor": processor,
            "partition": partition,
            "tenure": tenure,
            "before": before,
            "after": after,
            "written": written,
            "published": Jsonb(dict(published or {})),
            "newest": newest,
            "channel": CHANNEL,
            "what": f"{processor} {partition}",
        },
    )


async def going_on(connection: Connection) -> Cursor:
    """Ask whether nobody asks for rest; if so, who asks is held off until this transaction ends."""
    return await connection.execute("SELECT pg_try_advisory_xact_lock_shared(%s)", (PAUSE,))


async def may_go_on(connection: Connection) -> bool:
    """The same, answered."""
    return (await (await going_on(connection)).fetchone()) == (True,)


async def at_rest(connection: Connection) -> bool:
    """Whether, while `PAUSE` is held, nothing is on its way between the hops any more."""
    cursor = await connection.execute("SELECT bool_and(written = next_offset) FROM streams.positions WHERE processor = 'resolve'")
    row = await cursor.fetchone()
    return row is not None and row[0] is not False and await reached(connection, {})


async def try_alone(connection: Connection, processor: str, partition: int, offset: int) -> None:
    """Remember that this record is tried by itself, so that if it kills the process it is known for it."""
    await connection.execute(
        "UPDATE streams.positions SET tries = CASE WHEN trying = %(offset)s THEN tries ELSE 0 END + 1, trying = %(offset)s"
        " WHERE processor = %(processor)s AND partition = %(partition)s",
        {"offset": offset, "processor": processor, "partition": partition},
    )


async def alive(connection: Connection, processor: str, partition: int, tenure: int, *, tried: bool) -> None:
    """The owner gave the partition back without having died of it; nor, if `tried`, of the record that was tried alone."""
    await connection.execute(
        "UPDATE streams.positions SET deaths = GREATEST(deaths - 1, 0), tries = GREATEST(tries - %s, 0)"
        " WHERE processor = %s AND partition = %s AND tenure = %s",
        (int(tried), processor, partition, tenure),
    )


async def blame(connection: Connection, processor: str, partition: int, tenure: int, deaths: int) -> None:
    """The record that was tried alone made the process end: that counts for as many deaths besides."""
    await connection.execute(
        "UPDATE streams.positions SET tries = tries + %s WHERE processor = %s AND partition = %s AND tenure = %s",
        (deaths, processor, partition, tenure),
    )


async def halt(connection: Connection, processor: str, partition: int, why: str, *, shorter: bool) -> None:
    """Say why a partition stands still; `yekta status` shows it. That the log was `shorter` is remembered until it is `whole`."""
    await connection.execute(
        "UPDATE streams.positions SET halted = %s, shorter = shorter OR %s WHERE processor = %s AND partition = %s",
        (why, shorter, processor, partition),
    )


async def whole(connection: Connection, processor: str, partition: int) -> None:
    """The log that was shorter is the one again that the position was taken in."""
    await connection.execute("UPDATE streams.positions SET shorter = false WHERE processor = %s AND partition = %s", (processor, partition))


async def halted(connection: Connection, processor: str) -> str:
    """Why a partition of the processor stands still; empty when none does."""
    cursor = await connection.execute("SELECT halted FROM streams.positions WHERE processor = %s AND halted <> '' LIMIT 1", (processor,))
    row = await cursor.fetchone()
    return str(row[0]) if row else ""


async def deaths(connection: Connection) -> list[tuple[str, int, int, int]]:
    """Where owners died again and again and nobody got further: processor, partition, position, and how many died there."""
    cursor = await connection.execute(
        "SELECT processor, partition, next_offset, deaths - 1 FROM streams.positions WHERE deaths > 2 AND halted = '' ORDER BY 1, 2"
    )
    return [(processor, partition, offset, died) for processor, partition, offset, died in await cursor.fetchall()]


async def positions(connection: Connection, processor: str) -> dict[int, int]:
    """The next offset of every partition that the processor ever got."""
    cursor = await connection.execute("SELECT partition, next_offset FROM streams.positions WHERE processor = %s", (processor,))
    return dict(await cursor.fetchall())


async def passed(connection: Connection, processor: str, target: Mapping[int, int]) -> bool:
    """Whether the processor is past these offsets, by partition."""
    at = await positions(connection, processor)
    return all(at.get(partition, 0) >= end for partition, end in target.items())


async def reached(connection: Connection, position: Mapping[int, int]) -> bool:
    """Whether everything in `touchpoints` before `position` is in the views: both hops, the outbox and long moves included.

    Resolving has passed the position and what it published is acknowledged; folding has passed all that was published until then.
    An empty position asks for all that was resolved so far.
    """
    cursor = await connection.execute(  # one statement: between two, what one customer's partition sends to another's would be missed
        "SELECT processor, partition, next_offset, published,"
        " EXISTS (SELECT 1 FROM streams.outbox WHERE processor = 'customer') OR EXISTS (SELECT 1 FROM streams.chores)"
        " FROM streams.positions WHERE processor IN ('resolve', 'customer')",
    )
    rows = await cursor.fetchall()
    if any(on_its_way for *_, on_its_way in rows):
        return False
    resolved = {partition: (offset, published) for processor, partition, offset, published, _ in rows if processor == "resolve"}
    if any(resolved.get(partition, (0,))[0] < offset for partition, offset in position.items()):
        return False
    wanted: dict[int, int] = {}
    for partition, (_, published) in resolved.items():
        if partition in position or not position:
            for target, end in published.items():
                wanted[int(target)] = max(wanted.get(int(target), 0), end)
    folded = {partition: (offset, published) for processor, partition, offset, published, _ in rows if processor == "customer"}
    for _, published in folded.values():  # what one customer's partition sent to another's
        for target, end in published.items():
            wanted[int(target)] = max(wanted.get(int(target), 0), end)
    return all(folded.get(partition, (0,))[0] >= end for partition, end in wanted.items())
