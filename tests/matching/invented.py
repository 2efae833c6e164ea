"""Invents people, and the slips by which one person's records differ. Every seed gives the same table again."""

import random
from collections.abc import Mapping

from infra.demo.simulated.names import ENGLISH_FAMILY, ENGLISH_GIVEN, PERSIAN_CITIES, PERSIAN_FAMILY, PERSIAN_GIVEN

Rows = dict[str, dict[str, str]]
Truth = frozenset[tuple[str, str]]
PERSIAN_DIGITS = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
ARABIC_LETTERS = str.maketrans("یک", "يك")


def slip(text: str, dice: random.Random) -> str:
    """One slip of the hand: a letter left out, doubled, or two that changed places."""
    if len(text) < 3:
        return text
    at = dice.randrange(len(text) - 1)
    match dice.randrange(3):
        case 0:
            return text[:at] + text[at + 1 :]
        case 1:
            return text[:at] + text[at] + text[at:]
        case _:
            return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def iranian(dice: random.Random) -> dict[str, str]:
    """Somebody as a Persian system has him."""
    return {
        "نام": dice.choice(PERSIAN_GIVEN)[0],
        "نام خانوادگی": dice.choice(PERSIAN_FAMILY)[0] + dice.choice(("", "", " اصل", "‌نژاد", " پور")),
        "تاریخ تولد": f"{dice.randint(1320, 1385)}/{dice.randint(1, 12):02d}/{dice.randint(1, 29):02d}",
        "شهر": dice.choice(PERSIAN_CITIES),
        "تلفن همراه": f"09{dice.randint(100000000, 499999999)}",
    }


def written_otherwise(row: Mapping[str, str], dice: random.Random) -> dict[str, str]:
    """The same person by another system: other letters and digits, titles, slips, things left out."""
    other = dict(row)
    given = row["نام"].translate(ARABIC_LETTERS).replace("\u200c", dice.choice(" \u200c"))
    other["نام"] = dice.choice(("", "", "آقای ", "خانم ", "دکتر ")) + given
    other["تلفن همراه"] = dice.choice(("+98" + row["تلفن همراه"][1:], row["تلفن همراه"].translate(PERSIAN_DIGITS), row["تلفن همراه"]))
    for _ in range(dice.randint(0, 2)):
        name = dice.choice(list(other))
        other[name] = dice.choice(("", slip(other[name], dice), slip(other[name], dice)))
    if dice.random() < 0.05:
        other["نام"], other["نام خانوادگی"] = other["نام خانوادگی"], other["نام"]
    return other


def english(dice: random.Random) -> dict[str, str]:
    """Somebody as a mailing list has him: the whole name in one column."""
    given, family = dice.choice(ENGLISH_GIVEN), dice.choice(ENGLISH_FAMILY)
    return {
        "FullName": f"{given} {family}",
        "E-Mail": f"{given}.{family}{dice.randint(1, 99)}@example.org".lower(),
        "Born": f"{dice.randint(1940, 2004)}-{dice.randint(1, 12):02d}-{dice.randint(1, 28):02d}",
        "Street": f"{dice.randint(1, 200)} {dice.choice(ENGLISH_FAMILY)} {dice.choice(('street', 'road', 'lane', 'square'))}",
        "Zip": f"{dice.randint(10000, 10999)}",
    }


def typed_again(row: Mapping[str, str], dice: random.Random) -> dict[str, str]:
    """The same person from another list: the family name first, another order of the date, slips, things left out."""
    other = dict(row)
    if dice.random() < 0.3:
        given, _, family = other["FullName"].partition(" ")
        other["FullName"] = f"{family}, {given}"
    if dice.random() < 0.5:
        year, month, day = other["Born"].split("-")
        other["Born"] = f"{day}/{month}/{year}"
    for _ in range(dice.randint(0, 2)):
        name = dice.choice(list(other))
        other[name] = dice.choice(("", slip(other[name], dice), slip(other[name], dice)))
    return other


def doubled(people: int, twice: int, seed: int, *, persian: bool) -> tuple[Rows, Truth]:
    """A table in which some of the people stand twice."""
    dice = random.Random(seed)
    somebody, again = (iranian, written_otherwise) if persian else (english, typed_again)
    rows = {f"{n}": somebody(dice) for n in range(people)}
    copies = {f"{n}-again": again(rows[f"{n}"], dice) for n in range(twice)}
    return rows | copies, frozenset((f"{n}", f"{n}-again") for n in range(twice))


def two_tables(people: int, both: int, seed: int, *, persian: bool) -> tuple[Rows, Rows, Truth]:
    """Two tables that have some people in common; both number their records from 0."""
    dice = random.Random(seed)
    somebody, again = (iranian, written_otherwise) if persian else (english, typed_again)
    first = {str(n): somebody(dice) for n in range(people)}
    second = {str(n): again(first[str(n)], dice) if n < both else somebody(dice) for n in range(people)}
    return first, second, frozenset((str(n), str(n)) for n in range(both))
