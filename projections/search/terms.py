"""By which terms a customer can be found, and what an agent may mean by what he typed. Pure.

Names and texts are compared folded, so that no keyboard and no half-space matters. A phone is kept by its digits in reverse: the end of the
number, which is what people remember and say, is then the beginning of a term.
"""

import hashlib
import re
from functools import lru_cache
from itertools import combinations, pairwise
from typing import NamedTuple

from aggregates.identifier import kind_of
from aggregates.normal import persian
from projections.view.state import State
from projections.view.traits import FAMILY, FULL, GIVEN, reports

NAME, EMAIL, PHONE = "name", "email", "phone"
SPOKEN = frozenset({"customer_number", "national_id", "user_id", "account", "social"})
"""Kinds besides e-mail and phone whose values people read out; devices and the like they do not."""

NAMED_BY = frozenset((*FULL, *GIVEN, *FAMILY, "company"))
SHORTEST_SUFFIX = 4
SHORTEST_PREFIX = 2
LONGEST = 64
MOST = 100
MOST_PARTED = 5
LONGEST_PARTED = 24
"""So many words of a query, of so many letters, are tried as one or as two."""
AROUND = ".,:;!?()[]{}<>\"'|،؛؟«»“”„‘’"
"""What stands around a word that was copied out of a text or a list of addresses, and is not looked for."""
_WITHIN = re.compile(r"[^\w'’]+")

Term = tuple[str, str]
"""Kind and text."""


class Asked(NamedTuple):
    """One word of a search: the customer must have a term that is one of `exact` or begins with one of `prefixes`."""

    word: str
    prefixes: tuple[Term, ...]
    exact: tuple[Term, ...] = ()


def terms_of(state: State) -> frozenset[Term]:
    """All terms of a customer, at most `MOST`."""
    terms: set[Term] = set()
    for name in NAMED_BY:
        trait = state.traits.get(name)
        for told in reports(trait) if trait is not None else ():  # whoever is believed: he is found by all that he is called
            if isinstance(told.value, str):
                terms.update((NAME, word) for word in words(told.value))
    for token, contact in state.contacts.points.items():
        if contact.value:
            kind = kind_of(token)
            if kind == PHONE:
                terms.add((PHONE, reversed_digits(contact.value)))
            elif kind == EMAIL or kind in SPOKEN:
                terms.add((kind, folded(contact.value)))
    return frozenset(terms) if len(terms) <= MOST else frozenset(sorted(terms)[:MOST])


def hash_of(state: State) -> bytes:
    """One hash of all that the terms are made of: while it stays the same, so do they."""
    told = [f"{name} {one.value}" for name, trait in state.traits.items() if name in NAMED_BY for one in reports(trait)]
    told += [token for token, contact in state.contacts.points.items() if contact.value]
    told.sort()
    return hashlib.blake2b("\n".join(told).encode("utf-8", "surrogatepass"), digest_size=8).digest()


@lru_cache(maxsize=16_384)
def folded(text: str) -> str:
    """A text as it is compared, cut. NUL cannot be stored, and nobody searches for it."""
    return persian.fold(text).replace("\0", "")[:LONGEST]


@lru_cache(maxsize=16_384)
def words(text: str) -> tuple[str, ...]:
    """The words of a name as they are compared, and what stands behind a dash or a stop in one: Jones of Smith-Jones."""
    found = [word.strip(AROUND) for word in persian.fold(text).replace("\0", "").split()[:12]]
    behind = [part for word in found for part in _WITHIN.split(word)[1:] if len(part) >= SHORTEST_PREFIX]
    return tuple(dict.fromkeys(word[:LONGEST] for word in (*found, *behind) if word))


@lru_cache(maxsize=16_384)
def reversed_digits(phone: str) -> str:
    """The digits of a number, last first."""
    return "".join(c for c in persian.plain(phone) if c in "0123456789")[::-1][:LONGEST]


def ask(query: str) -> list[Asked]:
    """What was typed, word by word; a phone number may be written with spaces, so words of digits are one word."""
    asked: list[Asked] = []
    digits: list[str] = []
    for word in _typed(query):
        bare = word.strip(AROUND)
        if all(c in "0123456789+-().*" for c in bare) and any(c.isdecimal() for c in bare):
            digits.append(bare)
        else:
            asked.append(_word(word, bare))
    if digits:
        asked.append(_number(digits))
    return asked[:8]


def _typed(query: str) -> list[str]:
    """The words of a query in which there is something to look for: no dash between two names, no & in a company's."""
    return [word for word in persian.fold(query).replace("\0", "")[:200].split() if any(c.isalnum() for c in word)]


def spellings(query: str) -> list[list[Asked]]:
    """What was typed, then the same with neighbouring words as one, the fewest of them first, and with one word as two: names are written
    both ways, and a full name may have more than one half-space."""
    typed = [word.strip(AROUND) for word in _typed(query)]
    gaps = [place for place, pair in enumerate(pairwise(typed[:MOST_PARTED])) if all(word.isalpha() for word in pair)]
    closed = [places for many in range(len(gaps)) for places in combinations(gaps, many + 1)]
    written = [ask(query)]
    written += [ask("".join(word if place in places else f"{word} " for place, word in enumerate(typed))) for places in closed]
    for place, word in enumerate(typed[:MOST_PARTED]):
        if word.isalpha() and len(word) <= LONGEST_PARTED:
            others = ask(" ".join((*typed[:place], *typed[place + 1 :])))
            parted = ((word[:end], word[end:]) for end in range(SHORTEST_PREFIX, len(word) - SHORTEST_PREFIX + 1))
            written += ([*others, *(Asked(part, (), ((NAME, part),)) for part in parts)] for parts in parted)
    return written


def _word(word: str, bare: str) -> Asked:
    """A word that is not a number: a name, an address, or a number with letters in it; as it was typed, and bare."""
    terms = tuple((kind, text[:LONGEST]) for text in dict.fromkeys((word, bare)) for kind in (NAME, EMAIL, *sorted(SPOKEN)))
    return Asked(word, terms) if len(bare) >= SHORTEST_PREFIX else Asked(word, (), terms)


def _number(parts: list[str]) -> Asked:
    """A word of digits: the end of a phone in any spelling, or a number of another kind from its beginning."""
    word = "".join(parts)
    digits = "".join(c for c in word if c.isdecimal())
    exact = tuple((kind, word) for kind in sorted(SPOKEN))
    if len(digits) < SHORTEST_SUFFIX:
        return Asked(" ".join(parts), (), (*exact, (NAME, word)))
    prefixes = [(kind, word[:LONGEST]) for kind in (EMAIL, NAME, *sorted(SPOKEN))]
    return Asked(" ".join(parts), ((PHONE, national(word, digits)[::-1][:LONGEST]), *prefixes))


def national(word: str, digits: str) -> str:
    """The digits that every spelling of the number ends with: without 0098, +98, 98 or 0 before them, when there are enough after."""
    for prefix in ("0098", "98", "0"):
        spelled = word.startswith("+") if prefix == "98" else True
        if digits.startswith(prefix) and len(digits) - len(prefix) >= 8 and (spelled or len(digits) == 12):
            return digits[len(prefix) :]
    return digits
