"""Makes the event that a row is, in the shape in which channel systems send theirs, so that the doors' one reader judges it.

Reading order: Made, event, then what a row goes through: take, further (rows of the same fact), complete.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from aggregates.normal.persian import plain
from aggregates.refusal import Refusal, Refused, pointer_to
from aggregates.rows import cells as reading
from aggregates.rows.cells import Cell, empty
from aggregates.rows.fields import GROUPS, kind_of, known
from aggregates.rows.layout import Layout, ref
from aggregates.rows.mapping import Column
from aggregates.rows.mapping import Mapping as RowMapping


@dataclass(frozen=True, slots=True)
class Made:
    """An event, and which column each of its values came from."""

    event: dict[str, Any]
    origins: Mapping[str, str]  # RFC 6901 pointer into the event → header

    def column(self, pointer: str) -> str:
        """The column that a place in the event came from; empty: from none."""
        while pointer and pointer not in self.origins:
            pointer = pointer.rpartition("/")[0]
        return self.origins.get(pointer, "")


def event(mapping: RowMapping, layout: Layout, rows: Sequence[Mapping[str, Cell]], id_: str, zone: str, whose: str) -> Made | Refusal:
    """The event of a row, or of several that are one fact; or what is wrong in which cell (`/cells/<header>`, `/more/0/<header>`)."""
    try:
        return _Making(mapping, layout, rows[0], mapping.zone or zone).make(id_, whose, rows[1:])
    except Refused as problem:
        return problem.refusal


class _Making:
    """One row on its way to an event."""

    def __init__(self, mapping: RowMapping, layout: Layout, cells: Mapping[str, Cell], zone: str) -> None:
        self.mapping, self.layout, self.cells, self.zone = mapping, layout, dict(cells), zone
        self.time = ""
        self.currency = ""
        self.data: dict[str, Any] = {}
        self.groups: dict[str, dict[str, Any]] = {name: {} for name in GROUPS}
        self.origins: dict[str, str] = {}
        self.lines: list[dict[str, Any]] = []  # of the further rows

    def make(self, id_: str, whose: str, more: Sequence[Mapping[str, Cell]]) -> Made:
        for place, given in self.mapping.fixed.items():
            self.put(place, given, "")
        for header, cell in self.cells.items():
            self.take(header, cell)
        for number, cells in enumerate(more):
            self.further(number, cells)
        self.complete(id_, whose)
        event: dict[str, Any] = {"specversion": "1.0", "id": id_, "source": self.mapping.origin, "type": self.mapping.type}
        if self.time:
            event["time"] = self.time
        if not self.mapping.contact:
            event["yektabackfill"] = True
        event["data"] = self.data
        return Made(event, self.origins)

    def take(self, header: str, cell: Cell) -> None:
        """One cell finds its place."""
        column = self.layout.columns.get(header)
        if column is None:
            if header not in self.layout.ignored and self.mapping.unknown == "keep" and header.strip() and not empty(cell):
                self.put(header.strip(), cell, header, path=False)
            return
        pointer = pointer_to("cells", header)
        if empty(cell):
            if column.place == "time":
                raise Refused("missing_field", pointer, "the row has no time", "write when it happened, like 1404/08/30")
            return
        self.put(column.place, self.value(column, self.meant(column, cell), pointer), header)

    def further(self, number: int, cells: Mapping[str, Cell]) -> None:
        """One more row of the same fact: its line, its part of what is summed, and nothing that the rows before say otherwise."""
        line: dict[str, Any] = {}
        for header, cell in cells.items():
            if empty(cell) or not header.strip() or header in self.layout.ignored:
                continue
            column = self.layout.columns.get(header)
            pointer = pointer_to("more", number, header)
            group, _, part = ("lines", "", header.strip()) if column is None else column.place.partition(".")
            if group == "lines" and part:
                if column is not None:
                    line[part] = self.value(column, self.meant(column, cell), pointer)
                    self.origins[pointer_to("data", "lines", number + 1, part)] = header
                elif self.mapping.unknown == "keep" and _said(cell) != _said(self.cells.get(header)):
                    line[part] = cell
            elif column is not None and column.sum:
                self.data[column.place] = _sum(self.data.get(column.place), self.value(column, self.meant(column, cell), pointer))
            elif column is not None and empty(self.cells.get(header)):
                self.cells[header] = cell
                self.put(column.place, self.value(column, self.meant(column, cell), pointer), header)
            elif _said(cell) != _said(self.cells.get(header)):
                mend = "correct it; if each row has its part, say `sum: true` of the column in the mapping"
                raise Refused("wrong_value", pointer, "the rows of one fact say different things in this column", mend)
        self.lines.append(line)

    def meant(self, column: Column, cell: Cell) -> Cell:
        """The cell, or what the mapping says that its word means."""
        return cell if isinstance(cell, list | dict) else column.values.get(reading.text(cell), cell)

    def value(self, column: Column, cell: Cell, pointer: str) -> Any:
        """The cell as its field has it."""
        if isinstance(cell, dict) or (isinstance(cell, list) and column.place.startswith("who.")):
            return cell
        dates = column.dates or self.mapping.dates
        group, _, part = column.place.partition(".")
        if group == "traits":
            return reading.trait(part, cell, pointer, dates)
        kind = kind_of(self.mapping.type, column.place)
        unit = column.unit or self.mapping.unit
        if kind == "money":
            self.currency = self.currency or reading.currency(unit, cell)
        clock = self.cells.get(self.layout.of("clock")) if column.place == "time" else ""
        at = "" if empty(clock) else reading.text(clock)
        mark = column.decimal or self.mapping.decimal
        return reading.value(cell, kind, pointer, zone=self.zone, dates=dates, mark=mark, unit=unit, clock=at)

    def put(self, place: str, value: Any, header: str, *, path: bool = True) -> None:
        """A value comes to its place; several values of one kind of identifier are a list."""
        group, dot, part = place.partition(".") if path else (place, "", "")
        if place == "time":
            self.time = str(value)
            self.origins["/time"] = header
        elif place == "clock":
            self.origins["/time"] = self.origins.get("/time", header)
        elif not dot and place in GROUPS and isinstance(value, dict):
            self.groups[place] |= value
        elif dot and group in GROUPS:
            self.gather(group, part, value)
            self.origins[pointer_to("data", group, *((0, part) if group == "lines" else (part,)))] = header
        else:
            self.data[place] = value
            self.origins[pointer_to("data", place)] = header

    def gather(self, group: str, part: str, value: Any) -> None:
        members = self.groups[group]
        if group == "who" and part in members:
            before = members[part] if isinstance(members[part], list) else [members[part]]
            members[part] = [*before, *(value if isinstance(value, list) else [value])]
        else:
            members[part] = value

    def complete(self, id_: str, whose: str) -> None:
        """What every row of such a file has without a column for it."""
        places = known(self.mapping.type)
        if (self.groups["lines"] or any(self.lines)) and "lines" not in self.data:
            self.data["lines"] = [self.groups["lines"], *self.lines]
        if self.groups["traits"]:
            self.data["traits"] = self.groups["traits"]
        if self.groups["who"]:
            self.data = {"who": self.groups["who"]} | self.data
        if "reseller" in places:
            self.data.setdefault("reseller", whose)
        if "currency" in places and self.currency:
            self.data.setdefault("currency", self.currency)
        found_by = ref(self.mapping.type)
        if found_by and kind_of(self.mapping.type, found_by) == "identifier":
            self.data.setdefault(found_by, id_)


def _said(cell: Cell) -> Any:
    """What a cell says, however it is written; two that say the same are one."""
    return None if empty(cell) else cell if isinstance(cell, list | dict) else plain(reading.text(cell))


def _sum(before: Any, part: Any) -> Any:
    """The sum of the parts that rows have: amounts are texts, counts are numbers."""
    if before is None:
        return part
    both = Decimal(str(before)) + Decimal(str(part))
    return format(both, "f") if isinstance(part, str) else int(both) if both == both.to_integral_value() else float(both)
