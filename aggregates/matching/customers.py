"""Compares customers as they live, a few changed ones at a time: what of a customer is compared, by what he is looked up, how sure it is.

Weights begin as what is known of names, days and places anywhere, and are bent by what people decide. Rarity is of all customers, not of
the few at hand. Reading order: COLUMNS, record_of, keys, begin, judged.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import log2
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np

from aggregates.matching.agreement import BUCKETS, LEVELS, Level, agreements
from aggregates.matching.dates import date
from aggregates.matching.forms import folded, form, words
from aggregates.matching.sound import skeleton
from aggregates.matching.table import MISSING, Column, Table, tabulate
from aggregates.matching.weights import Weights, probabilities, scores
from aggregates.normal.names import without_titles

Record = Mapping[str, str]
"""What is compared of a customer, by column."""

RARE: Mapping[str, float] = {
    "name": 1e-4,
    "birth_date": 5e-5,
    "city": 0.05,
    "address": 1e-4,
    "postal_code": 1e-4,
    "company": 1e-3,
    "email": 1e-6,
    "phone": 1e-7,
    "national_id": 1e-9,
    "father_name": 5e-3,
}
"""How often two strangers agree in a column, where little is known yet."""

COLUMNS = tuple(sorted(RARE))
SHARE = 1e-4
"""Of all pairs that meet by a key, as a first belief."""

DIFFERING: Mapping[str, float] = {"city": 0.25, "address": 0.5, "phone": 0.6, "email": 0.6, "company": 0.5, "postal_code": 0.4}
"""How often one person's records differ in a column; in others seldom."""

SELDOM = 0.04


def differing(column: str) -> float:
    """How often one person's records differ in a column, where little is known yet."""
    return DIFFERING.get(column, SELDOM)


PROPOSED = 0.5
LARGEST = 100
"""A key that more customers share says too little to look at all of them."""

_BALLAST: Mapping[str, Record] = {
    f"~{n}": {
        "name": name,
        "birth_date": day,
        "city": city,
        "address": f"{city} خیابان {name} پلاک {n} واحد {n}",
        "postal_code": f"{n}987654321",
        "company": f"شرکت {name}",
        "email": f"nobody{n}@example.org",
        "phone": f"+98912000000{n}",
        "national_id": f"00000000{n}0",
        "father_name": name.split()[0],
    }
    for n, (name, day, city) in enumerate((("قباد زرندیان", "1911-01-02", "قلعه‌گنج"), ("ژاله ثریاپور", "1912-11-29", "ذهاب")), 1)
}
"""Nobody: with them every column has values of its kind, and more than one."""


def record_of(traits: Mapping[str, Any], contacts: Mapping[str, Sequence[str]]) -> Record:
    """What is compared of a customer; of several values of a kind the first."""

    def said(*names: str) -> str:
        return next((value.strip() for name in names if isinstance(value := traits.get(name), str) and value.strip()), "")

    name = said("name", "full_name", "display_name") or " ".join(
        part for part in (said("given_name", "first_name"), said("family_name", "last_name")) if part
    )
    found = {
        "name": name,
        "birth_date": said("birth_date", "date_of_birth", "birthday"),
        "father_name": said("father_name"),
        **{column: said(column) for column in ("city", "address", "postal_code", "company")},
        **{kind: next(iter(contacts.get(kind, ())), "") for kind in ("email", "phone", "national_id")},
    }
    return {column: value for column, value in found.items() if value}


