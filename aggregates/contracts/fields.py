"""The kinds of value that fields of touchpoints have, and what to tell a sender who wrote one otherwise.

Each is a type that msgspec checks; `extra` carries the reason and the mending of a refusal. Reading order: Kind, then the kinds.
"""

from typing import Annotated, Any

from msgspec import Meta

from aggregates.refusal import Reason


def says(description: str) -> Meta:
    """What a field means, for the published schema."""
    return Meta(description=description)


def mended(mend: str, reason: Reason | None = None) -> dict[str, Any]:
    """What `explain` finds at a value that is refused; without a reason, that of the check it failed."""
    return {"mend": mend, "reason": reason}


Id = Annotated[str, Meta(min_length=1, max_length=256, extra=mended("write it as text of 1 to 256 characters, in quotes"))]
Name = Annotated[str, Meta(max_length=256, extra=mended("write at most 256 characters, or leave it out"))]
Text = Annotated[str, Meta(max_length=10_000, extra=mended("write it as text of at most 10,000 characters"))]
Url = Annotated[str, Meta(min_length=1, max_length=8_192, extra=mended("write the address of the page, of at most 8,192 characters"))]

MONEY = r"^-?[0-9]{1,18}([.][0-9]{1,8})?$(?!\n)"
AMOUNT = r"^[0-9]{1,18}([.][0-9]{1,8})?$(?!\n)"
_MONEY = 'write a decimal in quotes with Latin digits and no separators, like "12.50"'

Amount = Annotated[str, Meta(pattern=AMOUNT, extra=mended(f"{_MONEY}, and not below zero", "wrong_money"))]
"""What a whole fact is worth. Never below zero: money that goes back is another type of fact."""

Money = Annotated[str, Meta(pattern=MONEY, extra=mended(_MONEY, "wrong_money"))]
"""A part of an amount; below zero for a voucher or a rounding line."""

Currency = Annotated[str, Meta(max_length=16, extra=mended('write one of the codes of ISO 4217, like "IRR"', "wrong_money"))]
Seconds = Annotated[float, Meta(ge=0, le=1e9, extra=mended("write a number of seconds, not below zero, like 42.5"))]
Minutes = Annotated[float, Meta(ge=0, le=1e7, extra=mended("write a number of minutes, not below zero"))]
Quantity = Annotated[float, Meta(gt=0, le=1e12, extra=mended("write a number above zero; what comes back is another type of fact"))]
Place = Annotated[int, Meta(ge=0, le=1_000_000, extra=mended("write a whole number, not below zero"))]
Score = Annotated[int, Meta(ge=1, le=5, extra=mended("write a whole number from 1 (bad) to 5 (good)"))]

_WHEN = 'write it like "2026-11-22T10:00:00+03:30"'
_FORMATS = {"anyOf": [{"format": "date-time"}, {"format": "date"}]}

When = Annotated[str, Meta(max_length=64, extra=mended(_WHEN, "wrong_time"), extra_json_schema=_FORMATS)]
"""RFC 3339 with an offset, or a date alone, which is the start of that day in the source's zone."""

Traits = Annotated[dict[str, Any], Meta(extra=mended("write an object of names and values"))]
Proven = Annotated[list[Name], Meta(max_length=64, extra=mended("name the traits that were proven, as a list of texts"))]
