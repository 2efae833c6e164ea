"""Brings what a till knows of a bank card to `bank:last four`: weak, but enough to suggest that two purchases are one person's."""

import re

from aggregates.normal.form import NotAnIdentifier

MEND = "write the bank and the last four digits, like mellat:1234"

_BANK_FIRST = re.compile(r"(.*[^\W_].*?)[ :*/_.-]+([0-9]{4})")
_BANK_LAST = re.compile(r"([0-9]{4})[ :*/_.-]+(.*[^\W_].*)")


def card(text: str) -> str:
    """Bank and last four digits; a whole card number is refused, because it must not leave the till."""
    if sum(c.isdigit() for c in text) > 12:
        raise NotAnIdentifier("card", "it is a whole card number", f"{MEND}; the whole number must not leave the till")
    if found := _BANK_FIRST.fullmatch(text):
        bank, last = found[1], found[2]
    elif found := _BANK_LAST.fullmatch(text):
        last, bank = found[1], found[2]
    else:
        raise NotAnIdentifier("card", "it is not a bank and four digits", MEND)
    return f"{bank.strip(' :*/_.-').lower()}:{last}"
