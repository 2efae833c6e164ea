"""Brings what stands in a table to the text by which it is compared: one spelling for each kind, nothing for what only says "unknown"."""

import re
from collections.abc import Callable

from aggregates.matching.dates import date
from aggregates.matching.kinds import Kind
from aggregates.normal import NotAnIdentifier, persian, trust
from aggregates.normal.company import company
from aggregates.normal.email import email
from aggregates.normal.names import without_titles
from aggregates.normal.phone import phone

_NOT_A_WORD = re.compile(r"[^\w]+|_")
_KEPT_IN_DIGITS = re.compile(r"[^0-9a-z]+")
_GLUED = re.compile("(?<!\\w)(آقاي|آقای|خانم|دکتر|دكتر|مهندس|استاد|حاج|سید)\u200c+")
"""A title that a half-space ties to the name: the half-space goes, the name must not go on with the title."""

_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?", re.ASCII)


def folded(raw: str) -> str:
    """The text as people read it, or nothing where it is a placeholder."""
    text = persian.fold(_GLUED.sub(r"\1 ", raw) if "\u200c" in raw else raw)
    return "" if not text or trust.placeholder(text) else text


def form(kind: Kind, text: str) -> str:
    """What a folded text of a column of this kind is compared by; empty: missing."""
    match kind:
        case Kind.NAME:
            return without_titles(words(text))
        case Kind.COMPANY:
            return company(text)
        case Kind.TEXT:
            return words(text)
        case Kind.DATE:
            return date(text) or _KEPT_IN_DIGITS.sub("", text)
        case Kind.PHONE:
            return _or_digits(phone, text)
        case Kind.EMAIL:
            return _or_digits(email, text)
        case Kind.DIGITS:
            return _KEPT_IN_DIGITS.sub("", text)
        case Kind.NUMBER:
            found = _NUMBER.search(text.replace(",", ""))
            return found[0] if found else ""


def words(text: str) -> str:
    """Words of letters and digits, one space between them."""
    if text.isalnum():
        return text
    return " ".join(_NOT_A_WORD.sub(" ", text.replace("'", "").replace("\u2019", "")).split())


def _or_digits(normal: Callable[[str], str], text: str) -> str:
    """The normal form; of what has none, what is left without separators: a mistyped phone still resembles the right one."""
    try:
        return normal(text)
    except NotAnIdentifier:
        return text.replace(" ", "") if normal is email else _KEPT_IN_DIGITS.sub("", text)
