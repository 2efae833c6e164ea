"""Opens a file as the table that it is, by its bytes where its name does not say. Reading order: Opened, opened, fitting."""

import zlib
from dataclasses import dataclass
from pathlib import Path

from aggregates.contracts import CONTRACTS
from aggregates.rows.layout import layout
from aggregates.rows.mapping import Mapping
from aggregates.written.problem import nearest
from infra.errors import Refusal
from infra.importing import delimited, encoding, packed, records, workbook
from infra.importing.table import Table

LINES = frozenset({".jsonl", ".ndjson", ".json"})


@dataclass(frozen=True, slots=True)
class Opened:
    """A file that can be imported."""

    path: Path
    sha256: str
    table: Table


def opened(path: Path, mapping: Mapping) -> Opened:
    """The file as a table. Raises Refusal when it cannot be read."""
    try:
        looked = encoding.look(path)
        with packed.raw(path) as file:
            mark = file.read(8)
        return Opened(path, looked.sha256, _table(path, mark, looked.encoding, mapping))
    except (EOFError, zlib.error) as error:
        raise Refusal(f"{path} is packed, and cut off or broken.", "Send it again.") from error
    except OSError as error:
        raise Refusal(f"{path} cannot be read: {error.strerror or error}.") from error


def fitting(file: Opened, mapping: Mapping) -> None:
    """A mapping for another file, or a file without headers, is told before a thousand rows are refused for it. Raises Refusal."""
    found = layout(mapping, file.table.headers)
    if "JSON" in file.table.how:
        return
    has = ", ".join(file.table.headers[:20])[:300]
    if found.missing:
        name = found.missing[0]
        near = nearest(name, file.table.headers)
        hint = f"Did you mean {near}?" if near else f"It has: {has}."
        raise Refusal(f"The mapping names a column {name} that {file.path.name} does not have.", hint)
    if mapping.type in CONTRACTS and file.table.headers and not found.columns:
        hint = "Say in the mapping what its columns are, or in which line its headers stand."
        raise Refusal(f"No header of {file.path.name} is known, which is read as {file.table.how}; it begins: {has!r}.", hint)


def _table(path: Path, mark: bytes, written: str, mapping: Mapping) -> Table:
    suffix = packed.suffix(path)
    if mark.startswith(b"PAR1"):
        return records.parquet(path)
    if suffix in workbook.SUFFIXES or mark.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        return workbook.read(path, mapping)
    if suffix in LINES or (suffix not in {".csv", ".tsv", ".txt"} and mark.lstrip()[:1] == b"{"):
        return records.json_lines(path, written, mapping)
    return delimited.read(path, written, mapping)
