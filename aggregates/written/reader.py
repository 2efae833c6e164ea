"""Reads a written value piece by piece and gathers everything that is wrong with it, so that a person mends a text in one go.

A method answers None for what it could not read, after it noted why; the caller goes on. Reading order: Reader.
"""

import re
from collections.abc import Collection, Mapping
from datetime import timedelta

from aggregates.moment import known_zone
from aggregates.normal.persian import DIGITS
from aggregates.written.node import Node
from aggregates.written.problem import Problem, nearest
from aggregates.written.span import meant, span

LONGEST_SPAN = timedelta(days=3_660)
NAME = r"""^[^\s/\\?#%&<>"'{}|,;\x00-\x1f\x7f\ud800-\udfff]{1,64}$"""
"""In any script: names stand in addresses, in hashes and in sentences."""

WORD = r"^[a-z][a-z0-9_-]{0,63}$"
TYPE = r"^[A-Za-z][A-Za-z0-9_-]*([.:/][A-Za-z0-9_-]+)*$"
ALIKE = 0.75
"""How much a name must be like a usual one for a hint: names may be any, and one that is far from all usual ones is meant so."""

CLOCK = r"^([01]?[0-9]|2[0-3]):[0-5][0-9]$"
PERCENT = r"^[0-9]{1,3}([.][0-9]{1,6})?%$"

_NAME = re.compile(NAME.replace("$", r"\Z"))
_NO_NAME = r"""[\s/\\?#%&<>"'{}|,;]+"""
_WORD, _TYPE, _CLOCK, _PERCENT = (re.compile(pattern.replace("$", r"\Z"), re.ASCII) for pattern in (WORD, TYPE, CLOCK, PERCENT))

Members = Mapping[str, Node]


def latin(text: str) -> str:
    """With the digits and marks of numbers that programs read: ۳ is 3, ۰٫۷ is 0.7, ۱۰٪ is 10%."""
    return text.translate(_LATIN)


_LATIN = {**DIGITS, ord("٫"): ".", ord("٪"): "%", ord("٬"): None}


def _number(value: object, low: float, high: float, form: str = r"-?[0-9]{1,15}(\.[0-9]{1,15})?") -> str:
    """A number that was written as a text, in whatever digits; empty where it is none that may stand here."""
    found = latin(value.strip()) if isinstance(value, str) else ""
    return found if re.fullmatch(form, found) and low <= float(found) <= high else ""


