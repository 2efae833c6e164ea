"""What a fact of several rows was when it had fewer of them, and what its later rows are by themselves.

An invoice is sent again when it has got further rows. Which of its rows were sent before is told by trying: the content that the log has
is that of the first so many rows, or of none. Reading order: Growing, part, tried.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec

from aggregates.reading import LONGEST_ID
from aggregates.rows.cells import Cell, empty
from aggregates.rows.layout import Layout
from aggregates.rows.mapping import Mapping as RowMapping
from aggregates.rows.row import Row, understand
from aggregates.source import Source
from aggregates.touchpoint import Touchpoint, event_id

MOST = 200
"""So many rows a fact may have for its growth to be told; of a longer one each try would take too long."""


@dataclass(frozen=True, slots=True)
class Growing:
    """A row with further rows of the same fact, and all that is needed to read it in parts."""

    row: Row
    mapping: RowMapping
    shape: Layout
    source: Source
    received: datetime

    @property
    def count(self) -> int:
        """How many rows it has; 0: too many to try."""
        count = 1 + len(self.row.more)
        return count if count <= MOST else 0

    def part(self, start: int, stop: int) -> Touchpoint | None:
        """What these of its rows are by themselves, as a fact of its own; None where they are none."""
        cells, *more = [self.row.cells, *self.row.more][start:stop]
        row = msgspec.structs.replace(self.row, cells=self._filled(cells, start), more=tuple(more))
        found = understand(row, self.mapping, self.shape, self.source, self.received).judged
        id_ = f"{self.row.id}+{start}" if start else self.row.id
        if not isinstance(found, Touchpoint) or len(id_) > LONGEST_ID:
            return None
        return msgspec.structs.replace(found, id=id_, event_id=event_id(self.source.name, self.mapping.origin, id_))

    def tried(self, start: int) -> Iterator[tuple[int, Touchpoint]]:
        """What may have been sent of its rows from here on, the longest first, and where its next rows begin."""
        for stop in range(self.count - 1, start, -1):
            if (fact := self.part(start, stop)) is not None:
                yield stop, fact

    def _filled(self, cells: Mapping[str, Cell], start: int) -> dict[str, Cell]:
        """A row with what only the rows before it say of the whole: who bought, and when."""
        filled = dict(cells)
        for before in (self.row.cells, *self.row.more)[:start]:
            for header, cell in before.items():
                column = self.shape.columns.get(header)
                whole = column is not None and not column.sum and not column.place.startswith("lines.")
                if whole and empty(filled.get(header)) and not empty(cell):
                    filled[header] = cell
        return filled
