"""Checks account numbers that banks exchange (IBAN; in Iran: شبا) and writes them in one piece."""

from aggregates.normal.form import NotAnIdentifier

_SEPARATORS = dict.fromkeys(map(ord, " -._"))
IRANIAN = 26
"""Characters of an Iranian one, IR included."""


def iban(text: str) -> str:
    """Country, check digits and account in capitals; 24 digits alone are an Iranian one whose IR was left out."""
    value = text.translate(_SEPARATORS).upper().removeprefix("IBAN").removeprefix("شبا").lstrip(":")
    if len(value) == IRANIAN - 2 and value.isdecimal():
        value = f"IR{value}"
    shaped = value.isascii() and value.isalnum() and 15 <= len(value) <= 34 and value[:2].isalpha() and value[2:4].isdigit()
    if not shaped or (value.startswith("IR") and len(value) != IRANIAN):
        raise NotAnIdentifier("iban", "it is no account number of a bank", "write it like IR06 2960 0000 0010 0324 2000 01")
    if int("".join(str(int(sign, 36)) for sign in value[4:] + value[:4])) % 97 != 1:
        raise NotAnIdentifier("iban", "its check digits are wrong", "look for a mistyped digit")
    return value
