"""What every reader of files gives: headers, and rows with the number that people see beside them.

Reading order: Read, Table, named (headers of a sheet), begins (in which line of a sheet they stand).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from math import isfinite
from typing import Any, NamedTuple

from aggregates.rows import headers
from aggregates.rows.mapping import Mapping

LOOKED_AT = 25
"""In so many first lines of a sheet the headers are looked for: titles and logos stand above them."""


class Read(NamedTuple):
    """A row as it stands in a file."""

    number: int
    cells: dict[str, Any]
    fault: str = ""
    more: tuple[dict[str, Any], ...] = ()  # further rows of the same fact


@dataclass(frozen=True, slots=True)
class Table:
    """A file that is open."""

    how: str  # what it was understood to be, for people
    headers: tuple[str, ...]
    rows: Iterator[Read]


def begins(lines: Sequence[Sequence[Any]], mapping: Mapping) -> int:
    """The index of the line with the headers: of the first lines the one in which most is understood."""
    if mapping.file.header_row:
        return mapping.file.header_row - 1
    best, most = next((index for index, line in enumerate(lines) if any(str(cell).strip() for cell in line)), 0), 0
    for index, line in enumerate(lines):
        known = understood(line, mapping)
        if known > most:
            best, most = index, known
    return best


def understood(line: Iterable[Any], mapping: Mapping) -> int:
    """In how many cells of a line stands the name of a column that is known."""
    said = {headers.key(header) for header in mapping.columns}
    names = [cell for cell in line if isinstance(cell, str) and cell.strip()]
    return sum(1 for name in names if headers.key(name) in said or headers.meant(mapping.type, name))


def named(line: Iterable[Any]) -> tuple[str, ...]:
    """The headers of a sheet; columns without one are numbered, and of two with one name the second is."""
    names: list[str] = []
    for number, cell in enumerate(line, 1):
        name = str(plain(cell)).strip() if plain(cell) is not None else ""
        name = " ".join(name.split()) or f"column {number}"
        names.append(name if name not in names else f"{name} {number}")
    while names and names[-1] == f"column {len(names)}":
        names.pop()
    return tuple(names)


def rows(names: Sequence[str], lines: Iterable[tuple[int, Sequence[Any], str]]) -> Iterator[Read]:
    """The rows below the headers; what is empty is none. A line with a fault is kept as it stands."""
    for number, line, fault in lines:
        if fault:
            yield Read(number, {"": line[0] if line else ""}, fault)
            continue
        cells = [plain(cell) for cell in line] + [""] * (len(names) - len(line))  # a short line has empty cells
        if all(cell is None or cell == "" for cell in cells):
            continue
        beyond = [cell for cell in cells[len(names) :] if cell not in (None, "")]
        found = {name: cell for name, cell in zip(names, cells, strict=False) if cell is not None}
        if beyond:
            yield Read(number, found | {"": beyond}, "extra_cells")
        else:
            yield Read(number, found)


def plain(cell: Any) -> Any:
    """A cell as JSON has it: times as ISO 8601, amounts as texts."""
    if cell is None or isinstance(cell, str | bool | int):
        return cell
    if isinstance(cell, float):
        return cell if isfinite(cell) else None
    if isinstance(cell, datetime | date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return cell.total_seconds()
    if isinstance(cell, Decimal):
        return format(cell, "f")
    if isinstance(cell, bytes):
        return _text(cell)
    if isinstance(cell, dict):
        return {str(name): plain(value) for name, value in cell.items()}
    return [plain(value) for value in cell] if isinstance(cell, list | tuple) else str(cell)


def _text(cell: bytes) -> str:
    """Bytes as the text that they are, else their digits: nobody means them, and they cost no row."""
    try:
        found = cell.decode()
    except UnicodeDecodeError:
        return cell.hex()
    return cell.hex() if "\0" in found else found
