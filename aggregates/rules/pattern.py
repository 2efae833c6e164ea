"""Recognises the events that a rule speaks of: a type, and what must be true of the event. Reading order: Pattern, matches."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from aggregates.fact import Fact
from aggregates.rules.cel.expression import expression
from aggregates.rules.cel.operators import equal
from aggregates.rules.cel.values import with_money


@dataclass(frozen=True, slots=True)
class Equals:
    """Fields that must have these values: `{page: price}`. A name with points is a path: `{traits.city: Shiraz}`."""

    fields: tuple[tuple[str, str | int | float | bool], ...]


@dataclass(frozen=True, slots=True)
class Expression:
    """A condition in CEL."""

    text: str


@dataclass(frozen=True, slots=True)
class Pattern:
    """Events of one type of which a condition is true."""

    type: str
    where: Equals | Expression | None = None

    def matches(self, fact: Fact) -> bool:
        """Whether the event is one of these; its type was looked at before."""
        match self.where:
            case None:
                return True
            case Equals(fields):
                return all(_equals(fact, name, value) for name, value in fields)
            case Expression(text):
                return expression(text)(scope(fact))


def scope(fact: Fact) -> Mapping[str, Any]:
    """What an expression knows of an event."""
    data = with_money(fact.type, fact.data)
    return {"data": data, "type": fact.type, "source": fact.source, "id": fact.id, "time": fact.at}


_ABSENT = object()


def _equals(fact: Fact, name: str, wanted: object) -> bool:
    found: Any = fact.data.get(name, _ABSENT)
    if found is _ABSENT and "." in name:
        found = fact.data
        for part in _path(name):
            found = found.get(part, _ABSENT) if isinstance(found, Mapping) else _ABSENT
    if type(found) is str and type(wanted) is str and (found == wanted or not found[:2].lstrip("-").isdecimal()):
        return found == wanted  # neither can be money: by far the most usual case
    return found is not _ABSENT and (equal(found, wanted) or _equal_money(fact, name, wanted))


@lru_cache(maxsize=4_096)
def _path(name: str) -> tuple[str, ...]:
    return tuple(name.split("."))


def _equal_money(fact: Fact, name: str, wanted: object) -> bool:
    """Money is equal as a number: "500.00" is 500."""
    return isinstance(fact.data.get(name), str) and equal(with_money(fact.type, fact.data).get(name), wanted)
