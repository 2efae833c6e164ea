"""Writes logs as other programs do, and reads them."""

from pathlib import Path
from typing import Any

from infra.evaluation import files, reading
from infra.evaluation.reading import Log


def read(
    folder: Path, text: str | bytes, name: str = "log.csv", purchases: frozenset[str] = frozenset(), *, contractual: bool = False
) -> Log:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return reading.facts(files.rows(path), purchases, contractual=contractual)


def parquet(folder: Path, columns: dict[str, Any]) -> Log:
    import pyarrow as pa
    from pyarrow import parquet as written

    written.write_table(pa.table(columns), folder / "log.parquet")
    return reading.facts(files.rows(folder / "log.parquet"))


def totals(log: Log) -> list[object]:
    return [one.fact.data.get("total", one.fact.data.get("value")) for one in log.told]


ORDERS = "a,2024-03-01,5\na,2024-03-02,6\na,2024-03-03,7\n"
