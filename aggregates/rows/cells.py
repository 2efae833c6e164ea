"""Reads one cell as what its field holds: amounts with Persian digits and separators, counts, currencies, days.

What cannot be read is refused with what to write instead; no refusal quotes the cell. Reading order: value, then the kinds.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Literal

from aggregates.normal.persian import plain
from aggregates.refusal import Refused
from aggregates.rows import headers
from aggregates.rows.dates import Order, day, moment
from aggregates.rows.fields import Kind

Cell = str | int | float | bool | None | list[Any] | dict[str, Any]

Mark = Literal["", "point", "comma", "slash", "none"]
MARKS: Mapping[Mark, str] = MappingProxyType({"point": ".", "comma": ",،", "slash": "/٫", "none": ""})
"""What a mapping may say stands before decimals; every other sign between digits stands between thousands then."""

_SIGN = re.compile(r"[.,،/٫٬'’_ ]")

_MINUS = re.compile(r"^\((.*)\)$")
_GROUPED = re.compile(r"^-?\d{1,3}(?:[,'’_ ]\d{3})+(?:[.]\d+)?$")
_DOTTED = re.compile(r"^-?\d{1,3}(?:(?:\.\d{3}){2,}(?:,\d+)?|\.\d{3},\d+)$", re.ASCII)
"""Grouped by points as on the continent: two of them, or a comma behind, leave no doubt."""

_DOUBTFUL = re.compile(r"^-?[1-9]\d{0,2}[.٫]\d{3}$", re.ASCII)
"""250.000, 250/000 and ۲۵۰٫۰۰۰ are two hundred and fifty thousand to whoever types that mark between thousands, and 250 to others."""

_NUMBER = re.compile(r"^-?\d+(?:[.]\d+)?$", re.ASCII)
_EXPONENT = re.compile(r"^-?\d+(?:[.]\d+)?[eE][+-]?\d{1,2}$", re.ASCII)
EMPTY = frozenset({"", "-", "–", "—", "n/a", "null", "none", "nan", "#n/a", "نامشخص", "ندارد"})


def empty(cell: Cell) -> bool:
    """Whether a cell says nothing."""
    return cell is None or cell in ([], {}) or (isinstance(cell, str) and plain(cell).lower() in EMPTY)


def text(cell: Cell) -> str:
    """The cell as it is written; a whole number that a sheet keeps as 5001.0 is 5001."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else format(Decimal(repr(cell)), "f")
    return cell.strip() if isinstance(cell, str) else str(cell)


def value(cell: Cell, kind: Kind, pointer: str, *, zone: str, dates: Order = "", mark: Mark = "", unit: str = "", clock: str = "") -> Any:
    """The cell as a value of its field. Raises `Refused`."""
    match kind:
        case "money":
            return amount(cell, pointer, factor(unit, cell), mark)
        case "number" | "whole":
            found = number(cell, pointer, mark=mark)
            return int(found) if found == found.to_integral_value() else float(found)
        case "currency":
            unit_ = headers.unit(text(cell))
            return unit_[0] if unit_ else plain(text(cell)).upper()
        case "time":
            return moment(text(cell), zone, pointer, dates, clock)
        case "text" | "identifier":
            return plain(text(cell)) if kind == "identifier" else text(cell)
        case "list":
            return cell if isinstance(cell, list) else [part.strip() for part in re.split(r"[,،;|]", text(cell)) if part.strip()]
        case "trait" | "any":
            return cell.strip() if isinstance(cell, str) else cell


def trait(name: str, cell: Cell, pointer: str, dates: Order) -> Any:
    """A trait; a birthday is a day in the Gregorian calendar."""
    return day(text(cell), pointer, dates) if name == "birth_date" else value(cell, "trait", pointer, zone="UTC")


def factor(unit: str, cell: Cell) -> int:
    """How many of the currency one unit is: as the cell says, else the column."""
    said = headers.unit(_words(cell))
    if said is None:
        said = headers.unit(unit) if unit else None
    return said[1] if said else 1


def currency(unit: str, cell: Cell) -> str:
    """The currency that a cell or its column names."""
    said = headers.unit(_words(cell)) or (headers.unit(unit) if unit else None)
    return said[0] if said else ""


def amount(cell: Cell, pointer: str, times: int = 1, mark: Mark = "") -> str:
    """A decimal as contracts write it. Raises `Refused`."""
    found = number(cell, pointer, "wrong_money", mark) * times
    written = format(found, "f")
    return written.rstrip("0").rstrip(".") if "." in written else written


def number(cell: Cell, pointer: str, reason: str = "wrong_type", mark: Mark = "") -> Decimal:
    """A number, however its digits are grouped. Raises `Refused`, also for an amount that could be two as long as nobody says its mark."""
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return Decimal(repr(cell))
    written = _told(_bare(cell), MARKS[mark]) if mark else _guessed(_bare(cell), pointer, reason)
    if _GROUPED.match(written):
        written = re.sub(r"[,'’_ ]", "", written)
    if not _NUMBER.match(written) and not _EXPONENT.match(written):
        what = "amount" if reason == "wrong_money" else "number"
        raise Refused(
            "wrong_money" if reason == "wrong_money" else "wrong_type",
            pointer,
            f"it is no {what} that can be read",
            "write digits, grouped by three or not, like 1,950,000 or 12.5",
        )
    return Decimal(written)


def _bare(cell: Cell) -> str:
    """The digits of a cell and the signs between them, without its unit; what is below zero begins with a minus."""
    written = plain(text(cell)).replace("−", "-")
    words = _words(cell)
    if words and headers.unit(words):
        written = written.replace(words, "").strip()
    minus = _MINUS.match(written)  # as accountants write what is below zero
    if minus:
        written = f"-{minus[1].strip()}"
    return f"-{written[:-1].strip()}" if written.endswith("-") else written


def _told(written: str, marks: str) -> str:
    """The digits with a point before decimals and commas between thousands, as somebody says that they are written."""
    return _SIGN.sub(lambda sign: "." if sign[0] in marks else ",", written)


def _guessed(written: str, pointer: str, reason: str) -> str:
    """The same, as far as what is written leaves no doubt. Raises `Refused`."""
    if "." not in written and written.count("/") == 1:
        written = written.replace("/", ".")
    if reason == "wrong_money" and _DOUBTFUL.match(written):
        raise Refused(
            "wrong_money",
            pointer,
            "it could be two amounts: whether the sign is between thousands is not sure",
            "say decimal: point, comma, slash or none in the mapping, or write thousands with a comma, like 250,000",
        )
    written = written.replace("٬", ",").replace("،", ",")
    written = written.replace("٫", "," if written.count("٫") > 1 else ".")  # the decimal mark, which many type between thousands
    return written.replace(".", "").replace(",", ".") if _DOTTED.match(written) else written


def _words(cell: Cell) -> str:
    """What stands beside the digits of an amount: ۱۲۰٬۰۰۰ تومان."""
    if not isinstance(cell, str):
        return ""
    return " ".join(re.sub(r"[\d.,،/٫٬'’_()+−-]+", " ", plain(cell)).split())
