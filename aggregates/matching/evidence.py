"""Says to a person why two records may be one: for each column both values, how they agree, and how much that speaks for it."""

from collections.abc import Mapping
from dataclasses import dataclass

from aggregates.matching.agreement import Level, agreements
from aggregates.matching.matching import Matches


@dataclass(frozen=True, slots=True)
class Evidence:
    """One column's part in a pair: positive bits speak for one person, negative for two."""

    column: str
    one: str
    other: str
    agreement: str  # a level's name in small letters; `same_rare` where few share the value
    level: int
    bits: float


def evidence(matches: Matches, at: int) -> tuple[Evidence, ...]:
    """Why pair number `at` has its probability, the weightiest column first."""
    table = matches.table
    one, other = matches.one[at : at + 1], matches.other[at : at + 1]
    levels = agreements(table, one, other)[0].tolist()
    found = (
        Evidence(
            column.name,
            column.texts[int(column.codes[one[0]])],
            column.texts[int(column.codes[other[0]])],
            agreement(level, int(column.counts[column.codes[one[0]]])),
            level,
            float(matches.weights.bits[n, level]),
        )
        for n, (column, level) in enumerate(zip(table.columns, levels, strict=True))
    )
    return tuple(sorted(found, key=lambda part: (-abs(part.bits), part.column)))


def agreement(level: int, holders: int) -> str:
    """The word for a level, of a value that so many records have."""
    if level >= Level.SAME:
        return "same_rare" if holders <= 3 else "same"
    return Level(level).name.lower()


def decided(evidence_shown: tuple[Evidence, ...]) -> Mapping[str, int]:
    """The levels by column, as `reestimate` wants them of a pair that a person decided on."""
    return {part.column: part.level for part in evidence_shown}
