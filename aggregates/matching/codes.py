"""Finds the codes that stand in free text, model and part numbers: what tells two things apart that are described alike.

Pure. Reading order: codes, in_one_piece.
"""

import re
from collections import Counter
from collections.abc import Sequence

from aggregates.matching.kinds import changes

MARK = " #"
"""What the header of a column gets behind it for that of its codes."""

SHORTEST = 4
OFTEN = 0.4
"""The share of a column's texts that have a code, from which codes are looked for in it."""

COMMON = 0.01
"""What more than this share of the texts have is a measure, or a colour."""
FEW = 8

_AROUND = re.compile(r"^[^\w]+|[^\w]+$")
_WITHIN = re.compile(r"[-./_]")


def codes(header: str, texts: Sequence[str]) -> Sequence[str] | None:
    """The code in each folded text, empty where it has none; None where the column is not one that has codes."""
    if changes(header):  # what looks like a code in an address is a part of it
        return None
    said = [text for text in texts if text]
    distinct = {text: _candidates(text) for text in dict.fromkeys(said)}
    times = Counter(code for text in said for code in distinct[text])
    most = max(FEW, COMMON * len(said))
    rarest = {
        text: min((code for code in found if times[code] <= most), key=lambda code: (times[code], -len(code), code), default="")
        for text, found in distinct.items()
    }
    if sum(bool(rarest[text]) for text in said) < max(OFTEN * len(said), 1):
        return None
    return [rarest.get(text, "") for text in texts]


def in_one_piece(text: str) -> str:
    """The text with its codes in one piece each: some write KX-10/B, others KX10B."""
    return " ".join(code if _is_code(code := _without_signs(word)) else word for word in text.split())


def _candidates(text: str) -> frozenset[str]:
    return frozenset(code for word in text.split() if _is_code(code := _without_signs(word)))


def _without_signs(word: str) -> str:
    return _WITHIN.sub("", _AROUND.sub("", word))


def _is_code(word: str) -> bool:
    """Whether a word has digits and letters, or many digits."""
    digits = sum(c.isdigit() for c in word)
    return len(word) >= SHORTEST and word.isalnum() and digits >= (1 if digits < len(word) else SHORTEST + 1)
