"""Reads files as rows: CSV, JSON, Parquet and workbooks, packed or not, in the letters of today and of old Windows.

Rows are read as often as they are asked for and never held whole, but for a workbook and one document of JSON. A row that is none of the
file's, like a line of CSV with more fields than the heading, is empty, so that whoever counts rows counts it too. A column without a name,
like that in which tables number their rows, is left out: nothing is known of what it says. Reading order: File, rows, unpacked.
"""

import bz2
import csv
import gzip
import json
import lzma
import re
from codecs import BOM_UTF8, getincrementaldecoder
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from io import BufferedReader, TextIOWrapper
from itertools import chain, islice
from pathlib import Path, PurePath
from statistics import median_low
from typing import IO, Any, cast
from zipfile import ZipFile

from infra.errors import Refusal
from infra.evaluation.columns import meant

Row = dict[str, Any]

FORMS = "It must be CSV with a heading, JSON lines, Parquet, or a workbook."

PACKED: dict[bytes, Callable[[Any], Any]] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}
"""By their first bytes, how to unpack what is packed."""

UNREAD = {b"7z\xbc\xaf": "7-Zip", b"Rar!": "RAR", b"\x28\xb5\x2f\xfd": "zstd"}
"""By their first bytes, who packed what is not unpacked here."""

SAMPLE = 1 << 22
"""So many bytes show whether the letters of old Windows are Persian."""

WORKBOOK = frozenset({"[Content_Types].xml", "content.xml"})
"""What a workbook holds, which is a packed folder itself."""

TITLES = 20
"""So many lines of a sheet, or of CSV, are looked at for its heading."""

SEPARATORS = (",", ";", "\t", "|")

_BESIDE = re.compile(r"(?:^|/)(?:\.|__MACOSX/)")
"""What a Mac packs beside files."""

_UNNAMED = re.compile(r"Unnamed: \d+\S*|__index_level_\d+__")

