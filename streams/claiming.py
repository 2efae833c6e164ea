"""Takes over a partition: where to begin, so that whoever had it can write no more, and whether its log is the one that was read.

Reading order: claim, check_log.
"""

from typing import Any

import psycopg
import structlog
from aiokafka import TopicPartition
from psycopg_pool import AsyncConnectionPool

from projections.positions import table as positions
from projections.positions.table import Assigned
from streams.record import Connection, Halt, Shorter

CLOCKS_APART_MS = 60_000  # how far the clocks of those who append may be apart
EVICTED = 30.0  # seconds after which who holds a partition that is ours is put out: it is frozen, or worse

log = structlog.get_logger()


async def claim(
    pool: AsyncConnectionPool[Connection], processor: str, tp: TopicPartition, topic_id: str, *, end: int, beginning: int, attempt: bool
) -> Assigned:
    """Where to begin in a log from `beginning` to `end`; an `attempt` counts as one. Raises Halt when the topic is another than before."""
    try:
        async with pool.connection() as connection:
            await positions.patience(connection, EVICTED)
            found = await positions.assigned(
                connection, processor, tp.partition, tp.topic, topic_id, end, attempt=attempt, beginning=beginning
            )
    except psycopg.errors.LockNotAvailable:
        async with pool.connection() as connection:
            if await positions.evict(connection, processor, tp.partition):
                log.warning("the owner before stood still, and was put out", processor=processor, partition=tp.partition)
        raise
    if isinstance(found, str):
        raise Halt(found)
    return found


async def check_log(
    pool: AsyncConnectionPool[Connection], consumer: Any, processor: str, tp: TopicPartition, state: Assigned, end: int
) -> None:
    """Raises Shorter unless the log, which ended at `end` before it was taken over, has what was read of it.

    Until it was taken over its owner may have read on: nobody moves the position now, so where the log ends is asked again. A log that was
    shorter may have grown by new records alone: the one that was read has what was handled last, at its time.
    """
    position, newest = state.next_offset, state.newest
    if position > end:
        end = (await consumer.end_offsets([tp]))[tp]
        if position > end:
            raise Shorter(
                f"The log of {tp.topic}-{tp.partition} ends at {end}, the database has seen {position}: the log is shorter than the"
                " database. Restore the topic."
            )
    if not state.shorter:
        return
    at = 0 if newest is None else round(newest.timestamp() * 1000)
    found = (await consumer.offsets_for_times({tp: at}))[tp]
    if newest is None or found is None or found.offset >= position or found.timestamp - at > CLOCKS_APART_MS:
        raise Shorter(
            f"The log of {tp.topic}-{tp.partition} was shorter than the database and has grown since: nobody has read what stands there"
            f" before {position} now. Restore the topic."
        )
    async with pool.connection() as connection:
        await positions.whole(connection, processor, tp.partition)
