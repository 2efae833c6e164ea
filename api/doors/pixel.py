"""Reads what a picture's address says: the way to tell of a mail that was opened, or of a page that runs no scripts.

`?data=` has the message as JSON or base64 of it, as in forms; else each member is a parameter, and `properties.plan=gold` is one inside
another. Reading order: message.
"""

from collections.abc import Collection
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from api.doors.unwrapping import FORM

MEMBERS = 100
"""So many parameters are read."""

GIF = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00"
    b",\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)
"""One transparent point."""


def message(query: str, keys: Collection[str]) -> bytes:
    """The message in the query of an address, without what is a key; as it stands where it may be found in it as in a form."""
    try:
        said = parse_qsl(query, max_num_fields=MEMBERS)
    except ValueError:
        return query.encode()
    if any(name in FORM for name, _ in said):
        return query.encode()
    made: dict[str, Any] = {}
    for name, value in said:
        if name not in keys:
            _put(made, name, value)
    return msgspec.json.encode(made)


def _put(made: dict[str, Any], name: str, value: str) -> None:
    """Under the object that a dotted name names; where something else has that name already, under the name as it is."""
    inside = made
    first, *steps = name.split(".")
    for step in steps:
        deeper = inside.setdefault(first, {})
        if not isinstance(deeper, dict):
            made[name] = value
            return
        inside, first = deeper, step
    inside[first] = value
