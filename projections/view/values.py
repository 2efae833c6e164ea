"""Reads single fields of facts without trust: the log holds what older checks let pass, and a fold never fails.

Also bounds them, because a customer's state is read and written with every batch.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from aggregates.moment import read_moment
from aggregates.refusal import Refused

SHORT = 100
KEY = 64


def word(data: Mapping[str, Any], name: str, longest: int = SHORT) -> str:
    """A text field, cut; empty when it is absent or not a text."""
    value = data.get(name)
    return value[:longest] if isinstance(value, str) else ""


def reference(value: object) -> str | None:
    """An id as a key of a collection; a long one is shortened so that two long ones never become the same."""
    if not isinstance(value, str) or not value:
        return None
    if len(value) <= KEY:
        return value
    return value[: KEY - 17] + "~" + hashlib.blake2b(value.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def moment(value: object) -> datetime | None:
    """A time field; a date alone is the start of that day in UTC, for doors have written down what it was in the source's zone."""
    if not isinstance(value, str):
        return None
    try:
        return read_moment(value, "UTC", "")
    except Refused:
        return None
