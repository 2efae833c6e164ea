"""What agreements say of customers is learned from them, nobody having said who is one; what little is seen of stays as it was believed."""

import random
from functools import cache
from itertools import combinations
from uuid import NAMESPACE_URL, UUID, uuid5

import numpy as np
import pytest

from aggregates.matching import customers, published
from aggregates.matching.agreement import Level
from aggregates.matching.customers import COLUMNS, LARGEST, Record, begin, judged, keys, record_of, taught, values
from aggregates.matching.estimating import IDENTIFYING, Seen, estimated
from aggregates.matching.weights import Weights
from infra.demo.simulated.names import PERSIAN_CITIES, PERSIAN_FAMILY, PERSIAN_GIVEN
from tests.matching.invented import slip
from tests.view.telling import BEGINNING as NOW

Pair = tuple[UUID, UUID]


@cache
def people(count: int = 1500, doubles: int = 40) -> tuple[dict[UUID, Record], list[Pair], frozenset[Pair], dict[str, int]]:
    """Customers of few families and cities, and some of them twice with another telephone; who meets by a key; how many have each value."""
    dice = random.Random(5)
    families = [family for family, *_ in PERSIAN_FAMILY[:25]]

    def somebody(n: int) -> dict[str, str]:
        return {
            "name": f"{dice.choice(PERSIAN_GIVEN)[0]} {dice.choice(families)}",
            "birth_date": f"{dice.randint(1960, 1999)}-{dice.randint(1, 12):02d}-{dice.randint(1, 28):02d}" if dice.random() < 0.7 else "",
            "city": dice.choice(PERSIAN_CITIES[:6]),
        }

    told = [somebody(n) for n in range(count)]
    again = [{**one, "name": slip(one["name"], dice)} if dice.random() < 0.3 else dict(one) for one in told[:doubles]]
    records = {
        uuid5(NAMESPACE_URL, str(n)): record_of(one, {"phone": [f"+98912{dice.randint(10**6, 10**7 - 1)}"]})
        for n, one in enumerate([*told, *again])
    }
    ids = list(records)
    holders: dict[str, int] = {}
    blocks: dict[str, list[UUID]] = {}
    for id_, record in records.items():
        for value in values(record):
            holders[value] = holders.get(value, 0) + 1
        for key in keys(record):
            blocks.setdefault(key, []).append(id_)
    met = {pair for block in blocks.values() if len(block) <= LARGEST for pair in combinations(sorted(block), 2)}
    truth = frozenset((min(one, other), max(one, other)) for one, other in zip(ids[:doubles], ids[count:], strict=True))
    return records, sorted(met), truth, holders


def learned(part: float = 1.0) -> Weights:
    records, met, _, holders = people()
    first = set(sorted(records)[: int(len(records) * part)])
    met = [pair for pair in met if first.intersection(pair)]
    found = estimated(Seen(records, met, len(records), 1 - (1 - part) ** 2), lambda value: holders.get(value, 1))
    assert found is not None
    return found


def proposed(weights: Weights) -> tuple[int, int]:
    """How many of those who stand twice are proposed, and how many others."""
    records, met, truth, holders = people()
    found = {(one.one, one.other) for one in judged(records, met, lambda value: holders.get(value, 1), weights) if one.probability >= 0.5}
    return len(found & truth), len(found - truth)


@pytest.mark.parametrize("part", [1.0, 0.6])
def test_who_has_a_common_name_in_a_large_city_is_proposed_no_more(part: float) -> None:
    right, wrong = proposed(learned(part))
    before_right, before_wrong = proposed(begin())
    assert wrong < before_wrong / 3
    assert right >= 0.6 * before_right


def test_who_learns_twice_learns_the_same() -> None:
    one, other = (published.learned(learned(), Seen({}, (), 0), 1, NOW) for _ in range(2))
    assert published.decision(one) == published.decision(other)


def test_identifiers_stay_as_they_were_believed() -> None:
    for column in IDENTIFYING:
        n = COLUMNS.index(column)
        assert np.array_equal(learned().m[n], begin().m[n])
        assert np.array_equal(learned().u[n], begin().u[n])


def test_of_what_nobody_told_the_first_beliefs_stay() -> None:
    n = COLUMNS.index("postal_code")
    assert np.array_equal(learned().m[n], begin().m[n])


def test_few_teach_nothing() -> None:
    records, met, _, _ = people()
    assert estimated(Seen(records, met[:5], len(records)), lambda value: 1) is None
    only = {id_: {"phone": record["phone"]} for id_, record in records.items()}
    assert estimated(Seen(only, met[:50], len(records)), lambda value: 1) is None


def test_a_version_is_read_as_it_was_kept() -> None:
    told = published.learned(learned(), Seen({}, (), 1540), 3, NOW)
    kept = published.decoder.decode(published.decision(told).state)
    assert kept == told
    weights = published.weights_of(kept)
    assert weights is not None
    assert weights.m == pytest.approx(learned().m, rel=1e-5)


def test_what_people_decide_bends_what_was_learned() -> None:
    first = learned()
    levels = {"name": int(Level.SAME), "city": int(Level.DIFFERENT)}
    n = COLUMNS.index("city")
    bent = taught([(levels, True)] * 10, first)
    assert bent.m[n, Level.DIFFERENT] > first.m[n, Level.DIFFERENT]
    assert taught([], first).m == pytest.approx(first.m)
    assert begin().share == customers.SHARE
