"""Finds which columns of two tables hold the same, where the tables call them differently: by what stands in them and by their headers.

Columns of one name are the same; only the others are looked at. Pure. Reading order: MEANINGS, partners, together.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from aggregates.matching.forms import folded, words
from aggregates.matching.kinds import Kind, kind_of_column, words_of

MEANINGS: tuple[frozenset[str], ...] = tuple(
    frozenset(words.split())
    for words in (
        "given first fname firstname forename givenname christian vorname prenom کوچک",
        "family last lname lastname surname familyname nachname nom خانوادگی فامیل",
        "middle mname middlename",
        "dob birth birthday birthdate born dateofbirth geburtsdatum تولد متولد",
        "phone mobile tel telephone cell cellphone msisdn telefon تلفن موبایل همراه تماس",
        "email mail ایمیل رایانامه",
        "zip postcode postal zipcode plz پستی",
        "city town suburb locality place municipality ort stadt ville شهر شهرستان",
        "state province region county استان",
        "address street addr road location strasse rue ادرس نشانی خیابان",
        "ssn national social nin passport tax nino ملی",
        "sex gender جنسیت جنس",
        "company organisation organization employer firm business شرکت سازمان",
        "brand manufacturer maker vendor producer برند سازنده",
        "author authors writer creator نویسنده",
        "venue journal conference booktitle magazine مجله",
        "website site url web homepage سایت وبسایت",
        "category genre sector industry class type دسته صنف",
        "description details desc summary remarks توضیحات شرح",
        "job role position occupation سمت شغل",
        "title product item label headline عنوان",
        "name fullname نام",
        "price cost amount قیمت مبلغ",
        "year سال",
    )
)
"""Words of headers that mean the same. A header of several groups is of the first, unless it is of a given and of a family name."""

GIVEN, FAMILY, NAME = 0, 1, 21
STREET = 9
ADDRESS = frozenset({6, 7, 8, STREET})
"""Groups of `MEANINGS`: names, and what an address is made of."""

SAME_MEANING = 0.5
LIKE_ENOUGH = 0.2
"""The share of records whose value stands in the other column too, from which two columns of different headers are the same."""

TELLING = 5
"""Characters of a value that few have: where two columns share some of these, chance has not put them there."""

SEVERAL = 3
CONTAINED = 0.3
"""The share of the whole values that hold a part, from which it is a part of them."""

LOOKED_AT = 4000
"""Records from which it is seen what belongs together."""

PHRASE = 5
"""Words of the longest part that is looked for in a whole."""

_ALIKE = (
    {Kind.NAME, Kind.TEXT},
    {Kind.NAME, Kind.COMPANY},
    {Kind.TEXT, Kind.COMPANY},
    {Kind.DIGITS, Kind.PHONE},
    {Kind.DIGITS, Kind.NUMBER},
)
"""Kinds that one thing may have in two tables: a street alone is a name, with its flat it is a text."""

_SIGNS = dict.fromkeys(map(ord, "-./_,;:()"))

Rows = Sequence[Mapping[str, str]]


def partners(first: Rows, second: Rows) -> Mapping[str, str]:
    """For columns of the second table that the first has under another name: that name. The most alike find each other first."""
    ours, theirs = _names(first), _names(second)
    mine = {name: _values(first, name) for name in ours if name not in theirs}
    others = {name: _values(second, name) for name in theirs if name not in ours}
    kinds = {name: kind_of_column(name, values) for name, values in (*mine.items(), *others.items()) if values}
    alike = sorted(
        (-likeness, name, other)
        for name, values in mine.items()
        for other, found in others.items()
        if values and found and _may_be_one(kinds[name], kinds[other])
        if (likeness := _likeness(name, values, other, found)) >= LIKE_ENOUGH
    )
    chosen: dict[str, str] = {}
    for _, name, other in alike:
        if other not in chosen and name not in chosen.values():
            chosen[other] = name
    return chosen


def together(parted: Rows, whole: Rows) -> Mapping[str, Sequence[str]]:
    """For columns of the second table that hold what the first has in several columns: the names of these, in the order of the second."""
    found = {}
    for parts, wholes in (_names_apart(parted, whole), _addresses_apart(parted, whole)):
        best = max(wholes, key=lambda name: (_holding(whole, name, parted, parts), name), default=None)
        if best is not None and (held := _held(whole, best, parted, parts)):
            found[best] = held
    return found


def _names_apart(parted: Rows, whole: Rows) -> tuple[Sequence[str], Sequence[str]]:
    """The columns of given and of family names, and those that could hold both."""
    ours, theirs = list(_names(parted)), list(_names(whole))
    family = next((name for name in ours if _meaning(name) == FAMILY), None)
    given = next((name for meaning in (GIVEN, NAME) for name in ours if _meaning(name) == meaning), None)
    if given is None or family is None or any(_meaning(name) in (GIVEN, FAMILY) for name in theirs):
        return (), ()
    return (given, family), [name for name in theirs if name not in ours or name == given]


def _addresses_apart(parted: Rows, whole: Rows) -> tuple[Sequence[str], Sequence[str]]:
    """The columns of streets, towns and the like that the other table has not, and those that could hold them all."""
    ours, theirs = list(_names(parted)), list(_names(whole))
    wholes = [name for name in theirs if _meaning(name) in ADDRESS and kind_of_column(name, _values(whole, name)) is Kind.TEXT]
    apart = {_meaning(name) for name in theirs if name not in wholes}
    return [name for name in ours if (meaning := _meaning(name)) in ADDRESS and meaning not in apart], wholes


def _held(whole: Rows, name: str, parted: Rows, parts: Sequence[str]) -> Sequence[str]:
    """Those of the parts that stand in this column, two at least, in the order in which they stand there most often.

    A street is in it wherever a town is, though hardly any two records have the same.
    """
    held = [part for part in parts if _holding(whole, name, parted, [part]) >= CONTAINED]
    if held:
        held += [part for part in parts if part not in held and (_meaning(part) == STREET or part == name)]
    if len(held) < 2:
        return ()
    values = {part: set(_worded(parted, part)) for part in held}
    places: dict[str, list[float]] = {part: [] for part in held}
    for text in _worded(whole, name):
        for part in held:
            at = next((text.find(phrase) for phrase in _phrases(text) if phrase in values[part]), -1)
            if at >= 0:
                places[part].append(at / len(text))
    return sorted(held, key=lambda part: (sum(places[part]) / max(len(places[part]), 1), part))


def _holding(whole: Rows, name: str, parted: Rows, parts: Sequence[str]) -> float:
    """The share of a column's values that hold a value of each of these parts, at the mean of the parts."""
    texts = _worded(whole, name)
    if not texts or not parts:
        return 0.0
    known = [{value for value in _worded(parted, part) if len(value) > 1} for part in parts]
    return sum(not values.isdisjoint(_phrases(text)) for text in texts for values in known) / len(texts) / len(parts)


