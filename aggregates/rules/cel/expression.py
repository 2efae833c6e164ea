"""One condition on an event, from its text to true or false. Reading order: expression."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from aggregates.rules.cel.compiling import NotUnderstood, compiled
from aggregates.rules.cel.values import Unusable

__all__ = ["LONGEST", "NotUnderstood", "expression"]

LONGEST = 4_000

Condition = Callable[[Mapping[str, Any]], bool]


@lru_cache(maxsize=4_096)
def expression(text: str) -> Condition:
    """The condition that a text is: true only where its value is true; what has no value for an event is not true of it.

    Raises `NotUnderstood`.
    """
    if len(text) > LONGEST:
        raise NotUnderstood(f"it is longer than {LONGEST} characters")
    try:
        value = compiled(_parsed(text))
    except RecursionError:
        raise NotUnderstood("it is nested too deeply") from None

    def condition(event: Mapping[str, Any]) -> bool:
        try:
            return value(event) is True
        except (Unusable, RecursionError):
            return False

    return condition


def _parsed(text: str) -> Any:
    from celpy.celparser import CELParseError, CELParser

    try:
        return CELParser().parse(text)
    except CELParseError as error:
        raise NotUnderstood(_place(text, error.line, error.column)) from None


def _place(text: str, line: int | None, column: int | None) -> str:
    if not line or not column or line < 1:
        return "something is missing at its end"
    rest = text.splitlines()[line - 1][column - 1 :] if line <= len(text.splitlines()) else ""
    where = f"character {column}" if line == 1 else f"line {line}, character {column}"
    return f"it is not written as CEL at {where}" + (f", before {rest[:20]}" if rest.strip() else "")
