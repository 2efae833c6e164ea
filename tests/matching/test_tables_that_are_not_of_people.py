"""Works and places are found too: whose pages always differ, whose name is all there is, whose rivals are only alike."""

import random
from dataclasses import replace
from itertools import combinations

import numpy as np

from aggregates.matching.alone import alone
from aggregates.matching.codes import codes
from aggregates.matching.matching import Matches, match, scattered, singular
from aggregates.matching.table import tabulate
from infra.demo.simulated.names import ENGLISH_FAMILY, ENGLISH_GIVEN
from infra.evaluation.identity import measured
from tests.matching.invented import Rows, slip

PLACES = (
    "royal",
    "national",
    "central",
    "northern",
    "old",
    "grand",
    "museum",
    "library",
    "theatre",
    "hospital",
    "college",
    "archive",
    "park",
)


def work(dice: random.Random) -> dict[str, str]:
    return {
        "authors": ", ".join(f"{dice.choice(ENGLISH_GIVEN)} {dice.choice(ENGLISH_FAMILY)}" for _ in range(dice.randint(1, 3))),
        "title": f"{' '.join(dice.sample(PLACES, 3))} of {dice.choice(ENGLISH_FAMILY)} and {dice.choice(ENGLISH_FAMILY)}",
        "year": f"{dice.randint(1985, 2005)}.0",
    }


def place(dice: random.Random) -> str:
    return f"{' '.join(dice.sample(PLACES, dice.randint(1, 3)))} of {dice.choice(ENGLISH_FAMILY)}{dice.choice(('ton', 'ville', 'ford'))}"


BRANDS = ("sony", "canon", "bosch", "philips", "dell", "asus")
THINGS = ("digital camera", "laser printer", "washer", "memory card", "wireless mouse", "car receiver")


def model(dice: random.Random) -> str:
    return f"{''.join(dice.choices('ABCDEFGHKL', k=3))}-{dice.randint(10, 9999)}"


def test_things_described_alike_are_told_apart_by_their_codes() -> None:
    dice = random.Random(6)
    first: Rows = {}
    second: Rows = {}
    for n in range(300):
        brand, thing, code = dice.choice(BRANDS), dice.choice(THINGS), model(dice)
        first[str(n)] = {"title": f"{brand} {thing} - {code}", "maker": brand}
        if n % 2:
            second[str(n)] = {"name": f"{code.replace('-', '')} {thing} {dice.choice(('black', 'white'))}", "brand": brand}
    table = tabulate(first, second)
    assert "title #" in {column.name for column in table.columns}
    report = measured(match(table), frozenset((n, n) for n in second), 0.0)
    assert report.own.f1 > 0.95


def test_what_many_texts_have_is_no_code_and_an_address_has_none() -> None:
    texts = [f"tv 1080p {word} {number}hz" for word in PLACES for number in (50, 60)]
    assert codes("title", texts) is None
    assert codes("title", [*texts, "tv kx10b", "tv kx11b"]) is None
    assert codes("address", [f"flat {n}b2x road" for n in range(50)]) is None
    assert codes("title", [f"tv KX-{n}B" for n in range(50)]) == [f"KX{n}B" for n in range(50)]


def test_the_law_a_company_is_under_is_no_part_of_its_name() -> None:
    first: Rows = {str(n): {"who": f"{name.title()} Steel Ltd", "town": PLACES[n % 9]} for n, name in enumerate(ENGLISH_FAMILY)}
    second: Rows = {str(n): {"who": f"{name.upper()} STEEL, Inc.", "town": PLACES[n % 9]} for n, name in enumerate(ENGLISH_FAMILY)}
    column = next(column for column in tabulate(first, second).columns if column.name == "who")
    assert set(column.texts) == {"", *(f"{name.lower()} steel" for name in ENGLISH_FAMILY)}


def test_what_differs_each_time_does_not_make_a_family_of_one_work() -> None:
    dice = random.Random(3)
    rows: Rows = {}
    truth: set[tuple[str, str]] = set()
    for n in range(80):
        found = work(dice)
        copies = {
            f"{n}-{copy}": found | {"pages": f"{dice.randint(1, 400)}-{dice.randint(401, 900)}"} for copy in range(dice.randint(1, 5))
        }
        rows |= copies
        truth |= set(combinations(sorted(copies), 2))
    report = measured(match(tabulate(rows)), frozenset(truth), 0.0)
    assert report.own.f1 > 0.95


def test_where_a_text_is_all_there_is_the_most_alike_is_the_match() -> None:
    dice = random.Random(4)
    first: Rows = {str(n): {"title": place(dice)} for n in range(300)}
    second: Rows = {str(n): {"title": slip(first[str(n)]["title"], dice).title()} for n in range(0, 300, 2)}
    table = tabulate(first, second)
    assert alone(table)
    report = measured(match(table), frozenset((n, n) for n in second), 0.0)
    assert report.own.f1 > 0.85


def test_years_that_a_program_broke_are_whole_again() -> None:
    rows: Rows = {str(n): {"name": f"n{n}", "year": f"{1990 + n}.0" if n % 2 else f"{1990 + n}"} for n in range(8)}
    year = next(column for column in tabulate(rows).columns if column.name == "year")
    assert set(year.texts) == {"", *(str(1990 + n) for n in range(8))}


def pairs_of(found: list[tuple[int, int]], size: int) -> Matches:
    rows: Rows = {str(n): {"name": f"n{n}"} for n in range(size)}
    one, other = np.array(found, np.int64).reshape(-1, 2).T
    nothing = match(tabulate({}))
    return replace(nothing, table=tabulate(rows), one=one, other=other, probability=np.ones(len(found)))


def test_chains_of_the_alike_are_not_taken_for_one() -> None:
    assert scattered(pairs_of([(n, n + 1) for n in range(20)], 21))
    assert not scattered(pairs_of([pair for start in range(0, 20, 4) for pair in combinations(range(start, start + 4), 2)], 20))
    assert not scattered(pairs_of([], 5))


def test_things_of_one_sort_are_not_one_thing() -> None:
    dice = random.Random(7)
    rows: Rows = {}
    truth: set[tuple[str, str]] = set()
    for n in range(150):
        brand, thing, code = dice.choice(BRANDS), dice.choice(THINGS), model(dice)
        copies = {
            f"{n}-{copy}": {"title": f"{brand} {code} {thing} {dice.choice(PLACES)}", "words": f"{brand} {thing} {dice.choice(PLACES)}"}
            for copy in range(dice.randint(1, 3))
        }
        rows |= copies
        truth |= set(combinations(sorted(copies), 2))
    report = measured(match(tabulate(rows)), frozenset(truth), 0.0)
    assert report.own.f1 > 0.9


def test_who_is_only_alike_is_no_rival_and_who_is_as_good_is_one() -> None:
    one, other = np.repeat(np.arange(20), 2), np.arange(20, 60)
    sure = np.full(40, 0.999)
    assert singular(one, other, np.tile([40.0, 15.0], 20), sure)
    assert not singular(one, other, np.tile([40.0, 38.0], 20), sure)
    assert not singular(one, other, np.tile([40.0, 15.0], 20), np.zeros(40))
