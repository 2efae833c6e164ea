"""Reads files whose rows name their cells themselves: JSON lines and Parquet."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from aggregates.rows.mapping import Mapping
from infra.errors import Refusal
from infra.importing import packed
from infra.importing.table import Read, Table, plain

LINE = 4 << 20


def json_lines(path: Path, encoding: str, mapping: Mapping) -> Table:
    """The table of a file with one JSON object a line."""
    rows = _objects(path, mapping.file.encoding or encoding)
    first = list(itertools.islice(rows, 100))
    names = dict.fromkeys(name for read in first if not read.fault for name in read.cells)
    return Table("JSON lines", tuple(names), itertools.chain(first, rows))


def parquet(path: Path) -> Table:
    """The table of a Parquet file."""
    import pyarrow
    import pyarrow.parquet

    try:
        file = pyarrow.parquet.ParquetFile(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise Refusal(f"{path} cannot be read as Parquet.") from error
    return Table("Parquet", tuple(file.schema_arrow.names), _records(file))


def _objects(path: Path, encoding: str) -> Iterator[Read]:
    with packed.text(path, encoding) as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                found = msgspec.json.decode(line)
            except (msgspec.MsgspecError, RecursionError):
                found = None
            yield Read(number, found) if isinstance(found, dict) else Read(number, {"": line.rstrip("\n")[:LINE]}, "not_json")


def _records(file: Any) -> Iterator[Read]:
    number = 0
    for batch in file.iter_batches(batch_size=1_000):
        for record in batch.to_pylist():
            number += 1
            yield Read(number, {name: plain(value) for name, value in record.items() if value is not None})
