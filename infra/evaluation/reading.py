"""Reads logs and tables from files: CSV, JSON lines and Parquet become rows, and rows become facts in order of time.

Rows are read as often as they are asked for and never held whole. Reading order: File, rows, Log, facts.
"""

import csv
import gzip
import json
import re
from codecs import getincrementaldecoder
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BufferedReader, TextIOWrapper
from itertools import islice
from pathlib import Path
from sys import intern
from typing import IO, Any, NamedTuple
from uuid import UUID

from aggregates.churn import CANCELLED, STARTS
from aggregates.fact import Fact
from aggregates.refusal import Refused
from aggregates.rows import cells
from aggregates.touchpoint import channel_of
from infra.errors import Refusal
from infra.evaluation import times
from infra.evaluation.columns import meant, purchases_among
from infra.evaluation.times import Writing
from projections.churn.telling import number_of

Row = dict[str, Any]

PURCHASED = "sales.order_placed"
RETURNED = "sales.order_returned"
"""The type of an order whose amount is negative: many logs tell returns so."""

NOBODY = UUID(int=0)
"""The facts of a file have no ids of their own; nothing that is learnt goes by one."""

YEARS = range(1970, 2101)
"""What is told of other years is no time but a mark that there is none, like 1900 and 9999."""

_CLOCK = re.compile(r"\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?(?:\s*[ap]\.?m\.?)?", re.IGNORECASE)

NOTHING = frozenset({"", "null", "none", "nan", "na", "n/a", "nat", r"\n"})
"""What stands in a cell that says nothing."""


class Told(NamedTuple):
    """One fact of a log, and whose it is."""

    customer: str
    fact: Fact


class Log(NamedTuple):
    """The facts of a log, in order of time, and how it was read."""

    told: Sequence[Told]
    columns: dict[str, str]  # by meaning
    purchases: tuple[str, ...]  # the types that were taken for one
    contractual: bool
    passed_over: int  # rows without a customer or without a time that can be one


@dataclass(frozen=True, slots=True)
class File:
    """The rows of a file, which is read again each time they are asked for."""

    path: Path

    def __iter__(self) -> Iterator[Row]:
        try:
            yield from _read(self.path)
        except (UnicodeError, OSError, json.JSONDecodeError, csv.Error, AttributeError) as error:
            raise Refusal(f"{self.path} cannot be read: {error}.", "It must be CSV with a heading, JSON lines, or Parquet.") from None


def rows(path: Path) -> Iterable[Row]:
    """The rows of a file, as often as they are asked for. Raises Refusal, also while they are read."""
    if not path.is_file():
        raise Refusal(f"There is no file {path}.")
    return File(path)


def facts(table: Iterable[Row], purchases: frozenset[str] = frozenset(), *, contractual: bool = False) -> Log:
    """The facts of a log, in order of time; within one time in the order of the file. Raises Refusal.

    What is a purchase is known by the types' names unless it is told; a log of nothing but subscriptions is one of contracts.
    """
    names: dict[str, None] = {}
    for row in table:
        names |= dict.fromkeys(row)  # lines of JSON need not have all columns
    if not names:
        raise Refusal("The log is empty.")
    columns = meant(list(names))
    for meaning in ("customer", "time"):
        if not columns[meaning]:
            raise Refusal(f"The log has no column {meaning!r}; it has {', '.join(names)}.", f"Call the column {meaning!r}.")
    if beside := _day_beside(table, columns, list(names)):
        table, columns["time"] = _Joined(table, beside, columns["time"]), beside
    kinds = {_text(row.get(columns["type"])) for row in table}
    bought = frozenset(kind for kind in kinds if kind in purchases or kind.lower() in purchases) if purchases else purchases_among(kinds)
    contractual = contractual or (not bought and bool(kinds & {*STARTS, CANCELLED}))
    if not contractual and not bought:
        raise Refusal(f"No event of the log is a purchase; its types are {', '.join(sorted(kinds)[:8])}.", "Name them with --purchases.")
    writing = times.writing_of(row.get(columns["time"]) for row in table)
    told: list[Told] = []
    passed_over = 0
    for number, row in enumerate(_orders(table, columns), 1):
        one = _told(number, row, columns, bought, writing)
        if one is None:
            passed_over += 1
        else:
            told.append(one)
    if not told:
        raise Refusal("No row of the log has both a customer and a time.")
    told.sort(key=lambda one: one.fact.at)
    return Log(told, {meaning: name for meaning, name in columns.items() if name}, tuple(sorted(bought)), contractual, passed_over)


@dataclass(frozen=True, slots=True)
class _Joined:
    """Rows whose day and time of day stand in two columns."""

    rows: Iterable[Row]
    day: str
    clock: str

    def __iter__(self) -> Iterator[Row]:
        for row in self.rows:
            both = {self.day: f"{_text(row.get(self.day))} {_text(row.get(self.clock))}".strip()}
            yield {name: value for name, value in row.items() if name != self.clock} | both


def _day_beside(table: Iterable[Row], columns: dict[str, str], names: Sequence[str]) -> str:
    """The column of the day, where that of the time says the time of day alone; else empty."""
    first = next((text for row in table if (text := _text(row.get(columns["time"])))), "")
    return meant([name for name in names if name != columns["time"]])["time"] if _CLOCK.fullmatch(first) else ""


