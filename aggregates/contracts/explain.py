"""Turns what msgspec says of a value into a refusal that a stranger can act on: where, what is wrong, what to write instead."""

import re
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from aggregates.contracts.shape import members, metas
from aggregates.refusal import Reason, Refused, pointer_to

_PLACE = re.compile(r"^(?P<what>.*?)(?: - at `\$(?P<path>[^`]*)`)?$", re.DOTALL)
_STEP = re.compile(r"\.([^.\[]+)|\[([0-9]+)\]")
_GOT = re.compile(r"^Expected `([^`]*)`, got `([^`]*)`$")
_MISSING = re.compile(r"^Object missing required field `([^`]*)`$")

WORDS = {"str": "text", "int": "a whole number", "float": "a number", "array": "a list", "object": "an object", "bool": "true or false"}


def refused(problem: msgspec.ValidationError, data: type[msgspec.Struct]) -> Refused:
    """The refusal of `/data`, in which msgspec found this problem when it read it as `data`."""
    found = _PLACE.match(str(problem))
    what, path = (found["what"], found["path"] or "") if found else (str(problem), "")
    steps = [int(index) if index else name for name, index in _STEP.findall(path)]
    if missing := _MISSING.match(what):
        steps.append(missing[1])
        said = says_of(data, steps)
        return Refused("missing_field", pointer_to("data", *steps), f"{missing[1]} is missing", said.mend or "add it")
    said = says_of(data, steps)
    reason, detail = judged(what)
    return Refused(said.reason or reason, pointer_to("data", *steps), detail, said.mend or "see the type's schema")


def judged(what: str) -> tuple[Reason, str]:
    """The reason and the detail of a message, with no value quoted."""
    if got := _GOT.match(what):
        wanted = " or ".join(WORDS.get(word, word) for word in got[1].split(" | ") if word != "null")
        return "wrong_type", f"it must be {wanted}, and is {WORDS.get(got[2], got[2])}"
    if what.startswith("Invalid enum value"):
        return "wrong_value", "it is none of the words that may stand here"
    if "matching regex" in what:
        return "wrong_value", "it is not written as it must be"
    return "wrong_value", what.replace("Expected `str` of", "it must be text of").replace("`", "").replace("Expected", "it must be")


class Said(msgspec.Struct, frozen=True):
    """What the contract says at one place of the data."""

    mend: str = ""
    reason: Reason | None = None


def says_of(data: type[msgspec.Struct], steps: list[str | int]) -> Said:
    """Follows the steps into the annotations and answers what is said of the last."""
    hint: Any = data
    for step in steps:
        hint = inside(hint, step)
    extra = next((meta.extra for meta in reversed(metas(hint)) if meta.extra), None)
    if extra:
        return Said(extra["mend"], extra["reason"])
    words = [word for member in members(hint) if get_origin(member) is Literal for word in get_args(member)]
    return Said("write one of: " + ", ".join(words)) if words else Said()


def inside(hint: Any, step: str | int) -> Any:
    """The annotation of a member or an item."""
    for member in members(hint):
        if isinstance(step, int) and get_origin(member) is list:
            return get_args(member)[0]
        if isinstance(member, type) and issubclass(member, msgspec.Struct):
            return get_type_hints(member, include_extras=True).get(str(step), Any)
    return Any
