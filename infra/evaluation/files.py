"""Reads files as rows: CSV, JSON lines and Parquet, packed or not, in the letters of today and of old Windows.

Rows are read as often as they are asked for and never held whole. A row that is none of the file's, like a line of CSV with more fields
than the heading, is empty, so that whoever counts rows counts it too. A column without a name, like that in which tables number their rows,
is left out: nothing is known of what it says. Reading order: File, rows.
"""

import csv
import gzip
import json
import re
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from io import BufferedReader, TextIOWrapper
from itertools import chain
from pathlib import Path
from typing import IO, Any

from infra.errors import Refusal
from infra.evaluation.columns import meant

Row = dict[str, Any]

FORMS = "It must be CSV with a heading, JSON lines, or Parquet."

SAMPLE = 1 << 22
"""So many bytes show whether the letters of old Windows are Persian."""

_SEPARATOR = re.compile(r'"?sep=(.)"?', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class File:
    """The rows of a file, which is read again each time they are asked for."""

    path: Path

    def __iter__(self) -> Iterator[Row]:
        number = 0
        try:
            for number, row in enumerate(_read(self.path), 1):  # noqa: B007 - it is told where reading ends
                yield {name: cell for name, cell in row.items() if name} if "" in row else row
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


def _read(path: Path) -> Iterator[Row]:
    ending = Path(path.stem).suffix.lower() if path.suffix.lower() == ".gz" else path.suffix.lower()
    if ending in (".parquet", ".pq"):
        yield from _parquet(path)
        return
    with _opened(path) as file:
        if ending in (".jsonl", ".ndjson"):
            found: Iterable[Any] = (json.loads(line) for line in file if line.strip())
        elif ending == ".json":
            found = _json(file.read())
        else:
            yield from _csv(path, file)
            return
        yield from _sound(path, map(_flat, found), "is no JSON object")


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
    separator = separator or _separator(head)
    lines = csv.reader(chain([head], file), delimiter=separator)
    heading = _apart(next(lines, []))

    def row(cells: list[str]) -> Row | None:
        if len(cells) == len(heading):
            return dict(zip(heading, cells, strict=True))
        if any(map(str.strip, cells[len(heading) :])):
            return None
        return dict(zip(heading, cells + [None] * (len(heading) - len(cells)), strict=False))

    hint = f"Put cells that have {separator!r} in them in quotes."
    yield from _sound(path, (row(cells) for cells in lines if cells), "has more fields than the heading", hint)


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
    return max((",", ";", "\t", "|"), key=head.count)


def _opened(path: Path) -> IO[str]:
    """A file as text: packed by gzip or not; UTF-8, or UTF-16, else the letters of old Windows."""
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    with _bytes(path, packed=packed) as file:
        head = file.read(2)
        encoding = _of_beginning(head)
        utf_8 = encoding != "utf-8-sig" or _is_utf_8(file, head)
    if not utf_8:
        with _bytes(path, packed=packed) as file:
            encoding = _of_windows(file.read(SAMPLE))
    return TextIOWrapper(_bytes(path, packed=packed), encoding=encoding, newline="")


def _of_beginning(head: bytes) -> str:
    """UTF-16 by its mark, or by the zero beside a first letter that is Latin; UTF-8 until it is known better."""
    if head in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    return "utf-8-sig" if head.count(0) != 1 else "utf-16-le" if head[1] == 0 else "utf-16-be"


def _bytes(path: Path, *, packed: bool) -> BufferedReader:
    return BufferedReader(gzip.open(path, "rb")) if packed else path.open("rb")


def _is_utf_8(file: BufferedReader, head: bytes) -> bool:
    decoder = getincrementaldecoder("utf-8")()
    try:
        decoder.decode(head)
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


def _json(text: str) -> Iterable[Any]:
    """One array of objects, or an object a line."""
    if text.lstrip().startswith("["):
        found: list[Any] = json.loads(text)
        return found
    return (json.loads(line) for line in text.splitlines() if line.strip())


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


def _parquet(path: Path) -> Iterator[Row]:
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

    with ParquetFile(path) as file:
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
