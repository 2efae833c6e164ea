"""Says what is wrong with what a person wrote, where, and which word he may have meant, in English or Persian."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from types import MappingProxyType
from typing import Literal

from aggregates.written.messages import MEANT, MESSAGES, PLACE

Lang = Literal["en", "fa"]

_NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake. `code` names it for programs; `words` fill the sentence that people read."""

    line: int
    pointer: str
    code: str
    words: Mapping[str, str] = field(default_factory=lambda: _NONE)
    suggestion: str = ""  # the nearest valid word, or how to write it

    def message(self, lang: Lang = "en") -> str:
        """What is wrong, as a sentence."""
        return MESSAGES[self.code][lang].format(**self.words) + (MEANT[lang].format(self.suggestion) if self.suggestion else "")

    def text(self, lang: Lang = "en") -> str:
        """The whole line for a person: where, what, and what to write instead."""
        return PLACE[lang].format(line=self.line, pointer=self.pointer or "/", message=self.message(lang))


def nearest(word: str, valid: Iterable[str], cutoff: float = 0.5) -> str:
    """The valid word that this one seems to mean; empty when it is like none."""
    by_lower = {choice.lower(): choice for choice in valid}
    close = get_close_matches(word.strip().lower().replace("-", "_").replace(" ", "_"), by_lower, n=1, cutoff=cutoff)
    return by_lower[close[0]] if close else ""
