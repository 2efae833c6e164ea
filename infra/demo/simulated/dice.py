"""Chance that is the same on every machine: numbers that follow from a text alone."""

from collections.abc import Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """Throws that depend on what they are named for. Only `random()` is used: Python keeps its sequence for ever, no other method's."""

    def __init__(self, *names: object) -> None:
        self._random = Random("/".join(map(str, names))).random  # noqa: S311 - a simulation, not a secret

    def chance(self, share: float) -> bool:
        """True in this share of throws."""
        return self._random() < share

    def whole(self, least: int, most: int) -> int:
        """A whole number from `least` to `most`, both included."""
        return least + int(self._random() * (most - least + 1))

    def one_of(self, things: Sequence[T]) -> T:
        """One of them, each as likely."""
        return things[int(self._random() * len(things))]

    def text(self, length: int) -> str:
        """Hexadecimal digits, as systems make ids of."""
        return "".join("0123456789abcdef"[int(self._random() * 16)] for _ in range(length))
