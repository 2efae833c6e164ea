"""One condition on an event, from its text to true or false. Reading order: expression."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from aggregates.rules.cel.compiling import NotUnderstood, Unreadable, compiled, fields, unreadable
from aggregates.rules.cel.values import Unusable

__all__ = ["LONGEST", "NotUnderstood", "Unreadable", "expression", "fields_named", "never_read"]

LONGEST = 4_000

Condition = Callable[[Mapping[str, Any]], bool]


@lru_cache(maxsize=4_096)
def expression(text: str) -> Condition:
    """The condition that a text is: true only where its value is true; what has no value for an event is not true of it.

    Raises `NotUnderstood`.
    """
    if len(text) > LONGEST:
        raise NotUnderstood("cel_too_long", limit=f"{LONGEST:,}")
    try:
        value = compiled(_parsed(text))
    except RecursionError:
        raise NotUnderstood("cel_too_deep") from None

    def condition(event: Mapping[str, Any]) -> bool:
        try:
            return value(event) is True
        except (Unusable, RecursionError):
            return False

    return condition


@lru_cache(maxsize=4_096)
def never_read(text: str) -> tuple[Unreadable, ...]:
    """Texts in an expression that is understood, of which the function they are given to can make nothing, whatever the event."""
    return tuple(unreadable(_parsed(text)))


@lru_cache(maxsize=4_096)
def fields_named(text: str) -> tuple[str, ...]:
    """The fields of the data of which an expression that is understood speaks, each once."""
    return tuple(dict.fromkeys(fields(_parsed(text))))


@lru_cache(maxsize=16)  # whoever understands an expression asks next what of it is never read, and of which fields it speaks
def _parsed(text: str) -> Any:
    from celpy.celparser import CELParseError, CELParser

    try:
        return CELParser().parse(text)
    except CELParseError as error:
        raise NotUnderstood("cel_unreadable", place=_place(text, error.line, error.column)) from None


def _place(text: str, line: int | None, column: int | None) -> str:
    """The rest of the line where the parser stopped, and how far it came."""
    lines = text.splitlines()
    if not line or not column or not 0 < line <= len(lines):
        return f"{len(lines)}:{len(lines[-1]) + 1 if lines else 1}"
    rest = lines[line - 1][column - 1 :][:20].strip()
    return f"{line}:{column}" + (f" ({rest})" if rest else "")
