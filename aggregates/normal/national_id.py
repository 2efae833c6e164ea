"""Checks and pads the Iranian national number of a person (ten digits, the last a check digit)."""

import re

from aggregates.normal.form import NotAnIdentifier

_SEPARATORS = dict.fromkeys(map(ord, " -/._"))
_FLOAT = re.compile(r"([0-9]{8,10})\.0", re.ASCII)
"""What a program makes of a number whose zeros it dropped, where another row has none."""

_LABEL = re.compile(r"^(?:کد ?ملی|شماره ملی|national (?:id|code))[ :.=-]*", re.IGNORECASE)


def national_id(text: str) -> str:
    """Ten digits; leading zeros that a spreadsheet dropped are put back."""
    broken = _FLOAT.fullmatch(text)
    digits = broken[1] if broken else _LABEL.sub("", text).translate(_SEPARATORS)
    if not (digits.isascii() and digits.isdigit()):
        raise NotAnIdentifier("national_id", "there is something in it that is no digit", "write its ten digits")
    if not 8 <= len(digits) <= 10:
        raise NotAnIdentifier(
            "national_id", "a person's national number has ten digits", "write its ten digits; a company's number is another kind"
        )
    digits = digits.zfill(10)
    if int(digits[9]) != check_digit(digits[:9]):
        raise NotAnIdentifier("national_id", "its check digit is wrong", "look for a mistyped digit")
    return digits


def check_digit(nine: str) -> int:
    """The tenth digit that belongs to the first nine."""
    rest = sum(int(digit) * (10 - place) for place, digit in enumerate(nine)) % 11
    return rest if rest < 2 else 11 - rest
