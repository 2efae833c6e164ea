"""Holds records as columns of small numbers, so that a million of them fit in memory and equal values are compared once.

Pure: what `tabulate` makes depends on the records alone, not on their order. Reading order: Column, Table, tabulate.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from math import log

import numpy as np

from aggregates.matching.aligning import partners, together
from aggregates.matching.aspects import Ints, aspects
from aggregates.matching.codes import MARK, codes, in_one_piece
from aggregates.matching.forms import folded, form
from aggregates.matching.kinds import Kind, kind_of_column

MISSING = 0
"""The code of a value that is not there."""

_WHOLE = re.compile(r"-?[0-9]+\.0", re.ASCII)

WORDED = frozenset({Kind.TEXT, Kind.COMPANY})
"""Kinds whose words weigh by how rare they are."""

LOOKED_AT = 2000
"""Values from which a column's kind is recognised."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: which value each record has, as a code, and what the codes mean."""

    name: str
    kind: Kind
    codes: Ints  # of each record
    texts: tuple[str, ...]  # of each code; texts[MISSING] is empty
    counts: Ints  # how many records have each code; MISSING counts as 0
    everywhere: Ints  # each code's number among the texts of the whole table
    aspects: Mapping[str, Ints]  # of each code: what values of this kind are compared by
    rarity: Mapping[str, float]  # of free text: each word's weight


@dataclass(frozen=True, slots=True)
class Table:
    """Records of one source, or of two that are to be linked, in an order that depends only on their ids."""

    ids: tuple[str, ...]
    side: Ints  # 0 or 1: which source
    columns: tuple[Column, ...]
    linked: bool  # pairs are sought between the sources, not within

    @property
    def size(self) -> int:
        """How many records."""
        return len(self.ids)

    @property
    def pairs(self) -> int:
        """How many pairs there are to choose from."""
        if self.linked:
            second = int(self.side.sum())
            return (self.size - second) * second
        return self.size * (self.size - 1) // 2


Records = Mapping[str, Mapping[str, str]]
"""The records of a source by id: each the values by column."""


def tabulate(first: Records, second: Records | None = None) -> Table:
    """The table of one source's records, or of two sources' that are to be linked, whatever the second calls the first's columns.

    Columns that say nothing are left out. A name that is all there is, is read word by word.
    """
    sources = [first]
    if second is not None:
        first, second = _put_together(first, second), _put_together(second, first)
        sources = [first, _renamed(second, partners(list(first.values()), list(second.values())))]
    order = sorted(
        ((side, identity) for side, source in enumerate(sources) for identity in source), key=lambda one: (_shuffled(one[1]), one[0])
    )
    rows = [sources[side][identity] for side, identity in order]
    numbers: dict[str, int] = {"": 0}
    names = sorted({name for row in rows for name in row})
    found = [column for name in names for column in _read(name, [folded(row.get(name) or "") for row in rows], numbers)]
    side = np.fromiter((side for side, _ in order), np.int64, len(order))
    columns = tuple(column for column in found if len(column.texts) > 2 and (second is None or _on_both(column, side)))
    if len(columns) == 1 and columns[0].kind in (Kind.NAME, Kind.COMPANY):
        columns = (_column(columns[0].name, [folded(row.get(columns[0].name) or "") for row in rows], {"": 0}, Kind.TEXT),)
    return Table(tuple(identity for _, identity in order), side, columns, second is not None)


def _put_together(records: Records, others: Records) -> Records:
    """The records, names and addresses put together where the other table has them so."""
    for whole, parts in together(list(records.values()), list(others.values())).items():
        records = {
            identity: {name: value for name, value in row.items() if name not in parts}
            | {whole: " ".join(value for part in parts if (value := row.get(part) or ""))}
            for identity, row in records.items()
        }
    return records


def _renamed(records: Records, names: Mapping[str, str]) -> Records:
    if not names:
        return records
    return {identity: {names.get(name, name): value for name, value in row.items()} for identity, row in records.items()}


def _read(name: str, values: Sequence[str], numbers: dict[str, int]) -> list[Column]:
    """A column, and where it is of texts that have codes in them, these as another."""
    column = _column(name, values, numbers)
    found = codes(name, values) if column.kind in WORDED else None
    if found is None:
        return [column]
    whole = _column(name, [in_one_piece(value) for value in values], numbers, column.kind)
    return [whole, _column(f"{name}{MARK}", found, numbers, Kind.DIGITS)]


def _column(name: str, values: Sequence[str], numbers: dict[str, int], kind: Kind | None = None) -> Column:
    """A column from its folded values, of a kind that is given or recognised; texts new to the table get a number."""
    values = _whole(values)
    distinct = dict.fromkeys(values)
    step = max(1, len(distinct) // LOOKED_AT)
    kind = kind or kind_of_column(name, [text for text in list(distinct)[::step] if text])
    codes_of: dict[str, int] = {"": MISSING}
    code_of_raw = {raw: codes_of.setdefault(form(kind, raw) if raw else "", len(codes_of)) for raw in distinct}
    codes = np.fromiter((code_of_raw[raw] for raw in values), np.int64, len(values))
    counts = np.bincount(codes, minlength=len(codes_of))
    counts[MISSING] = 0
    everywhere = np.fromiter((numbers.setdefault(text, len(numbers)) for text in codes_of), np.int64, len(codes_of))
    texts = tuple(codes_of)
    return Column(name, kind, codes, texts, counts, everywhere, aspects(kind, texts), _rarity(texts, counts) if kind in WORDED else {})


def _on_both(column: Column, side: Ints) -> bool:
    """Whether both tables say anything there: else no pair is told by it."""
    said = column.codes != MISSING
    return bool(said[side == 0].any() and said[side == 1].any())


def _whole(values: Sequence[str]) -> Sequence[str]:
    """Whole numbers that some program wrote as 1999.0, because one of them was missing, without what it added."""
    broken = [value for value in dict.fromkeys(values) if "." in value]
    if not broken or not all(_WHOLE.fullmatch(value) for value in broken):
        return values
    return [value.partition(".")[0] for value in values]


def _rarity(texts: Sequence[str], counts: Ints) -> Mapping[str, float]:
    """The weight of each word: the rarer, the heavier."""
    times: dict[str, int] = {}
    for text, count in zip(texts, counts.tolist(), strict=True):
        for word in set(text.split()):
            times[word] = times.get(word, 0) + count
    total = float(counts.sum())
    return {word: log(1 + total / max(count, 1)) for word, count in times.items()}


def _shuffled(identity: str) -> bytes:
    """Neighbours in this order have nothing to do with each other: random pairs without chance."""
    return blake2b(identity.encode(), digest_size=8).digest()
