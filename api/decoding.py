"""Reads a JSON body into a struct, or says with a pointer what is wrong with it."""

import re
from typing import TypeVar

import msgspec

from aggregates import cloudevents
from aggregates.refusal import Refusal
from api.problem import Problem, invalid, of_refusal

Struct = TypeVar("Struct")

_PLACE = re.compile(r" - at `\$(?P<path>[^`]*)`$")
_STEP = re.compile(r"\.(?P<name>[^.\[]+)|\[(?P<index>\d+|\.\.\.)\]")


def decoded(content: bytes, struct: type[Struct]) -> Struct:
    """The body as this struct. Raises a 400 problem when it is not JSON, a 422 problem when it is not the struct."""
    value = cloudevents.decoded(content)
    if isinstance(value, Refusal):
        raise of_refusal(400 if value.reason == "not_json" else 422, value)
    try:
        return msgspec.convert(value, struct, strict=True)
    except msgspec.ValidationError as error:
        raise wrong(error) from error


def wrong(error: msgspec.ValidationError) -> Problem:
    """A msgspec error as a problem: its path becomes an RFC 6901 pointer."""
    text = str(error)
    place = _PLACE.search(text)
    steps = _STEP.finditer(place["path"]) if place else ()
    pointer = "".join("/" + (step["name"] or step["index"]) for step in steps)
    return invalid(pointer, _PLACE.sub("", text) + ".")
