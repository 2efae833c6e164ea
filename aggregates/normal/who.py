"""Reads `who`, in which a channel says who it was: `{"phone": "0912…", "email": ["a@x.ir", "b@x.ir"]}`."""

from collections.abc import Iterable, Mapping
from typing import Any

from aggregates.identifier import Identifier
from aggregates.normal import NotAnIdentifier, is_kind, recognise
from aggregates.refusal import Refused, pointer_to

MOST = 64
"""More identifiers than one fact can have of one customer."""


def read_who(who: Any) -> tuple[Identifier, ...]:
    """The trusted identifiers in normal form, each once, in the order given. Raises `Refused`.

    What is null, blank or a placeholder is as good as not given: telephone systems write these for callers they do not know.
    """
    if not isinstance(who, dict):
        raise Refused("wrong_type", "/data/who", "who must be an object", 'write it like {"phone": "+989121234567"}')
    found: dict[Identifier, None] = {}
    for kind, given in who.items():
        if type(given) is str:
            if given and not given.isspace():
                add(found, kind, given)
        else:
            several(found, kind, given)
    if len(found) > MOST:
        raise Refused("too_large", "/data/who", f"there are more than {MOST} identifiers in it", "send those of one customer")
    return tuple(found)


def implied(data: Mapping[str, Any], fields: Iterable[tuple[str, str]], who: tuple[Identifier, ...]) -> tuple[Identifier, ...]:
    """`who` and what else names the customer. A withheld number is no fault of the event: what is no identifier is passed over."""
    found = dict.fromkeys(who)
    for path, kind in fields:
        value: Any = data
        for name in path.split("."):
            value = value.get(name) if isinstance(value, Mapping) else None
        if isinstance(value, str):
            try:
                identifier, trust = recognise(kind, value)
            except NotAnIdentifier:
                continue
            if trust:
                found[identifier] = None
    return tuple(found)


def several(found: dict[Identifier, None], kind: str, given: Any) -> None:
    """A kind's values that are not one text: a list, a number, null."""
    for index, one in enumerate(given if isinstance(given, list) else [given]):
        at = (index,) if isinstance(given, list) else ()
        if one is None or (isinstance(one, str) and not one.strip()):
            continue
        if isinstance(one, bool) or not isinstance(one, str | int):
            raise Refused("wrong_type", place(kind, *at), "an identifier must be text", 'write one value, or a list of them: ["a", "b"]')
        add(found, kind, str(one), *at)


def add(found: dict[Identifier, None], kind: str, text: str, *index: int) -> None:
    """One identifier, when it is trusted."""
    try:
        identifier, trust = recognise(kind, text)
    except NotAnIdentifier as problem:
        raise Refused("not_an_identifier", place(kind, *index), problem.why, problem.mend) from None
    if trust:
        found[identifier] = None


def place(kind: str, *index: int) -> str:
    """Where a value stands. A kind that is no name may be a value in the wrong place, and pointers travel in the clear."""
    return pointer_to("data", "who", kind, *index) if is_kind(kind) else "/data/who"
