"""What scores and values add to a small transaction of `customer` are few statements, and none where nobody is scored."""

from collections import Counter
from random import Random
from typing import Any

import pytest
from psycopg import AsyncCursor

from aggregates.identity import DEFAULT_RULES
from infra.sealing import KeyRing
from streams import appraising, saying, sweeping
from streams.customer import Customer
from streams.parts import Part
from streams.record import Effect
from streams.resolve import Resolve
from streams.scoring import Scoring
from streams.valuing import Valuing
from tests.streams.ground import Ground
from tests.streams.keys import MASTER
from tests.streams.memory import Memory
from tests.streams.people import BEGINNING

pytestmark = pytest.mark.engines

EVENTS = 6


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often batches of `customer` sent which statement to PostgreSQL; chores are left out, for when they come is chance."""
    counts: Counter[str] = Counter()
    execute, apply = AsyncCursor.execute, Customer.apply
    under_way = False

    async def counted(cursor: Any, query: Any, *rest: Any, **how: Any) -> Any:
        counts[str(query)] += under_way
        return await execute(cursor, query, *rest, **how)

    async def applied(*batch: Any) -> list[Effect]:
        nonlocal under_way
        under_way = True
        try:
            return await apply(*batch)
        finally:
            under_way = False

    monkeypatch.setattr(AsyncCursor, "execute", counted)
    monkeypatch.setattr(Customer, "apply", applied)
    for module in (saying, sweeping, appraising):
        monkeypatch.setattr(module, "LOOK", 1e9)
    return counts


@pytest.mark.parametrize(("type_", "statements"), [("shop.seen", 0), ("sales.order_placed", 2)])
async def test_a_transaction_asks_for_what_changes_and_no_more(ground: Ground, asked: Counter[str], type_: str, statements: int) -> None:
    ground.memory = Memory(Random(1), partitions=1)  # one lane: nothing else goes on while it works on a batch
    keys = KeyRing(MASTER)

    async def ends() -> dict[int, int]:
        return ground.memory.ends("touchpoints")

    def happens(number: int) -> None:
        order: dict[str, Any] = {"order_id": str(number), "lines": [], "total": "5.00", "currency": "USD"}
        ground.send(str(number), type_, number, who={"customer_number": "1"}, **order if type_ == "sales.order_placed" else {})

    parts: list[Part] = [Scoring(keys, lambda: BEGINNING, b"a key of the tests", ends), Valuing(keys, lambda: BEGINNING)]
    async with ground.working(Resolve(DEFAULT_RULES, keys), Customer(keys, parts=parts)) as worker:
        happens(0)
        await ground.settle(worker)
        asked.clear()
        for number in range(1, 1 + EVENTS):
            happens(number)
            await ground.settle(worker)
    found = {query: count for query, count in asked.items() if count and ("churn." in query or "value." in query)}
    assert sum(found.values()) == statements * EVENTS, found
    assert all("INSERT INTO" in query for query in found)
