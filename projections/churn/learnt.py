"""The SQL of what is learnt: the learners, their snapshots with the champion among them, and how far each partition has told.

Only `learn` writes here, but for the champion, whom an operator may put back. Reading order: learner, keep, Snapshot, write, crown, grown;
told, told_by_all, told_of_past, went_through, end_past; alarm.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb

from projections.churn.examples import Place
from projections.rows import Connection


class Snapshot(NamedTuple):
    """The learners of a definition as they were once."""

    definition: int
    learnt: int  # labels
    through: int | None  # the last example day learnt
    checksum: bytes
    made_with: str
    learners: bytes
    sums: bytes
    race: Mapping[str, float]  # the experts' weights


async def learner(connection: Connection, definition: int) -> bytes | None:
    """The learners of a definition as they stand, sealed; None before anything was learnt."""
    cursor = await connection.execute("SELECT state FROM churn.learners WHERE definition = %s", (definition,), binary=True)
    row = await cursor.fetchone()
    return row[0] if row else None


async def keep(connection: Connection, definition: int, state: bytes) -> None:
    """Keep them as they stand now."""
    await connection.execute(
        "INSERT INTO churn.learners VALUES (%s, %s) ON CONFLICT (definition) DO UPDATE SET state = excluded.state", (definition, state)
    )


async def write(connection: Connection, made: Snapshot) -> int:
    """A further snapshot; answers its number."""
    cursor = await connection.execute(
        "INSERT INTO churn.snapshots (definition, learnt, through, checksum, made_with, learners, sums, race)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s) RETURNING number",
        (*made[:-1], Jsonb(made.race)),
    )
    ((number,),) = await cursor.fetchall()
    return int(number)


async def crown(connection: Connection, definition: int, number: int, won: Mapping[str, Any] | None = None) -> bool:
    """Scores are given by this snapshot from now on; `won` says why. False, and nothing is changed, where it is not the definition's."""
    cursor = await connection.execute(
        "UPDATE churn.snapshots SET since = now(), won = %s WHERE number = %s AND definition = %s",
        (None if won is None else Jsonb(won), number, definition),
    )
    if not cursor.rowcount:
        return False
    await connection.execute("UPDATE churn.definitions SET champion = %s WHERE id = %s", (number, definition))
    return True


async def grown(connection: Connection, definition: int, learnt: int, kept: int) -> None:
    """So many labels are learnt. Of the snapshots that never were champion only the newest are kept."""
    await connection.execute("UPDATE churn.definitions SET learnt = %s WHERE id = %s", (learnt, definition))
    await connection.execute(
        "DELETE FROM churn.snapshots WHERE definition = %s AND since IS NULL AND number <= (SELECT number FROM churn.snapshots"
        " WHERE definition = %s AND since IS NULL ORDER BY number DESC OFFSET %s LIMIT 1)",
        (definition, definition, kept),
    )


async def told(connection: Connection, partition: int, *, replayed: bool, day: int) -> None:
    """A partition has told all that was to be said before this day, of one time."""
    await connection.execute(
        "INSERT INTO churn.told AS t VALUES (%s, %s, %s)"
        " ON CONFLICT (partition, replayed) DO UPDATE SET day = GREATEST(t.day, excluded.day)",
        (partition, replayed, day),
    )


async def told_by_all(connection: Connection, partitions: int) -> dict[bool, int]:
    """By whether the time is replayed, the day before which all partitions have told everything; only times that all have told of."""
    cursor = await connection.execute("SELECT replayed, min(day) FROM churn.told GROUP BY replayed HAVING count(*) >= %s", (partitions,))
    return dict(await cursor.fetchall())


async def told_of_past(connection: Connection, partition: int, definition: int) -> None:
    """A partition has told what a definition would have said of the past."""
    await connection.execute("INSERT INTO churn.past_told VALUES (%s, %s) ON CONFLICT DO NOTHING", (definition, partition))


async def went_through(connection: Connection, definition: int, partitions: int) -> bool:
    """Whether all partitions have told of the past; the definition's days wait for that."""
    cursor = await connection.execute("SELECT count(*) >= %s FROM churn.past_told WHERE definition = %s", (partitions, definition))
    row = await cursor.fetchone()
    return row is not None and bool(row[0])


async def end_past(connection: Connection, definition: int) -> None:
    """What the past says of a definition was learnt."""
    await connection.execute("UPDATE churn.definitions SET past = false WHERE id = %s", (definition,))


async def alarm(connection: Connection, place: Place, day: int, late: float, before: float) -> None:
    """The loss of late has drifted away from the loss before."""
    await connection.execute("INSERT INTO churn.alarms VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING", (*place, day, late, before))