def _orders(table: Iterable[Row], columns: dict[str, str]) -> Iterator[Row]:
    """Rows that are lines of one order become one row with their sum; all else stays as it is."""
    order, amount = columns["order"], columns["amount"] or columns["unit_price"]
    if not order:
        yield from table
        return
    sums: dict[tuple[Any, ...], Row] = {}
    for row in table:
        if not _text(row.get(order)):
            yield row
            continue
        worth = _amount(row, columns)
        key = (row.get(columns["customer"]), row[order], row.get(columns["type"]), (worth or 0.0) < 0.0)
        before = sums.get(key)
        if before is None:
            before = sums[key] = dict(row)
            before.pop(columns["quantity"], None)  # it is counted in the amount
        elif worth is not None:
            worth += number_of(before.get(amount)) or 0.0
        if worth is not None:
            before[amount] = worth
    yield from sums.values()


def _told(number: int, row: Row, columns: dict[str, str], purchases: frozenset[str], writing: Writing) -> Told | None:
    customer, when = _text(row.get(columns["customer"])), row.get(columns["time"])
    if not customer or not _text(when):
        return None
    at = _moment(when, writing, number)
    if at.year not in YEARS:
        return None
    kind = _text(row.get(columns["type"]))
    amount = _amount(row, columns)
    type_ = kind
    if kind in purchases:
        type_ = PURCHASED if amount is None or amount >= 0.0 else RETURNED
    meant_ = columns.values()
    data = {name: value for name, value in row.items() if name not in meant_ and name and _text(value)}
    if amount is not None:
        data["total" if type_ == PURCHASED else "value"] = amount
    type_ = intern(type_ or PURCHASED)
    return Told(intern(customer), Fact(NOBODY, at, at, at, "", type_, channel_of(type_), "", "", data, ()))


def _amount(row: Row, columns: dict[str, str]) -> float | None:
    """What a row came to: its amount, else the quantity times the price of one."""
    if columns["amount"]:
        return _number(row.get(columns["amount"]))
    price = _number(row.get(columns["unit_price"]))
    if price is None:
        return None
    quantity = _number(row.get(columns["quantity"]))
    return price if quantity is None else price * quantity


def _number(cell: object) -> float | None:
    """A number, however people write it; None where there is none."""
    if (plainly := number_of(cell)) is not None or not isinstance(cell, str) or not cell.strip():
        return plainly
    try:
        return float(cells.number(cell.strip().lstrip("$€£¥").strip(), ""))
    except Refused:
        return None


def _text(cell: object) -> str:
    """What a cell says; empty where it says nothing. A number that a table keeps as 5001.0 is 5001."""
    if cell is None:
        return ""
    text = str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell).strip()
    return "" if text.lower() in NOTHING else text


def _moment(cell: object, writing: Writing, number: int) -> datetime:
    try:
        return times.moment(cell, writing)
    except ValueError:
        raise Refusal(
            f"Row {number} has the time {str(cell)[:40]!r}, which cannot be read.",
            'Write it like "2026-11-22" or "2026-11-22T10:00:00+03:30".',
        ) from None


def _read(path: Path) -> Iterator[Row]:
    ending = Path(path.stem).suffix.lower() if path.suffix.lower() == ".gz" else path.suffix.lower()
    if ending in (".parquet", ".pq"):
        yield from _parquet(path)
        return
    with _opened(path) as file:
        if ending in (".jsonl", ".ndjson"):
            yield from (_flat(json.loads(line)) for line in file if line.strip())
        elif ending == ".json":
            yield from map(_flat, _json(file.read()))
        else:
            head = "".join(islice(file, 1))
            file.seek(0)
            yield from csv.DictReader(file, delimiter=max((",", ";", "\t", "|"), key=head.count))


def _opened(path: Path) -> IO[str]:
    """A file as text: packed by gzip or not; UTF-8, or UTF-16 with its mark, else the letters of old Windows."""
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    with _bytes(path, packed=packed) as file:
        head = file.read(2)
        encoding = "utf-16" if head in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
        if encoding == "utf-8-sig" and not _is_utf_8(file, head):
            encoding = "cp1252"
    return TextIOWrapper(_bytes(path, packed=packed), encoding=encoding, newline="")


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


def _json(text: str) -> Iterable[Row]:
    """One array of objects, or an object a line."""
    if text.lstrip().startswith("["):
        found: list[Row] = json.loads(text)
        return found
    return (json.loads(line) for line in text.splitlines() if line.strip())


def _flat(row: Row) -> Row:
    """A CloudEvent becomes a row of its fields, and its first identifier the customer; any other object is a row already."""
    data = row.get("data")
    if not isinstance(data, dict):
        return row
    who = data.get("who") or {}
    named = {} if not who else {"customer": ":".join(map(str, next(iter(who.items()))))}
    fields = {name: value for name, value in data.items() if name != "who"}
    return {**fields, **named, **{name: row[name] for name in ("customer", "time", "type") if name in row}}


def _parquet(path: Path) -> Iterator[Row]:
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

    try:
        with ParquetFile(path) as file:
            schema = pa.schema([field.with_type(_of_python(field.type)) for field in file.schema_arrow])
            for batch in file.iter_batches(10_000):
                yield from batch.cast(schema, safe=False).to_pylist()
    except pa.ArrowInvalid as error:
        raise Refusal(f"{path} cannot be read: {error}.") from None


def _of_python(type_: Any) -> Any:
    """The type whose values Python has: its times have microseconds."""
    import pyarrow as pa

    return pa.timestamp("us", type_.tz) if pa.types.is_timestamp(type_) and type_.unit == "ns" else type_