def keys(record: Record) -> tuple[str, ...]:
    """By what a customer is looked up: two who share one are compared. Each joins two things, or is rare by itself."""
    parts = without_titles(words(folded(record.get("name", "")))).split()
    sounds = sorted(filter(None, map(skeleton, parts)))
    day = date(folded(record.get("birth_date", "")))
    found = []
    if parts:
        found.append("n:" + "".join(sorted("".join(parts))))
        found += [f"b:{sound}:{day}" for sound in sounds if day]
        city = "".join(words(folded(record.get("city", ""))).split())
        found += [f"c:{one}:{other}:{city}" for i, one in enumerate(sounds) for other in sounds[i + 1 :] if city]
        found += [f"s:{one}:{other}" for i, one in enumerate(sounds) for other in sounds[i + 1 :]]
        found += [f"o:{sound}:{words(folded(record['company']))}" for sound in sounds if "company" in record]
        found += [f"p:{sound}:{folded(record['postal_code'])}" for sound in sounds if "postal_code" in record]
    if "email" in record:
        mailbox = record["email"].partition("@")[0].partition("+")[0]
        if len(mailbox) > 4:
            found.append(f"m:{mailbox}")
    for column, end in (("phone", 8), ("national_id", 8)):
        digits = "".join(c for c in record.get(column, "") if c.isdigit())
        if len(digits) >= end:
            found += [f"{column}<{digits[:-2]}", f"{column}>{digits[-end:]}", f"{column}={''.join(sorted(digits))}"]
    if "address" in record:
        found.append("a:" + "".join(sorted(words(folded(record["address"])).split())))
    return tuple(dict.fromkeys(found))


def address(record: Record) -> str:
    """Where a customer lives, as it is compared; nothing where he told no street."""
    said = words(folded(record.get("address", "")))
    return " ".join(sorted(said.split())) if len(said) > 8 else ""


def values(record: Record) -> tuple[str, ...]:
    """What a customer's values are counted by, so that it is known how rare they are."""
    return tuple(f"={column}:{folded(value)}" for column, value in sorted(record.items()))


def begin() -> Weights:
    """What is believed before anybody decided."""
    m, u = np.zeros((len(COLUMNS), LEVELS)), np.zeros((len(COLUMNS), LEVELS))
    for n, column in enumerate(COLUMNS):
        rare = RARE[column]
        m[n, Level.DIFFERENT], u[n, Level.DIFFERENT] = differing(column), 0.9
        for level, mine, theirs in (
            (Level.FAINT, 0.01, 0.05),
            (Level.ALIKE, 0.015, 0.02),
            (Level.SIMILAR, 0.02, 0.01),
            (Level.CLOSE, 0.04, max(12 * rare, 1e-3)),
            (Level.NEAR, 0.06, max(4 * rare, 3e-4)),  # numbers are given out in rows: neighbours are near, and strangers
            (Level.VARIANT, 0.08, max(3 * rare, 1e-4)),
            (Level.SWAPPED, 0.02, max(2 * rare, 1e-4)),
        ):
            m[n, level], u[n, level] = mine, min(theirs, 0.05)
        rest = max(1 - m[n].sum(), 0.1)
        for step in range(BUCKETS):  # the highest level is the rarest value: each step down, twice as many share it
            m[n, LEVELS - 1 - step], u[n, LEVELS - 1 - step] = rest, min(rare * 2**step, 0.5)
    related = np.repeat(u[None], len(COLUMNS), axis=0)
    return Weights(COLUMNS, m, u, SHARE, related, np.full(len(COLUMNS), 1e-12))


WORTH_ONE, WORTH_TWO = 20.0, 2000.0
"""How many decisions of each sort the first beliefs count as: of one person's records little is believed, of strangers much is known."""


def taught(decisions: Sequence[tuple[Mapping[str, int], bool]], first: Weights) -> Weights:
    """The weights after what people decided on pairs: for each the level by column, and whether they were one person."""
    m, u = first.m.copy(), first.u.copy()
    for shares, worth, match in ((m, WORTH_ONE, True), (u, WORTH_TWO, False)):
        for n, column in enumerate(COLUMNS):
            seen = [levels[column] for levels, was in decisions if was is match and levels.get(column, 0) != Level.UNKNOWN]
            for level in {min(level, int(Level.SAME)) for level in seen}:
                times = sum(1 for one in seen if min(one, int(Level.SAME)) == level)
                of = slice(level, LEVELS if level == Level.SAME else level + 1)  # equal values are one level here, however rare
                before = shares[n, of].max()
                shares[n, of] *= (before * worth + times) / (worth + len(seen)) / before
            if seen:
                unseen = [level for level in range(1, int(Level.SAME) + 1) if level not in {min(one, int(Level.SAME)) for one in seen}]
                for level in unseen:
                    shares[n, slice(level, LEVELS if level == Level.SAME else level + 1)] *= worth / (worth + len(seen))
    return replace(first, m=np.minimum(m, 1.0), u=np.minimum(u, 1.0))


