"""The same list of sales in every format that partners send."""

import csv
import gzip
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

HEADERS = ("شماره فاکتور", "تاریخ", "موبایل", "کد کالا", "تعداد", "مبلغ کل (تومان)")
ROWS: list[list[Any]] = [
    [310, "۱۴۰۴/۰۸/۳۰", "09121234567", "TEA-250", 2, 390_000],
    [311, "۱۴۰۴/۰۹/۰۱", "09351234567", "CUP-1", 1, 90_000],
]


def text(path: Path, *, encoding: str = "utf-8", delimiter: str = ",", title: str = "", arabic: bool = False) -> Path:
    """CSV."""
    with path.open("w", encoding=encoding, newline="") as file:
        if title:
            file.write(title + "\n")
        writer = csv.writer(file, delimiter=delimiter)
        for row in [HEADERS, *ROWS]:
            cells = [str(cell) for cell in row]
            if arabic:  # what Windows-1256 has
                cells = [cell.replace("ی", "ي").replace("ک", "ك").translate({0x6F0 + n: str(n) for n in range(10)}) for cell in cells]
            writer.writerow(cells)
    return path


def workbook(path: Path, *, dates: bool = False) -> Path:
    """Excel, with a title above the headers and the list in the second sheet."""
    import xlsxwriter

    book = xlsxwriter.Workbook(str(path))
    book.add_worksheet("راهنما")
    sheet = book.add_worksheet("فروش")
    sheet.write(0, 0, "گزارش فروش آبان")
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    for y, row in enumerate([HEADERS, *ROWS], 2):
        for x, cell in enumerate(row):
            if dates and x == 1 and y > 2:
                sheet.write_datetime(y, x, datetime(2025, 11, 18 + y), day)  # noqa: DTZ001 - sheets know no zones
            else:
                sheet.write(y, x, cell)
    book.close()
    return path


def zipped(path: Path, written: Path) -> Path:
    """What another writer wrote, packed."""
    path.write_bytes(gzip.compress(written.read_bytes()))
    return path


def lines(path: Path) -> Path:
    """JSON lines."""
    path.write_text("".join(json.dumps(dict(zip(HEADERS, row, strict=True)), ensure_ascii=False) + "\n" for row in ROWS), "utf-8")
    return path


def parquet(path: Path) -> Path:
    """Parquet."""
    import pyarrow
    import pyarrow.parquet

    table = pyarrow.table({name: [row[x] for row in ROWS] for x, name in enumerate(HEADERS)})
    pyarrow.parquet.write_table(table, path)
    return path


FORMATS: dict[str, Callable[[Path], Path]] = {
    "utf-8.csv": text,
    "mark.csv": lambda path: text(path, encoding="utf-8-sig", delimiter=";"),
    "windows.csv": lambda path: text(path, encoding="windows-1256", delimiter="\t", arabic=True),
    "utf-16.csv": lambda path: text(path, encoding="utf-16", delimiter="\t"),
    "unmarked.csv": lambda path: text(path, encoding="utf-16-le"),
    "unmarked-big.csv": lambda path: text(path, encoding="utf-16-be"),
    "packed.csv.gz": lambda path: zipped(path, text(path.with_name("a.csv"))),
    "packed.jsonl.gz": lambda path: zipped(path, lines(path.with_name("a.jsonl"))),
    "title.csv": lambda path: text(path, title="گزارش فروش آبان", delimiter="|"),
    "excel-says.csv": lambda path: text(path, title="sep=;", delimiter=";"),
    "book.xlsx": workbook,
    "dates.xlsx": lambda path: workbook(path, dates=True),
    "lines.jsonl": lines,
    "table.parquet": parquet,
}
