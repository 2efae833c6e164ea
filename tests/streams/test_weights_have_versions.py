"""Weights of possible duplicates are learned anew when there are many more customers; then everybody is compared by them, few at a time."""

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID, uuid5

import numpy as np
import pytest

from aggregates.decision import Decision
from aggregates.matching import published
from aggregates.matching.customers import begin
from aggregates.matching.estimating import Seen
from aggregates.matching.weights import Weights
from infra.decisions import DecisionStore
from infra.sealing import KeyRing
from projections.duplicates import table, weights
from streams import estimating
from streams.estimating import Estimating, Material
from streams.record import Connection
from tests.streams.crew import Connections
from tests.view.telling import BEGINNING

pytestmark = pytest.mark.engines


async def come(connection: Connection, numbers: range) -> list[UUID]:
    """Customers are looked up by something, from now on."""
    them = [uuid5(published.ID, str(number)) for number in numbers]
    await table.look_up(connection, {customer: [b"%d" % number] for number, customer in zip(numbers, them, strict=True)})
    return sorted(them)


def beside(
    pool: Connections, keys: KeyRing, decisions: DecisionStore, learn: Callable[[Material], Weights | None], at: datetime | None = None
) -> Estimating:
    """Who learns."""
    return Estimating(pool, keys, decisions, lambda: at or datetime.now(UTC), learn)  # type: ignore[arg-type]


async def test_many_more_customers_teach_a_new_version_by_which_all_are_compared(
    dsn: str, pool: Connections, connection: Connection, keys: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimating, "SWEPT", 60)
    decisions, seen = DecisionStore(dsn), list[int]()

    def learn(material: Material) -> Weights:
        seen.append(material.seen.customers)
        return begin()

    one = beside(pool, keys, decisions, learn)
    first = await come(connection, range(99))
    assert not await one.forward()
    first = sorted([*first, *await come(connection, range(99, 100))])
    assert await one.forward()
    told = await weights.newest(connection)
    assert told is not None
    assert (told.version, told.customers, seen) == (1, 100, [100])
    assert await decisions.load(published.ID) == [Decision(*published.decision(told))]
    for done in (60, 100):
        assert await one.forward()
        assert sorted(await table.changed(connection, 1000)) == first[:done]
    assert not await one.forward()
    await table.compared(connection, await table.changed(connection, 1000))
    await come(connection, range(100, 149))
    assert not await one.forward()
    await come(connection, range(149, 150))
    assert await one.forward()
    assert [told.version for told in [await weights.newest(connection)] if told] == [2]
    decisions.close()


async def test_who_waits_to_be_compared_comes_before_what_is_learned(
    dsn: str, pool: Connections, connection: Connection, keys: KeyRing
) -> None:
    decisions = DecisionStore(dsn)
    them = await come(connection, range(weights.CALM + 1))
    await table.due(connection, them)
    assert not await beside(pool, keys, decisions, lambda _: begin()).forward()
    await table.compared(connection, await table.changed(connection, 1000))
    assert await beside(pool, keys, decisions, lambda _: begin()).forward()
    decisions.close()


async def test_what_teaches_nothing_leaves_the_first_beliefs_and_is_not_asked_again(
    dsn: str, pool: Connections, connection: Connection, keys: KeyRing
) -> None:
    await come(connection, range(100))
    asked = list[int]()
    one = beside(pool, keys, DecisionStore(dsn), lambda material: asked.append(material.seen.customers))
    assert not await one.forward()
    assert not await one.forward()
    assert asked == [100]
    assert np.array_equal((await weights.in_force(connection)).m, begin().m)


async def test_what_was_learned_long_ago_is_learned_again(dsn: str, pool: Connections, connection: Connection, keys: KeyRing) -> None:
    decisions = DecisionStore(dsn)
    await come(connection, range(100))
    one = beside(pool, keys, decisions, lambda _: begin(), BEGINNING)
    assert [await one.forward() for _ in range(2)] == [True, True]  # learned, and everybody is marked
    await table.compared(connection, await table.changed(connection, 1000))
    assert await one.forward()
    assert len(await decisions.load(published.ID)) == 2
    decisions.close()


async def test_the_newest_version_is_what_is_judged_by(dsn: str, connection: Connection) -> None:
    decisions = DecisionStore(dsn)
    other = published.learned(begin(), Seen({}, (), 100), 1, BEGINNING)
    await decisions.record([published.decision(other)], weights.keep(other))
    assert (await weights.in_force(connection)).m == pytest.approx(begin().m, rel=1e-5)
    decisions.close()


async def test_of_very_many_customers_some_are_counted(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    await come(connection, range(3_000))
    await connection.execute("DELETE FROM identity.due")
    for fewest in (100, 2_000):
        monkeypatch.setattr(weights, "FEWEST", fewest)
        monkeypatch.setattr(weights, "COUNTED", 400)
        due = await weights.due(connection)
        assert due is not None
        assert due.customers == pytest.approx(3_000, rel=0.1)
    monkeypatch.setattr(weights, "FEWEST", 3_500)
    assert await weights.due(connection) is None
