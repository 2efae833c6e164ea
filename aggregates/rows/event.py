"""Makes the event that a row is, in the shape in which channel systems send theirs, so that the doors' one reader judges it.

Reading order: Made, event, _filled.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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


def event(mapping: RowMapping, layout: Layout, cells: Mapping[str, Cell], id_: str, zone: str, whose: str) -> Made | Refusal:
    """The event of a row, or what is wrong in which of its cells (`/cells/<header>`)."""
    try:
        return _Making(mapping, layout, cells, mapping.zone or zone).make(id_, whose)
    except Refused as problem:
        return problem.refusal


class _Making:
    """One row on its way to an event."""

    def __init__(self, mapping: RowMapping, layout: Layout, cells: Mapping[str, Cell], zone: str) -> None:
        self.mapping, self.layout, self.cells, self.zone = mapping, layout, cells, zone
        self.time = ""
        self.currency = ""
        self.data: dict[str, Any] = {}
        self.groups: dict[str, dict[str, Any]] = {name: {} for name in GROUPS}
        self.origins: dict[str, str] = {}

    def make(self, id_: str, whose: str) -> Made:
        for place, given in self.mapping.fixed.items():
            self.put(place, given, "")
        for header, cell in self.cells.items():
            self.take(header, cell)
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
        if not isinstance(cell, list | dict):
            cell = column.values.get(reading.text(cell), cell)
        self.put(column.place, self.value(column, cell, pointer), header)

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
        return reading.value(cell, kind, pointer, zone=self.zone, dates=dates, unit=unit, clock="" if empty(clock) else reading.text(clock))

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
        if self.groups["lines"] and "lines" not in self.data:
            self.data["lines"] = [self.groups["lines"]]
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
