"""Finds which columns of two tables hold the same, where the tables call them differently: by what stands in them and by their headers.

Columns of one name are the same; only the others are looked at. Pure. Reading order: MEANINGS, partners, whole_names.
"""

from collections.abc import Iterable, Mapping, Sequence, Set

from aggregates.matching.forms import folded, form
from aggregates.matching.kinds import Kind, kind_of_column, words_of

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


GIVEN, FAMILY = 0, 1
"""Groups of `MEANINGS`."""


def whole_names(parted: Rows, whole: Rows) -> tuple[str, str, str] | None:
    """The columns of given and of family names in one table, and that of the other in which both stand together; in its order."""
    ours, theirs = list(_names(parted)), list(_names(whole))
    parts = [next((name for name in ours if _meaning(name) == meaning), None) for meaning in (GIVEN, FAMILY)]
    given, family = parts
    if given is None or family is None or any(_meaning(name) in (GIVEN, FAMILY) for name in theirs):
        return None
    known = {frozenset(_joined(row, given, family).split()) for row in parted}
    shares = {name: _share(_values(whole, name), known) for name in theirs if name not in ours}
    best = max(shares, key=lambda name: (shares[name], name), default=None)
    if best is None or shares[best] < LIKE_ENOUGH:
        return None
    together = {form(Kind.NAME, value) for value in _values(whole, best)}
    turned = sum(_joined(row, family, given) in together for row in parted) > sum(_joined(row, given, family) in together for row in parted)
    return (family, given, best) if turned else (given, family, best)


def _joined(row: Mapping[str, str], one: str, other: str) -> str:
    return form(Kind.NAME, folded(f"{row.get(one) or ''} {row.get(other) or ''}"))


def _share(values: Sequence[str], known: Set[frozenset[str]]) -> float:
    return sum(frozenset(form(Kind.NAME, value).split()) in known for value in values) / len(values) if values else 0.0


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
