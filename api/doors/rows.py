"""The door for rows of files: each becomes an event under the mapping that comes with it, and is judged as every event is.

A refused row is kept as it was read, with its file, row and column, and with its mapping, so that it can be corrected and tried again by
itself. Reading order: Sent, RowsAnswer, post.
"""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import Request, Response

from aggregates import apart, dead_letter
from aggregates.dead_letter import Cell, DeadLetter, Place
from aggregates.log import Entry
from aggregates.refusal import Refusal
from aggregates.rows.growth import Growing
from aggregates.rows.layout import Layout, layout
from aggregates.rows.mapping import Mapping, of_plain
from aggregates.rows.row import CONTENT_TYPE, WIDEST, Row, Understood, column_of, decode, understand
from aggregates.source import Source
from aggregates.touchpoint import Touchpoint, event_id
from api import access, body
from api.decoding import wrong
from api.doors.appending import Breath, append, sealed
from api.doors.growing import grown
from api.ports import Dependencies
from api.problem import Problem, invalid

PLACE = Place("api/v1/imports")
MOST = 2_000
NO_NUL = "^[^\\x00]*$"
"""No store takes NUL characters; a header loses them."""

UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

Broken = dict[int, tuple[Refusal, bytes]]
"""The rows that cannot be read, by their place in what was sent: why, and what is kept."""


class RowSent(msgspec.Struct, frozen=True):
    """A row as the importer read it."""

    row: Annotated[int, msgspec.Meta(ge=0, le=2_000_000_000)]
    cells: dict[str, Any]
    id: str = ""  # which row it is; empty: as the mapping says, else by what stands in it
    fault: str = ""  # what the importer could not read
    more: tuple[dict[str, Any], ...] = ()  # the cells of further rows of the same fact


class Sent(msgspec.Struct, frozen=True):
    """Some rows of a file."""

    file: Annotated[str, msgspec.Meta(min_length=1, max_length=512, pattern=NO_NUL)]
    type: Annotated[str, msgspec.Meta(min_length=1, max_length=512, pattern=NO_NUL)]
    rows: list[RowSent]
    mapping: dict[str, Any] = {}


class RowAccepted(msgspec.Struct, frozen=True, tag_field="status", tag="accepted"):
    """The row's event is in the log."""

    row: int
    id: str
    source: str
    event_id: UUID


class RowRejected(msgspec.Struct, frozen=True, tag_field="status", tag="rejected"):
    """The row is not in the log; it is kept as a dead letter."""

    row: int
    column: str  # a header of the file; empty: no single one
    reason: str
    pointer: str  # RFC 6901, into the row as it is kept
    detail: str
    mend: str
    dead_letter: UUID


class RowsAnswer(msgspec.Struct, frozen=True):
    """One result a row, in the order sent."""

    items: list[RowAccepted | RowRejected]
    position: str


async def post(request: Request, dependencies: Dependencies) -> Response:
    """Judge every row for itself and answer in order."""
    source = access.writer(request, dependencies).source
    assert source is not None  # noqa: S101 - `writer` lets nobody else in
    sent, broken = _sent(await body.read(request))
    reading = of_plain(sent.mapping, sent.type)
    if reading.mapping is None:
        said = reading.problems[0]
        raise Problem(422, "wrong_mapping", said.message(), pointer=f"/mapping{said.pointer}", mend="See /v1/mappings/schema.")
    facts, letters, results = await _judged(sent, broken, reading.mapping, source, dependencies)
    alone = results[0].event_id if len(results) == 1 and isinstance(results[0], RowAccepted) else None
    at = await append(dependencies, source, facts, letters, alone)
    dependencies.recent.accept([result.event_id for result in results if isinstance(result, RowAccepted)])
    return Response(msgspec.json.encode(RowsAnswer(results, at)), 200, {"Yekta-Position": at}, "application/json")


