"""Says which row a row is: by the partner's own number, else by what stands in it, so that a file sent twice adds nothing twice.

Rows that are equal in one file are counted, because a real second sale may look like the first. Reading order: own, number, digest,
Numbering.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from aggregates.normal.persian import plain
from aggregates.rows.cells import Cell, empty, text
from aggregates.rows.headers import key
from aggregates.rows.layout import Layout, ref
from aggregates.rows.mapping import Mapping as RowMapping

_encoder = msgspec.json.Encoder(order="sorted")


def own(mapping: RowMapping, layout: Layout, cells: Mapping[str, Cell]) -> str:
    """The row's id as the partner numbers it; empty when he does not."""
    return number(mapping.id or mapping.group or tuple(filter(None, (layout.of(ref(mapping.type)),))), cells)


def number(columns: Sequence[str], cells: Mapping[str, Cell]) -> str:
    """What stands in these columns; empty when one of them says nothing."""
    by_key = {key(header): cell for header, cell in cells.items()}
    parts = [by_key.get(key(column)) for column in columns]
    if not parts or any(empty(part) for part in parts):
        return ""
    return "/".join(plain(text(part)) for part in parts)


def digest(type_: str, cells: Mapping[str, Cell], more: Sequence[Mapping[str, Cell]] = ()) -> bytes:
    """What stands in the row, whatever the order of columns, the digits, the spelling of letters and the cells that are empty."""
    content = [sorted((key(header), _comparable(cell)) for header, cell in one.items() if not empty(cell)) for one in (cells, *more)]
    return hashlib.blake2b(_encoder.encode([type_, *content]), digest_size=16).digest()


@dataclass(slots=True)
class Numbering:
    """Gives the rows of one file their ids, in their order."""

    mapping: RowMapping
    seen: dict[bytes, int] = field(default_factory=dict)

    def id(self, layout: Layout, cells: Mapping[str, Cell], more: Sequence[Mapping[str, Cell]] = ()) -> str:
        """The row's id."""
        number = own(self.mapping, layout, cells)
        if number:
            return number
        print_ = digest(self.mapping.type, cells, more)
        count = self.seen[print_] = self.seen.get(print_, 0) + 1
        return f"row-{print_.hex()}" + (f"-{count}" if count > 1 else "")


def _comparable(cell: Cell) -> Any:
    return cell if isinstance(cell, list | dict) else plain(text(cell))
