"""Reads the numbers of a log however people write them: a point or a comma for decimals, thousands apart or not, with a currency. Pure.

How a whole column is written settles what one cell leaves open: whether 1,234 is a thousand and more, or one and a bit.
Reading order: Read, Column, number, lasted.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Literal, NamedTuple

from aggregates.normal.persian import plain
from aggregates.rows import headers
from infra.evaluation.columns import folded
from projections.churn.telling import decimal, number_of

NOTHING = frozenset({"", "null", "none", "nan", "na", "n/a", "nat", r"\n"})
"""What stands in a cell that says nothing."""

_NAMES = (
    "usd eur gbp jpy cny inr irr irt rub brl try aed sar cad aud nzd chf sek nok dkk pln czk huf ron krw mxn zar idr myr thb sgd hkd"
    " rs kr fr zł kč ft lei tl rm rp руб"
)
CURRENCIES = frozenset(_NAMES.split())
"""What people write beside an amount, besides the words of `aggregates/rows/headers.py` and the signs of Unicode."""

_AROUND = re.compile(
    r"(?P<before>[^\d.,]*(?:rs\.)?[^\d.,]*)(?P<body>[.,]?\d(?:[\d.,'_ ٫/]*\d)?[.,]?)(?P<after>\D*)", re.ASCII | re.IGNORECASE
)
_EXPONENT = re.compile(r"[+-]?\d+(?:[.,]\d+)?[eE][+-]?\d{1,2}", re.ASCII)
_APART = re.compile(r"([1-9]\d{0,2}(?:['_ ]\d{2,3})*['_ ]\d{3})(?:[.,٫/](\d+))?", re.ASCII)
_BOTH = re.compile(r"(?:(\d{1,3}(?:,\d{2,3})*,\d{3})\.(\d+)|(\d{1,3}(?:\.\d{3})+),(\d+))", re.ASCII)
_SEVERAL = re.compile(r"[1-9]\d{0,2}(?:(?:,\d{2,3})+,\d{3}|(?:\.\d{3}){2,}|(?:٫\d{3}){2,})", re.ASCII)
_ONE = re.compile(r"(\d*)([.,٫/])(\d*)", re.ASCII)

_LASTED = re.compile(r"(?:(\d{1,4}) days? \+?)?(?:(\d{1,3}):(?=\d\d:))?(\d{1,3}):([0-5]\d(?:\.\d+)?)", re.ASCII)

LONG = ("wait", "talk", "hold", "handl", "duration", "elapsed", "length", "response_time", "مدت", "انتظار", "مکالمه")
"""What is in the name of a column that tells how long something took."""

Mark = Literal["", "point", "comma"]


class Read(NamedTuple):
    """What a text is as a number."""

    value: float  # where a point stands before decimals
    comma: float  # where a comma does; the same unless the text leaves it open
    mark: Mark = ""  # which of the two the text shows to stand there
    grouped: bool = False  # a point that may stand before thousands
    slash: bool = False  # a slash stands for the point, as some write in Persian


@dataclass(slots=True)
class Column:
    """What was seen of a column: whether it is one of numbers, and how they are written."""

    unread: int = 0  # cells that say something that is no number
    odd: bool = False  # some of its numbers are not plainly one
    slash: bool = False  # some have a slash, as days and shares have too
    points: int = 0
    commas: int = 0
    thousands: int = 0  # like 1.200 or 12.000: no program writes decimals so that has whole numbers too
    open_: int = 0  # like 1.234
    whole: int = 0
    large: int = 0  # whole numbers of a thousand and more

    def see(self, cell: object) -> None:
        """One cell more."""
        if cell is None or cell != cell or (isinstance(cell, str) and _says_nothing(cell)):  # noqa: PLR0124 - what is not a number
            return
        if not isinstance(cell, str):
            self.unread += number(cell) is None
            return
        found = read(cell)
        if found is None:
            self.unread += 1
            return
        self.odd = self.odd or decimal(cell) is None
        self.slash = self.slash or found.slash
        self.points += found.mark == "point"
        self.commas += found.mark == "comma"
        self.open_ += found.grouped
        self.thousands += found.grouped and cell.strip().endswith("0")
        if not found.mark and found.value == found.comma:
            self.whole += 1
            self.large += abs(found.value) >= 1_000.0

    @property
    def comma(self) -> bool:
        """Whether a comma stands before decimals, and a point before thousands. Where nothing tells, it does not."""
        if self.points or self.commas:
            return self.commas > self.points
        return bool(self.thousands and self.whole and not self.large)

    @property
    def numeric(self) -> bool:
        """Whether all its cells are numbers, and some are written as only people write them."""
        return not self.unread and not self.slash and (self.odd or (self.comma and bool(self.open_)))


def number(cell: object, *, comma: bool = False) -> float | None:
    """The number of a cell; None where there is none."""
    if isinstance(cell, str):
        found = read(cell)
        return None if found is None else found.comma if comma else found.value
    return number_of(plainly(cell))


def plainly(value: object) -> object:
    """A value as JSON would have it: decimals and durations, the latter in seconds, are numbers."""
    if isinstance(value, Decimal):
        return float(value)
    return value.total_seconds() if isinstance(value, timedelta) else value


@lru_cache(maxsize=65_536)
def lasted(text: str) -> float | None:
    """The seconds of a duration like 0:03:20, 3:20 or, as pandas writes it, 0 days 00:03:20."""
    found = _LASTED.fullmatch(plain(text.strip()))
    if found is None:
        return None
    days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return days * 86_400.0 + hours * 3_600.0 + minutes * 60.0 + seconds


@lru_cache(maxsize=4_096)
def tells_how_long(name: str) -> bool:
    """Whether a column, by its name, tells how long something took, and not at what time of day it was."""
    return any(word in folded(name) for word in LONG)


@lru_cache(maxsize=65_536)
def read(text: str) -> Read | None:
    """The number that a text writes, and what it leaves open."""
    if len(text) > 64:
        return None
    written = plain(text).replace("−", "-").replace("–", "-").replace("،", ",").replace("٬", "'").replace("’", "'")
    if _EXPONENT.fullmatch(written):
        value = number_of(float(written.replace(",", ".")))
        return None if value is None else Read(value, value)
    around = _AROUND.fullmatch(written)
    if around is None:
        return None
    before, body, after = around["before"], around["body"], around["after"]
    if body.endswith((",", ".")) and after.startswith("-"):
        after = after[1:].lstrip("-")  # 12,- is twelve and no cents
    signs = [sign for sign in before + after if sign in "-+()"]
    if signs not in ([], ["-"], ["+"], ["(", ")"]) or (signs == ["+"] and "+" in after):
        return None
    if not all(map(_unit, (re.sub(r"[-+()]", "", before).strip(), re.sub(r"[-+()]", "", after).strip()))):
        return None
    found = _body(body)
    if found is None or max(found.value, found.comma) >= 1e18:
        return None
    return found._replace(value=-found.value, comma=-found.comma) if signs and signs != ["+"] else found


def _says_nothing(cell: str) -> bool:
    return (bare := cell.strip().lower()) in NOTHING or bare in "-–—"  # as sheets write no amount


def _unit(words: str) -> bool:
    bare = words.replace(".", "").lower()
    if not bare or bare in CURRENCIES or bare in "%٪" or headers.unit(words):
        return True
    return len(bare) <= 3 and unicodedata.category(bare[-1]) == "Sc" and all(letter.isascii() for letter in bare[:-1])


def _body(body: str) -> Read | None:
    """Digits with marks between them."""
    if body.isdecimal():
        return Read(float(body), float(body))
    if apart := _APART.fullmatch(body):
        mark: Mark = "" if apart[2] is None else "comma" if "," in body else "point"
        return _sure(re.sub(r"['_ ]", "", apart[1]), apart[2], mark)
    if both := _BOTH.fullmatch(body):
        if both[1]:
            return _sure(both[1].replace(",", ""), both[2], "point")
        return _sure(both[3].replace(".", ""), both[4], "comma")
    if _SEVERAL.fullmatch(body):
        return _sure(re.sub(r"\D", "", body), None, "comma" if "." in body else "point" if "," in body else "")
    one = _ONE.fullmatch(body)
    if one is None:
        return None
    before, mark_, after = one.groups()
    decimals = float(f"{before or 0}.{after or 0}")
    if mark_ in "٫/":
        return Read(decimals, decimals, "", slash=mark_ == "/")
    if len(after) == 3 and 1 <= len(before) <= 3 and before[0] != "0":
        thousands = float(before + after)
        return Read(decimals, thousands, grouped=True) if mark_ == "." else Read(thousands, decimals)
    return Read(decimals, decimals, "" if not after else "point" if mark_ == "." else "comma")


def _sure(whole: str, decimals: str | None, mark: Mark) -> Read:
    value = float(f"{whole}.{decimals or 0}")
    return Read(value, value, mark)
