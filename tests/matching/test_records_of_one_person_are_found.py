"""The matcher finds who stands twice, in tables of different kinds and languages, without being told anything."""

import random
from functools import cache

import numpy as np
import pytest

from aggregates.matching.agreement import Level, agreements, same_level
from aggregates.matching.matching import Matches, match
from aggregates.matching.table import tabulate
from infra.evaluation.identity import Report, measured
from tests.matching.invented import Rows, doubled, two_tables


@cache
def found(*, persian: bool, linked: bool) -> tuple[Matches, Report]:
    """What the matcher says of 600 people, 200 of them twice."""
    if linked:
        first, second, truth = two_tables(400, 200, 7, persian=persian)
        matches = match(tabulate(first, second))
    else:
        rows, truth = doubled(600, 200, 7, persian=persian)
        matches = match(tabulate(rows))
    return matches, measured(matches, truth, 0.0)


@pytest.mark.parametrize("persian", [True, False])
@pytest.mark.parametrize("linked", [True, False])
def test_nearly_all_are_found_and_nearly_nobody_else(persian: bool, linked: bool) -> None:
    _, report = found(persian=persian, linked=linked)
    assert report.own.precision > 0.97
    assert report.own.recall > 0.97
    assert report.best.f1 >= report.own.f1
    assert report.candidate_recall == 1.0


@pytest.mark.parametrize("persian", [True, False])
def test_probabilities_mean_what_they_say(persian: bool) -> None:
    _, report = found(persian=persian, linked=False)
    assert report.expected_matches == pytest.approx(report.true_pairs, rel=0.05)


def test_the_order_of_records_does_not_matter() -> None:
    rows, _ = doubled(150, 50, 3, persian=True)
    shuffled = list(rows.items())
    random.Random(1).shuffle(shuffled)
    assert told(match(tabulate(rows))) == told(match(tabulate(dict(shuffled))))


def test_whoever_waits_hears_what_is_done_and_how_far_it_is() -> None:
    rows, _ = doubled(150, 50, 3, persian=True)
    heard: list[tuple[str, int, int]] = []
    found = match(tabulate(rows), lambda *step: heard.append(step))
    pairs = len(found.one)
    assert heard == [
        ("looking for pairs", 0, 0),
        ("comparing pairs", 0, pairs),
        ("learning what agreements say", 0, 0),
        ("judging pairs", 0, pairs),
    ]


def test_columns_of_any_order_say_the_same() -> None:
    rows, _ = doubled(150, 50, 3, persian=False)
    turned: Rows = {identity: dict(reversed(row.items())) for identity, row in rows.items()}
    assert told(match(tabulate(rows))) == told(match(tabulate(turned)))


def test_a_pair_agrees_alike_from_both_sides() -> None:
    matches, _ = found(persian=True, linked=False)
    there = agreements(matches.table, matches.one, matches.other)
    back = agreements(matches.table, matches.other, matches.one)
    assert np.array_equal(there, back)


def test_what_is_missing_says_nothing() -> None:
    matches, _ = found(persian=True, linked=False)
    assert (matches.weights.bits[:, Level.UNKNOWN] == 0).all()


def test_a_rare_value_shared_says_more_than_a_common_one() -> None:
    people: Rows = {str(n): {"name": "Karimi" if n % 4 else f"Rare{n // 8}", "city": f"City{n % 90}"} for n in range(800)}
    name = next(column for column in tabulate(people).columns if column.name == "name")
    levels = dict(zip(name.texts, same_level(name.counts).tolist(), strict=True))
    assert levels["karimi"] < levels["rare3"]


def test_namesakes_are_not_one_however_alike_what_follows_from_the_name() -> None:
    matches, report = found(persian=False, linked=False)
    columns = [column.name for column in matches.table.columns]
    assert "E-Mail" in columns
    assert report.own.precision > 0.97


def test_a_few_are_found_among_many_namesakes() -> None:
    rows, truth = doubled(400, 10, 5, persian=False)
    report = measured(match(tabulate(rows)), truth, 0.0)
    assert (report.own.precision, report.own.recall) == (1.0, 1.0)


@pytest.mark.parametrize("rows", [{}, {"1": {"name": "a"}}, {"1": {"name": "a"}, "2": {"name": "a"}}, {"1": {}, "2": {"x": "-"}}])
def test_tables_with_nothing_in_them_are_no_error(rows: Rows) -> None:
    assert len(match(tabulate(rows)).one) <= 1


def told(matches: Matches) -> dict[frozenset[str], float]:
    """What was said, by the ids, to as many places as sums of any order agree to."""
    ids = matches.table.ids
    pairs = zip(matches.one.tolist(), matches.other.tolist(), matches.probability.tolist(), strict=True)
    return {frozenset((ids[i], ids[j])): round(probability, 6) for i, j, probability in pairs}
