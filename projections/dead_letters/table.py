"""The table of dead letters (infra/migrations/0300_dead_letters.sql). Applying a record twice changes nothing.

Reading order: apply, Letter, page, one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row

from aggregates.dead_letter import Cell, DeadLetter, Place, Replayed
from projections.dead_letters.fold import Record, fold

Connection = AsyncConnection[tuple[Any, ...]]

_COLUMNS = (
    'id, source, reason, pointer, detail, mend, recorded, topic, partition, "offset", place, content_type, key, seal, sealed, event,'
    ' file, "row", "column", mapping, sent, status, replayed_as, replayed_at, replayed_by'
)


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter as it stands."""

    id: UUID
    source: str
    reason: str
    pointer: str
    detail: str
    mend: str
    recorded: datetime
    topic: str
    partition: int
    offset: int
    place: str
    content_type: str
    key: bytes
    seal: int
    sealed: bytes
    event: UUID | None
    file: str | None  # of a row of a file: which file, row and column, and by which mapping it was understood
    row: int | None
    column: str | None
    mapping: str | None
    sent: str  # when its batch says it was sent
    status: str
    replayed_as: UUID | None
    replayed_at: datetime | None
    replayed_by: str | None

    def letter(self) -> DeadLetter:
        """The letter as it was written to the log."""
        place = Place("", self.topic, self.partition, self.offset) if self.topic else Place(self.place)
        return DeadLetter(
            self.id,
            self.source,
            self.reason,
            self.pointer,
            self.detail,
            self.mend,
            self.recorded,
            place,
            self.content_type,
            self.key,
            self.seal,
            self.sealed,
            self.event,
            None if self.file is None else Cell(self.file, self.row or 0, self.column or "", self.mapping or ""),
            self.sent,
        )


async def apply(connection: Connection, records: Sequence[Record]) -> None:
    """Write what the records of `dead-letters` say, inside the caller's transaction."""
    folded = fold(records)
    if folded.letters:
        async with connection.cursor() as cursor:
            await cursor.executemany(_INSERT, [_parameters(letter) for letter in folded.letters.values()])
    if folded.replays:
        await mark(connection, list(folded.replays.values()))


async def one(connection: Connection, id_: UUID) -> Letter | None:
    """The letter with this id."""
    async with connection.cursor(row_factory=class_row(Letter)) as cursor:
        await cursor.execute(f"SELECT {_COLUMNS} FROM letters.letters WHERE id = %s", (id_,))
        return await cursor.fetchone()


async def hold(connection: Connection, letters: Sequence[UUID]) -> dict[UUID, Letter]:
    """These letters as they stand when nobody else holds any of them, which nobody will until the transaction ends."""
    async with connection.cursor(row_factory=class_row(Letter)) as cursor:
        await cursor.execute(f"SELECT {_COLUMNS} FROM letters.letters WHERE id = ANY(%s) ORDER BY id FOR UPDATE", (list(letters),))
        return {letter.id: letter for letter in await cursor.fetchall()}


async def mark(connection: Connection, replays: Sequence[Replayed]) -> None:
    """They were replayed, as `dead-letters` will say too."""
    async with connection.cursor() as cursor:
        await cursor.executemany(_REPLAYED, [_replay_parameters(replay) for replay in replays])


async def of_events(connection: Connection, events: Sequence[UUID]) -> dict[UUID, Letter]:
    """The newest letter of each of these events that could not be accepted under its id."""
    async with connection.cursor(row_factory=class_row(Letter)) as cursor:
        await cursor.execute(f"SELECT {_COLUMNS} FROM letters.letters WHERE event = ANY(%s) ORDER BY recorded, id", (list(events),))
        return {letter.event: letter for letter in await cursor.fetchall() if letter.event is not None}


