"""Makes texts comparable that people write in several ways: Persian and Arabic letters, digits, marks and invisible characters.

`plain` is for identifiers, which must stay what they are; `fold` is for search and comparison, and keeps less. Reading order: plain, fold.
"""

import unicodedata

DIGITS = {ord(digit): str(n % 10) for n, digit in enumerate("۰۱۲۳۴۵۶۷۸۹٠١٢٣٤٥٦٧٨٩")}

LETTERS = str.maketrans({"ي": "ی", "ى": "ی", "ك": "ک"})
"""The Arabic shapes that Persian keyboards and old systems put for Persian letters: the same letter to every reader."""

INVISIBLE = dict.fromkeys([*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF, 0xAD, 0x61C])
"""Joiners, non-joiners, direction marks and soft hyphens: typed by accident, pasted unseen."""

STROKED = {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"}
"""Latin letters with a stroke or in one piece: taking marks off leaves them, and half the world types them without."""

FOLDED = str.maketrans({"ة": "ه", "ە": "ه", "ہ": "ه", "ھ": "ه", "ۀ": "ه", "ٱ": "ا", "ے": "ی", "ې": "ی", "ـ": None, "ء": None} | STROKED)
"""What search does not tell apart, after marks were taken off (which turns آ أ إ into ا, ؤ into و, ئ into ی)."""

_PLAIN = DIGITS | LETTERS | INVISIBLE
_FOLD = _PLAIN | FOLDED


def plain(text: str) -> str:
    """NFKC, Latin digits, Persian ی and ک, nothing invisible, single spaces, trimmed: what identifiers of any kind are compared by."""
    if not text.isascii():
        # NFKC first, so that presentation forms are letters; once more, for what stood apart through an invisible character
        text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).translate(_PLAIN))
    return " ".join(text.split())


def fold(text: str) -> str:
    """The text as search compares it: `plain`, without marks, tatweel, hamza and half-spaces, in one case.

    A half-space (ZWNJ) is removed, not turned into a space: علی‌رضا and علیرضا are the same, علی رضا is two words.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
        text = "".join(c for c in text if not unicodedata.combining(c)).translate(_FOLD)
        return " ".join(unicodedata.normalize("NFC", text).split())
    return " ".join(text.lower().split())
