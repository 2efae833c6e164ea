"""Holds every sentence of the desk in each of its languages: one JSON file a language, the same keys in all of them.

A message may name values in braces; one that depends on a number is an object of plural forms (CLDR's `one` and `other`).
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

LANGUAGES = ("fa", "en")
"""The first is the one that is spoken to whoever chose none."""

RIGHT_TO_LEFT = frozenset({"fa"})

Message = str | Mapping[str, str]


@cache
def messages(language: str) -> Mapping[str, Message]:
    """All messages of a language."""
    catalog: Mapping[str, Message] = json.loads((Path(__file__).parent / "messages" / f"{language}.json").read_text("utf-8"))
    return catalog


def plural(count: int, language: str) -> str:
    """The form of a message for a number; Persian has one form after numbers, so its `other` serves for all."""
    return "one" if language == "en" and count == 1 else "other"
