"""Reads files whose rows name their cells themselves: JSON and Parquet."""

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
    """The table of a file with one JSON object a line, or one array of them."""
    written = mapping.file.encoding or encoding
    array = _array(path, written)
    rows = _objects(path, written) if array is None else (_read(*numbered) for numbered in enumerate(array, 1))
    first = list(itertools.islice(rows, 100))
    names = dict.fromkeys(name for read in first if not read.fault for name in read.cells)
    return Table("JSON lines" if array is None else "one JSON array", tuple(names), itertools.chain(first, rows))


def parquet(path: Path) -> Table:
    """The table of a Parquet file."""
    import pyarrow
    import pyarrow.parquet

    try:
        file = pyarrow.parquet.ParquetFile(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise Refusal(f"{path} cannot be read as Parquet.") from error
    return Table("Parquet", tuple(file.schema_arrow.names), _records(file))


def _array(path: Path, encoding: str) -> list[msgspec.Raw] | None:
    """What stands in a file that is one array; None where it is none."""
    with packed.text(path, encoding) as file:
        first = next(filter(str.strip, file), "")
        if not first.lstrip().startswith("["):
            return None
        try:
            return msgspec.json.decode(first + file.read(), type=list[msgspec.Raw])
        except (msgspec.MsgspecError, RecursionError):
            return None


def _objects(path: Path, encoding: str) -> Iterator[Read]:
    with packed.text(path, encoding) as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield _read(number, line)


def _read(number: int, text: str | msgspec.Raw) -> Read:
    try:
        found = msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError):
        found = None
    if isinstance(found, dict):
        return Read(number, found)
    return Read(number, {"": (text if isinstance(text, str) else bytes(text).decode()).rstrip("\n")[:LINE]}, "not_json")


def _records(file: Any) -> Iterator[Read]:
    number = 0
    for batch in file.iter_batches(batch_size=1_000):
        for record in batch.to_pylist():
            number += 1
            yield Read(number, {name: plain(value) for name, value in record.items() if value is not None})
