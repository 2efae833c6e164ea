"""What a person says of a list: which column fills which field, how amounts and days are written, what makes a row the same row.

Everything may be left out: then headers are recognised by their names. Reading order: Column, File, Mapping, read.
"""

from collections.abc import Mapping as Values
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Literal, cast

import msgspec

from aggregates.contracts import CONTRACTS
from aggregates.normal import is_kind
from aggregates.rows import headers
from aggregates.rows.cells import MARKS, Mark
from aggregates.rows.dates import Order
from aggregates.rows.fields import GROUPS, known
from aggregates.written.node import Node, parse
from aggregates.written.problem import Problem, nearest
from aggregates.written.reader import Reader

WORDS = (
    *("name", "type", "source", "zone", "dates", "decimal", "unit", "id", "group", "columns", "fixed", "unknown", "contact", "file"),
    "description",
)
COLUMN_WORDS = ("field", "unit", "dates", "decimal", "values", "sum")
FILE_WORDS = ("delimiter", "encoding", "sheet", "header_row")
ENCODINGS = ("utf-8", "windows-1256", "utf-16")
DATES = ("day_first", "month_first")
UNKNOWN = ("keep", "ignore")
OWN = ("time", "clock")
PLACE = r"^[^\s.]{1,64}([.][^.]{1,64})?$"
LONGEST = 200

