"""Holds every sentence of the desk in each of its languages: one JSON file a language and area, the same keys in all languages.

`messages/en.json` has what many pages say; an area has its own beside it, `messages/service.en.json`. No key is in two files.

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
    """All messages of a language, whatever file they are in."""
    catalog: dict[str, Message] = {}
    for file in sorted((Path(__file__).parent / "messages").glob(f"*{language}.json")):
        catalog |= json.loads(file.read_text("utf-8"))
    return catalog


def plural(count: int, language: str) -> str:
    """The form of a message for a number; Persian has one form after numbers, so its `other` serves for all."""
    return "one" if language == "en" and count == 1 else "other"
