"""One row of a file on its way through a door: what is sent, what is kept of it when it is refused, and what it means.

A row carries all that is needed to understand it, so that a refused one can be corrected and tried again by itself, years later.
Reading order: Row, Understood, understand.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from aggregates import cloudevents
from aggregates.canonical import check
from aggregates.reading import read
from aggregates.refusal import Refusal, Refused, pointer_to
from aggregates.rows.event import Made, event
from aggregates.rows.identity import Numbering
from aggregates.rows.layout import Layout, layout
from aggregates.rows.mapping import Mapping as RowMapping
from aggregates.rows.mapping import of_plain
from aggregates.source import Source
from aggregates.touchpoint import Touchpoint

CONTENT_TYPE = "application/vnd.yekta.row+json"
_STEP = re.compile(r"[^.\[\]]+")
MAPPED = "map a column to it, or write it under fixed in the mapping"

WIDEST = 16_384
"""Columns that a sheet may have."""

FAULTS: Mapping[str, Refusal] = {
    "not_json": Refusal("not_json", "/cells", "The line is no JSON object.", "Write one JSON object a line."),
    "extra_cells": Refusal(
        "wrong_value", "/cells", "The row has more cells than there are headers.", "Put cells with separators in quotes."
    ),
    "too_wide": Refusal(
        "too_large", "/cells", "The row has more cells than a sheet may have columns.", "Send no more than 16,384 cells in a row."
    ),
    "open_quote": Refusal("wrong_value", "/cells", "A quoted cell of the row is not closed.", "Close its quote, or double a quote inside."),
}
"""What may be wrong with a row before anybody looks at its cells."""


class Row(msgspec.Struct, frozen=True, omit_defaults=True):
    """A row with what is said of its file."""

    file: str
    row: int  # as people count: the header is one too
    type: str
    id: str
    cells: dict[str, Any]
    mapping: Any = msgspec.field(default_factory=dict)  # as the person wrote it
    fault: str = ""
    more: tuple[dict[str, Any], ...] = ()  # the cells of the further rows of the same fact


@dataclass(frozen=True, slots=True)
class Understood:
    """What a row is: a touchpoint, or why not and in which column."""

    judged: Touchpoint | Refusal
    column: str = ""
    event: Mapping[str, Any] | None = None


def decode(raw: bytes) -> Row | Refusal:
    """The row that was kept."""
    try:
        return msgspec.json.decode(raw, type=Row)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        if not isinstance(error, msgspec.ValidationError) or "out of range" in str(error):
            return _unreadable(raw)
        at = str(error).rpartition("`$")[2].partition("`")[0] if "`$" in str(error) else ""
        where = pointer_to(*_STEP.findall(at))
        return Refusal("wrong_value", where, "It is no row of a file.", "Keep file, row, type, id and cells as they were.")


def _unreadable(raw: bytes) -> Refusal:
    """Why a row is nothing that the reader of JSON takes, or where in it stands what no store could keep."""
    value = cloudevents.decoded(raw)
    if isinstance(value, Refusal):
        return value
    try:
        check(value, "", lambda _: True)  # headers are how people find what is wrong in their file
    except Refused as refused:
        return refused.refusal
    return Refusal("not_json", "", "The row cannot be read.", cloudevents.JSON_HINT)


def understand(row: Row, mapping: RowMapping, shape: Layout, source: Source, received: datetime) -> Understood:
    """What a row means under a mapping, judged as every event of the source is."""
    if row.fault or len(row.cells) > WIDEST:
        return Understood(FAULTS.get(row.fault or "too_wide", FAULTS["extra_cells"]))
    id_ = row.id or Numbering(mapping).id(shape, row.cells, row.more)
    made = event(mapping, shape, (row.cells, *row.more), id_, source.zone, source.name)
    if isinstance(made, Refusal):
        return Understood(made, _header(made.pointer))
    judged = read(made.event | {"yektafile": row.file[:255], "yektarow": row.row}, source, received)
    if isinstance(judged, Refusal):
        return _placed(judged, made, shape)
    return Understood(judged, "", made.event)


def alone(row: Row, source: Source, received: datetime, newer: Mapping[str, Any] | None = None) -> Understood:
    """What a kept row means: under its own mapping, or under a newer one."""
    reading = of_plain(row.mapping if newer is None else newer, row.type)
    if reading.mapping is None:
        said = reading.problems[0]
        return Understood(Refusal("wrong_value", "/mapping" + said.pointer, said.message(), "Correct the mapping."))
    return understand(row, reading.mapping, layout(reading.mapping, row.cells), source, received)


def _placed(refusal: Refusal, made: Made, shape: Layout) -> Understood:
    """What is wrong with an event, said of the row that it was made of."""
    column = made.column(refusal.pointer)
    if not column and refusal.reason == "missing_field":
        column = _empty(refusal.pointer, shape)
        mend = f"{refusal.mend.rstrip('.')}: " + ("its cell is empty." if column else f"{MAPPED}.")
        refusal = Refusal(refusal.reason, refusal.pointer, refusal.detail, mend)
    if column:
        refusal = Refusal(refusal.reason, pointer_to("cells", column), refusal.detail, refusal.mend)
    return Understood(refusal, column, made.event)


def _empty(pointer: str, shape: Layout) -> str:
    """The column that would have filled what is missing; empty where the file has none for it."""
    place = ".".join(step for step in pointer.split("/")[2:] if not step.isdecimal())
    return shape.of(place) or next((header for header, column in shape.columns.items() if column.place.startswith(f"{place}.")), "")


def column_of(refusal: Refusal) -> str:
    """The column of a refusal that points into a row; empty: no single one."""
    return _header("/".join(refusal.pointer.split("/")[:3])) if refusal.pointer.startswith("/cells/") else ""


def _header(pointer: str) -> str:
    """The last step of `/cells/<header>` or `/more/<number>/<header>`."""
    return pointer.rpartition("/")[2].replace("~1", "/").replace("~0", "~")