def _worded(rows: Rows, name: str) -> list[str]:
    return [text for row in rows[:LOOKED_AT] if (text := words(folded(row.get(name) or "")))]


def _phrases(text: str) -> set[str]:
    """All that stands in a text in one piece: single words, two, three."""
    of = text.split()
    return {" ".join(of[at : at + long]) for long in range(1, min(PHRASE, len(of)) + 1) for at in range(len(of) - long + 1)}


def _may_be_one(kind: Kind, other: Kind) -> bool:
    return kind is other or {kind, other} in _ALIKE


def _likeness(name: str, values: Sequence[str], other: str, found: Sequence[str]) -> float:
    """How much two columns seem to hold the same: what both have, how many of their rarest words, and what their headers say."""
    overlap = max(_overlap(values, found), _overlap(_rare(values), _rare(found)))
    return overlap + (SAME_MEANING if (meaning := _meaning(name)) is not None and meaning == _meaning(other) else 0.0)


def _overlap(values: Sequence[str], found: Sequence[str]) -> float:
    """The share of what stands in both, on the side where it is less. Few that are seldom met elsewhere are enough."""
    shared = set(values) & set(found)
    if not shared:
        return 0.0
    share = min(sum(value in shared for value in side) / len(side) for side in (values, found))
    seldom = Counter(values) | Counter(found)
    rare = sum(1 for value in shared if len(value) >= TELLING and seldom[value] <= max(2, len(values) // 500))
    return share + (LIKE_ENOUGH if rare >= SEVERAL and share > 0.03 else 0.0)


def _rare(values: Sequence[str]) -> Sequence[str]:
    """The words that at most a few of the texts have."""
    times = Counter(word for value in values for word in {word.translate(_SIGNS) for word in value.split()})
    return [word for word, count in times.items() if count <= max(2, len(values) // 500) and len(word) >= TELLING - 1]


def _meaning(header: str) -> int | None:
    said = words_of(header)
    if {GIVEN, FAMILY} <= {number for number in (GIVEN, FAMILY) if MEANINGS[number] & set(said)} or said.count("نام") > 1:
        return NAME
    return next((number for number, known in enumerate(MEANINGS) if known & set(said)), None)


def _names(rows: Rows) -> Iterable[str]:
    return dict.fromkeys(name for row in rows for name in row)


def _values(rows: Rows, name: str) -> Sequence[str]:
    return [value for row in rows if (value := folded(row.get(name) or ""))]
