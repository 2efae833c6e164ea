"""Reads logs and tables from files: CSV, JSON lines and Parquet become rows, and rows become facts in order of time.

Reading order: rows, Columns, facts.
"""

import csv
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from aggregates.fact import Fact
from aggregates.touchpoint import channel_of
from infra.errors import Refusal
from projections.churn.telling import number_of

Row = dict[str, Any]

PURCHASED = "sales.order_placed"
RETURNED = "sales.order_returned"
"""The type of an order whose amount is negative: many logs tell returns so."""

ORDERS = frozenset({"", "order", "orders", "purchase", "sale", "transaction", "sales.order_placed", "reseller.sale_reported"})
"""What a type may say that is a purchase, when nothing else was told."""

MEANINGS = {
    "customer": ("customer", "customer_id", "user", "user_id", "client", "account_id"),
    "time": ("time", "timestamp", "occurred", "datetime", "date", "day", "at"),
    "type": ("type", "event", "event_type"),
    "amount": ("amount", "total", "value", "price", "revenue", "dollars"),
    "order": ("order_id", "order", "invoice", "invoice_no", "invoice_id", "transaction_id"),
}
"""The names that columns may have; the first that is there is taken."""


class Told(NamedTuple):
    """One fact of a log, and whose it is."""

    customer: str
    fact: Fact


def rows(path: Path) -> list[Row]:
    """The rows of a file. Raises Refusal."""
    if not path.is_file():
        raise Refusal(f"There is no file {path}.")
    ending = path.suffix.lower()
    try:
        if ending in (".parquet", ".pq"):
            return _parquet(path)
        text = path.read_text(encoding="utf-8-sig")
        if ending in (".jsonl", ".ndjson", ".json"):
            return [_flat(json.loads(line)) for line in text.splitlines() if line.strip()]
        return _csv(text)
    except (UnicodeDecodeError, json.JSONDecodeError, csv.Error, AttributeError) as error:
        raise Refusal(f"{path} cannot be read: {error}.", "It must be CSV with a heading, JSON lines, or Parquet.") from None


def facts(table: Sequence[Row], purchases: frozenset[str], *, contractual: bool = False) -> list[Told]:
    """The facts of a log, in order of time; within one time in the order of the file. Raises Refusal."""
    if not table:
        raise Refusal("The log is empty.")
    columns = {meaning: next((name for name in names if name in table[0]), "") for meaning, names in MEANINGS.items()}
    for meaning in ("customer", "time"):
        if not columns[meaning]:
            raise Refusal(f"The log has no column {meaning!r}; it has {', '.join(table[0])}.")
    told = [_told(number, row, columns, purchases) for number, row in enumerate(_orders(table, columns), 1)]
    if not contractual and not any(one.fact.type == PURCHASED for one in told):
        kinds = sorted({one.fact.type for one in told})[:8]
        raise Refusal(f"No event of the log is a purchase; its types are {', '.join(kinds)}.", "Name them with --purchases.")
    return sorted(told, key=lambda one: one.fact.at)


def _orders(table: Sequence[Row], columns: dict[str, str]) -> Iterator[Row]:
    """Rows that are lines of one order become one row with their sum; all else stays as it is."""
    order, amount = columns["order"], columns["amount"]
    if not order:
        yield from table
        return
    sums: dict[tuple[Any, ...], Row] = {}
    for row in table:
        if row.get(order) in (None, ""):
            yield row
            continue
        key = (row[columns["customer"]], row[order], row.get(columns["type"]), (number_of(row.get(amount)) or 0.0) < 0.0)
        before = sums.get(key)
        if before is None:
            sums[key] = dict(row)
        elif amount:
            before[amount] = (number_of(before.get(amount)) or 0.0) + (number_of(row.get(amount)) or 0.0)
    yield from sums.values()


def _told(number: int, row: Row, columns: dict[str, str], purchases: frozenset[str]) -> Told:
    at = _moment(row[columns["time"]], number)
    kind = str(row.get(columns["type"]) or "").strip()
    amount = number_of(row.get(columns["amount"]))
    type_ = kind
    if kind in purchases or kind.lower() in purchases:
        type_ = PURCHASED if amount is None or amount >= 0.0 else RETURNED
    meant = set(columns.values())
    data = {name: value for name, value in row.items() if name not in meant and value not in (None, "")}
    if amount is not None:
        data["total" if type_ == PURCHASED else "value"] = amount
    event = UUID(int=number)
    customer = str(row[columns["customer"]])
    return Told(customer, Fact(event, at, at, at, "", type_ or PURCHASED, channel_of(type_), "", "", data, ()))


def _moment(value: object, number: int) -> datetime:
    """The time of a row; a time without an offset is of UTC, and a number counts seconds (or, when huge, milliseconds) since 1970."""
    if isinstance(value, datetime):
        moment = value
    elif isinstance(value, date):
        moment = datetime(value.year, value.month, value.day, tzinfo=UTC)
    else:
        text = str(value).strip()
        try:
            moment = _of_number(text) if text.replace(".", "", 1).isdigit() and len(text) != 8 else datetime.fromisoformat(text)
        except (ValueError, OverflowError):
            raise Refusal(
                f"Row {number} has the time {text[:40]!r}, which cannot be read.",
                'Write it like "2026-11-22" or "2026-11-22T10:00:00+03:30".',
            ) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _of_number(text: str) -> datetime:
    seconds = float(text)
    return datetime.fromtimestamp(seconds / 1_000.0 if seconds > 1e11 else seconds, UTC)


def _flat(row: Row) -> Row:
    """A CloudEvent becomes a row of its fields, and its first identifier the customer; any other object is a row already."""
    data = row.get("data")
    if not isinstance(data, dict):
        return row
    who = data.get("who") or {}
    named = {} if not who else {"customer": ":".join(map(str, next(iter(who.items()))))}
    fields = {name: value for name, value in data.items() if name != "who"}
    return {**fields, **named, **{name: row[name] for name in ("customer", "time", "type") if name in row}}


def _csv(text: str) -> list[Row]:
    heading = text.partition("\n")[0]
    delimiter = max((",", ";", "\t", "|"), key=heading.count)
    return list(csv.DictReader(text.splitlines(), delimiter=delimiter))


def _parquet(path: Path) -> list[Row]:
    from pyarrow import ArrowInvalid
    from pyarrow.parquet import read_table

    try:
        found: list[Row] = read_table(path).to_pylist()
    except ArrowInvalid as error:
        raise Refusal(f"{path} cannot be read: {error}.") from None
    return found