_SEPARATOR = re.compile(r'"?sep=(.)"?', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class File:
    """The rows of a file, which is read again each time they are asked for."""

    path: Path

    def __iter__(self) -> Iterator[Row]:
        number = 0
        try:
            for number, row in enumerate(_read(self.path), 1):  # noqa: B007 - it is told where reading ends
                nameless = _nameless(tuple(row))
                yield {name: cell for name, cell in row.items() if name not in nameless} if nameless else row
        except Refusal:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a file does to its reader, people are told in a sentence where it did
            where = f" after row {number}" if number else ""
            raise Refusal(f"{self.path} cannot be read{where}: {str(error).rstrip('.') or type(error).__name__}.", FORMS) from None


def rows(path: Path) -> Iterable[Row]:
    """The rows of a file, as often as they are asked for. Raises Refusal, also while they are read."""
    if not path.is_file():
        raise Refusal(f"There is no file {path}.")
    return File(path)


@lru_cache(maxsize=64)
def _nameless(names: tuple[str, ...]) -> frozenset[str]:
    """Those columns that have no name, also where pandas gave them one for it."""
    return frozenset(name for name in names if not name or _UNNAMED.fullmatch(name))


def _read(path: Path) -> Iterator[Row]:
    with unpacked(path) as (name, file):
        mark, ending = file.read(8), PurePath(name).suffix.lower()
        file.seek(0)
        if by := next((by for beginning, by in UNREAD.items() if mark.startswith(beginning)), ""):
            raise Refusal(f"{path} is packed by {by}, which is not read.", "Unpack it.")
        if mark.startswith(b"PAR1") or ending in (".parquet", ".pq"):
            yield from _parquet(file)
        elif mark.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")) or ending in (".xlsx", ".xls"):
            yield from _workbook(path, file)
        else:
            with _text(file) as text:
                if ending in (".json", ".jsonl", ".ndjson") or mark.removeprefix(BOM_UTF8).startswith(b"{"):
                    yield from _sound(path, map(_flat, _json(text)), "is no JSON object")
                else:
                    yield from _csv(path, text)


@contextmanager
def unpacked(path: Path) -> Iterator[tuple[str, BufferedReader]]:
    """The name and the bytes of what a file holds."""
    with ExitStack() as opened:
        name, file = path.name, opened.enter_context(path.open("rb"))
        while unpack := next((unpack for mark, unpack in PACKED.items() if file.peek(8).startswith(mark)), None):
            name, file = name[: -len(PurePath(name).suffix) or None], opened.enter_context(unpack(file))
        if file.peek(4).startswith(b"PK\x03\x04"):
            packed = opened.enter_context(ZipFile(file))
            names = [one.filename for one in packed.infolist() if not (one.is_dir() or _BESIDE.search(one.filename))]
            if not WORKBOOK & {*names}:
                if len(names) != 1:
                    raise Refusal(f"{path} holds {len(names)} files: {', '.join(names[:8])}.", "Unpack it, and name one.")
                name, file = names[0], opened.enter_context(cast("BufferedReader", packed.open(names[0])))
        yield name, file


def _sound(path: Path, found: Iterable[Row | None], fault: str, hint: str = "") -> Iterator[Row]:
    """Rows, those that are none empty. Raises Refusal at the end when that is most of them."""
    number, faults, first = 0, 0, 0
    for number, row in enumerate(found, 1):
        if row is None:
            faults, first = faults + 1, first or number
        yield row or {}
    if faults * 2 > number:
        raise Refusal(f"{path} cannot be read: row {first} {fault}, and so it is with {faults} of {number}.", hint or FORMS)


def _csv(path: Path, file: IO[str]) -> Iterator[Row]:
    head, separator = "", ""
    for line in file:
        if said := _SEPARATOR.fullmatch(line.strip("\r\n")):  # as Excel is told
            separator = said[1]
        elif line.strip() and not _remark(line):
            head = line
            break
    first = [head, *islice(file, TITLES)]
    separator = separator or _separator(next((line for line in first if _separated(line)), head))
    lines = csv.reader(chain(_from_heading(first, separator), file), delimiter=separator)
    heading = _apart(next(lines, []))

    def row(cells: list[str]) -> Row | None:
        if len(cells) == len(heading):
            return dict(zip(heading, cells, strict=True))
        if any(map(str.strip, cells[len(heading) :])):
            return None
        return dict(zip(heading, cells + [None] * (len(heading) - len(cells)), strict=False))

    hint = f"Put cells that have {separator!r} in them in quotes."
    yield from _sound(path, (row(cells) for cells in lines if cells), "has more fields than the heading", hint)


def _from_heading(first: list[str], separator: str) -> list[str]:
    """The lines from the heading on: titles above it, as exports of reports have them, fill fewer columns than half of the rows do."""
    rows, ends = list[int](), list[int]()
    lines = csv.reader(first, delimiter=separator)
    for cells in lines:
        rows.append(sum(map(bool, map(str.strip, cells))))
        ends.append(lines.line_num)
    usual = median_low(rows[len(rows) // 2 :])
    heading = next((place for place, filled in enumerate(rows) if 2 * filled > usual), 0)
    return first[ends[heading - 1] if heading else 0 :]


def _apart(names: list[str]) -> list[str]:
    """A name that stands twice in a heading is the first column's; the second is called `name 2`."""
    return [f"{name} {names[:place].count(name) + 1}" if name and name in names[:place] else name for place, name in enumerate(names)]


def _remark(line: str) -> bool:
    """Whether a line before the heading is a remark; a heading may begin with # too."""
    if not line.startswith("#"):
        return False
    names = line[1:].strip().split(_separator(line))
    columns = meant(names)
    return len(names) == 1 or (bool(names[0].strip()) and not (columns["customer"] and columns["time"]))


def _separator(head: str) -> str:
    return max(SEPARATORS, key=head.count)


def _separated(line: str) -> bool:
    return any(map(line.count, SEPARATORS))


def _text(file: BufferedReader) -> TextIOWrapper:
    """Bytes as text: UTF-8, or UTF-16, else the letters of old Windows."""
    encoding = _of_beginning(file.read(2))
    file.seek(0)
    if encoding == "utf-8-sig" and not _is_utf_8(file):
        file.seek(0)
        encoding = _of_windows(file.read(SAMPLE))
    file.seek(0)
    return TextIOWrapper(file, encoding=encoding, newline="")


def _of_beginning(head: bytes) -> str:
    """UTF-16 by its mark, or by the zero beside a first letter that is Latin; UTF-8 until it is known better."""
    if head in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    return "utf-8-sig" if len(head) < 2 or head.count(0) != 1 else "utf-16-le" if head[1] == 0 else "utf-16-be"


def _is_utf_8(file: BufferedReader) -> bool:
    decoder = getincrementaldecoder("utf-8")()
    try:
        while piece := file.read(1 << 20):
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _of_windows(sample: bytes) -> str:
    """Words of Persian and Arabic have such letters alone, those of Western languages have them between Latin ones."""
    words = re.findall(rb"[A-Za-z\x80-\xff]*[\x80-\xff][A-Za-z\x80-\xff]*", sample)
    letters = b"".join(word for word in words if len(word) > 1 and not re.search(rb"[A-Za-z]", word)).decode("cp1256")
    arabic = sum("\u0600" <= letter <= "\u06ff" or letter in "\u200c\u200d" for letter in letters)
    return "cp1256" if 2 * len(letters) > sum(map(len, words)) and arabic > 0.9 * len(letters) else "cp1252"


def _json(file: IO[str]) -> Iterable[Any]:
    """An object a line, or one array of objects, or one object that holds them."""
    lines = filter(str.strip, file)
    first = next(lines, "[]")
    try:
        found, second = json.loads(first), next(lines, None)
    except ValueError:
        return _within(json.loads(first + file.read()))
    return _within(found) if second is None else map(json.loads, chain([first, second], lines))


def _within(found: Any) -> Iterable[Any]:
    """The objects of a document: those of its array, also where it stands under a name, as in answers of APIs; its columns, as pandas
    writes them by itself; else the one that it is."""
    if not isinstance(found, dict):
        return found if isinstance(found, list) else [found]
    columns = [[*cells.values()] if isinstance(cells, dict) else cells for cells in found.values()]
    if len(columns) > 1 and all(isinstance(cells, list) and not any(isinstance(cell, dict) for cell in cells) for cells in columns):
        return (dict(zip(found, cells, strict=True)) for cells in zip(*columns, strict=True))
    lists = [cells for cells in found.values() if isinstance(cells, list) and cells and all(isinstance(cell, dict) for cell in cells)]
    return lists[0] if len(lists) == 1 and not meant([*found])["customer"] else [found]


def _flat(row: object) -> Row | None:
    """A CloudEvent becomes a row of its fields, and its first identifier the customer; any other object is a row already."""
    if not isinstance(row, dict):
        return None
    data = row.get("data")
    if not isinstance(data, dict):
        return row
    who = data.get("who")
    named = {"customer": ":".join(map(str, next(iter(who.items()))))} if isinstance(who, dict) and who else {}
    fields = {name: value for name, value in data.items() if name != "who"}
    return {**fields, **named, **{name: row[name] for name in ("customer", "time", "type") if name in row}}


def _workbook(path: Path, file: BufferedReader) -> Iterator[Row]:
    """The rows of the longest sheet, and of all that have its heading: those of one year each may be one log."""
    from python_calamine import CalamineWorkbook, PasswordError

    try:
        book = CalamineWorkbook.from_filelike(file)
        sheets = [book.get_sheet_by_name(name) for name in book.sheet_names]
    except PasswordError:
        raise Refusal(f"{path} is locked with a password.", "Save it without one.") from None
    longest = next(_lines_of(max(sheets, key=lambda sheet: sheet.total_height)), [])
    for lines in map(_lines_of, sheets):
        if next(lines, []) == longest:
            names = _apart([str(cell).strip() for cell in longest])
            yield from (dict(zip(names, cells, strict=True)) for cells in lines)


def _lines_of(sheet: Any) -> Iterator[list[Any]]:
    """The lines of a sheet from its heading on, without empty ones: titles above it fill fewer columns."""
    lines = (line for line in sheet.iter_rows() if any(cell != "" for cell in line))
    first = [*islice(lines, TITLES)]
    filled = [sum(cell != "" for cell in line) for line in first]
    heading = next((place for place, cells in enumerate(filled) if 2 * cells > max(filled)), 0)
    return chain(first[heading:], lines)


def _parquet(content: BufferedReader) -> Iterator[Row]:
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

    with ParquetFile(content) as file:
        schema = pa.schema([field.with_type(_of_python(field.type)) for field in file.schema_arrow])
        for batch in file.iter_batches(10_000):
            cast = batch.cast(schema, safe=False)
            columns = [_cells(column) for column in cast.columns]
            yield from (dict(zip(schema.names, cells, strict=True)) for cells in zip(*columns, strict=True))


def _of_python(type_: Any) -> Any:
    """The type whose values Python has: its times have microseconds, and the time zone that they are shown in does not matter."""
    import pyarrow as pa

    kinds = pa.types
    if kinds.is_timestamp(type_):
        return pa.timestamp("us" if type_.unit == "ns" else type_.unit, "UTC" if type_.tz else None)
    if kinds.is_duration(type_) and type_.unit == "ns":
        return pa.duration("us")
    if kinds.is_time64(type_):
        return pa.time64("us")
    if kinds.is_struct(type_):
        return pa.struct([field.with_type(_of_python(field.type)) for field in type_])
    if kinds.is_list(type_):
        return pa.list_(_of_python(type_.value_type))
    return type_


def _cells(column: Any) -> list[Any]:
    """The values of a column; what Python has none for, like the year 3,000,000, stays a text; bytes are texts that nobody called so."""
    try:
        found: list[Any] = column.to_pylist()
    except (OverflowError, ValueError):
        found = [_cell(one) for one in column]
    if "binary" in str(column.type):
        return [one.decode("utf-8", "backslashreplace") if isinstance(one, bytes) else one for one in found]
    return found


def _cell(scalar: Any) -> object:
    value: Callable[[], object] = scalar.as_py
    try:
        return value()
    except (OverflowError, ValueError):
        return f"{getattr(scalar, 'value', '')} {scalar.type}"
