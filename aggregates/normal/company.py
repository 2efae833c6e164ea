"""Brings companies to comparable form: the name without what its law adds to it, and the Iranian number of a legal person.

Names come folded (`persian.fold`) and are compared only; numbers as `persian.plain` leaves them, and are identifiers.
"""

import re

from aggregates.normal.form import NotAnIdentifier

_LATIN = """
    inc incorporated corp corporation co company ltd limited llc llp lp plc pte pty gmbh ag kg ohg sa sas sarl srl spa bv nv ab as oy oyj
"""
_PERSIAN = "شرکت سهامی خاص عام مسیولیت محدود با موسسه تعاونی هلدینگ گروه بازرگانی تولیدی صنعتی خدماتی"
SUFFIXES = frozenset(_LATIN.split()) | frozenset(_PERSIAN.split())
"""Words of law and trade around a company's name."""

_LAW = frozenset(["inc", "corp", "corporation", "ltd", "limited", "llc", "llp", "plc", "pty", "gmbh", "sarl", "oyj", "شرکت", "سهامی"])
"""Those of them that hardly stand in anything but a company's name."""

_NOT_A_WORD = re.compile(r"[^\w]+|_")
_LABEL = re.compile(r"^شناسه ?ملی[ :.=-]*")
_FACTORS = (29, 27, 23, 19, 17, 29, 27, 23, 19, 17)


def company(text: str) -> str:
    """A folded company name without its law: شرکت یکتا (سهامی خاص) and یکتا are the same. One of nothing else stays as it is."""
    parts = _NOT_A_WORD.sub(" ", text.replace(".", "").replace("'", "")).split()
    kept = [part for part in parts if part not in SUFFIXES]
    return " ".join(kept or parts)


def incorporated(text: str) -> bool:
    """Whether a folded text says of itself that it is a company's name."""
    return not _LAW.isdisjoint(_NOT_A_WORD.sub(" ", text.replace(".", "")).split())


def company_id(text: str) -> str:
    """The eleven digits of a legal person (شناسه ملی); zeros that a spreadsheet dropped are put back."""
    digits = _LABEL.sub("", text).replace(" ", "").replace("-", "")
    if not (digits.isascii() and digits.isdigit()):
        raise NotAnIdentifier("company_id", "there is something in it that is no digit", "write its eleven digits")
    if not 10 <= len(digits) <= 11:
        raise NotAnIdentifier("company_id", "a company's number has eleven digits", "write its eleven digits; a person has ten")
    digits = digits.zfill(11)
    if int(digits[10]) != company_check_digit(digits[:10]):
        raise NotAnIdentifier("company_id", "its check digit is wrong", "look for a mistyped digit")
    return digits


def company_check_digit(ten: str) -> int:
    """The eleventh digit that belongs to the first ten."""
    shift = int(ten[9]) + 2
    return sum((int(digit) + shift) * factor for digit, factor in zip(ten, _FACTORS, strict=True)) % 11 % 10