async def page(
    connection: Connection,
    limit: int,
    *,
    before: tuple[datetime, UUID] | None = None,
    source: str | None = None,
    reason: str | None = None,
    status: str | None = None,
    file: str | None = None,
    mapping: str | None = None,
    ids: Sequence[UUID] | None = None,
) -> list[Letter]:
    """Letters, the newest first, beginning after `before`."""
    at, id_ = before or (None, None)
    async with connection.cursor(row_factory=class_row(Letter)) as cursor:
        await cursor.execute(
            f"SELECT {_COLUMNS} FROM letters.letters"
            " WHERE (%(at)s::timestamptz IS NULL OR (recorded, id) < (%(at)s, %(id)s))"
            " AND (%(source)s::text IS NULL OR source = %(source)s)"
            " AND (%(reason)s::text IS NULL OR reason = %(reason)s)"
            " AND (%(status)s::text IS NULL OR status = %(status)s)"
            " AND (%(file)s::text IS NULL OR file = %(file)s)"
            " AND (%(mapping)s::text IS NULL OR mapping = %(mapping)s)"
            " AND (%(ids)s::uuid[] IS NULL OR id = ANY(%(ids)s))"
            " ORDER BY recorded DESC, id DESC LIMIT %(limit)s",
            {
                "at": at,
                "id": id_,
                "source": source,
                "reason": reason,
                "status": status,
                "limit": limit,
                "file": file,
                "mapping": mapping,
                "ids": None if ids is None else list(ids),
            },
        )
        return await cursor.fetchall()


async def counts(connection: Connection) -> dict[str, int]:
    """How many letters wait, by reason."""
    cursor = await connection.execute("SELECT reason, count(*) FROM letters.letters WHERE status = 'open' GROUP BY reason ORDER BY reason")
    return dict(await cursor.fetchall())


@dataclass(frozen=True, slots=True)
class Count:
    """How many letters of a source were refused for a reason."""

    source: str
    reason: str
    open: int
    replayed: int
    oldest_open: datetime | None
    newest: datetime


async def by_reason_and_source(connection: Connection) -> list[Count]:
    """All counts, those with the most open letters first."""
    async with connection.cursor(row_factory=class_row(Count)) as cursor:
        await cursor.execute(
            "SELECT source, reason, count(*) FILTER (WHERE status = 'open') AS open, count(*) FILTER (WHERE status = 'replayed')"
            " AS replayed, min(recorded) FILTER (WHERE status = 'open') AS oldest_open, max(recorded) AS newest"
            " FROM letters.letters GROUP BY source, reason ORDER BY open DESC, source, reason"
        )
        return await cursor.fetchall()


async def files(connection: Connection, mapping: str) -> dict[str, int]:
    """The files with open letters of a mapping, and how many."""
    cursor = await connection.execute(
        "SELECT file, count(*) FROM letters.letters WHERE mapping = %s AND status = 'open' GROUP BY file ORDER BY file", (mapping,)
    )
    return dict(await cursor.fetchall())


async def replayed(connection: Connection, events: Sequence[UUID]) -> set[UUID]:
    """Which of these events came out of a letter."""
    cursor = await connection.execute("SELECT replayed_as FROM letters.letters WHERE replayed_as = ANY(%s)", (list(events),))
    return {row[0] for row in await cursor.fetchall()}


_INSERT = (
    'INSERT INTO letters.letters (id, source, reason, pointer, detail, mend, recorded, place, topic, partition, "offset", content_type,'
    ' key, seal, sealed, event, file, "row", "column", mapping, sent)'
    " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (id) DO NOTHING"
)
_REPLAYED = (
    "UPDATE letters.letters SET status = 'replayed', replayed_as = %s, replayed_at = %s, replayed_by = %s"
    " WHERE id = %s AND replayed_as IS NULL"
)


def _parameters(letter: DeadLetter) -> tuple[Any, ...]:
    place = letter.place
    return (
        letter.id,
        letter.source,
        letter.reason,
        letter.pointer,
        letter.detail,
        letter.mend,
        letter.recorded,
        str(place),
        place.topic,
        place.partition,
        place.offset,
        letter.content_type,
        letter.key,
        letter.seal,
        letter.sealed,
        letter.event,
        *((cell.file, cell.row, cell.column, cell.mapping) if (cell := letter.cell) else (None, None, None, None)),
        letter.sent,
    )


def _replay_parameters(replay: Replayed) -> tuple[Any, ...]:
    return (replay.event_id, replay.at, replay.by, replay.letter)
