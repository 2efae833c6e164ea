"""Finds which columns of two tables hold the same, where the tables call them differently: by what stands in them and by their headers.

Columns of one name are the same; only the others are looked at. Pure. Reading order: MEANINGS, partners.
"""

from collections.abc import Iterable, Mapping, Sequence

from aggregates.matching.forms import folded
from aggregates.matching.kinds import kind_of_column, words_of

MEANINGS: tuple[frozenset[str], ...] = tuple(
    frozenset(words.split())
    for words in (
        "given first fname firstname forename givenname christian کوچک",
        "family last lname lastname surname familyname خانوادگی فامیل",
        "middle mname middlename",
        "dob birth birthday birthdate born dateofbirth تولد متولد",
        "phone mobile tel telephone cell cellphone msisdn تلفن موبایل همراه تماس",
        "email mail ایمیل رایانامه",
        "zip postcode postal zipcode plz پستی",
        "city town suburb locality place municipality شهر شهرستان",
        "state province region county استان",
        "address street addr road ادرس نشانی خیابان",
        "ssn national social nin passport ملی",
        "sex gender جنسیت جنس",
        "company organisation organization employer firm business شرکت سازمان",
        "title product item label headline عنوان",
        "name fullname نام",
        "price cost amount قیمت مبلغ",
    )
)
"""Words of headers that mean the same. A header of several groups is of the first: نام خانوادگی is a family name, not a name."""

SAME_MEANING = 0.5
LIKE_ENOUGH = 0.2
"""The share of records whose value stands in the other column too, from which two columns of different headers are the same."""

Rows = Sequence[Mapping[str, str]]


def partners(first: Rows, second: Rows) -> Mapping[str, str]:
    """For columns of the second table that the first has under another name: that name. The most alike find each other first."""
    ours, theirs = _names(first), _names(second)
    mine = {name: _values(first, name) for name in ours if name not in theirs}
    others = {name: _values(second, name) for name in theirs if name not in ours}
    alike = sorted(
        (-likeness, name, other)
        for name, values in mine.items()
        for other, found in others.items()
        if (likeness := _likeness(name, values, other, found)) >= LIKE_ENOUGH
    )
    chosen: dict[str, str] = {}
    for _, name, other in alike:
        if other not in chosen and name not in chosen.values():
            chosen[other] = name
    return chosen


def _likeness(name: str, values: Sequence[str], other: str, found: Sequence[str]) -> float:
    """How much two columns seem to hold the same; 0 where their kinds differ."""
    if not values or not found or kind_of_column(name, values) is not kind_of_column(other, found):
        return 0.0
    shared = set(values) & set(found)
    overlap = min(sum(value in shared for value in side) / len(side) for side in (values, found))
    return overlap + (SAME_MEANING if (meaning := _meaning(name)) is not None and meaning == _meaning(other) else 0.0)


def _meaning(header: str) -> int | None:
    words = set(words_of(header))
    return next((number for number, known in enumerate(MEANINGS) if words & known), None)


def _names(rows: Rows) -> Iterable[str]:
    return dict.fromkeys(name for row in rows for name in row)


def _values(rows: Rows, name: str) -> Sequence[str]:
    return [value for row in rows if (value := folded(row.get(name) or ""))]
