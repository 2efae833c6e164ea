"""Tells what a column of a table holds, from its header and from what stands in it, so that its values are compared as such.

What is in the column decides; the header only settles what the content leaves open. Reading order: Kind, kind_of_column.
"""

import re
from collections.abc import Callable, Iterable
from enum import StrEnum

from aggregates.matching.dates import date
from aggregates.normal.company import incorporated
from aggregates.normal.persian import fold


class Kind(StrEnum):
    """What a column holds, as far as comparing needs to know."""

    NAME = "name"
    COMPANY = "company"
    TEXT = "text"
    DATE = "date"
    PHONE = "phone"
    EMAIL = "email"
    DIGITS = "digits"
    NUMBER = "number"


_PHONES = "phone mobile tel telephone cell cellphone fax msisdn تلفن موبایل همراه تماس فکس"
_EMAILS = "email mail ایمیل رایانامه"
_DATES = "date dob birth birthday birthdate born dateofbirth تولد تاریخ متولد"
_COMPANIES = "company organisation organization employer firm شرکت"
_NUMBERS = "price amount lat latitude lon lng longitude balance weight height total قیمت مبلغ وزن قد"
HEADERS: dict[Kind, frozenset[str]] = {
    Kind.PHONE: frozenset(_PHONES.split()),
    Kind.EMAIL: frozenset(_EMAILS.split()),
    Kind.DATE: frozenset(_DATES.split()),
    Kind.NUMBER: frozenset(_NUMBERS.split()),
}
"""Words of headers, folded, that speak for a kind."""

COMPANIES = frozenset(_COMPANIES.split())
INCORPORATED = 0.15
"""The share of the values that say what law a company is under, from which a column is of companies whatever its header says."""

_CHANGING = """address addr street road house apartment unit city town suburb locality zip postcode postal zipcode state province region
 county phone mobile tel telephone cell fax company employer job ادرس نشانی خیابان پلاک شهر شهرستان استان پستی تلفن موبایل همراه شرکت شغل"""
CHANGING = frozenset(_CHANGING.split())
"""Words of headers, folded, of what changes in a life: who moves is still the same."""

ENOUGH = 0.85
"""The share of the values that must look like a kind for the column to be of it; with a header that says so, half is enough."""

_WORDS = re.compile(r"[^\W\d_]+")
_PHONE = re.compile(r"(?:\+|00?)[0-9]{9,14}", re.ASCII)
_SEPARATORS = dict.fromkeys(map(ord, " ()-./_‐‑–"))
_NUMBER = re.compile(r"[^\d-]{0,3}-?[0-9]{1,3}(?:,?[0-9]{3})*(?:\.[0-9]+)?\D{0,3}|-?[0-9]+\.[0-9]+", re.ASCII)


def kind_of_column(header: str, values: Iterable[str]) -> Kind:
    """The kind of a column that has this header and, among others, these values: folded, and none of them missing."""
    seen = list(values)
    if not seen:
        return Kind.NAME
    said = {kind for kind, words in HEADERS.items() if words & set(words_of(header))}

    def looks(kind: Kind, share: float) -> bool:
        return share >= (ENOUGH / 2 if kind in said else ENOUGH)

    if looks(Kind.EMAIL, _share(seen, lambda text: "@" in text)):
        return Kind.EMAIL
    if looks(Kind.DATE, _share(seen, lambda text: bool(date(text)))) and (Kind.DATE in said or Kind.PHONE not in said):
        return Kind.DATE
    if looks(Kind.PHONE, _share(seen, lambda text: bool(_PHONE.fullmatch(text.translate(_SEPARATORS))))):
        return Kind.PHONE
    if Kind.PHONE in said and _share(seen, _mostly_digits) >= ENOUGH:
        return Kind.PHONE
    numeric = _share(seen, lambda text: bool(_NUMBER.fullmatch(text)))
    if looks(Kind.NUMBER, numeric) and (Kind.NUMBER in said or _share(seen, lambda text: "." in text) > 0.3):
        return Kind.NUMBER
    if _share(seen, _mostly_digits) >= ENOUGH:
        return Kind.DIGITS
    if COMPANIES & set(words_of(header)) or _share(seen, incorporated) > INCORPORATED:
        return Kind.COMPANY
    words = sum(text.count(" ") + 1 for text in seen) / len(seen)
    return Kind.TEXT if words >= 3.2 or sum(map(len, seen)) / len(seen) > 32 else Kind.NAME


def changes(header: str) -> bool:
    """Whether a column holds, by its header, what changes in a life."""
    return not CHANGING.isdisjoint(words_of(header))


def words_of(header: str) -> list[str]:
    """The words of a header: `DateOfBirth`, `date_of_birth` and `Date of birth` are the same."""
    apart = re.sub(r"([a-z])([A-Z])", r"\1 \2", header)
    return _WORDS.findall(fold(apart).replace("-", " ") if "e-mail" not in header.lower() else "email")


def _share(values: list[str], test: Callable[[str], bool]) -> float:
    return sum(map(test, values)) / len(values)


def _mostly_digits(text: str) -> bool:
    digits = sum(c.isdigit() for c in text)
    return digits > 0 and digits * 2 > sum(c.isalnum() for c in text)
