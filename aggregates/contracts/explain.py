"""Turns what msgspec says of a value into a refusal that a stranger can act on: where, what is wrong, what to write instead."""

import re
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from aggregates.contracts.shape import members, metas
from aggregates.refusal import Reason, Refused, pointer_to

_PLACE = re.compile(r"^(?P<what>.*?)(?: - at `\$(?P<path>[^`]*)`)?$", re.DOTALL)
_STEP = re.compile(r"\.([^.\[]+)|\[([0-9]+)\]")
_GOT = re.compile(r"^Expected `([^`]*)`, got `([^`]*)`$")
_BOUND = re.compile(r"^Expected `(?:int|float)` (>=|>|<=|<) (\S+)$")
_MISSING = re.compile(r"^Object missing required field `([^`]*)`$")

_LONG = re.compile(r"-?(?:[0-9]{19,}(?:[.][0-9]+)?|[0-9]+[.][0-9]{9,})")
DIGITS = "write at most 18 digits before the point and 8 after it"

WANTED = {"str": "text", "int": "a whole number", "float": "a number", "array": "a list", "object": "an object"}
GIVEN = WANTED | {"int": "a number", "bool": "true or false"}
SCHEMA = "see the schema of the type"
MENDS = {"array": "write a list: [...]", "object": "write an object: {...}"}
BOUNDS = {">=": "it must not be below", ">": "it must be above", "<=": "it must not be above", "<": "it must be below"}


def refused(problem: msgspec.ValidationError, data: type[msgspec.Struct], sent: Any) -> Refused:
    """The refusal of `/data`, in which msgspec found this problem when it read what was sent as `data`."""
    found = _PLACE.match(str(problem))
    what, path = (found["what"], found["path"] or "") if found else (str(problem), "")
    steps = [int(index) if index else name for name, index in _STEP.findall(path)]
    if missing := _MISSING.match(what):
        steps.append(missing[1])
        said = says_of(data, steps)
        return Refused("missing_field", pointer_to("data", *steps), f"the field {missing[1]} is missing", said.mend or "add it")
    said = says_of(data, steps)
    reason, detail, mend = judged(what)
    if said.reason == "wrong_money" and is_long(sent, steps):
        return Refused("wrong_money", pointer_to("data", *steps), "it has more digits than an amount may have", DIGITS)
    return Refused(said.reason or reason, pointer_to("data", *steps), detail, said.mend or mend)


def is_long(sent: Any, steps: list[str | int]) -> bool:
    """Whether a decimal stands there that is written as it must be, but for how many digits it has."""
    for step in steps:
        sent = sent[step]
    return isinstance(sent, str) and _LONG.fullmatch(sent) is not None


def judged(what: str) -> tuple[Reason, str, str]:
    """The reason, the detail and a mending of a message, with no value quoted."""
    if got := _GOT.match(what):
        wanted = [word for word in got[1].split(" | ") if word != "null"]
        detail = f"it must be {' or '.join(WANTED.get(word, word) for word in wanted)}, and is {GIVEN.get(got[2], got[2])}"
        return "wrong_type", detail, MENDS.get(wanted[0], SCHEMA)
    if bound := _BOUND.match(what):
        return "wrong_value", f"{BOUNDS[bound[1]]} {float(bound[2]):g}", SCHEMA
    if what.startswith("Invalid enum value"):
        return "wrong_value", "it is none of the words that may stand here", SCHEMA
    if "of length" in what:
        return "wrong_value", "it is empty" if what.endswith(">= 1") else "it is too long", SCHEMA
    return "wrong_value", "it is not written as it must be", SCHEMA


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
