"""Makes words of Persian and English texts comparable for a search: one spelling, no endings, none of the words that are everywhere.

PostgreSQL has no Persian dictionary, so the words are made here and given to it as they are.
"""

import re

from aggregates.normal.persian import fold

_WORD = re.compile(r"[^\W_]+")

ENDINGS = (
    "هایمان",
    "هایتان",
    "هایشان",
    "هایم",
    "هایت",
    "هایش",
    "های",
    "هایی",
    "ها",
    "ترین",
    "تری",
    "تر",
    "مان",
    "تان",
    "شان",
    "ان",
    "ات",
    "ی",
)
"""Longest first: plural, comparison, whose it is. What is left is not shorter than a word."""

ENGLISH = ("ings", "ing", "ied", "ies", "ed", "es", "s", "e", "y")

PLURAL = "ان"
LIKE_PLURAL = ("مان", "تان", "شان")
"""Whose it is, or the plural of what ends in the letter that it begins with: دوستان is of دوست, and کتابتان of کتاب."""

SHORTEST = 3
SHORTEST_PLURAL = 2
"""No short word ends in ها by itself: کدها is of کد."""

MOST_ENDINGS = 4
"""کودکانشان has two, and مشتریان must become what مشتری does: all are taken off, up to so many."""

PERSIAN_EVERYWHERE = "از به در با را که این آن و یا هم برای تا بر چه چرا اگر است بود شد شده می نمی من ما شما او"
ENGLISH_EVERYWHERE = "the a an of to in on is are was and or for it has not"
ENDINGS_APART = "ها های هایی هایم هایت هایش هایمان هایتان هایشان تر ترین"
"""Written after a space, where a half-space belongs."""

EVERYWHERE = frozenset(fold(word) for said in (PERSIAN_EVERYWHERE, ENDINGS_APART, ENGLISH_EVERYWHERE) for word in said.split())


def words(text: str) -> list[str]:
    """The words of a text as a search compares them, in their order."""
    return [found for word in spoken(text) for found in stems(word)]


def spoken(text: str) -> list[str]:
    """The same with their endings."""
    # A half-space joins what belongs together: کتاب‌ها loses its ending like کتابها.
    return [word for word in _WORD.findall(fold(text)) if word not in EVERYWHERE]


def stems(word: str) -> list[str]:
    """What a word may be without its endings; first the one without the most."""
    found, others = word, list[str]()
    for _ in range(MOST_ENDINGS):
        shorter = less(found)
        if found.removeprefix(shorter) in LIKE_PLURAL:
            others.append(found.removesuffix(PLURAL))
        found = shorter
    return [found, *others]


def less(word: str) -> str:
    """A word without its last ending."""
    for ending in ENGLISH if word.isascii() else ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= (SHORTEST_PLURAL if ending.startswith("ها") else SHORTEST):
            return word[: -len(ending)]
    return word
