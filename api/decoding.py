"""Reads a JSON body into a struct, or says with a pointer what is wrong with it, and what may stand there instead.

Reading order: decoded, wrong, then what may stand at a place.
"""

import re
from collections.abc import Sequence
from typing import TypeVar

import msgspec
from msgspec import inspect

from aggregates import cloudevents
from aggregates.canonical import check
from aggregates.refusal import Refusal, Refused
from api.problem import Problem, invalid, of_refusal

Struct = TypeVar("Struct")

_PLACE = re.compile(r" - at `\$(?P<path>[^`]*)`$")
_STEP = re.compile(r"\.(?P<name>[^.\[]+)|\[(?P<index>\d+|\.\.\.)\]")


def decoded(content: bytes, struct: type[Struct]) -> Struct:
    """The body as this struct. Raises a 400 problem when it is not JSON, a 422 problem when it is not the struct, or nothing
    that PostgreSQL could hold."""
    value = cloudevents.decoded(content)
    if isinstance(value, Refusal):
        raise of_refusal(400 if value.reason == "not_json" else 422, value)
    try:
        check(value, "")
        return msgspec.convert(value, struct, strict=True)
    except Refused as error:
        raise of_refusal(422, error.refusal) from error
    except msgspec.ValidationError as error:
        raise wrong(error, struct) from error


def wrong(error: msgspec.ValidationError, struct: type, within: str = "") -> Problem:
    """A msgspec error as a problem: its path becomes an RFC 6901 pointer, after that of the place where the struct stands."""
    text = str(error)
    place = _PLACE.search(text)
    steps = [step["name"] or step["index"] for step in _STEP.finditer(place["path"])] if place else []
    mend = _mend(text, inspect.type_info(struct), steps)
    return invalid(within + "".join(f"/{step}" for step in steps), said(_PLACE.sub("", text)), mend)


def said(text: str) -> str:
    """What msgspec says is wrong, without the value that it is wrong with."""
    return "It is none of the words that may stand here." if text.startswith("Invalid enum value") else f"{text}."


def _mend(text: str, info: inspect.Type, steps: Sequence[str]) -> str | None:
    places = _at(info, steps)
    if text.startswith("Invalid enum value"):
        words = [str(value) for place in places if isinstance(place, inspect.LiteralType) for value in place.values]
        return f"Say one of: {', '.join(words)}." if words else None
    if text.startswith("Object contains unknown field"):
        names = [field.encode_name for place in places if isinstance(place, inspect.StructType) for field in place.fields]
        return f"The fields here are: {', '.join(names)}." if names else None
    return None


def _at(info: inspect.Type, steps: Sequence[str]) -> list[inspect.Type]:
    """What may stand at a place; several where one of several may."""
    if isinstance(info, inspect.UnionType):
        return [place for one in info.types for place in _at(one, steps)]
    if not steps:
        return [info]
    if isinstance(info, inspect.StructType):
        return [place for field in info.fields if field.encode_name == steps[0] for place in _at(field.type, steps[1:])]
    if isinstance(info, inspect.DictType):
        return _at(info.value_type, steps[1:])
    return _at(info.item_type, steps[1:]) if isinstance(info, inspect.CollectionType) else []
