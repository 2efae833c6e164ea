"""After a rule, a segment or a quantile was published: goes through the customers that were there before, a piece a transaction.

Those who wait for something (a cancelled order, and no new one yet) get their timers, those of whom a segment speaks come in, though
nothing more is heard of them. Reading order: begin, piece, behind.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from streams.record import Connection

PIECE = 100


class Survey(NamedTuple):
    """How far one has come."""

    kind: str
    name: str
    version: int
    after: UUID
    replayed: datetime | None = None  # the now of sources that replay their time, when it began; None: there were none


async def begin(connection: Connection, partition: int, kind: str, name: str, version: int) -> None:
    """Everybody in the partition is to be looked at; of older versions nobody any more."""
    await connection.execute("DELETE FROM streams.surveys WHERE partition = %s AND kind = %s AND name = %s", (partition, kind, name))
    await connection.execute(
        "INSERT INTO streams.surveys (partition, kind, name, version, replayed)"
        " VALUES (%s, %s, %s, %s, (SELECT now FROM streams.clocks WHERE partition = %s))",
        (partition, kind, name, version, partition),
    )


async def under_way(connection: Connection, partition: int, kind: str) -> list[Survey]:
    """What is still to be done."""
    cursor = await connection.execute(
        "SELECT kind, name, version, after, replayed FROM streams.surveys WHERE partition = %s AND kind = %s ORDER BY name, version",
        (partition, kind),
    )
    return [Survey(*row) for row in await cursor.fetchall()]


async def piece(connection: Connection, schema: str, partition: int, survey: Survey, most: int = PIECE) -> list[UUID]:
    """The next customers of the partition; the survey is behind them, and over when there were fewer."""
    cursor = await connection.execute(
        f"SELECT customer_id FROM {schema}.view WHERE customer_id > %s AND log_partition = %s ORDER BY customer_id LIMIT %s",
        (survey.after, partition, most),
    )
    found = [row[0] for row in await cursor.fetchall()]
    await behind(connection, partition, survey, found, most)
    return found


async def behind(connection: Connection, partition: int, survey: Survey, found: Sequence[UUID], most: int) -> None:
    """These were looked at, and when they are fewer than could have been, everybody was."""
    where = "partition = %s AND kind = %s AND name = %s AND version = %s"
    place = (partition, survey.kind, survey.name, survey.version)
    if len(found) < most:
        await connection.execute(f"DELETE FROM streams.surveys WHERE {where}", place)
    else:
        await connection.execute(f"UPDATE streams.surveys SET after = %s WHERE {where}", (found[-1], *place))