async def _judged(
    sent: Sent, broken: Broken, mapping: Mapping, source: Source, dependencies: Dependencies
) -> tuple[list[Entry], list[DeadLetter], list[RowAccepted | RowRejected]]:
    now = dependencies.clock()
    layouts: dict[tuple[str, ...], Layout] = {}
    rows: list[tuple[Row, Understood]] = []
    growing: dict[int, Growing] = {}
    breath = Breath()
    for number, one in enumerate(sent.rows):
        if breath.is_due():
            await breath.drawn()
        if number in broken:
            why, _ = broken[number]
            rows.append((Row(sent.file, one.row, sent.type, one.id, {}, sent.mapping), Understood(why, column_of(why))))
            continue
        cells, *more = ({name.replace("\0", ""): cell for name, cell in cells.items()} for cells in (one.cells, *one.more))
        names = tuple(cells) if len(cells) <= WIDEST else ()  # of a wider one nothing is understood
        if names not in layouts:
            layouts[names] = layout(mapping, names)
        row = Row(sent.file, one.row, sent.type, one.id, cells, sent.mapping, one.fault, tuple(more))
        found = understand(row, mapping, layouts[names], source, now)
        rows.append((row, found))
        if mapping.group and row.id and row.more and isinstance(found.judged, Touchpoint):
            growing[number] = Growing(row, mapping, layouts[names], source, now)
    whole = {number: found.judged for number, (_, found) in enumerate(rows) if isinstance(found.judged, Touchpoint)}
    instead = await grown(dependencies, growing, whole)
    facts: list[Entry] = []
    letters: list[DeadLetter] = []
    results: list[RowAccepted | RowRejected] = []
    for number, (row, found) in enumerate(rows):
        if breath.is_due():
            await breath.drawn()
        if isinstance(found.judged, Touchpoint):
            fact = instead.get(number, found.judged)
            facts.append(sealed(fact, dependencies))
            results.append(RowAccepted(row.row, fact.id, fact.source, fact.event_id))
        else:
            raw = broken[number][1] if number in broken else msgspec.json.encode(row)
            letter = bury(row, raw, found, mapping, source, dependencies)
            letters.append(letter)
            results.append(_rejected(row, found.column, found.judged, letter))
    return facts, letters, results


def bury(row: Row, raw: bytes, found: Understood, mapping: Mapping, source: Source, dependencies: Dependencies) -> DeadLetter:
    """The letter of a row that was refused."""
    why = found.judged
    assert isinstance(why, Refusal)  # noqa: S101 - only what was refused is buried
    return dead_letter.bury(
        raw,
        why,
        source.name,
        PLACE,
        dependencies.clock(),
        dependencies.secrets,
        CONTENT_TYPE,
        event=event_id(source.name, mapping.origin, row.id) if row.id else None,
        cell=Cell(row.file, row.row, found.column, mapping.called.replace("\0", "")),
    )


def _rejected(row: Row, column: str, why: Refusal, letter: DeadLetter) -> RowRejected:
    return RowRejected(row.row, column, why.reason, why.pointer, why.detail, why.mend, letter.id)


def _sent(content: bytes) -> tuple[Sent, Broken]:
    """What was sent, and which of its rows cannot be read: they cost no other."""
    try:
        sent, broken = _read(content)
    except msgspec.ValidationError as error:
        raise wrong(error, Sent) from error
    except UNREADABLE as error:
        raise Problem(400, "not_json", "The body is not JSON.", mend="Send an object with file, type and rows.") from error
    if len(sent.rows) > MOST:
        raise invalid("/rows", f"There are more than {MOST:,} rows.", "Send fewer at a time.")
    return sent, broken


def _read(content: bytes) -> tuple[Sent, Broken]:
    try:
        return msgspec.json.decode(content, type=Sent), {}
    except UNREADABLE as error:
        parts = apart.members(content) if _is_of_json(error) else None
        raws = apart.listed(parts.get("rows", b"")) if parts else None
        if parts is None or raws is None:
            raise
    sent = msgspec.json.decode(_joined(parts | {"rows": b"[]"}), type=Sent)
    around = {"file": msgspec.json.encode(sent.file), "type": msgspec.json.encode(sent.type), "mapping": msgspec.json.encode(sent.mapping)}
    broken: Broken = {}
    for number, raw in enumerate(raws):
        try:
            sent.rows.append(msgspec.json.decode(raw, type=RowSent))
        except UNREADABLE as error:
            members = apart.members(raw) if _is_of_json(error) else None
            if members is None:
                raise _of_row(error, number) from error
            kept = _joined({"id": b'""'} | members | around)
            why = decode(kept)
            if not isinstance(why, Refusal):
                raise _of_row(error, number) from error
            sent.rows.append(_named(members, number))
            broken[number] = why, kept
    return sent, broken


def _of_row(error: Exception, number: int) -> Exception:
    """What is wrong with a row, said of its place in what was sent."""
    return wrong(error, RowSent, f"/rows/{number}") if isinstance(error, msgspec.ValidationError) else error


def _named(members: dict[str, bytes], number: int) -> RowSent:
    """Which row it is, of one that cannot be read."""
    try:
        return msgspec.json.decode(
            _joined({"cells": b"{}"} | {name: members[name] for name in ("row", "id") if name in members}), type=RowSent
        )
    except UNREADABLE:  # its id is what cannot be read
        try:
            return msgspec.json.decode(_joined({"cells": b"{}", "row": members.get("row", b"null")}), type=RowSent)
        except UNREADABLE as error:
            raise _of_row(error, number) from error


def _is_of_json(error: Exception) -> bool:
    """Whether it is the text that cannot be read, and not what it says that is none of this."""
    return not isinstance(error, msgspec.ValidationError) or "out of range" in str(error)


def _joined(members: dict[str, bytes]) -> bytes:
    """An object of these members as they came."""
    return b"{" + b",".join(b'"' + name.encode(errors="surrogateescape") + b'":' + value for name, value in members.items()) + b"}"