class Reader:
    """Takes nodes apart; `problems` is what it found, `hints` what may stand so and is perhaps not meant so."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.hints: list[Problem] = []

    def note(self, node: Node, code: str, suggestion: str = "", **words: str) -> None:
        """Remember a mistake."""
        self.problems.append(Problem(node.line, node.pointer, code, words, suggestion))

    def hint(self, node: Node, code: str, suggestion: str = "", **words: str) -> None:
        """Remember what may stand so, and is perhaps not meant so."""
        self.hints.append(Problem(node.line, node.pointer, code, words, suggestion))

    def members(self, node: Node, known: Collection[str], required: Collection[str] = (), like: str = "{…}") -> Members | None:
        """The members of a mapping, of which all are known and those that must be there are; null is as good as absent."""
        if not isinstance(node.value, Mapping):
            self.note(node, "not_mapping", like=like)
            return None
        for name in node.value:
            if name not in known:
                pointer = node.value[name].pointer
                self.problems.append(Problem(node.names[name], pointer, "unknown_word", {"word": name}, nearest(name, known)))
        members = {name: member for name, member in node.value.items() if name in known and member.value is not None}
        for name in required:
            if name not in members:
                self.note(node, "missing", word=name)
        return members

    def one(self, node: Node, members: Members, choices: Collection[str]) -> str | None:
        """Which one of several members stands here."""
        found = [name for name in choices if name in members]
        if len(found) == 1:
            return found[0]
        self.note(node, "exactly_one", choices=", ".join(choices))
        return None

    def items(self, node: Node, like: str) -> tuple[Node, ...]:
        """The items of a list that is not empty."""
        if isinstance(node.value, tuple) and node.value:
            return node.value
        self.note(node, "not_list", like=like)
        return ()

    def text(self, node: Node, word: str, longest: int = 200) -> str | None:
        """A text that is not empty."""
        if not isinstance(node.value, str):
            self.note(node, "not_text", word=word)
        elif not node.value.strip():
            self.note(node, "empty", word=word)
        elif len(node.value) > longest:
            self.note(node, "text_too_long", word=word, limit=str(longest))
        else:
            return node.value.strip()
        return None

    def name(self, node: Node, word: str) -> str | None:
        """What a person calls something."""
        text = self.text(node, word, 64)
        if text is not None and not _NAME.match(text):
            slug = re.sub(_NO_NAME, "-", text).strip("-")
            self.note(node, "no_name", slug if _NAME.match(slug) else "", word=word)
            return None
        return text

    def word(self, node: Node, word: str) -> str | None:
        """A purpose or a channel: compared in small letters."""
        text = self.text(node, word, 64)
        if text is not None and not _WORD.match(text.lower()):
            slug = re.sub(r"[^a-z0-9_]+", "_", text.lower()).strip("_-0123456789")
            self.note(node, "no_word", slug if _WORD.match(slug) else "", word=word)
            return None
        return text and text.lower()

    def usual(self, node: Node, word: str, choices: Collection[str]) -> str | None:
        """A purpose or a channel: any word is one; of one that is nearly a usual one it is said."""
        found = self.word(node, word)
        self.own(node, found, choices)
        return found

    def own(self, node: Node, found: str | None, choices: Collection[str], alike: float = ALIKE) -> None:
        """Say so where a name that may be any is nearly a usual one."""
        if found and found not in choices and (near := nearest(found, choices, alike)):
            self.hint(node, "unusual_word", near, word=found)

    def type(self, node: Node, word: str) -> str | None:
        """The type of an event. Types without a contract exist, so only the form is judged."""
        text = self.text(node, word, 512)
        if text is not None and not _TYPE.match(text):
            self.note(node, "no_type", word=word)
            return None
        return text

    def choice(self, node: Node, word: str, choices: Collection[str]) -> str | None:
        """One of several words."""
        if isinstance(node.value, str) and node.value in choices:
            return node.value
        given = node.value if isinstance(node.value, str | int | float) else "…"
        near = nearest(str(given), choices)
        self.note(node, "unknown_choice", near, word=word, choices=", ".join(choices), given=str(given))
        return None

    def whole(self, node: Node, word: str, low: int, high: int) -> int | None:
        """A whole number."""
        if isinstance(node.value, int) and not isinstance(node.value, bool) and low <= node.value <= high:
            return node.value
        self.note(node, "not_whole", _number(node.value, low, high, r"[0-9]{1,15}"), word=word, low=str(low), high=f"{high}")
        return None

    def number(self, node: Node, word: str, low: float, high: float) -> float | None:
        """A number."""
        if isinstance(node.value, int | float) and not isinstance(node.value, bool) and low <= node.value <= high:
            return node.value
        self.note(node, "not_number", _number(node.value, low, high), word=word, low=f"{low:g}", high=f"{high:g}")
        return None

    def span(self, node: Node, word: str, *, zero: bool = False) -> timedelta | None:
        """A duration; nothing at all only where that means something."""
        found = timedelta() if node.value == 0 and not isinstance(node.value, bool) else None
        if isinstance(node.value, str):
            found = span(node.value)
        if found is None:
            number = isinstance(node.value, int) and not isinstance(node.value, bool)
            guess = meant(latin(node.value)) if isinstance(node.value, str) else ""
            self.note(node, "no_duration", f"{node.value}d" if number else guess, word=word)
        elif not found and not zero:
            self.note(node, "duration_zero", word=word)
        elif found > LONGEST_SPAN:
            self.note(node, "duration_too_long", word=word, limit=f"{LONGEST_SPAN.days}d")
        else:
            return found
        return None

    def percent(self, node: Node, word: str) -> float | None:
        """A share, written as a part of a hundred, as a number from 0 to 1."""
        if node.value == 0 and not isinstance(node.value, bool):
            return 0.0
        text = "".join(node.value.split()) if isinstance(node.value, str) else ""
        if _PERCENT.match(text) and float(text[:-1]) <= 100:
            return float(text[:-1]) / 100
        plain = latin(text)
        guess = plain if _PERCENT.match(plain) and float(plain[:-1]) <= 100 else ""
        if isinstance(node.value, int | float) and not isinstance(node.value, bool) and 0 < node.value <= 100:
            guess = f"{node.value * 100 if node.value < 1 else node.value:g}%"
        self.note(node, "no_percent", guess, word=word)
        return None

    def clock(self, node: Node) -> int | None:
        """A time of day, as minutes since midnight."""
        if isinstance(node.value, str) and _CLOCK.match(node.value.strip()):
            hours, _, minutes = node.value.strip().partition(":")
            return int(hours) * 60 + int(minutes)
        guess = latin(node.value) if isinstance(node.value, str) else ""
        guess = f'"{guess}"' if _CLOCK.match(guess) else ""
        if isinstance(node.value, int) and not isinstance(node.value, bool) and 0 <= node.value < 1_440:
            guess = f'"{node.value // 60:02}:{node.value % 60:02}"'  # what a reader of YAML 1.1 makes of 21:00
        self.note(node, "no_clock", guess)
        return None

    def zone(self, node: Node, word: str) -> str | None:
        """The name of a time zone."""
        text = self.text(node, word)
        if text is None:
            return None
        if known_zone(text) is None:
            from zoneinfo import available_timezones

            self.note(node, "no_zone", nearest(text, available_timezones()), word=text)
            return None
        return text
