"""What could not be accepted, kept: why it was refused, where, and the bytes as they came, sealed like everything personal.

A dead letter is a record of `dead-letters`, and so is the fact that it was replayed. Its id comes from its bytes, so that a client that
retries the same bad event writes the same letter. Reading order: DeadLetter, Cell, bury, record, read, Replayed.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from aggregates.log import Entry
from aggregates.sealing import Sealer
from aggregates.touchpoint import derive

REPLAYED = b"replayed"
REFUSED = "CLIENT_REJECTED"
"""Why it is here, in the words of KIP-1317's draft: the consumer (Yekta) rejected it."""


class Why(Protocol):
    """Why something cannot be accepted: a refusal of reading, or what a processor says."""

    @property
    def reason(self) -> str: ...

    @property
    def pointer(self) -> str: ...

    @property
    def detail(self) -> str: ...

    @property
    def mend(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was refused: a door's path, or a record of a topic."""

    door: str = ""  # "api/v1/events"; empty for a record of a topic
    topic: str = ""
    partition: int = -1
    offset: int = -1

    def __str__(self) -> str:
        return self.door or f"{self.topic}-{self.partition}-{self.offset}"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One refused event."""

    id: UUID
    source: str  # the name of the source that the write key belongs to
    reason: str
    pointer: str
    detail: str
    mend: str
    recorded: datetime  # when it was first refused
    place: Place
    content_type: str  # as the sender labelled the bytes
    key: bytes  # the original record's key; b"" where there was none
    seal: int  # number of the data key
    sealed: bytes  # the bytes as they came, sealed
    event: UUID | None = None  # the event id, when what was refused had a source and an id
    cell: "Cell | None" = None  # of a row of a file
    sent: str = ""  # when the batch that it came in says it was sent, by the sender's own clock


@dataclass(frozen=True, slots=True)
class Cell:
    """Where in a file something was refused, in the words of whoever sent it."""

    file: str
    row: int  # as people count
    column: str  # a header; empty: the whole row
    mapping: str  # by which name the mapping of its columns is known


@dataclass(frozen=True, slots=True)
class Replayed:
    """A letter's event was accepted after all, as it was or corrected."""

    letter: UUID
    event_id: UUID
    at: datetime
    by: str  # the id of the key of who asked


def letter_id(source: str, raw: bytes) -> UUID:
    """The same bad bytes of the same source are the same letter."""
    return derive("dead-letter", source, hashlib.blake2b(raw, digest_size=16).hexdigest())


def bury(
    raw: bytes,
    why: Why,
    source: str,
    place: Place,
    recorded: datetime,
    sealer: Sealer,
    content_type: str = "",
    key: bytes = b"",
    event: UUID | None = None,
    cell: Cell | None = None,
    sent: str = "",
) -> DeadLetter:
    """The letter of an event that was refused."""
    id_ = letter_id(source, raw)
    number, sealed = sealer.seal(subject(source), raw, str(id_).encode())
    return DeadLetter(
        id_,
        source,
        why.reason,
        why.pointer,
        why.detail,
        why.mend,
        recorded,
        place,
        content_type,
        key,
        number,
        sealed,
        event,
        cell,
        sent,
    )


def unearth(letter: DeadLetter, sealer: Sealer) -> bytes:
    """The bytes as they came. Raises what `Sealer.unseal` raises."""
    return sealer.unseal(letter.seal, letter.sealed, str(letter.id).encode())


def subject(source: str) -> bytes:
    """Whose data key seals a source's letters."""
    return b"dead-letters:" + source.encode()


def record(letter: DeadLetter) -> Entry:
    """The letter as it is written to the topic."""
    headers = {
        "yekta_id": str(letter.id),
        "yekta_seal": str(letter.seal),
        "yekta_source": letter.source,
        "yekta_reason": letter.reason,
        "yekta_pointer": letter.pointer,
        "yekta_detail": letter.detail,
        "yekta_mend": letter.mend,
        "yekta_recorded": letter.recorded.isoformat(),
        "yekta_place": str(letter.place),
        "yekta_content_type": letter.content_type,
        "_dlq.errors.disposition": REFUSED,
    }
    if letter.event is not None:
        headers["yekta_event"] = str(letter.event)
    if letter.cell is not None:
        cell = letter.cell
        headers |= {"yekta_file": cell.file, "yekta_row": str(cell.row), "yekta_column": cell.column, "yekta_mapping": cell.mapping}
    if letter.sent:
        headers["yekta_sent"] = letter.sent
    if letter.place.topic:
        headers["_dlq.errors.original.topic"] = letter.place.topic
        headers["_dlq.errors.original.partition"] = str(letter.place.partition)
        headers["_dlq.errors.original.offset"] = str(letter.place.offset)
    return letter.key, letter.sealed, _encoded(headers)


def replay_record(replayed: Replayed, key: bytes) -> Entry:
    """The fact of a replay, under the letter's own key, so that it follows the letter in the same partition."""
    headers = {
        "yekta_id": str(replayed.letter),
        "yekta_event": str(replayed.event_id),
        "yekta_recorded": replayed.at.isoformat(),
        "yekta_by": replayed.by,
    }
    return key, REPLAYED, [("yekta_control", REPLAYED), *_encoded(headers)]


def read(key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes | None]]) -> DeadLetter | Replayed:
    """The meaning of a record of `dead-letters`. Raises KeyError or ValueError for a record that Yekta did not write."""
    texts = {name: content.decode() for name, content in headers if content is not None}
    if texts.get("yekta_control"):
        return Replayed(
            UUID(texts["yekta_id"]), UUID(texts["yekta_event"]), datetime.fromisoformat(texts["yekta_recorded"]), texts["yekta_by"]
        )
    return DeadLetter(
        id=UUID(texts["yekta_id"]),
        source=texts["yekta_source"],
        reason=texts["yekta_reason"],
        pointer=texts["yekta_pointer"],
        detail=texts["yekta_detail"],
        mend=texts["yekta_mend"],
        recorded=datetime.fromisoformat(texts["yekta_recorded"]),
        place=_place(texts),
        content_type=texts["yekta_content_type"],
        key=key or b"",
        seal=int(texts["yekta_seal"]),
        sealed=value or b"",
        event=UUID(texts["yekta_event"]) if "yekta_event" in texts else None,
        cell=_cell(texts),
        sent=texts.get("yekta_sent", ""),
    )


def _cell(texts: Mapping[str, str]) -> Cell | None:
    if "yekta_file" not in texts:
        return None
    return Cell(texts["yekta_file"], int(texts["yekta_row"]), texts["yekta_column"], texts["yekta_mapping"])


def _place(texts: Mapping[str, str]) -> Place:
    topic = texts.get("_dlq.errors.original.topic")
    if topic is None:
        return Place(texts["yekta_place"])
    return Place("", topic, int(texts["_dlq.errors.original.partition"]), int(texts["_dlq.errors.original.offset"]))


def _encoded(headers: Mapping[str, str]) -> list[tuple[str, bytes]]:
    return [(name, text.encode(errors="replace")) for name, text in headers.items()]