_NOTHING: Values[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Column:
    """What one column fills."""

    place: str  # "" : it says nothing of the fact
    unit: str = ""
    dates: Order = ""
    values: Values[str, Any] = field(default_factory=lambda: _NOTHING)  # what a cell's words mean
    sum: bool = False  # each row of a group has its part of it
    decimal: Mark = ""


@dataclass(frozen=True, slots=True)
class File:
    """How the file is laid out, where it cannot be seen."""

    delimiter: str = ""
    encoding: str = ""
    sheet: str = ""
    header_row: int = 0


@dataclass(frozen=True, slots=True)
class Mapping:
    """How the rows of one kind of list become events of one type."""

    type: str
    name: str = ""
    source: str = ""  # the events' source; empty: /files/<type>
    zone: str = ""  # empty: that of the write key's source
    dates: Order = ""
    unit: str = ""
    id: tuple[str, ...] = ()  # columns; empty: what the type is found by, else the row itself
    columns: Values[str, Column] = field(default_factory=lambda: _NOTHING)
    fixed: Values[str, Any] = field(default_factory=lambda: _NOTHING)
    unknown: Literal["keep", "ignore"] = "keep"
    contact: bool = False  # whether the facts are news by which somebody may be approached
    file: File = File()
    group: tuple[str, ...] = ()  # columns; rows that are alike in them are one fact
    decimal: Mark = ""  # what stands before decimals; empty: what leaves no doubt

    @property
    def origin(self) -> str:
        """The CloudEvents source of its events."""
        return self.source or f"/files/{self.type}"

    @property
    def called(self) -> str:
        """By which name letters of its rows are found."""
        return self.name or self.type


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says, and what is wrong with it; with problems there is no mapping."""

    mapping: Mapping | None
    problems: tuple[Problem, ...]


@lru_cache(maxsize=256)
def read(text: str, type_: str = "") -> Reading:
    """The mapping of a text in YAML or JSON; `type_` is what its rows are, and wins over what the text says."""
    root = parse(text)
    if isinstance(root, Problem):
        return Reading(None, (root,))
    reader = _MappingReader()
    mapping = reader.mapping(root, type_)
    problems = tuple(sorted(reader.problems, key=lambda problem: problem.line))
    return Reading(None if problems else mapping, problems)


def plain(text: str) -> Any:
    """The text's values, as JSON has them: how a mapping travels with its rows. Only for a text that was read without problems."""
    root = parse(text)
    return {} if isinstance(root, Problem) else root.plain


def of_plain(value: Any, type_: str = "") -> Reading:
    """The mapping of values that travelled."""
    return read(msgspec.json.encode(value).decode(), type_)


class _MappingReader(Reader):
    """Reads a mapping and its parts."""

    def mapping(self, node: Node, type_: str) -> Mapping | None:
        members = self.members(node, WORDS, like="{type: reseller.sale_reported, columns: {…}}")
        if members is None:
            return None
        wanted = type_ or (self.type(members["type"], "type") if "type" in members else None) or ""
        if not wanted:
            if "type" not in members:
                self.note(node, "missing", word="type")
            return None
        if "description" in members:
            self.text(members["description"], "description", 2_000)
        return Mapping(
            wanted,
            (self.name(members["name"], "name") if "name" in members else None) or "",
            (self.text(members["source"], "source", 1_024) if "source" in members else None) or "",
            (self.zone(members["zone"], "zone") if "zone" in members else None) or "",
            self.order(members.get("dates")),
            self.unit(members.get("unit")),
            self.id(members["id"]) if "id" in members else (),
            self.columns(members["columns"], wanted) if "columns" in members else _NOTHING,
            self.fixed(members["fixed"], wanted) if "fixed" in members else _NOTHING,
            cast("Literal['keep', 'ignore']", self.choice(members["unknown"], "unknown", UNKNOWN) or "keep")
            if "unknown" in members
            else "keep",
            self.flag(members["contact"], "contact") if "contact" in members else False,
            self.file(members["file"]) if "file" in members else File(),
            self.id(members["group"], "group") if "group" in members else (),
            self.mark(members.get("decimal")),
        )

    def order(self, node: Node | None) -> Order:
        return cast("Order", self.choice(node, "dates", DATES) or "") if node is not None else ""

    def mark(self, node: Node | None) -> Mark:
        return cast("Mark", self.choice(node, "decimal", tuple(MARKS)) or "") if node is not None else ""

    def unit(self, node: Node | None) -> str:
        if node is None:
            return ""
        text = self.text(node, "unit", 32)
        if text is not None and headers.unit(text) is None:
            self.note(node, "unknown_choice", nearest(text, headers.UNITS), word="unit", choices="rial, toman, usd, eur", given=text)
            return ""
        return text or ""

    def flag(self, node: Node, word: str) -> bool:
        if not isinstance(node.value, bool):
            self.note(node, "unknown_choice", word=word, choices="true, false", given=str(node.plain))
        return node.value is True

    def id(self, node: Node, word: str = "id") -> tuple[str, ...]:
        nodes = node.value if isinstance(node.value, tuple) else (node,)
        return tuple(text for one in nodes if (text := self.text(one, word, LONGEST)))

    def columns(self, node: Node, type_: str) -> Values[str, Column]:
        if not isinstance(node.value, Values) or not node.value:
            self.note(node, "not_mapping", like="{موبایل: who.phone, مبلغ: total}")
            return _NOTHING
        found = {header.strip(): self.column(one, type_) for header, one in node.value.items()}
        filled: dict[str, str] = {}
        for header, column in found.items():
            if column is None or not column.place or column.place.startswith("who."):
                continue  # several columns may name the customer
            if column.place in filled:
                self.note(node.value[header], "not_together", one=filled[column.place], other=header)
            filled[column.place] = header
        return {header: column for header, column in found.items() if column is not None}

    def column(self, node: Node, type_: str) -> Column | None:
        if node.value is None or node.value is False:
            return Column("")
        if isinstance(node.value, str):
            return Column(self.place(node, type_))
        members = self.members(node, COLUMN_WORDS, ("field",), like="{field: total, unit: toman}")
        if members is None or "field" not in members:
            return None
        values: Values[str, Any] = _NOTHING
        if "values" in members:
            if isinstance(members["values"].value, Values):
                values = {word: one.plain for word, one in members["values"].value.items()}
            else:
                self.note(members["values"], "not_mapping", like="{نقدی: cash}")
        parts = self.flag(members["sum"], "sum") if "sum" in members else False
        unit, dates, mark = self.unit(members.get("unit")), self.order(members.get("dates")), self.mark(members.get("decimal"))
        return Column(self.place(members["field"], type_), unit, dates, values, parts, mark)

    def place(self, node: Node, type_: str) -> str:
        text = self.text(node, "field", LONGEST)
        if text is None:
            return ""
        group, dot, part = text.partition(".")
        if dot and group not in GROUPS:
            self.note(node, "unknown_word", nearest(group, GROUPS), word=text)
        elif group == "who" and not is_kind(part):
            self.note(node, "unknown_word", "who.phone", word=text)
        elif group == "lines" and type_ in CONTRACTS and text not in known(type_):
            self.note(node, "unknown_word", nearest(text, known(type_)), word=text)
        elif not dot and text not in known(type_) and text not in OWN and (near := get_close_matches(text, [*known(type_), *OWN], 1, 0.75)):
            self.note(node, "unknown_word", near[0], word=text)  # another name is a field of its own; this one is a slip
        return text

    def fixed(self, node: Node, type_: str) -> Values[str, Any]:
        if not isinstance(node.value, Values):
            self.note(node, "not_mapping", like="{reseller: novin, currency: IRR}")
            return _NOTHING
        found: dict[str, Any] = {}
        for name, one in node.value.items():
            place = self.place(Node(name, node.names[name], one.pointer), type_)
            if place:
                found[place] = one.plain
        return found

    def file(self, node: Node) -> File:
        members = self.members(node, FILE_WORDS, like="{delimiter: ';', sheet: فروش}")
        if members is None:
            return File()
        delimiter = members["delimiter"].value if "delimiter" in members else ""
        if "delimiter" in members and (not isinstance(delimiter, str) or len(delimiter) != 1):
            self.note(members["delimiter"], "unknown_choice", word="delimiter", choices='one character like ";"', given=str(delimiter))
            delimiter = ""
        return File(
            str(delimiter),
            (self.choice(members["encoding"], "encoding", ENCODINGS) if "encoding" in members else None) or "",
            (self.text(members["sheet"], "sheet") if "sheet" in members else None) or "",
            (self.whole(members["header_row"], "header_row", 1, 1_000) if "header_row" in members else None) or 0,
        )
