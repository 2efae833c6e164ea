"""Takes a list or an object of JSON apart into its members as they came, though not each of them can be read: one costs no other.

For what the reader of JSON refused as a whole: a half of a surrogate pair, a number that is none, or what is nested thousands deep stays in
its member. Where even the lenient reader fails brackets and quotes are counted, and only so many. Reading order: listed, members.
"""

import json
import re

MOST = 50_000
"""Members that are told apart; more are not read twice."""

MARKS = 200_000
"""Brackets and quotes that are counted: some tenths of a second."""

_STRING = r'"(?:[^"\\]++|\\.)*+"'
_SIMPLE = re.compile(_STRING + r'|[^\s"\[\]{},:]+', re.DOTALL)
_MARK = re.compile(_STRING + r'|["\[\]{}]', re.DOTALL)
_NAME = re.compile(_STRING, re.DOTALL)
_GAP = re.compile(r"[ \t\r\n]*")

PAIRS = {"[": "]", "{": "}"}

_lenient = json.JSONDecoder().raw_decode


class _Inseparable(Exception):
    """The members cannot be told apart."""


def listed(content: bytes) -> list[bytes] | None:
    """The items of a list; None when it is none, or they cannot be told apart."""
    try:
        return [raw for _, raw in _Apart(content).members("[")]
    except _Inseparable:
        return None


def members(content: bytes) -> dict[str, bytes] | None:
    """The members of an object; None when it is none, or they cannot be told apart."""
    try:
        return dict(_Apart(content).members("{"))
    except _Inseparable:
        return None


class _Apart:
    """A text, how far it was read, and what may still be counted."""

    def __init__(self, content: bytes) -> None:
        self._text = content.decode(errors="surrogateescape")  # what is no UTF-8 stays in its member as well
        self._place = 0
        self._marks = MARKS

    def members(self, opening: str) -> list[tuple[str, bytes]]:
        """Each member's name, "" in a list, and its value as it came."""
        found: list[tuple[str, bytes]] = []
        if not self._passed(opening):
            raise _Inseparable
        going_on = not self._passed(PAIRS[opening])
        while going_on:
            if len(found) == MOST:
                raise _Inseparable
            name = self._name() if opening == "{" else ""
            start, self._place = self._place, self._end()
            found.append((name, self._text[start : self._place].encode(errors="surrogateescape")))
            going_on = self._passed(",")
            if not going_on and not self._passed(PAIRS[opening]):
                raise _Inseparable
        if self._place != len(self._text):
            raise _Inseparable
        return found

    def _passed(self, sign: str) -> bool:
        """Whether this comes next; then it is passed, with the space around it."""
        start = self._gap(self._place)
        if not self._text.startswith(sign, start):
            return False
        self._place = self._gap(start + len(sign))
        return True

    def _gap(self, place: int) -> int:
        found = _GAP.match(self._text, place)
        return place if found is None else found.end()

    def _name(self) -> str:
        found = _NAME.match(self._text, self._place)
        if found is None:
            raise _Inseparable
        self._place = found.end()
        if not self._passed(":"):
            raise _Inseparable
        return found[0][1:-1]

    def _end(self) -> int:
        """Where the value ends that begins here."""
        try:
            return _lenient(self._text, self._place)[1]
        except (ValueError, RecursionError):
            return self._counted()

    def _counted(self) -> int:
        if self._text[self._place : self._place + 1] not in PAIRS:
            found = _SIMPLE.match(self._text, self._place)
            if found is None:
                raise _Inseparable
            return found.end()
        closings: list[str] = []
        for mark in _MARK.finditer(self._text, self._place):
            self._marks -= 1
            sign = self._text[mark.start()]
            if sign in PAIRS:
                closings.append(PAIRS[sign])
            elif sign != '"':
                if closings.pop() != sign:
                    break
                if not closings:
                    return mark.end()
            if self._marks < 0 or (sign == '"' and mark.end() == mark.start() + 1):  # a quote that is never closed
                break
        raise _Inseparable
