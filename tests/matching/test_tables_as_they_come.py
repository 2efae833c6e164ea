"""Tables call their columns as they please, families live together, people move, and some stand there four times: all are told apart."""

import random
from itertools import combinations

import numpy as np
import pytest

from aggregates.matching.aligning import partners, together
from aggregates.matching.matching import match
from aggregates.matching.table import tabulate
from aggregates.matching.thirds import supported
from infra.demo.simulated.names import ENGLISH_FAMILY, ENGLISH_GIVEN
from infra.evaluation.identity import Report, measured
from tests.matching.invented import Rows, slip, two_tables

OTHER_NAMES = {"FullName": "customer", "E-Mail": "mail_address", "Born": "DOB", "Street": "address_1", "Zip": "Postcode"}
TOWNS = ("springfield", "franklin", "clinton", "greenville", "bristol", "fairview", "salem", "madison")


def resident(dice: random.Random) -> dict[str, str]:
    return {
        "first": dice.choice(ENGLISH_GIVEN),
        "last": dice.choice(ENGLISH_FAMILY),
        "born": f"{dice.randint(1940, 2004)}-{dice.randint(1, 12):02d}-{dice.randint(1, 28):02d}",
        **home(dice),
        "phone": f"0{dice.randint(200_000_000, 999_999_999)}",
    }


def home(dice: random.Random) -> dict[str, str]:
    return {
        "street": f"{dice.randint(1, 200)} {dice.choice(ENGLISH_FAMILY)} road",
        "zip": f"{dice.randint(10_000, 99_999)}",
        "town": dice.choice(TOWNS),
    }


def again(person: dict[str, str], dice: random.Random, moving: float) -> dict[str, str]:
    other = person | (home(dice) if dice.random() < moving else {})
    name = dice.choice(list(other))
    return other | {name: dice.choice(("", slip(other[name], dice)))}


def judged(people: list[list[dict[str, str]]]) -> Report:
    rows: Rows = {f"{n}-{copy}": row for n, copies in enumerate(people) for copy, row in enumerate(copies)}
    truth = {(f"{n}-{a}", f"{n}-{b}") for n, copies in enumerate(people) for a, b in combinations(range(len(copies)), 2)}
    return measured(match(tabulate(rows)), frozenset(truth), 0.0)


@pytest.mark.parametrize("persian", [True, False])
def test_two_tables_need_not_call_their_columns_alike(persian: bool) -> None:
    first, second, truth = two_tables(300, 150, 7, persian=persian)
    names = dict(zip(first["0"], ("given_name", "family_name", "dob", "town", "mobile"), strict=True)) if persian else OTHER_NAMES
    renamed = {identity: {names[name]: value for name, value in row.items()} for identity, row in second.items()}
    assert partners(list(first.values()), list(renamed.values())) == {other: name for name, other in names.items()}
    report = measured(match(tabulate(first, renamed)), truth, 0.0)
    assert report.own.f1 > 0.95


def test_a_name_in_one_column_is_that_in_two_of_the_other_table() -> None:
    dice = random.Random(8)
    first: Rows = {str(n): resident(dice) for n in range(200)}
    second: Rows = {}
    for n in range(0, 200, 2):
        row = again(first[str(n)], dice, 0.05)
        second[str(n)] = {"customer": f"{row['last']}, {row['first']}", "tel": row["phone"], "zip": row["zip"], "town": row["town"]}
    assert together(list(first.values()), list(second.values())) == {"customer": ["last", "first"]}
    assert together(list(second.values()), list(first.values())) == {}
    table = tabulate(first, second)
    assert "customer" in {column.name for column in table.columns}
    assert measured(match(table), frozenset((n, n) for n in second), 0.0).own.f1 > 0.95


def test_an_address_in_one_column_is_that_in_several_of_the_other_table() -> None:
    dice = random.Random(9)
    people = {str(n): resident(dice) for n in range(200)}
    first: Rows = {id_: {name: row[name] for name in ("last", "born", "street", "zip", "town")} for id_, row in people.items()}
    second: Rows = {
        id_: {"surname": row["last"], "billing address": f"{row['street']}, {row['zip']} {row['town']}"}
        for id_, row in people.items()
        if int(id_) % 3
    }
    assert together(list(first.values()), list(second.values())) == {"billing address": ["street", "zip", "town"]}
    assert measured(match(tabulate(first, second)), frozenset((n, n) for n in second), 0.0).own.f1 > 0.99


def test_persian_headers_say_which_name_is_the_whole_one() -> None:
    parted = [{"نام": "سارا", "نام خانوادگی": "کریمی"}, {"نام": "علی", "نام خانوادگی": "نوری"}]
    whole = [{"نام و نام خانوادگی": "سارا کریمی"}, {"نام و نام خانوادگی": "علی نوری"}]
    assert together(parted, whole) == {"نام و نام خانوادگی": ["نام", "نام خانوادگی"]}


def test_columns_that_have_nothing_in_common_are_not_taken_for_one() -> None:
    assert partners([{"name": "sara"}, {"name": "ali"}], [{"colour": "red"}, {"colour": "blue"}]) == {}


def test_a_family_is_not_one_person() -> None:
    dice = random.Random(5)
    people: list[list[dict[str, str]]] = []
    for n in range(400):
        somebody = resident(dice)
        if n % 3 == 0:
            somebody |= {name: people[-1][0][name] for name in ("last", "street", "zip", "town", "phone")} if people else {}
        people.append([somebody, again(somebody, dice, 0.0)] if n % 4 == 0 else [somebody])
    report = judged(people)
    assert report.own.precision > 0.9
    assert report.own.recall > 0.9


def test_who_moved_and_stands_there_four_times_is_one_person() -> None:
    dice = random.Random(6)
    people = [[somebody := resident(dice), *[again(somebody, dice, 0.25) for _ in range(n % 4)]] for n in range(300)]
    report = judged(people)
    assert report.own.precision > 0.97
    assert report.own.recall > 0.95


def test_a_third_record_speaks_for_two_that_differ_a_little_and_not_for_two_that_differ_a_lot() -> None:
    one, other = np.array([0, 1, 0]), np.array([1, 2, 2])
    raised = supported(one, other, np.array([0.9999, 0.9999, 0.01]), 3)
    assert raised[2] > 0.9
    assert (raised[:2] == [0.9999, 0.9999]).all()
    assert supported(one, other, np.array([0.95, 0.95, 1e-6]), 3)[2] < 0.01
    assert supported(np.array([0]), np.array([1]), np.array([0.3]), 2).tolist() == [0.3]
