"""Shows how the rows of a file would land, with the very code that the door judges them by, and sends nothing.

Reading order: Preview, preview.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aggregates.refusal import Refusal
from aggregates.rows.layout import Layout, layout
from aggregates.rows.mapping import Mapping
from aggregates.rows.row import Row, understand
from aggregates.source import Source
from infra.importing.sending import numbered
from infra.importing.table import Read

SHOWN = 50


@dataclass(slots=True)
class Preview:
    """What a file would become."""

    first: list[dict[str, Any]] = field(default_factory=list)  # the first events, as they would be sent
    rows: int = 0
    accepted: int = 0
    refused: int = 0
    repeated: int = 0  # rows that have the id of one before
    rejected: list[dict[str, Any]] = field(default_factory=list)
    reasons: dict[str, int] = field(default_factory=dict)


def preview(mapping: Mapping, rows: Iterable[Read], source: Source, file: str, first: int) -> Preview:
    """All rows, judged; the first so many shown."""
    shown = Preview()
    now = datetime.now(UTC)
    layouts: dict[tuple[str, ...], Layout] = {}
    ids: set[int] = set()
    for one in numbered(mapping, rows):
        names = tuple(one.read.cells)
        if names not in layouts:
            layouts[names] = layout(mapping, names)
        row = Row(file, one.read.number, mapping.type, one.id, one.read.cells, fault=one.read.fault, more=one.read.more)
        found = understand(row, mapping, layouts[names], source, now)
        shown.rows += 1
        shown.repeated += hash(one.id) in ids
        ids.add(hash(one.id))
        judged = found.judged
        if isinstance(judged, Refusal):
            shown.refused += 1
            shown.reasons[judged.reason] = shown.reasons.get(judged.reason, 0) + 1
            if len(shown.rejected) < SHOWN:
                said = {"reason": judged.reason, "pointer": judged.pointer, "detail": judged.detail, "mend": judged.mend}
                shown.rejected.append({"row": one.read.number, "column": found.column} | said)
        else:
            shown.accepted += 1
        if shown.rows <= first:
            shown.first.append({"row": one.read.number, "event": dict(found.event) if found.event else None})
    return shown
