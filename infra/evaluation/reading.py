"""Reads logs: the rows of a file become facts in order of time.

Nothing that a log says is dropped in silence: rows that are passed over and cells that cannot be read are counted.
Reading order: Log, facts.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from math import isfinite
from sys import intern
from typing import Any, NamedTuple
from uuid import UUID

from aggregates.churn import CANCELLED, RENEWED, STARTS
from aggregates.fact import Fact
from aggregates.touchpoint import channel_of
from infra.errors import Refusal
from infra.evaluation import numbers, times
from infra.evaluation.columns import (
    MEANINGS,
    NOTHING_SAID,
    contracts_among,
    folded,
    may_tell_types,
    meant,
    purchases_among,
    tells_types,
)
from infra.evaluation.files import Row
from infra.evaluation.times import Writing

PURCHASED = "sales.order_placed"
RETURNED = "sales.order_returned"
"""The type of an order whose amount is negative: many logs tell returns so."""

NOBODY = UUID(int=0)
"""The facts of a file have no ids of their own; nothing that is learnt goes by one."""

YEARS = range(1970, 2101)
"""What is told of other years is no time but a mark that there is none, like 1900 and 9999."""

MONEY = ("amount", "unit_price", "quantity")
"""The meanings whose cells are numbers."""

MOST_TYPES = 2_000
"""Words of a column beyond which they are no types."""

MEND = "Name them with --purchases."

_LONGEST_OF_NOTHING = max(map(len, numbers.NOTHING))

_CLOCK = re.compile(r"\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?(?:\s*[ap]\.?m\.?)?", re.IGNORECASE)


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
    contracts: dict[str, str]  # by type, what it does with a contract
    passed_over: int  # rows without a customer or without a time that can be one, or with more fields than the heading
    unread: dict[str, int]  # by column, the cells that say something that cannot be read


class _Survey(NamedTuple):
    """What the cells of a log show of how it is written."""

    kinds: set[str]  # what its types are called
    numbers: dict[str, numbers.Column]  # by column
    time: times.Column
    ends: times.Column


@dataclass(frozen=True, slots=True)
class _Manner:
    """How a log is written."""

    columns: dict[str, str]
    purchases: frozenset[str]
    contracts: dict[str, str]
    only: tuple[str, ...]  # the columns that tell lines of products apart
    time: Writing
    ends: Writing
    commas: dict[str, bool]  # of the columns that are numbers only people write so: whether a comma stands before decimals


def facts(
    table: Iterable[Row],
    purchases: frozenset[str] = frozenset(),
    *,
    contractual: bool = False,
    only: Collection[str] = (),
    said: Mapping[str, str] = NOTHING_SAID,
) -> Log:
    """The facts of a log, in order of time, then of customers; within both in the order of the file. Raises Refusal.

    What columns mean is known by their names unless it is said, and what is a purchase by the types' names unless it is told; a log of
    nothing but subscriptions is one of contracts. Lines of an order are one where they say the same in the columns of `only`.
    """
    names: dict[str, None] = {}
    for row in table:
        names |= dict.fromkeys(row)  # lines of JSON need not have all columns
    if not names:
        raise Refusal("The log is empty.")
    columns = meant(list(names), _found(said, names))
    if missing := [name for name in only if name not in names or name in columns.values()]:
        raise Refusal(f"No column {missing[0]!r} of the log tells a line of products; it has {', '.join(names)}.", "Name one with --only.")
    for meaning in ("customer", "time"):
        if not columns[meaning]:
            raise _missing(meaning, columns, list(names))
    if apart := _day_and_clock(table, columns, list(names)):
        table, columns["time"] = _Joined(table, *apart), apart[0]
    if "type" not in said:
        columns["type"] = _telling_types(table, columns, list(names), purchases)
    survey = _surveyed(table, columns)
    if survey.time.lacks_year:
        raise Refusal(
            f"The times of the column {columns['time']!r} are a month and a day, like 0829, without a year.",
            "Put the year before each, like 20140829; another column can be named with --columns time=NAME.",
        )
    kinds = survey.kinds
    bought = _named(kinds, purchases) if purchases else purchases_among(kinds)
    contracts = contracts_among(kinds)
    contractual = contractual or (bought <= {""} and (bool(kinds & {*STARTS, CANCELLED}) or len({*contracts.values()}) > 1))
    if contractual and columns["ends"] and kinds <= {""}:
        bought, contracts = frozenset(), {"": RENEWED}  # until when each row pays is all that there is to say
    if contractual and not STARTS & {*contracts.values()}:
        types = f"its types are {', '.join(sorted(kinds - {''})[:8])}" if kinds - {""} else "it has no types"
        raise Refusal(
            f"No event of the log starts a contract; {types}.", f"The types that do are {' and '.join(sorted(STARTS, reverse=True))}."
        )
    if not contractual and not bought:
        raise Refusal(f"No event of the log is a purchase; its types are {', '.join(sorted(kinds)[:8])}.", MEND)
    if not contractual:
        columns["ends"] = columns["contract"] = ""  # they are data like any other
        contracts = {}
    manner, unread = _manner(survey, columns, bought, contracts, only)
    told, passed_over = _all(table, manner, unread)
    if not told:
        raise Refusal("No row of the log has both a customer and a time.")
    returned = sum(one.fact.type == RETURNED and "value" in one.fact.data for one in told)
    if 2 * returned > (all_ := returned + sum(one.fact.type == PURCHASED for one in told)) > returned:
        raise Refusal(
            f"{returned:,} of {all_:,} purchases have a negative amount in {columns['amount']!r}, which is read as a return.",
            "Turn the sign of amounts, or leave them out with --columns amount=.",
        )
    told.sort(key=lambda one: (one.fact.at, one.customer))
    found = {meaning: name for meaning, name in columns.items() if name}
    return Log(told, found, tuple(sorted(bought)), contractual, contracts, passed_over, dict(unread))


def _found(said: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """The columns that were said to have a meaning, in whatever case; none where that was said. Raises Refusal."""
    known = {folded(name): name for name in names} | {name: name for name in names}
    found: dict[str, str] = {}
    for meaning, name in said.items():
        if meaning not in MEANINGS:
            raise Refusal(f"There is no meaning {meaning!r} of columns.", f"Those that there are: {', '.join(MEANINGS)}.")
        found[meaning] = known.get(name, known.get(folded(name), "")) if name else ""
        if name and not found[meaning]:
            raise Refusal(f"The log has no column {name!r}; it has {', '.join(names)}.", "Name one with --columns.")
    return found


def _missing(meaning: str, columns: Mapping[str, str], names: Sequence[str]) -> Refusal:
    """That a log has no column of a meaning it needs, as exactly as can be known."""
    if not (columns["customer"] or columns["time"]) and 2 * sum(map(str.isdigit, (name.strip()[:1] for name in names))) > len(names):
        return Refusal(
            f"The log has no heading, it seems; it begins with {', '.join(names)}.", "Begin it with one: customer,time,type,amount."
        )
    sentence = f"The log has no column {meaning!r}; it has {', '.join(names)}."
    if meaning == "time" and (since := next((name for name in names if "since" in folded(name).split("_")), "")):
        return Refusal(
            f"{sentence} How long it was since something else, as in {since!r}, is no time.",
            "Count each customer's days from a first one on, and call that column 'day'.",
        )
    return Refusal(
        sentence,
        f"Say which it is with --columns {meaning}=NAME. A table with one row a customer and no time is judged with --no-time.",
    )


def text_of(cell: object) -> str:
    """What a cell says; empty where it says nothing. A number that a table keeps as 5001.0 is 5001."""
    if isinstance(cell, str):
        text = cell.strip()
    elif cell is None:
        return ""
    elif isinstance(cell, (float, Decimal)):
        text = str(int(cell)) if isfinite(cell) and cell == int(cell) else str(cell)
    else:
        text = str(cell).strip()
    return "" if len(text) <= _LONGEST_OF_NOTHING and text.lower() in numbers.NOTHING else text


def _named(kinds: Collection[str], purchases: Iterable[str]) -> frozenset[str]:
    """The types that were named as a purchase, in whatever case. Raises Refusal for one that there is not."""
    named = {kind.casefold(): kind for kind in purchases}
    found = frozenset(kind for kind in kinds if kind.casefold() in named)
    if missing := named.keys() - {kind.casefold() for kind in found}:
        raise Refusal(f"No event of the log is of the type {named[min(missing)]!r}; its types are {', '.join(sorted(kinds)[:8])}.", MEND)
    return found


@dataclass(frozen=True, slots=True)
class _Joined:
    """Rows whose day and time of day stand in two columns."""

    rows: Iterable[Row]
    day: str
    clock: str

    def __iter__(self) -> Iterator[Row]:
        for row in self.rows:
            both = {self.day: f"{text_of(row.get(self.day))} {text_of(row.get(self.clock))}".strip()}
            yield {name: value for name, value in row.items() if name != self.clock} | both


def _day_and_clock(table: Iterable[Row], columns: dict[str, str], names: Sequence[str]) -> tuple[str, str] | None:
    """The columns of the day and of the time of day, where they stand apart; else none."""
    time = columns["time"]
    other = meant([name for name in names if name != time])["time"]
    if not other:
        return None
    said, beside = (next((text for row in table if (text := text_of(row.get(name)))), "") for name in (time, other))
    if _CLOCK.fullmatch(said):
        return other, time
    of_one = folded(time).removesuffix("date") == folded(other).removesuffix("time")
    return (time, other) if of_one and _CLOCK.fullmatch(beside) and ":" not in said and not times.counts(said) else None


def _telling_types(table: Iterable[Row], columns: dict[str, str], names: Sequence[str], purchases: Collection[str]) -> str:
    """The column that tells what happened: the first by its name, unless its words are no types, or none that was named, and those of
    another are."""
    by_name = columns["type"]
    others = [name for name in names if name not in columns.values() and may_tell_types(name)]
    if not others:
        return by_name
    found: dict[str, set[str]] = {name: set() for name in (by_name, *others) if name}
    for row in table:
        for name, words in found.items():
            if len(words) <= MOST_TYPES:
                words.add(text_of(row.get(name)))
    named = {kind.casefold() for kind in purchases}

    def tells(words: set[str]) -> bool:
        return len(words) <= MOST_TYPES and (any(word.casefold() in named for word in words) if named else tells_types(words))

    return next((name for name, words in found.items() if tells(words)), by_name)


def _surveyed(table: Iterable[Row], columns: dict[str, str]) -> _Survey:
    """A look at all cells."""
    type_, time, ends = columns["type"], columns["time"], columns["ends"]
    survey = _Survey(set(), {}, times.Column(), times.Column())
    words = {columns[meaning] for meaning in ("customer", "time", "type", "order")}
    money = {columns[meaning] for meaning in MONEY}
    kinds: set[str] = set()
    for row in table:
        if not row:
            continue
        kind = row.get(type_)
        kinds.add(kind if isinstance(kind, str) else text_of(kind))
        survey.time.see(row.get(time))
        survey.ends.see(row.get(ends))
        for name, cell in row.items():
            if name not in words:
                column = survey.numbers.setdefault(name, numbers.Column())
                column.see(cell)
                if column.unread and name not in money:
                    words.add(name)  # it is not looked at again
    survey.kinds.update(map(text_of, kinds))
    return survey


def _manner(
    survey: _Survey, columns: dict[str, str], bought: frozenset[str], contracts: dict[str, str], only: Collection[str]
) -> tuple[_Manner, Counter[str]]:
    """How a log is written, and how many cells of numbers cannot be read."""
    money = {columns[meaning] for meaning in MONEY} - {""}
    seen = survey.numbers
    unread = Counter({name: seen[name].unread for name in sorted(money) if name in seen and seen[name].unread})
    commas = {name: column.comma for name, column in seen.items() if name in money or column.numeric}
    return _Manner(columns, bought, contracts, tuple(only), survey.time.writing(), survey.ends.writing(survey.time), commas), unread


def _all(table: Iterable[Row], manner: _Manner, unread: Counter[str]) -> tuple[list[Told], int]:
    """All facts, and how many rows are passed over. Raises Refusal when most times cannot be read."""
    told: list[Told] = []
    passed_over = faults = 0
    first: tuple[int, object] = (0, "")
    for number, row in _orders(table, manner):
        try:
            one = _told(row, manner, unread)
        except ValueError:
            one, faults = None, faults + 1
            first = first if first[0] else (number, row.get(manner.columns["time"]))
        except Exception as error:  # noqa: BLE001 - whatever a row does to its reader, people are told in a sentence which it is
            raise Refusal(f"Row {number} cannot be read: {error}.") from None
        if one is None:
            passed_over += 1
        else:
            told.append(one)
    if faults > len(told):
        raise Refusal(
            f"Row {first[0]} has the time {str(first[1])[:40]!r}, which cannot be read, and so it is with most.",
            'Write it like "2026-11-22" or "2026-11-22T10:00:00+03:30".',
        )
    if faults:
        unread[manner.columns["time"]] += faults
    return told, passed_over


def _orders(table: Iterable[Row], manner: _Manner) -> Iterator[tuple[int, Row]]:
    """Rows and their numbers; those that are lines of one order become one row with their sum, all else stays as it is."""
    columns = manner.columns
    order, amount = columns["order"], columns["amount"] or columns["unit_price"]
    if not order:
        yield from enumerate(table, 1)
        return
    sums: dict[tuple[Any, ...], tuple[int, Row]] = {}
    for number, row in enumerate(table, 1):
        if not text_of(row.get(order)):
            yield number, row
            continue
        worth = _amount(row, manner)
        key = (
            *[text_of(row.get(columns[meaning])) for meaning in ("customer", "order", "type")],
            *[text_of(row.get(name)) for name in manner.only],
            (worth or 0.0) < 0.0,
        )
        if key not in sums:
            sums[key] = number, dict(row)
            sums[key][1].pop(columns["quantity"], None)  # it is counted in the amount
        elif worth is not None:
            worth += numbers.number(sums[key][1].get(amount), comma=manner.commas.get(amount, False)) or 0.0
        if worth is not None:
            sums[key][1][amount] = worth
    yield from sums.values()


def _told(row: Row, manner: _Manner, unread: Counter[str]) -> Told | None:
    """The fact of a row; None where it has no customer or no time. Raises ValueError when its time cannot be read."""
    columns = manner.columns
    customer, when = text_of(row.get(columns["customer"])), row.get(columns["time"])
    if not customer or not text_of(when):
        return None
    at = times.moment(when, manner.time)
    if at.year not in YEARS:
        return None
    kind = text_of(row.get(columns["type"]))
    amount = _amount(row, manner)
    type_ = manner.contracts.get(kind, kind)
    if kind in manner.purchases:
        type_ = PURCHASED if amount is None or amount >= 0.0 else RETURNED
    meant_ = columns.values()
    data = {name: data_of(name, value, manner.commas) for name, value in row.items() if name not in meant_ and name and text_of(value)}
    if amount is not None:
        data["total" if type_ == PURCHASED else "value"] = amount
    if (ends := _ends(row, manner, unread)) is not None:
        data["ends_at"] = ends.isoformat()
    if number := text_of(row.get(columns["contract"])):
        data["subscription_id"] = number
    type_ = intern(type_ or PURCHASED)
    return Told(intern(customer), Fact(NOBODY, at, at, at, "", type_, channel_of(type_), "", "", data, ()))


def data_of(name: str, value: object, commas: dict[str, bool]) -> object:
    """What a further column tells: a number where all of the column is, however it is written, and seconds where it tells a duration."""
    if not isinstance(value, str):
        return numbers.plainly(value)
    if name in commas:
        return numbers.number(value, comma=commas[name])
    seconds = numbers.lasted(value) if numbers.tells_how_long(name) else None
    return _once(value) if seconds is None else seconds


@lru_cache(maxsize=65_536)
def _once(text: str) -> str:
    """The same text: words that many rows say are kept once."""
    return text


def _amount(row: Row, manner: _Manner) -> float | None:
    """What a row came to: its amount, else the quantity times the price of one."""

    def said(meaning: str) -> float | None:
        name = manner.columns[meaning]
        return numbers.number(row.get(name), comma=manner.commas.get(name, False))

    if manner.columns["amount"]:
        return said("amount")
    price, quantity = said("unit_price"), said("quantity")
    return price if price is None or quantity is None else price * quantity


def _ends(row: Row, manner: _Manner, unread: Counter[str]) -> datetime | None:
    """When a contract ends; None where that is not told, or told to be never."""
    cell = row.get(manner.columns["ends"]) if manner.columns["ends"] else None
    if not text_of(cell):
        return None
    try:
        ends = times.moment(cell, manner.ends)
    except ValueError:
        unread[manner.columns["ends"]] += 1
        return None
    return ends if ends.year in YEARS else None