class Agreement(NamedTuple):
    """One column's part in a pair; positive bits speak for one person."""

    column: str
    agreement: str
    level: int
    bits: float


class Judged(NamedTuple):
    """How probable it is that two customers are one person, and why, the weightiest first."""

    one: UUID
    other: UUID
    probability: float
    evidence: tuple[Agreement, ...]


def judged(
    records: Mapping[UUID, Record], pairs: Sequence[tuple[UUID, UUID]], holders: Callable[[str], int], weights: Weights
) -> list[Judged]:
    """How probable these pairs are; `holders` says how many customers have a value (as `values` names it)."""
    if not pairs:
        return []
    table = tabulated(records, holders)
    levels = agreed(table, *rows(table, pairs))
    sure = probabilities(scores(weights, levels), weights.share)
    said: dict[tuple[int, ...], tuple[Agreement, ...]] = {}  # many pairs agree in the same way
    found = []
    for pair, chance, so in zip(pairs, sure.tolist(), map(tuple, levels.tolist()), strict=True):
        parts = said.get(so)
        if parts is None:
            parts = said[so] = _parts(weights, so)
        found.append(Judged(*pair, chance, parts))
    return found


def tabulated(records: Mapping[UUID, Record], holders: Callable[[str], int]) -> Table:
    """The records as a table, with nobody's beside them, in which each value is counted among all customers."""
    table = tabulate({**{str(id_): record for id_, record in records.items()}, **_BALLAST})
    return replace(table, columns=tuple(_counted(column, records, holders) for column in table.columns))


def somebody(table: Table) -> Any:
    """Which rows are customers."""
    return np.array([id_ not in _BALLAST for id_ in table.ids], bool)


def rows(table: Table, pairs: Sequence[tuple[UUID, UUID]]) -> tuple[Any, Any]:
    """Where the two of each pair stand."""
    place = {id_: n for n, id_ in enumerate(table.ids)}
    return np.array([place[str(pair[0])] for pair in pairs], np.int64), np.array([place[str(pair[1])] for pair in pairs], np.int64)


def agreed(table: Table, one: Any, other: Any) -> Any:
    """The levels by all columns that customers are compared by; those that the table has not say nothing."""
    found = agreements(table, one, other)
    levels = np.full((len(one), len(COLUMNS)), Level.UNKNOWN, np.uint8)
    for n, column in enumerate(table.columns):
        levels[:, COLUMNS.index(column.name)] = found[:, n]
    return levels


def _parts(weights: Weights, levels: Sequence[int]) -> tuple[Agreement, ...]:
    """What the columns say for a pair that agrees so, the weightiest first."""
    parts = [
        Agreement(column, "same_rare" if level >= Level.SAME else Level(level).name.lower(), level, round(_bits(weights, c, level), 2))
        for c, (column, level) in enumerate(zip(COLUMNS, levels, strict=True))
        if level != Level.UNKNOWN
    ]
    return tuple(sorted(parts, key=lambda part: -abs(part.bits)))


def _bits(weights: Weights, column: int, level: int) -> float:
    return log2(max(float(weights.m[column, level]), 1e-12) / max(float(weights.u[column, level]), 1e-12))


def _counted(column: Column, records: Mapping[UUID, Record], holders: Callable[[str], int]) -> Column:
    """The column with each value counted among all customers."""
    counts = column.counts.copy()
    code_of = {text: code for code, text in enumerate(column.texts)}
    for record in records.values():
        text = folded(record.get(column.name, ""))
        code = code_of.get(form(column.kind, text)) if text else None
        if code:
            counts[code] = max(int(counts[code]), holders(f"={column.name}:{text}"))
    counts[MISSING] = 0
    return replace(column, counts=counts)
