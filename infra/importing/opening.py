"""Opens a file as the table that it is, by its bytes where its name does not say. Reading order: Opened, opened."""

from dataclasses import dataclass
from pathlib import Path

from aggregates.rows.mapping import Mapping
from infra.errors import Refusal
from infra.importing import delimited, encoding, records, workbook
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
        with path.open("rb") as file:
            mark = file.read(8)
        return Opened(path, looked.sha256, _table(path, mark, looked.encoding, mapping))
    except OSError as error:
        raise Refusal(f"{path} cannot be read: {error.strerror or error}.") from error


def _table(path: Path, mark: bytes, written: str, mapping: Mapping) -> Table:
    suffix = path.suffix.lower()
    if mark.startswith(b"PAR1"):
        return records.parquet(path)
    if suffix in workbook.SUFFIXES or mark.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        return workbook.read(path, mapping)
    if suffix in LINES or (suffix not in {".csv", ".tsv", ".txt"} and mark.lstrip()[:1] == b"{"):
        return records.json_lines(path, written, mapping)
    return delimited.read(path, written, mapping)
