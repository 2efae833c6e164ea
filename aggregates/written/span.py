"""Reads how long something is: `15m`, `2h`, `30d`, `1w`, `90s`, or several together, `1h30m`."""

import re
from datetime import timedelta

UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
PATTERN = r"^([0-9]{1,9}[smhdw])+$"
"""For the published schema."""

_PARTS = re.compile(r"(\d{1,9})\s*([smhdw])")


_SPOKEN = {"second": "s", "minute": "m", "min": "m", "hour": "h", "day": "d", "week": "w"}
_SPOKEN |= {"ثانیه": "s", "دقیقه": "m", "ساعت": "h", "روز": "d", "هفته": "w"}
_AS_SPOKEN = re.compile(rf"([0-9]{{1,6}})\s*({'|'.join(_SPOKEN)})s?")


def meant(text: str) -> str:
    """How what is written as it is spoken, `7 days`, `۳ روز` with Latin digits, would be written here; empty: nobody knows."""
    found = _AS_SPOKEN.fullmatch(text.strip().lower())
    return f"{found[1]}{_SPOKEN[found[2]]}" if found else ""


def span(text: str) -> timedelta | None:
    """The duration that a text says; None when it says none."""
    text = "".join(text.split()).lower()
    parts = _PARTS.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    try:
        return timedelta(seconds=sum(int(number) * UNITS[unit] for number, unit in parts))
    except OverflowError:
        return None
