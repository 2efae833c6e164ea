"""Brings phone numbers to E.164: the many ways in which one Iranian number is written, and numbers of other countries.

A number must be possible, that is of a length its country uses; whether its range is in use is not asked, because ranges open faster
than tables of them are published.
"""

import re

import phonenumbers

from aggregates.normal.form import NotAnIdentifier

REGION = "IR"
MEND = "write it in international form, like +989121234567"

_IRANIAN = re.compile(r"(?:\+98|0098|98)?0?([1-9][0-9]{9})", re.ASCII)  # most numbers; parsing one takes ten times as long
_SEPARATORS = dict.fromkeys(map(ord, " ()-./_‐‑‒–—―−\t"))
_LABEL = re.compile(
    r"^['’`]?(?:(?:tel|telephone|phone|mobile|mob|cell|fax|تلفن|موبایل|همراه|شماره|تماس|ثابت|فکس|نمابر)[ :.=-]*)*", re.IGNORECASE
)
_REMARK = re.compile(r" *\([^()\d]*\)$")
"""What people write around a number: what it is, and whose or which; a quotation mark by which a spreadsheet was told that it is text."""

_FLOAT = re.compile(r"([1-9][0-9]{9})\.0", re.ASCII)
"""What a program makes of a number whose 0 it dropped, where another row has none."""

_EXTENSION = re.compile(r"(?:;ext=|ext\.?|extension|داخلی|داخلي|x|#)[ :.]*[0-9]{1,8}$", re.IGNORECASE)


def phone(text: str) -> str:
    """E.164 of a number written as in Iran or in international form; an extension is left out."""
    if iranian := _IRANIAN.fullmatch(text):
        return f"+98{iranian[1]}"
    if broken := _FLOAT.fullmatch(text):
        return f"+98{broken[1]}"
    digits = _EXTENSION.sub("", _REMARK.sub("", _LABEL.sub("", text))).translate(_SEPARATORS)
    if digits.endswith("+") and not digits.startswith("+"):
        digits = f"+{digits[:-1]}"  # copied out of a text that runs from right to left
    if iranian := _IRANIAN.fullmatch(digits):
        return f"+98{iranian[1]}"
    if not digits.removeprefix("+").isdecimal():
        raise NotAnIdentifier("phone", "there is something in it that is no digit", MEND)
    return _parse(digits)


def _parse(digits: str) -> str:
    try:
        number = phonenumbers.parse(digits, REGION)
    except phonenumbers.NumberParseException:
        raise NotAnIdentifier("phone", "it is no phone number of any country", MEND) from None
    national = phonenumbers.national_significant_number(number)
    if number.country_code == 98:
        if len(national) != 10 or national.startswith("0"):
            raise NotAnIdentifier("phone", "an Iranian number has ten digits after the 0", "write the city code too, like +982188776655")
    elif phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        raise NotAnIdentifier("phone", "it is too short or too long for its country", MEND)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
